// SPDX-License-Identifier: Apache-2.0
// Making a scan: its conditions, the order of its blocks under a bound, the ranges of its columns.
#include "query/exec/scan_internal.h"

#include "base/clock.h"
#include "query/eval/fallible.h"

#include <stdlib.h>

static enum pz_status
fail_memory(const struct pz_scan *scan, struct pz_error *err)
{
    return pz_exec_fail_memory(scan->exec, "the scan", err);
}

// ---- making it -----------------------------------------------------------------------------

static uint32_t
count_conditions(const struct pz_expr *filter)
{
    if (filter == NULL) {
        return 0;
    }
    if (filter->kind != PZ_EXPR_AND) {
        return 1;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < filter->arg_count; i++) {
        count += count_conditions(filter->args[i]);
    }
    return count;
}

// Lists the conditions that have a zone, or those that have none.
static void
list_conditions(struct pz_scan *scan, const struct pz_expr *filter, bool with_zone)
{
    if (filter == NULL) {
        return;
    }
    if (filter->kind == PZ_EXPR_AND) {
        for (uint32_t i = 0; i < filter->arg_count; i++) {
            list_conditions(scan, filter->args[i], with_zone);
        }
        return;
    }
    struct pz_zone zone = pz_zone_of(scan->exec->session, filter);
    if ((zone.kind != PZ_ZONE_NONE) == with_zone) {
        PZ_ASSERT(!with_zone || !pz_expr_can_fail(filter));
        scan->conditions[scan->condition_count++] = (struct pz_scan_condition){filter, zone};
    }
}

enum pz_status
pz_scan_create(struct pz_exec *exec, const struct pz_plan *plan, struct pz_source *source_out,
               struct pz_error *err)
{
    struct pz_arena *arena = exec->session->arena;
    struct pz_scan *scan = pz_arena_alloc_zero(arena, sizeof(*scan));
    if (scan == NULL) {
        return pz_exec_fail_memory(exec, "the scan", err);
    }
    scan->exec = exec;
    scan->plan = plan;
    scan->stats = pz_exec_node(exec, plan);
    scan->day_output = PZ_NO_COLUMN;
    for (uint32_t i = 0; i < plan->column_count; i++) {
        if (pz__scan_column(plan, i) == PZ_SCAN_DAY) {
            scan->day_output = i;
        }
    }
    scan->conditions =
        pz_arena_alloc_array(arena, count_conditions(plan->filter), sizeof(*scan->conditions));
    if (scan->conditions == NULL) {
        return fail_memory(scan, err);
    }
    list_conditions(scan, plan->filter, true);
    list_conditions(scan, plan->filter, false);
    pz_version_rows(exec->session->version, plan->table, &scan->rows);
    *source_out = (struct pz_source){.payload = scan,
                                     .morsel_count = scan->rows.block_count,
                                     .open = pz__scan_open,
                                     .run = pz__scan_run,
                                     .close = pz__scan_close,
                                     .row_estimate = scan->rows.row_count,
                                     .has_filter = plan->filter != NULL,
                                     .is_scan = true};
    return PZ_OK;
}

bool
pz_scan_can_fail(const struct pz_source *source)
{
    const struct pz_scan *scan = source->payload;
    return scan->plan->filter != NULL && pz_expr_can_fail(scan->plan->filter);
}

uint32_t
pz_scan_table_column(const struct pz_source *source, uint32_t output)
{
    const struct pz_scan *scan = source->payload;
    return pz__scan_column(scan->plan, output);
}

// ---- bounds of sorts above -----------------------------------------------------------------

struct ranked_block {
    int64_t best; // smaller comes first
    uint32_t block;
};

static int
order_blocks(const void *a, const void *b)
{
    const struct ranked_block *x = a;
    const struct ranked_block *y = b;
    if (x->best != y->best) {
        return x->best < y->best ? -1 : 1;
    }
    return (x->block > y->block) - (x->block < y->block);
}

enum pz_status
pz_scan_use_bound(struct pz_source *source, struct pz_scan_bound *bound, struct pz_error *err)
{
    struct pz_scan *scan = source->payload;
    struct pz_arena *arena = scan->exec->session->arena;
    uint32_t count = scan->rows.block_count;
    uint32_t column = pz__scan_column(scan->plan, bound->output);
    struct ranked_block *blocks = pz_arena_alloc_array(arena, count, sizeof(*blocks));
    scan->order = pz_arena_alloc_array(arena, count, sizeof(*scan->order));
    if (blocks == NULL || scan->order == NULL) {
        return fail_memory(scan, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct pz_block block;
        pz_table_block(&scan->rows, i, &block);
        const struct pz_stats *stats =
            column == PZ_SCAN_DAY ? NULL : pz_block_stats(&block, column);
        blocks[i] = (struct ranked_block){INT64_MIN, i}; // nothing known: it may be the best
        if (stats != NULL && stats->has_range) {
            blocks[i].best = bound->is_descending ? ~stats->max : stats->min;
        }
    }
    qsort(blocks, count, sizeof *blocks, order_blocks);
    for (uint32_t i = 0; i < count; i++) {
        scan->order[i] = blocks[i].block;
    }
    scan->bound = bound;
    return PZ_OK;
}

void
pz_scan_tighten(struct pz_scan_bound *bound, int64_t value)
{
    int64_t old = atomic_load(&bound->value);
    while (!atomic_load(&bound->is_set) || (bound->is_descending ? value > old : value < old)) {
        if (atomic_compare_exchange_weak(&bound->value, &old, value)) {
            atomic_store(&bound->is_set, true);
            return;
        }
    }
}

// ---- ranges --------------------------------------------------------------------------------

struct range {
    bool is_set;
    int64_t low, high;
};

static void
widen(struct range *range, int64_t value)
{
    range->low = !range->is_set || value < range->low ? value : range->low;
    range->high = !range->is_set || value > range->high ? value : range->high;
    range->is_set = true;
}

static bool
widen_by_rows(struct range *range, const struct pz_block *block, uint32_t column,
              struct pz_page_scratch *scratch)
{
    struct pz_slice slice;
    if (pz_block_read(block, column, scratch, &slice, NULL) != PZ_OK) {
        return false;
    }
    enum pz_layout layout = pz_type_layout(slice.type);
    for (uint32_t i = 0; i < slice.row_count; i++) {
        if (!pz_slice_is_null(&slice, i)) {
            widen(range, layout == PZ_LAYOUT_CODE ? (int64_t)((const uint32_t *)slice.data)[i]
                                                  : ((const int64_t *)slice.data)[i]);
        }
    }
    return true;
}

static bool
widen_by_block(struct range *range, const struct pz_block *block, uint32_t column,
               struct pz_page_scratch *scratch)
{
    const struct pz_stats *stats = pz_block_stats(block, column);
    if (stats == NULL) {
        return widen_by_rows(range, block, column, scratch);
    }
    if (stats->has_range) {
        widen(range, stats->min);
        widen(range, stats->max);
        return true;
    }
    return stats->null_count == stats->row_count;
}

bool
pz_scan_range(struct pz_source *source, uint32_t output, int64_t *low_out, int64_t *high_out)
{
    const struct pz_scan *scan = source->payload;
    uint32_t column = pz__scan_column(scan->plan, output);
    bool is_day = column == PZ_SCAN_DAY;
    column = is_day ? scan->plan->table->time_column : column;
    struct range range = {0};
    struct pz_page_scratch *scratch = pz_page_scratch_create();
    bool is_known = true;
    for (uint32_t i = 0; i < scan->rows.block_count && is_known; i++) {
        struct pz_block block;
        pz_table_block(&scan->rows, i, &block);
        is_known = widen_by_block(&range, &block, column, scratch);
    }
    pz_page_scratch_destroy(scratch);
    if (!is_known || !range.is_set) {
        return false;
    }
    *low_out = is_day ? pz_floor_div(range.low, PZ_US_PER_DAY) : range.low;
    *high_out = is_day ? pz_floor_div(range.high, PZ_US_PER_DAY) : range.high;
    return true;
}
