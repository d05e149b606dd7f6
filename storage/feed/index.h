// SPDX-License-Identifier: Apache-2.0
// The new messages of an overlay in the order of the feed, or by user and then in that order.
//
// A few sorted runs, each more than twice as long as the one after it: a batch of new keys is
// sorted and merged with the shorter runs, so an insert costs O(log n) sequential steps on average
// whatever the order of arrival, and a page is a merge of at most 32 runs read from their ends.
// Runs never change once made. A change is prepared beside the index and then put in its place, so
// that the lock under which readers look is held for the exchange alone.
#ifndef PZ_STORAGE_FEED_INDEX_H
#define PZ_STORAGE_FEED_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pz__feed_key {
    int64_t created_at;
    uint64_t message_id; // ids compare as unsigned numbers throughout the feed
    uint32_t user;
    uint32_t message; // position in the overlay's messages
};

struct pz__feed_run {
    struct pz__feed_key *keys; // rising
    size_t count;
};

// Position of the first key that is not below `bound`.
size_t pz__feed_run_find(bool is_by_user, const struct pz__feed_run *run,
                         const struct pz__feed_key *bound);

#define PZ__FEED_RUN_MAX 33 // lengths more than double from the last to the first
struct pz__feed_index {
    bool is_by_user; // order by (user, created_at, message_id), else by (created_at, message_id)
    uint32_t run_count;
    struct pz__feed_run runs[PZ__FEED_RUN_MAX];
};

void pz__feed_index_fini(struct pz__feed_index *index);

// <0, 0, >0 in the order of the index.
int pz__feed_key_compare(bool is_by_user, const struct pz__feed_key *a,
                         const struct pz__feed_key *b);

// What `index` becomes with the keys added, in any order; it shares runs with `index` until
// pz__feed_index_exchange. Ends the process when there is no memory: the keys are committed rows.
void pz__feed_index_prepare(const struct pz__feed_index *index, const struct pz__feed_key *keys,
                            size_t count, struct pz__feed_index *next_out);
// Puts `next` in place of *index. *index_old receives what it was, for pz__feed_index_retire.
void pz__feed_index_exchange(struct pz__feed_index *index, const struct pz__feed_index *next,
                             struct pz__feed_index *index_old);
// Frees the runs of `old` that `next` does not share.
void pz__feed_index_retire(struct pz__feed_index *old, const struct pz__feed_index *next);

// All keys of the index in one rising run. free() its keys.
struct pz__feed_run pz__feed_index_flatten(const struct pz__feed_index *index);

// A walk from the newest key below `bound` downwards.
struct pz__feed_walk {
    const struct pz__feed_index *index;
    uint32_t user;                 // of a walk by user
    size_t left[PZ__FEED_RUN_MAX]; // keys of each run still ahead
};
// bound NULL = from the newest on. `user` counts in an index by user only.
void pz__feed_walk_init(struct pz__feed_walk *walk, const struct pz__feed_index *index,
                        uint32_t user, const struct pz__feed_key *bound);
// The next key, or NULL at the end.
const struct pz__feed_key *pz__feed_walk_next(struct pz__feed_walk *walk);

#endif
