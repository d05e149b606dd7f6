// SPDX-License-Identifier: Apache-2.0
// What the files of the feed share: the parts between the active overlay and the base, and the
// feed object itself.
#ifndef PZ_STORAGE_FEED_FEED_INTERNAL_H
#define PZ_STORAGE_FEED_FEED_INTERNAL_H

#include "base/thread.h"
#include "storage/feed/base.h"
#include "storage/feed/feed.h"
#include "storage/feed/overlay.h"

// ---- layer.c ---------------------------------------------------------------------------------

struct pz_feed_layer {
    _Atomic uint32_t refs;
    uint64_t segment_id;
    uint64_t *message_ids; // rising
    uint32_t *counts;
    size_t count;
};

void pz__feed_layer_acquire(struct pz_feed_layer *layer);
void pz__feed_layer_release(struct pz_feed_layer *layer);
// Position of the first id >= `message_id`.
size_t pz__feed_layer_find(const struct pz_feed_layer *layer, uint64_t message_id);

// ---- parts.c ---------------------------------------------------------------------------------

// All that stands between the active overlay and the base as of one fold number. Immutable, held
// by reference count: the writer makes a new one for each change, and a reader keeps the one that
// fits the base it sees.
struct pz__feed_layer_part {
    struct pz_feed_layer *layer;
    uint64_t folded_below; // counts of smaller ids are in the base
};
struct pz__feed_parts {
    _Atomic uint32_t refs;
    uint64_t fold_number;
    struct pz__feed_overlay *frozen; // or NULL
    struct pz__feed_place place;     // how much of `frozen` is in the base
    int64_t likes_in_base;           // of the message at `place`: likes of frozen already folded
    uint32_t layer_count;
    struct pz__feed_layer_part layers[];
};

// A copy with its own references and room for one layer more. The caller changes and publishes it.
struct pz__feed_parts *pz__feed_parts_copy(const struct pz__feed_parts *parts);
struct pz__feed_parts *pz__feed_parts_create(uint64_t fold_number);
void pz__feed_parts_acquire(struct pz__feed_parts *parts);
void pz__feed_parts_release(struct pz__feed_parts *parts); // NULL is ignored
void pz__feed_parts_drop_frozen(struct pz__feed_parts *parts);
void pz__feed_parts_drop_layer(struct pz__feed_parts *parts, uint32_t index);

// What is known of one message, gathered from the newest to the oldest: the first word on its
// presence stands, counters add up.
struct pz__feed_found {
    enum pz_feed_presence presence;   // ABSENT until something says otherwise
    const struct pz__feed_body *body; // PRESENT by an overlay; borrowed from it
    int64_t likes, views;
};
void pz__feed_look(const struct pz__feed_overlay *overlay, uint64_t message_id,
                   struct pz__feed_found *found);
void pz__feed_look_frozen(const struct pz__feed_parts *parts, uint64_t message_id,
                          struct pz__feed_found *found);
void pz__feed_look_layers(const struct pz__feed_parts *parts, uint64_t message_id,
                          struct pz__feed_found *found);
// The pair's sum in an overlay: +1 likes, -1 does not, 0 says nothing.
int32_t pz__feed_look_like(const struct pz__feed_overlay *overlay, uint64_t message_id,
                           uint32_t user);

// ---- sort.c ----------------------------------------------------------------------------------

// Items of an overlay in the order of a fold.
struct pz__feed_entry {
    uint64_t key;      // message id, or user
    uint32_t position; // of the message, or of the like
};
struct pz__feed_entries {
    struct pz__feed_entry *at;
    size_t count;
    size_t capacity;
};
void pz__feed_entries_fini(struct pz__feed_entries *entries);
// All messages of the overlay, by id.
PZ_MUST_USE enum pz_status pz__feed_sort_messages(const struct pz__feed_overlay *overlay,
                                                  struct pz__feed_entries *out,
                                                  struct pz_error *err);
// The pairs of one message whose sum is not 0, by user.
PZ_MUST_USE enum pz_status pz__feed_sort_pairs(const struct pz__feed_overlay *overlay,
                                               uint32_t message, struct pz__feed_entries *out,
                                               struct pz_error *err);
// First entry whose key is at least `key`.
size_t pz__feed_entries_find(const struct pz__feed_entries *entries, uint64_t key);

// ---- the feed --------------------------------------------------------------------------------

// The group being written; writer thread only.
struct pz__feed_group {
    struct pz_kv_txn *txn; // NULL = no group is open
    struct pz__feed_overlay *pending;
    struct pz__feed_undo *undos; // one for each row
    size_t undo_count;
    size_t undo_capacity;
    int64_t largest_before;       // largest message id before the group
    struct pz__feed_parts *parts; // with the group's layers; NULL = it has none
};

// The fold of `frozen`; writer thread only.
struct pz__feed_fold {
    struct pz__feed_entries messages; // of `frozen`, by id
    bool is_sorted;                   // false until the first slice
    struct pz__feed_entries pairs;    // of message `pairs_owner`, by user: kept between slices
    uint32_t pairs_owner;             // position, or PZ__FEED_NONE
    struct pz__feed_run keys;         // of the phase `keys_phase`, without deleted messages
    enum pz__feed_phase keys_phase;   // MESSAGES = no keys yet
    uint64_t left;                    // items of this phase that are not in the base yet
};

// The slice in the transaction that is not yet committed; writer thread only.
struct pz__feed_slice {
    bool is_open;
    bool is_layer;
    bool is_last;                  // of its fold or layer
    uint64_t left;                 // as pz__feed_fold's
    struct pz__feed_record record; // as the transaction has it
};

struct pz_feed {
    struct pz_kv_env *env;

    // Guards the six below, and the content of `active`, against readers. Only the writer changes
    // them, so the writer reads them without it.
    struct pz_mutex mutex;
    struct pz__feed_overlay *active;
    struct pz__feed_parts *parts;      // fit the base of the newest slice known to be committed
    struct pz__feed_parts *parts_next; // fit the base of the slice after it, or NULL
    // A large group that is visible and on its way into `active`, or NULL; its messages from the
    // position `joined` on are not there yet. Its bodies are those of `active`.
    const struct pz__feed_overlay *joining;
    uint32_t joined;

    _Atomic uint64_t unfolded;

    // Writer thread only.
    struct pz__feed_record record; // as committed
    int64_t largest_message_id;    // with the open group's
    struct pz__feed_group group;
    struct pz__feed_fold fold;
    struct pz__feed_slice slice;
    bool is_layer_next;                // frozen and layers take turns
    struct pz__feed_layer_mark *marks; // of layers that wait since before the start
    size_t mark_count;
};

// Makes `parts` the current ones (takes the reference over); what stood in for the next is dropped.
void pz__feed_publish(struct pz_feed *feed, struct pz__feed_parts *parts);
// Counts anew what pz_feed_unfolded answers.
void pz__feed_recount(struct pz_feed *feed);
void pz__feed_note_id(struct pz_feed *feed, const struct pz_feed_row *row);

// layer.c: a copy of `parts` with the layer, which it takes over.
struct pz__feed_parts *pz__feed_parts_with(const struct pz_feed *feed,
                                           const struct pz__feed_parts *parts,
                                           struct pz_feed_layer *layer);

// merge.c: makes the group visible: its pending rows, its layers, and whatever `publish` shows.
void pz__feed_merge(struct pz_feed *feed, void (*publish)(void *payload), void *payload);

// fold.c
void pz__feed_fold_fini(struct pz__feed_fold *fold);
// read.c: a read of the base and of the parts that fit it.
struct pz__feed_read {
    struct pz_feed *feed;
    struct pz_kv_txn *txn;
    uint64_t fold_number;            // of the base
    struct pz__feed_parts *parts;    // after pz__feed_read_lock
    struct pz__feed_overlay *active; // the same
    int attempt;
};
// Begins, or begins again after a failed lock: a transaction on the base.
PZ_MUST_USE enum pz_status pz__feed_read_begin(struct pz_feed *feed, struct pz__feed_read *read,
                                               struct pz_error *err);
// Takes the feed's mutex when the parts fit the transaction; the caller looks into `active` and
// unlocks. false, without the mutex, when the base has moved on: begin again.
bool pz__feed_read_lock(struct pz__feed_read *read);
void pz__feed_read_unlock(struct pz__feed_read *read);
// What the rows since the last fold began say of the message. With the mutex held.
void pz__feed_look_newest(const struct pz__feed_read *read, uint64_t message_id,
                          struct pz__feed_found *found);
void pz__feed_read_end(struct pz__feed_read *read);
// Writes a message for the caller: counters as found, the rest from the overlay's body or else from
// the base's row.
PZ_MUST_USE enum pz_status pz__feed_fill(struct pz__feed_found *found,
                                         const struct pz__feed_stored *stored,
                                         struct pz_arena *arena, struct pz_message *out,
                                         struct pz_error *err);

// orders.c: PZ_CORRUPT unless both orders hold each of the base's messages, so many, in its place.
PZ_MUST_USE enum pz_status pz__feed_check_orders(struct pz_kv_txn *txn, uint64_t message_count,
                                                 struct pz_error *err);

#endif
