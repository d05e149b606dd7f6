// SPDX-License-Identifier: Apache-2.0
// Batches of keys in any order come out of a walk in the order of the feed.
#include "storage/feed/index.h"

#include "base/arena.h"
#include "tests/support/test.h"

#include <stdlib.h>

static bool by_user;

static int
newest_first(const void *a, const void *b)
{
    return -pz__feed_key_compare(by_user, a, b);
}

static void
add(struct pz__feed_index *index, const struct pz__feed_key *keys, size_t count)
{
    struct pz__feed_index next;
    struct pz__feed_index old;
    pz__feed_index_prepare(index, keys, count, &next);
    pz__feed_index_exchange(index, &next, &old);
    pz__feed_index_retire(&old, &next);
}

// Compares a walk from `bound` (position in `keys`, sorted newest first) with the keys themselves.
static void
check_walk(const struct pz__feed_index *index, const struct pz__feed_key *keys, size_t count,
           size_t bound)
{
    uint32_t user = bound < count ? keys[bound].user : 0;
    struct pz__feed_walk walk;
    pz__feed_walk_init(&walk, index, user, bound < count ? &keys[bound] : NULL);
    size_t i = bound < count ? bound + 1 : 0;
    for (; i < count; i++) {
        if (by_user && keys[i].user > user) {
            continue;
        }
        if (by_user && keys[i].user < user) {
            break;
        }
        const struct pz__feed_key *key = pz__feed_walk_next(&walk);
        PZ_REQUIRE(key != NULL);
        PZ_REQUIRE(key->message == keys[i].message);
    }
    PZ_CHECK(pz__feed_walk_next(&walk) == NULL);
}

static void
run(bool is_by_user, bool is_rising)
{
    by_user = is_by_user;
    enum { COUNT = 5000 };
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    struct pz__feed_key *keys = pz_xmalloc(COUNT * sizeof *keys);
    struct pz__feed_index index = {.is_by_user = is_by_user};
    size_t count = 0;
    while (count < COUNT) {
        size_t batch = pz_rng_below(&rng, pz_rng_chance(&rng, 0.1) ? 500 : 5);
        batch = batch < COUNT - count ? batch : COUNT - count;
        for (size_t i = 0; i < batch; i++) {
            keys[count + i] = (struct pz__feed_key){
                .created_at = is_rising ? (int64_t)(count + i) : pz_rng_range(&rng, -99, 99),
                .message_id = count + i,
                .user = (uint32_t)pz_rng_below(&rng, 7),
                .message = (uint32_t)(count + i)};
        }
        add(&index, keys + count, batch);
        count += batch;
        PZ_CHECK(index.run_count <= 14);
    }
    qsort(keys, count, sizeof *keys, newest_first);
    check_walk(&index, keys, count, count);
    for (int i = 0; i < 40; i++) {
        check_walk(&index, keys, count, pz_rng_below(&rng, count));
    }
    pz__feed_index_fini(&index);
    free(keys);
}

PZ_TEST(random_order)
{
    run(false, false);
}

PZ_TEST(rising_order)
{
    run(false, true);
}

PZ_TEST(random_order_by_user)
{
    run(true, false);
}

PZ_TEST(empty_index)
{
    struct pz__feed_index index = {.is_by_user = true};
    struct pz__feed_walk walk;
    pz__feed_walk_init(&walk, &index, 3, NULL);
    PZ_CHECK(pz__feed_walk_next(&walk) == NULL);
    add(&index, NULL, 0);
    PZ_CHECK_EQ_U64(index.run_count, 0);
    pz__feed_index_fini(&index);
}
