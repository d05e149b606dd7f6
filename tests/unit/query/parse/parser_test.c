// SPDX-License-Identifier: Apache-2.0
// Holds the parser to the grammar: trees as nested lists, errors with place and hint.
#include "query/parse/parser.h"

#include "base/arena.h"
#include "tests/support/test.h"

#include <stdio.h>

// ---- trees as text -------------------------------------------------------------------------

static void write_items(struct pz_buffer *out, const char *head, const struct pz_ast *node);

static void
write_expr(struct pz_buffer *out, const struct pz_ast *node)
{
    static const char *const ops[] = {"+", "-",  "*", "/",  "%", "||",
                                      "=", "<>", "<", "<=", ">", ">="};
    static const char *const tests[] = {"null", "true", "false", "unknown"};
    const char *no = node->is_negated ? "not-" : "";
    char head[64];
    switch (node->kind) {
    case PZ_AST_NULL:
        pz_buffer_append_c(out, "null");
        return;
    case PZ_AST_BOOLEAN:
        pz_buffer_append_c(out, node->boolean ? "true" : "false");
        return;
    case PZ_AST_INTEGER:
        pz_buffer_printf(out, "%lld", (long long)node->integer);
        return;
    case PZ_AST_DOUBLE:
        pz_buffer_printf(out, "%gd", node->real);
        return;
    case PZ_AST_STRING:
        pz_buffer_printf(out, "'%.*s'", PZ_STR_ARG(node->text));
        return;
    case PZ_AST_TYPED:
        pz_buffer_printf(out, "%s'%.*s'%s%.*s", pz_type_name(node->type), PZ_STR_ARG(node->text),
                         node->unit.len > 0 ? " " : "", PZ_STR_ARG(node->unit));
        return;
    case PZ_AST_COLUMN:
    case PZ_AST_STAR:
        pz_buffer_printf(out, "%.*s%s%.*s", PZ_STR_ARG(node->qualifier),
                         node->qualifier.len > 0 ? "." : "",
                         PZ_STR_ARG(node->kind == PZ_AST_STAR ? PZ_STR("*") : node->text));
        return;
    case PZ_AST_NEGATE:
        write_items(out, "neg", node);
        return;
    case PZ_AST_PLUS:
        write_items(out, "pos", node);
        return;
    case PZ_AST_NOT:
        write_items(out, "not", node);
        return;
    case PZ_AST_BINARY:
        write_items(out, ops[node->op], node);
        return;
    case PZ_AST_AND:
        write_items(out, "and", node);
        return;
    case PZ_AST_OR:
        write_items(out, "or", node);
        return;
    case PZ_AST_IN:
        (void)snprintf(head, sizeof head, "%sin", no);
        break;
    case PZ_AST_BETWEEN:
        (void)snprintf(head, sizeof head, "%sbetween", no);
        break;
    case PZ_AST_LIKE:
        (void)snprintf(head, sizeof head, "%s%s", no, node->is_nocase ? "ilike" : "like");
        break;
    case PZ_AST_IS:
        (void)snprintf(head, sizeof head, "is-%s%s", no, tests[node->test]);
        break;
    case PZ_AST_DISTINCT:
        (void)snprintf(head, sizeof head, "%sdistinct", no);
        break;
    case PZ_AST_CASE:
        (void)snprintf(head, sizeof head, "case%s%s", node->has_operand ? "-of" : "",
                       node->has_else ? "-else" : "");
        break;
    case PZ_AST_CAST:
        (void)snprintf(head, sizeof head, "cast-%s", pz_type_name(node->type));
        break;
    case PZ_AST_CALL:
        (void)snprintf(head, sizeof head, "%.*s%s", PZ_STR_ARG(pz_str_cut_utf8(node->text, 40)),
                       node->is_distinct ? "-distinct" : "");
        break;
    }
    write_items(out, head, node);
}

static void
write_items(struct pz_buffer *out, const char *head, const struct pz_ast *node)
{
    pz_buffer_printf(out, "(%s", head);
    for (uint32_t i = 0; i < node->item_count; i++) {
        pz_buffer_append_char(out, ' ');
        write_expr(out, node->items[i]);
    }
    pz_buffer_append_char(out, ')');
}

static void
write_clause(struct pz_buffer *out, const char *word, const struct pz_ast *node)
{
    if (node != NULL) {
        pz_buffer_printf(out, " %s ", word);
        write_expr(out, node);
    }
}

static void
write_select(struct pz_buffer *out, const struct pz_ast_select *select)
{
    pz_buffer_append_c(out, select->is_distinct ? "SELECT DISTINCT" : "SELECT");
    for (uint32_t i = 0; i < select->item_count; i++) {
        pz_buffer_append_c(out, i == 0 ? " " : ", ");
        write_expr(out, select->items[i].expr);
        if (select->items[i].alias.data != NULL) {
            pz_buffer_printf(out, " AS %.*s", PZ_STR_ARG(select->items[i].alias));
        }
    }
    if (select->from.kind == PZ_AST_FROM_TABLE) {
        pz_buffer_printf(out, " FROM %.*s", PZ_STR_ARG(select->from.table.text));
    } else if (select->from.kind == PZ_AST_FROM_SUBQUERY) {
        pz_buffer_append_c(out, " FROM {");
        write_select(out, select->from.subquery);
        pz_buffer_append_c(out, "}");
    }
    if (select->from.alias.data != NULL) {
        pz_buffer_printf(out, " AS %.*s", PZ_STR_ARG(select->from.alias));
    }
    for (uint32_t i = 0; i < select->from.column_alias_count; i++) {
        pz_buffer_printf(out, "%s%.*s", i == 0 ? "/" : ",",
                         PZ_STR_ARG(select->from.column_aliases[i].text));
    }
    write_clause(out, "WHERE", select->where);
    for (uint32_t i = 0; i < select->group_count; i++) {
        write_clause(out, i == 0 ? "GROUP" : ",", select->groups[i]);
    }
    write_clause(out, "HAVING", select->having);
    for (uint32_t i = 0; i < select->order_count; i++) {
        static const char *const nulls[] = {"", " FIRST", " LAST"};
        write_clause(out, i == 0 ? "ORDER" : ",", select->orders[i].expr);
        pz_buffer_printf(out, "%s%s", select->orders[i].is_descending ? " DESC" : "",
                         nulls[select->orders[i].nulls]);
    }
    write_clause(out, "LIMIT", select->limit);
    write_clause(out, "OFFSET", select->offset_rows);
}

static void
write_rows(struct pz_buffer *out, const struct pz_ast_insert *insert)
{
    pz_buffer_printf(out, "INSERT %.*s", PZ_STR_ARG(insert->table.text));
    for (uint32_t i = 0; i < insert->column_count; i++) {
        pz_buffer_printf(out, "%s%.*s", i == 0 ? "/" : ",", PZ_STR_ARG(insert->columns[i].text));
    }
    for (uint32_t i = 0; i < insert->row_count; i++) {
        for (uint32_t k = 0; k < insert->rows[i].value_count; k++) {
            pz_buffer_append_c(out, k == 0 ? " | " : ", ");
            if (insert->rows[i].values[k] == NULL) {
                pz_buffer_append_c(out, "default");
            } else {
                write_expr(out, insert->rows[i].values[k]);
            }
        }
    }
}

static void
write_create(struct pz_buffer *out, const struct pz_ast_create *create)
{
    pz_buffer_printf(out, "CREATE%s %.*s:", create->if_not_exists ? "?" : "",
                     PZ_STR_ARG(create->table.text));
    for (uint32_t i = 0; i < create->column_count; i++) {
        const struct pz_ast_column *column = &create->columns[i];
        pz_buffer_printf(out, "%s %.*s %s%s", i == 0 ? "" : ",", PZ_STR_ARG(column->name.text),
                         pz_type_name(column->type), column->is_not_null ? "!" : "");
        if (column->domain.text.data != NULL) {
            pz_buffer_printf(out, "@%.*s", PZ_STR_ARG(column->domain.text));
        }
    }
    if (create->time.text.data != NULL) {
        pz_buffer_printf(out, " time %.*s", PZ_STR_ARG(create->time.text));
    }
}

static void
write_statement(struct pz_buffer *out, const struct pz_ast_statement *statement)
{
    switch (statement->kind) {
    case PZ_AST_EXPLAIN:
        pz_buffer_append_c(out, statement->is_analyze ? "ANALYZE " : "EXPLAIN ");
        write_select(out, statement->select);
        return;
    case PZ_AST_SELECT:
        write_select(out, statement->select);
        return;
    case PZ_AST_INSERT:
        write_rows(out, &statement->insert);
        return;
    case PZ_AST_DELETE:
        pz_buffer_printf(out, "DELETE %.*s", PZ_STR_ARG(statement->delete.table.text));
        if (statement->delete.alias.data != NULL) {
            pz_buffer_printf(out, " AS %.*s", PZ_STR_ARG(statement->delete.alias));
        }
        write_clause(out, "WHERE", statement->delete.where);
        return;
    case PZ_AST_CREATE_TABLE:
        write_create(out, &statement->create);
        return;
    case PZ_AST_DROP_TABLE:
        pz_buffer_printf(out, "DROP%s %.*s", statement->drop.if_exists ? "?" : "",
                         PZ_STR_ARG(statement->drop.table.text));
        return;
    case PZ_AST_SHOW_TABLES:
        pz_buffer_append_c(out, "SHOW TABLES");
        return;
    case PZ_AST_DESCRIBE:
        pz_buffer_printf(out, "DESCRIBE %.*s", PZ_STR_ARG(statement->table.text));
        return;
    }
}

static void
check(const char *sql, const char *expected)
{
    struct pz_arena arena;
    struct pz_buffer out = {0};
    struct pz_error err = {0};
    struct pz_ast_statement statement;
    pz_arena_init(&arena, NULL);
    enum pz_status status = pz_parse(pz_str_from(sql), &arena, &statement, &err);
    if (status == PZ_OK) {
        write_statement(&out, &statement);
    } else {
        pz_buffer_printf(&out, "! %s @%u: %s", err.sqlstate, err.sql_offset, err.message);
        if (err.hint[0] != '\0') {
            pz_buffer_printf(&out, " (%s)", err.hint);
        }
    }
    PZ_CHECK_MSG(strcmp(out.data, expected) == 0, "%s\n  gives  %s\n  not    %s", sql, out.data,
                 expected);
    pz_buffer_fini(&out);
    pz_arena_fini(&arena);
}

static void
check_expr(const char *expr, const char *expected)
{
    char sql[512];
    char wanted[512];
    (void)snprintf(sql, sizeof sql, "SELECT %s", expr);
    (void)snprintf(wanted, sizeof wanted, "%s%s", expected[0] == '!' ? "" : "SELECT ", expected);
    check(sql, wanted);
}

// ---- expressions ---------------------------------------------------------------------------

PZ_TEST(operators_bind_as_in_postgresql)
{
    check_expr("1 + 2 * 3 - 4", "(- (+ 1 (* 2 3)) 4)");
    check_expr("a OR b AND NOT c = d", "(or a (and b (not (= c d))))");
    check_expr("a AND b AND c OR d OR e", "(or (and a b c) d e)");
    check_expr("a || b || c LIKE d", "(like (|| (|| a b) c) d)");
    check_expr("-a::bigint * -b", "(* (neg (cast-BIGINT a)) (neg b))");
    check_expr("- - 1", "(neg (neg 1))");
    check_expr("+a", "(pos a)");
    check_expr("a = b IS NULL", "(is-null (= a b))");
    check_expr("a IS NOT TRUE IS FALSE", "(is-false (is-not-true a))");
    check_expr("a LIKE b = c", "(= (like a b) c)");
    check_expr("a % 2 = 0", "(= (% a 2) 0)");
    check_expr("a = NOT b", "(= a (not b))");
    check_expr("(a + b) * c", "(* (+ a b) c)");
    check_expr("a = b = c", "! 42601 @14: syntax error at or near \"=\"");
    check("SELECT a < b < c", "! 42601 @14: syntax error at or near \"<\"");
}

PZ_TEST(predicates)
{
    check_expr("a IN (1, 2)", "(in a 1 2)");
    check_expr("a NOT IN (1)", "(not-in a 1)");
    check_expr("a BETWEEN 1 AND 2 AND b", "(and (between a 1 2) b)");
    check_expr("a NOT BETWEEN x + 1 AND y", "(not-between a (+ x 1) y)");
    check_expr("a ILIKE 'x%' ESCAPE '!'", "(ilike a 'x%' '!')");
    check_expr("a NOT LIKE b", "(not-like a b)");
    check_expr("a IS DISTINCT FROM b", "(distinct a b)");
    check_expr("a IS NOT DISTINCT FROM b AND c", "(and (not-distinct a b) c)");
    check_expr("a ISNULL", "(is-null a)");
    check_expr("a NOTNULL", "(is-not-null a)");
    check_expr("a IS UNKNOWN", "(is-unknown a)");
}

PZ_TEST(literals)
{
    check_expr("NULL, TRUE, false, 'x', 1.5, .5, 1e3", "null, true, false, 'x', 1.5d, 0.5d, 1000d");
    check_expr("-9223372036854775808", "-9223372036854775808");
    check_expr("9223372036854775808", "9.22337e+18d");
    check_expr("1e400", "! 22003 @8: \"1e400\" is out of range for type DOUBLE");
    check_expr("DATE '2026-01-02', TIMESTAMP '2026-01-02 03:04'",
               "DATE'2026-01-02', TIMESTAMP'2026-01-02 03:04'");
    check_expr("INTERVAL '1 day', INTERVAL '2' HOUR", "INTERVAL'1 day', INTERVAL'2' hour");
    check_expr("TIMESTAMP WITHOUT TIME ZONE '2026-01-02'", "TIMESTAMP'2026-01-02'");
    check_expr("double precision '1.5'", "DOUBLE'1.5'");
    check_expr("date, timestamp, interval", "date, timestamp, interval");
}

PZ_TEST(casts_and_cases)
{
    check_expr("CAST(a AS VARCHAR(10))", "(cast-TEXT a)");
    check_expr("a::double precision::text", "(cast-TEXT (cast-DOUBLE a))");
    check_expr("CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END", "(case-else a 1 b 2 3)");
    check_expr("CASE a WHEN 1 THEN 'x' END", "(case-of a 1 'x')");
    check_expr("CASE END", "! 42601 @13: syntax error at or near \"END\" (to use \"end\" as a "
                           "name, write it in double quotes)");
    check_expr("a::blob", "! 42704 @11: type \"blob\" does not exist (the types are BIGINT, "
                          "DOUBLE, TEXT, SYMBOL, BOOLEAN, TIMESTAMP, DATE and INTERVAL)");
    check_expr("a::numeric(10, 2)", "! 0A000 @11: type \"numeric\" is not supported (use BIGINT "
                                    "for whole numbers, DOUBLE for others)");
}

PZ_TEST(calls)
{
    check_expr("f(), g(1, a), count(*), count(DISTINCT a), sum(ALL b)",
               "(f), (g 1 a), (count *), (count-distinct a), (sum b)");
    check_expr("extract(day FROM ts), EXTRACT('hour' FROM ts)",
               "(extract 'day' ts), (extract 'hour' ts)");
    check_expr("substring(a FROM 2 FOR 3), substring(a FOR 3), substring(a, 2)",
               "(substring a 2 3), (substring a 1 3), (substring a 2)");
    check_expr("position('a' IN b)", "(position 'a' b)");
    check_expr("trim(a), trim(both 'x' from a), trim(leading from a), trim(trailing 'y' from a), "
               "trim('x' from a), trim(a, 'x')",
               "(btrim a), (btrim a 'x'), (ltrim a), (rtrim a 'y'), (btrim a 'x'), (btrim a 'x')");
    check_expr("left(a, 2), right(a, 2)", "(left a 2), (right a 2)");
    check_expr("current_date, current_timestamp", "(current_date), (current_timestamp)");
}

// ---- SELECT --------------------------------------------------------------------------------

PZ_TEST(clauses)
{
    check("select distinct a, b c, d as \"E\" from t where a > 1 group by 1, b having count(*) > 1 "
          "order by 1 desc nulls last, c limit 10 offset 5;",
          "SELECT DISTINCT a, b AS c, d AS E FROM t WHERE (> a 1) GROUP 1 , b HAVING (> (count *) "
          "1) ORDER 1 DESC LAST , c LIMIT 10 OFFSET 5");
    check("SELECT *, t.* FROM t", "SELECT *, t.* FROM t");
    check("SELECT t.a FROM public.t AS x", "SELECT t.a FROM t AS x");
    check("SELECT a FROM (SELECT b FROM (SELECT 1) x) AS y(a, b)",
          "SELECT a FROM {SELECT b FROM {SELECT 1} AS x} AS y/a,b");
    check("SELECT 1 FROM (SELECT 2)", "SELECT 1 FROM {SELECT 2}");
    check("((SELECT 1))", "SELECT 1");
    check("SELECT 1 LIMIT ALL OFFSET 2 ROWS", "SELECT 1 OFFSET 2");
    check("SELECT 1 OFFSET 2 LIMIT 1", "SELECT 1 LIMIT 1 OFFSET 2");
    check("EXPLAIN SELECT 1", "EXPLAIN SELECT 1");
    check("explain analyze select 1", "ANALYZE SELECT 1");
}

PZ_TEST(commands)
{
    check("INSERT INTO t VALUES (1, 'a'), (DEFAULT, -2)", "INSERT t | 1, 'a' | default, (neg 2)");
    check("insert into t (a, b) values (1, 2);", "INSERT t/a,b | 1, 2");
    check("DELETE FROM t", "DELETE t");
    check("DELETE FROM t AS x WHERE x.a = 1", "DELETE t AS x WHERE (= x.a 1)");
    check("CREATE TABLE IF NOT EXISTS t (a BIGINT NOT NULL, b SYMBOL DOMAIN user, c timestamp "
          "null) WITH (time = c)",
          "CREATE? t: a BIGINT!, b SYMBOL@user, c TIMESTAMP time c");
    check("DROP TABLE IF EXISTS t", "DROP? t");
    check("SHOW TABLES", "SHOW TABLES");
    check("DESCRIBE t", "DESCRIBE t");
    check("desc t", "DESCRIBE t");
    check("SHOW COLUMNS FROM t", "DESCRIBE t");
}

// ---- errors --------------------------------------------------------------------------------

PZ_TEST(errors_point_at_the_word_and_suggest)
{
    check("", "! 42601 @1: the statement is empty (try: SHOW TABLES)");
    check("  -- nothing\n", "! 42601 @14: the statement is empty (try: SHOW TABLES)");
    check("SELEC 1", "! 42601 @1: syntax error at or near \"SELEC\" (did you mean \"SELECT\"?)");
    check("SELECT a FORM t", "! 42601 @15: syntax error at or near \"t\" (did you mean \"FROM\"?)");
    check("SELECT a FROM t WERE a", "! 42601 @22: syntax error at or near \"a\" (did you mean "
                                    "\"WHERE\"?)");
    check("SELECT a FROM t GRUOP BY 1",
          "! 42601 @23: syntax error at or near \"BY\" (did you mean \"GROUP\"?)");
    check("SELECT (1", "! 42601 @10: syntax error at end of input");
    check("SELECT 1 +", "! 42601 @11: syntax error at end of input");
    check("SELECT FROM t", "! 42601 @8: syntax error at or near \"FROM\"");
    check("SELECT order FROM t", "! 42601 @8: syntax error at or near \"order\" (to use "
                                 "\"order\" as a name, write it in double quotes)");
    check("SELECT 'abc", "! 42601 @8: unterminated quoted string");
    check("SELEC 'abc", "! 42601 @1: syntax error at or near \"SELEC\" (did you mean \"SELECT\"?)");
    check("SELECT 1; SELECT 2", "! 0A000 @11: more than one statement at a time is not supported "
                                "(send the statements one by one)");
}

PZ_TEST(what_postgresql_knows_is_not_a_syntax_error)
{
    static const struct {
        const char *sql;
        uint32_t position;
        const char *what;
    } cases[] = {
        {"SELECT * FROM a JOIN b ON true", 17, "JOIN"},
        {"SELECT * FROM a LEFT JOIN b USING (c)", 17, "JOIN"},
        {"SELECT * FROM a, b", 16, "FROM with several tables"},
        {"WITH x AS (SELECT 1) SELECT * FROM x", 1, "WITH"},
        {"SELECT 1 UNION ALL SELECT 2", 10, "UNION"},
        {"SELECT 1 EXCEPT SELECT 2", 10, "EXCEPT"},
        {"SELECT a FROM t INTERSECT SELECT 2", 17, "INTERSECT"},
        {"SELECT sum(a) OVER (ORDER BY b) FROM t", 15, "a window function"},
        {"SELECT count(*) FILTER (WHERE a) FROM t", 17, "FILTER"},
        {"SELECT a FROM t WHERE a IN (SELECT 1)", 28, "IN with a subquery"},
        {"SELECT (SELECT 1)", 8, "a subquery in an expression"},
        {"SELECT EXISTS (SELECT 1)", 8, "EXISTS"},
        {"SELECT a = ANY (b)", 12, "comparison with ANY, SOME or ALL"},
        {"SELECT DISTINCT ON (a) a FROM t", 17, "DISTINCT ON"},
        {"SELECT a FROM t GROUP BY ROLLUP (a)", 26, "GROUP BY with ROLLUP, CUBE or GROUPING SETS"},
        {"SELECT a FROM t FETCH FIRST 1 ROW ONLY", 17, "FETCH"},
        {"SELECT a ~ 'x'", 10, "operator ~"},
        {"SELECT a[1]", 9, "a subscript"},
        {"SELECT ARRAY[1]", 8, "ARRAY"},
        {"SELECT (1, 2)", 8, "a row of several values"},
        {"SELECT $1", 8, "a parameter"},
        {"SELECT a AT TIME ZONE 'utc'", 10, "AT TIME ZONE"},
        {"SELECT a COLLATE \"C\"", 10, "COLLATE"},
        {"UPDATE t SET a = 1", 1, "UPDATE"},
        {"BEGIN", 1, "BEGIN"},
        {"INSERT INTO t SELECT 1", 15, "INSERT … SELECT"},
        {"INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", 26, "ON CONFLICT"},
        {"INSERT INTO t VALUES (1) RETURNING a", 26, "RETURNING"},
        {"CREATE TABLE t (a BIGINT PRIMARY KEY)", 26, "PRIMARY KEY"},
        {"CREATE TABLE t (a BIGINT, PRIMARY KEY (a))", 27, "PRIMARY KEY"},
        {"CREATE TABLE t (a BIGINT DEFAULT 1)", 26, "DEFAULT"},
        {"CREATE TABLE t AS SELECT 1", 16, "CREATE TABLE … AS"},
        {"CREATE INDEX i ON t (a)", 1, "CREATE INDEX"},
        {"CREATE VIEW v AS SELECT 1", 1, "CREATE VIEW"},
        {"DROP INDEX i", 1, "DROP of anything but a TABLE"},
        {"SHOW ALL_SETTINGS", 1, "SHOW of anything but TABLES"},
        {"VALUES (1)", 1, "VALUES as a query"},
        {"SELECT a LIMIT 1, 2", 17, "LIMIT with two numbers"},
        {"SELECT INTERVAL 1 DAY", 8, "an interval without quotes"},
        {"SELECT now() - INTERVAL '1-2' YEAR TO MONTH", 36, "an interval from one unit to another"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pz_arena arena;
        struct pz_error err = {0};
        struct pz_ast_statement statement;
        char message[200];
        pz_arena_init(&arena, NULL);
        PZ_CHECK_STATUS(pz_parse(pz_str_from(cases[i].sql), &arena, &statement, &err),
                        PZ_UNSUPPORTED, &err);
        (void)snprintf(message, sizeof message, "%s is not supported", cases[i].what);
        PZ_CHECK_EQ_STR(err.message, message);
        PZ_CHECK_EQ_STR(err.sqlstate, "0A000");
        PZ_CHECK_MSG(err.sql_offset == cases[i].position, "%s: position %u, not %u", cases[i].sql,
                     err.sql_offset, cases[i].position);
        pz_arena_fini(&arena);
    }
}

// ---- limits --------------------------------------------------------------------------------

static void
check_repeated(const char *head, const char *unit, size_t count, const char *tail,
               const char *sqlstate)
{
    struct pz_buffer sql = {0};
    struct pz_arena arena;
    struct pz_error err = {0};
    struct pz_ast_statement statement;
    pz_arena_init(&arena, NULL);
    pz_buffer_append_c(&sql, head);
    for (size_t i = 0; i < count; i++) {
        pz_buffer_append_c(&sql, unit);
    }
    pz_buffer_append_c(&sql, tail);
    enum pz_status status =
        pz_parse((struct pz_str){sql.data, (uint32_t)sql.len}, &arena, &statement, &err);
    PZ_CHECK_MSG(strcmp(status == PZ_OK ? "" : err.sqlstate, sqlstate) == 0,
                 "%s … %zu times %s: %s %s", head, count, unit, err.sqlstate, err.message);
    pz_arena_fini(&arena);
    pz_buffer_fini(&sql);
}

PZ_TEST(depth_is_limited)
{
    check_repeated("SELECT ", "(", 100000, "1", "54001");
    check_repeated("SELECT ", "NOT ", 50000, "true", "54001");
    check_repeated("SELECT ", "- ", 50000, "1", "54001");
    check_repeated("SELECT ", "f(", 50000, "1", "54001");
    check_repeated("SELECT ", "CASE WHEN ", 20000, "1", "54001");
    check_repeated("SELECT ", "CAST(", 20000, "1", "54001");
    check_repeated("SELECT * FROM ", "(SELECT * FROM ", 10000, "t", "54001");
    check_repeated("", "(", 100000, "SELECT 1", "54001");
    check_repeated("SELECT 1", " + 1", 60000, "", "54001");
    check_repeated("SELECT a", "::text", 40000, "", "54001");
    check_repeated("SELECT a", " IS NULL", 20000, "", "54001");
    check_repeated("SELECT 1 IN (1", " IN (1", 30000, "", "54001");
}

PZ_TEST(wide_statements_are_fine)
{
    check_repeated("SELECT a", " OR a", 40000, "", "");
    check_repeated("SELECT a IN (1", ", 1", 60000, ")", "");
    check_repeated("SELECT 1", " + 1", 900, "", "");
    check_repeated("SELECT CASE", " WHEN a THEN 1", 15000, " END", "");
    check_repeated("INSERT INTO t VALUES (1)", ", (1)", 40000, "", "");
    check_repeated("SELECT 1", ", 1", 999, "", "");
    check_repeated("SELECT 1", ", 1", 1000, "", "54011");
}
