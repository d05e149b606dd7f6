// SPDX-License-Identifier: Apache-2.0
// Groupers: equal keys get equal numbers, and the keys come back.
#include "query/exec/group.h"

#include "tests/support/test.h"

#include <math.h>

#define ROWS 1000u

// Three keys of different kinds, with NULLs, few enough values to meet again.
struct keys {
    int64_t ints[ROWS];
    double reals[ROWS];
    struct pz_str texts[ROWS];
    char bytes[ROWS][8];
    uint64_t valid[3][PZ_BIT_WORDS(ROWS)];
    struct pz_vector vectors[3];
};

static void
fill_keys(struct keys *keys, struct pz_rng *rng, uint64_t values)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        uint64_t text = pz_rng_below(rng, values);
        keys->ints[i] = (int64_t)pz_rng_below(rng, values) - 3;
        keys->reals[i] = pz_rng_chance(rng, 0.1) ? (pz_rng_chance(rng, 0.5) ? NAN : -0.0)
                                                 : (double)pz_rng_below(rng, values) / 2;
        keys->bytes[i][0] = 'a';
        keys->bytes[i][1] = (char)('0' + text % 10);
        keys->texts[i] = (struct pz_str){keys->bytes[i], text % 3 == 0 ? 1 : 2};
        for (int k = 0; k < 3; k++) {
            pz_bit_set(keys->valid[k], i);
            if (pz_rng_chance(rng, 0.1)) {
                pz_bit_clear(keys->valid[k], i);
            }
        }
    }
    keys->vectors[0] =
        (struct pz_vector){.type = PZ_TYPE_BIGINT, .data = keys->ints, .valid = keys->valid[0]};
    keys->vectors[1] =
        (struct pz_vector){.type = PZ_TYPE_DOUBLE, .data = keys->reals, .valid = keys->valid[1]};
    keys->vectors[2] =
        (struct pz_vector){.type = PZ_TYPE_TEXT, .data = keys->texts, .valid = keys->valid[2]};
}

static bool
same_value(const struct pz_vector *vector, uint32_t a, const struct pz_vector *other, uint32_t b)
{
    bool null_a = pz_vector_is_null(vector, a);
    if (null_a || pz_vector_is_null(other, b)) {
        return null_a == pz_vector_is_null(other, b);
    }
    if (vector->type == PZ_TYPE_TEXT) {
        return pz_str_equal(pz_vector_str(vector, a), pz_vector_str(other, b));
    }
    if (vector->type == PZ_TYPE_DOUBLE) {
        double x = pz_vector_real(vector, a);
        double y = pz_vector_real(other, b);
        return x == y || (isnan(x) && isnan(y));
    }
    return pz_vector_int(vector, a) == pz_vector_int(other, b);
}

static bool
same_row(const struct pz_vector *keys, uint32_t a, uint32_t b)
{
    for (int k = 0; k < 3; k++) {
        if (!same_value(&keys[k], a, &keys[k], b)) {
            return false;
        }
    }
    return true;
}

static void
check_keys_come_back(const struct pz_hash *hash, const struct keys *keys, const uint32_t *groups)
{
    static uint64_t room[3][ROWS * 2];
    static uint64_t valid[3][PZ_BIT_WORDS(ROWS)];
    for (uint32_t k = 0; k < 3; k++) {
        struct pz_vector out = {.type = keys->vectors[k].type, .data = room[k], .valid = valid[k]};
        pz_hash_key_values(hash, k, groups, ROWS, &out);
        for (uint32_t i = 0; i < ROWS; i++) {
            PZ_CHECK(same_value(&out, i, &keys->vectors[k], i));
        }
    }
}

PZ_TEST(equal_keys_get_equal_groups)
{
    static struct keys keys;
    static uint32_t groups[ROWS];
    enum pz_type types[3] = {PZ_TYPE_BIGINT, PZ_TYPE_DOUBLE, PZ_TYPE_TEXT};
    struct pz_rng rng;
    struct pz_budget budget;
    struct pz_arena arena;
    struct pz_hash hash;
    pz_rng_init(&rng, pz_test_seed());
    pz_budget_init(&budget, 0);
    pz_arena_init(&arena, &budget);
    for (uint64_t values = 1; values <= 8; values++) {
        PZ_REQUIRE(pz_hash_init(&hash, &budget, &arena, types, NULL, 3, ROWS));
        fill_keys(&keys, &rng, values);
        struct pz_rows rows = {ROWS, ROWS, NULL};
        PZ_REQUIRE(pz_hash_find(&hash, keys.vectors, &rows, groups));
        for (uint32_t i = 0; i < ROWS; i++) {
            uint32_t other = (uint32_t)pz_rng_below(&rng, ROWS);
            PZ_CHECK_EQ_I64(groups[i] == groups[other], same_row(keys.vectors, i, other));
        }
        check_keys_come_back(&hash, &keys, groups);
        pz_hash_fini(&hash);
    }
    pz_arena_fini(&arena);
    PZ_CHECK_EQ_U64(atomic_load(&budget.used_bytes), 0);
}

PZ_TEST(a_hash_table_grows_and_keeps_its_groups)
{
    static int64_t values[ROWS];
    static uint32_t groups[ROWS];
    enum pz_type type = PZ_TYPE_BIGINT;
    struct pz_budget budget;
    struct pz_arena arena;
    struct pz_hash hash;
    pz_budget_init(&budget, 0);
    pz_arena_init(&arena, &budget);
    PZ_REQUIRE(pz_hash_init(&hash, &budget, &arena, &type, NULL, 1, ROWS));
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t first = 0; first < 200000; first += ROWS) {
            for (uint32_t i = 0; i < ROWS; i++) {
                values[i] = (first + i) * 4096; // only high bits differ
            }
            struct pz_vector key = {.type = type, .data = values};
            struct pz_rows rows = {ROWS, ROWS, NULL};
            PZ_REQUIRE(pz_hash_find(&hash, &key, &rows, groups));
            for (uint32_t i = 0; i < ROWS; i++) {
                PZ_REQUIRE(groups[i] == (uint32_t)first + i);
            }
        }
    }
    PZ_CHECK_EQ_U64(hash.group_count, 200000);
    pz_hash_fini(&hash);
    pz_arena_fini(&arena);
}

PZ_TEST(a_small_budget_ends_growth_without_harm)
{
    static int64_t values[ROWS];
    static uint32_t groups[ROWS];
    enum pz_type type = PZ_TYPE_BIGINT;
    struct pz_budget budget;
    struct pz_arena arena;
    struct pz_hash hash;
    pz_budget_init(&budget, 1u << 20);
    pz_arena_init(&arena, &budget);
    PZ_REQUIRE(pz_hash_init(&hash, &budget, &arena, &type, NULL, 1, ROWS));
    bool goes_on = true;
    for (int64_t first = 0; first < 200000 && goes_on; first += ROWS) {
        for (uint32_t i = 0; i < ROWS; i++) {
            values[i] = first + i;
        }
        struct pz_vector key = {.type = type, .data = values};
        struct pz_rows rows = {ROWS, ROWS, NULL};
        goes_on = pz_hash_find(&hash, &key, &rows, groups);
    }
    PZ_CHECK(!goes_on);
    pz_hash_fini(&hash);
    pz_arena_fini(&arena);
    PZ_CHECK_EQ_U64(atomic_load(&budget.used_bytes), 0);
}

// Numbers of a layout of two integer keys and a symbol.
PZ_TEST(dense_numbers_and_their_keys_are_one_to_one)
{
    struct pz_dense_key layout[3] = {
        {.type = PZ_TYPE_BIGINT, .low = -5, .scale = 1, .width = 11},
        {.type = PZ_TYPE_TIMESTAMP, .low = 100, .scale = 50, .width = 4},
        {.type = PZ_TYPE_SYMBOL, .low = 0, .scale = 1, .width = 7},
    };
    struct pz_dense dense = {.key_count = 3, .keys = layout};
    PZ_REQUIRE(pz_dense_layout(&dense, 1000));
    PZ_CHECK_EQ_U64(dense.slot_count, 12 * 5 * 8);
    PZ_CHECK(!pz_dense_layout(&dense, 400));
    PZ_REQUIRE(pz_dense_layout(&dense, 1000));
    int64_t a[480];
    int64_t b[480];
    uint32_t c[480];
    uint64_t valid[3][8] = {{0}};
    for (uint32_t i = 0; i < 480; i++) {
        a[i] = (int64_t)(i / 40) - 5;
        b[i] = 100 + 50 * (i / 8 % 5);
        c[i] = i % 8;
        pz_bit_set(valid[0], i);
        pz_bit_set(valid[1], i);
        pz_bit_set(valid[2], i);
        i / 40 == 11 ? pz_bit_clear(valid[0], i) : (void)0;
        i / 8 % 5 == 4 ? pz_bit_clear(valid[1], i) : (void)0;
        i % 8 == 7 ? pz_bit_clear(valid[2], i) : (void)0;
    }
    struct pz_vector keys[3] = {{.type = PZ_TYPE_BIGINT, .data = a, .valid = valid[0]},
                                {.type = PZ_TYPE_TIMESTAMP, .data = b, .valid = valid[1]},
                                {.type = PZ_TYPE_SYMBOL, .data = c, .valid = valid[2]}};
    struct pz_rows rows = {480, 480, NULL};
    uint32_t room[480];
    uint64_t packed[480];
    const uint32_t *groups;
    uint32_t all;
    PZ_REQUIRE(pz_dense_find(&dense, keys, &rows, room, &groups, &all));
    PZ_REQUIRE(pz_dense_pack(&dense, keys, &rows, packed));
    for (uint32_t i = 0; i < 480; i++) {
        PZ_CHECK_EQ_U64(groups[i], i);
        PZ_CHECK_EQ_U64(packed[i], i);
    }
    uint64_t out_room[480];
    uint64_t out_valid[8];
    struct pz_vector out = {.type = PZ_TYPE_TIMESTAMP, .data = out_room, .valid = out_valid};
    pz_dense_key_values(&dense, 1, packed, 480, &out);
    for (uint32_t i = 0; i < 480; i++) {
        PZ_CHECK_EQ_I64(pz_vector_is_null(&out, i), i / 8 % 5 == 4);
        PZ_CHECK(pz_vector_is_null(&out, i) || pz_vector_int(&out, i) == b[i]);
    }
    b[9] = 125; // between two steps
    pz_bit_set(valid[1], 9);
    PZ_CHECK(!pz_dense_find(&dense, keys, &rows, room, &groups, &all));
    b[9] = 5000;
    PZ_CHECK(!pz_dense_find(&dense, keys, &rows, room, &groups, &all));
}
