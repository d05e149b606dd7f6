// SPDX-License-Identifier: Apache-2.0
// The rewrite rules, by what EXPLAIN shows of a plan afterwards.
#include "tests/sql/answer.h"
#include "tests/support/test.h"

struct world {
    struct pz_store *store;
    struct pz_engine *engine;
};

static void
world_init(struct world *w)
{
    struct pz_error err;
    struct pz_store_options options = {.create = true, .is_ephemeral = true, .is_manual = true};
    PZ_REQUIRE_OK(pz_store_open(pz_test_path("data"), &options, &w->store, &err), &err);
    struct pz_engine_options shape = {.threads = 1};
    w->engine = pz_engine_create(w->store, &shape);
}

static void
world_fini(struct world *w)
{
    pz_engine_destroy(w->engine);
    pz_store_close(w->store);
}

// The lines of the plan, each without its indent.
static void
check_plan(struct world *w, const char *sql, const char *const *lines)
{
    char text[600] = "EXPLAIN ";
    struct pz_answer answer;
    size_t count = 0;
    strncat(text, sql, sizeof text - strlen(text) - 1);
    pz_answer_run(&answer, w->engine, pz_str_from(text));
    PZ_CHECK_MSG(answer.status == PZ_OK, "%s: %s", sql, answer.error.message);
    for (; lines[count] != NULL; count++) {
        if (count >= answer.line_count) {
            break;
        }
        struct pz_str line = answer.lines[count];
        while (line.len > 0 && line.data[0] == ' ') {
            line.data++;
            line.len--;
        }
        PZ_CHECK_EQ_PZ_STR(line, lines[count]);
    }
    PZ_CHECK_MSG(lines[count] == NULL && count == answer.line_count, "%s: %zu lines", sql,
                 answer.line_count);
    pz_answer_fini(&answer);
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

PZ_TEST(comparisons_with_constants_become_ranges)
{
    struct world w;
    world_init(&w);
    check_plan(
        &w, "SELECT message_id FROM views WHERE message_id > 5 AND 100 >= message_id",
        LINES("project message_id", "scan views (message_id) where message_id between 6 and 100"));
    check_plan(&w, "SELECT message_id FROM views WHERE CAST(viewed_at AS DATE) = '2026-02-03'",
               LINES("project message_id",
                     "scan views (message_id, viewed_at) where viewed_at between "
                     "'2026-02-03 00:00:00' and '2026-02-03 23:59:59.999999'"));
    check_plan(&w,
               "SELECT message_id FROM views WHERE date_trunc('month', viewed_at) > '2026-02-03'",
               LINES("project message_id", "scan views (message_id, viewed_at) where viewed_at >= "
                                           "'2026-03-01 00:00:00'"));
    check_plan(&w, "SELECT message_id FROM views WHERE message_id < 3 AND message_id > 2 + 3",
               LINES("project message_id", "scan views (message_id) where message_id in no range"));
    world_fini(&w);
}

PZ_TEST(filters_go_down_to_the_scan)
{
    struct world w;
    world_init(&w);
    check_plan(&w,
               "SELECT n FROM (SELECT user_id u, count(*) n FROM likes GROUP BY 1) g "
               "WHERE u = 'ann' AND n > 2",
               LINES("project count", "filter count >= 3", "aggregate count(*) group by user_id",
                     "scan likes (user_id) where by symbol [cast(user_id as TEXT) = 'ann']"));
    check_plan(&w, "SELECT x FROM (SELECT message_id + 1 x, delta FROM likes) s WHERE x * 2 = 8",
               LINES("project (message_id + 1)",
                     "scan likes (message_id) where ((message_id + 1) * 2) = 8"));
    // Not below a limit: it would change which rows are counted.
    check_plan(&w, "SELECT delta FROM (SELECT delta FROM likes LIMIT 5) s WHERE delta = 1",
               LINES("project delta", "filter delta = 1", "project delta", "limit 5",
                     "scan likes (delta)"));
    world_fini(&w);
}

PZ_TEST(days_of_the_time_column_are_read_off_the_runs)
{
    struct world w;
    world_init(&w);
    check_plan(&w, "SELECT CAST(viewed_at AS DATE), count(*), sum(watch_ms) FROM views GROUP BY 1",
               LINES("project group, count, sum", "aggregate count(*), sum(watch_ms) group by day",
                     "scan views (watch_ms, day of viewed_at)"));
    check_plan(&w, "SELECT date_trunc('hour', viewed_at), count(*) FROM views GROUP BY 1",
               LINES("project group, count",
                     "aggregate count(*) group by date_trunc('hour', viewed_at)",
                     "scan views (viewed_at)"));
    world_fini(&w);
}

PZ_TEST(what_nobody_reads_is_not_made)
{
    struct world w;
    world_init(&w);
    check_plan(&w,
               "SELECT max(n) FROM (SELECT user_id, count(*) n, sum(watch_ms) s FROM views "
               "GROUP BY 1) g",
               LINES("project max", "aggregate max(count)", "aggregate count(*) group by user_id",
                     "scan views (user_id)"));
    check_plan(&w, "SELECT count(*) FROM (SELECT body FROM messages ORDER BY 1) s",
               LINES("project count", "aggregate count(*)", "sort by body", "project body",
                     "scan messages (body)"));
    world_fini(&w);
}

PZ_TEST(errors_are_not_folded_away_nor_brought_forward)
{
    struct world w;
    struct pz_answer answer;
    world_init(&w);
    pz_answer_run(&answer, w.engine, PZ_STR("SELECT CASE WHEN 1 = 1 THEN 2 ELSE 1 / 0 END"));
    PZ_CHECK_EQ_I64(answer.status, PZ_OK);
    pz_answer_fini(&answer);
    pz_answer_run(&answer, w.engine, PZ_STR("SELECT 1 / 0 FROM messages")); // no row, no error
    PZ_CHECK_EQ_I64(answer.status, PZ_OK);
    pz_answer_fini(&answer);
    pz_answer_run(&answer, w.engine, PZ_STR("SELECT 1 / 0"));
    PZ_CHECK_EQ_STR(answer.error.sqlstate, "22012");
    PZ_CHECK_EQ_U64(answer.error.sql_offset, 10);
    pz_answer_fini(&answer);
    world_fini(&w);
}
