// SPDX-License-Identifier: Apache-2.0
// Statistics of rows, and the runs of rows of one day.
#include "storage/segment/segment_internal.h"

#include <math.h>

#define DAY_US INT64_C(86400000000)

// -0 sorts below 0, so that the order of rows cannot show in a minimum or maximum.
static bool
real_less(double a, double b)
{
    return a < b || (a == b && signbit(a) > signbit(b));
}

static void
compute_reals(const struct pz_column *column, size_t first, uint32_t count, struct pz_stats *out)
{
    bool has_nan = false;
    bool has_value = false;
    for (size_t row = first; row < first + count; row++) {
        double value = column->reals[row];
        if (pz_column_is_null(column, row)) {
            continue;
        }
        if (isnan(value)) {
            has_nan = true;
        } else if (!has_value) {
            out->real_min = out->real_max = value;
            has_value = true;
        } else {
            out->real_min = real_less(value, out->real_min) ? value : out->real_min;
            out->real_max = real_less(out->real_max, value) ? value : out->real_max;
        }
    }
    out->has_range = has_value && !has_nan;
    if (!out->has_range) {
        out->real_min = out->real_max = 0;
    }
}

// One loop for each layout, and one without a look at NULLs: this runs over every value sealed.
#define COMPUTE_INTEGERS(name, member)                                             \
    static void name(const struct pz_column *column, size_t first, uint32_t count, \
                     struct pz_stats *out)                                         \
    {                                                                              \
        int64_t min = INT64_MAX;                                                   \
        int64_t max = INT64_MIN;                                                   \
        pz_i128 sum = 0;                                                           \
        for (size_t row = first; row < first + count; row++) {                     \
            int64_t value = column->member[row];                                   \
            if (out->null_count == 0 || pz_bit_get(column->valid, row)) {          \
                min = value < min ? value : min;                                   \
                max = value > max ? value : max;                                   \
                sum += value;                                                      \
            }                                                                      \
        }                                                                          \
        out->has_range = out->null_count < count;                                  \
        out->min = out->has_range ? min : 0;                                       \
        out->max = out->has_range ? max : 0;                                       \
        out->sum = sum;                                                            \
    }
COMPUTE_INTEGERS(compute_ints, ints)
COMPUTE_INTEGERS(compute_codes, codes)
COMPUTE_INTEGERS(compute_bytes, bytes)

static uint32_t
count_nulls(const struct pz_column *column, size_t first, uint32_t count)
{
    uint32_t nulls = 0;
    for (size_t row = first; column->valid != NULL && row < first + count; row++) {
        nulls += !pz_bit_get(column->valid, row);
    }
    return nulls;
}

void
pz__stats_compute(const struct pz_column *column, size_t first, uint32_t count,
                  struct pz_stats *out)
{
    *out = (struct pz_stats){.row_count = count, .null_count = count_nulls(column, first, count)};
    switch (pz_type_layout(column->type)) {
    case PZ_LAYOUT_BYTE:
        compute_bytes(column, first, count, out);
        out->has_sum = true;
        break;
    case PZ_LAYOUT_CODE:
        compute_codes(column, first, count, out);
        out->sum = 0; // of codes it would mean nothing
        break;
    case PZ_LAYOUT_INT:
        compute_ints(column, first, count, out);
        out->has_sum = true;
        break;
    case PZ_LAYOUT_REAL:
        compute_reals(column, first, count, out);
        break;
    case PZ_LAYOUT_STRING:
        break;
    }
}

// Whether some value among the rows is NaN: they have values, and no range.
static bool
has_nan(const struct pz_stats *stats)
{
    return !stats->has_range && stats->null_count < stats->row_count;
}

void
pz__stats_merge(enum pz_layout layout, struct pz_stats *into, const struct pz_stats *from)
{
    bool is_real = layout == PZ_LAYOUT_REAL;
    if (is_real && (has_nan(into) || has_nan(from))) {
        into->has_range = false;
        into->real_min = into->real_max = 0;
    } else if (from->has_range && !into->has_range) {
        into->has_range = true;
        into->min = from->min;
        into->max = from->max;
        into->real_min = from->real_min;
        into->real_max = from->real_max;
    } else if (from->has_range) {
        into->min = from->min < into->min ? from->min : into->min;
        into->max = from->max > into->max ? from->max : into->max;
        if (real_less(from->real_min, into->real_min)) {
            into->real_min = from->real_min;
        }
        if (real_less(into->real_max, from->real_max)) {
            into->real_max = from->real_max;
        }
    }
    into->sum += from->sum;
    into->row_count += from->row_count;
    into->null_count += from->null_count;
}

static int64_t
day_of(const struct pz_column *time, size_t row)
{
    int64_t value = time->ints[row];
    if (time->type == PZ_TYPE_DATE) {
        return value;
    }
    return value / DAY_US - (value % DAY_US < 0);
}

uint32_t
pz__stats_split_days(const struct pz_column *time, size_t first, uint32_t count,
                     struct pz_day_run *runs, uint32_t runs_max)
{
    uint32_t run_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_null = pz_column_is_null(time, first + i);
        int64_t day = is_null ? 0 : day_of(time, first + i);
        struct pz_day_run *last = run_count > 0 ? &runs[run_count - 1] : NULL;
        if (last != NULL && last->day == day && last->is_null_day == is_null) {
            last->row_count++;
            continue;
        }
        if (run_count == runs_max) {
            return 0;
        }
        runs[run_count++] =
            (struct pz_day_run){.day = day, .is_null_day = is_null, .row_first = i, .row_count = 1};
    }
    return run_count;
}
