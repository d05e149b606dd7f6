// SPDX-License-Identifier: Apache-2.0
// Statistics of rows and their splitting into days.
#include "storage/segment/segment_internal.h"
#include "tests/support/test.h"

#include <math.h>

#define DAY INT64_C(86400000000)

static void
compute_reals(const double *values, uint32_t count, struct pz_stats *out)
{
    struct pz_column column = {
        .type = PZ_TYPE_DOUBLE, .row_count = count, .data = (void *)(uintptr_t)values};
    pz__stats_compute(&column, 0, count, out);
}

PZ_TEST(sums_do_not_overflow)
{
    int64_t values[] = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MIN};
    struct pz_column column = {.type = PZ_TYPE_BIGINT, .row_count = 4, .ints = values};
    struct pz_stats stats;
    pz__stats_compute(&column, 0, 4, &stats);
    PZ_CHECK(stats.has_sum && stats.has_range);
    PZ_CHECK(stats.sum == (pz_i128)INT64_MAX * 3 + INT64_MIN);
    PZ_CHECK_EQ_I64(stats.min, INT64_MIN);
    PZ_CHECK_EQ_I64(stats.max, INT64_MAX);
}

PZ_TEST(nulls_count_for_nothing)
{
    int64_t values[] = {-100, 5, 100, 7};
    uint64_t valid = 0xa; // rows 1 and 3
    struct pz_column column = {
        .type = PZ_TYPE_BIGINT, .row_count = 4, .valid = &valid, .ints = values};
    struct pz_stats stats;
    pz__stats_compute(&column, 0, 4, &stats);
    PZ_CHECK_EQ_U64(stats.null_count, 2);
    PZ_CHECK_EQ_I64(stats.min, 5);
    PZ_CHECK_EQ_I64(stats.max, 7);
    PZ_CHECK(stats.sum == 12);
    pz__stats_compute(&column, 2, 1, &stats);
    PZ_CHECK(!stats.has_range && stats.has_sum && stats.sum == 0);
}

PZ_TEST(doubles_have_a_range_only_without_nan)
{
    struct pz_stats stats;
    struct pz_stats other;
    compute_reals((double[]){1.5, -2.5, INFINITY}, 3, &stats);
    PZ_CHECK(stats.has_range && !stats.has_sum);
    PZ_CHECK_EQ_DOUBLE(stats.real_min, -2.5);
    PZ_CHECK_EQ_DOUBLE(stats.real_max, INFINITY);
    compute_reals((double[]){1.5, NAN}, 2, &other);
    PZ_CHECK(!other.has_range);
    pz__stats_merge(PZ_LAYOUT_REAL, &stats, &other);
    PZ_CHECK(!stats.has_range);
    PZ_CHECK_EQ_U64(stats.row_count, 5);
}

PZ_TEST(zeros_sort_by_sign_in_any_order)
{
    struct pz_stats stats;
    compute_reals((double[]){0.0, -0.0}, 2, &stats);
    PZ_CHECK(signbit(stats.real_min) && !signbit(stats.real_max));
    compute_reals((double[]){-0.0, 0.0}, 2, &stats);
    PZ_CHECK(signbit(stats.real_min) && !signbit(stats.real_max));
}

PZ_TEST(merging_parts_equals_the_whole)
{
    struct pz_rng rng;
    int64_t values[500];
    uint64_t valid[8];
    pz_rng_init(&rng, pz_test_seed());
    for (size_t i = 0; i < 500; i++) {
        values[i] = (int64_t)pz_rng_u64(&rng);
    }
    for (size_t i = 0; i < 8; i++) {
        valid[i] = pz_rng_u64(&rng) & pz_rng_u64(&rng);
    }
    struct pz_column column = {
        .type = PZ_TYPE_BIGINT, .row_count = 500, .valid = valid, .ints = values};
    struct pz_stats whole;
    struct pz_stats sum;
    pz__stats_compute(&column, 0, 500, &whole);
    pz__stats_compute(&column, 0, 1, &sum);
    for (size_t first = 1; first < 500;) {
        uint32_t count = (uint32_t)pz_rng_range(&rng, 1, 500 - (int64_t)first);
        struct pz_stats part;
        pz__stats_compute(&column, first, count, &part);
        pz__stats_merge(PZ_LAYOUT_INT, &sum, &part);
        first += count;
    }
    PZ_CHECK(sum.sum == whole.sum && sum.min == whole.min && sum.max == whole.max);
    PZ_CHECK_EQ_U64(sum.null_count, whole.null_count);
    PZ_CHECK_EQ_U64(sum.row_count, whole.row_count);
}

PZ_TEST(days_split_at_midnight_also_before_1970)
{
    int64_t times[] = {-DAY - 1, -DAY, -1, 0, DAY - 1, DAY, 7 * DAY, 0, 0};
    uint64_t valid = 0x7f; // the last two are NULL
    struct pz_column column = {
        .type = PZ_TYPE_TIMESTAMP, .row_count = 9, .valid = &valid, .ints = times};
    struct pz_day_run runs[8];
    uint32_t count = pz__stats_split_days(&column, 0, 9, runs, 8);
    static const int64_t days[] = {-2, -1, 0, 1, 7, 0};
    static const uint32_t rows[] = {1, 2, 2, 1, 1, 2};
    PZ_REQUIRE(count == 6);
    uint32_t first = 0;
    for (uint32_t i = 0; i < 6; i++) {
        PZ_CHECK_EQ_I64(runs[i].day, days[i]);
        PZ_CHECK_EQ_U64(runs[i].row_first, first);
        PZ_CHECK_EQ_U64(runs[i].row_count, rows[i]);
        PZ_CHECK(runs[i].is_null_day == (i == 5));
        first += rows[i];
    }
    PZ_CHECK_EQ_U64(pz__stats_split_days(&column, 0, 9, runs, 5), 0);
    column.type = PZ_TYPE_DATE;
    PZ_CHECK_EQ_U64(pz__stats_split_days(&column, 0, 3, runs, 8), 3);
    PZ_CHECK_EQ_I64(runs[0].day, -DAY - 1);
}
