// SPDX-License-Identifier: Apache-2.0
// ORDER BY. Workers keep rows; the calling thread sorts references to them. With a small limit a
// worker cuts its rows back to the best ones whenever too many have gathered, and from then on
// drops rows that cannot be among them at the door.
#include "query/exec/sort.h"

#include "base/clock.h"
#include "query/eval/fallible.h"
#include "query/exec/memory.h"
#include "query/exec/order.h"
#include "query/exec/scan.h"

#include <stdio.h>

// A limit up to here is worth cutting back for.
#define TOP_ROWS_MAX 131072u
#define TOP_SLACK_ROWS 8192u

struct sort {
    struct pz_exec *exec;
    const struct pz_plan *plan;
    struct pz_node_stats *stats;
    struct pz_order order;
    uint64_t row_limit; // with those skipped
    uint64_t row_skip;
    bool is_top;
    bool has_bound;
    struct pz_scan_bound bound; // for the scan below
    // Result.
    struct pz_rowset_part *parts; // of all workers
    struct pz_order_entry *entries;
    uint64_t count;
    uint32_t morsel_rows;
};

struct sort_worker {
    struct sort *sort;
    struct pz_exec_cleanup cleanup;
    struct pz_arena arenas[2]; // the rows are in one of them; cutting back moves them
    uint32_t arena;
    struct pz_rowset rows;
    bool has_threshold;
    uint64_t threshold; // prefix of the worst row kept
    uint64_t *prefixes;
    uint16_t *selected;
};

static enum pz_status
fail_memory(const struct sort *sort, struct pz_error *err)
{
    return pz_exec_fail_memory(sort->exec, "ORDER BY", err);
}

// ---- gathering -----------------------------------------------------------------------------

static void
close_sorter(void *payload)
{
    struct sort_worker *state = payload;
    pz_arena_fini(&state->arenas[0]);
    pz_arena_fini(&state->arenas[1]);
}

static enum pz_status
sort_open(struct pz_sink *sink, struct pz_worker *worker, struct pz_error *err)
{
    struct sort *sort = sink->payload;
    struct pz_session *session = sort->exec->session;
    struct sort_worker *state = pz_arena_alloc_zero(worker->arena, sizeof(*state));
    if (state == NULL) {
        return fail_memory(sort, err);
    }
    state->sort = sort;
    pz_arena_init(&state->arenas[0], session->budget);
    pz_arena_init(&state->arenas[1], session->budget);
    state->cleanup = (struct pz_exec_cleanup){.run = close_sorter, .payload = state};
    pz_exec_add_cleanup(sort->exec, &state->cleanup);
    pz_rowset_init(&state->rows, &state->arenas[0], sort->plan->column_count, session->vector_rows);
    state->prefixes = pz_arena_alloc_array(worker->arena, session->vector_rows, sizeof(uint64_t));
    state->selected = pz_arena_alloc_array(worker->arena, session->vector_rows, sizeof(uint16_t));
    worker->sink_state = state;
    return state->prefixes != NULL && state->selected != NULL ? PZ_OK : fail_memory(sort, err);
}

// Entries for all rows of a set. part_first is the number of its first part.
static void
list_entries(const struct pz_order *order, const struct pz_rowset *rows, uint32_t part_first,
             uint64_t *prefixes, struct pz_order_entry *out)
{
    for (uint32_t p = 0; p < rows->part_count; p++) {
        const struct pz_rowset_part *part = &rows->parts[p];
        struct pz_rows all = {part->row_count, part->row_count, NULL};
        pz_order_prefixes(order, part->columns, &all, prefixes);
        for (uint32_t i = 0; i < part->row_count; i++) {
            *out++ = (struct pz_order_entry){prefixes[i], {part_first + p, i}};
        }
    }
}

// Copies the rows the entries name, part by part, into the other arena.
static bool
move_rows(struct sort_worker *state, const struct pz_order_entry *entries, size_t count,
          uint8_t *marks, uint32_t part_rows)
{
    for (size_t i = 0; i < count; i++) {
        marks[(size_t)entries[i].ref.part * part_rows + entries[i].ref.row] = 1;
    }
    struct pz_rowset kept;
    struct pz_arena *target = &state->arenas[1 - state->arena];
    pz_rowset_init(&kept, target, state->rows.column_count, part_rows);
    for (uint32_t p = 0; p < state->rows.part_count; p++) {
        const struct pz_rowset_part *part = &state->rows.parts[p];
        uint32_t selected = 0;
        for (uint32_t i = 0; i < part->row_count; i++) {
            state->selected[selected] = (uint16_t)i;
            selected += marks[(size_t)p * part_rows + i];
        }
        struct pz_portion portion = {
            {part->row_count, selected, state->selected}, state->rows.column_count, part->columns};
        if (selected > 0 && !pz_rowset_append(&kept, &portion)) {
            return false;
        }
    }
    pz_arena_reset(&state->arenas[state->arena]);
    state->arena = 1 - state->arena;
    state->rows = kept;
    return true;
}

// Tells the scan what the worst row kept has as first key. A NULL there says nothing.
static void
tighten(struct sort *sort, const struct pz_rowset_part *parts, const struct pz_order_entry *worst)
{
    const struct pz_vector *key = &parts[worst->ref.part].columns[sort->order.keys[0].column];
    if (sort->has_bound && !pz_vector_is_null(key, worst->ref.row)) {
        pz_scan_tighten(&sort->bound, pz_vector_int(key, worst->ref.row));
    }
}

static enum pz_status
cut_back(struct sort_worker *state, struct pz_error *err)
{
    struct sort *sort = state->sort;
    struct pz_budget *budget = sort->exec->session->budget;
    size_t count = state->rows.row_count;
    size_t part_rows = state->rows.part_rows;
    struct pz_array lists = {0};
    size_t marks_bytes = state->rows.part_count * part_rows;
    if (!pz_array_grow(&lists, budget, 2 * count * sizeof(struct pz_order_entry) + marks_bytes)) {
        return fail_memory(sort, err);
    }
    struct pz_order_entry *entries = lists.data;
    uint8_t *marks = (uint8_t *)(entries + 2 * count);
    list_entries(&sort->order, &state->rows, 0, state->prefixes, entries);
    enum pz_status status =
        pz_order_sort(&sort->order, state->rows.parts, entries, entries + count, count, err);
    if (status == PZ_OK) {
        state->has_threshold = true;
        state->threshold = entries[sort->row_limit - 1].prefix;
        tighten(sort, state->rows.parts, &entries[sort->row_limit - 1]);
        if (!move_rows(state, entries, sort->row_limit, marks, (uint32_t)part_rows)) {
            status = fail_memory(sort, err);
        }
    }
    pz_array_free(&lists, budget);
    return status;
}

// Rows that may still be among the best.
static struct pz_rows
promising_rows(struct sort_worker *state, const struct pz_portion *portion)
{
    const struct pz_rows *rows = &portion->rows;
    pz_order_prefixes(&state->sort->order, portion->columns, rows, state->prefixes);
    uint32_t count = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        state->selected[count] = rows->rows != NULL ? rows->rows[i] : (uint16_t)i;
        count += state->prefixes[i] <= state->threshold;
    }
    return (struct pz_rows){rows->row_count, count, state->selected};
}

static enum pz_status
sort_consume(struct pz_sink *sink, struct pz_worker *worker, const struct pz_portion *portion,
             struct pz_error *err)
{
    struct sort *sort = sink->payload;
    struct sort_worker *state = worker->sink_state;
    struct pz_portion kept = *portion;
    if (state->has_threshold) {
        kept.rows = promising_rows(state, portion);
        if (kept.rows.count == 0) {
            return PZ_OK;
        }
    }
    if (!pz_rowset_append(&state->rows, &kept)) {
        return fail_memory(sort, err);
    }
    if (sort->is_top && state->rows.row_count >= 2 * sort->row_limit + TOP_SLACK_ROWS) {
        return cut_back(state, err);
    }
    return PZ_OK;
}

// ---- sorting -------------------------------------------------------------------------------

static enum pz_status
sort_all(struct sort *sort, void *const *states, uint32_t state_count, struct pz_error *err)
{
    struct pz_exec *exec = sort->exec;
    uint32_t part_count = 0;
    for (uint32_t i = 0; i < state_count; i++) {
        const struct sort_worker *state = states[i];
        sort->count += state->rows.row_count;
        part_count += state->rows.part_count;
    }
    struct pz_arena *arena = pz_exec_arena_make(exec);
    if (arena == NULL) {
        return fail_memory(sort, err);
    }
    struct pz_order_entry *room;
    uint64_t *prefixes = pz_arena_alloc_array(arena, exec->session->vector_rows, sizeof(*prefixes));
    sort->parts = pz_arena_alloc_array(arena, part_count, sizeof(*sort->parts));
    sort->entries = pz_arena_alloc_array(arena, sort->count, sizeof(*sort->entries));
    room = pz_arena_alloc_array(arena, sort->count, sizeof(*room));
    if (prefixes == NULL || sort->parts == NULL || sort->entries == NULL || room == NULL) {
        return fail_memory(sort, err);
    }
    uint32_t part = 0;
    size_t entry = 0;
    for (uint32_t i = 0; i < state_count; i++) {
        const struct pz_rowset *rows = &((const struct sort_worker *)states[i])->rows;
        list_entries(&sort->order, rows, part, prefixes, sort->entries + entry);
        if (rows->part_count > 0) {
            memcpy(sort->parts + part, rows->parts, rows->part_count * sizeof(*sort->parts));
        }
        part += rows->part_count;
        entry += rows->row_count;
    }
    PZ_TRY(pz_order_sort(&sort->order, sort->parts, sort->entries, room, sort->count, err));
    if (sort->count > sort->row_limit) {
        sort->count = sort->row_limit;
    }
    uint64_t skipped = sort->row_skip < sort->count ? sort->row_skip : sort->count;
    sort->entries += skipped;
    sort->count -= skipped;
    return PZ_OK;
}

// ---- the bound -----------------------------------------------------------------------------

// The scan's output that the first sort key is, through the projections in between.
static bool
find_scan_output(const struct sort *sort, const struct pz_pipeline *input, uint32_t *output)
{
    if (sort->order.key_count == 0 || !input->source.is_scan) {
        return false;
    }
    const struct pz_order_key *key = &sort->order.keys[0];
    *output = key->column;
    for (uint32_t i = input->op_count; i > 0; i--) {
        const struct pz_plan *op = input->ops[i - 1].plan;
        if (op->kind == PZ_PLAN_FILTER) {
            continue;
        }
        if (op->exprs[*output]->kind != PZ_EXPR_COLUMN) {
            return false;
        }
        *output = op->exprs[*output]->column;
    }
    return key->type == PZ_TYPE_BIGINT || key->type == PZ_TYPE_TIMESTAMP ||
           key->type == PZ_TYPE_DATE;
}

// Whether something computed below the sort can fail. A bound would then pass over errors in blocks
// that have statistics, and only there.
static bool
can_input_fail(const struct pz_pipeline *input)
{
    for (uint32_t i = 0; i < input->op_count; i++) {
        const struct pz_plan *op = input->ops[i].plan;
        bool is_filter = op->kind == PZ_PLAN_FILTER;
        for (uint32_t k = 0; k < (is_filter ? 1 : op->column_count); k++) {
            if (pz_expr_can_fail(is_filter ? op->filter : op->exprs[k])) {
                return true;
            }
        }
    }
    return pz_scan_can_fail(&input->source);
}

static enum pz_status
use_bound(struct sort *sort, struct pz_pipeline *input, struct pz_error *err)
{
    uint32_t output;
    if (!sort->is_top || !find_scan_output(sort, input, &output) || can_input_fail(input)) {
        return PZ_OK;
    }
    sort->has_bound = true;
    sort->bound.output = output;
    sort->bound.is_descending = sort->order.keys[0].is_descending;
    sort->bound.nulls_first = sort->order.keys[0].nulls_first;
    return pz_scan_use_bound(&input->source, &sort->bound, err);
}

// ---- giving out ----------------------------------------------------------------------------

struct give_worker {
    struct pz_vector *columns; // room
    struct pz_vector *vectors;
};

static enum pz_status
give_open(struct pz_source *source, struct pz_worker *worker, struct pz_error *err)
{
    const struct sort *sort = source->payload;
    struct pz_arena *arena = worker->arena;
    uint32_t columns = sort->plan->column_count;
    uint32_t rows = worker->exec->session->vector_rows;
    struct give_worker *state = pz_arena_alloc(arena, sizeof(*state));
    if (state == NULL) {
        return fail_memory(sort, err);
    }
    state->columns = pz_arena_alloc_zero(arena, columns * sizeof(*state->columns));
    state->vectors = pz_arena_alloc_zero(arena, columns * sizeof(*state->vectors));
    bool is_ready = state->columns != NULL && state->vectors != NULL;
    for (uint32_t i = 0; is_ready && i < columns; i++) {
        struct pz_vector *column = &state->columns[i];
        column->type = sort->plan->columns[i].type;
        column->domain_id = sort->plan->columns[i].domain_id;
        column->data = pz_arena_alloc_array(arena, rows, pz_value_size(column->type));
        column->valid = pz_arena_alloc(arena, PZ_BIT_WORDS(rows) * sizeof(uint64_t));
        is_ready = column->data != NULL && column->valid != NULL;
    }
    worker->source_state = state;
    return is_ready ? PZ_OK : fail_memory(sort, err);
}

static void
gather(const struct sort *sort, uint32_t column, const struct pz_order_entry *entries,
       uint32_t count, struct pz_vector *out)
{
    size_t size = pz_value_size(out->type);
    char *data = (char *)(uintptr_t)out->data; // our room
    uint64_t *valid = (uint64_t *)(uintptr_t)out->valid;
    bool has_null = false;
    memset(valid, 0xff, PZ_BIT_WORDS(count) * sizeof(uint64_t));
    for (uint32_t i = 0; i < count; i++) {
        struct pz_row_ref ref = entries[i].ref;
        const struct pz_vector *from = &sort->parts[ref.part].columns[column];
        memcpy(data + i * size, (const char *)from->data + ref.row * size, size);
        if (pz_vector_is_null(from, ref.row)) {
            pz_bit_clear(valid, i);
            has_null = true;
        }
    }
    out->valid = has_null ? valid : NULL;
}

static enum pz_status
give_run(struct pz_source *source, struct pz_worker *worker, uint32_t morsel, struct pz_error *err)
{
    const struct sort *sort = source->payload;
    struct give_worker *state = worker->source_state;
    uint32_t columns = sort->plan->column_count;
    uint32_t step = worker->exec->session->vector_rows;
    uint64_t begin = (uint64_t)morsel * sort->morsel_rows;
    uint64_t end =
        begin + sort->morsel_rows < sort->count ? begin + sort->morsel_rows : sort->count;
    for (uint64_t first = begin; first < end && !worker->is_morsel_done; first += step) {
        uint32_t count = end - first < step ? (uint32_t)(end - first) : step;
        pz_arena_reset(&worker->texts);
        for (uint32_t i = 0; i < columns; i++) {
            state->vectors[i] = state->columns[i];
            gather(sort, i, sort->entries + first, count, &state->vectors[i]);
        }
        atomic_fetch_add_explicit(&sort->stats->rows, count, memory_order_relaxed);
        struct pz_portion portion = {{count, count, NULL}, columns, state->vectors};
        PZ_TRY(pz_worker_push(worker, &portion, err));
    }
    return PZ_OK;
}

enum pz_status
pz_sort_run(struct pz_exec *exec, const struct pz_plan *plan, struct pz_pipeline *input,
            const struct pz_sort_cut *cut, struct pz_source *source_out, struct pz_error *err)
{
    struct sort *sort = pz_arena_alloc_zero(exec->session->arena, sizeof(*sort));
    if (sort == NULL) {
        return pz_exec_fail_memory(exec, "ORDER BY", err);
    }
    int64_t start_us = pz_clock_mono_us();
    sort->exec = exec;
    sort->plan = plan;
    sort->stats = pz_exec_node(exec, plan);
    sort->row_limit = cut->row_limit;
    sort->row_skip = cut->row_skip;
    sort->is_top = cut->row_limit > 0 && cut->row_limit <= TOP_ROWS_MAX;
    sort->morsel_rows = 16 * exec->session->vector_rows;
    PZ_TRY(pz_order_make(exec, plan, input->source.row_estimate, &sort->order, err));
    PZ_TRY(use_bound(sort, input, err));
    struct pz_sink sink = {.payload = sort, .open = sort_open, .consume = sort_consume};
    void *states[PZ_WORKERS_MAX];
    uint32_t count;
    PZ_TRY(pz_pipeline_run(input, &sink, states, &count, err));
    PZ_TRY(sort_all(sort, states, count, err));
    (void)snprintf(sort->stats->strategy, PZ_STRATEGY_LEN,
                   sort->is_top ? "the first %llu rows" : "all rows",
                   (unsigned long long)cut->row_limit);
    sort->stats->elapsed_us = pz_clock_mono_us() - start_us;
    sort->stats->memory_bytes = atomic_load(&exec->session->budget->used_bytes);
    sort->stats->was_run = true;
    uint64_t morsels = (sort->count + sort->morsel_rows - 1) / sort->morsel_rows;
    *source_out = (struct pz_source){.payload = sort,
                                     .morsel_count = (uint32_t)morsels,
                                     .open = give_open,
                                     .run = give_run,
                                     .row_estimate = sort->count};
    return PZ_OK;
}
