// SPDX-License-Identifier: Apache-2.0
// Random histories of groups, undos, loads, folds and crashes, compared with a naive model.
#include "tests/unit/storage/feed/feed_world.h"

#include <stdlib.h>

// Few created_at, so that ids decide often; few users, so that each has many messages.
static void
random_row(struct world *world, struct pz_rng *rng)
{
    int64_t id = pz_rng_range(rng, 1, WORLD_ID_MAX);
    if (pz_rng_chance(rng, 0.3)) {
        id = pz_rng_range(rng, 1, 4); // some messages are hot
    }
    uint64_t kind = pz_rng_below(rng, 20);
    uint32_t user = (uint32_t)pz_rng_below(rng, 8);
    if (kind < 4) {
        uint32_t len = (uint32_t)pz_rng_below(rng, pz_rng_chance(rng, 0.1) ? 3000 : 60);
        user = user == 7 ? UINT32_MAX : user % 4;
        if (pz_rng_chance(rng, 0.3) && world->state->largest_id < WORLD_ID_MAX) {
            id = pz_feed_next_message_id(world->feed);
        }
        (void)world_post(world, id, user, pz_rng_range(rng, -50, 50), len);
    } else if (kind < 12) {
        (void)world_like(world, id, user, pz_rng_chance(rng, 0.6) ? 1 : -1);
    } else if (kind < 19) {
        world_view(world, id);
    } else {
        (void)world_delete(world, id);
    }
}

// So many likes of one message that they need several slices.
static void
burst(struct world *world, struct pz_rng *rng)
{
    int64_t id = pz_rng_range(rng, 1, WORLD_ID_MAX);
    int64_t delta = pz_rng_chance(rng, 0.7) ? 1 : -1;
    uint32_t end = (uint32_t)pz_rng_range(rng, 600, WORLD_USER_MAX);
    for (uint32_t user = 0; user < end; user++) {
        (void)world_like(world, id, user, delta);
    }
}

static void
random_group(struct world *world, struct pz_rng *rng)
{
    struct world_state *before = world_save(world);
    world_begin(world);
    uint64_t writes = pz_rng_below(rng, 6);
    for (uint64_t i = 0; i < writes; i++) {
        struct world_state *saved = world_save(world);
        struct pz_feed_mark mark = pz_feed_group_mark(world->feed);
        uint64_t rows = 1 + pz_rng_below(rng, 8);
        for (uint64_t row = 0; row < rows; row++) {
            random_row(world, rng);
        }
        if (pz_rng_chance(rng, 0.05)) {
            burst(world, rng);
        }
        if (pz_rng_chance(rng, 0.2)) {
            pz_feed_group_undo(world->feed, mark);
            world_restore(world, saved);
        }
        free(saved);
    }
    if (pz_rng_chance(rng, 0.1)) {
        world_abort(world, before);
    } else {
        world_commit(world);
    }
    free(before);
}

static void
random_step(struct world *world, struct pz_rng *rng)
{
    uint64_t step = pz_rng_below(rng, 100);
    uint32_t messages = 1 + (uint32_t)pz_rng_below(rng, 12);
    if (step < 50) {
        random_group(world, rng);
    } else if (step < 55) {
        world_fold_start(world);
    } else if (step < 82) {
        world_fold_slice(world, messages, WORLD_COMMITTED);
    } else if (step < 86) {
        world_fold_slice(world, messages, WORLD_ABORTED);
    } else if (step < 88) {
        // A commit of unknown outcome: reads go on, writing does not.
        world_fold_slice(world, messages, pz_rng_chance(rng, 0.5) ? WORLD_UNKNOWN : WORLD_ABORTED);
        world_check(world, rng);
        world_crash(world);
    } else if (step < 91) {
        world_load(world, rng);
    } else if (step < 98) {
        world_crash(world);
    } else {
        world_fold_all(world);
    }
}

static void
run_history(uint64_t seed, int steps, int check_every)
{
    struct pz_rng rng;
    pz_rng_init(&rng, seed);
    struct world world;
    world_open(&world);
    for (int i = 0; i < steps; i++) {
        random_step(&world, &rng);
        if (i % check_every == 0) {
            world_check(&world, &rng);
        }
    }
    world_fold_all(&world);
    world_check(&world, &rng);
    world_crash(&world);
    PZ_CHECK_EQ_U64(pz_feed_unfolded(world.feed), 0);
    world_check(&world, &rng);
    world_close(&world);
}

PZ_TEST(random_history_checked_at_each_step)
{
    run_history(pz_test_seed(), 400, 1);
}

PZ_TEST(random_history_of_another_seed)
{
    run_history(pz_test_seed() + 1000, 400, 1);
}

PZ_TEST(long_random_history)
{
    run_history(pz_test_seed() + 2000, 1500, 20);
}

PZ_TEST(empty_feed_answers)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    struct world world;
    world_open(&world);
    world_check(&world, &rng);
    PZ_CHECK_EQ_I64(pz_feed_next_message_id(world.feed), 1);
    PZ_CHECK(!pz_feed_is_folding(world.feed));
    world_fold_start(&world);
    PZ_CHECK(!pz_feed_is_folding(world.feed));
    world_fold_slice(&world, 10, WORLD_COMMITTED);
    world_crash(&world);
    world_check(&world, &rng);
    world_close(&world);
}

PZ_TEST(largest_id_survives_deletion_and_fold)
{
    struct world world;
    world_open(&world);
    world_begin(&world);
    PZ_CHECK(world_post(&world, 40, 1, 5, 3));
    PZ_CHECK(world_delete(&world, 40));
    PZ_CHECK(!world_post(&world, 40, 1, 5, 3));
    world_commit(&world);
    world_crash(&world);
    PZ_CHECK_EQ_I64(pz_feed_next_message_id(world.feed), 41);
    world_fold_all(&world);
    world_crash(&world);
    PZ_CHECK_EQ_I64(pz_feed_next_message_id(world.feed), 41);
    world_begin(&world);
    PZ_CHECK(!world_post(&world, 40, 1, 5, 3));
    world_commit(&world);
    world_close(&world);
}

PZ_TEST(rows_against_the_rules_are_refused_and_leave_no_trace)
{
    struct world world;
    world_open(&world);
    world_begin(&world);
    PZ_CHECK(world_like(&world, 1, 1, 1));
    struct pz_feed_row again = {.kind = PZ_FEED_LIKE, .message_id = 1, .user = 1, .delta = 1};
    PZ_CHECK_STATUS(pz_feed_group_apply(world.feed, &again, &world.err), PZ_CORRUPT, &world.err);
    again.user = 2;
    again.delta = 7;
    PZ_CHECK_STATUS(pz_feed_group_apply(world.feed, &again, &world.err), PZ_CORRUPT, &world.err);
    PZ_CHECK(world_post(&world, 1, 1, 5, 3));
    struct pz_feed_row post = {.kind = PZ_FEED_MESSAGE, .message_id = 1};
    PZ_CHECK_STATUS(pz_feed_group_apply(world.feed, &post, &world.err), PZ_CORRUPT, &world.err);
    world_commit(&world);
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    world_check(&world, &rng);
    world_close(&world);
}
