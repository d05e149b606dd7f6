// SPDX-License-Identifier: Apache-2.0
// What a set of rows changes in the feed's state, in memory, keyed by message id.
//
// An overlay holds differences to whatever is older than it: sums for the counters, and for a pair
// of message and user the sum of its +1 and -1. As the rules let a like and its taking back only
// alternate, that sum is +1 (the pair likes now), -1 (it does not) or 0 (as before these rows).
//
// Three uses: `pending` (seen by the writer alone), `active` (changed by the writer under the
// feed's mutex, read by all under it; the writer reads it without), `frozen` (immutable). The
// bodies of messages lie in an arena and never move, so a reader that holds a reference to the
// overlay may follow a body after it let go of the mutex.
#ifndef PZ_STORAGE_FEED_OVERLAY_H
#define PZ_STORAGE_FEED_OVERLAY_H

#include "base/arena.h"
#include "storage/feed/feed.h"
#include "storage/feed/index.h"
#include "storage/feed/table.h"

#include <stdatomic.h>

// The row of a message.
struct pz__feed_body {
    int64_t created_at;
    double sentiment; // when has_sentiment
    uint32_t user;
    uint32_t len; // of text
    bool has_sentiment;
    char text[];
};

struct pz__feed_message {
    uint64_t message_id;
    int64_t likes, views;             // differences
    const struct pz__feed_body *body; // its row, when among the rows of this overlay
    uint32_t like_newest;             // head of the list of its pairs, or PZ__FEED_NONE
    bool is_deleted;
};

// A pair of message and user.
struct pz__feed_like {
    uint32_t message; // position
    uint32_t user;
    uint32_t like_next; // an older pair of the same message, or PZ__FEED_NONE
    int32_t net;        // -1, 0, +1
};

struct pz__feed_overlay {
    _Atomic uint32_t refs;
    uint64_t seed; // of the hashes: ids come from outside
    struct pz__feed_table messages;
    struct pz__feed_table likes;
    struct pz__feed_index order;   // messages with a body
    struct pz__feed_index by_user; // the same
    struct pz_arena bodies;
};

// With one reference. Ends the process when there is no memory.
struct pz__feed_overlay *pz__feed_overlay_create(void);
void pz__feed_overlay_acquire(struct pz__feed_overlay *overlay);
void pz__feed_overlay_release(struct pz__feed_overlay *overlay); // NULL is ignored
// Forgets all rows; for pending, which has no index by then.
void pz__feed_overlay_clear(struct pz__feed_overlay *overlay);

static inline struct pz__feed_message *
pz__feed_message_at(const struct pz__feed_overlay *overlay, uint32_t position)
{
    return (struct pz__feed_message *)overlay->messages.items + position;
}

static inline struct pz__feed_like *
pz__feed_like_at(const struct pz__feed_overlay *overlay, uint32_t position)
{
    return (struct pz__feed_like *)overlay->likes.items + position;
}

// Positions, or PZ__FEED_NONE.
uint32_t pz__feed_find_message(const struct pz__feed_overlay *overlay, uint64_t message_id);
uint32_t pz__feed_find_like(const struct pz__feed_overlay *overlay, uint32_t message,
                            uint32_t user);
// For what is not there; there must be room in the table.
uint32_t pz__feed_add_message(struct pz__feed_overlay *overlay, uint64_t message_id);
uint32_t pz__feed_add_like(struct pz__feed_overlay *overlay, uint32_t message, uint32_t user);

// Copies the row's values and text into the arena of bodies; NULL when there is no memory.
const struct pz__feed_body *pz__feed_body_create(struct pz__feed_overlay *overlay,
                                                 const struct pz_feed_row *row);
// The same from a body of another overlay.
const struct pz__feed_body *pz__feed_body_copy(struct pz__feed_overlay *overlay,
                                               const struct pz__feed_body *body);

// ---- apply.c ---------------------------------------------------------------------------------

// How to take one row back.
struct pz__feed_undo {
    uint32_t message; // positions
    uint32_t like;    // PZ__FEED_NONE when the row is no like
    enum pz_feed_kind kind;
    int32_t delta;
    bool was_deleted;
};

// What a row means: the only place that knows. For overlays that no other thread sees. *undo_out
// may be NULL. PZ_CORRUPT when the row contradicts the rows before it: the writer's rules let no
// such row pass. Nothing has changed after a failure.
PZ_MUST_USE enum pz_status pz__feed_apply(struct pz__feed_overlay *overlay,
                                          const struct pz_feed_row *row,
                                          struct pz__feed_undo *undo_out, struct pz_error *err);
// Rows are taken back newest first. Their items stay, without effect.
void pz__feed_apply_undo(struct pz__feed_overlay *overlay, const struct pz__feed_undo *undo);

#endif
