// SPDX-License-Identifier: Apache-2.0
// The fold's own books in PZ_KV_META: the record, rewritten by every slice in the transaction that
// holds the slice, and the marks of loaded segments that wait.
//
//     "feed/state"   form u8 = 1, is folding u8, phase u8, 5 bytes 0, fold number u64,
//                    watermarks 4 × u64, ends 4 × u64, place: message id u64, user u64, key:
//                    created_at i64, message id u64, user u64; largest message id i64
#include "storage/feed/base.h"

#include "base/num.h"

#include <stdlib.h>
#include <string.h>

#define FORM 1
#define RECORD_LEN 128u
#define MARK_LEN 9u
#define MARK_PREFIX "feed/layer/"
#define MARK_PREFIX_LEN (sizeof MARK_PREFIX - 1)
#define MARK_KEY_LEN (MARK_PREFIX_LEN + 8)

static const char state_key[] = "feed/state";
#define STATE_KEY_LEN (sizeof state_key - 1)

enum pz_status
pz__feed_record_read(struct pz_kv_txn *txn, struct pz__feed_record *record_out,
                     struct pz_error *err)
{
    *record_out = (struct pz__feed_record){0};
    struct pz_bytes value;
    enum pz_status status = pz_kv_get(txn, PZ_KV_META, state_key, STATE_KEY_LEN, &value, err);
    if (status == PZ_NOT_FOUND) {
        return PZ_OK;
    }
    PZ_TRY(status);
    const uint8_t *bytes = value.data;
    if (value.len != RECORD_LEN || bytes[0] != FORM || bytes[1] > 1 ||
        bytes[2] > PZ__FEED_PHASE_BY_USER) {
        return pz_fail(err, PZ_CORRUPT, "the record of the feed's fold has %zu bytes of form %d",
                       value.len, value.len > 0 ? bytes[0] : -1);
    }
    record_out->is_folding = bytes[1] == 1;
    record_out->fold_number = pz_load_le64(bytes + 8);
    for (int kind = 0; kind < PZ_FEED_KIND_COUNT; kind++) {
        record_out->watermark[kind] = pz_load_le64(bytes + 16 + 8 * kind);
        record_out->ends[kind] = pz_load_le64(bytes + 48 + 8 * kind);
    }
    struct pz__feed_place *place = &record_out->place;
    place->phase = (enum pz__feed_phase)bytes[2];
    place->message_id = pz_load_le64(bytes + 80);
    place->user = pz_load_le64(bytes + 88);
    place->key.created_at = (int64_t)pz_load_le64(bytes + 96);
    place->key.message_id = pz_load_le64(bytes + 104);
    place->key.user = (uint32_t)pz_load_le64(bytes + 112);
    record_out->largest_message_id = (int64_t)pz_load_le64(bytes + 120);
    return PZ_OK;
}

enum pz_status
pz__feed_record_write(struct pz_kv_txn *txn, const struct pz__feed_record *record,
                      struct pz_error *err)
{
    const struct pz__feed_place *place = &record->place;
    uint8_t bytes[RECORD_LEN] = {FORM, record->is_folding ? 1 : 0, (uint8_t)place->phase};
    pz_store_le64(bytes + 8, record->fold_number);
    for (int kind = 0; kind < PZ_FEED_KIND_COUNT; kind++) {
        pz_store_le64(bytes + 16 + 8 * kind, record->watermark[kind]);
        pz_store_le64(bytes + 48 + 8 * kind, record->ends[kind]);
    }
    pz_store_le64(bytes + 80, place->message_id);
    pz_store_le64(bytes + 88, place->user);
    pz_store_le64(bytes + 96, (uint64_t)place->key.created_at);
    pz_store_le64(bytes + 104, place->key.message_id);
    pz_store_le64(bytes + 112, place->key.user);
    pz_store_le64(bytes + 120, (uint64_t)record->largest_message_id);
    return pz_kv_put(txn, PZ_KV_META, PZ_KV_PUT, (struct pz_bytes){state_key, STATE_KEY_LEN},
                     (struct pz_bytes){bytes, sizeof bytes}, err);
}

static void
mark_key(uint64_t segment_id, uint8_t out[MARK_KEY_LEN])
{
    memcpy(out, MARK_PREFIX, MARK_PREFIX_LEN);
    pz_store_be64(out + MARK_PREFIX_LEN, segment_id);
}

enum pz_status
pz__feed_mark_write(struct pz_kv_txn *txn, struct pz__feed_layer_mark mark, struct pz_error *err)
{
    uint8_t key[MARK_KEY_LEN];
    uint8_t value[MARK_LEN] = {FORM};
    mark_key(mark.segment_id, key);
    pz_store_le64(value + 1, mark.folded_below);
    return pz_kv_put(txn, PZ_KV_META, PZ_KV_PUT, (struct pz_bytes){key, sizeof key},
                     (struct pz_bytes){value, sizeof value}, err);
}

enum pz_status
pz__feed_mark_delete(struct pz_kv_txn *txn, uint64_t segment_id, struct pz_error *err)
{
    uint8_t key[MARK_KEY_LEN];
    mark_key(segment_id, key);
    return pz_kv_delete(txn, PZ_KV_META, key, sizeof key, err);
}

static bool
is_mark_key(struct pz_bytes key)
{
    return key.len >= MARK_PREFIX_LEN && memcmp(key.data, MARK_PREFIX, MARK_PREFIX_LEN) == 0;
}

static enum pz_status
parse_mark(struct pz_bytes key, struct pz_bytes value, struct pz__feed_layer_mark *out,
           struct pz_error *err)
{
    const uint8_t *bytes = value.data;
    if (key.len != MARK_KEY_LEN || value.len != MARK_LEN || bytes[0] != FORM) {
        return pz_fail(err, PZ_CORRUPT,
                       "a mark of the feed's fold has a key of %zu and a value of %zu bytes",
                       key.len, value.len);
    }
    out->segment_id = pz_load_be64((const uint8_t *)key.data + MARK_PREFIX_LEN);
    out->folded_below = pz_load_le64(bytes + 1);
    return PZ_OK;
}

enum pz_status
pz__feed_marks_read(struct pz_kv_txn *txn, struct pz__feed_layer_mark **marks_out,
                    size_t *count_out, struct pz_error *err)
{
    *marks_out = NULL;
    *count_out = 0;
    struct pz__feed_layer_mark *marks = NULL;
    size_t count = 0;
    struct pz_kv_cursor *cursor = NULL;
    PZ_TRY(pz_kv_cursor_open(txn, PZ_KV_META, &cursor, err));
    struct pz_bytes key = {MARK_PREFIX, MARK_PREFIX_LEN};
    struct pz_bytes value;
    enum pz_status status = pz_kv_cursor_move(cursor, PZ_KV_AT_OR_AFTER, key, &key, &value, err);
    while (status == PZ_OK && is_mark_key(key)) {
        if ((count & (count - 1)) == 0) { // full at each power of two
            marks = pz_xrealloc(marks, (count == 0 ? 1 : count * 2) * sizeof *marks);
        }
        status = parse_mark(key, value, &marks[count], err);
        if (status == PZ_OK) {
            count++;
            status = pz_kv_cursor_move(cursor, PZ_KV_NEXT, (struct pz_bytes){0}, &key, &value, err);
        }
    }
    pz_kv_cursor_close(cursor);
    if (status != PZ_OK && status != PZ_NOT_FOUND) {
        free(marks);
        return status;
    }
    *marks_out = marks;
    *count_out = count;
    return PZ_OK;
}
