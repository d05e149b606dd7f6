// SPDX-License-Identifier: Apache-2.0
// Arenas and the budgets they draw on.
#include "base/arena.h"

#include "tests/support/test.h"

#include <stdint.h>

PZ_TEST(budget_holds_its_limit)
{
    struct pz_budget budget;
    pz_budget_init(&budget, 100);
    PZ_CHECK(pz_budget_take(&budget, 60));
    PZ_CHECK(!pz_budget_take(&budget, 41));
    PZ_CHECK(pz_budget_take(&budget, 40));
    pz_budget_give(&budget, 100);
    PZ_CHECK_EQ_U64(budget.used_bytes, 0);
    PZ_CHECK_EQ_U64(budget.peak_bytes, 100);
    PZ_CHECK(pz_budget_take(&budget, 1));
    PZ_CHECK(!pz_budget_take(&budget, SIZE_MAX));
}

PZ_TEST(budget_without_limit_counts)
{
    struct pz_budget budget;
    pz_budget_init(&budget, 0);
    PZ_CHECK(pz_budget_take(&budget, SIZE_MAX / 2));
    PZ_CHECK(!pz_budget_take(&budget, SIZE_MAX)); // the count itself would overflow
}

PZ_TEST(blocks_are_aligned_and_apart)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    struct pz_arena arena;
    pz_arena_init(&arena, NULL);
    enum { COUNT = 400 };
    unsigned char *blocks[COUNT];
    size_t sizes[COUNT];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < COUNT; i++) {
            sizes[i] = pz_rng_below(&rng, pz_rng_chance(&rng, 0.02) ? 100000 : 200);
            blocks[i] = pz_arena_alloc(&arena, sizes[i]);
            PZ_REQUIRE(blocks[i] != NULL);
            PZ_CHECK((uintptr_t)blocks[i] % 16 == 0);
            memset(blocks[i], i & 0xff, sizes[i]);
        }
        for (int i = 0; i < COUNT; i++) {
            bool is_whole = true;
            for (size_t j = 0; j < sizes[i]; j++) {
                is_whole &= blocks[i][j] == (i & 0xff);
            }
            PZ_CHECK_MSG(is_whole, "block %d of round %d keeps its bytes", i, round);
        }
        pz_arena_reset(&arena);
    }
    pz_arena_fini(&arena);
}

PZ_TEST(reset_keeps_at_most_one_chunk)
{
    struct pz_budget budget;
    pz_budget_init(&budget, 0);
    struct pz_arena arena;
    pz_arena_init(&arena, &budget);
    for (int i = 0; i < 1000; i++) {
        PZ_REQUIRE(pz_arena_alloc(&arena, 10000) != NULL);
    }
    PZ_CHECK(budget.used_bytes >= 10000000);
    pz_arena_reset(&arena);
    PZ_CHECK(budget.used_bytes <= (1u << 20) + 64);
    PZ_REQUIRE(pz_arena_alloc(&arena, 10) != NULL);
    pz_arena_fini(&arena);
    PZ_CHECK_EQ_U64(budget.used_bytes, 0);
}

PZ_TEST(reset_gives_a_huge_chunk_back)
{
    struct pz_budget budget;
    pz_budget_init(&budget, 0);
    struct pz_arena arena;
    pz_arena_init(&arena, &budget);
    PZ_REQUIRE(pz_arena_alloc(&arena, 50 << 20) != NULL);
    pz_arena_reset(&arena);
    PZ_CHECK_EQ_U64(budget.used_bytes, 0);
    PZ_CHECK(pz_arena_alloc(&arena, 8) != NULL);
    pz_arena_fini(&arena);
}

PZ_TEST(over_the_budget_is_null_and_harmless)
{
    struct pz_budget budget;
    pz_budget_init(&budget, 20000);
    struct pz_arena arena;
    pz_arena_init(&arena, &budget);
    PZ_CHECK(pz_arena_alloc(&arena, 8000) != NULL);
    PZ_CHECK(pz_arena_alloc(&arena, 100000) == NULL);
    PZ_CHECK(pz_arena_alloc(&arena, SIZE_MAX) == NULL);
    PZ_CHECK(pz_arena_alloc(&arena, SIZE_MAX - 40) == NULL);
    PZ_CHECK(pz_arena_alloc_array(&arena, SIZE_MAX / 2, 3) == NULL);
    PZ_CHECK(pz_arena_copy(&arena, (struct pz_str){"", 0}).data != NULL);
    PZ_CHECK(pz_arena_alloc(&arena, 100) != NULL);
    pz_arena_fini(&arena);
    PZ_CHECK_EQ_U64(budget.used_bytes, 0);
}

PZ_TEST(zeroed_and_copied_memory)
{
    struct pz_arena arena;
    pz_arena_init(&arena, NULL);
    static const char zeros[500];
    for (int i = 0; i < 50; i++) {
        char *block = pz_arena_alloc_zero(&arena, sizeof zeros);
        PZ_REQUIRE(block != NULL);
        PZ_CHECK_EQ_BYTES(block, zeros, sizeof zeros);
        memset(block, 0xee, sizeof zeros);
        if (i == 25) {
            pz_arena_reset(&arena);
        }
    }
    struct pz_str copy = pz_arena_copy(&arena, PZ_STR("a\0b"));
    PZ_CHECK_EQ_I64(copy.len, 3);
    PZ_CHECK_EQ_BYTES(copy.data, "a\0b", 4);
    PZ_CHECK_EQ_STR(pz_arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
    PZ_CHECK(pz_arena_alloc(&arena, 0) != NULL);
    pz_arena_fini(&arena);
    pz_arena_fini(&arena); // once more does nothing
}
