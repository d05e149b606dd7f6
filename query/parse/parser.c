// SPDX-License-Identifier: Apache-2.0
// The parser's window over the tokens, its errors, and which statement this is.
#include "query/parse/parser_internal.h"

#include "query/query.h"

#include <stdio.h>

// ---- tokens --------------------------------------------------------------------------------

static void
fill(struct pz_parser *parser, struct pz_token *token)
{
    if (parser->bad_status == PZ_OK) {
        parser->bad_status = pz_lexer_next(&parser->lexer, token, &parser->bad);
    }
    if (parser->bad_status != PZ_OK) {
        token->kind = PZ_TOKEN_BAD;
    }
}

static enum pz_status
init_parser(struct pz_parser *parser, struct pz_str text, struct pz_arena *arena,
            struct pz_error *err)
{
    *parser = (struct pz_parser){.arena = arena};
    PZ_TRY(pz_lexer_init(&parser->lexer, text, arena, err));
    for (unsigned i = 0; i < PZ_PARSER_WINDOW; i++) {
        fill(parser, &parser->window[i]);
    }
    return PZ_OK;
}

void
pz__advance(struct pz_parser *parser)
{
    parser->previous = parser->window[0];
    for (unsigned i = 1; i < PZ_PARSER_WINDOW; i++) {
        parser->window[i - 1] = parser->window[i];
    }
    fill(parser, &parser->window[PZ_PARSER_WINDOW - 1]);
}

bool
pz__token_is_keyword(const struct pz_token *token, enum pz_keyword keyword)
{
    return token->kind == PZ_TOKEN_KEYWORD && token->keyword == keyword;
}

bool
pz__token_is_operator(const struct pz_token *token, enum pz_operator op)
{
    return token->kind == PZ_TOKEN_OPERATOR && token->op == op;
}

bool
pz__token_is_word(const struct pz_token *token, const char *word)
{
    return token->kind == PZ_TOKEN_NAME && pz_str_equal(token->text, pz_str_from(word));
}

bool
pz__at_keyword(const struct pz_parser *parser, enum pz_keyword keyword)
{
    return pz__token_is_keyword(&parser->window[0], keyword);
}

bool
pz__at_operator(const struct pz_parser *parser, enum pz_operator op)
{
    return pz__token_is_operator(&parser->window[0], op);
}

bool
pz__at_word(const struct pz_parser *parser, const char *word)
{
    return pz__token_is_word(&parser->window[0], word);
}

bool
pz__accept_keyword(struct pz_parser *parser, enum pz_keyword keyword)
{
    bool is_here = pz__at_keyword(parser, keyword);
    if (is_here) {
        pz__advance(parser);
    }
    return is_here;
}

bool
pz__accept_operator(struct pz_parser *parser, enum pz_operator op)
{
    bool is_here = pz__at_operator(parser, op);
    if (is_here) {
        pz__advance(parser);
    }
    return is_here;
}

bool
pz__accept_word(struct pz_parser *parser, const char *word)
{
    bool is_here = pz__at_word(parser, word);
    if (is_here) {
        pz__advance(parser);
    }
    return is_here;
}

enum pz_status
pz__expect_keyword(struct pz_parser *parser, enum pz_keyword keyword, struct pz_error *err)
{
    return pz__accept_keyword(parser, keyword) ? PZ_OK : pz__syntax_error(parser, err);
}

enum pz_status
pz__expect_operator(struct pz_parser *parser, enum pz_operator op, struct pz_error *err)
{
    return pz__accept_operator(parser, op) ? PZ_OK : pz__syntax_error(parser, err);
}

enum pz_status
pz__expect_word(struct pz_parser *parser, const char *word, struct pz_error *err)
{
    return pz__accept_word(parser, word) ? PZ_OK : pz__syntax_error(parser, err);
}

// ---- errors --------------------------------------------------------------------------------

// The keyword that a word was probably meant to be, or NULL.
static const char *
similar_keyword(const struct pz_token *token)
{
    static const char *const words[] = {
        "SELECT",  "FROM",     "WHERE",    "GROUP",  "HAVING", "ORDER",  "LIMIT",
        "OFFSET",  "INSERT",   "DELETE",   "CREATE", "TABLE",  "VALUES", "BETWEEN",
        "EXPLAIN", "DESCRIBE", "DISTINCT", "SHOW",   "INTO",   "NULLS",  "FIRST",
    };
    if (token->kind != PZ_TOKEN_NAME || token->text.len < 3) {
        return NULL;
    }
    const char *best = NULL;
    unsigned best_distance = token->text.len < 5 ? 2 : 3;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char folded[16] = {0};
        uint32_t len = (uint32_t)strlen(words[i]);
        for (uint32_t k = 0; k < len; k++) {
            folded[k] = (char)(words[i][k] - 'A' + 'a');
        }
        unsigned distance = pz_str_distance(token->text, (struct pz_str){folded, len}, 2);
        if (distance > 0 && distance < best_distance) {
            best = words[i];
            best_distance = distance;
        }
    }
    return best;
}

// Reserved words that people give to columns and tables.
static bool
is_like_a_name(enum pz_keyword keyword)
{
    static const enum pz_keyword words[] = {
        PZ_KEYWORD_ALL,     PZ_KEYWORD_ANY,   PZ_KEYWORD_ARRAY, PZ_KEYWORD_CASE,
        PZ_KEYWORD_CHECK,   PZ_KEYWORD_DESC,  PZ_KEYWORD_END,   PZ_KEYWORD_DEFAULT,
        PZ_KEYWORD_FULL,    PZ_KEYWORD_GROUP, PZ_KEYWORD_LEFT,  PZ_KEYWORD_LIKE,
        PZ_KEYWORD_LIMIT,   PZ_KEYWORD_ORDER, PZ_KEYWORD_RIGHT, PZ_KEYWORD_OFFSET,
        PZ_KEYWORD_PRIMARY, PZ_KEYWORD_TABLE, PZ_KEYWORD_TO,    PZ_KEYWORD_WINDOW,
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i] == keyword) {
            return true;
        }
    }
    return false;
}

enum pz_status
pz__syntax_error(struct pz_parser *parser, struct pz_error *err)
{
    const struct pz_token *token = &parser->window[0];
    if (token->kind == PZ_TOKEN_BAD) {
        if (err != NULL) {
            *err = parser->bad;
        }
        return parser->bad_status;
    }
    enum pz_status status;
    if (token->kind == PZ_TOKEN_END) {
        status = pz_fail_sql(err, "42601", token->offset, "syntax error at end of input");
    } else {
        struct pz_str raw = {parser->lexer.text.data + token->offset, token->end - token->offset};
        raw = pz_str_cut_utf8(raw, 60);
        status = pz_fail_sql(err, "42601", token->offset, "syntax error at or near \"%.*s\"",
                             PZ_STR_ARG(raw));
    }
    // In `SELECT a FORM t` the parser takes FORM for an alias and stumbles over t.
    const char *similar = similar_keyword(token);
    if (similar == NULL) {
        similar = similar_keyword(&parser->previous);
    }
    if (similar != NULL) {
        pz_error_hint(err, "did you mean \"%s\"?", similar);
    } else if (token->kind == PZ_TOKEN_KEYWORD && is_like_a_name(token->keyword)) {
        pz_error_hint(err, "to use \"%.*s\" as a name, write it in double quotes",
                      PZ_STR_ARG(token->text));
    }
    return status;
}

enum pz_status
pz__unsupported(uint32_t offset, const char *what, const char *hint, struct pz_error *err)
{
    enum pz_status status = pz_fail_sql(err, "0A000", offset, "%s is not supported", what);
    if (hint != NULL) {
        pz_error_hint(err, "%s", hint);
    }
    return status;
}

enum pz_status
pz__parser_no_memory(struct pz_error *err)
{
    enum pz_status status =
        pz_fail(err, PZ_NO_MEMORY, "the query's memory limit is too small to parse the statement");
    if (err != NULL) {
        memcpy(err->sqlstate, "53200", 6);
    }
    return status;
}

enum pz_status
pz__parser_enter(struct pz_parser *parser, struct pz_error *err)
{
    if (parser->depth >= PZ_SQL_DEPTH_MAX) {
        return pz_fail_sql(err, "54001", parser->window[0].offset,
                           "the statement nests deeper than %d levels", PZ_SQL_DEPTH_MAX);
    }
    parser->depth++;
    return PZ_OK;
}

// ---- lists and names -----------------------------------------------------------------------

void *
pz__list_add(struct pz_parser *parser, struct pz_parse_list *list, size_t size)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity == 0 ? 4 : list->capacity * 2;
        void *items = pz_arena_alloc_array(parser->arena, capacity, size);
        if (items == NULL) {
            return NULL;
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * size);
        }
        list->items = items;
        list->capacity = capacity;
    }
    void *item = (char *)list->items + list->count * size;
    memset(item, 0, size);
    list->count++;
    return item;
}

static bool
is_name(const struct pz_token *token)
{
    return token->kind == PZ_TOKEN_NAME || token->kind == PZ_TOKEN_QUOTED ||
           (token->kind == PZ_TOKEN_KEYWORD &&
            pz_keyword_class(token->keyword) == PZ_KEYWORD_CLASS_NO_LABEL);
}

bool
pz__at_name(const struct pz_parser *parser)
{
    return is_name(&parser->window[0]);
}

enum pz_status
pz__parse_name(struct pz_parser *parser, struct pz_ast_name *name_out, struct pz_error *err)
{
    if (!pz__at_name(parser)) {
        return pz__syntax_error(parser, err);
    }
    *name_out = (struct pz_ast_name){parser->window[0].text, parser->window[0].offset};
    pz__advance(parser);
    return PZ_OK;
}

enum pz_status
pz__parse_table_name(struct pz_parser *parser, struct pz_ast_name *name_out, struct pz_error *err)
{
    PZ_TRY(pz__parse_name(parser, name_out, err));
    if (pz__at_operator(parser, PZ_OPERATOR_DOT)) {
        if (!pz_str_equal(name_out->text, PZ_STR("public"))) {
            return pz__unsupported(name_out->offset, "a schema before a table",
                                   "write the table's name alone", err);
        }
        pz__advance(parser);
        PZ_TRY(pz__parse_name(parser, name_out, err));
    }
    return PZ_OK;
}

enum pz_status
pz__parse_name_list(struct pz_parser *parser, struct pz_ast_name **names, uint32_t *count,
                    struct pz_error *err)
{
    struct pz_parse_list list = {0};
    PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_LPAREN, err));
    do {
        struct pz_ast_name *name = pz__list_add(parser, &list, sizeof *name);
        if (name == NULL) {
            return pz__parser_no_memory(err);
        }
        PZ_TRY(pz__parse_name(parser, name, err));
        if (list.count > PZ_AST_LIST_MAX) {
            return pz_fail_sql(err, "54011", name->offset, "more than %u columns", PZ_AST_LIST_MAX);
        }
    } while (pz__accept_operator(parser, PZ_OPERATOR_COMMA));
    *names = list.items;
    *count = list.count;
    return pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err);
}

// ---- statements ----------------------------------------------------------------------------

static enum pz_status
parse_explain(struct pz_parser *parser, struct pz_ast_statement *out, struct pz_error *err)
{
    out->kind = PZ_AST_EXPLAIN;
    pz__advance(parser);
    out->is_analyze = pz__accept_word(parser, "analyze") || pz__accept_word(parser, "analyse");
    if (pz__at_operator(parser, PZ_OPERATOR_LPAREN) && is_name(&parser->window[1])) {
        return pz__unsupported(parser->window[0].offset, "EXPLAIN with options",
                               "write EXPLAIN SELECT … or EXPLAIN ANALYZE SELECT …", err);
    }
    if (pz__at_word(parser, "insert") || pz__at_word(parser, "delete") ||
        pz__at_word(parser, "update") || pz__at_keyword(parser, PZ_KEYWORD_CREATE)) {
        return pz__unsupported(parser->window[0].offset, "EXPLAIN of a statement that writes",
                               "EXPLAIN takes a SELECT", err);
    }
    return pz__parse_select(parser, &out->select, err);
}

static enum pz_status
parse_show(struct pz_parser *parser, struct pz_ast_statement *out, struct pz_error *err)
{
    out->kind = PZ_AST_SHOW_TABLES;
    uint32_t offset = parser->window[0].offset;
    pz__advance(parser);
    if (pz__accept_word(parser, "tables")) {
        return PZ_OK;
    }
    if (pz__accept_word(parser, "columns") && pz__accept_keyword(parser, PZ_KEYWORD_FROM)) {
        out->kind = PZ_AST_DESCRIBE;
        return pz__parse_table_name(parser, &out->table, err);
    }
    if (parser->window[0].kind == PZ_TOKEN_NAME) {
        return pz__unsupported(offset, "SHOW of anything but TABLES",
                               "write SHOW TABLES, or DESCRIBE and a table's name", err);
    }
    return pz__syntax_error(parser, err);
}

// Statements of PostgreSQL that plaza has not.
static enum pz_status
refuse_statement(struct pz_parser *parser, struct pz_error *err)
{
    static const struct {
        const char *word;
        const char *what;
        const char *hint;
    } others[] = {
        {"update", "UPDATE", "rows of a log do not change: DELETE them and INSERT new ones"},
        {"merge", "MERGE", "use INSERT and DELETE"},
        {"truncate", "TRUNCATE", "use DELETE FROM without WHERE, or DROP TABLE"},
        {"alter", "ALTER", "create a new table with the columns you want"},
        {"copy", "COPY", "use `plaza import`, or POST the rows to /v1/tables/{table}/rows"},
        {"begin", "BEGIN", "each statement is one transaction"},
        {"start", "START TRANSACTION", "each statement is one transaction"},
        {"commit", "COMMIT", "each statement is one transaction"},
        {"rollback", "ROLLBACK", "each statement is one transaction"},
        {"set", "SET", "give settings with the request, e.g. timeout_ms"},
        {"reset", "RESET", "give settings with the request, e.g. timeout_ms"},
        {"grant", "GRANT", NULL},
        {"revoke", "REVOKE", NULL},
        {"vacuum", "VACUUM", "plaza tidies up by itself"},
        {"analyze", "ANALYZE", "statistics are always exact; EXPLAIN ANALYZE SELECT … measures"},
        {"prepare", "PREPARE", "send the statement's whole text"},
        {"execute", "EXECUTE", "send the statement's whole text"},
        {"call", "CALL", NULL},
        {"do", "DO", NULL},
        {"pragma", "PRAGMA", "write SHOW TABLES, or DESCRIBE and a table's name"},
        {"replace", "REPLACE", "use INSERT"},
        {"use", "USE", "there is one database: name the table"},
    };
    uint32_t offset = parser->window[0].offset;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (pz__at_word(parser, others[i].word)) {
            return pz__unsupported(offset, others[i].what, others[i].hint, err);
        }
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_TABLE)) {
        return pz__unsupported(offset, "TABLE", "write SELECT * FROM and the table's name", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_FROM)) {
        return pz__unsupported(offset, "FROM before SELECT", "write SELECT … FROM …", err);
    }
    if (parser->window[0].kind == PZ_TOKEN_END) {
        enum pz_status status = pz_fail_sql(err, "42601", offset, "the statement is empty");
        pz_error_hint(err, "try: SHOW TABLES");
        return status;
    }
    return pz__syntax_error(parser, err);
}

static enum pz_status
parse_statement(struct pz_parser *parser, struct pz_ast_statement *out, struct pz_error *err)
{
    if (pz__at_select(parser)) {
        out->kind = PZ_AST_SELECT;
        return pz__parse_select(parser, &out->select, err);
    }
    if (pz__at_word(parser, "insert")) {
        out->kind = PZ_AST_INSERT;
        return pz__parse_insert(parser, &out->insert, err);
    }
    if (pz__at_word(parser, "delete")) {
        out->kind = PZ_AST_DELETE;
        return pz__parse_delete(parser, &out->delete, err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_CREATE)) {
        out->kind = PZ_AST_CREATE_TABLE;
        return pz__parse_create(parser, &out->create, err);
    }
    if (pz__at_word(parser, "drop")) {
        out->kind = PZ_AST_DROP_TABLE;
        return pz__parse_drop(parser, &out->drop, err);
    }
    if (pz__at_word(parser, "explain")) {
        return parse_explain(parser, out, err);
    }
    if (pz__at_word(parser, "show")) {
        return parse_show(parser, out, err);
    }
    if (pz__at_word(parser, "describe") || pz__at_keyword(parser, PZ_KEYWORD_DESC)) {
        out->kind = PZ_AST_DESCRIBE;
        pz__advance(parser);
        (void)pz__accept_keyword(parser, PZ_KEYWORD_TABLE);
        return pz__parse_table_name(parser, &out->table, err);
    }
    return refuse_statement(parser, err);
}

enum pz_status
pz_parse(struct pz_str text, struct pz_arena *arena, struct pz_ast_statement *statement_out,
         struct pz_error *err)
{
    struct pz_parser parser;
    *statement_out = (struct pz_ast_statement){0};
    PZ_TRY(init_parser(&parser, text, arena, err));
    PZ_TRY(parse_statement(&parser, statement_out, err));
    if (pz__accept_operator(&parser, PZ_OPERATOR_SEMICOLON)) {
        while (pz__accept_operator(&parser, PZ_OPERATOR_SEMICOLON)) {
        }
        if (parser.window[0].kind != PZ_TOKEN_END && parser.window[0].kind != PZ_TOKEN_BAD) {
            return pz__unsupported(parser.window[0].offset, "more than one statement at a time",
                                   "send the statements one by one", err);
        }
    }
    return parser.window[0].kind == PZ_TOKEN_END ? PZ_OK : pz__syntax_error(&parser, err);
}
