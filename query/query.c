// SPDX-License-Identifier: Apache-2.0
// The façade: engines, and the life of one statement.
#include "query/query.h"

#include "base/clock.h"
#include "query/exec/exec.h"
#include "query/plan/rewrite.h"
#include "query/statement/statement.h"

#include <stdlib.h>

#define QUERY_MEMORY_DEFAULT ((size_t)1 << 30)
#define TIMEOUT_DEFAULT_US (30 * PZ_US_PER_SECOND)
#define COMMIT_POLL_US 1000

struct pz_engine {
    struct pz_store *store;
    struct pz_pool *pool;
    unsigned threads;
    size_t query_memory_bytes;
    unsigned vector_rows;
};

struct pz_engine *
pz_engine_create(struct pz_store *store, const struct pz_engine_options *options)
{
    struct pz_engine *engine = pz_xcalloc(1, sizeof(*engine));
    unsigned threads = options->threads != 0 ? options->threads : pz_cpu_count();
    engine->store = store;
    engine->threads = threads < PZ_WORKERS_MAX ? threads : PZ_WORKERS_MAX;
    engine->query_memory_bytes =
        options->query_memory_bytes != 0 ? options->query_memory_bytes : QUERY_MEMORY_DEFAULT;
    engine->vector_rows = options->vector_rows != 0 && options->vector_rows < PZ_VECTOR_ROWS
                              ? options->vector_rows
                              : PZ_VECTOR_ROWS;
    engine->pool = pz_pool_create(engine->threads, PZ_QUERY_NICE);
    return engine;
}

void
pz_engine_destroy(struct pz_engine *engine)
{
    if (engine != NULL) {
        pz_pool_destroy(engine->pool);
        free(engine);
    }
}

// ---- statements ----------------------------------------------------------------------------

// Waits until the newest version has at least the commit asked for.
static enum pz_status
acquire_version(struct pz_session *session, uint64_t min_commit, struct pz_error *err)
{
    for (;;) {
        session->version = pz_version_acquire(session->store);
        if (pz_version_commit(session->version) >= min_commit) {
            return PZ_OK;
        }
        pz_version_release(session->version);
        session->version = NULL;
        PZ_TRY(pz_session_check(session, err));
        pz_clock_sleep_us(COMMIT_POLL_US);
    }
}

static enum pz_status
run_statement(struct pz_session *session, struct pz_str sql, const struct pz_result_sink *sink,
              struct pz_error *err)
{
    struct pz_statement statement = {0};
    PZ_TRY(pz_statement_prepare(session, sql, &statement, err));
    if (statement.kind == PZ_STATEMENT_COMMAND) {
        if (statement.is_write && session->is_read_only) {
            enum pz_status status = pz_fail_sql(
                err, "25006", 0, "cannot execute a statement that writes: this is read-only");
            return status;
        }
        session->stats->is_write = statement.is_write;
        return statement.run(&statement, session, sink, err);
    }
    PZ_TRY(pz_plan_rewrite(session, &statement.plan, err));
    if (statement.kind == PZ_STATEMENT_EXPLAIN) {
        return pz_exec_explain(session, statement.plan, statement.is_analyze, sink, err);
    }
    return pz_exec_run(session, statement.plan, sink, err);
}

const char *
pz_query_sqlstate(enum pz_status status)
{
    switch (status) {
    case PZ_TOO_LARGE:
        return "54000";
    case PZ_UNSUPPORTED:
        return "0A000";
    case PZ_BUSY:
        return "57P03";
    case PZ_NO_MEMORY:
        return "53200";
    case PZ_FULL:
        return "53100";
    case PZ_TIMEOUT:
    case PZ_CANCELED:
        return "57014";
    case PZ_IO:
        return "58030";
    case PZ_CORRUPT:
        return "XX001";
    case PZ_OK:
    case PZ_INVALID:
    case PZ_NOT_FOUND:
    case PZ_EXISTS:
    case PZ_UNACCEPTABLE:
    case PZ_UNSUPPORTED_MEDIA:
    case PZ_INTERNAL:
        break;
    }
    return "XX000";
}

enum pz_status
pz_query_run(struct pz_engine *engine, struct pz_str sql, const struct pz_query_options *options,
             const struct pz_result_sink *sink, struct pz_query_stats *stats_out,
             struct pz_error *err)
{
    struct pz_budget budget;
    struct pz_arena arena;
    int64_t start_us = pz_clock_mono_us();
    *stats_out = (struct pz_query_stats){0};
    if (sql.len > PZ_SQL_TEXT_MAX) {
        return pz_fail_sql(err, "54000", 0, "the statement is longer than %u bytes",
                           PZ_SQL_TEXT_MAX);
    }
    pz_budget_init(&budget, engine->query_memory_bytes);
    pz_arena_init(&arena, &budget);
    int64_t timeout_us = options->timeout_us > 0 ? options->timeout_us : TIMEOUT_DEFAULT_US;
    struct pz_session session = {.store = engine->store,
                                 .arena = &arena,
                                 .budget = &budget,
                                 .pool = engine->pool,
                                 .threads = engine->threads,
                                 .vector_rows = engine->vector_rows,
                                 .now_us = pz_clock_wall_us(),
                                 .timeout_us = timeout_us,
                                 .deadline_mono_us = start_us + timeout_us,
                                 .cancel = options->cancel,
                                 .is_read_only = options->is_read_only,
                                 .stats = stats_out};
    enum pz_status status = acquire_version(&session, options->min_commit, err);
    if (status == PZ_OK) {
        stats_out->commit = pz_version_commit(session.version);
        status = run_statement(&session, sql, sink, err);
    }
    pz_version_release(session.version);
    if (status != PZ_OK && err != NULL && err->sqlstate[0] == '\0') {
        memcpy(err->sqlstate, pz_query_sqlstate(status), 6);
    }
    stats_out->memory_peak_bytes = atomic_load(&budget.peak_bytes);
    stats_out->elapsed_us = pz_clock_mono_us() - start_us;
    pz_arena_fini(&arena);
    return status;
}

void
pz_query_locate(struct pz_str sql, uint32_t byte_offset, uint32_t *line_out, uint32_t *column_out)
{
    *line_out = 1;
    *column_out = 1;
    for (uint32_t i = 0; i < byte_offset && i < sql.len; i++) {
        if (sql.data[i] == '\n') {
            (*line_out)++;
            *column_out = 1;
        } else if (((unsigned char)sql.data[i] & 0xc0) != 0x80) {
            (*column_out)++;
        }
    }
}
