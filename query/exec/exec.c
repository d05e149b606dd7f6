// SPDX-License-Identifier: Apache-2.0
// The ways into execution: run a plan for its rows, or for the places of the rows.
#include "query/exec/exec.h"

#include "base/clock.h"
#include "query/exec/exec_internal.h"
#include "query/exec/result.h"
#include "query/exec/scan.h"
#include "query/plan/rewrite.h"

// ---- plans ---------------------------------------------------------------------------------

// A LIMIT on top needs no rows kept: they are counted on their way out.
static enum pz_status
run_top(struct pz_exec *exec, struct pz_plan *plan, struct pz_result *result, struct pz_error *err)
{
    uint64_t limit = UINT64_MAX;
    bool is_limit = plan->kind == PZ_PLAN_LIMIT && plan->child->kind != PZ_PLAN_SORT;
    if (is_limit) {
        result->skip = plan->offset;
        if (plan->has_limit && !pz_add_u64(plan->limit, plan->offset, &limit)) {
            limit = UINT64_MAX;
        }
    }
    struct pz_pipeline pipeline = {0};
    PZ_TRY(pz_pipeline_build(exec, is_limit ? plan->child : plan, &pipeline, err));
    struct pz_consumer consumer = {result, pz_result_consume};
    return pz_pipeline_run_in_order(&pipeline, limit, &consumer, err);
}

enum pz_status
pz__exec_run(struct pz_exec *exec, struct pz_plan *plan, const struct pz_result_sink *sink,
             struct pz_error *err)
{
    struct pz_result result;
    PZ_TRY(pz_exec_prepare_nodes(exec, plan, err));
    PZ_TRY(pz_result_begin(&result, exec, plan, sink, err));
    PZ_TRY(run_top(exec, plan, &result, err));
    pz_exec_add_totals(exec);
    return PZ_OK;
}

enum pz_status
pz_exec_run(struct pz_session *session, struct pz_plan *plan, const struct pz_result_sink *sink,
            struct pz_error *err)
{
    struct pz_exec exec;
    pz_exec_init(&exec, session);
    enum pz_status status = pz__exec_run(&exec, plan, sink, err);
    pz_exec_fini(&exec);
    return status;
}

// ---- rows to delete ------------------------------------------------------------------------

struct selector {
    struct pz_session *session;
    struct pz_row_selection *selection;
    _Atomic uint64_t count;
};

static enum pz_status
select_open(struct pz_sink *sink, struct pz_worker *worker, struct pz_error *err)
{
    (void)err;
    worker->sink_state = sink;
    return PZ_OK;
}

// Blocks are morsels: one worker alone works on a block's bits.
static enum pz_status
select_rows(struct pz_sink *sink, struct pz_worker *worker, const struct pz_portion *portion,
            struct pz_error *err)
{
    struct selector *selector = sink->payload;
    uint32_t block;
    uint32_t first;
    pz_scan_place(worker, &block, &first);
    uint64_t **bits = &selector->selection->blocks[block];
    if (*bits == NULL) {
        *bits = pz_arena_alloc_zero(worker->arena, PZ_BIT_WORDS(PZ_BLOCK_ROWS) * sizeof(uint64_t));
        if (*bits == NULL) {
            return pz_session_fail_memory(selector->session, "DELETE", err);
        }
    }
    for (uint32_t i = 0; i < portion->rows.count; i++) {
        pz_bit_set(*bits, first + (portion->rows.rows != NULL ? portion->rows.rows[i] : i));
    }
    atomic_fetch_add(&selector->count, portion->rows.count);
    return PZ_OK;
}

// The bits lie in the workers' arenas, which end with the execution.
static enum pz_status
copy_bits(struct selector *selector, struct pz_error *err)
{
    for (uint32_t i = 0; i < selector->selection->block_count; i++) {
        uint64_t **bits = &selector->selection->blocks[i];
        if (*bits == NULL) {
            continue;
        }
        size_t bytes = PZ_BIT_WORDS(PZ_BLOCK_ROWS) * sizeof(uint64_t);
        uint64_t *copy = pz_arena_alloc(selector->session->arena, bytes);
        if (copy == NULL) {
            return pz_session_fail_memory(selector->session, "DELETE", err);
        }
        memcpy(copy, *bits, bytes);
        *bits = copy;
    }
    return PZ_OK;
}

static enum pz_status
run_selector(struct pz_exec *exec, struct pz_plan *scan, struct selector *selector,
             struct pz_error *err)
{
    struct pz_pipeline pipeline = {0};
    struct pz_sink sink = {.payload = selector, .open = select_open, .consume = select_rows};
    void *states[PZ_WORKERS_MAX];
    uint32_t workers;
    PZ_TRY(pz_exec_prepare_nodes(exec, scan, err));
    PZ_TRY(pz_pipeline_build(exec, scan, &pipeline, err));
    selector->selection->block_count = pipeline.source.morsel_count;
    selector->selection->blocks = pz_arena_alloc_zero(
        exec->session->arena, pipeline.source.morsel_count * sizeof(uint64_t *));
    if (selector->selection->blocks == NULL) {
        return pz_exec_fail_memory(exec, "DELETE", err);
    }
    PZ_TRY(pz_pipeline_run(&pipeline, &sink, states, &workers, err));
    pz_exec_add_totals(exec);
    return copy_bits(selector, err);
}

enum pz_status
pz_exec_select_rows(struct pz_session *session, const struct pz_table_def *table,
                    struct pz_expr *filter, struct pz_row_selection *selection_out,
                    uint64_t *count_out, struct pz_error *err)
{
    struct pz_plan *scan = pz_plan_make(session->arena, PZ_PLAN_SCAN, NULL, table->column_count);
    if (scan == NULL) {
        return pz_session_fail_memory(session, "DELETE", err);
    }
    scan->table = table;
    for (uint32_t i = 0; i < table->column_count; i++) {
        scan->columns[i] =
            (struct pz_plan_column){pz_str_from(table->columns[i].name), table->columns[i].type,
                                    table->columns[i].domain_id};
    }
    struct pz_plan *plan = scan;
    if (filter != NULL) {
        plan = pz_plan_make_like(session->arena, PZ_PLAN_FILTER, scan);
        if (plan == NULL) {
            return pz_session_fail_memory(session, "DELETE", err);
        }
        plan->filter = filter;
    }
    PZ_TRY(pz_plan_rewrite_rows(session, &plan, err));
    *selection_out = (struct pz_row_selection){.def = table, .version = session->version};
    struct selector selector = {.session = session, .selection = selection_out};
    struct pz_exec exec;
    pz_exec_init(&exec, session);
    enum pz_status status = run_selector(&exec, plan, &selector, err);
    pz_exec_fini(&exec);
    *count_out = atomic_load(&selector.count);
    return status;
}
