// SPDX-License-Identifier: Apache-2.0
// Whether the base's two orders of messages, all and by user, are those of its messages: for `plaza
// check`. A key has no value, only its checksum, so nobody else would notice one that is missing.
#include "base/num.h"
#include "storage/feed/feed_internal.h"

#define SIGN (UINT64_C(1) << 63)

static enum pz_status
check_key(struct pz_kv_txn *txn, bool is_by_user, struct pz_bytes key, struct pz_error *err)
{
    struct pz__feed_stored stored;
    const uint8_t *order = (const uint8_t *)key.data + (is_by_user ? 4 : 0);
    if (key.len != (is_by_user ? PZ__FEED_USER_KEY_LEN : PZ__FEED_ORDER_KEY_LEN)) {
        return pz_fail(err, PZ_CORRUPT, "the feed's order has a key of %zu bytes", key.len);
    }
    uint64_t message_id = pz_load_be64(order + 8);
    PZ_TRY(pz__feed_base_message(txn, message_id, &stored, err));
    if (stored.presence != PZ_FEED_PRESENT ||
        stored.created_at != (int64_t)(pz_load_be64(order) ^ SIGN) ||
        (is_by_user && stored.user != pz_load_be32(key.data))) {
        return pz_fail(err, PZ_CORRUPT, "message %lld: the feed's order%s has it in a wrong place",
                       (long long)message_id, is_by_user ? " by user" : "");
    }
    return PZ_OK;
}

// No two keys can be right for one message, so it is enough that each is right and all are there.
static enum pz_status
check_order(struct pz_kv_txn *txn, bool is_by_user, uint64_t message_count, struct pz_error *err)
{
    struct pz_kv_cursor *cursor = NULL;
    struct pz_bytes key = {0};
    struct pz_bytes value;
    uint64_t count = 0;
    PZ_TRY(
        pz_kv_cursor_open(txn, is_by_user ? PZ_KV_FEED_BY_USER : PZ_KV_FEED_ORDER, &cursor, err));
    enum pz_status status = pz_kv_cursor_move(cursor, PZ_KV_FIRST, key, &key, &value, err);
    while (status == PZ_OK) {
        count++;
        status = check_key(txn, is_by_user, key, err);
        if (status == PZ_OK) {
            status = pz_kv_cursor_move(cursor, PZ_KV_NEXT, key, &key, &value, err);
        }
    }
    pz_kv_cursor_close(cursor);
    if (status == PZ_NOT_FOUND && count != message_count) {
        return pz_fail(err, PZ_CORRUPT, "the feed's order%s has %llu of %llu messages",
                       is_by_user ? " by user" : "", (unsigned long long)count,
                       (unsigned long long)message_count);
    }
    return status == PZ_NOT_FOUND ? PZ_OK : status;
}

enum pz_status
pz__feed_check_orders(struct pz_kv_txn *txn, uint64_t message_count, struct pz_error *err)
{
    PZ_TRY(check_order(txn, false, message_count, err));
    return check_order(txn, true, message_count, err);
}
