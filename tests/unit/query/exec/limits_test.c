// SPDX-License-Identifier: Apache-2.0
// The limits of a statement: memory, time, cancellation. Every operator must give up with an error
// that names it, and give back what it took.
#include "tests/sql/answer.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world {
    struct pz_store *store;
    struct pz_engine *engine;
};

static void
world_init(struct world *w, size_t memory_bytes, unsigned threads)
{
    struct pz_error err;
    struct pz_store_options options = {.create = true, .is_ephemeral = true, .is_manual = true};
    PZ_REQUIRE_OK(pz_store_open(pz_test_path("data"), &options, &w->store, &err), &err);
    struct pz_engine_options shape = {.threads = threads, .query_memory_bytes = memory_bytes};
    w->engine = pz_engine_create(w->store, &shape);
    const char *create = "CREATE TABLE t (n BIGINT, s TEXT)";
    struct pz_answer answer;
    pz_answer_run(&answer, w->engine, pz_str_from(create));
    PZ_CHECK_MSG(answer.status == PZ_OK, "%s", answer.error.message);
    pz_answer_fini(&answer);
    struct pz_version *version = pz_version_acquire(w->store);
    const struct pz_table_def *def = pz_version_find_table(version, PZ_STR("t"));
    struct pz_batch batch;
    PZ_REQUIRE_OK(pz_batch_init(&batch, def, &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(&batch, 100000, &err), &err);
    for (int64_t i = 0; i < 100000; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "a text with number %lld", (long long)i);
        pz_column_append_int(&batch.columns[0], i);
        PZ_REQUIRE_OK(
            pz_column_append_text(&batch.columns[1], (struct pz_str){text, (uint32_t)len}, &err),
            &err);
        PZ_REQUIRE_OK(pz_batch_end_row(&batch, false, 0, &err), &err);
    }
    struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
    PZ_CHECK_OK(pz_store_submit_wait(w->store, &write, &err), &err);
    pz_batch_fini(&batch);
    pz_version_release(version);
}

static void
world_fini(struct world *w)
{
    pz_engine_destroy(w->engine);
    pz_store_close(w->store);
}

static void
must_run_out_of_memory(struct world *w, const char *sql, const char *what)
{
    struct pz_answer answer;
    pz_answer_run(&answer, w->engine, pz_str_from(sql));
    PZ_CHECK_EQ_I64(answer.status, PZ_NO_MEMORY);
    PZ_CHECK_EQ_STR(answer.error.sqlstate, "53200");
    PZ_CHECK_CONTAINS(answer.error.message, what);
    PZ_CHECK_CONTAINS(answer.error.hint, "query_memory_bytes");
    pz_answer_fini(&answer);
}

static void
run_out_of_memory(unsigned threads)
{
    struct world w;
    world_init(&w, (size_t)3 << 20, threads);
    must_run_out_of_memory(&w, "SELECT s, count(*) FROM t GROUP BY s", "GROUP BY");
    must_run_out_of_memory(&w, "SELECT count(*) FROM (SELECT DISTINCT s FROM t) d", "DISTINCT");
    must_run_out_of_memory(&w, "SELECT count(DISTINCT s) FROM t", "GROUP BY");
    must_run_out_of_memory(&w, "SELECT s FROM t ORDER BY s DESC", "ORDER BY");
    must_run_out_of_memory(&w, "SELECT max(s) FROM (SELECT s FROM t LIMIT 90000) d", "a subquery");
    struct pz_answer answer; // and the engine goes on
    pz_answer_run(&answer, w.engine, PZ_STR("SELECT count(*) FROM t"));
    PZ_CHECK_EQ_I64(answer.status, PZ_OK);
    pz_answer_fini(&answer);
    world_fini(&w);
}

PZ_TEST(running_out_of_memory_is_an_error_that_names_the_operator)
{
    run_out_of_memory(1);
}

PZ_TEST(running_out_of_memory_in_parallel_is_the_same_error)
{
    run_out_of_memory(4);
}

// Statements that between them use every operator.
static const char *const statements[] = {
    "SELECT n % 10, count(*), sum(n), avg(n / 3.0), min(s), max(s) FROM t GROUP BY 1 ORDER BY 1",
    "SELECT count(DISTINCT n), count(DISTINCT s), sum(DISTINCT n % 7) FROM t WHERE n < 3000",
    "SELECT n, count(DISTINCT s) FROM t WHERE n < 3000 GROUP BY n HAVING count(*) > 0",
    "SELECT upper(s), n FROM t WHERE s LIKE '%9%' ORDER BY 1 DESC, 2 LIMIT 20 OFFSET 3",
    "SELECT s FROM t WHERE n < 3000 ORDER BY s",
    "SELECT DISTINCT left(s, 22) FROM t",
    "SELECT max(x) FROM (SELECT s || s x FROM t WHERE n % 3 = 0 LIMIT 4000 OFFSET 100) d",
    "SELECT CASE WHEN n % 2 = 0 THEN s ELSE coalesce(nullif(s, 'x'), 'y') END FROM t WHERE n < 99",
    "EXPLAIN ANALYZE SELECT n, count(*) FROM t GROUP BY n ORDER BY 2 DESC LIMIT 5",
};

PZ_TEST(memory_may_run_out_anywhere)
{
    struct world w;
    world_init(&w, 0, 1);
    uint32_t failures = 0;
    uint32_t successes = 0;
    for (size_t limit = 20000; limit < ((size_t)48 << 20); limit += limit / 3) {
        struct pz_engine_options shape = {.threads = 2, .query_memory_bytes = limit};
        struct pz_engine *engine = pz_engine_create(w.store, &shape);
        for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
            struct pz_answer answer;
            pz_answer_run(&answer, engine, pz_str_from(statements[i]));
            bool is_expected = answer.status == PZ_OK || answer.status == PZ_NO_MEMORY;
            PZ_CHECK_MSG(is_expected, "%s with %zu bytes: %s", statements[i], limit,
                         answer.error.message);
            failures += answer.status == PZ_NO_MEMORY;
            successes += answer.status == PZ_OK;
            pz_answer_fini(&answer);
        }
        pz_engine_destroy(engine);
    }
    PZ_CHECK(failures > 50);
    PZ_CHECK(successes > 50);
    world_fini(&w);
}

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
    (void)columns;
    (void)column_count;
    (void)err;
    *(uint64_t *)payload += row_count;
    return PZ_OK;
}

// Thousands of steps for each row, and a pattern that has to look at all of them.
static const char slow_sql[] =
    "SELECT count(*) FROM t WHERE replace(replace(s, 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'), 'a', "
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') LIKE "
    "'%_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab%'";

PZ_TEST(a_statement_ends_at_its_time_limit)
{
    struct world w;
    world_init(&w, 0, 2);
    uint64_t rows = 0;
    struct pz_result_sink sink = {&rows, ignore_begin, ignore_rows};
    struct pz_query_options options = {.timeout_us = 50000};
    struct pz_query_stats stats;
    struct pz_error err = {0};
    enum pz_status status =
        pz_query_run(w.engine, pz_str_from(slow_sql), &options, &sink, &stats, &err);
    PZ_CHECK_EQ_I64(status, PZ_TIMEOUT);
    PZ_CHECK_EQ_STR(err.sqlstate, "57014");
    PZ_CHECK_CONTAINS(err.message, "0.05 s");
    world_fini(&w);
}

// `big` is a text of 15 MiB. Each condition is one call of one function over one vector of rows,
// which would take from many seconds to hours, and after it nothing would ask for the time.
static const char *const endless[] = {
    "strpos(big, s) = 5",
    "position(s IN big) = 5",
    "replace(big, s, '') = 'y'",
    "rtrim(big, 'x' || s) = 'y'",
    "btrim(big, s || 'aaaaaaaaaaaaaaaaaaax') = 'y'",
    "left(big, 15000000 + n) = 'y'",
    "right(big, n) = 'y'",
    "substring(big FROM 15000000 + n) = 'y'",
    "substring(big FROM 2 FOR 15000000 + n) = 'y'",
    "big LIKE '%' || s || '%'",
    "big LIKE '%x_' || s || '%'",
    "big ILIKE '%' || s || '%'",
    "big LIKE '%_' || left(big, 7000000 + n) || 'y%'",
    "greatest(big, left(big, 15000000 + n)) = 'y'",
    "n >= 0 HAVING max(CASE WHEN n >= 0 THEN big END) = 'y'",
    "n >= 0 HAVING count(DISTINCT CASE WHEN n >= 0 THEN big END) = 5",
    "n >= 0 GROUP BY CASE WHEN n >= 0 THEN big END",
};

static char *
make_endless(const char *condition)
{
    enum { TIMES = 120, PIECE_BYTES = 128 << 10, ROOM = PIECE_BYTES + 4096 };
    static char times[TIMES + 1];
    static char piece[PIECE_BYTES + 1];
    char *sql = malloc(ROOM);
    PZ_ASSERT(sql != NULL);
    memset(times, 'a', TIMES);
    memset(piece, 'x', PIECE_BYTES);
    int len = snprintf(sql, ROOM,
                       "SELECT count(*) FROM (SELECT n, s, replace('%s', 'a', '%s') AS big FROM t) "
                       "d WHERE n < 2000 AND %s",
                       times, piece, condition);
    PZ_ASSERT(len > 0 && len < ROOM);
    return sql;
}

PZ_TEST(no_function_outlasts_the_time_limit)
{
    struct world w;
    world_init(&w, 0, 1);
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        uint64_t rows = 0;
        struct pz_result_sink sink = {&rows, ignore_begin, ignore_rows};
        struct pz_query_options options = {.timeout_us = 200000};
        struct pz_query_stats stats;
        struct pz_error err = {0};
        char *sql = make_endless(endless[i]);
        enum pz_status status =
            pz_query_run(w.engine, pz_str_from(sql), &options, &sink, &stats, &err);
        free(sql);
        PZ_CHECK_MSG(status == PZ_TIMEOUT && strcmp(err.sqlstate, "57014") == 0, "%s: %s %s",
                     endless[i], err.sqlstate, err.message);
    }
    world_fini(&w);
}

PZ_TEST(a_canceled_statement_ends)
{
    struct world w;
    world_init(&w, 0, 2);
    uint64_t rows = 0;
    _Atomic bool cancel = true;
    struct pz_result_sink sink = {&rows, ignore_begin, ignore_rows};
    struct pz_query_options options = {.cancel = &cancel};
    struct pz_query_stats stats;
    struct pz_error err = {0};
    enum pz_status status =
        pz_query_run(w.engine, pz_str_from(slow_sql), &options, &sink, &stats, &err);
    PZ_CHECK_EQ_I64(status, PZ_CANCELED);
    PZ_CHECK_EQ_STR(err.sqlstate, "57014");
    PZ_CHECK_EQ_U64(rows, 0);
    world_fini(&w);
}

static enum pz_status
refuse_rows(void *payload, const struct pz_slice *columns, uint32_t column_count,
            uint32_t row_count, struct pz_error *err)
{
    (void)columns;
    (void)column_count;
    *(uint64_t *)payload += row_count;
    return pz_fail(err, PZ_CANCELED, "the reader went away");
}

PZ_TEST(a_sink_that_fails_ends_the_statement)
{
    struct world w;
    world_init(&w, 0, 2);
    uint64_t rows = 0;
    struct pz_result_sink sink = {&rows, ignore_begin, refuse_rows};
    struct pz_query_options options = {0};
    struct pz_query_stats stats;
    struct pz_error err = {0};
    enum pz_status status =
        pz_query_run(w.engine, PZ_STR("SELECT n FROM t"), &options, &sink, &stats, &err);
    PZ_CHECK_EQ_I64(status, PZ_CANCELED);
    PZ_CHECK_EQ_STR(err.message, "the reader went away");
    PZ_CHECK(rows > 0 && rows <= PZ_VECTOR_ROWS);
    world_fini(&w);
}

static enum pz_status
refuse_begin(void *payload, const struct pz_result_column *columns, uint32_t column_count,
             struct pz_error *err)
{
    (void)columns;
    (void)column_count;
    return pz_fail(err, *(enum pz_status *)payload, "no");
}

PZ_TEST(failures_that_are_not_of_the_statement_have_a_sqlstate)
{
    static const struct {
        enum pz_status status;
        const char *sqlstate;
    } cases[] = {{PZ_IO, "58030"},      {PZ_CORRUPT, "XX001"}, {PZ_FULL, "53100"},
                 {PZ_BUSY, "57P03"},    {PZ_TIMEOUT, "57014"}, {PZ_TOO_LARGE, "54000"},
                 {PZ_INTERNAL, "XX000"}};
    struct world w;
    world_init(&w, 0, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum pz_status with = cases[i].status;
        struct pz_result_sink sink = {&with, refuse_begin, ignore_rows};
        struct pz_query_options options = {0};
        struct pz_query_stats stats;
        struct pz_error err = {0};
        enum pz_status status =
            pz_query_run(w.engine, PZ_STR("SELECT n FROM t"), &options, &sink, &stats, &err);
        PZ_CHECK_EQ_I64(status, with);
        PZ_CHECK_EQ_STR(err.sqlstate, cases[i].sqlstate);
        PZ_CHECK_EQ_STR(err.message, "no");
    }
    world_fini(&w);
}

PZ_TEST(a_read_only_session_refuses_writes)
{
    struct world w;
    world_init(&w, 0, 1);
    uint64_t rows = 0;
    struct pz_result_sink sink = {&rows, ignore_begin, ignore_rows};
    struct pz_query_options options = {.is_read_only = true};
    struct pz_query_stats stats;
    struct pz_error err = {0};
    enum pz_status status = pz_query_run(w.engine, PZ_STR("INSERT INTO t VALUES (1, 'x')"),
                                         &options, &sink, &stats, &err);
    PZ_CHECK_EQ_I64(status, PZ_INVALID);
    PZ_CHECK_EQ_STR(err.sqlstate, "25006");
    world_fini(&w);
}
