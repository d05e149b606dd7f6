// SPDX-License-Identifier: Apache-2.0
// Calls: the plain form, and the functions that SQL gives a grammar of their own.
#include "query/parse/parser_internal.h"

static enum pz_status
make_call(struct pz_parser *parser, uint32_t offset, struct pz_str name, struct pz_parse_list *list,
          struct pz_ast **out, struct pz_error *err)
{
    struct pz_ast *node = pz__ast_make(parser, PZ_AST_CALL, offset, offset, 0);
    if (node == NULL) {
        return pz__parser_no_memory(err);
    }
    node->text = name;
    node->label = name;
    *out = node;
    return pz__ast_finish_list(node, list, err);
}

// extract(field FROM x): the field is a bare word or a string.
static enum pz_status
parse_extract(struct pz_parser *parser, uint32_t offset, struct pz_ast **out, struct pz_error *err)
{
    struct pz_token field = parser->window[0];
    if (field.kind != PZ_TOKEN_NAME && field.kind != PZ_TOKEN_STRING) {
        return pz__syntax_error(parser, err);
    }
    pz__advance(parser);
    if (pz__at_operator(parser, PZ_OPERATOR_COMMA)) {
        enum pz_status status = pz__syntax_error(parser, err);
        pz_error_hint(err, "write extract(%.*s FROM …)", PZ_STR_ARG(field.text));
        return status;
    }
    PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_FROM, err));
    struct pz_ast *unit = pz__ast_make(parser, PZ_AST_STRING, field.offset, field.offset, 0);
    if (unit == NULL) {
        return pz__parser_no_memory(err);
    }
    unit->text = field.text;
    struct pz_ast *from;
    PZ_TRY(pz__parse_expr(parser, &from, err));
    PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err));
    struct pz_parse_list list = {0};
    PZ_TRY(pz__ast_add(parser, &list, unit, err));
    PZ_TRY(pz__ast_add(parser, &list, from, err));
    return make_call(parser, offset, PZ_STR("extract"), &list, out, err);
}

// position(a IN b).
static enum pz_status
parse_position(struct pz_parser *parser, uint32_t offset, struct pz_ast **out, struct pz_error *err)
{
    struct pz_ast *needle;
    struct pz_ast *text;
    PZ_TRY(pz__parse_operand(parser, &needle, err));
    if (pz__at_operator(parser, PZ_OPERATOR_COMMA)) {
        enum pz_status status = pz__syntax_error(parser, err);
        pz_error_hint(err, "write position(a IN b), or strpos(b, a)");
        return status;
    }
    PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_IN, err));
    PZ_TRY(pz__parse_operand(parser, &text, err));
    PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err));
    struct pz_parse_list list = {0};
    PZ_TRY(pz__ast_add(parser, &list, needle, err));
    PZ_TRY(pz__ast_add(parser, &list, text, err));
    return make_call(parser, offset, PZ_STR("position"), &list, out, err);
}

// substring(x FROM a FOR b), (x FOR b FROM a), (x FOR b), (x, a, b).
static enum pz_status
parse_substring(struct pz_parser *parser, uint32_t offset, struct pz_ast **out,
                struct pz_error *err)
{
    struct pz_parse_list list = {0};
    PZ_TRY(pz__parse_expr_list(parser, &list, err));
    struct pz_ast *from = NULL;
    struct pz_ast *count = NULL;
    for (int i = 0; i < 2 && list.count == 1; i++) {
        if (from == NULL && pz__accept_keyword(parser, PZ_KEYWORD_FROM)) {
            PZ_TRY(pz__parse_expr(parser, &from, err));
        } else if (count == NULL && pz__accept_keyword(parser, PZ_KEYWORD_FOR)) {
            PZ_TRY(pz__parse_expr(parser, &count, err));
        }
    }
    if (count != NULL && from == NULL) {
        from = pz__ast_make(parser, PZ_AST_INTEGER, count->offset, count->begin, 0);
        if (from == NULL) {
            return pz__parser_no_memory(err);
        }
        from->integer = 1;
    }
    PZ_TRY(from != NULL ? pz__ast_add(parser, &list, from, err) : PZ_OK);
    PZ_TRY(count != NULL ? pz__ast_add(parser, &list, count, err) : PZ_OK);
    if (pz__at_keyword(parser, PZ_KEYWORD_SIMILAR)) {
        return pz__unsupported(parser->window[0].offset, "substring with SIMILAR",
                               "give the position and the length", err);
    }
    PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err));
    return make_call(parser, offset, PZ_STR("substring"), &list, out, err);
}

// trim([BOTH | LEADING | TRAILING] [characters] [FROM] x), (x, characters).
static enum pz_status
parse_trim(struct pz_parser *parser, uint32_t offset, struct pz_ast **out, struct pz_error *err)
{
    struct pz_str name = PZ_STR("btrim");
    if (pz__accept_keyword(parser, PZ_KEYWORD_LEADING)) {
        name = PZ_STR("ltrim");
    } else if (pz__accept_keyword(parser, PZ_KEYWORD_TRAILING)) {
        name = PZ_STR("rtrim");
    } else {
        (void)pz__accept_keyword(parser, PZ_KEYWORD_BOTH);
    }
    struct pz_parse_list list = {0};
    if (pz__accept_keyword(parser, PZ_KEYWORD_FROM)) {
        PZ_TRY(pz__parse_expr_list(parser, &list, err));
    } else {
        struct pz_ast *first;
        PZ_TRY(pz__parse_expr(parser, &first, err));
        if (pz__accept_keyword(parser, PZ_KEYWORD_FROM)) {
            PZ_TRY(pz__parse_expr_list(parser, &list, err));
            PZ_TRY(pz__ast_add(parser, &list, first, err));
        } else {
            PZ_TRY(pz__ast_add(parser, &list, first, err));
            if (pz__accept_operator(parser, PZ_OPERATOR_COMMA)) {
                PZ_TRY(pz__parse_expr_list(parser, &list, err));
            }
        }
    }
    PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err));
    return make_call(parser, offset, name, &list, out, err);
}

// What PostgreSQL allows between the arguments and their closing parenthesis, and after it.
static enum pz_status
refuse_call_suffix(struct pz_parser *parser, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    if (pz__at_keyword(parser, PZ_KEYWORD_FILTER) &&
        pz__token_is_operator(&parser->window[1], PZ_OPERATOR_LPAREN)) {
        return pz__unsupported(offset, "FILTER", "aggregate a CASE: sum(CASE WHEN … THEN x END)",
                               err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_WITHIN)) {
        return pz__unsupported(offset, "WITHIN GROUP", "use min, max or avg", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_OVER)) {
        return pz__unsupported(offset, "a window function", "aggregate with GROUP BY in a subquery",
                               err);
    }
    return PZ_OK;
}

static enum pz_status
parse_plain_arguments(struct pz_parser *parser, struct pz_parse_list *list, bool *is_distinct,
                      struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    if (pz__accept_operator(parser, PZ_OPERATOR_RPAREN)) {
        return PZ_OK;
    }
    if (pz__accept_operator(parser, PZ_OPERATOR_STAR)) {
        struct pz_ast *star = pz__ast_make(parser, PZ_AST_STAR, offset, offset, 0);
        if (star == NULL) {
            return pz__parser_no_memory(err);
        }
        PZ_TRY(pz__ast_add(parser, list, star, err));
        return pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err);
    }
    *is_distinct = pz__accept_keyword(parser, PZ_KEYWORD_DISTINCT);
    if (!*is_distinct) {
        (void)pz__accept_keyword(parser, PZ_KEYWORD_ALL);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_SELECT)) {
        return pz__unsupported(offset, "a subquery in an expression", "put the subquery into FROM",
                               err);
    }
    PZ_TRY(pz__parse_expr_list(parser, list, err));
    if (pz__at_keyword(parser, PZ_KEYWORD_ORDER)) {
        return pz__unsupported(parser->window[0].offset, "ORDER BY in an aggregate", NULL, err);
    }
    return pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err);
}

enum pz_status
pz__parse_call(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    struct pz_token name = parser->window[0];
    pz__advance(parser);
    pz__advance(parser);
    if (pz__token_is_word(&name, "extract")) {
        return parse_extract(parser, name.offset, out, err);
    }
    if (pz__token_is_word(&name, "position")) {
        return parse_position(parser, name.offset, out, err);
    }
    if (pz__token_is_word(&name, "substring")) {
        return parse_substring(parser, name.offset, out, err);
    }
    if (pz__token_is_word(&name, "trim")) {
        return parse_trim(parser, name.offset, out, err);
    }
    struct pz_parse_list list = {0};
    bool is_distinct = false;
    PZ_TRY(parse_plain_arguments(parser, &list, &is_distinct, err));
    PZ_TRY(make_call(parser, name.offset, name.text, &list, out, err));
    (*out)->is_distinct = is_distinct;
    return refuse_call_suffix(parser, err);
}
