// SPDX-License-Identifier: Apache-2.0
// States of aggregates: exact sums and means against wider arithmetic, in any order and division.
#include "query/exec/agg.h"
#include "query/exec/real_sum.h"

#include "tests/support/test.h"

#include <math.h>

__extension__ typedef __float128 quad;

PZ_TEST(the_mean_of_integers_is_rounded_once)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 200000; i++) {
        // Sums of up to 53 + 57 bits: the quotient of two quads (113 bits) is then right to far
        // more than the 53 bits of a double, and rounding it once more gives the right double
        // unless it lies almost on a half.
        int64_t high = (int64_t)(pz_rng_u64(&rng) >> pz_rng_below(&rng, 64));
        pz_i128 sum = (pz_i128)high * ((pz_i128)1 << pz_rng_below(&rng, 40));
        uint64_t count = 1 + (pz_rng_u64(&rng) >> (1 + pz_rng_below(&rng, 62)));
        sum = pz_rng_chance(&rng, 0.5) ? -sum : sum;
        double got = pz_mean_of_int(sum, count);
        double expected = (double)((quad)sum / (quad)count);
        if (got != expected) {
            PZ_CHECK_EQ_DOUBLE(got, expected);
            return;
        }
    }
    PZ_CHECK_EQ_DOUBLE(pz_mean_of_int(0, 7), 0.0);
    PZ_CHECK_EQ_DOUBLE(pz_mean_of_int(7, 2), 3.5);
    PZ_CHECK_EQ_DOUBLE(pz_mean_of_int(-1, 3), -1.0 / 3.0);
    // 2^53 + 1 and 2^53 + 3 lie halfway between doubles: to the even one.
    PZ_CHECK_EQ_DOUBLE(pz_mean_of_int(((pz_i128)1 << 53) + 1, 1), 0x1p53);
    PZ_CHECK_EQ_DOUBLE(pz_mean_of_int(((pz_i128)1 << 53) + 3, 1), 0x1p53 + 4);
    // A hair above the half: up.
    PZ_CHECK_EQ_DOUBLE(pz_mean_of_int((((pz_i128)1 << 53) + 1) * 1000 + 1, 1000), 0x1p53 + 2);
    pz_i128 most = (pz_i128)(((pz_u128)1 << 127) - 1);
    PZ_CHECK_EQ_DOUBLE(pz_mean_of_int(most, 1), 0x1p127);
    PZ_CHECK_EQ_DOUBLE(pz_mean_of_int(-most - 1, UINT64_MAX), -0x1p63);
}

static double
random_value(struct pz_rng *rng, int kind)
{
    switch (kind) {
    case 0:
        return (double)pz_rng_range(rng, -1000, 1000) / 100.0;
    case 1:
        return pz_rng_any_double(rng);
    default: // cancels again and again
        return ldexp(pz_rng_chance(rng, 0.5) ? 1.0 : -1.0, (int)pz_rng_below(rng, 200) - 100);
    }
}

PZ_TEST(small_sums_of_doubles_are_exact)
{
    struct pz_rng rng;
    struct pz_arena arena;
    pz_rng_init(&rng, pz_test_seed());
    pz_arena_init(&arena, NULL);
    for (int round = 0; round < 3000; round++) {
        struct pz_real_sum sums[3] = {0};
        struct pz_exact_sum exact = {0};
        uint64_t count = pz_rng_below(&rng, 40);
        for (uint64_t i = 0; i < count; i++) {
            double value = random_value(&rng, round % 3);
            pz_exact_sum_add(&exact, value);
            PZ_REQUIRE(pz_real_sum_add(&sums[pz_rng_below(&rng, 3)], value, &arena));
        }
        PZ_REQUIRE(pz_real_sum_merge(&sums[0], &sums[1], &arena));
        PZ_REQUIRE(pz_real_sum_merge(&sums[0], &sums[2], &arena));
        PZ_CHECK_EQ_DOUBLE(pz_real_sum_round(&sums[0]), pz_exact_sum_round(&exact));
        pz_arena_reset(&arena);
    }
    struct pz_real_sum sum = {0};
    PZ_REQUIRE(pz_real_sum_add(&sum, 0x1.fffffffffffffp1023, &arena));
    PZ_REQUIRE(pz_real_sum_add(&sum, 0x1.fffffffffffffp1023, &arena));
    PZ_REQUIRE(pz_real_sum_add(&sum, -0x1.fffffffffffffp1023, &arena));
    PZ_CHECK_EQ_DOUBLE(pz_real_sum_round(&sum), 0x1.fffffffffffffp1023);
    PZ_REQUIRE(pz_real_sum_add(&sum, NAN, &arena));
    PZ_CHECK(isnan(pz_real_sum_round(&sum)));
    pz_arena_fini(&arena);
}

// Sums of integers that leave 64 bits on the way, spread over groups and tables.
struct sums {
    struct pz_budget budget;
    struct pz_session session;
    struct pz_arena arena;
    struct pz_agg_spec specs[2];
    struct pz_agg_table table;
};

static void
sums_init(struct sums *s, uint32_t groups)
{
    *s = (struct sums){0};
    pz_budget_init(&s->budget, 0);
    s->session.budget = &s->budget;
    pz_arena_init(&s->arena, &s->budget);
    s->specs[0] = (struct pz_agg_spec){.kind = PZ_AGG_SUM_INT, .arg_type = PZ_TYPE_BIGINT};
    s->specs[1] = (struct pz_agg_spec){.kind = PZ_AGG_MEAN_INT, .arg_type = PZ_TYPE_BIGINT};
    PZ_REQUIRE(pz_agg_init(&s->table, &s->session, &s->arena, s->specs, 2));
    PZ_REQUIRE(pz_agg_reserve(&s->table, groups));
}

static void
sums_fini(struct sums *s)
{
    pz_agg_fini(&s->table);
    pz_arena_fini(&s->arena);
    PZ_CHECK_EQ_U64(atomic_load(&s->budget.used_bytes), 0);
}

static void
add_vector(struct sums *s, const int64_t *values, const uint32_t *groups, uint32_t count)
{
    struct pz_vector arg = {.type = PZ_TYPE_BIGINT, .data = values};
    struct pz_rows rows = {count, count, NULL};
    struct pz_agg_groups list = {groups, 0};
    pz_agg_count_rows(&s->table, &list, count);
    PZ_REQUIRE(pz_agg_update(&s->table, 0, &list, &arg, &rows));
    PZ_REQUIRE(pz_agg_update(&s->table, 1, &list, &arg, &rows));
}

static void
check_sums(struct sums *s, const pz_i128 *expected, const uint64_t *counts, uint32_t group_count)
{
    for (uint32_t group = 0; group < group_count; group++) {
        int64_t sum;
        double mean;
        uint64_t valid[2] = {0, 0};
        struct pz_vector sum_out = {.type = PZ_TYPE_BIGINT, .data = &sum, .valid = &valid[0]};
        struct pz_vector mean_out = {.type = PZ_TYPE_DOUBLE, .data = &mean, .valid = &valid[1]};
        struct pz_error err = {0};
        enum pz_status status = pz_agg_finish(&s->table, 0, &group, 1, &sum_out, &err);
        bool fits = expected[group] == (int64_t)expected[group];
        PZ_CHECK_EQ_I64(status, fits ? PZ_OK : PZ_INVALID);
        if (status == PZ_OK && counts[group] > 0) {
            PZ_CHECK_EQ_I64(sum, (int64_t)expected[group]);
        } else if (status != PZ_OK) {
            PZ_CHECK_EQ_STR(err.sqlstate, "22003");
        }
        PZ_CHECK_EQ_I64(pz_agg_finish(&s->table, 1, &group, 1, &mean_out, &err), PZ_OK);
        if (counts[group] > 0) {
            PZ_CHECK_EQ_DOUBLE(mean, pz_mean_of_int(expected[group], counts[group]));
        }
    }
}

static void
run_sums(uint32_t group_count, uint64_t seed)
{
    struct pz_rng rng;
    struct sums parts[2];
    pz_i128 expected[200] = {0};
    uint64_t counts[200] = {0};
    pz_rng_init(&rng, seed);
    sums_init(&parts[0], group_count);
    sums_init(&parts[1], group_count);
    for (int round = 0; round < 40; round++) {
        int64_t values[700];
        uint32_t groups[700];
        uint32_t count = 1 + (uint32_t)pz_rng_below(&rng, 700);
        for (uint32_t i = 0; i < count; i++) {
            values[i] = (int64_t)(pz_rng_u64(&rng) >> pz_rng_below(&rng, 40));
            values[i] = pz_rng_chance(&rng, 0.5) ? -values[i] : values[i];
            groups[i] = (uint32_t)pz_rng_below(&rng, group_count);
            expected[groups[i]] += values[i];
            counts[groups[i]]++;
        }
        add_vector(&parts[round % 2], values, group_count == 1 ? NULL : groups, count);
    }
    PZ_REQUIRE(pz_agg_merge(&parts[0].table, NULL, &parts[1].table, NULL, 0, group_count));
    check_sums(&parts[0], expected, counts, group_count);
    sums_fini(&parts[0]);
    sums_fini(&parts[1]);
}

PZ_TEST(sums_of_integers_are_exact_beyond_64_bits)
{
    for (uint64_t i = 0; i < 20; i++) {
        run_sums(1, pz_test_seed() + i);   // one group
        run_sums(3, pz_test_seed() + i);   // counters in banks
        run_sums(200, pz_test_seed() + i); // one counter a group
    }
}
