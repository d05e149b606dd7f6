// SPDX-License-Identifier: Apache-2.0
// EXPLAIN: the plan as lines of text, the top node first; with ANALYZE, after running it.
#include "base/clock.h"
#include "query/exec/exec_internal.h"
#include "query/plan/print.h"

static enum pz_status
ignore_begin(void *payload, const struct pz_result_column *columns, uint32_t column_count,
             struct pz_error *err)
{
    (void)payload;
    (void)columns;
    (void)column_count;
    (void)err;
    return PZ_OK;
}

static enum pz_status
ignore_rows(void *payload, const struct pz_slice *columns, uint32_t column_count,
            uint32_t row_count, struct pz_error *err)
{
    (void)payload;
    (void)columns;
    (void)column_count;
    (void)row_count;
    (void)err;
    return PZ_OK;
}

static void
indent(struct pz_buffer *buffer, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        pz_buffer_append_c(buffer, "  ");
    }
}

static void
print_measures(const struct pz_exec *exec, const struct pz_plan *plan, unsigned depth,
               struct pz_buffer *buffer)
{
    struct pz_node_stats *stats = pz_exec_node(exec, plan);
    uint64_t rows = atomic_load(&stats->rows);
    if (plan->kind == PZ_PLAN_LIMIT || plan->kind == PZ_PLAN_ONE_ROW) {
        return; // nothing is done there: the node below or above counts
    }
    indent(buffer, depth);
    pz_buffer_append_c(buffer, "  rows ");
    pz_buffer_printf(buffer, "%llu", (unsigned long long)rows);
    if (stats->strategy[0] != '\0') {
        pz_buffer_printf(buffer, "; %s", stats->strategy);
    }
    if (plan->kind == PZ_PLAN_SCAN) {
        pz_buffer_printf(buffer,
                         "; blocks scanned %llu, from statistics %llu, skipped %llu; rows read "
                         "%llu",
                         (unsigned long long)atomic_load(&stats->blocks_scanned),
                         (unsigned long long)atomic_load(&stats->blocks_from_stats),
                         (unsigned long long)atomic_load(&stats->blocks_skipped),
                         (unsigned long long)atomic_load(&stats->rows_scanned));
    }
    if (stats->was_run) {
        pz_buffer_printf(buffer, "; %.3f ms; memory %zu KiB", (double)stats->elapsed_us / 1000.0,
                         stats->memory_bytes / 1024);
    }
    pz_buffer_append_char(buffer, '\n');
}

static void
print_plan(const struct pz_exec *exec, const struct pz_plan *plan, struct pz_buffer *buffer)
{
    for (unsigned depth = 0; plan != NULL; plan = plan->child, depth++) {
        indent(buffer, depth);
        pz_plan_print_node(plan, buffer);
        pz_buffer_append_char(buffer, '\n');
        if (exec != NULL) {
            print_measures(exec, plan, depth, buffer);
        }
    }
}

// One row a line.
static enum pz_status
deliver(struct pz_session *session, const struct pz_buffer *text, const struct pz_result_sink *sink,
        struct pz_error *err)
{
    struct pz_result_column column = {"plan", PZ_TYPE_TEXT};
    PZ_TRY(sink->begin(sink->payload, &column, 1, err));
    struct pz_str lines[64];
    uint32_t count = 0;
    for (size_t at = 0; at < text->len;) {
        const char *end = memchr(text->data + at, '\n', text->len - at);
        PZ_ASSERT(end != NULL);
        lines[count++] = (struct pz_str){text->data + at, (uint32_t)(end - (text->data + at))};
        at = (size_t)(end - text->data) + 1;
        if (count == 64 || at == text->len) {
            struct pz_slice slice = {PZ_TYPE_TEXT, count, NULL, lines};
            PZ_TRY(sink->rows(sink->payload, &slice, 1, count, err));
            session->stats->row_count += count;
            count = 0;
        }
    }
    return PZ_OK;
}

static enum pz_status
analyze(struct pz_session *session, struct pz_plan *plan, struct pz_buffer *text,
        struct pz_error *err)
{
    struct pz_exec exec;
    struct pz_result_sink ignore = {NULL, ignore_begin, ignore_rows};
    pz_exec_init(&exec, session);
    int64_t start_us = pz_clock_mono_us();
    enum pz_status status = pz__exec_run(&exec, plan, &ignore, err);
    if (status == PZ_OK) {
        print_plan(&exec, plan, text);
        pz_buffer_printf(text, "total %.3f ms; threads %u; peak memory %zu KiB\n",
                         (double)(pz_clock_mono_us() - start_us) / 1000.0, session->threads,
                         atomic_load(&session->budget->peak_bytes) / 1024);
    }
    pz_exec_fini(&exec);
    session->stats->row_count = 0; // those of the statement were not delivered
    return status;
}

enum pz_status
pz_exec_explain(struct pz_session *session, struct pz_plan *plan, bool is_analyze,
                const struct pz_result_sink *sink, struct pz_error *err)
{
    struct pz_buffer text = {0};
    enum pz_status status = PZ_OK;
    if (is_analyze) {
        status = analyze(session, plan, &text, err);
    } else {
        print_plan(NULL, plan, &text);
    }
    if (status == PZ_OK && text.is_failed) {
        status = pz_session_fail_memory(session, "EXPLAIN", err);
    }
    if (status == PZ_OK) {
        status = deliver(session, &text, sink, err);
    }
    pz_buffer_fini(&text);
    return status;
}
