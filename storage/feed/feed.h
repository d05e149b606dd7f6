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
// A read begins an LMDB read transaction, which shows the base as of some fold_number; under the
// feed's mutex it takes frozen and layers as they go with that number (they are immutable and held
// by reference count) and what it needs of active, so the parts always fit together. The parts for
// the next number stand ready before a slice commits; only a read that sleeps through a slice
// starts over.
//
// Threads: "writer thread" below is the one that commits. It alone changes what the mutex guards
// and therefore reads it without. A slice goes in a transaction of its own, not into a group's.
#ifndef PZ_STORAGE_FEED_FEED_H
#define PZ_STORAGE_FEED_FEED_H

#include "base/arena.h"
#include "storage/kv/kv.h"
#include "storage/store.h"

struct pz_feed;
struct pz_feed_layer;

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

// Opens over an environment; reads how far it is folded. Then recovery: every row from the
// watermarks on and the waiting layers, also when there are none of them; then all other calls.
PZ_MUST_USE enum pz_status pz_feed_open(struct pz_kv_env *env, struct pz_feed **feed_out,
                                        struct pz_error *err);
void pz_feed_close(struct pz_feed *feed); // NULL is ignored

// Watermarks: rows below this number of that kind are in the base, all of them. The log must keep
// the others, and recovery needs them all, those of an interrupted fold included. Writer thread.
uint64_t pz_feed_folded(const struct pz_feed *feed, enum pz_feed_kind kind);

// Recovery: the row goes to the active overlay, or back to the frozen one when it belongs to an
// interrupted fold (which then goes on: pz_feed_is_folding), or nowhere when that fold has already
// put it into the base. Rows of a kind come in order; kinds in the order of the enum. PZ_CORRUPT
// when the rows break the feed's rules.
PZ_MUST_USE enum pz_status pz_feed_recover_row(struct pz_feed *feed, const struct pz_feed_row *row,
                                               struct pz_error *err);
PZ_MUST_USE enum pz_status pz_feed_recover_end(struct pz_feed *feed, struct pz_error *err);
// The next message id to give out: larger than that of every message ever stored, deleted ones and
// those of the open group included (likes and views of no message do not count). 0 when the largest
// of all ids is taken: there is no next. Writer thread.
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
// Adds a row that the rules accepted: a message whose id is absent, a like that changes something,
// a deletion of a present message. PZ_CORRUPT when it breaks them, PZ_NO_MEMORY; nothing changed
// then.
PZ_MUST_USE enum pz_status pz_feed_group_apply(struct pz_feed *feed, const struct pz_feed_row *row,
                                               struct pz_error *err);
// A mark to go back to when a later row of the same write refuses it as a whole. Marks may be
// nested; going back to one makes those after it void.
struct pz_feed_mark {
    uint64_t value[4];
};
struct pz_feed_mark pz_feed_group_mark(const struct pz_feed *feed);
void pz_feed_group_undo(struct pz_feed *feed, struct pz_feed_mark mark);
// After the LMDB commit: a layer that the group's transaction recorded is to become visible with
// the group. The feed owns it from here on.
void pz_feed_group_add_layer(struct pz_feed *feed, struct pz_feed_layer *layer);
// After the LMDB commit: the group's rows and layers become visible to readers, all at one instant.
// `publish` (may be NULL) is called once at that instant, with the feed's mutex held when something
// becomes visible: what it shows and the feed are never seen apart. It must be short.
// Or forgets them.
void pz_feed_group_commit(struct pz_feed *feed, void (*publish)(void *payload), void *payload);
void pz_feed_group_abort(struct pz_feed *feed);

// ---- folding (writer thread, one slice per write transaction) -------------------------------

uint64_t
pz_feed_unfolded(const struct pz_feed *feed); // entries in active, frozen and layers; any thread
bool pz_feed_is_folding(const struct pz_feed *feed); // frozen or a layer still has entries
// Makes active the frozen one when nothing is frozen (else does nothing); `ends[kind]` are the row
// numbers below which all rows are in it or in the base. When there is nothing to fold, the next
// slice just advances the watermarks. Outside of groups and slices.
void pz_feed_fold_start(struct pz_feed *feed, const uint64_t ends[PZ_FEED_KIND_COUNT]);
// Puts up to `message_count_max` messages' changes into the base, in key order, with the progress
// mark, all in `txn`; less when they reach twice as many likes or 256 bytes a message. The last
// slice of a fold records the watermarks. Frozen and layers take turns. Does nothing when there is
// nothing to fold. After a failure `txn` must be aborted.
// Cost     some 0.3 us a message and 0.6 us a like in memory, and the pages that the commit writes;
//          the first slice of a fold orders it all: about 20 ms for a million entries.
PZ_MUST_USE enum pz_status pz_feed_fold_slice(struct pz_feed *feed, struct pz_kv_txn *txn,
                                              uint32_t message_count_max, struct pz_error *err);
// After the commit of the slice: drops from memory what the base now has. Or, also after a commit
// with unknown outcome, forgets the slice; reads go on whatever the outcome was.
void pz_feed_fold_slice_committed(struct pz_feed *feed);
void pz_feed_fold_slice_aborted(struct pz_feed *feed);

// ---- loaded segments ------------------------------------------------------------------------

// View counts of a segment that entered by a load: ids rising, counts > 0. Takes over both arrays
// (malloc'ed). `segment_id` names its progress mark in the base.
struct pz_feed_layer *pz_feed_layer_create(uint64_t segment_id, int64_t *message_ids,
                                           uint32_t *counts, size_t count);
void pz_feed_layer_destroy(struct pz_feed_layer *layer);
// In the load's transaction: records that the segment waits to be folded. Until it is, the segment
// must remain, for recovery to count its views again.
PZ_MUST_USE enum pz_status pz_feed_layer_record(struct pz_feed_layer *layer, struct pz_kv_txn *txn,
                                                struct pz_error *err);
// At recovery: adds the layer of a segment that waits. The feed owns it then.
void pz_feed_recover_layer(struct pz_feed *feed, struct pz_feed_layer *layer);
// At recovery: the segments whose layers must be built again and added. *ids_out is malloc'ed.
PZ_MUST_USE enum pz_status pz_feed_layers_waiting(struct pz_feed *feed, uint64_t **ids_out,
                                                  size_t *count_out, struct pz_error *err);

// ---- reading (any thread) -------------------------------------------------------------------

// As pz_feed_get_message and pz_feed_get_page of store.h. PZ_BUSY when folding is so fast that no
// attempt found base and overlay in step.
PZ_MUST_USE enum pz_status pz_feed_read_message(struct pz_feed *feed, int64_t message_id,
                                                struct pz_arena *arena, struct pz_message *out,
                                                struct pz_error *err);
PZ_MUST_USE enum pz_status pz_feed_read_page(struct pz_feed *feed,
                                             const struct pz_feed_query *query,
                                             struct pz_arena *arena, struct pz_feed_page *page_out,
                                             struct pz_error *err);

// For `plaza check`: calls each(payload, …) for every message id that has counters, a message or
// likes, in id order, with the state as of one moment. PZ_CORRUPT also when the feed's orders are
// not those of its messages; that is looked at last, and not while a fold is under way. `begin`
// (may be NULL) is called once at that moment, with the feed's mutex held: the newest version is
// the state's then. Holds a read transaction throughout: neither may wait for anything.
struct pz_feed_state {
    int64_t message_id;
    enum pz_feed_presence presence;
    int64_t likes, views;
    uint64_t like_count; // likes that stand, counted one by one
};
PZ_MUST_USE enum pz_status pz_feed_each(struct pz_feed *feed, void (*begin)(void *payload),
                                        enum pz_status (*each)(void *payload,
                                                               const struct pz_feed_state *state,
                                                               struct pz_error *err),
                                        void *payload, struct pz_error *err);

#endif
