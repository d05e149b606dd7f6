// SPDX-License-Identifier: Apache-2.0
// From plan nodes to pipelines. Scans, filters and projections stream; everything that has to see
// all rows first is run here and becomes a source.
#include "query/exec/aggregate.h"
#include "query/exec/pipeline.h"
#include "query/exec/rowset.h"
#include "query/exec/scan.h"
#include "query/exec/sort.h"

#include <stdio.h>

static enum pz_status
add_maps(struct pz_exec *exec, struct pz_expr *const *exprs, uint32_t count, uint64_t rows,
         struct pz_error *err)
{
    for (uint32_t i = 0; i < count; i++) {
        PZ_TRY(pz_symbol_maps_add(exec->session, &exec->maps, exprs[i], rows, err));
    }
    return PZ_OK;
}

// ---- sources of rows that are there --------------------------------------------------------

static enum pz_status
open_nothing(struct pz_source *source, struct pz_worker *worker, struct pz_error *err)
{
    (void)source;
    (void)worker;
    (void)err;
    return PZ_OK;
}

static enum pz_status
run_one_row(struct pz_source *source, struct pz_worker *worker, uint32_t morsel,
            struct pz_error *err)
{
    (void)source;
    (void)morsel;
    pz_arena_reset(&worker->texts);
    struct pz_portion portion = {{1, 1, NULL}, 0, NULL};
    return pz_worker_push(worker, &portion, err);
}

static void
source_of_one_row(struct pz_source *source_out)
{
    *source_out = (struct pz_source){
        .morsel_count = 1, .open = open_nothing, .run = run_one_row, .row_estimate = 1};
}

static enum pz_status
run_rowset(struct pz_source *source, struct pz_worker *worker, uint32_t morsel,
           struct pz_error *err)
{
    const struct pz_rowset *set = source->payload;
    const struct pz_rowset_part *part = &set->parts[morsel];
    pz_arena_reset(&worker->texts);
    struct pz_portion portion = {
        {part->row_count, part->row_count, NULL}, set->column_count, part->columns};
    return pz_worker_push(worker, &portion, err);
}

static void
source_of_rowset(const struct pz_rowset *set, struct pz_source *source_out)
{
    *source_out = (struct pz_source){.payload = (void *)(uintptr_t)set, // only read
                                     .morsel_count = set->part_count,
                                     .open = open_nothing,
                                     .run = run_rowset,
                                     .row_estimate = set->row_count};
}

// ---- rows kept between pipelines -----------------------------------------------------------

struct keeper {
    struct pz_exec *exec;
    struct pz_rowset *set;
    uint64_t skip;
};

static enum pz_status
keep(void *payload, const struct pz_portion *portion, struct pz_error *err)
{
    struct keeper *keeper = payload;
    struct pz_portion rest = *portion;
    uint16_t rows[PZ_VECTOR_ROWS];
    if (keeper->skip >= portion->rows.count) {
        keeper->skip -= portion->rows.count;
        return PZ_OK;
    }
    if (keeper->skip > 0) {
        rest.rows.count = 0;
        for (uint32_t i = (uint32_t)keeper->skip; i < portion->rows.count; i++) {
            rows[rest.rows.count++] =
                portion->rows.rows != NULL ? portion->rows.rows[i] : (uint16_t)i;
        }
        rest.rows.rows = rows;
        keeper->skip = 0;
    }
    return pz_rowset_append(keeper->set, &rest)
               ? PZ_OK
               : pz_exec_fail_memory(keeper->exec, "a subquery", err);
}

// Runs a pipeline into rows: those after the first `skip`, of at most `limit` in all.
static enum pz_status
keep_rows(struct pz_pipeline *input, uint32_t column_count, uint64_t limit, uint64_t skip,
          struct pz_source *source_out, struct pz_error *err)
{
    struct pz_exec *exec = input->exec;
    struct pz_arena *arena = pz_exec_arena_make(exec);
    struct pz_rowset *set = arena != NULL ? pz_arena_alloc(arena, sizeof(*set)) : NULL;
    if (set == NULL) {
        return pz_exec_fail_memory(exec, "a subquery", err);
    }
    pz_rowset_init(set, arena, column_count, exec->session->vector_rows);
    struct keeper keeper = {exec, set, skip};
    struct pz_consumer consumer = {&keeper, keep};
    PZ_TRY(pz_pipeline_run_in_order(input, limit, &consumer, err));
    source_of_rowset(set, source_out);
    return PZ_OK;
}

// ---- nodes ---------------------------------------------------------------------------------

// The built pipeline of a child, in memory that stays.
static enum pz_status
build_child(struct pz_exec *exec, const struct pz_plan *plan, struct pz_pipeline **out,
            struct pz_error *err)
{
    *out = pz_arena_alloc_zero(exec->session->arena, sizeof(**out));
    if (*out == NULL) {
        return pz_exec_fail_memory(exec, "a subquery", err);
    }
    return pz_pipeline_build(exec, plan->child, *out, err);
}

static enum pz_status
build_scan(struct pz_exec *exec, const struct pz_plan *plan, struct pz_source *source,
           struct pz_error *err)
{
    if (plan->filter != NULL) {
        struct pz_table_rows rows;
        pz_version_rows(exec->session->version, plan->table, &rows);
        PZ_TRY(add_maps(exec, &plan->filter, 1, rows.row_count, err));
    }
    return pz_scan_create(exec, plan, source, err);
}

static enum pz_status
build_op(struct pz_exec *exec, const struct pz_plan *plan, struct pz_pipeline *pipeline,
         struct pz_error *err)
{
    PZ_TRY(pz_pipeline_build(exec, plan->child, pipeline, err));
    if (pipeline->op_count == PZ_OPS_MAX) {
        struct pz_source source;
        PZ_TRY(keep_rows(pipeline, plan->child->column_count, UINT64_MAX, 0, &source, err));
        pipeline->source = source;
        pipeline->op_count = 0;
    }
    bool is_filter = plan->kind == PZ_PLAN_FILTER;
    PZ_TRY(add_maps(exec, is_filter ? &plan->filter : plan->exprs,
                    is_filter ? 1 : plan->column_count, pipeline->source.row_estimate, err));
    pipeline->ops[pipeline->op_count++] = (struct pz_op){plan};
    return PZ_OK;
}

static enum pz_status
build_aggregate(struct pz_exec *exec, const struct pz_plan *plan, struct pz_source *source,
                struct pz_error *err)
{
    struct pz_pipeline *input;
    PZ_TRY(build_child(exec, plan, &input, err));
    uint64_t rows = input->source.row_estimate;
    PZ_TRY(add_maps(exec, plan->groups, plan->group_count, rows, err));
    for (uint32_t i = 0; i < plan->aggregate_count; i++) {
        if (plan->aggregates[i].arg != NULL) {
            PZ_TRY(add_maps(exec, &plan->aggregates[i].arg, 1, rows, err));
        }
    }
    return pz_aggregate_run(exec, plan, input, source, err);
}

static uint64_t
rows_needed(const struct pz_plan *limit)
{
    uint64_t needed = limit->limit;
    if (!limit->has_limit || __builtin_add_overflow(needed, limit->offset, &needed)) {
        return UINT64_MAX;
    }
    return needed;
}

static enum pz_status
build_sort(struct pz_exec *exec, const struct pz_plan *plan, const struct pz_sort_cut *cut,
           struct pz_source *source, struct pz_error *err)
{
    struct pz_pipeline *input;
    PZ_TRY(build_child(exec, plan, &input, err));
    return pz_sort_run(exec, plan, input, cut, source, err);
}

static enum pz_status
build_limit(struct pz_exec *exec, const struct pz_plan *plan, struct pz_source *source,
            struct pz_error *err)
{
    if (plan->child->kind == PZ_PLAN_SORT) {
        struct pz_sort_cut cut = {rows_needed(plan), plan->offset};
        return build_sort(exec, plan->child, &cut, source, err);
    }
    struct pz_pipeline *input;
    PZ_TRY(build_child(exec, plan, &input, err));
    return keep_rows(input, plan->column_count, rows_needed(plan), plan->offset, source, err);
}

enum pz_status
pz_pipeline_build(struct pz_exec *exec, const struct pz_plan *plan, struct pz_pipeline *pipeline,
                  struct pz_error *err)
{
    if (plan->kind == PZ_PLAN_FILTER || plan->kind == PZ_PLAN_PROJECT) {
        return build_op(exec, plan, pipeline, err);
    }
    *pipeline = (struct pz_pipeline){.exec = exec};
    struct pz_sort_cut all = {UINT64_MAX, 0};
    switch (plan->kind) {
    case PZ_PLAN_SCAN:
        return build_scan(exec, plan, &pipeline->source, err);
    case PZ_PLAN_ONE_ROW:
        source_of_one_row(&pipeline->source);
        return PZ_OK;
    case PZ_PLAN_AGGREGATE:
        return build_aggregate(exec, plan, &pipeline->source, err);
    case PZ_PLAN_SORT:
        return build_sort(exec, plan, &all, &pipeline->source, err);
    case PZ_PLAN_LIMIT:
        return build_limit(exec, plan, &pipeline->source, err);
    case PZ_PLAN_FILTER:
    case PZ_PLAN_PROJECT:
    case PZ_PLAN_DISTINCT:
        break;
    }
    PZ_UNREACHABLE("DISTINCT is rewritten to an aggregation, the others stream");
}
