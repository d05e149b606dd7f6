// SPDX-License-Identifier: Apache-2.0
// GROUP BY: the sink that workers fill.
#include "query/exec/aggregate_internal.h"

#include "base/clock.h"
#include "query/exec/scan.h"

#include <stdio.h>

enum pz_status
pz__group_fail_memory(const struct pz_group_by *group_by, struct pz_error *err)
{
    bool is_distinct = group_by->plan->aggregate_count == 0 && group_by->key_count > 0;
    return pz_exec_fail_memory(group_by->exec, is_distinct ? "DISTINCT" : "GROUP BY", err);
}

// ---- tables --------------------------------------------------------------------------------

static void
group_table_fini(void *payload)
{
    struct pz_group_table *table = payload;
    const struct pz_group_by *group_by = table->group_by;
    for (uint32_t i = 0; i < group_by->agg_count; i++) {
        pz__distinct_fini(table, i);
    }
    if (!group_by->is_dense) {
        pz_hash_fini(&table->hash);
    }
    pz_agg_fini(&table->aggs);
}

struct pz_group_table *
pz__group_table_create(struct pz_group_by *group_by, struct pz_arena *arena)
{
    struct pz_session *session = group_by->exec->session;
    uint32_t rows = session->vector_rows;
    struct pz_group_table *table = pz_arena_alloc_zero(arena, sizeof(*table));
    if (table == NULL) {
        return NULL;
    }
    table->group_by = group_by;
    table->arena = arena;
    table->distincts = pz_arena_alloc_zero(arena, group_by->agg_count * sizeof(*table->distincts));
    table->groups = pz_arena_alloc_array(arena, rows, sizeof(uint32_t));
    table->group_values = pz_arena_alloc_array(arena, rows, sizeof(int64_t));
    table->rows = pz_arena_alloc_array(arena, rows, sizeof(uint16_t));
    if (table->distincts == NULL || table->groups == NULL || table->group_values == NULL ||
        table->rows == NULL ||
        !pz_agg_init(&table->aggs, session, arena, group_by->specs, group_by->agg_count)) {
        return NULL;
    }
    static const enum pz_type packed_type = PZ_TYPE_BIGINT;
    table->packed = pz_arena_alloc_array(arena, rows, sizeof(uint64_t));
    bool is_ready = table->packed != NULL;
    if (group_by->is_packed) {
        is_ready = is_ready &&
                   pz_hash_init(&table->hash, session->budget, arena, &packed_type, NULL, 1, rows);
    } else if (!group_by->is_dense) {
        is_ready =
            is_ready && pz_hash_init(&table->hash, session->budget, arena, group_by->key_types,
                                     group_by->key_domains, group_by->key_count, rows);
    }
    table->cleanup = (struct pz_exec_cleanup){.run = group_table_fini, .payload = table};
    pz_exec_add_cleanup(group_by->exec, &table->cleanup);
    is_ready =
        is_ready && (!group_by->is_dense || pz_agg_reserve(&table->aggs, pz__group_count(table)));
    for (uint32_t i = 0; is_ready && i < group_by->agg_count; i++) {
        is_ready = pz__distinct_init(table, i);
    }
    return is_ready ? table : NULL;
}

// ---- the sink ------------------------------------------------------------------------------

struct group_worker {
    struct pz_group_table *table;
    struct pz_program *program; // keys and arguments
    struct pz_vector *results;
    uint16_t *stretch; // of the rows, when their texts are long
    struct pz_work work;
    struct pz_program *day_program; // keys from the day alone; NULL unless by statistics
    struct pz_vector *day_columns;
};

static enum pz_status
open_stats(struct pz_group_by *group_by, struct pz_worker *worker, struct group_worker *state,
           struct pz_error *err)
{
    if (group_by->stats_mode != PZ_STATS_BY_DAY) {
        return PZ_OK;
    }
    const struct pz_plan *child = group_by->plan->child;
    state->day_columns =
        pz_arena_alloc_zero(worker->arena, child->column_count * sizeof(*state->day_columns));
    if (state->day_columns == NULL) {
        return pz__group_fail_memory(group_by, err);
    }
    for (uint32_t i = 0; i < child->column_count; i++) {
        state->day_columns[i].type = child->columns[i].type;
    }
    return pz_program_create(group_by->exec->session, &group_by->exec->maps, worker->arena,
                             group_by->plan->groups, group_by->key_count, &state->day_program, err);
}

static enum pz_status
group_open(struct pz_sink *sink, struct pz_worker *worker, struct pz_error *err)
{
    struct pz_group_by *group_by = sink->payload;
    struct group_worker *state = pz_arena_alloc_zero(worker->arena, sizeof(*state));
    if (state == NULL) {
        return pz__group_fail_memory(group_by, err);
    }
    state->table = pz__group_table_create(group_by, worker->arena);
    state->results =
        pz_arena_alloc_zero(worker->arena, group_by->expr_count * sizeof(*state->results));
    state->stretch = pz_arena_alloc_array(worker->arena, group_by->exec->session->vector_rows,
                                          sizeof(*state->stretch));
    if (state->table == NULL || state->results == NULL || state->stretch == NULL) {
        return pz__group_fail_memory(group_by, err);
    }
    state->work.session = group_by->exec->session;
    worker->sink_state = state;
    PZ_TRY(pz_program_create(group_by->exec->session, &group_by->exec->maps, worker->arena,
                             group_by->exprs, group_by->expr_count, &state->program, err));
    return open_stats(group_by, worker, state, err);
}

static bool
all_const(const struct pz_vector *vectors, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!vectors[i].is_const) {
            return false;
        }
    }
    return true;
}

static enum pz_status
fail_outside(struct pz_error *err)
{
    return pz_fail(err, PZ_INTERNAL, "a group key lies outside the range of its column");
}

// Groups of the selected rows.
static enum pz_status
find_groups(struct pz_group_table *table, const struct pz_vector *keys, const struct pz_rows *rows,
            struct pz_agg_groups *out, struct pz_error *err)
{
    const struct pz_group_by *group_by = table->group_by;
    struct pz_rows one = {1, 1, NULL};
    bool is_one = all_const(keys, group_by->key_count);
    if (group_by->is_dense) {
        return pz_dense_find(&group_by->dense, keys, rows, table->groups, &out->groups, &out->all)
                   ? PZ_OK
                   : fail_outside(err);
    }
    struct pz_vector packed = {.type = PZ_TYPE_BIGINT, .data = table->packed};
    if (group_by->is_packed) {
        if (!pz_dense_pack(&group_by->dense, keys, rows, table->packed)) {
            return fail_outside(err);
        }
        keys = &packed;
    }
    if (!pz_hash_find(&table->hash, keys, is_one ? &one : rows, table->groups) ||
        !pz_agg_reserve(&table->aggs, table->hash.capacity)) {
        return pz__group_fail_memory(group_by, err);
    }
    *out = (struct pz_agg_groups){is_one ? NULL : table->groups, table->groups[0]};
    return PZ_OK;
}

// Takes some rows of the portion whose keys and arguments are in state->results.
static enum pz_status
add_rows(struct pz_group_by *group_by, struct group_worker *state, const struct pz_rows *rows,
         struct pz_error *err)
{
    struct pz_group_table *table = state->table;
    struct pz_agg_groups groups;
    PZ_TRY(find_groups(table, state->results, rows, &groups, err));
    pz_agg_count_rows(&table->aggs, &groups, rows->count);
    for (uint32_t i = 0; i < group_by->agg_count; i++) {
        const struct pz_vector *arg = &state->results[group_by->arg_results[i]];
        bool done = true;
        if (group_by->distincts[i].kind != PZ_DISTINCT_NONE) {
            done = pz__distinct_add(table, i, &groups, arg, rows);
        } else if (group_by->specs[i].kind != PZ_AGG_ROWS) {
            done = pz_agg_update(&table->aggs, i, &groups, arg, rows);
        }
        if (!done) {
            return pz__group_fail_memory(group_by, err);
        }
    }
    return PZ_OK;
}

static enum pz_status
group_consume(struct pz_sink *sink, struct pz_worker *worker, const struct pz_portion *portion,
              struct pz_error *err)
{
    struct pz_group_by *group_by = sink->payload;
    struct group_worker *state = worker->sink_state;
    PZ_TRY(pz_program_run(state->program, portion, &worker->texts, state->results, err));
    for (uint32_t at = 0; at < portion->rows.count;) {
        uint64_t steps;
        struct pz_rows rows = pz_rows_stretch(&portion->rows, state->results, group_by->expr_count,
                                              &at, state->stretch, &steps);
        PZ_TRY(add_rows(group_by, state, &rows, err));
        PZ_TRY(pz_work_add(&state->work, steps, err));
    }
    return PZ_OK;
}

// ---- statistics ----------------------------------------------------------------------------

static const struct pz_stats *
arg_stats(const struct pz_group_by *group_by, uint32_t agg, const struct pz_block *block,
          uint32_t run)
{
    const struct pz_expr *arg = group_by->plan->aggregates[agg].arg;
    if (arg == NULL) {
        return NULL;
    }
    uint32_t column = pz_scan_table_column(&group_by->input->source, arg->column);
    return run == PZ_RUN_ALL ? pz_block_stats(block, column)
                             : pz_block_run_stats(block, run, column);
}

// The group of a day run, or the only group.
static enum pz_status
run_group(struct pz_group_by *group_by, struct pz_worker *worker, struct group_worker *state,
          const struct pz_day_run *run, uint32_t *group_out, struct pz_error *err)
{
    *group_out = 0;
    if (group_by->key_count == 0) {
        return PZ_OK;
    }
    const struct pz_plan *child = group_by->plan->child;
    uint64_t null_bits = 0;
    int64_t day = run->day;
    for (uint32_t i = 0; i < child->column_count; i++) {
        if (pz_scan_table_column(&group_by->input->source, i) == PZ_SCAN_DAY) {
            state->day_columns[i].is_const = true;
            state->day_columns[i].data = &day;
            state->day_columns[i].valid = run->is_null_day ? &null_bits : NULL;
        }
    }
    struct pz_portion portion = {{1, 1, NULL}, child->column_count, state->day_columns};
    struct pz_agg_groups groups;
    pz_arena_reset(&worker->texts);
    PZ_TRY(pz_program_run(state->day_program, &portion, &worker->texts, state->results, err));
    PZ_TRY(find_groups(state->table, state->results, &portion.rows, &groups, err));
    *group_out = groups.groups != NULL ? groups.groups[0] : groups.all;
    return PZ_OK;
}

static enum pz_status
group_add_stats(struct pz_sink *sink, struct pz_worker *worker, const struct pz_block *block,
                uint32_t run, bool *is_added_out, struct pz_error *err)
{
    struct pz_group_by *group_by = sink->payload;
    struct group_worker *state = worker->sink_state;
    *is_added_out = false;
    for (uint32_t i = 0; i < group_by->agg_count; i++) {
        if (!pz_agg_takes_stats(&group_by->specs[i], arg_stats(group_by, i, block, run))) {
            return PZ_OK;
        }
    }
    uint32_t run_count;
    const struct pz_day_run *runs = pz_block_day_runs(block, &run_count);
    uint32_t group;
    PZ_TRY(run_group(group_by, worker, state, run == PZ_RUN_ALL ? NULL : &runs[run], &group, err));
    struct pz_agg_table *aggs = &state->table->aggs;
    pz_agg_rows(aggs)[group] += run == PZ_RUN_ALL ? block->row_count : runs[run].row_count;
    for (uint32_t i = 0; i < group_by->agg_count; i++) {
        const struct pz_stats *stats = arg_stats(group_by, i, block, run);
        if (stats != NULL && !pz_agg_add_stats(aggs, i, group, stats)) {
            return pz__group_fail_memory(group_by, err);
        }
    }
    *is_added_out = true;
    return PZ_OK;
}

// ---- running -------------------------------------------------------------------------------

static enum pz_status
finish_distincts(struct pz_group_by *group_by, struct pz_group_table **parts, uint32_t part_count,
                 struct pz_error *err)
{
    for (uint32_t p = 0; p < part_count; p++) {
        for (uint32_t i = 0; i < group_by->agg_count; i++) {
            if (group_by->distincts[i].kind != PZ_DISTINCT_NONE &&
                !pz__distinct_finish(parts[p], i)) {
                return pz__group_fail_memory(group_by, err);
            }
        }
    }
    return PZ_OK;
}

enum pz_status
pz_aggregate_run(struct pz_exec *exec, const struct pz_plan *plan, struct pz_pipeline *input,
                 struct pz_source *source_out, struct pz_error *err)
{
    struct pz_group_by *group_by = pz_arena_alloc_zero(exec->session->arena, sizeof(*group_by));
    struct pz_group_table **parts = pz_arena_alloc_array(exec->session->arena, PZ_GROUP_PARTS_MAX,
                                                         sizeof(struct pz_group_table *));
    if (group_by == NULL || parts == NULL) {
        return pz_exec_fail_memory(exec, "GROUP BY", err);
    }
    int64_t start_us = pz_clock_mono_us();
    *group_by = (struct pz_group_by){
        .exec = exec, .plan = plan, .input = input, .stats = pz_exec_node(exec, plan)};
    PZ_TRY(pz__group_plan(group_by, err));
    struct pz_sink sink = {.payload = group_by,
                           .stats_mode = group_by->stats_mode,
                           .add_stats = group_add_stats,
                           .open = group_open,
                           .consume = group_consume};
    void *states[PZ_WORKERS_MAX];
    struct pz_group_table *tables[PZ_WORKERS_MAX];
    uint32_t count;
    uint32_t part_count;
    PZ_TRY(pz_pipeline_run(input, &sink, states, &count, err));
    for (uint32_t i = 0; i < count; i++) {
        tables[i] = ((struct group_worker *)states[i])->table;
    }
    if (count == 0) { // there was no morsel: the one group of an aggregate without keys stands
        struct pz_arena *arena = pz_exec_arena_make(exec);
        tables[0] = arena != NULL ? pz__group_table_create(group_by, arena) : NULL;
        if (tables[0] == NULL) {
            return pz__group_fail_memory(group_by, err);
        }
        count = 1;
    }
    PZ_TRY(pz__group_merge(group_by, tables, count, parts, &part_count, err));
    PZ_TRY(finish_distincts(group_by, parts, part_count, err));
    group_by->stats->elapsed_us = pz_clock_mono_us() - start_us;
    group_by->stats->memory_bytes = atomic_load(&exec->session->budget->used_bytes);
    group_by->stats->was_run = true;
    return pz__group_source(group_by, parts, part_count, source_out, err);
}
