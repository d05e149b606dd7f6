// SPDX-License-Identifier: Apache-2.0
// INSERT, DELETE, CREATE TABLE and DROP TABLE.
#include "query/parse/parser_internal.h"

// ---- INSERT --------------------------------------------------------------------------------

static enum pz_status
parse_row(struct pz_parser *parser, struct pz_ast_row *row, struct pz_error *err)
{
    row->offset = parser->window[0].offset;
    PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_LPAREN, err));
    struct pz_parse_list list = {0};
    do {
        struct pz_ast **value = pz__list_add(parser, &list, sizeof(struct pz_ast *));
        if (value == NULL) {
            return pz__parser_no_memory(err);
        }
        if (!pz__accept_keyword(parser, PZ_KEYWORD_DEFAULT)) {
            PZ_TRY(pz__parse_expr(parser, value, err));
        }
    } while (pz__accept_operator(parser, PZ_OPERATOR_COMMA));
    row->values = list.items;
    row->value_count = list.count;
    return pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err);
}

static enum pz_status
refuse_insert_suffix(struct pz_parser *parser, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    if (pz__at_keyword(parser, PZ_KEYWORD_ON)) {
        return pz__unsupported(offset, "ON CONFLICT", "a log has no keys: rows are only added",
                               err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_RETURNING)) {
        return pz__unsupported(offset, "RETURNING", "SELECT the rows afterwards", err);
    }
    return PZ_OK;
}

enum pz_status
pz__parse_insert(struct pz_parser *parser, struct pz_ast_insert *out, struct pz_error *err)
{
    pz__advance(parser);
    PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_INTO, err));
    PZ_TRY(pz__parse_table_name(parser, &out->table, err));
    if (pz__accept_keyword(parser, PZ_KEYWORD_AS)) {
        struct pz_ast_name alias; // nothing could use it
        PZ_TRY(pz__parse_name(parser, &alias, err));
    }
    if (pz__at_operator(parser, PZ_OPERATOR_LPAREN) && !pz__at_select(parser)) {
        PZ_TRY(pz__parse_name_list(parser, &out->columns, &out->column_count, err));
    }
    uint32_t offset = parser->window[0].offset;
    if (pz__at_keyword(parser, PZ_KEYWORD_DEFAULT)) {
        return pz__unsupported(offset, "INSERT of DEFAULT VALUES", "write VALUES (…)", err);
    }
    if (pz__at_select(parser) && !pz__at_word(parser, "values")) {
        return pz__unsupported(offset, "INSERT … SELECT",
                               "INSERT … VALUES, or load the query's result with plaza import",
                               err);
    }
    PZ_TRY(pz__expect_word(parser, "values", err));
    struct pz_parse_list list = {0};
    do {
        struct pz_ast_row *row = pz__list_add(parser, &list, sizeof *row);
        if (row == NULL) {
            return pz__parser_no_memory(err);
        }
        PZ_TRY(parse_row(parser, row, err));
    } while (pz__accept_operator(parser, PZ_OPERATOR_COMMA));
    out->rows = list.items;
    out->row_count = list.count;
    return refuse_insert_suffix(parser, err);
}

// ---- DELETE --------------------------------------------------------------------------------

enum pz_status
pz__parse_delete(struct pz_parser *parser, struct pz_ast_delete *out, struct pz_error *err)
{
    pz__advance(parser);
    PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_FROM, err));
    PZ_TRY(pz__parse_table_name(parser, &out->table, err));
    if (pz__accept_keyword(parser, PZ_KEYWORD_AS) || parser->window[0].kind == PZ_TOKEN_NAME) {
        struct pz_ast_name alias;
        PZ_TRY(pz__parse_name(parser, &alias, err));
        out->alias = alias.text;
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_USING)) {
        return pz__unsupported(parser->window[0].offset, "DELETE … USING",
                               "name the rows by a condition on the table's own columns", err);
    }
    if (pz__accept_keyword(parser, PZ_KEYWORD_WHERE)) {
        if (pz__at_word(parser, "current") && pz__token_is_word(&parser->window[1], "of")) {
            return pz__unsupported(parser->window[0].offset, "a cursor", NULL, err);
        }
        PZ_TRY(pz__parse_expr(parser, &out->where, err));
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_RETURNING)) {
        return pz__unsupported(parser->window[0].offset, "RETURNING", "SELECT the rows before",
                               err);
    }
    return PZ_OK;
}

// ---- CREATE TABLE --------------------------------------------------------------------------

static enum pz_status
refuse_constraint(struct pz_parser *parser, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    if (pz__at_keyword(parser, PZ_KEYWORD_PRIMARY)) {
        return pz__unsupported(offset, "PRIMARY KEY",
                               "tables are logs without keys; NOT NULL is checked", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_UNIQUE)) {
        return pz__unsupported(offset, "UNIQUE", "tables are logs without keys", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_REFERENCES) ||
        pz__at_keyword(parser, PZ_KEYWORD_FOREIGN)) {
        return pz__unsupported(offset, "FOREIGN KEY", "leave it out: rows are taken as they come",
                               err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_CHECK)) {
        return pz__unsupported(offset, "CHECK", "filter with WHERE when you query", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_DEFAULT)) {
        return pz__unsupported(offset, "DEFAULT", "a missing value is NULL; use coalesce", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_CONSTRAINT)) {
        return pz__unsupported(offset, "CONSTRAINT", "only NOT NULL is checked", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_COLLATE)) {
        return pz__unsupported(offset, "COLLATE", "text is ordered by its bytes", err);
    }
    if (pz__at_word(parser, "generated")) {
        return pz__unsupported(offset, "a generated column", "compute it in the query", err);
    }
    return PZ_OK;
}

static enum pz_status
parse_column_def(struct pz_parser *parser, struct pz_ast_column *column, struct pz_error *err)
{
    PZ_TRY(refuse_constraint(parser, err));
    PZ_TRY(pz__parse_name(parser, &column->name, err));
    struct pz_parsed_type type;
    PZ_TRY(pz__parse_type(parser, &type, err));
    if (type.length != 0) {
        return pz__unsupported(type.offset, "a length of a column", "write TEXT", err);
    }
    column->type = type.type;
    column->type_offset = type.offset;
    bool is_null = false;
    for (;;) {
        if (is_null && column->is_not_null) {
            return pz_fail_sql(err, "42601", parser->previous.offset,
                               "conflicting NULL and NOT NULL for column \"%.*s\"",
                               PZ_STR_ARG(pz_str_cut_utf8(column->name.text, PZ_NAME_LEN_MAX)));
        }
        if (pz__accept_keyword(parser, PZ_KEYWORD_NOT)) {
            PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_NULL, err));
            column->is_not_null = true;
        } else if (pz__accept_word(parser, "domain")) {
            PZ_TRY(pz__parse_name(parser, &column->domain, err));
        } else if (pz__accept_keyword(parser, PZ_KEYWORD_NULL)) {
            is_null = true;
        } else {
            return refuse_constraint(parser, err);
        }
    }
}

// WITH (time = column).
static enum pz_status
parse_create_options(struct pz_parser *parser, struct pz_ast_create *out, struct pz_error *err)
{
    PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_LPAREN, err));
    do {
        struct pz_ast_name option;
        PZ_TRY(pz__parse_name(parser, &option, err));
        if (!pz_str_equal(option.text, PZ_STR("time"))) {
            struct pz_str shown = pz_str_cut_utf8(option.text, PZ_NAME_LEN_MAX);
            enum pz_status status = pz_fail_sql(
                err, "22023", option.offset, "unrecognized parameter \"%.*s\"", PZ_STR_ARG(shown));
            pz_error_hint(err, "the one parameter of a table is time = column");
            return status;
        }
        PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_EQUAL, err));
        if (parser->window[0].kind == PZ_TOKEN_STRING) {
            out->time = (struct pz_ast_name){parser->window[0].text, parser->window[0].offset};
            pz__advance(parser);
        } else {
            PZ_TRY(pz__parse_name(parser, &out->time, err));
        }
    } while (pz__accept_operator(parser, PZ_OPERATOR_COMMA));
    return pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err);
}

static enum pz_status
refuse_create(struct pz_parser *parser, struct pz_error *err)
{
    static const struct {
        const char *word;
        const char *what;
        const char *hint;
    } others[] = {
        {"index", "CREATE INDEX", "leave it out: blocks carry their statistics"},
        {"view", "CREATE VIEW", "write the query as a subquery in FROM"},
        {"materialized", "CREATE MATERIALIZED VIEW", "write the query as a subquery in FROM"},
        {"temp", "CREATE TEMPORARY TABLE", "create a table, and drop it afterwards"},
        {"temporary", "CREATE TEMPORARY TABLE", "create a table, and drop it afterwards"},
        {"unlogged", "CREATE UNLOGGED TABLE", "create a table"},
        {"schema", "CREATE SCHEMA", "there is one schema"},
        {"database", "CREATE DATABASE", "a data directory is a database"},
        {"type", "CREATE TYPE", "use SYMBOL for words that repeat"},
        {"function", "CREATE FUNCTION", NULL},
        {"sequence", "CREATE SEQUENCE", NULL},
        {"user", "CREATE USER", NULL},
        {"role", "CREATE ROLE", NULL},
    };
    uint32_t offset = parser->previous.offset;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (pz__at_word(parser, others[i].word)) {
            return pz__unsupported(offset, others[i].what, others[i].hint, err);
        }
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_UNIQUE)) {
        return pz__unsupported(offset, "CREATE INDEX", "leave it out", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_OR)) {
        return pz__unsupported(offset, "CREATE OR REPLACE", "DROP TABLE IF EXISTS first", err);
    }
    return pz__syntax_error(parser, err);
}

static enum pz_status
parse_columns(struct pz_parser *parser, struct pz_ast_create *out, struct pz_error *err)
{
    struct pz_parse_list list = {0};
    do {
        if (list.count == PZ_AST_LIST_MAX) {
            return pz_fail_sql(err, "54011", parser->window[0].offset,
                               "tables can have at most %u columns", PZ_AST_LIST_MAX);
        }
        struct pz_ast_column *column = pz__list_add(parser, &list, sizeof *column);
        if (column == NULL) {
            return pz__parser_no_memory(err);
        }
        PZ_TRY(parse_column_def(parser, column, err));
    } while (pz__accept_operator(parser, PZ_OPERATOR_COMMA));
    out->columns = list.items;
    out->column_count = list.count;
    return pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err);
}

enum pz_status
pz__parse_create(struct pz_parser *parser, struct pz_ast_create *out, struct pz_error *err)
{
    pz__advance(parser);
    if (!pz__accept_keyword(parser, PZ_KEYWORD_TABLE)) {
        return refuse_create(parser, err);
    }
    if (pz__accept_word(parser, "if")) {
        PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_NOT, err));
        PZ_TRY(pz__expect_word(parser, "exists", err));
        out->if_not_exists = true;
    }
    PZ_TRY(pz__parse_table_name(parser, &out->table, err));
    if (pz__at_keyword(parser, PZ_KEYWORD_AS)) {
        return pz__unsupported(parser->window[0].offset, "CREATE TABLE … AS",
                               "write the columns, and INSERT the rows", err);
    }
    PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_LPAREN, err));
    if (pz__at_keyword(parser, PZ_KEYWORD_LIKE)) {
        return pz__unsupported(parser->window[0].offset, "CREATE TABLE with LIKE",
                               "write the columns out; DESCRIBE shows them", err);
    }
    PZ_TRY(parse_columns(parser, out, err));
    if (pz__accept_keyword(parser, PZ_KEYWORD_WITH)) {
        PZ_TRY(parse_create_options(parser, out, err));
    }
    if (pz__at_word(parser, "partition")) {
        return pz__unsupported(parser->window[0].offset, "PARTITION BY",
                               "tables are laid out by their time column", err);
    }
    return PZ_OK;
}

// ---- DROP TABLE ----------------------------------------------------------------------------

enum pz_status
pz__parse_drop(struct pz_parser *parser, struct pz_ast_drop *out, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    pz__advance(parser);
    if (!pz__at_keyword(parser, PZ_KEYWORD_TABLE) && pz__at_name(parser)) {
        return pz__unsupported(offset, "DROP of anything but a TABLE",
                               "write DROP TABLE and a name", err);
    }
    PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_TABLE, err));
    if (pz__accept_word(parser, "if")) {
        PZ_TRY(pz__expect_word(parser, "exists", err));
        out->if_exists = true;
    }
    PZ_TRY(pz__parse_table_name(parser, &out->table, err));
    if (pz__at_operator(parser, PZ_OPERATOR_COMMA)) {
        return pz__unsupported(parser->window[0].offset, "DROP of several tables at once",
                               "drop them one by one", err);
    }
    (void)(pz__accept_word(parser, "cascade") || pz__accept_word(parser, "restrict"));
    return PZ_OK;
}
