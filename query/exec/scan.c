// SPDX-License-Identifier: Apache-2.0
// The scan.
#include "query/exec/scan_internal.h"

#include "base/clock.h"

// One output column while a block is scanned.
struct scan_column {
    struct pz_page_scratch *scratch;
    struct pz_slice slice;
    bool is_read;    // in this block
    uint64_t *valid; // shifted validity of the window
    int64_t *days;   // the day output, when it is not constant
};

struct scan_worker {
    struct pz_scan *scan;
    struct pz_block block;
    uint32_t block_index;
    struct scan_column *columns;
    struct pz_vector *vectors; // the window
    struct scan_column time;   // of the day output, in blocks without runs
    struct pz_program **programs;
    bool *is_open; // per condition: still to be looked at, in this block or run
    uint16_t *rows[2];
    uint32_t window_row; // of the portion being pushed
    bool has_day;        // the day is constant here
    bool is_null_day;
    int64_t day;
    uint64_t null_bits;
    uint64_t rows_scanned;
};

static enum pz_status
fail_memory(const struct pz_scan *scan, struct pz_error *err)
{
    return pz_exec_fail_memory(scan->exec, "the scan", err);
}

// ---- workers -------------------------------------------------------------------------------

static bool
open_column(struct pz_worker *worker, struct scan_column *column, bool is_day)
{
    uint32_t rows = worker->exec->session->vector_rows;
    column->valid = pz_arena_alloc(worker->arena, PZ_BIT_WORDS(rows) * sizeof(uint64_t));
    if (is_day) {
        column->days = pz_arena_alloc_array(worker->arena, rows, sizeof(int64_t));
        return column->valid != NULL && column->days != NULL;
    }
    return column->valid != NULL;
}

static enum pz_status
open_conditions(struct pz_worker *worker, struct scan_worker *state, struct pz_error *err)
{
    const struct pz_scan *scan = state->scan;
    struct pz_exec *exec = scan->exec;
    for (uint32_t i = 0; i < scan->condition_count; i++) {
        struct pz_expr *expr = (struct pz_expr *)(uintptr_t)scan->conditions[i].expr; // only read
        PZ_TRY(pz_program_create(exec->session, &exec->maps, worker->arena, &expr, 1,
                                 &state->programs[i], err));
    }
    return PZ_OK;
}

enum pz_status
pz__scan_open(struct pz_source *source, struct pz_worker *worker, struct pz_error *err)
{
    struct pz_scan *scan = source->payload;
    struct pz_arena *arena = worker->arena;
    uint32_t columns = scan->plan->column_count;
    uint32_t vector_rows = scan->exec->session->vector_rows;
    struct scan_worker *state = pz_arena_alloc_zero(arena, sizeof(*state));
    if (state == NULL) {
        return fail_memory(scan, err);
    }
    state->scan = scan;
    state->columns = pz_arena_alloc_zero(arena, columns * sizeof(*state->columns));
    state->vectors = pz_arena_alloc_zero(arena, columns * sizeof(*state->vectors));
    state->programs =
        pz_arena_alloc_array(arena, scan->condition_count, sizeof(struct pz_program *));
    state->is_open = pz_arena_alloc(arena, scan->condition_count);
    state->rows[0] = pz_arena_alloc_array(arena, vector_rows, sizeof(uint16_t));
    state->rows[1] = pz_arena_alloc_array(arena, vector_rows, sizeof(uint16_t));
    bool is_ready = state->columns != NULL && state->vectors != NULL && state->programs != NULL &&
                    state->is_open != NULL && state->rows[0] != NULL && state->rows[1] != NULL &&
                    open_column(worker, &state->time, false);
    for (uint32_t i = 0; is_ready && i < columns; i++) {
        is_ready = open_column(worker, &state->columns[i], i == scan->day_output);
        state->vectors[i] = (struct pz_vector){.type = scan->plan->columns[i].type,
                                               .domain_id = scan->plan->columns[i].domain_id};
    }
    if (!is_ready) {
        return fail_memory(scan, err);
    }
    worker->source_state = state; // from here on pz__scan_close frees the scratches
    return open_conditions(worker, state, err);
}

void
pz__scan_close(struct pz_source *source, struct pz_worker *worker)
{
    const struct pz_scan *scan = source->payload;
    struct scan_worker *state = worker->source_state;
    for (uint32_t i = 0; i < scan->plan->column_count; i++) {
        if (state->columns[i].scratch != NULL) {
            pz_page_scratch_destroy(state->columns[i].scratch);
        }
    }
    if (state->time.scratch != NULL) {
        pz_page_scratch_destroy(state->time.scratch);
    }
}

void
pz_scan_place(const struct pz_worker *worker, uint32_t *block_out, uint32_t *row_out)
{
    const struct scan_worker *state = worker->source_state;
    *block_out = state->block_index;
    *row_out = state->window_row;
}

// ---- reading columns -----------------------------------------------------------------------

static enum pz_status
read_column(struct scan_worker *state, struct scan_column *column, uint32_t table_position,
            struct pz_error *err)
{
    if (column->is_read) {
        return PZ_OK;
    }
    if (column->scratch == NULL) {
        column->scratch = pz_page_scratch_create();
    }
    PZ_TRY(pz_block_read(&state->block, table_position, column->scratch, &column->slice, err));
    column->is_read = true;
    return PZ_OK;
}

// Validity of rows [first, first + count) as bits from 0.
static const uint64_t *
window_valid(const struct scan_column *column, uint32_t first, uint32_t count)
{
    const uint64_t *valid = column->slice.valid;
    if (valid == NULL) {
        return NULL;
    }
    uint32_t shift = first % 64;
    const uint64_t *from = valid + first / 64;
    if (shift == 0) {
        return from;
    }
    size_t words = PZ_BIT_WORDS(count);
    size_t last = PZ_BIT_WORDS(column->slice.row_count) - first / 64;
    for (size_t w = 0; w < words; w++) {
        uint64_t next = w + 1 < last ? from[w + 1] : 0;
        column->valid[w] = from[w] >> shift | next << (64 - shift);
    }
    return column->valid;
}

static void
const_day(struct scan_worker *state, struct pz_vector *vector)
{
    vector->is_const = true;
    vector->data = &state->day;
    vector->valid = state->is_null_day ? &state->null_bits : NULL;
}

static enum pz_status
load_day(struct scan_worker *state, uint32_t first, uint32_t count, struct pz_error *err)
{
    const struct pz_scan *scan = state->scan;
    struct pz_vector *vector = &state->vectors[scan->day_output];
    if (state->has_day) {
        const_day(state, vector);
        return PZ_OK;
    }
    PZ_TRY(read_column(state, &state->time, scan->plan->table->time_column, err));
    int64_t *days = state->columns[scan->day_output].days;
    const int64_t *us = (const int64_t *)state->time.slice.data + first;
    int64_t day = 0;
    int64_t start = 0;
    for (uint32_t i = 0; i < count; i++) {
        if ((uint64_t)us[i] - (uint64_t)start >= (uint64_t)PZ_US_PER_DAY) {
            day = pz_floor_div(us[i], PZ_US_PER_DAY);
            start = (int64_t)((uint64_t)day * (uint64_t)PZ_US_PER_DAY);
        }
        days[i] = day;
    }
    vector->is_const = false;
    vector->data = days;
    vector->valid = window_valid(&state->time, first, count);
    return PZ_OK;
}

// Sets the window of one output.
static enum pz_status
load_output(struct scan_worker *state, uint32_t output, uint32_t first, uint32_t count,
            struct pz_error *err)
{
    const struct pz_plan *plan = state->scan->plan;
    if (output == state->scan->day_output) {
        return load_day(state, first, count, err);
    }
    struct scan_column *column = &state->columns[output];
    struct pz_vector *vector = &state->vectors[output];
    PZ_TRY(read_column(state, column, pz__scan_column(plan, output), err));
    vector->data = (const char *)column->slice.data + first * pz_value_size(vector->type);
    vector->valid = window_valid(column, first, count);
    return PZ_OK;
}

// ---- windows -------------------------------------------------------------------------------

// Rows of the window that are not deleted.
static struct pz_rows
visible_rows(const struct scan_worker *state, uint32_t first, uint32_t count)
{
    const uint64_t *deleted = state->block.deleted;
    if (deleted == NULL) {
        return (struct pz_rows){count, count, NULL};
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        state->rows[0][kept] = (uint16_t)i;
        kept += !pz_bit_get(deleted, first + i);
    }
    return (struct pz_rows){count, kept, kept == count ? NULL : state->rows[0]};
}

static enum pz_status
apply_conditions(struct pz_worker *worker, struct scan_worker *state, struct pz_portion *portion,
                 uint32_t first, struct pz_error *err)
{
    const struct pz_scan *scan = state->scan;
    for (uint32_t i = 0; i < scan->condition_count && portion->rows.count > 0; i++) {
        if (!state->is_open[i]) {
            continue;
        }
        uint32_t input_count;
        const uint32_t *inputs = pz_program_inputs(state->programs[i], &input_count);
        for (uint32_t k = 0; k < input_count; k++) {
            PZ_TRY(load_output(state, inputs[k], first, portion->rows.row_count, err));
        }
        struct pz_vector result;
        PZ_TRY(pz_program_run(state->programs[i], portion, &worker->texts, &result, err));
        portion->rows = pz_rows_narrow(&portion->rows, &result, state->rows[1]);
    }
    return PZ_OK;
}

static enum pz_status
scan_window(struct pz_worker *worker, struct scan_worker *state, uint32_t first, uint32_t count,
            struct pz_error *err)
{
    const struct pz_plan *plan = state->scan->plan;
    struct pz_portion portion = {visible_rows(state, first, count), plan->column_count,
                                 state->vectors};
    pz_arena_reset(&worker->texts);
    PZ_TRY(apply_conditions(worker, state, &portion, first, err));
    if (portion.rows.count == 0) {
        return PZ_OK;
    }
    for (uint32_t i = 0; i < plan->column_count; i++) {
        if (plan->is_unused == NULL || !plan->is_unused[i]) {
            PZ_TRY(load_output(state, i, first, count, err));
        }
    }
    state->window_row = first;
    atomic_fetch_add_explicit(&state->scan->stats->rows, portion.rows.count, memory_order_relaxed);
    return pz_worker_push(worker, &portion, err);
}

static enum pz_status
scan_rows(struct pz_worker *worker, struct scan_worker *state, uint32_t first, uint32_t count,
          struct pz_error *err)
{
    uint32_t step = worker->exec->session->vector_rows;
    state->rows_scanned += count;
    for (uint32_t done = 0; done < count && !worker->is_morsel_done; done += step) {
        uint32_t left = count - done;
        PZ_TRY(scan_window(worker, state, first + done, left < step ? left : step, err));
    }
    return PZ_OK;
}

// ---- blocks --------------------------------------------------------------------------------

static const struct pz_stats *
stats_of(const struct scan_worker *state, uint32_t output, uint32_t run)
{
    uint32_t column = pz__scan_column(state->scan->plan, output);
    if (column == PZ_SCAN_DAY) {
        return NULL;
    }
    return run == PZ_RUN_ALL ? pz_block_stats(&state->block, column)
                             : pz_block_run_stats(&state->block, run, column);
}

// Whether no row with these statistics can be among the first any more.
static bool
is_beyond(const struct pz_scan_bound *bound, const struct pz_stats *stats)
{
    if (stats == NULL || !stats->has_range || !atomic_load(&bound->is_set) ||
        (bound->nulls_first && stats->null_count > 0)) {
        return false;
    }
    int64_t value = atomic_load(&bound->value);
    return bound->is_descending ? stats->max < value : stats->min > value;
}

// Which conditions are still open in the block or run. False when no row can come.
static bool
ask_zones(struct scan_worker *state, uint32_t run, bool *any_open_out)
{
    const struct pz_scan *scan = state->scan;
    *any_open_out = false;
    if (scan->bound != NULL && is_beyond(scan->bound, stats_of(state, scan->bound->output, run))) {
        return false;
    }
    for (uint32_t i = 0; i < scan->condition_count; i++) {
        const struct pz_zone *zone = &scan->conditions[i].zone;
        bool has_column = zone->kind != PZ_ZONE_NONE && zone->kind != PZ_ZONE_NEVER;
        const struct pz_stats *stats = has_column ? stats_of(state, zone->column, run) : NULL;
        enum pz_zone_answer answer = pz_zone_ask(zone, stats);
        if (answer == PZ_ZONE_NO_ROW) {
            return false;
        }
        state->is_open[i] = answer == PZ_ZONE_SOME_ROWS;
        *any_open_out |= state->is_open[i];
    }
    return true;
}

// Adds the block or run by statistics, if the sink takes them and no row has to be looked at.
static enum pz_status
try_stats(struct pz_worker *worker, struct scan_worker *state, uint32_t run, bool any_open,
          bool *is_added_out, struct pz_error *err)
{
    struct pz_pipeline *pipeline = worker->pipeline;
    struct pz_sink *sink = pipeline->sink;
    enum pz_stats_mode wanted = run == PZ_RUN_ALL ? PZ_STATS_TOTAL : PZ_STATS_BY_DAY;
    *is_added_out = false;
    bool is_fit = state->block.is_sealed && state->block.deleted_count == 0 && !any_open &&
                  pipeline->op_count == 0;
    bool takes = sink->stats_mode == wanted ||
                 (sink->stats_mode == PZ_STATS_TOTAL && wanted == PZ_STATS_BY_DAY);
    if (!is_fit || !takes) {
        return PZ_OK;
    }
    return sink->add_stats(sink, worker, &state->block, run, is_added_out, err);
}

// Rows a run should have on average to be worth vectors of its own.
#define RUN_ROWS_MIN 256u

static bool
is_on_time(const struct pz_scan *scan, const struct pz_zone *zone)
{
    return zone->kind == PZ_ZONE_INT &&
           pz__scan_column(scan->plan, zone->column) == scan->plan->table->time_column;
}

// Whether runs may be added by their statistics: the conditions still open must be such that a run
// can settle them.
static bool
may_add_runs(const struct pz_worker *worker, const struct scan_worker *state)
{
    const struct pz_pipeline *pipeline = worker->pipeline;
    if (pipeline->op_count > 0 || pipeline->sink->stats_mode == PZ_STATS_NONE ||
        state->block.deleted_count > 0) {
        return false;
    }
    for (uint32_t i = 0; i < state->scan->condition_count; i++) {
        if (state->is_open[i] && !is_on_time(state->scan, &state->scan->conditions[i].zone)) {
            return false;
        }
    }
    return true;
}

// Whether to go through the block run by run: for the day as a constant, for statistics by day, or
// because a condition on time cuts the block.
static bool
wants_runs(const struct pz_worker *worker, const struct scan_worker *state, uint32_t run_count)
{
    const struct pz_scan *scan = state->scan;
    if (run_count == 0 || may_add_runs(worker, state)) {
        return run_count > 0;
    }
    if (state->block.row_count / run_count < RUN_ROWS_MIN) {
        return false;
    }
    bool is_cut = scan->day_output != PZ_NO_COLUMN;
    for (uint32_t i = 0; i < scan->condition_count; i++) {
        is_cut |= state->is_open[i] && is_on_time(scan, &scan->conditions[i].zone);
    }
    return is_cut;
}

static enum pz_status
scan_runs(struct pz_worker *worker, struct scan_worker *state, const struct pz_day_run *runs,
          uint32_t run_count, struct pz_error *err)
{
    bool was_scanned = false;
    bool was_added = false;
    for (uint32_t i = 0; i < run_count && !worker->is_morsel_done; i++) {
        bool any_open;
        bool is_added;
        if (!ask_zones(state, i, &any_open)) {
            continue;
        }
        PZ_TRY(try_stats(worker, state, i, any_open, &is_added, err));
        was_added |= is_added;
        if (is_added) {
            continue;
        }
        was_scanned = true;
        state->has_day = true;
        state->day = runs[i].day;
        state->is_null_day = runs[i].is_null_day;
        PZ_TRY(scan_rows(worker, state, runs[i].row_first, runs[i].row_count, err));
    }
    struct pz_node_stats *stats = state->scan->stats;
    atomic_fetch_add(was_scanned ? &stats->blocks_scanned
                     : was_added ? &stats->blocks_from_stats
                                 : &stats->blocks_skipped,
                     1);
    return PZ_OK;
}

static enum pz_status
scan_block(struct pz_worker *worker, struct scan_worker *state, struct pz_error *err)
{
    struct pz_node_stats *stats = state->scan->stats;
    bool any_open;
    bool is_added;
    if (state->block.deleted_count == state->block.row_count ||
        !ask_zones(state, PZ_RUN_ALL, &any_open)) {
        atomic_fetch_add(&stats->blocks_skipped, 1);
        return PZ_OK;
    }
    PZ_TRY(try_stats(worker, state, PZ_RUN_ALL, any_open, &is_added, err));
    if (is_added) {
        atomic_fetch_add(&stats->blocks_from_stats, 1);
        return PZ_OK;
    }
    uint32_t run_count;
    const struct pz_day_run *runs = pz_block_day_runs(&state->block, &run_count);
    if (wants_runs(worker, state, run_count)) {
        return scan_runs(worker, state, runs, run_count, err);
    }
    atomic_fetch_add(&stats->blocks_scanned, 1);
    return scan_rows(worker, state, 0, state->block.row_count, err);
}

enum pz_status
pz__scan_run(struct pz_source *source, struct pz_worker *worker, uint32_t morsel,
             struct pz_error *err)
{
    struct pz_scan *scan = source->payload;
    struct scan_worker *state = worker->source_state;
    state->block_index = scan->order != NULL ? scan->order[morsel] : morsel;
    pz_table_block(&scan->rows, state->block_index, &state->block);
    state->has_day = false;
    state->rows_scanned = 0;
    state->time.is_read = false;
    for (uint32_t i = 0; i < scan->plan->column_count; i++) {
        state->columns[i].is_read = false;
    }
    enum pz_status status = scan_block(worker, state, err);
    atomic_fetch_add_explicit(&scan->stats->rows_scanned, state->rows_scanned,
                              memory_order_relaxed);
    return status;
}
