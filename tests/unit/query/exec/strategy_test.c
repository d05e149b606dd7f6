// SPDX-License-Identifier: Apache-2.0
// Every fast way of the executor against the plain one: the same question is asked twice, once as
// it is, once in words that leave only scanning and hashing, and on engines with other numbers of
// threads and sizes of vectors. All answers must be the same bytes.
#include "tests/sql/answer.h"
#include "tests/support/test.h"

#include "base/clock.h"
#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>

#define ROWS_SEALED_FIRST 90000u
#define ROWS_SEALED_SECOND 20000u
#define ROWS_TAIL 5000u

struct engine_shape {
    unsigned threads, vector_rows;
};
static const struct engine_shape shapes[] = {{1, 2048}, {2, 2048}, {4, 1000}, {3, 7}};
#define SHAPES (sizeof shapes / sizeof *shapes)

struct world {
    struct pz_store *store;
    struct pz_engine *engines[SHAPES];
    struct pz_rng rng;
};

static void
must_run(struct world *w, const char *sql)
{
    struct pz_answer answer;
    pz_answer_run(&answer, w->engines[0], pz_str_from(sql));
    PZ_CHECK_MSG(answer.status == PZ_OK, "%s: %s", sql, answer.error.message);
    pz_answer_fini(&answer);
}

static uint32_t
symbol(struct world *w, const struct pz_column_def *column, const char *prefix, uint64_t number)
{
    char name[32];
    uint32_t code = 0;
    struct pz_error err;
    int len = snprintf(name, sizeof name, "%s%llu", prefix, (unsigned long long)number);
    PZ_REQUIRE_OK(pz_symbol_intern(w->store, column->domain_id,
                                   (struct pz_str){name, (uint32_t)len}, &code, &err),
                  &err);
    return code;
}

// One random row of (ts, k, g, id, v, x, b, f); a tenth of the values are NULL.
static void
add_row(struct world *w, struct pz_batch *batch)
{
    struct pz_rng *rng = &w->rng;
    const struct pz_column_def *defs = batch->def->columns;
    struct pz_column *c = batch->columns;
    int64_t base = INT64_C(1767225600) * PZ_US_PER_SECOND; // 2026-01-01
    bool is_null[8];
    for (int i = 0; i < 8; i++) {
        is_null[i] = pz_rng_chance(rng, i == 0 ? 0.002 : 0.1);
    }
    struct pz_error err;
    char text[32];
    int len = snprintf(text, sizeof text, "text %llu", (unsigned long long)pz_rng_below(rng, 500));
    int64_t us = base + pz_rng_range(rng, 0, 40 * PZ_US_PER_DAY);
    uint64_t skewed = pz_rng_below(rng, 1 + pz_rng_below(rng, 300));
    PZ_REQUIRE_OK(pz_batch_reserve(batch, 1, &err), &err);
    is_null[0] ? pz_column_append_null(&c[0]) : pz_column_append_int(&c[0], us);
    is_null[1] ? pz_column_append_null(&c[1])
               : pz_column_append_code(&c[1], symbol(w, &defs[1], "k", skewed));
    is_null[2] ? pz_column_append_null(&c[2])
               : pz_column_append_code(&c[2], symbol(w, &defs[2], "g", pz_rng_below(rng, 3)));
    is_null[3] ? pz_column_append_null(&c[3])
               : pz_column_append_int(&c[3], 1000 + (int64_t)pz_rng_below(rng, 2000));
    is_null[4] ? pz_column_append_null(&c[4])
               : pz_column_append_int(&c[4], pz_rng_range(rng, -50, 1000000));
    is_null[5] ? pz_column_append_null(&c[5])
               : pz_column_append_real(&c[5], (double)pz_rng_range(rng, -1000, 1000) / 7.0);
    if (is_null[6]) {
        pz_column_append_null(&c[6]);
    } else {
        PZ_REQUIRE_OK(pz_column_append_text(&c[6], (struct pz_str){text, (uint32_t)len}, &err),
                      &err);
    }
    is_null[7] ? pz_column_append_null(&c[7])
               : pz_column_append_byte(&c[7], pz_rng_chance(rng, 0.3));
    PZ_REQUIRE_OK(pz_batch_end_row(batch, false, 0, &err), &err);
}

static void
add_rows(struct world *w, uint32_t count)
{
    struct pz_error err;
    struct pz_version *version = pz_version_acquire(w->store);
    const struct pz_table_def *def = pz_version_find_table(version, PZ_STR("e"));
    PZ_REQUIRE(def != NULL);
    for (uint32_t done = 0; done < count;) {
        struct pz_batch batch;
        PZ_REQUIRE_OK(pz_batch_init(&batch, def, &err), &err);
        for (uint32_t i = 0; i < 5000 && done < count; i++, done++) {
            add_row(w, &batch);
        }
        struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
        PZ_CHECK_OK(pz_store_submit_wait(w->store, &write, &err), &err);
        free(write.row_errors);
        pz_batch_fini(&batch);
    }
    pz_version_release(version);
}

static void
world_init(struct world *w)
{
    struct pz_error err;
    struct pz_store_options options = {.create = true, .is_ephemeral = true, .is_manual = true};
    pz_rng_init(&w->rng, pz_test_seed());
    PZ_REQUIRE_OK(pz_store_open(pz_test_path("data"), &options, &w->store, &err), &err);
    for (size_t i = 0; i < SHAPES; i++) {
        struct pz_engine_options shape = {.threads = shapes[i].threads,
                                          .vector_rows = shapes[i].vector_rows};
        w->engines[i] = pz_engine_create(w->store, &shape);
    }
    must_run(w, "CREATE TABLE e (ts TIMESTAMP, k SYMBOL, g SYMBOL, id BIGINT, v BIGINT, "
                "x DOUBLE, b TEXT, f BOOLEAN)");
    add_rows(w, ROWS_SEALED_FIRST);
    PZ_REQUIRE_OK(pz_store_seal_now(w->store, 0, &err), &err);
    must_run(w, "DELETE FROM e WHERE id % 17 = 3 AND ts < '2026-01-05'");
    add_rows(w, ROWS_SEALED_SECOND);
    PZ_REQUIRE_OK(pz_store_seal_now(w->store, 0, &err), &err);
    add_rows(w, ROWS_TAIL);
    must_run(w, "DELETE FROM e WHERE v = 77");
}

static void
world_fini(struct world *w)
{
    for (size_t i = 0; i < SHAPES; i++) {
        pz_engine_destroy(w->engines[i]);
    }
    pz_store_close(w->store);
}

static void
check_same(const struct pz_answer *a, const struct pz_answer *b, const char *sql,
           const struct engine_shape *shape)
{
    bool is_same = a->line_count == b->line_count;
    for (size_t i = 0; is_same && i < a->line_count; i++) {
        is_same = pz_str_equal(a->lines[i], b->lines[i]);
        PZ_CHECK_MSG(is_same, "%s (threads %u, vectors %u), line %zu: %.*s, not %.*s", sql,
                     shape->threads, shape->vector_rows, i, PZ_STR_ARG(b->lines[i]),
                     PZ_STR_ARG(a->lines[i]));
    }
    PZ_CHECK_MSG(a->line_count == b->line_count, "%s (threads %u, vectors %u): %zu lines, not %zu",
                 sql, shape->threads, shape->vector_rows, b->line_count, a->line_count);
}

// Asks `plain` on the first engine and `fast` on all of them.
static void
compare(struct world *w, const char *fast, const char *plain, bool is_ordered)
{
    struct pz_answer expected;
    pz_answer_run(&expected, w->engines[0], pz_str_from(plain));
    PZ_CHECK_MSG(expected.status == PZ_OK, "%s: %s", plain, expected.error.message);
    PZ_CHECK_MSG(expected.line_count > 0, "%s gives no rows", plain);
    if (!is_ordered) {
        pz_answer_sort(&expected);
    }
    for (size_t i = 0; i < SHAPES; i++) {
        struct pz_answer answer;
        pz_answer_run(&answer, w->engines[i], pz_str_from(fast));
        PZ_CHECK_MSG(answer.status == PZ_OK, "%s: %s", fast, answer.error.message);
        if (!is_ordered) {
            pz_answer_sort(&answer);
        }
        check_same(&expected, &answer, fast, &shapes[i]);
        pz_answer_fini(&answer);
    }
    pz_answer_fini(&expected);
}

#define DAY "CAST(ts AS DATE)"
#define PLAIN_TS "(ts + INTERVAL '0 seconds')"
#define PLAIN_DAY "CAST(" PLAIN_TS " AS DATE)"
#define ALL "count(*), count(v), sum(v), avg(v), min(v), max(v), min(x), max(x), sum(x), avg(x)"
// A condition that is true for every row and that no statistics know.
#define EVERY "(v IS NULL OR v * 0 = 0)"

static const struct {
    const char *fast, *plain;
} pairs[] = {
    // Answers from statistics.
    {"SELECT " ALL " FROM e", "SELECT " ALL " FROM e WHERE " EVERY},
    {"SELECT count(*), count(ts), min(ts), max(ts), min(f), max(f), count(b), count(k) FROM e",
     "SELECT count(*), count(ts), min(ts), max(ts), min(f), max(f), count(b), count(k) FROM e "
     "WHERE " EVERY},
    {"SELECT " DAY ", " ALL " FROM e GROUP BY 1",
     "SELECT " PLAIN_DAY ", " ALL " FROM e GROUP BY 1"},
    {"SELECT date_trunc('week', ts), count(*), sum(v) FROM e GROUP BY 1",
     "SELECT date_trunc('week', " PLAIN_TS "), count(*), sum(v) FROM e GROUP BY 1"},
    {"SELECT date_trunc('month', ts), count(*), avg(v) FROM e GROUP BY 1",
     "SELECT date_trunc('month', " PLAIN_TS "), count(*), avg(v) FROM e GROUP BY 1"},
    {"SELECT extract(dow FROM ts), sum(v) FROM e GROUP BY 1",
     "SELECT extract(dow FROM " PLAIN_TS "), sum(v) FROM e GROUP BY 1"},
    {"SELECT " DAY ", count(*), sum(v) FROM e WHERE ts >= '2026-01-04 13:30:00' AND "
     "ts < '2026-02-02 08:00:00' GROUP BY 1",
     "SELECT " PLAIN_DAY ", count(*), sum(v) FROM e WHERE " PLAIN_TS
     " >= '2026-01-04 13:30:00' AND " PLAIN_TS " < '2026-02-02 08:00:00' GROUP BY 1"},
    {"SELECT count(*), sum(v) FROM e WHERE CAST(ts AS DATE) BETWEEN '2026-01-10' AND '2026-01-20'",
     "SELECT count(*), sum(v) FROM e WHERE " PLAIN_DAY " BETWEEN '2026-01-10' AND '2026-01-20'"},
    {"SELECT count(*) FROM e WHERE date_trunc('week', ts) = '2026-01-12'",
     "SELECT count(*) FROM e WHERE date_trunc('week', " PLAIN_TS ") = '2026-01-12'"},
    // Zone maps.
    {"SELECT count(*), sum(v) FROM e WHERE id = 1500",
     "SELECT count(*), sum(v) FROM e WHERE id + 0 = 1500"},
    {"SELECT count(*) FROM e WHERE id IN (1001, 1002, 2999, NULL)",
     "SELECT count(*) FROM e WHERE id + 0 IN (1001, 1002, 2999, NULL)"},
    {"SELECT count(*) FROM e WHERE id NOT IN (1001, 1002)",
     "SELECT count(*) FROM e WHERE NOT (id + 0 = 1001 OR id + 0 = 1002)"},
    {"SELECT count(*) FROM e WHERE ts IS NULL",
     "SELECT count(*) FROM e WHERE " PLAIN_TS " IS NULL"},
    {"SELECT count(*) FROM e WHERE x > 140.5 AND v IS NOT NULL",
     "SELECT count(*) FROM e WHERE x + 0 > 140.5 AND v + 0 IS NOT NULL"},
    // Symbols.
    {"SELECT count(*), sum(v) FROM e WHERE k = 'k7'",
     "SELECT count(*), sum(v) FROM e WHERE k || '' = 'k7' AND " EVERY},
    {"SELECT count(*) FROM e WHERE k LIKE 'k1%' AND g IN ('g0', 'g2', 'none')",
     "SELECT count(*) FROM e WHERE concat(k, b) LIKE 'k1%' AND k IS NOT NULL AND "
     "(concat(g, f::text) LIKE 'g0%' OR concat(g, f::text) LIKE 'g2%')"},
    {"SELECT count(*) FROM e WHERE upper(k) >= 'K2'",
     "SELECT count(*) FROM e WHERE upper(concat(k, left(b, 0))) >= 'K2' AND k IS NOT NULL"},
    {"SELECT coalesce(k, 'none'), count(*) FROM e GROUP BY 1",
     "SELECT concat(coalesce(k, 'none'), left(b, 0)), count(*) FROM e GROUP BY 1"},
    // Dense keys.
    {"SELECT k, " ALL " FROM e GROUP BY k", "SELECT k || '', " ALL " FROM e GROUP BY 1"},
    {"SELECT g, f, " ALL " FROM e GROUP BY 1, 2",
     "SELECT g || '', CAST(CAST(f AS TEXT) AS BOOLEAN), " ALL " FROM e GROUP BY 1, 2"},
    {"SELECT id, count(*), sum(v), min(b), max(k) FROM e GROUP BY 1",
     "SELECT id + 0, count(*), sum(v), min(b), max(k || '') FROM e GROUP BY 1"},
    {"SELECT " DAY ", k, count(*), sum(x) FROM e GROUP BY 1, 2",
     "SELECT " PLAIN_DAY ", k || '', count(*), sum(x) FROM e GROUP BY 1, 2"},
    {"SELECT k, id, g, count(*), sum(v) FROM e GROUP BY 1, 2, 3", // packed into one word
     "SELECT k || '', id + 0, g || '', count(*), sum(v) FROM e GROUP BY 1, 2, 3"},
    {"SELECT extract(hour FROM ts), f, count(*) FROM e GROUP BY 1, 2",
     "SELECT extract(hour FROM " PLAIN_TS ") + 0, f, count(*) FROM e GROUP BY 1, 2"},
    // DISTINCT.
    {"SELECT count(DISTINCT k), sum(DISTINCT id) FROM e",
     "SELECT count(DISTINCT concat(k, left(b, 0))) - 1, sum(DISTINCT id + 0) FROM e"},
    {"SELECT count(DISTINCT k) FROM e", "SELECT count(s) FROM (SELECT DISTINCT k s FROM e) d"},
    {"SELECT count(DISTINCT id) FROM e",
     "SELECT count(s) FROM (SELECT DISTINCT id + 0 s FROM e) d"},
    {"SELECT count(DISTINCT b), count(DISTINCT f), sum(DISTINCT x) FROM e",
     "SELECT count(DISTINCT b || ''), count(DISTINCT CAST(f AS TEXT)), sum(DISTINCT x + 0) FROM e"},
    {"SELECT g, count(DISTINCT k), count(DISTINCT id), sum(DISTINCT id) FROM e GROUP BY g",
     "SELECT g || '', count(DISTINCT k || ''), count(DISTINCT id + 0), sum(DISTINCT id + 0) FROM e "
     "GROUP BY 1"},
    {"SELECT b, count(DISTINCT k), avg(DISTINCT v) FROM e GROUP BY b",
     "SELECT b || '', count(DISTINCT k || ''), avg(DISTINCT v + 0) FROM e GROUP BY 1"},
    {"SELECT DISTINCT k, g FROM e", "SELECT DISTINCT k || '', g || '' FROM e"},
};

PZ_TEST(fast_ways_agree_with_the_plain_one)
{
    struct world w;
    world_init(&w);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        compare(&w, pairs[i].fast, pairs[i].plain, false);
    }
    world_fini(&w);
}

// The first rows of a sort with a limit, against those of the whole sort.
static void
check_top(struct world *w, const char *columns, const char *order, unsigned limit, unsigned offset)
{
    char whole[300];
    char top[400];
    (void)snprintf(whole, sizeof whole, "SELECT %s FROM e ORDER BY %s", columns, order);
    (void)snprintf(top, sizeof top, "%s LIMIT %u OFFSET %u", whole, limit, offset);
    struct pz_answer expected;
    pz_answer_run(&expected, w->engines[0], pz_str_from(whole));
    PZ_CHECK_MSG(expected.status == PZ_OK, "%s: %s", whole, expected.error.message);
    for (size_t i = 0; i < SHAPES; i++) {
        struct pz_answer answer;
        pz_answer_run(&answer, w->engines[i], pz_str_from(top));
        PZ_CHECK_MSG(answer.status == PZ_OK, "%s: %s", top, answer.error.message);
        PZ_CHECK_EQ_U64(answer.line_count, limit);
        for (size_t k = 0; k < answer.line_count && offset + k < expected.line_count; k++) {
            struct pz_str want = expected.lines[offset + k];
            PZ_CHECK_MSG(pz_str_equal(answer.lines[k], want),
                         "%s (threads %u), row %zu: %.*s, not %.*s", top, shapes[i].threads, k,
                         PZ_STR_ARG(answer.lines[k]), PZ_STR_ARG(want));
        }
        pz_answer_fini(&answer);
    }
    pz_answer_fini(&expected);
}

PZ_TEST(a_limit_gives_the_first_rows_of_the_whole_sort)
{
    struct world w;
    world_init(&w);
    check_top(&w, "ts, k, id", "ts DESC", 10, 0);
    check_top(&w, "ts, k, id", "ts DESC NULLS LAST", 10, 5);
    check_top(&w, "ts, id", "ts", 100, 3);
    check_top(&w, "id, v, ts", "id DESC NULLS LAST, v", 200, 0);
    check_top(&w, "k, v", "k, v DESC", 50, 1000);
    check_top(&w, "b, x", "b DESC, x", 5, 0);
    check_top(&w, "g, k", "g", 20, 0); // many ties: the other column decides
    check_top(&w, "x, id", "x NULLS FIRST", 15, 10000);
    check_top(&w, "f, id, k", "f DESC, id", 30, 0);
    world_fini(&w);
}

PZ_TEST(scans_count_what_they_skip)
{
    struct world w;
    struct pz_answer answer;
    world_init(&w);
    pz_answer_run(&answer, w.engines[0], PZ_STR("SELECT count(*) FROM e WHERE id > 100000"));
    PZ_CHECK_EQ_U64(answer.stats.blocks_scanned, 1); // the tail has no statistics
    PZ_CHECK(answer.stats.blocks_skipped >= 3);
    pz_answer_fini(&answer);
    pz_answer_run(&answer, w.engines[0], PZ_STR("SELECT min(ts), max(ts) FROM e"));
    PZ_CHECK_EQ_U64(answer.stats.rows_scanned > 0, 1); // blocks with deleted rows are read
    pz_answer_fini(&answer);
    world_fini(&w);
}
