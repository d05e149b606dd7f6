// SPDX-License-Identifier: Apache-2.0
// The fold in detail: a hot message spread over slices, crashes between any two of them, in each of
// the fold's phases, layers taking turns with the rest, damaged records.
#include "tests/unit/storage/feed/feed_world.h"

#include "base/num.h"

// Posts, and far more likes of one message than a slice takes.
static void
fill(struct world *world)
{
    world_begin(world);
    for (int64_t id = 1; id <= 20; id++) {
        PZ_CHECK(world_post(world, id, (uint32_t)(id % 3), id * 7 % 20 * 10, 30));
        world_view(world, id);
    }
    PZ_CHECK(world_delete(world, 11));
    for (uint32_t user = 0; user < 1900; user++) {
        PZ_CHECK(world_like(world, 7, user, 1));
    }
    world_commit(world);
}

// Crashes after `crash_after` slices, goes on with new rows, and folds the rest.
static int
fold_with_crash(int crash_after)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    struct world world;
    world_open(&world);
    fill(&world);
    world_fold_start(&world);
    int slices = 0;
    while (pz_feed_is_folding(world.feed)) {
        // Large ones until the likes are in, then a few items at a time.
        world_fold_slice(&world, pz_feed_unfolded(world.feed) > 140 ? 60 : 3, WORLD_COMMITTED);
        slices++;
        if (slices == crash_after) {
            world_begin(&world);
            PZ_CHECK(world_like(&world, 7, 100, -1));
            PZ_CHECK(world_like(&world, 7, 1899, -1));
            PZ_CHECK(world_like(&world, 8, 3, 1));
            PZ_CHECK(world_delete(&world, 7));
            PZ_CHECK(world_delete(&world, 20));
            PZ_CHECK(world_post(&world, 21, 2, 55, 10));
            world_commit(&world);
            world_crash(&world);
        }
        world_check(&world, &rng);
    }
    world_fold_all(&world);
    world_check(&world, &rng);
    world_close(&world);
    return slices;
}

PZ_TEST(crash_between_any_two_slices)
{
    int slices = fold_with_crash(0);
    PZ_CHECK_MSG(slices > 25, "%d slices", slices);
    for (int i = 1; i <= slices; i++) {
        (void)fold_with_crash(i);
    }
}

PZ_TEST(second_crash_within_the_same_fold)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    struct world world;
    world_open(&world);
    fill(&world);
    world_fold_start(&world);
    for (int i = 0; i < 12; i++) {
        world_fold_slice(&world, 2, WORLD_COMMITTED);
        world_crash(&world);
        world_check(&world, &rng);
        world_begin(&world);
        (void)world_like(&world, 7, 1000, i % 2 == 0 ? -1 : 1);
        world_view(&world, 3);
        world_commit(&world);
    }
    world_fold_all(&world);
    world_check(&world, &rng);
    world_close(&world);
}

PZ_TEST(layers_and_frozen_take_turns)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    struct world world;
    world_open(&world);
    fill(&world);
    world_load(&world, &rng);
    world_load(&world, &rng);
    world_load(&world, &rng);
    world_fold_start(&world);
    for (int i = 0; pz_feed_is_folding(world.feed); i++) {
        world_fold_slice(&world, 5, WORLD_COMMITTED);
        world_check(&world, &rng);
        if (i % 4 == 3) {
            world_crash(&world);
            world_check(&world, &rng);
        }
    }
    PZ_CHECK_EQ_U64(pz_feed_unfolded(world.feed), 0);
    world_close(&world);
}

PZ_TEST(layer_of_negative_ids)
{
    struct world world;
    world_open(&world);
    int64_t *ids = pz_xmalloc(3 * sizeof *ids);
    uint32_t *counts = pz_xmalloc(3 * sizeof *counts);
    memcpy(ids, (int64_t[]){-5, -1, 3}, 3 * sizeof *ids);
    memcpy(counts, (uint32_t[]){10, 20, 30}, 3 * sizeof *counts);
    struct pz_feed_layer *layer = pz_feed_layer_create(1, ids, counts, 3);
    PZ_REQUIRE_OK(pz_kv_begin_write(world.env, &world.txn, &world.err), &world.err);
    pz_feed_group_begin(world.feed, world.txn);
    PZ_REQUIRE_OK(pz_feed_layer_record(layer, world.txn, &world.err), &world.err);
    PZ_REQUIRE_OK(pz_kv_commit(world.txn, &world.err), &world.err);
    pz_feed_group_add_layer(world.feed, layer);
    pz_feed_group_commit(world.feed, NULL, NULL);
    world.state->messages[3].views = 30;
    PZ_CHECK_EQ_U64(pz_feed_unfolded(world.feed), 3);
    for (int i = 0; i < 3; i++) {
        world_fold_slice(&world, 1, WORLD_COMMITTED);
    }
    PZ_CHECK(!pz_feed_is_folding(world.feed));
    world_begin(&world);
    PZ_CHECK(world_post(&world, 3, 1, 1, 1));
    world_commit(&world);
    struct pz_arena arena;
    pz_arena_init(&arena, NULL);
    struct pz_message message;
    PZ_CHECK_OK(pz_feed_read_message(world.feed, 3, &arena, &message, &world.err), &world.err);
    PZ_CHECK_EQ_I64(message.views, 30);
    pz_arena_fini(&arena);
    world_close(&world);
}

PZ_TEST(watermarks_advance_without_rows)
{
    struct world world;
    world_open(&world);
    // Rows that are in the log but not of the feed's making, as those of a loaded segment.
    uint64_t ends[PZ_FEED_KIND_COUNT] = {0, 0, 500, 0};
    pz_feed_fold_start(world.feed, ends);
    PZ_CHECK(pz_feed_is_folding(world.feed));
    world_fold_slice(&world, 1, WORLD_COMMITTED);
    PZ_CHECK(!pz_feed_is_folding(world.feed));
    PZ_CHECK_EQ_U64(pz_feed_folded(world.feed, PZ_FEED_VIEW), 500);
    PZ_CHECK_EQ_U64(pz_feed_folded(world.feed, PZ_FEED_LIKE), 0);
    world_close(&world);
}

static void
put(struct world *world, enum pz_kv_db db, const void *key, size_t key_len, const void *value,
    size_t value_len)
{
    PZ_REQUIRE_OK(pz_kv_begin_write(world->env, &world->txn, &world->err), &world->err);
    PZ_REQUIRE_OK(pz_kv_put(world->txn, db, PZ_KV_PUT, (struct pz_bytes){key, key_len},
                            (struct pz_bytes){value, value_len}, &world->err),
                  &world->err);
    PZ_REQUIRE_OK(pz_kv_commit(world->txn, &world->err), &world->err);
}

PZ_TEST(values_of_unknown_form_are_reported)
{
    struct world world;
    world_open(&world);
    uint8_t key[9] = {0, 0, 0, 0, 0, 0, 0, 9, 0};
    uint8_t order_key[16];
    pz_store_be64(order_key, UINT64_C(1) << 63);
    pz_store_be64(order_key + 8, 9);
    put(&world, PZ_KV_FEED, key, sizeof key, "\x07", 1);
    put(&world, PZ_KV_FEED_ORDER, order_key, sizeof order_key, NULL, 0);
    struct pz_arena arena;
    pz_arena_init(&arena, NULL);
    struct pz_message message;
    PZ_CHECK_STATUS(pz_feed_read_message(world.feed, 9, &arena, &message, &world.err), PZ_CORRUPT,
                    &world.err);
    struct pz_feed_query query = {.limit = 5};
    struct pz_feed_page page;
    PZ_CHECK_STATUS(pz_feed_read_page(world.feed, &query, &arena, &page, &world.err), PZ_CORRUPT,
                    &world.err);
    put(&world, PZ_KV_META, "feed/state", 10, "short", 5);
    PZ_CHECK_STATUS(pz_feed_read_message(world.feed, 1, &arena, &message, &world.err), PZ_CORRUPT,
                    &world.err);
    struct pz_feed *feed = NULL;
    PZ_CHECK_STATUS(pz_feed_open(world.env, &feed, &world.err), PZ_CORRUPT, &world.err);
    PZ_CHECK(feed == NULL);
    pz_arena_fini(&arena);
    world_close(&world);
}

static enum pz_status
count_state(void *payload, const struct pz_feed_state *state, struct pz_error *err)
{
    (void)err;
    *(int *)payload += state->presence == PZ_FEED_PRESENT;
    return PZ_OK;
}

static void
remove_key(struct world *world, enum pz_kv_db db, const void *key, size_t key_len)
{
    PZ_REQUIRE_OK(pz_kv_begin_write(world->env, &world->txn, &world->err), &world->err);
    PZ_REQUIRE_OK(pz_kv_delete(world->txn, db, key, key_len, &world->err), &world->err);
    PZ_REQUIRE_OK(pz_kv_commit(world->txn, &world->err), &world->err);
}

static void
check_orders(struct world *world, enum pz_status wanted, const char *part)
{
    int count = 0;
    PZ_CHECK_STATUS(pz_feed_each(world->feed, NULL, count_state, &count, &world->err), wanted,
                    &world->err);
    PZ_CHECK_EQ_I64(count, 3);
    if (wanted != PZ_OK) {
        PZ_CHECK_CONTAINS(world->err.message, part);
    }
}

PZ_TEST(an_order_that_is_not_of_the_messages_is_reported)
{
    struct world world;
    uint8_t key[20]; // of message 2: by user 7, at time 200; without the user, in the order of all
    uint8_t wrong[20];
    world_open(&world);
    world_begin(&world);
    for (int64_t id = 1; id <= 3; id++) {
        PZ_CHECK(world_post(&world, id, 7, id * 100, 10));
    }
    world_commit(&world);
    check_orders(&world, PZ_OK, ""); // nothing is folded
    world_fold_all(&world);
    check_orders(&world, PZ_OK, "");
    pz_store_be32(key, 7);
    pz_store_be64(key + 4, UINT64_C(200) ^ UINT64_C(1) << 63);
    pz_store_be64(key + 12, 2);
    memcpy(wrong, key, sizeof key);
    wrong[11]++; // another time
    remove_key(&world, PZ_KV_FEED_ORDER, key + 4, 16);
    check_orders(&world, PZ_CORRUPT, "order has 2 of 3 messages");
    put(&world, PZ_KV_FEED_ORDER, wrong + 4, 16, NULL, 0);
    check_orders(&world, PZ_CORRUPT, "message 2: the feed's order has it in a wrong place");
    remove_key(&world, PZ_KV_FEED_ORDER, wrong + 4, 16);
    put(&world, PZ_KV_FEED_ORDER, key + 4, 16, NULL, 0);
    check_orders(&world, PZ_OK, "");
    remove_key(&world, PZ_KV_FEED_BY_USER, key, 20);
    check_orders(&world, PZ_CORRUPT, "order by user has 2 of 3 messages");
    wrong[11]--;
    wrong[3]++; // another user
    put(&world, PZ_KV_FEED_BY_USER, wrong, 20, NULL, 0);
    check_orders(&world, PZ_CORRUPT, "message 2: the feed's order by user has it in a wrong place");
    world_close(&world);
}
