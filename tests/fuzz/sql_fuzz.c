// SPDX-License-Identifier: Apache-2.0
// Broken SQL: statements are cut, mixed and garbled, then run over a small store. Whatever comes
// out, it must be an answer, or an error with a SQLSTATE, a sentence and a place inside the text.
//
//     fuzz_sql [--seed N]
#include "base/clock.h"
#include "query/query.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 60000u
#define TEXT_MAX 4096u

static const char *const corpus[] = {
    "SELECT * FROM t ORDER BY id",
    "SELECT device, count(*), sum(n), avg(x) FROM t GROUP BY device HAVING count(*) > 1 ORDER BY 2 "
    "DESC NULLS LAST LIMIT 3 OFFSET 1",
    "SELECT DISTINCT lower(device) || '!' FROM t WHERE note LIKE '%a_b\\%%' ESCAPE '\\'",
    "SELECT CAST(at AS DATE) d, date_trunc('week', at), extract(year FROM at) FROM t WHERE at "
    "BETWEEN '2026-01-01' AND TIMESTAMP '2026-02-01 10:00:00'",
    "SELECT count(*), max(n) FROM (SELECT CAST(at AS DATE) d, device, count(*) n FROM t GROUP BY "
    "1, "
    "2) g WHERE n IS NOT NULL",
    "SELECT CASE WHEN n > 5 THEN 'x' WHEN n IS NULL THEN note ELSE device END, coalesce(n, 0), "
    "nullif(x, 1.5), n::text, -n, n % 3, n / nullif(n - 1, 0) FROM t",
    "SELECT substring(note FROM 2 FOR 3), position('a' IN note), trim(both 'x' from note), "
    "replace(note, 'a', 'b'), left(note, 2), reverse(note) FROM t",
    "SELECT at + INTERVAL '1 day 02:00:00', at - INTERVAL '1' MONTH, d - DATE '2026-01-01', d + 5, "
    "INTERVAL '1 week' * 2 FROM t",
    "SELECT id FROM t WHERE device IN ('a', 'b', NULL) AND NOT (n BETWEEN 1 AND 2 OR ok IS TRUE) "
    "AND x IS DISTINCT FROM 1e3",
    "SELECT count(DISTINCT device), count(DISTINCT n), min(note), max(d), sum(x) FROM t WHERE id > "
    "-9223372036854775808",
    "SELECT E'\\u00e9\\n', 'it''s', \"id\", .5, 1e-3, TRUE, NULL /* c /* d */ */ FROM t -- end",
    "SELECT x.*, x.n FROM t AS x(a, b) WHERE x.a = 1",
    "INSERT INTO t (id, device, n, at) VALUES (1 + 2, 'p', DEFAULT, '2026-05-05'), (4, upper('q'), "
    "-5, now())",
    "DELETE FROM t x WHERE x.n > 1000 AND x.device = 'zzz'",
    "CREATE TABLE IF NOT EXISTS u (a BIGINT NOT NULL, b SYMBOL DOMAIN user, c TIMESTAMP) WITH "
    "(time "
    "= c)",
    "DROP TABLE IF EXISTS u",
    "SHOW TABLES",
    "DESCRIBE t",
    "EXPLAIN ANALYZE SELECT device, count(*) FROM t GROUP BY 1",
    "EXPLAIN SELECT * FROM messages WHERE user_id = 'ana' AND created_at > '2026-01-01'",
    "SELECT a.b FROM a JOIN c ON a.b = c.b UNION SELECT 1 WITH x AS (SELECT 1)",
};
static const char *const words[] = {
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "HAVING",
    "ORDER BY",
    "LIMIT",
    "(",
    ")",
    ",",
    "*",
    "+",
    "-",
    "/",
    "%",
    "=",
    "<>",
    "::",
    "||",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "NULL",
    "'",
    "\"",
    "''",
    "0",
    "1e308",
    "CASE",
    "WHEN",
    "THEN",
    "END",
    "CAST(",
    "AS",
    "count(",
    "sum(",
    "id",
    "device",
    "at",
    "x",
    "t",
    "9223372036854775807",
    "BETWEEN",
    "IS",
    "DISTINCT",
    "INTERVAL '1 day'",
    "DATE '2026-02-30'",
    "E'\\",
    "/*",
    "--",
    "$1",
    "[",
    ";",
    "\x01",
    "\xff",
    "é",
    "bigint",
    "min(",
    "OVER",
};
// What may stand where a name or a number stands.
static const char *const operands[] = {
    "id",
    "device",
    "n",
    "x",
    "note",
    "at",
    "d",
    "ok",
    "1",
    "0",
    "-1",
    "2.5",
    "1e18",
    "NULL",
    "true",
    "'a'",
    "''",
    "'2026-01-01'",
    "'5'",
    "count(*)",
    "sum(n)",
    "max(note)",
    "avg(x)",
    "count(DISTINCT device)",
    "DATE '2026-01-01'",
    "TIMESTAMP '1969-12-31 23:59:59'",
    "INTERVAL '1 month -3 days'",
    "9223372036854775807",
    "(n + 1)",
    "(n / 2)",
    "lower(device)",
    "CAST(at AS DATE)",
    "date_trunc('month', at)",
    "(x > 1)",
    "coalesce(n, 0)",
    "t",
    "messages",
};
#define OPERAND_COUNT (sizeof(operands) / sizeof(operands[0]))
#define CORPUS_COUNT (sizeof(corpus) / sizeof(corpus[0]))
#define WORD_COUNT (sizeof(words) / sizeof(words[0]))

// ---- mutation ------------------------------------------------------------------------------

// Replaces bytes [at, at + gone) by `with`.
static void
splice(char *text, size_t *len, size_t at, size_t gone, struct pz_str with)
{
    if (*len - gone + with.len > TEXT_MAX) {
        return;
    }
    memmove(text + at + with.len, text + at + gone, *len - at - gone);
    if (with.len > 0) {
        memcpy(text + at, with.data, with.len);
    }
    *len = *len - gone + with.len;
}

static bool
is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Puts another operand in the place of a word: what comes out is often SQL still.
static void
replace_word(struct pz_rng *rng, char *text, size_t *len)
{
    size_t begin = pz_rng_below(rng, *len + 1);
    while (begin > 0 && is_word_byte(text[begin - 1])) {
        begin--;
    }
    size_t end = begin;
    while (end < *len && is_word_byte(text[end])) {
        end++;
    }
    splice(text, len, begin, end - begin, pz_str_from(operands[pz_rng_below(rng, OPERAND_COUNT)]));
}

static void
mutate(struct pz_rng *rng, char *text, size_t *len)
{
    if (pz_rng_chance(rng, 0.6)) {
        replace_word(rng, text, len);
        return;
    }
    size_t at = pz_rng_below(rng, *len + 1);
    size_t span = pz_rng_below(rng, *len - at + 1);
    span = span > 20 && pz_rng_chance(rng, 0.8) ? pz_rng_below(rng, 20) : span;
    char copy[TEXT_MAX];
    char byte;
    const char *other;
    size_t begin;
    switch (pz_rng_below(rng, 7)) {
    case 0: // a word in between
        splice(text, len, at, 0, pz_str_from(words[pz_rng_below(rng, WORD_COUNT)]));
        break;
    case 1: // a word in the place of something
        splice(text, len, at, span, pz_str_from(words[pz_rng_below(rng, WORD_COUNT)]));
        break;
    case 2: // something gone
        splice(text, len, at, span, (struct pz_str){NULL, 0});
        break;
    case 3: // something twice
        memcpy(copy, text + at, span);
        splice(text, len, at, 0, (struct pz_str){copy, (uint32_t)span});
        break;
    case 4: // a byte changed
        byte = (char)pz_rng_below(rng, 256);
        splice(text, len, at, at < *len ? 1 : 0, (struct pz_str){&byte, 1});
        break;
    case 5: // a part of another statement
        other = corpus[pz_rng_below(rng, CORPUS_COUNT)];
        begin = pz_rng_below(rng, strlen(other));
        splice(
            text, len, at, span,
            (struct pz_str){other + begin, (uint32_t)pz_rng_below(rng, strlen(other) - begin + 1)});
        break;
    default: // cut off
        *len = at;
        break;
    }
}

// ---- running -------------------------------------------------------------------------------

static enum pz_status
begin(void *payload, const struct pz_result_column *columns, uint32_t column_count,
      struct pz_error *err)
{
    (void)err;
    size_t *bytes = payload;
    for (uint32_t i = 0; i < column_count; i++) {
        *bytes += strlen(columns[i].name);
    }
    return PZ_OK;
}

// Touches every value, so that a sanitizer sees what is not there.
static enum pz_status
rows(void *payload, const struct pz_slice *columns, uint32_t column_count, uint32_t row_count,
     struct pz_error *err)
{
    (void)err;
    size_t *bytes = payload;
    for (uint32_t i = 0; i < column_count; i++) {
        for (uint32_t row = 0; row < row_count; row++) {
            if (!pz_slice_is_null(&columns[i], row) && columns[i].type == PZ_TYPE_TEXT) {
                struct pz_str text = ((const struct pz_str *)columns[i].data)[row];
                PZ_CHECK(pz_utf8_is_valid(text.data, text.len, NULL));
                *bytes += text.len;
            }
        }
    }
    return PZ_OK;
}

static void
run(struct pz_engine *engine, struct pz_str sql)
{
    size_t bytes = 0;
    struct pz_error err = {0};
    struct pz_query_stats stats;
    struct pz_query_options options = {.timeout_us = 20 * PZ_US_PER_SECOND};
    struct pz_result_sink sink = {.payload = &bytes, .begin = begin, .rows = rows};
    enum pz_status status = pz_query_run(engine, sql, &options, &sink, &stats, &err);
    if (status == PZ_OK) {
        return;
    }
    bool is_sound = strlen(err.sqlstate) == 5 && err.message[0] != '\0' &&
                    err.sql_offset <= sql.len + 1 && err.status == status &&
                    status != PZ_INTERNAL && status != PZ_TIMEOUT &&
                    pz_utf8_is_valid(err.message, strlen(err.message), NULL) &&
                    pz_utf8_is_valid(err.hint, strlen(err.hint), NULL);
    PZ_CHECK_MSG(is_sound, "%.*s\n  fails with %s %s @%u: %s (%s)", PZ_STR_ARG(sql),
                 pz_status_name(status), err.sqlstate, err.sql_offset, err.message, err.hint);
}

// The table may have been dropped or emptied by what ran before.
static void
restore(struct pz_engine *engine, struct pz_store *store)
{
    struct pz_error err = {0};
    run(engine, PZ_STR("DROP TABLE IF EXISTS t"));
    run(engine,
        PZ_STR("CREATE TABLE t (id BIGINT, device SYMBOL, n BIGINT, x DOUBLE, note TEXT, at "
               "TIMESTAMP, d DATE, ok BOOLEAN)"));
    run(engine, PZ_STR("INSERT INTO t VALUES (1, 'a', 5, 1.5, 'xay', '2026-01-01', '2026-01-02', "
                       "true), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3, 'b', -1, 1e308, "
                       "'', '2026-01-15 10:00', '1969-12-31', false)"));
    PZ_REQUIRE_OK(pz_store_seal_now(store, 0, &err), &err);
    run(engine, PZ_STR("INSERT INTO t VALUES (4, 'a', 9223372036854775807, 0, 'größe', "
                       "'9999-12-31', '9999-12-31', NULL)"));
}

static struct pz_engine *
open_engine(struct pz_store **store)
{
    struct pz_error err = {0};
    struct pz_store_options options = {.create = true, .is_ephemeral = true, .is_manual = true};
    PZ_REQUIRE_OK(pz_store_open(pz_test_path("data"), &options, store, &err), &err);
    struct pz_engine_options engine_options = {
        .threads = 2, .query_memory_bytes = (size_t)64 << 20, .vector_rows = 7};
    struct pz_engine *engine = pz_engine_create(*store, &engine_options);
    restore(engine, *store);
    return engine;
}

PZ_TEST(broken_statements_are_answered)
{
    struct pz_store *store;
    struct pz_engine *engine = open_engine(&store);
    struct pz_rng rng;
    static char text[TEXT_MAX + 1];
    for (size_t i = 0; i < CORPUS_COUNT; i++) {
        run(engine, pz_str_from(corpus[i]));
    }
    pz_rng_init(&rng, pz_test_seed());
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (round % 500 == 499) {
            restore(engine, store);
        }
        const char *from = corpus[pz_rng_below(&rng, CORPUS_COUNT)];
        size_t len = strlen(from);
        memcpy(text, from, len);
        for (uint64_t n = 1 + pz_rng_below(&rng, 3); n > 0; n--) {
            mutate(&rng, text, &len);
        }
        // In memory of exactly its size, so that reading past the end is noticed.
        char *exact = malloc(len + 1);
        PZ_REQUIRE(exact != NULL);
        memcpy(exact, text, len);
        char *tight = realloc(exact, len > 0 ? len : 1);
        PZ_REQUIRE(tight != NULL);
        run(engine, (struct pz_str){tight, (uint32_t)len});
        free(tight);
    }
    pz_engine_destroy(engine);
    pz_store_close(store);
}

// ---- statements that are SQL --------------------------------------------------------------------

// Templates: @ and a letter stand for an expression of a type (i BIGINT, r DOUBLE, t TEXT, b
// BOOLEAN, s TIMESTAMP, d DATE, v INTERVAL, * any), or now and then of another one.
static const struct {
    char type;
    const char *text;
} templates[] = {
    {'i', "id"},
    {'i', "n"},
    {'i', "7"},
    {'i', "9223372036854775807"},
    {'i', "(@i + @i)"},
    {'i', "(@i * @i)"},
    {'i', "(@i / @i)"},
    {'i', "(@i % nullif(@i, 0))"},
    {'i', "(- @i)"},
    {'i', "length(@t)"},
    {'i', "extract(year FROM @s)"},
    {'i', "extract(dow FROM @d)"},
    {'i', "(@d - @d)"},
    {'i', "abs(@i)"},
    {'i', "CAST(@* AS BIGINT)"},
    {'i', "position(@t IN @t)"},
    {'i', "CASE WHEN @b THEN @i ELSE @i END"},
    {'i', "coalesce(@i, @i)"},
    {'i', "greatest(@i, @i, NULL)"},
    {'r', "x"},
    {'r', "2.5"},
    {'r', "(@r - @r)"},
    {'r', "(@r / @i)"},
    {'r', "sqrt(abs(@r))"},
    {'r', "round(@r, 2)"},
    {'r', "power(@r, 2)"},
    {'r', "ln(@r)"},
    {'r', "CAST(@i AS DOUBLE)"},
    {'r', "extract(epoch FROM @s)"},
    {'t', "device"},
    {'t', "note"},
    {'t', "'aé'"},
    {'t', "''"},
    {'t', "(@t || @t)"},
    {'t', "lower(@t)"},
    {'t', "substring(@t, @i, 3)"},
    {'t', "left(@t, @i)"},
    {'t', "replace(@t, 'a', @t)"},
    {'t', "trim(both @t FROM @t)"},
    {'t', "CAST(@* AS TEXT)"},
    {'t', "CASE @t WHEN @t THEN @t END"},
    {'t', "concat(@t, @i)"},
    {'b', "ok"},
    {'b', "true"},
    {'b', "NULL"},
    {'b', "(@i < @i)"},
    {'b', "(@t = @t)"},
    {'b', "(@s >= @d)"},
    {'b', "(@r <> @i)"},
    {'b', "(@b AND @b)"},
    {'b', "(@b OR @b)"},
    {'b', "(NOT @b)"},
    {'b', "(@* IS NULL)"},
    {'b', "(@i IN (@i, 3, NULL))"},
    {'b', "(@t LIKE '%a_%')"},
    {'b', "(@t ILIKE @t)"},
    {'b', "(@s BETWEEN @s AND @s)"},
    {'b', "(@d IS DISTINCT FROM @d)"},
    {'b', "(@b IS NOT TRUE)"},
    {'s', "at"},
    {'s', "TIMESTAMP '2026-01-15 10:00:00'"},
    {'s', "date_trunc('week', @s)"},
    {'s', "date_trunc('month', @s)"},
    {'s', "(@s + @v)"},
    {'s', "CAST(@d AS TIMESTAMP)"},
    {'s', "now()"},
    {'d', "d"},
    {'d', "DATE '2024-02-29'"},
    {'d', "CAST(@s AS DATE)"},
    {'d', "(@d + @i)"},
    {'v', "INTERVAL '1 month -3 days 04:05:06'"},
    {'v', "(@s - @s)"},
    {'v', "(@v * @r)"},
    {'v', "(@v + @v)"},
};
static const char *const statements[] = {
    "SELECT @*, @*, @* FROM t WHERE @b",
    "SELECT @*, @* FROM t WHERE @b ORDER BY 1, @* DESC LIMIT 2 OFFSET 1",
    "SELECT DISTINCT @*, @* FROM t",
    "SELECT @*, count(*), sum(@i), avg(@r), count(DISTINCT @*) FROM t GROUP BY 1 ORDER BY 2, 1",
    "SELECT min(@*), max(@*), sum(@r), avg(@i), count(@*) FROM t WHERE @b",
    "SELECT @*, @*, min(@*), max(@*) FROM t WHERE @b GROUP BY 1, 2 HAVING count(*) > @i",
    "SELECT count(*), sum(c) FROM (SELECT @* k, count(*) c FROM t WHERE @b GROUP BY 1) q",
    "SELECT a, b FROM (SELECT @* a, @* b FROM t ORDER BY 2, 1 LIMIT 3) q WHERE a IS NOT NULL",
    "SELECT @*, @*",
    "DELETE FROM t WHERE @b AND @b AND id > 100",
    "INSERT INTO t (id, note, at) VALUES (101, CAST(CASE WHEN true THEN 'x' END AS TEXT), now())",
    "EXPLAIN SELECT @*, count(*) FROM t WHERE @b GROUP BY 1 ORDER BY 2",
    "EXPLAIN ANALYZE SELECT @* FROM t WHERE @b ORDER BY 1 LIMIT 1",
};

static const char *
choose_template(struct pz_rng *rng, char type, bool is_simple)
{
    static const char types[] = "irtbsdv";
    if (type == '*' || pz_rng_chance(rng, 0.01)) {
        type = types[pz_rng_below(rng, sizeof types - 1)];
    }
    for (;;) {
        size_t i = pz_rng_below(rng, sizeof(templates) / sizeof(templates[0]));
        bool is_leaf = strchr(templates[i].text, '@') == NULL;
        if (templates[i].type == type && (is_leaf || !is_simple || type == 'v')) {
            return templates[i].text;
        }
    }
}

PZ_TEST(random_statements_are_answered)
{
    struct pz_store *store;
    struct pz_engine *engine = open_engine(&store);
    struct pz_rng rng;
    static char text[TEXT_MAX + 1];
    pz_rng_init(&rng, pz_test_seed() + 2);
    for (unsigned round = 0; round < ROUNDS / 3; round++) {
        const char *from =
            statements[pz_rng_below(&rng, sizeof(statements) / sizeof(statements[0]))];
        size_t len = strlen(from);
        memcpy(text, from, len);
        size_t budget = 10 + pz_rng_below(&rng, 300); // bytes before only leaves are put in
        for (size_t at = 0; at + 1 < len; at++) {
            if (text[at] == '@') {
                const char *with = choose_template(&rng, text[at + 1], len > budget);
                splice(text, &len, at, 2, pz_str_from(with));
                at--;
            }
        }
        run(engine, (struct pz_str){text, (uint32_t)len});
        if (round % 1000 == 999) {
            restore(engine, store);
        }
    }
    pz_engine_destroy(engine);
    pz_store_close(store);
}

PZ_TEST(random_bytes_are_answered)
{
    struct pz_store *store;
    struct pz_engine *engine = open_engine(&store);
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed() + 1);
    for (unsigned round = 0; round < ROUNDS / 10; round++) {
        char text[200];
        size_t len = pz_rng_below(&rng, sizeof text);
        pz_rng_bytes(&rng, text, len);
        for (size_t i = 0; i < len && round % 2 == 0; i++) {
            text[i] = (char)(' ' + (unsigned char)text[i] % 95);
        }
        run(engine, (struct pz_str){text, (uint32_t)len});
    }
    pz_engine_destroy(engine);
    pz_store_close(store);
}
