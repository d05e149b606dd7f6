// SPDX-License-Identifier: Apache-2.0
// The order of rows by time: stable, NULLs last, whatever order they came in.
#include "storage/segment/segment.h"
#include "tests/support/test.h"

#include <stdlib.h>

static struct pz_column_def time_def = {.name = "at", .type = PZ_TYPE_TIMESTAMP};
static const struct pz_table_def def = {
    .id = 100, .name = "t", .time_column = 0, .column_count = 1, .columns = &time_def};

static int64_t
make_time(unsigned shape, struct pz_rng *rng, uint32_t i)
{
    switch (shape) {
    case 0: // in order
        return i;
    case 1: // backwards
        return -(int64_t)i;
    case 2: // any
        return (int64_t)pz_rng_u64(rng);
    case 3: // few distinct: stability shows
        return pz_rng_range(rng, -2, 2);
    case 4: // in order, some late
        return 1000 * (int64_t)i - (pz_rng_chance(rng, 0.01) ? pz_rng_range(rng, 0, 5000000) : 0);
    case 5: // one from the far future first
        return i == 0 ? INT64_MAX : i;
    default: // both ends
        return i % 2 == 0 ? INT64_MIN : INT64_MAX;
    }
}

static bool
is_before(const struct pz_column *time, uint32_t a, uint32_t b)
{
    bool a_null = pz_column_is_null(time, a);
    bool b_null = pz_column_is_null(time, b);
    if (a_null || b_null) {
        return a_null != b_null ? b_null : a < b;
    }
    return time->ints[a] != time->ints[b] ? time->ints[a] < time->ints[b] : a < b;
}

static void
check_order(unsigned shape, uint32_t rows, double null_share)
{
    struct pz_rng rng;
    struct pz_error err;
    struct pz_batch batch;
    uint32_t *order;
    bool is_sorted;
    pz_rng_init(&rng, pz_test_seed() + shape);
    PZ_REQUIRE_OK(pz_batch_init(&batch, &def, &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(&batch, rows, &err), &err);
    for (uint32_t i = 0; i < rows; i++) {
        if (pz_rng_chance(&rng, null_share)) {
            pz_column_append_null(&batch.columns[0]);
        } else {
            pz_column_append_int(&batch.columns[0], make_time(shape, &rng, i));
        }
        PZ_REQUIRE_OK(pz_batch_end_row(&batch, false, 0, &err), &err);
    }
    PZ_REQUIRE_OK(pz_segment_sort_order(&batch, &order, &is_sorted, &err), &err);
    bool is_right = true;
    bool is_identity = true;
    bool *seen = calloc(rows, sizeof(*seen));
    for (uint32_t i = 0; i < rows; i++) {
        is_right = is_right && order[i] < rows && !seen[order[i]];
        is_right = is_right && (i == 0 || is_before(&batch.columns[0], order[i - 1], order[i]));
        is_identity = is_identity && order[i] == i;
        seen[order[i]] = true;
    }
    PZ_CHECK_MSG(is_right, "shape %u, %u rows, %g NULL", shape, rows, null_share);
    PZ_CHECK_MSG(is_sorted == is_identity, "shape %u, %u rows, %g NULL", shape, rows, null_share);
    free(seen);
    free(order);
    pz_batch_fini(&batch);
}

PZ_TEST(orders_are_stable_with_nulls_last)
{
    for (unsigned shape = 0; shape < 7; shape++) {
        check_order(shape, 1, 0);
        check_order(shape, 2, 0.5);
        check_order(shape, 1000, 0);
        check_order(shape, 20000, 0.05);
        check_order(shape, 3000, 1);
    }
}

PZ_TEST(a_table_without_time_keeps_its_order)
{
    struct pz_table_def timeless = def;
    struct pz_error err;
    struct pz_batch batch;
    uint32_t *order;
    bool is_sorted;
    timeless.time_column = PZ_NO_COLUMN;
    PZ_REQUIRE_OK(pz_batch_init(&batch, &timeless, &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(&batch, 2, &err), &err);
    for (int64_t i = 0; i < 2; i++) {
        pz_column_append_int(&batch.columns[0], -i);
        PZ_REQUIRE_OK(pz_batch_end_row(&batch, false, 0, &err), &err);
    }
    PZ_REQUIRE_OK(pz_segment_sort_order(&batch, &order, &is_sorted, &err), &err);
    PZ_CHECK(is_sorted && order[0] == 0 && order[1] == 1);
    free(order);
    pz_batch_fini(&batch);
}
