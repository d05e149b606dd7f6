// SPDX-License-Identifier: Apache-2.0
// Holds the binder to types, casts, names and the shape of plans. Plans are written as nested
// lists: columns as #position, casts as type(x), constants with their type's first letter.
#include "query/bind/bind.h"

#include "base/clock.h"
#include "query/expr/cast.h"
#include "query/parse/parser.h"
#include "tests/support/test.h"

#include <stdio.h>

// ---- plans as text -------------------------------------------------------------------------

static void
write_value(struct pz_buffer *out, const struct pz_value *value)
{
    char text[PZ_CAST_TEXT_MAX];
    if (value->is_null) {
        pz_buffer_printf(out, "null:%s", pz_type_name(value->type));
    } else if (value->type == PZ_TYPE_TEXT) {
        pz_buffer_printf(out, "'%.*s'", PZ_STR_ARG(value->text));
    } else {
        pz_buffer_append(out, text, pz_cast_write(value, text));
        if (value->type != PZ_TYPE_BIGINT && value->type != PZ_TYPE_BOOLEAN) {
            pz_buffer_printf(out, ":%s", pz_type_name(value->type));
        }
    }
}

static const char *
head_of(const struct pz_expr *expr)
{
    static const char *const compares[] = {"=", "<>", "<", "<=", ">", ">=", "distinct", "same"};
    static const char *const tests[] = {"is-null",     "is-not-null", "is-true",
                                        "is-not-true", "is-false",    "is-not-false"};
    switch (expr->kind) {
    case PZ_EXPR_CALL:
        return expr->function->name;
    case PZ_EXPR_CAST:
        return pz_type_name(expr->type);
    case PZ_EXPR_COMPARE:
        return compares[expr->compare];
    case PZ_EXPR_AND:
        return "and";
    case PZ_EXPR_OR:
        return "or";
    case PZ_EXPR_NOT:
        return "not";
    case PZ_EXPR_IS:
        return tests[expr->is];
    case PZ_EXPR_IN:
        return "in";
    case PZ_EXPR_LIKE:
        return expr->is_nocase ? "ilike" : "like";
    case PZ_EXPR_CASE:
        return "case";
    case PZ_EXPR_COALESCE:
        return "coalesce";
    case PZ_EXPR_CONST:
    case PZ_EXPR_COLUMN:
    case PZ_EXPR_SYMBOL_MAP:
    case PZ_EXPR_RANGE:
        break;
    }
    return "?";
}

static void
write_expr(struct pz_buffer *out, const struct pz_expr *expr)
{
    if (expr->kind == PZ_EXPR_CONST) {
        write_value(out, &expr->value);
        return;
    }
    if (expr->kind == PZ_EXPR_COLUMN) {
        pz_buffer_printf(out, "#%u", expr->column);
        return;
    }
    pz_buffer_printf(out, "%s(", head_of(expr));
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        pz_buffer_append_c(out, i == 0 ? "" : " ");
        write_expr(out, expr->args[i]);
    }
    pz_buffer_append_char(out, ')');
}

static void
write_exprs(struct pz_buffer *out, struct pz_expr *const *exprs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        pz_buffer_append_c(out, i == 0 ? "" : ", ");
        write_expr(out, exprs[i]);
    }
}

static void
write_aggregate(struct pz_buffer *out, const struct pz_plan *plan)
{
    pz_buffer_append_c(out, "aggregate[");
    write_exprs(out, plan->groups, plan->group_count);
    pz_buffer_append_c(out, ";");
    for (uint32_t i = 0; i < plan->aggregate_count; i++) {
        const struct pz_aggregate *aggregate = &plan->aggregates[i];
        pz_buffer_printf(out, " %s%s(", aggregate->function->name,
                         aggregate->is_distinct ? "-distinct" : "");
        if (aggregate->arg != NULL) {
            write_expr(out, aggregate->arg);
        }
        pz_buffer_append_c(out, ")");
    }
    pz_buffer_append_c(out, "]");
}

static void
write_node(struct pz_buffer *out, const struct pz_plan *plan)
{
    switch (plan->kind) {
    case PZ_PLAN_SCAN:
        pz_buffer_append_c(out, plan->table->name);
        return;
    case PZ_PLAN_ONE_ROW:
        pz_buffer_append_c(out, "one-row");
        return;
    case PZ_PLAN_FILTER:
        pz_buffer_append_c(out, "filter[");
        write_expr(out, plan->filter);
        pz_buffer_append_c(out, "]");
        return;
    case PZ_PLAN_PROJECT:
        pz_buffer_append_c(out, "project[");
        write_exprs(out, plan->exprs, plan->column_count);
        pz_buffer_append_c(out, "]");
        return;
    case PZ_PLAN_AGGREGATE:
        write_aggregate(out, plan);
        return;
    case PZ_PLAN_DISTINCT:
        pz_buffer_append_c(out, "distinct");
        return;
    case PZ_PLAN_SORT:
        pz_buffer_append_c(out, "sort[");
        for (uint32_t i = 0; i < plan->key_count; i++) {
            pz_buffer_printf(out, "%s#%u%s%s", i == 0 ? "" : ", ", plan->keys[i].column,
                             plan->keys[i].is_descending ? " desc" : "",
                             plan->keys[i].nulls_first ? " first" : "");
        }
        pz_buffer_append_c(out, "]");
        return;
    case PZ_PLAN_LIMIT:
        pz_buffer_printf(out, "limit[%lld, %llu]", plan->has_limit ? (long long)plan->limit : -1LL,
                         (unsigned long long)plan->offset);
        return;
    }
}

// From the bottom up, as rows travel.
static void
write_plan(struct pz_buffer *out, const struct pz_plan *plan)
{
    if (plan->child != NULL) {
        write_plan(out, plan->child);
        pz_buffer_append_c(out, " > ");
    }
    write_node(out, plan);
}

// ---- a store with its built-in tables ----------------------------------------------------------

struct fixture {
    struct pz_store *store;
    struct pz_session session;
    struct pz_arena arena;
    struct pz_query_stats stats;
};

static void
open_fixture(struct fixture *fixture)
{
    struct pz_error err = {0};
    struct pz_store_options options = {.create = true, .is_ephemeral = true, .is_manual = true};
    *fixture = (struct fixture){0};
    PZ_REQUIRE_OK(pz_store_open(pz_test_path("data"), &options, &fixture->store, &err), &err);
    pz_arena_init(&fixture->arena, NULL);
    fixture->session = (struct pz_session){.store = fixture->store,
                                           .version = pz_version_acquire(fixture->store),
                                           .arena = &fixture->arena,
                                           .stats = &fixture->stats,
                                           .threads = 1,
                                           .vector_rows = PZ_VECTOR_ROWS,
                                           .now_us = 0,
                                           .deadline_mono_us = INT64_MAX};
}

static void
close_fixture(struct fixture *fixture)
{
    pz_version_release(fixture->session.version);
    pz_arena_fini(&fixture->arena);
    pz_store_close(fixture->store);
}

// Binds a statement and writes its plan, with the output's names and types in front when asked.
static void
bind(struct fixture *fixture, const char *sql, bool with_columns, struct pz_buffer *out)
{
    struct pz_error err = {0};
    struct pz_ast_statement statement;
    struct pz_plan *plan = NULL;
    struct pz_str text = pz_str_from(sql);
    struct pz_binder binder = {.session = &fixture->session, .sql = text};
    enum pz_status status = pz_parse(text, &fixture->arena, &statement, &err);
    if (status == PZ_OK) {
        status = pz_bind_select(&binder, statement.select, &plan, &err);
    }
    if (status != PZ_OK) {
        pz_buffer_printf(out, "! %s @%u: %s", err.sqlstate, err.sql_offset, err.message);
        if (err.hint[0] != '\0') {
            pz_buffer_printf(out, " (%s)", err.hint);
        }
        return;
    }
    for (uint32_t i = 0; with_columns && i < plan->column_count; i++) {
        PZ_CHECK(plan->columns[i].name.data[plan->columns[i].name.len] == '\0');
        pz_buffer_printf(out, "%s%s %s", i == 0 ? "" : ", ", plan->columns[i].name.data,
                         pz_type_name(plan->columns[i].type));
    }
    if (!with_columns) {
        write_plan(out, plan);
    }
}

static void
check_all(const char *const (*cases)[2], size_t count, bool with_columns)
{
    struct fixture fixture;
    open_fixture(&fixture);
    for (size_t i = 0; i < count; i++) {
        struct pz_buffer out = {0};
        bind(&fixture, cases[i][0], with_columns, &out);
        PZ_CHECK_MSG(strcmp(out.data, cases[i][1]) == 0, "%s\n  gives  %s\n  not    %s",
                     cases[i][0], out.data, cases[i][1]);
        pz_buffer_fini(&out);
    }
    close_fixture(&fixture);
}
#define CHECK_PLANS(cases) check_all(cases, sizeof(cases) / sizeof(cases[0]), false)
#define CHECK_COLUMNS(cases) check_all(cases, sizeof(cases) / sizeof(cases[0]), true)

// ---- tests ---------------------------------------------------------------------------------
// views: #0 message_id #1 user_id #2 viewed_at #3 device #4 geo #5 watch_ms

PZ_TEST(plans_have_the_order_of_clauses)
{
    static const char *const cases[][2] = {
        {"SELECT 1", "one-row > project[1]"},
        {"SELECT watch_ms FROM views", "views > project[#5]"},
        {"SELECT * FROM views WHERE watch_ms > 5",
         "views > filter[>(#5 5)] > project[#0, #1, #2, #3, #4, #5]"},
        {"SELECT device, count(*), sum(watch_ms) FROM views GROUP BY device HAVING count(*) > 1 "
         "ORDER BY 2 DESC LIMIT 3",
         "views > aggregate[#3; count() sum(#5)] > filter[>(#1 1)] > project[#0, #1, #2] > "
         "sort[#1 desc first] > limit[3, 0]"},
        {"SELECT DISTINCT device FROM views ORDER BY device NULLS FIRST OFFSET 2",
         "views > project[#3] > distinct > sort[#0 first] > limit[-1, 2]"},
        {"SELECT device FROM views ORDER BY watch_ms, device",
         "views > project[#3, #5] > sort[#1, #0] > project[#0]"},
        {"SELECT count(*), max(n) FROM (SELECT user_id, count(*) n FROM views GROUP BY 1) g",
         "views > aggregate[#1; count()] > project[#0, #1] > aggregate[; count() max(#1)] > "
         "project[#0, #1]"},
        {"SELECT sum(watch_ms) + count(*), sum(watch_ms) FROM views",
         "views > aggregate[; sum(#5) count()] > project[+(#0 #1), #0]"},
        {"SELECT 1 FROM views HAVING true", "views > aggregate[;] > filter[true] > project[1]"},
        {"SELECT watch_ms / 2 + 1 FROM views GROUP BY watch_ms / 2",
         "views > aggregate[/(#5 2);] > project[+(#0 1)]"},
        {"SELECT count(DISTINCT device), min(DISTINCT device) FROM views",
         "views > aggregate[; count-distinct(#3) min(#3)] > project[#0, #1]"},
    };
    CHECK_PLANS(cases);
}

PZ_TEST(literals_take_the_type_of_the_other_side)
{
    static const char *const cases[][2] = {
        {"SELECT 1 FROM views WHERE viewed_at >= '2026-07-15'",
         "views > filter[>=(#2 2026-07-15 00:00:00:TIMESTAMP)] > project[1]"},
        {"SELECT 1 FROM views WHERE user_id = 'bob'",
         "views > filter[=(TEXT(#1) 'bob')] > project[1]"},
        {"SELECT 1 FROM views WHERE watch_ms = '5'", "views > filter[=(#5 5)] > project[1]"},
        {"SELECT 1 FROM views WHERE watch_ms > 1.5",
         "views > filter[>(DOUBLE(#5) 1.5:DOUBLE)] > project[1]"},
        {"SELECT 1 FROM views WHERE viewed_at < DATE '2026-01-02'",
         "views > filter[<(#2 2026-01-02 00:00:00:TIMESTAMP)] > project[1]"},
        {"SELECT 1 FROM views WHERE viewed_at BETWEEN '2026-01-01' AND now()",
         "views > filter[and(>=(#2 2026-01-01 00:00:00:TIMESTAMP) <=(#2 now()))] > project[1]"},
        {"SELECT 1 FROM views WHERE device IN ('a', NULL)",
         "views > filter[in(TEXT(#3) 'a' null:TEXT)] > project[1]"},
        {"SELECT 1 FROM views WHERE device NOT LIKE 'a%'",
         "views > filter[not(like(TEXT(#3) 'a%'))] > project[1]"},
        {"SELECT 1 FROM views WHERE device IS NULL", "views > filter[is-null(#3)] > project[1]"},
        {"SELECT 1 FROM views WHERE NULL", "views > filter[null:BOOLEAN] > project[1]"},
        {"SELECT CASE device WHEN 'a' THEN 1 ELSE 2.5 END FROM views",
         "views > project[case(=(TEXT(#3) 'a') 1:DOUBLE 2.5:DOUBLE)]"},
        {"SELECT coalesce(device, 'none') FROM views",
         "views > project[coalesce(TEXT(#3) 'none')]"},
        {"SELECT nullif(watch_ms, 0) FROM views", "views > project[case(=(#5 0) null:BIGINT #5)]"},
        {"SELECT 'n=' || watch_ms FROM views", "views > project[||('n=' TEXT(#5))]"},
        {"SELECT date_trunc('day', viewed_at) - INTERVAL '1 day' FROM views",
         "views > project[-(date_trunc('day' #2) 1 day:INTERVAL)]"},
        {"SELECT extract(epoch FROM viewed_at) FROM views", "views > project[extract_epoch(#2)]"},
        {"SELECT CAST(device AS VARCHAR(3)) FROM views", "views > project[left(TEXT(#3) 3)]"},
        {"SELECT -5, -1.5, -watch_ms FROM views", "views > project[-5, -1.5:DOUBLE, -(#5)]"},
        {"SELECT greatest(device, geo) FROM views", "views > project[greatest(TEXT(#3) TEXT(#4))]"},
    };
    CHECK_PLANS(cases);
}

PZ_TEST(columns_have_postgresqls_names_and_types)
{
    static const char *const cases[][2] = {
        {"SELECT 1, 'a', NULL, 1.5, true, watch_ms + 1, -watch_ms FROM views",
         "?column? BIGINT, ?column? TEXT, ?column? TEXT, ?column? DOUBLE, ?column? BOOLEAN, "
         "?column? BIGINT, ?column? BIGINT"},
        {"SELECT device, views.geo, v2.user_id AS who FROM views v2",
         "! 42P01 @16: missing FROM-clause entry for table \"views\" (did you mean \"v2\"?)"},
        {"SELECT device, v2.geo, v2.user_id AS who FROM views v2",
         "device SYMBOL, geo SYMBOL, who SYMBOL"},
        {"SELECT count(*), sum(watch_ms), avg(watch_ms), min(device), max(viewed_at), "
         "count(DISTINCT geo) FROM views",
         "count BIGINT, sum BIGINT, avg DOUBLE, min SYMBOL, max TIMESTAMP, count BIGINT"},
        {"SELECT CAST(viewed_at AS DATE), 1::bigint, 1::double, '1'::text, watch_ms::text FROM "
         "views",
         "viewed_at DATE, int8 BIGINT, float8 DOUBLE, text TEXT, watch_ms TEXT"},
        {"SELECT CASE WHEN true THEN 1 END, CASE WHEN true THEN 1 ELSE watch_ms END, "
         "coalesce(watch_ms, 1), nullif(1, 2) FROM views",
         "case BIGINT, watch_ms BIGINT, coalesce BIGINT, nullif BIGINT"},
        {"SELECT trim(device), extract(day FROM viewed_at), DATE '2026-01-01', INTERVAL '1 day', "
         "current_date, now() FROM views",
         "btrim TEXT, extract BIGINT, date DATE, interval INTERVAL, current_date DATE, now "
         "TIMESTAMP"},
        {"SELECT * FROM (SELECT device AS d, count(*) FROM views GROUP BY 1) AS x(a)",
         "a SYMBOL, count BIGINT"},
    };
    CHECK_COLUMNS(cases);
}

PZ_TEST(errors)
{
    static const char *const cases[][2] = {
        {"SELECT devcie FROM views",
         "! 42703 @8: column \"devcie\" does not exist (did you mean \"device\"?)"},
        {"SELECT * FROM veiws",
         "! 42P01 @15: relation \"veiws\" does not exist (did you mean \"views\"?)"},
        {"SELECT body FROM views", "! 42703 @8: column \"body\" does not exist (there is a column "
                                   "\"body\" in table \"messages\")"},
        {"SELECT 1 FROM views WHERE device = 5",
         "! 42883 @34: operator does not exist: text = bigint (convert one side with CAST(… AS "
         "type))"},
        {"SELECT 1 FROM views WHERE viewed_at > 'soon'",
         "! 22007 @39: invalid input syntax for type timestamp: \"soon\" (write it as 2026-11-20 "
         "or 2026-11-20 09:30:00)"},
        {"SELECT device, count(*) FROM views",
         "! 42803 @8: column \"device\" must appear in the GROUP BY clause or be used in an "
         "aggregate function (add GROUP BY device)"},
        {"SELECT date_trunc('dya', viewed_at) FROM views",
         "! 22023 @19: unit \"dya\" not recognized for type timestamp (did you mean \"day\"?)"},
        {"SELECT date_trunc(device, viewed_at) FROM views",
         "! 0A000 @19: a unit that is not a constant is not supported (write it as a text, e.g. "
         "'day')"},
        {"SELECT * FROM message_deletions",
         "! 42P01 @15: relation \"message_deletions\" does not exist (SHOW TABLES lists the "
         "tables)"},
        {"SELECT sum(device) FROM views",
         "! 42883 @8: function sum(text) does not exist (there is sum(bigint) or sum(double "
         "precision))"},
        {"SELECT 1 FROM views ORDER BY 2", "! 42P10 @30: ORDER BY position 2 is not in select "
                                           "list (the select list has 1 column)"},
    };
    CHECK_PLANS(cases);
}

PZ_TEST(repeated_operands_are_limited)
{
    struct fixture fixture;
    struct pz_buffer sql = {0};
    struct pz_buffer out = {0};
    open_fixture(&fixture);
    pz_buffer_append_c(&sql, "SELECT ");
    for (int i = 0; i < 60; i++) {
        pz_buffer_append_c(&sql, "nullif(");
    }
    pz_buffer_append_c(&sql, "1");
    for (int i = 0; i < 60; i++) {
        pz_buffer_append_c(&sql, ", 2)");
    }
    bind(&fixture, sql.data, false, &out);
    PZ_CHECK_CONTAINS(out.data, "! 54001");
    pz_buffer_fini(&sql);
    pz_buffer_fini(&out);
    close_fixture(&fixture);
}
