// SPDX-License-Identifier: Apache-2.0
// The stable order of rows by time.
//
// Rows arrive nearly in order. One pass takes those that are (each not before the last one taken);
// the late rest is radix-sorted, and the two are merged. So what is in order costs a comparison,
// and a little lateness costs little.
#include "storage/segment/segment_internal.h"

#include <stdlib.h>

#define DIGIT_BITS 11u
#define DIGITS (1u << DIGIT_BITS)

// A row and its key, biased so that unsigned order is time's order.
struct item {
    uint64_t key;
    uint32_t row;
};

struct sorter {
    const int64_t *times;
    uint32_t *in_order; // rows taken in order
    struct item *late, *spare;
    uint32_t in_order_count, late_count;
    uint32_t *nulls;
    uint32_t null_count;
};

static uint64_t
key_of(int64_t time)
{
    return (uint64_t)time ^ UINT64_C(1) << 63;
}

// The next digit from `*shift` on that is not the same in all items; false when there is none.
static bool
next_digit(uint64_t differing, unsigned *shift)
{
    while (*shift < 64 && (differing >> *shift & (DIGITS - 1)) == 0) {
        *shift += DIGIT_BITS;
    }
    return *shift < 64;
}

// Stable, least significant digit first; skips digits in which all agree.
static void
radix_sort(struct sorter *sorter)
{
    uint64_t differing = 0;
    for (uint32_t i = 1; i < sorter->late_count; i++) {
        differing |= sorter->late[i].key ^ sorter->late[0].key;
    }
    for (unsigned shift = 0; next_digit(differing, &shift); shift += DIGIT_BITS) {
        uint32_t starts[DIGITS] = {0};
        for (uint32_t i = 0; i < sorter->late_count; i++) {
            starts[sorter->late[i].key >> shift & (DIGITS - 1)]++;
        }
        uint32_t start = 0;
        for (uint32_t digit = 0; digit < DIGITS; digit++) {
            uint32_t count = starts[digit];
            starts[digit] = start;
            start += count;
        }
        for (uint32_t i = 0; i < sorter->late_count; i++) {
            struct item item = sorter->late[i];
            sorter->spare[starts[item.key >> shift & (DIGITS - 1)]++] = item;
        }
        struct item *sorted = sorter->spare;
        sorter->spare = sorter->late;
        sorter->late = sorted;
    }
}

static void
merge(const struct sorter *sorter, uint32_t *order)
{
    uint32_t late = 0;
    for (uint32_t i = 0; i < sorter->in_order_count; i++) {
        uint32_t row = sorter->in_order[i];
        uint64_t key = key_of(sorter->times[row]);
        while (late < sorter->late_count &&
               (sorter->late[late].key < key ||
                (sorter->late[late].key == key && sorter->late[late].row < row))) {
            *order++ = sorter->late[late++].row;
        }
        *order++ = row;
    }
    while (late < sorter->late_count) {
        *order++ = sorter->late[late++].row;
    }
    for (uint32_t i = 0; i < sorter->null_count; i++) {
        *order++ = sorter->nulls[i];
    }
}

static bool
is_sorted(const struct pz_column *time)
{
    bool seen_null = false;
    int64_t previous = INT64_MIN;
    for (size_t row = 0; row < time->row_count; row++) {
        if (pz_column_is_null(time, row)) {
            seen_null = true;
            continue;
        }
        if (seen_null || time->ints[row] < previous) {
            return false;
        }
        previous = time->ints[row];
    }
    return true;
}

static void
identity(uint32_t *order, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        order[i] = (uint32_t)i;
    }
}

// Counts the late rows first: the usual 1 % then needs little memory.
static uint32_t
count_late(const struct pz_column *time, uint32_t *null_count_out)
{
    uint32_t late = 0;
    int64_t previous = INT64_MIN;
    *null_count_out = 0;
    for (size_t row = 0; row < time->row_count; row++) {
        if (pz_column_is_null(time, row)) {
            (*null_count_out)++;
        } else if (time->ints[row] < previous) {
            late++;
        } else {
            previous = time->ints[row];
        }
    }
    return late;
}

static void
distribute(struct sorter *sorter, const struct pz_column *time)
{
    int64_t previous = INT64_MIN;
    sorter->late_count = 0;
    sorter->null_count = 0;
    for (uint32_t row = 0; row < time->row_count; row++) {
        int64_t value = time->ints[row];
        if (pz_column_is_null(time, row)) {
            sorter->nulls[sorter->null_count++] = row;
        } else if (value < previous) {
            sorter->late[sorter->late_count++] = (struct item){key_of(value), row};
        } else {
            sorter->in_order[sorter->in_order_count++] = row;
            previous = value;
        }
    }
}

enum pz_status
pz_segment_sort_order(const struct pz_batch *rows, uint32_t **order_out, bool *is_sorted_out,
                      struct pz_error *err)
{
    size_t count = rows->row_count;
    *order_out = NULL;
    PZ_ASSERT(count <= UINT32_MAX);
    uint32_t *order = malloc((count + 1) * sizeof(*order));
    if (order == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory to sort %zu rows", count);
    }
    uint32_t time_column = rows->def->time_column;
    *is_sorted_out = time_column == PZ_NO_COLUMN || is_sorted(&rows->columns[time_column]);
    if (*is_sorted_out) {
        identity(order, count);
        *order_out = order;
        return PZ_OK;
    }
    const struct pz_column *time = &rows->columns[time_column];
    struct sorter sorter = {.times = time->ints};
    uint32_t late = count_late(time, &sorter.null_count);
    sorter.in_order = malloc((count + 1) * sizeof(*sorter.in_order));
    sorter.nulls = malloc((size_t)(sorter.null_count + 1) * sizeof(*sorter.nulls));
    sorter.late = malloc((size_t)(late + 1) * sizeof(*sorter.late));
    sorter.spare = malloc((size_t)(late + 1) * sizeof(*sorter.spare));
    bool has_memory = sorter.in_order != NULL && sorter.nulls != NULL && sorter.late != NULL &&
                      sorter.spare != NULL;
    if (has_memory) {
        distribute(&sorter, time);
        radix_sort(&sorter);
        merge(&sorter, order);
    }
    free(sorter.in_order);
    free(sorter.nulls);
    free(sorter.late);
    free(sorter.spare);
    if (!has_memory) {
        free(order);
        return pz_fail(err, PZ_NO_MEMORY, "no memory to sort %zu rows", count);
    }
    *order_out = order;
    return PZ_OK;
}
