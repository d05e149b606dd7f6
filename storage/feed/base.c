// SPDX-License-Identifier: Apache-2.0
// Messages, counters and likes in LMDB: one function for each thing that is read or changed.
#include "storage/feed/base.h"

#include "base/num.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FORM_ROW 1
#define FORM_DELETED 2
#define ROW_HEAD_LEN 24u
#define COUNTERS_LEN 16u
#define SIGN (UINT64_C(1) << 63)

static void
item_key(uint64_t message_id, enum pz__feed_item item, uint8_t *out)
{
    pz_store_be64(out, message_id);
    out[8] = (uint8_t)item;
}

static void
like_key(uint64_t message_id, uint32_t user, uint8_t out[PZ__FEED_LIKE_KEY_LEN])
{
    item_key(message_id, PZ__FEED_ITEM_LIKE, out);
    pz_store_be32(out + 9, user);
}

static void
order_key(int64_t created_at, uint64_t message_id, uint8_t out[PZ__FEED_ORDER_KEY_LEN])
{
    pz_store_be64(out, (uint64_t)created_at ^ SIGN);
    pz_store_be64(out + 8, message_id);
}

static void
user_key(uint32_t user, int64_t created_at, uint64_t message_id, uint8_t out[PZ__FEED_USER_KEY_LEN])
{
    pz_store_be32(out, user);
    order_key(created_at, message_id, out + 4);
}

// ---- parsing ---------------------------------------------------------------------------------

enum pz_status
pz__feed_item_key_parse(struct pz_bytes key, struct pz__feed_item_key *out, struct pz_error *err)
{
    const uint8_t *bytes = key.data;
    bool is_like = key.len == PZ__FEED_LIKE_KEY_LEN && bytes[8] == PZ__FEED_ITEM_LIKE;
    bool is_head = key.len == PZ__FEED_ITEM_KEY_LEN && bytes[8] < PZ__FEED_ITEM_LIKE;
    if (!is_like && !is_head) {
        return pz_fail(err, PZ_CORRUPT, "database feed: a key has %zu bytes and no known kind",
                       key.len);
    }
    out->message_id = pz_load_be64(bytes);
    out->item = (enum pz__feed_item)bytes[8];
    out->user = is_like ? pz_load_be32(bytes + 9) : 0;
    return PZ_OK;
}

enum pz_status
pz__feed_stored_parse(uint64_t message_id, struct pz_bytes value, struct pz__feed_stored *out,
                      struct pz_error *err)
{
    *out = (struct pz__feed_stored){.presence = PZ_FEED_ABSENT};
    const uint8_t *bytes = value.data;
    if (value.len == 1 && bytes[0] == FORM_DELETED) {
        out->presence = PZ_FEED_DELETED;
        return PZ_OK;
    }
    if (value.len < ROW_HEAD_LEN || bytes[0] != FORM_ROW || value.len - ROW_HEAD_LEN > UINT32_MAX) {
        return pz_fail(err, PZ_CORRUPT, "message %" PRIu64 ": %zu bytes of unknown form",
                       message_id, value.len);
    }
    uint64_t sentiment = pz_load_le64(bytes + 16);
    out->presence = PZ_FEED_PRESENT;
    out->has_sentiment = bytes[1] != 0;
    out->user = pz_load_le32(bytes + 4);
    out->created_at = (int64_t)pz_load_le64(bytes + 8);
    memcpy(&out->sentiment, &sentiment, sizeof sentiment);
    out->body.data = (const char *)bytes + ROW_HEAD_LEN;
    out->body.len = (uint32_t)(value.len - ROW_HEAD_LEN);
    return PZ_OK;
}

enum pz_status
pz__feed_counters_parse(uint64_t message_id, struct pz_bytes value, struct pz__feed_counters *out,
                        struct pz_error *err)
{
    if (value.len != COUNTERS_LEN) {
        return pz_fail(err, PZ_CORRUPT, "message %" PRIu64 ": counters of %zu bytes", message_id,
                       value.len);
    }
    out->likes = (int64_t)pz_load_le64(value.data);
    out->views = (int64_t)pz_load_le64((const uint8_t *)value.data + 8);
    return PZ_OK;
}

// ---- reading ---------------------------------------------------------------------------------

enum pz_status
pz__feed_base_message(struct pz_kv_txn *txn, uint64_t message_id, struct pz__feed_stored *out,
                      struct pz_error *err)
{
    *out = (struct pz__feed_stored){.presence = PZ_FEED_ABSENT};
    uint8_t key[PZ__FEED_ITEM_KEY_LEN];
    item_key(message_id, PZ__FEED_ITEM_MESSAGE, key);
    struct pz_bytes value;
    enum pz_status status = pz_kv_get(txn, PZ_KV_FEED, key, sizeof key, &value, err);
    if (status == PZ_NOT_FOUND) {
        return PZ_OK;
    }
    PZ_TRY(status);
    return pz__feed_stored_parse(message_id, value, out, err);
}

enum pz_status
pz__feed_base_counters(struct pz_kv_txn *txn, uint64_t message_id, struct pz__feed_counters *out,
                       struct pz_error *err)
{
    *out = (struct pz__feed_counters){0};
    uint8_t key[PZ__FEED_ITEM_KEY_LEN];
    item_key(message_id, PZ__FEED_ITEM_COUNTERS, key);
    struct pz_bytes value;
    enum pz_status status = pz_kv_get(txn, PZ_KV_FEED, key, sizeof key, &value, err);
    if (status == PZ_NOT_FOUND) {
        return PZ_OK;
    }
    PZ_TRY(status);
    return pz__feed_counters_parse(message_id, value, out, err);
}

enum pz_status
pz__feed_base_liked(struct pz_kv_txn *txn, uint64_t message_id, uint32_t user, bool *liked_out,
                    struct pz_error *err)
{
    *liked_out = false;
    uint8_t key[PZ__FEED_LIKE_KEY_LEN];
    like_key(message_id, user, key);
    struct pz_bytes value;
    enum pz_status status = pz_kv_get(txn, PZ_KV_FEED, key, sizeof key, &value, err);
    if (status == PZ_NOT_FOUND) {
        return PZ_OK;
    }
    PZ_TRY(status);
    *liked_out = true;
    return PZ_OK;
}

enum pz_status
pz__feed_base_item(struct pz_kv_cursor *cursor, uint64_t message_id,
                   struct pz__feed_stored *stored_out, struct pz__feed_counters *counters_out,
                   struct pz_error *err)
{
    *stored_out = (struct pz__feed_stored){.presence = PZ_FEED_ABSENT};
    *counters_out = (struct pz__feed_counters){0};
    uint8_t from[PZ__FEED_ITEM_KEY_LEN];
    item_key(message_id, PZ__FEED_ITEM_MESSAGE, from);
    struct pz_bytes key = {from, sizeof from};
    struct pz_bytes value;
    enum pz_status status = pz_kv_cursor_move(cursor, PZ_KV_AT_OR_AFTER, key, &key, &value, err);
    while (status == PZ_OK) {
        struct pz__feed_item_key at = {0};
        PZ_TRY(pz__feed_item_key_parse(key, &at, err));
        if (at.message_id != message_id || at.item == PZ__FEED_ITEM_LIKE) {
            return PZ_OK;
        }
        if (at.item == PZ__FEED_ITEM_COUNTERS) {
            return pz__feed_counters_parse(message_id, value, counters_out, err);
        }
        PZ_TRY(pz__feed_stored_parse(message_id, value, stored_out, err));
        status = pz_kv_cursor_move(cursor, PZ_KV_NEXT, key, &key, &value, err);
    }
    return status == PZ_NOT_FOUND ? PZ_OK : status;
}

// ---- the order of the feed -------------------------------------------------------------------

// Stands the cursor on the newest key of the query.
static enum pz_status
seek_newest(struct pz_kv_cursor *cursor, const struct pz_feed_query *query, struct pz_bytes *key,
            struct pz_bytes *value, struct pz_error *err)
{
    // One byte longer than any key: with all ones it lies behind the last key of the user.
    uint8_t bound[PZ__FEED_USER_KEY_LEN + 1];
    memset(bound, 0xff, sizeof bound);
    size_t len = sizeof bound;
    uint8_t *order = bound;
    if (query->has_user) {
        pz_store_be32(bound, query->user);
        order = bound + 4;
    }
    if (query->has_before) {
        uint64_t id = query->before_message_id < 0 ? 0 : (uint64_t)query->before_message_id;
        order_key(query->before_created_at, id, order);
        len = query->has_user ? PZ__FEED_USER_KEY_LEN : PZ__FEED_ORDER_KEY_LEN;
    }
    return pz_kv_cursor_move(cursor, PZ_KV_BEFORE, (struct pz_bytes){bound, len}, key, value, err);
}

// *is_end_out when the key belongs to another user.
static enum pz_status
parse_order_key(const struct pz_feed_query *query, struct pz_bytes key, struct pz__feed_key *out,
                bool *is_end_out, struct pz_error *err)
{
    *is_end_out = false;
    *out = (struct pz__feed_key){.message = PZ__FEED_NONE};
    size_t wanted = query->has_user ? PZ__FEED_USER_KEY_LEN : PZ__FEED_ORDER_KEY_LEN;
    if (key.len != wanted) {
        return pz_fail(err, PZ_CORRUPT, "the feed's order has a key of %zu bytes instead of %zu",
                       key.len, wanted);
    }
    const uint8_t *bytes = key.data;
    if (query->has_user) {
        out->user = pz_load_be32(bytes);
        *is_end_out = out->user != query->user;
        bytes += 4;
    }
    out->created_at = (int64_t)(pz_load_be64(bytes) ^ SIGN);
    out->message_id = pz_load_be64(bytes + 8);
    return PZ_OK;
}

enum pz_status
pz__feed_base_keys(struct pz_kv_txn *txn, const struct pz_feed_query *query,
                   struct pz__feed_key *keys, size_t capacity, size_t *count_out,
                   bool *has_more_out, struct pz_error *err)
{
    *count_out = 0;
    *has_more_out = false;
    enum pz_kv_db db = query->has_user ? PZ_KV_FEED_BY_USER : PZ_KV_FEED_ORDER;
    struct pz_kv_cursor *cursor = NULL;
    PZ_TRY(pz_kv_cursor_open(txn, db, &cursor, err));
    struct pz_bytes key;
    struct pz_bytes value;
    enum pz_status status = seek_newest(cursor, query, &key, &value, err);
    while (status == PZ_OK) {
        struct pz__feed_key parsed;
        bool is_end = false;
        status = parse_order_key(query, key, &parsed, &is_end, err);
        if (status != PZ_OK || is_end) {
            break;
        }
        if (*count_out == capacity) {
            *has_more_out = true;
            break;
        }
        keys[(*count_out)++] = parsed;
        status = pz_kv_cursor_move(cursor, PZ_KV_PREV, key, &key, &value, err);
    }
    pz_kv_cursor_close(cursor);
    return status == PZ_NOT_FOUND ? PZ_OK : status;
}

// ---- changes ---------------------------------------------------------------------------------

enum pz_status
pz__feed_base_put_message(struct pz_kv_txn *txn, uint64_t message_id,
                          const struct pz__feed_body *body, struct pz_error *err)
{
    size_t len = ROW_HEAD_LEN + (size_t)body->len;
    uint8_t *row = malloc(len);
    if (row == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory to fold a message of %zu bytes", len);
    }
    uint64_t sentiment;
    memcpy(&sentiment, &body->sentiment, sizeof sentiment);
    row[0] = FORM_ROW;
    row[1] = body->has_sentiment ? 1 : 0;
    pz_store_le16(row + 2, 0);
    pz_store_le32(row + 4, body->user);
    pz_store_le64(row + 8, (uint64_t)body->created_at);
    pz_store_le64(row + 16, sentiment);
    memcpy(row + ROW_HEAD_LEN, body->text, body->len);

    uint8_t key[PZ__FEED_ITEM_KEY_LEN];
    item_key(message_id, PZ__FEED_ITEM_MESSAGE, key);
    enum pz_status status =
        pz_kv_put(txn, PZ_KV_FEED, PZ_KV_PUT, (struct pz_bytes){key, sizeof key},
                  (struct pz_bytes){row, len}, err);
    free(row);
    return status;
}

enum pz_status
pz__feed_base_put_key(struct pz_kv_txn *txn, bool is_by_user, const struct pz__feed_key *key,
                      struct pz_error *err)
{
    uint8_t bytes[PZ__FEED_USER_KEY_LEN];
    struct pz_bytes nothing = {NULL, 0};
    user_key(key->user, key->created_at, key->message_id, bytes);
    if (is_by_user) {
        return pz_kv_put(txn, PZ_KV_FEED_BY_USER, PZ_KV_PUT, (struct pz_bytes){bytes, sizeof bytes},
                         nothing, err);
    }
    return pz_kv_put(txn, PZ_KV_FEED_ORDER, PZ_KV_PUT,
                     (struct pz_bytes){bytes + 4, PZ__FEED_ORDER_KEY_LEN}, nothing, err);
}

enum pz_status
pz__feed_base_delete_message(struct pz_kv_txn *txn, uint64_t message_id, struct pz_error *err)
{
    struct pz__feed_stored stored;
    PZ_TRY(pz__feed_base_message(txn, message_id, &stored, err));
    if (stored.presence == PZ_FEED_PRESENT) {
        uint8_t by_user[PZ__FEED_USER_KEY_LEN];
        user_key(stored.user, stored.created_at, message_id, by_user);
        PZ_TRY(pz_kv_delete(txn, PZ_KV_FEED_ORDER, by_user + 4, PZ__FEED_ORDER_KEY_LEN, err));
        PZ_TRY(pz_kv_delete(txn, PZ_KV_FEED_BY_USER, by_user, sizeof by_user, err));
    }
    uint8_t key[PZ__FEED_ITEM_KEY_LEN];
    uint8_t mark = FORM_DELETED;
    item_key(message_id, PZ__FEED_ITEM_MESSAGE, key);
    return pz_kv_put(txn, PZ_KV_FEED, PZ_KV_PUT, (struct pz_bytes){key, sizeof key},
                     (struct pz_bytes){&mark, 1}, err);
}

enum pz_status
pz__feed_base_add_counters(struct pz_kv_txn *txn, uint64_t message_id,
                           struct pz__feed_counters more, struct pz_error *err)
{
    if (more.likes == 0 && more.views == 0) {
        return PZ_OK;
    }
    struct pz__feed_counters now;
    PZ_TRY(pz__feed_base_counters(txn, message_id, &now, err));
    if (!pz_add_i64(now.likes, more.likes, &now.likes) ||
        !pz_add_i64(now.views, more.views, &now.views)) {
        return pz_fail(err, PZ_CORRUPT, "message %" PRIu64 ": a counter leaves its range",
                       message_id);
    }
    uint8_t key[PZ__FEED_ITEM_KEY_LEN];
    uint8_t value[COUNTERS_LEN];
    item_key(message_id, PZ__FEED_ITEM_COUNTERS, key);
    pz_store_le64(value, (uint64_t)now.likes);
    pz_store_le64(value + 8, (uint64_t)now.views);
    return pz_kv_put(txn, PZ_KV_FEED, PZ_KV_PUT, (struct pz_bytes){key, sizeof key},
                     (struct pz_bytes){value, sizeof value}, err);
}

enum pz_status
pz__feed_base_set_like(struct pz_kv_txn *txn, uint64_t message_id, uint32_t user, bool stands,
                       struct pz_error *err)
{
    uint8_t key[PZ__FEED_LIKE_KEY_LEN];
    like_key(message_id, user, key);
    if (!stands) {
        return pz_kv_delete(txn, PZ_KV_FEED, key, sizeof key, err);
    }
    return pz_kv_put(txn, PZ_KV_FEED, PZ_KV_PUT, (struct pz_bytes){key, sizeof key},
                     (struct pz_bytes){NULL, 0}, err);
}
