// SPDX-License-Identifier: Apache-2.0
// A feed over a throw-away environment, the log of rows it was given, and a naive model of what it
// must answer.
//
// The world plays the store's part: it writes groups, folds, loads segments, and after a crash
// gives back the rows from the watermarks on. Every decision of a group is asked of the feed and of
// the model, which must agree.
#ifndef PZ_TESTS_UNIT_STORAGE_FEED_FEED_WORLD_H
#define PZ_TESTS_UNIT_STORAGE_FEED_FEED_WORLD_H

#include "storage/feed/feed.h"
#include "tests/support/test.h"

#define WORLD_ID_MAX 96 // ids 1 .. this
#define WORLD_USER_MAX 2000

// What the feed should know of one message.
struct world_message {
    enum pz_feed_presence presence;
    uint32_t user;
    int64_t created_at;
    uint32_t body_len; // the text follows from id and length
    int64_t likes, views;
};

struct world_state {
    struct world_message messages[WORLD_ID_MAX + 1];
    bool is_liked[WORLD_ID_MAX + 1][WORLD_USER_MAX];
    int64_t largest_id;
    size_t row_counts[PZ_FEED_KIND_COUNT]; // of the log
};

struct world_layer {
    uint64_t segment_id;
    int64_t ids[WORLD_ID_MAX];
    uint32_t counts[WORLD_ID_MAX];
    size_t count;
};

struct world {
    const char *path; // of the environment
    struct pz_kv_env *env;
    struct pz_feed *feed;
    struct pz_kv_txn *txn; // of the open group
    struct world_state *state;
    struct pz_feed_row *rows[PZ_FEED_KIND_COUNT]; // bodies point into body_text
    size_t row_capacities[PZ_FEED_KIND_COUNT];
    struct world_layer *layers; // all that were ever committed
    size_t layer_count;
    struct pz_error err;
};

void world_open(struct world *world);
void world_close(struct world *world);
void world_crash(struct world *world); // and opens again and recovers

void world_begin(struct world *world);
void world_commit(struct world *world);
void world_abort(struct world *world, const struct world_state *before);
// Rows of the open group. Each returns whether the rules accepted it.
bool world_post(struct world *world, int64_t id, uint32_t user, int64_t created_at, uint32_t len);
bool world_like(struct world *world, int64_t id, uint32_t user, int64_t delta);
bool world_delete(struct world *world, int64_t id);
void world_view(struct world *world, int64_t id);

void world_load(struct world *world, struct pz_rng *rng);
void world_fold_start(struct world *world);
enum world_outcome { WORLD_COMMITTED, WORLD_ABORTED, WORLD_UNKNOWN };
void world_fold_slice(struct world *world, uint32_t messages, enum world_outcome outcome);
void world_fold_all(struct world *world);

// A copy of the model, for an undo. free() it.
struct world_state *world_save(const struct world *world);
void world_restore(struct world *world, const struct world_state *saved);

// Compares everything the feed answers with the model.
void world_check(struct world *world, struct pz_rng *rng);

#endif
