// SPDX-License-Identifier: Apache-2.0
// Literals, names, CASE, CAST and parentheses: what operators stand between.
#include "base/num.h"
#include "query/parse/parser_internal.h"

// ---- literals ------------------------------------------------------------------------------

// A leaf made of the current token, which is passed.
static enum pz_status
make_leaf(struct pz_parser *parser, enum pz_ast_kind kind, struct pz_ast **out,
          struct pz_error *err)
{
    const struct pz_token *token = &parser->window[0];
    struct pz_ast *node = pz__ast_make(parser, kind, token->offset, token->offset, 0);
    if (node == NULL) {
        return pz__parser_no_memory(err);
    }
    node->text = token->text;
    *out = node;
    pz__advance(parser);
    return PZ_OK;
}

// Digits that do not fit BIGINT are a double, like every number with a point or an exponent.
static enum pz_status
parse_number(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    struct pz_token token = parser->window[0];
    PZ_TRY(make_leaf(parser, PZ_AST_INTEGER, out, err));
    if (token.kind == PZ_TOKEN_INTEGER && pz_parse_i64(token.text, &(*out)->integer)) {
        return PZ_OK;
    }
    (*out)->kind = PZ_AST_DOUBLE;
    // "1." and ".5" are numbers of SQL; a zero makes them numbers for everybody.
    struct pz_buffer digits = {0};
    uint32_t point = 0;
    while (point < token.text.len && token.text.data[point] != '.') {
        point++;
    }
    pz_buffer_append_c(&digits, "0");
    pz_buffer_append(&digits, token.text.data, point);
    if (point < token.text.len) {
        const char *rest = token.text.data + point + 1;
        uint32_t rest_len = token.text.len - point - 1;
        pz_buffer_append_c(&digits, rest_len > 0 && rest[0] >= '0' && rest[0] <= '9' ? "." : ".0");
        pz_buffer_append(&digits, rest, rest_len);
    }
    bool is_ok = !digits.is_failed &&
                 pz_parse_double((struct pz_str){digits.data, (uint32_t)digits.len}, &(*out)->real);
    pz_buffer_fini(&digits);
    if (!is_ok) {
        struct pz_str shown = pz_str_cut_utf8(token.text, 60);
        return pz_fail_sql(err, "22003", token.offset, "\"%.*s\" is out of range for type DOUBLE",
                           PZ_STR_ARG(shown));
    }
    return PZ_OK;
}

// INTERVAL '1' DAY: the word after the string.
static bool
at_interval_unit(const struct pz_parser *parser)
{
    static const char *const units[] = {
        "year", "years", "quarter", "month",  "months",  "week",   "weeks",   "day",
        "days", "hour",  "hours",   "minute", "minutes", "second", "seconds",
    };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (pz__at_word(parser, units[i])) {
            return true;
        }
    }
    return false;
}

// DATE '…', INTERVAL '…' DAY, BIGINT '12': a type, then a string.
static enum pz_status
parse_typed_literal(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    uint32_t begin = parser->window[0].offset;
    struct pz_parsed_type type;
    PZ_TRY(pz__parse_type(parser, &type, err));
    if (parser->window[0].kind != PZ_TOKEN_STRING) {
        return pz__syntax_error(parser, err);
    }
    PZ_TRY(make_leaf(parser, PZ_AST_TYPED, out, err));
    (*out)->begin = begin;
    (*out)->type = type.type;
    (*out)->length = type.length;
    (*out)->label = type.label;
    if (type.type == PZ_TYPE_INTERVAL && at_interval_unit(parser)) {
        (*out)->unit = parser->window[0].text;
        pz__advance(parser);
        if (pz__at_keyword(parser, PZ_KEYWORD_TO)) {
            return pz__unsupported(parser->window[0].offset, "an interval from one unit to another",
                                   "write it out: INTERVAL '1 year 2 months'", err);
        }
    }
    return PZ_OK;
}

// ---- CASE and CAST -------------------------------------------------------------------------

static enum pz_status
add_case_part(struct pz_parser *parser, struct pz_parse_list *list, struct pz_error *err)
{
    struct pz_ast **part = pz__list_add(parser, list, sizeof(struct pz_ast *));
    return part == NULL ? pz__parser_no_memory(err) : pz__parse_expr(parser, part, err);
}

static enum pz_status
parse_case(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    struct pz_ast *node = pz__ast_make(parser, PZ_AST_CASE, offset, offset, 0);
    if (node == NULL) {
        return pz__parser_no_memory(err);
    }
    struct pz_parse_list list = {0};
    pz__advance(parser);
    if (!pz__at_keyword(parser, PZ_KEYWORD_WHEN)) {
        node->has_operand = true;
        PZ_TRY(add_case_part(parser, &list, err));
    }
    do {
        PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_WHEN, err));
        PZ_TRY(add_case_part(parser, &list, err));
        PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_THEN, err));
        PZ_TRY(add_case_part(parser, &list, err));
    } while (pz__at_keyword(parser, PZ_KEYWORD_WHEN));
    if (pz__accept_keyword(parser, PZ_KEYWORD_ELSE)) {
        node->has_else = true;
        PZ_TRY(add_case_part(parser, &list, err));
    }
    PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_END, err));
    *out = node;
    return pz__ast_finish_list(node, &list, err);
}

static enum pz_status
make_cast(struct pz_parser *parser, uint32_t offset, uint32_t begin, struct pz_ast **operand,
          struct pz_error *err)
{
    struct pz_parsed_type type;
    PZ_TRY(pz__parse_type(parser, &type, err));
    struct pz_ast *node = pz__ast_make(parser, PZ_AST_CAST, offset, begin, 1);
    if (node == NULL) {
        return pz__parser_no_memory(err);
    }
    node->items[0] = *operand;
    node->type = type.type;
    node->length = type.length;
    node->label = type.label;
    *operand = node;
    return pz__ast_finish(node, err);
}

static enum pz_status
parse_cast(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    pz__advance(parser);
    PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_LPAREN, err));
    PZ_TRY(pz__parse_expr(parser, out, err));
    PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_AS, err));
    PZ_TRY(make_cast(parser, offset, offset, out, err));
    return pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err);
}

// ---- parentheses and names -----------------------------------------------------------------

static enum pz_status
parse_parenthesised(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    pz__advance(parser);
    if (pz__at_keyword(parser, PZ_KEYWORD_SELECT) || pz__at_keyword(parser, PZ_KEYWORD_WITH)) {
        return pz__unsupported(offset, "a subquery in an expression",
                               "put the subquery into FROM, or run it first", err);
    }
    PZ_TRY(pz__parse_expr(parser, out, err));
    if (pz__at_operator(parser, PZ_OPERATOR_COMMA)) {
        return pz__unsupported(offset, "a row of several values",
                               "compare the values one by one, with AND between them", err);
    }
    return pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err);
}

static enum pz_status
parse_column(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    uint32_t begin = parser->window[0].offset;
    PZ_TRY(make_leaf(parser, PZ_AST_COLUMN, out, err));
    if (!pz__accept_operator(parser, PZ_OPERATOR_DOT)) {
        return PZ_OK;
    }
    struct pz_str qualifier = (*out)->text;
    if (pz__at_operator(parser, PZ_OPERATOR_STAR)) {
        enum pz_status status = pz__syntax_error(parser, err);
        pz_error_hint(err, "all columns can only stand in the select list");
        return status;
    }
    struct pz_ast_name name;
    PZ_TRY(pz__parse_name(parser, &name, err));
    if (pz__at_operator(parser, PZ_OPERATOR_DOT)) {
        return pz__unsupported(begin, "a schema before a table",
                               "write the table's or its alias's name, and the column", err);
    }
    (*out)->qualifier = qualifier;
    (*out)->text = name.text;
    return PZ_OK;
}

// current_date and its like are called without parentheses.
static bool
is_bare_call(const struct pz_token *token)
{
    return pz__token_is_word(token, "current_date") ||
           pz__token_is_word(token, "current_timestamp") ||
           pz__token_is_word(token, "localtimestamp");
}

static enum pz_status
parse_bare_call(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    PZ_TRY(make_leaf(parser, PZ_AST_CALL, out, err));
    (*out)->label = (*out)->text;
    if (pz_str_equal((*out)->text, PZ_STR("localtimestamp"))) {
        (*out)->text = PZ_STR("current_timestamp");
    }
    if (pz__at_operator(parser, PZ_OPERATOR_LPAREN)) {
        return pz__unsupported(parser->window[0].offset, "a precision of current_timestamp",
                               "use date_trunc", err);
    }
    return PZ_OK;
}

// The word at the current token begins a literal such as DATE '…'.
static bool
at_typed_literal(const struct pz_parser *parser)
{
    const struct pz_token *word = &parser->window[0];
    const struct pz_token *next = &parser->window[1];
    if (word->kind != PZ_TOKEN_NAME) {
        return false;
    }
    if (next->kind == PZ_TOKEN_STRING) {
        return true;
    }
    return (pz__token_is_word(word, "double") && pz__token_is_word(next, "precision")) ||
           (pz__token_is_word(word, "timestamp") &&
            (pz__token_is_word(next, "without") || pz__token_is_keyword(next, PZ_KEYWORD_WITH)));
}

static enum pz_status
parse_word(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    const struct pz_token *word = &parser->window[0];
    const struct pz_token *next = &parser->window[1];
    if (at_typed_literal(parser)) {
        return parse_typed_literal(parser, out, err);
    }
    if (pz__token_is_word(word, "interval") &&
        (next->kind == PZ_TOKEN_INTEGER || next->kind == PZ_TOKEN_DECIMAL)) {
        return pz__unsupported(word->offset, "an interval without quotes",
                               "write INTERVAL '1 day', or INTERVAL '1' DAY", err);
    }
    if (is_bare_call(word)) {
        return parse_bare_call(parser, out, err);
    }
    if (pz__token_is_word(word, "exists") && pz__token_is_operator(next, PZ_OPERATOR_LPAREN)) {
        return pz__unsupported(word->offset, "EXISTS", "put the subquery into FROM", err);
    }
    if (pz__token_is_operator(next, PZ_OPERATOR_LPAREN)) {
        return pz__parse_call(parser, out, err);
    }
    return parse_column(parser, out, err);
}

static enum pz_status
parse_keyword(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    const struct pz_token *token = &parser->window[0];
    switch ((int)token->keyword) {
    case PZ_KEYWORD_NULL:
        return make_leaf(parser, PZ_AST_NULL, out, err);
    case PZ_KEYWORD_TRUE:
    case PZ_KEYWORD_FALSE: {
        bool boolean = token->keyword == PZ_KEYWORD_TRUE;
        PZ_TRY(make_leaf(parser, PZ_AST_BOOLEAN, out, err));
        (*out)->boolean = boolean;
        return PZ_OK;
    }
    case PZ_KEYWORD_CASE:
        return parse_case(parser, out, err);
    case PZ_KEYWORD_CAST:
        return parse_cast(parser, out, err);
    case PZ_KEYWORD_ARRAY:
        return pz__unsupported(token->offset, "ARRAY", "use IN and a list of values", err);
    default:
        break;
    }
    if (pz_keyword_class(token->keyword) == PZ_KEYWORD_CLASS_NO_LABEL) {
        return parse_word(parser, out, err);
    }
    if (pz_keyword_class(token->keyword) == PZ_KEYWORD_CLASS_FUNCTION &&
        pz__token_is_operator(&parser->window[1], PZ_OPERATOR_LPAREN)) {
        return pz__parse_call(parser, out, err);
    }
    return pz__syntax_error(parser, err);
}

static enum pz_status
parse_operator(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    const struct pz_token *token = &parser->window[0];
    if (token->op == PZ_OPERATOR_LPAREN) {
        return parse_parenthesised(parser, out, err);
    }
    if (token->op == PZ_OPERATOR_PARAMETER || token->op == PZ_OPERATOR_COLON) {
        return pz__unsupported(token->offset, "a parameter", "write the value into the statement",
                               err);
    }
    return pz__syntax_error(parser, err);
}

// x::type and what else may follow an operand.
static enum pz_status
parse_suffixes(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    for (;;) {
        uint32_t offset = parser->window[0].offset;
        if (pz__accept_operator(parser, PZ_OPERATOR_CAST)) {
            PZ_TRY(make_cast(parser, offset, (*out)->begin, out, err));
        } else if (pz__at_operator(parser, PZ_OPERATOR_LBRACKET)) {
            return pz__unsupported(offset, "a subscript", "plaza has no arrays", err);
        } else if (pz__at_keyword(parser, PZ_KEYWORD_COLLATE)) {
            return pz__unsupported(offset, "COLLATE", "text is ordered by its bytes", err);
        } else if (pz__at_word(parser, "at") && pz__token_is_word(&parser->window[1], "time")) {
            return pz__unsupported(offset, "AT TIME ZONE",
                                   "times are UTC: add or subtract an INTERVAL", err);
        } else {
            return PZ_OK;
        }
    }
}

enum pz_status
pz__parse_primary(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    enum pz_status status = PZ_OK;
    switch (parser->window[0].kind) {
    case PZ_TOKEN_INTEGER:
    case PZ_TOKEN_DECIMAL:
        status = parse_number(parser, out, err);
        break;
    case PZ_TOKEN_STRING:
        status = make_leaf(parser, PZ_AST_STRING, out, err);
        break;
    case PZ_TOKEN_NAME:
    case PZ_TOKEN_QUOTED:
        status = parse_word(parser, out, err);
        break;
    case PZ_TOKEN_KEYWORD:
        status = parse_keyword(parser, out, err);
        break;
    case PZ_TOKEN_OPERATOR:
        status = parse_operator(parser, out, err);
        break;
    case PZ_TOKEN_END:
    case PZ_TOKEN_BAD:
        return pz__syntax_error(parser, err);
    }
    PZ_TRY(status);
    return parse_suffixes(parser, out, err);
}
