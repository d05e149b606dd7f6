// SPDX-License-Identifier: Apache-2.0
// The feed's state: a fold of the rows of messages, likes, views and message_deletions.
//
// The folded part is in LMDB (base), the rest in memory (overlay). One function, pz__feed_apply,
// turns a row into changes of an overlay, and is the only one that knows the feed's rules; the
// writer, recovery and the folder all go through it.
//
//     pending   rows of the group being committed            writer thread only
//     active    committed rows                               changed by the writer, read by all
//     frozen    rows of the fold in progress                 immutable but for what was folded
//     layers    view counts of loaded segments, not folded   immutable but for what was folded
//     base      LMDB as of `fold_number`                     changed by fold slices
//
// A read takes what it needs of active, frozen and layers under the overlay's mutex together with
// fold_number, then begins an LMDB read transaction and checks that the base has the same
// fold_number, else starts over: the parts always fit together.
#ifndef PZ_STORAGE_FEED_FEED_H
#define PZ_STORAGE_FEED_FEED_H

#include "base/arena.h"
#include "storage/kv/kv.h"
#include "storage/store.h"

struct pz_feed;

enum pz_feed_kind { PZ_FEED_MESSAGE, PZ_FEED_LIKE, PZ_FEED_VIEW, PZ_FEED_DELETION };
#define PZ_FEED_KIND_COUNT 4

// One row of a feed table, as the fold sees it. Strings are borrowed for the call.
struct pz_feed_row {
    enum pz_feed_kind kind;
    uint64_t row_number; // in its table, from 0
    int64_t message_id;
    uint32_t user;      // MESSAGE, LIKE
    int64_t created_at; // MESSAGE
    int64_t delta;      // LIKE: +1 or -1
    struct pz_str body; // MESSAGE
    bool has_sentiment; // MESSAGE
    double sentiment;
};

// Opens over an environment; reads how far it is folded. *next_message_id_out is larger than every
// id in the base (1 when empty).
PZ_MUST_USE enum pz_status pz_feed_open(struct pz_kv_env *env, struct pz_feed **feed_out,
                                        struct pz_error *err);
void pz_feed_close(struct pz_feed *feed); // NULL is ignored

// Rows below this number of that kind are in the base (all of them). Rows from here up to
// pz_feed_recover_row's caller's end must be given to recovery at start.
uint64_t pz_feed_folded(const struct pz_feed *feed, enum pz_feed_kind kind);

// Recovery, before any other use: the row goes to the active overlay, unless an interrupted fold
// has already put it into the base. Rows of a kind come in order; kinds in the order of the enum.
PZ_MUST_USE enum pz_status pz_feed_recover_row(struct pz_feed *feed, const struct pz_feed_row *row,
                                               struct pz_error *err);
PZ_MUST_USE enum pz_status pz_feed_recover_end(struct pz_feed *feed, struct pz_error *err);
// The next message id to give out: larger than every id ever stored. Writer thread.
int64_t pz_feed_next_message_id(const struct pz_feed *feed);

// ---- writer thread: a group of rows in one write transaction --------------------------------

// Begins a group; reads of the base go through `txn` until commit or abort.
void pz_feed_group_begin(struct pz_feed *feed, struct pz_kv_txn *txn);
// State with all rows applied so far, this group's included.
PZ_MUST_USE enum pz_status pz_feed_group_liked(struct pz_feed *feed, int64_t message_id,
                                               uint32_t user, bool *liked_out,
                                               struct pz_error *err);
enum pz_feed_presence { PZ_FEED_ABSENT, PZ_FEED_PRESENT, PZ_FEED_DELETED };
PZ_MUST_USE enum pz_status pz_feed_group_message(struct pz_feed *feed, int64_t message_id,
                                                 enum pz_feed_presence *presence_out,
                                                 struct pz_error *err);
PZ_MUST_USE enum pz_status pz_feed_group_likes(struct pz_feed *feed, int64_t message_id,
                                               int64_t *likes_out, struct pz_error *err);
// Adds a row that the rules accepted.
PZ_MUST_USE enum pz_status pz_feed_group_apply(struct pz_feed *feed, const struct pz_feed_row *row,
                                               struct pz_error *err);
// A mark to go back to when a later row of the same write refuses it as a whole.
struct pz_feed_mark {
    uint64_t value[4];
};
struct pz_feed_mark pz_feed_group_mark(const struct pz_feed *feed);
void pz_feed_group_undo(struct pz_feed *feed, struct pz_feed_mark mark);
// After the LMDB commit: the group's rows become visible to readers. Or forgets them.
void pz_feed_group_commit(struct pz_feed *feed);
void pz_feed_group_abort(struct pz_feed *feed);

// ---- folding (writer thread, one slice per write transaction) -------------------------------

uint64_t
pz_feed_unfolded(const struct pz_feed *feed); // entries in active, frozen and layers; any thread
bool pz_feed_is_folding(const struct pz_feed *feed); // frozen or a layer still has entries
// Makes active the frozen one when nothing is frozen; `ends[kind]` are the row numbers below which
// all rows are in it. When there is nothing to fold, advances the watermarks in the next slice.
void pz_feed_fold_start(struct pz_feed *feed, const uint64_t ends[PZ_FEED_KIND_COUNT]);
// Puts about `message_count_max` messages' changes into the base, in key order, with the progress
// mark, all in `txn`. The last slice of a fold records the watermarks.
PZ_MUST_USE enum pz_status pz_feed_fold_slice(struct pz_feed *feed, struct pz_kv_txn *txn,
                                              uint32_t message_count_max, struct pz_error *err);
// After the commit of the slice: drops from memory what the base now has. Or forgets the slice.
void pz_feed_fold_slice_committed(struct pz_feed *feed);
void pz_feed_fold_slice_aborted(struct pz_feed *feed);

// ---- loaded segments ------------------------------------------------------------------------

// View counts of a segment that entered by a load: ids rising, counts > 0. Takes over both arrays
// (malloc'ed). `segment_id` names its progress mark in the base.
struct pz_feed_layer;
struct pz_feed_layer *pz_feed_layer_create(uint64_t segment_id, int64_t *message_ids,
                                           uint32_t *counts, size_t count);
void pz_feed_layer_destroy(struct pz_feed_layer *layer);
// In the load's transaction: records that the segment waits to be folded.
PZ_MUST_USE enum pz_status pz_feed_layer_record(struct pz_feed_layer *layer, struct pz_kv_txn *txn,
                                                struct pz_error *err);
// After its commit, or at recovery: the counts become visible. The feed owns the layer then.
void pz_feed_layer_add(struct pz_feed *feed, struct pz_feed_layer *layer);
// At recovery: the segments whose layers must be rebuilt. *ids_out is malloc'ed.
PZ_MUST_USE enum pz_status pz_feed_layers_waiting(struct pz_feed *feed, uint64_t **ids_out,
                                                  size_t *count_out, struct pz_error *err);

// ---- reading (any thread) -------------------------------------------------------------------

// As pz_feed_get_message and pz_feed_get_page of store.h.
PZ_MUST_USE enum pz_status pz_feed_read_message(struct pz_feed *feed, int64_t message_id,
                                                struct pz_arena *arena, struct pz_message *out,
                                                struct pz_error *err);
PZ_MUST_USE enum pz_status pz_feed_read_page(struct pz_feed *feed,
                                             const struct pz_feed_query *query,
                                             struct pz_arena *arena, struct pz_message **items_out,
                                             uint32_t *count_out, bool *has_more_out,
                                             struct pz_error *err);

// For `plaza check`: calls each(payload, …) for every message id that has counters, a message or
// likes, in id order, with the state as of one moment.
struct pz_feed_state {
    int64_t message_id;
    enum pz_feed_presence presence;
    int64_t likes, views;
    uint64_t like_count; // likes that stand, counted one by one
};
PZ_MUST_USE enum pz_status pz_feed_each(struct pz_feed *feed,
                                        enum pz_status (*each)(void *payload,
                                                               const struct pz_feed_state *state,
                                                               struct pz_error *err),
                                        void *payload, struct pz_error *err);

#endif
