// SPDX-License-Identifier: Apache-2.0
// Zone maps: an answer of "no row" or "all rows" must be true of every set of values.
#include "query/exec/zone.h"

#include "tests/support/test.h"

static struct pz_stats
stats_of(const int64_t *values, const bool *is_null, uint32_t count)
{
    struct pz_stats stats = {.row_count = count};
    for (uint32_t i = 0; i < count; i++) {
        if (is_null[i]) {
            stats.null_count++;
            continue;
        }
        stats.min = !stats.has_range || values[i] < stats.min ? values[i] : stats.min;
        stats.max = !stats.has_range || values[i] > stats.max ? values[i] : stats.max;
        stats.has_range = true;
    }
    return stats;
}

static bool
is_true(const struct pz_zone *zone, int64_t value, bool is_null)
{
    switch (zone->kind) {
    case PZ_ZONE_IS_NULL:
        return is_null;
    case PZ_ZONE_NOT_NULL:
        return !is_null;
    default:
        return !is_null && value >= zone->low && value <= zone->high;
    }
}

PZ_TEST(answers_hold_for_every_row)
{
    static const enum pz_zone_kind kinds[] = {PZ_ZONE_INT, PZ_ZONE_IS_NULL, PZ_ZONE_NOT_NULL};
    struct pz_rng rng;
    uint32_t decided = 0;
    pz_rng_init(&rng, pz_test_seed());
    for (int round = 0; round < 20000; round++) {
        int64_t values[4];
        bool is_null[4];
        uint32_t count = 1 + (uint32_t)pz_rng_below(&rng, 4);
        double null_chance = (double)pz_rng_below(&rng, 3) / 2;
        for (uint32_t i = 0; i < count; i++) {
            values[i] = pz_rng_range(&rng, -4, 4);
            is_null[i] = pz_rng_chance(&rng, null_chance);
        }
        struct pz_zone zone = {.kind = kinds[pz_rng_below(&rng, 3)], .is_exact = true};
        zone.low = pz_rng_range(&rng, -5, 5);
        zone.high = zone.low + pz_rng_range(&rng, 0, 6);
        struct pz_stats stats = stats_of(values, is_null, count);
        enum pz_zone_answer answer = pz_zone_ask(&zone, &stats);
        decided += answer != PZ_ZONE_SOME_ROWS;
        for (uint32_t i = 0; i < count; i++) {
            bool holds = is_true(&zone, values[i], is_null[i]);
            PZ_CHECK(answer != PZ_ZONE_NO_ROW || !holds);
            PZ_CHECK(answer != PZ_ZONE_ALL_ROWS || holds);
        }
    }
    PZ_CHECK(decided > 5000);
}

PZ_TEST(without_statistics_nothing_is_known)
{
    struct pz_zone zone = {.kind = PZ_ZONE_INT, .low = 1, .high = 2, .is_exact = true};
    struct pz_stats no_range = {.row_count = 5, .null_count = 1};
    PZ_CHECK_EQ_I64(pz_zone_ask(&zone, NULL), PZ_ZONE_SOME_ROWS);
    PZ_CHECK_EQ_I64(pz_zone_ask(&zone, &no_range), PZ_ZONE_SOME_ROWS);
    zone.kind = PZ_ZONE_NEVER;
    PZ_CHECK_EQ_I64(pz_zone_ask(&zone, NULL), PZ_ZONE_NO_ROW);
}
