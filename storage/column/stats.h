// SPDX-License-Identifier: Apache-2.0
// What is known of rows without reading them: statistics of a column, and the days of a block.
#ifndef PZ_STORAGE_COLUMN_STATS_H
#define PZ_STORAGE_COLUMN_STATS_H

#include "base/num.h"

#include <stdbool.h>
#include <stdint.h>

// Statistics of some rows of one column. For PZ_LAYOUT_REAL columns min and max are in the
// `real_` members and there is no sum; strings have neither.
struct pz_stats {
    uint32_t row_count;
    uint32_t null_count;
    bool has_range; // min and max are set (some value is not NULL, and none is NaN)
    bool has_sum;   // integer layouts: sum of the values that are not NULL
    int64_t min, max;
    double real_min, real_max;
    pz_i128 sum;
};
// Rows of one block whose time column falls on one UTC day; runs of a block follow each other and
// cover all of its rows in order. Rows with NULL time form a last run with is_null_day.
struct pz_day_run {
    int64_t day; // days since 1970-01-01
    bool is_null_day;
    uint32_t row_first, row_count;
};
#endif
