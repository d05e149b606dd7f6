// SPDX-License-Identifier: Apache-2.0
// The folded part of the feed's state, in LMDB: keys, values, and how far the fold has come.
//
// PZ_KV_FEED keeps all there is of one message side by side; numbers in keys are big-endian, in
// values little-endian.
//
//     message id 8 | 0                 the row: form u8 = 1, has sentiment u8, 2 bytes 0, user u32,
//                                      created_at i64, sentiment f64, body; or the mark of a
//                                      deleted message: form u8 = 2
//     message id 8 | 1                 the counters: likes i64, views i64
//     message id 8 | 2 | user 4        this like stands: empty
//
// PZ_KV_FEED_ORDER     created_at ^ sign 8 | message id 8              empty
// PZ_KV_FEED_BY_USER   user 4 | created_at ^ sign 8 | message id 8     empty
// PZ_KV_META           "feed/state"                                    struct pz__feed_record
//                      "feed/layer/" | segment id 8                    form u8 = 1, ids below this
//                                                                      u64 are folded
#ifndef PZ_STORAGE_FEED_BASE_H
#define PZ_STORAGE_FEED_BASE_H

#include "storage/feed/feed.h"
#include "storage/feed/index.h"
#include "storage/feed/overlay.h"

// ---- record.c: how far the fold has come -----------------------------------------------------

// A fold goes over its messages three times, each time in the order of the keys it writes, so that
// neighbours fall on the same pages whatever the order of arrival was.
enum pz__feed_phase {
    PZ__FEED_PHASE_MESSAGES, // PZ_KV_FEED
    PZ__FEED_PHASE_ORDER,    // PZ_KV_FEED_ORDER
    PZ__FEED_PHASE_BY_USER,  // PZ_KV_FEED_BY_USER
};

// How far a fold has come: all of the phases before, and in this one what lies before
// - MESSAGES: `message_id`, and within a message everything else first, then its likes by user;
// - ORDER, BY_USER: `key`.
struct pz__feed_place {
    enum pz__feed_phase phase;
    uint64_t message_id;
    uint64_t user; // 0 = nothing of this message; else all but its likes by users from here on
    struct pz__feed_key key;
};

static inline bool
pz__feed_place_has_head(const struct pz__feed_place *place, uint64_t message_id)
{
    return place->phase > PZ__FEED_PHASE_MESSAGES || message_id < place->message_id ||
           (message_id == place->message_id && place->user > 0);
}

static inline bool
pz__feed_place_has_like(const struct pz__feed_place *place, uint64_t message_id, uint32_t user)
{
    return place->phase > PZ__FEED_PHASE_MESSAGES || message_id < place->message_id ||
           (message_id == place->message_id && user < place->user);
}

static inline bool
pz__feed_place_has_key(const struct pz__feed_place *place, bool is_by_user,
                       const struct pz__feed_key *key)
{
    enum pz__feed_phase phase = is_by_user ? PZ__FEED_PHASE_BY_USER : PZ__FEED_PHASE_ORDER;
    return place->phase > phase ||
           (place->phase == phase && pz__feed_key_compare(is_by_user, key, &place->key) < 0);
}

struct pz__feed_record {
    uint64_t fold_number;                   // slices so far
    uint64_t watermark[PZ_FEED_KIND_COUNT]; // rows below are in the base
    bool is_folding;                        // a fold has begun and is not complete:
    uint64_t ends[PZ_FEED_KIND_COUNT];      // it takes the rows below these,
    struct pz__feed_place place;            // and has come this far
    int64_t largest_message_id;             // of all rows below the watermarks, at least
};

// A store that was never folded has a record of zeros.
PZ_MUST_USE enum pz_status pz__feed_record_read(struct pz_kv_txn *txn,
                                                struct pz__feed_record *record_out,
                                                struct pz_error *err);
PZ_MUST_USE enum pz_status pz__feed_record_write(struct pz_kv_txn *txn,
                                                 const struct pz__feed_record *record,
                                                 struct pz_error *err);

// Marks of loaded segments whose views are not all in the base.
struct pz__feed_layer_mark {
    uint64_t segment_id;
    uint64_t folded_below; // message id
};
PZ_MUST_USE enum pz_status
pz__feed_mark_write(struct pz_kv_txn *txn, struct pz__feed_layer_mark mark, struct pz_error *err);
PZ_MUST_USE enum pz_status pz__feed_mark_delete(struct pz_kv_txn *txn, uint64_t segment_id,
                                                struct pz_error *err);
// *marks_out is malloc'ed, NULL when there are none.
PZ_MUST_USE enum pz_status pz__feed_marks_read(struct pz_kv_txn *txn,
                                               struct pz__feed_layer_mark **marks_out,
                                               size_t *count_out, struct pz_error *err);

// ---- base.c: messages, counters, likes -------------------------------------------------------

#define PZ__FEED_ITEM_KEY_LEN 9u
#define PZ__FEED_LIKE_KEY_LEN 13u
#define PZ__FEED_ORDER_KEY_LEN 16u
#define PZ__FEED_USER_KEY_LEN 20u

enum pz__feed_item { PZ__FEED_ITEM_MESSAGE, PZ__FEED_ITEM_COUNTERS, PZ__FEED_ITEM_LIKE };

// A message's row as stored; `body` borrows from the transaction.
struct pz__feed_stored {
    enum pz_feed_presence presence; // the rest counts for PZ_FEED_PRESENT only
    uint32_t user;
    int64_t created_at;
    bool has_sentiment;
    double sentiment;
    struct pz_str body;
};
struct pz__feed_counters {
    int64_t likes, views;
};

// One key of PZ_KV_FEED. PZ_CORRUPT when it has another shape.
struct pz__feed_item_key {
    uint64_t message_id;
    enum pz__feed_item item;
    uint32_t user; // of a like
};
PZ_MUST_USE enum pz_status
pz__feed_item_key_parse(struct pz_bytes key, struct pz__feed_item_key *out, struct pz_error *err);
PZ_MUST_USE enum pz_status pz__feed_stored_parse(uint64_t message_id, struct pz_bytes value,
                                                 struct pz__feed_stored *out, struct pz_error *err);
PZ_MUST_USE enum pz_status pz__feed_counters_parse(uint64_t message_id, struct pz_bytes value,
                                                   struct pz__feed_counters *out,
                                                   struct pz_error *err);

// What is absent reads as PZ_FEED_ABSENT, zeros, false.
PZ_MUST_USE enum pz_status pz__feed_base_message(struct pz_kv_txn *txn, uint64_t message_id,
                                                 struct pz__feed_stored *out, struct pz_error *err);
PZ_MUST_USE enum pz_status pz__feed_base_counters(struct pz_kv_txn *txn, uint64_t message_id,
                                                  struct pz__feed_counters *out,
                                                  struct pz_error *err);
PZ_MUST_USE enum pz_status pz__feed_base_liked(struct pz_kv_txn *txn, uint64_t message_id,
                                               uint32_t user, bool *liked_out,
                                               struct pz_error *err);
// Message and counters of one id through a cursor on PZ_KV_FEED: cheaper than two look-ups.
PZ_MUST_USE enum pz_status pz__feed_base_item(struct pz_kv_cursor *cursor, uint64_t message_id,
                                              struct pz__feed_stored *stored_out,
                                              struct pz__feed_counters *counters_out,
                                              struct pz_error *err);

// The first `capacity` keys a query asks for, newest first; *has_more_out tells whether the base
// has older ones.
PZ_MUST_USE enum pz_status pz__feed_base_keys(struct pz_kv_txn *txn,
                                              const struct pz_feed_query *query,
                                              struct pz__feed_key *keys, size_t capacity,
                                              size_t *count_out, bool *has_more_out,
                                              struct pz_error *err);

// Changes, in a fold's transaction. A message's row and its two keys are put one by one.
PZ_MUST_USE enum pz_status pz__feed_base_put_key(struct pz_kv_txn *txn, bool is_by_user,
                                                 const struct pz__feed_key *key,
                                                 struct pz_error *err);
PZ_MUST_USE enum pz_status pz__feed_base_put_message(struct pz_kv_txn *txn, uint64_t message_id,
                                                     const struct pz__feed_body *body,
                                                     struct pz_error *err);
// Takes the message out of the feed's order, and marks its id deleted for ever.
PZ_MUST_USE enum pz_status pz__feed_base_delete_message(struct pz_kv_txn *txn, uint64_t message_id,
                                                        struct pz_error *err);
PZ_MUST_USE enum pz_status pz__feed_base_add_counters(struct pz_kv_txn *txn, uint64_t message_id,
                                                      struct pz__feed_counters more,
                                                      struct pz_error *err);
PZ_MUST_USE enum pz_status pz__feed_base_set_like(struct pz_kv_txn *txn, uint64_t message_id,
                                                  uint32_t user, bool stands, struct pz_error *err);

#endif
