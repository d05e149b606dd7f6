// SPDX-License-Identifier: Apache-2.0
// Operators, by precedence climbing. From loosest to tightest, as in PostgreSQL:
//   OR · AND · NOT · IS · comparison · BETWEEN IN LIKE · other operators · + - · * / % · unary + -
// Comparison, the row of BETWEEN and IS DISTINCT FROM do not associate: a = b = c is an error. What
// ends in a word or a parenthesis (IS NULL, IN) may be the left side of any operator.
#include "query/parse/parser_internal.h"

enum level {
    LEVEL_OR = 1,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_IS,
    LEVEL_COMPARE,
    LEVEL_PREDICATE,
    LEVEL_OTHER,
    LEVEL_ADD,
    LEVEL_MULTIPLY,
    LEVEL_UNARY,
};

static enum pz_status parse_level(struct pz_parser *parser, enum level lowest, struct pz_ast **out,
                                  struct pz_error *err);

static enum pz_status
finish_pair(struct pz_ast *node, struct pz_ast *left, struct pz_ast *right, struct pz_ast **out,
            struct pz_error *err)
{
    node->items[0] = left;
    node->items[1] = right;
    *out = node;
    return pz__ast_finish(node, err);
}

// ---- which operator is next ----------------------------------------------------------------

static const struct {
    enum pz_operator token;
    enum level level;
    enum pz_ast_op op;
} binaries[] = {
    {PZ_OPERATOR_EQUAL, LEVEL_COMPARE, PZ_AST_EQUAL},
    {PZ_OPERATOR_NOT_EQUAL, LEVEL_COMPARE, PZ_AST_NOT_EQUAL},
    {PZ_OPERATOR_LESS, LEVEL_COMPARE, PZ_AST_LESS},
    {PZ_OPERATOR_LESS_EQUAL, LEVEL_COMPARE, PZ_AST_LESS_EQUAL},
    {PZ_OPERATOR_GREATER, LEVEL_COMPARE, PZ_AST_GREATER},
    {PZ_OPERATOR_GREATER_EQUAL, LEVEL_COMPARE, PZ_AST_GREATER_EQUAL},
    {PZ_OPERATOR_CONCAT, LEVEL_OTHER, PZ_AST_CONCAT},
    {PZ_OPERATOR_PLUS, LEVEL_ADD, PZ_AST_ADD},
    {PZ_OPERATOR_MINUS, LEVEL_ADD, PZ_AST_SUBTRACT},
    {PZ_OPERATOR_STAR, LEVEL_MULTIPLY, PZ_AST_MULTIPLY},
    {PZ_OPERATOR_SLASH, LEVEL_MULTIPLY, PZ_AST_DIVIDE},
    {PZ_OPERATOR_PERCENT, LEVEL_MULTIPLY, PZ_AST_MODULO},
};

static bool
is_predicate(const struct pz_token *token)
{
    return pz__token_is_keyword(token, PZ_KEYWORD_IN) ||
           pz__token_is_keyword(token, PZ_KEYWORD_LIKE) ||
           pz__token_is_keyword(token, PZ_KEYWORD_ILIKE) ||
           pz__token_is_keyword(token, PZ_KEYWORD_SIMILAR) || pz__token_is_word(token, "between");
}

// The level of the operator at the current token, 0 when there is none.
static enum level
next_level(const struct pz_parser *parser)
{
    const struct pz_token *token = &parser->window[0];
    if (token->kind == PZ_TOKEN_OPERATOR) {
        for (size_t i = 0; i < sizeof(binaries) / sizeof(binaries[0]); i++) {
            if (binaries[i].token == token->op) {
                return binaries[i].level;
            }
        }
        return token->op == PZ_OPERATOR_OTHER ? LEVEL_OTHER : (enum level)0;
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_OR)) {
        return LEVEL_OR;
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_AND)) {
        return LEVEL_AND;
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_IS) || pz__at_keyword(parser, PZ_KEYWORD_ISNULL) ||
        pz__at_keyword(parser, PZ_KEYWORD_NOTNULL)) {
        return LEVEL_IS;
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_NOT)) {
        return is_predicate(&parser->window[1]) ? LEVEL_PREDICATE : (enum level)0;
    }
    return is_predicate(token) ? LEVEL_PREDICATE : (enum level)0;
}

static enum pz_status
refuse_operator(const struct pz_token *token, struct pz_error *err)
{
    static const struct {
        const char *text;
        const char *hint;
    } hints[] = {
        {"==", "write = to compare"},
        {"<=>", "write IS NOT DISTINCT FROM"},
        {"^", "write power(a, b)"},
        {"~", "use LIKE or ILIKE"},
        {"~*", "use ILIKE"},
        {"!~", "use NOT LIKE"},
        {"!~*", "use NOT ILIKE"},
        {"~~", "write LIKE"},
        {"~~*", "write ILIKE"},
        {"!~~", "write NOT LIKE"},
        {"!~~*", "write NOT ILIKE"},
        {"&&", "write AND"},
        {"|", "to join texts write ||"},
        {"!", "write NOT"},
    };
    enum pz_status status = pz_fail_sql(err, "0A000", token->offset,
                                        "operator %.*s is not supported", PZ_STR_ARG(token->text));
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (pz_str_equal(token->text, pz_str_from(hints[i].text))) {
            pz_error_hint(err, "%s", hints[i].hint);
        }
    }
    return status;
}

// ---- one operator, its left side already read ----------------------------------------------

static enum pz_status
parse_binary(struct pz_parser *parser, enum level level, struct pz_ast **left, struct pz_error *err)
{
    struct pz_token token = parser->window[0];
    if (token.op == PZ_OPERATOR_OTHER) {
        return refuse_operator(&token, err);
    }
    size_t i = 0;
    while (binaries[i].token != token.op) {
        i++;
    }
    pz__advance(parser);
    bool is_quantified = pz__at_keyword(parser, PZ_KEYWORD_ANY) ||
                         pz__at_keyword(parser, PZ_KEYWORD_SOME) ||
                         pz__at_keyword(parser, PZ_KEYWORD_ALL);
    if (is_quantified) {
        return pz__unsupported(parser->window[0].offset, "comparison with ANY, SOME or ALL",
                               "use IN and a list of values", err);
    }
    struct pz_ast *right;
    PZ_TRY(parse_level(parser, (enum level)(level + 1), &right, err));
    struct pz_ast *node = pz__ast_make(parser, PZ_AST_BINARY, token.offset, (*left)->begin, 2);
    if (node == NULL) {
        return pz__parser_no_memory(err);
    }
    node->op = binaries[i].op;
    return finish_pair(node, *left, right, left, err);
}

// All operands of a chain of ANDs (or of ORs) become one node.
static enum pz_status
parse_chain(struct pz_parser *parser, enum level level, struct pz_ast **left, struct pz_error *err)
{
    enum pz_keyword keyword = level == LEVEL_AND ? PZ_KEYWORD_AND : PZ_KEYWORD_OR;
    uint32_t offset = parser->window[0].offset;
    struct pz_parse_list list = {0};
    PZ_TRY(pz__ast_add(parser, &list, *left, err));
    while (pz__accept_keyword(parser, keyword)) {
        struct pz_ast *operand;
        PZ_TRY(parse_level(parser, (enum level)(level + 1), &operand, err));
        PZ_TRY(pz__ast_add(parser, &list, operand, err));
    }
    struct pz_ast *node = pz__ast_make(parser, level == LEVEL_AND ? PZ_AST_AND : PZ_AST_OR, offset,
                                       (*left)->begin, 0);
    if (node == NULL) {
        return pz__parser_no_memory(err);
    }
    *left = node;
    return pz__ast_finish_list(node, &list, err);
}

// IS [NOT] NULL | TRUE | FALSE | UNKNOWN | DISTINCT FROM x; ISNULL; NOTNULL.
static enum pz_status
parse_is(struct pz_parser *parser, struct pz_ast **left, struct pz_error *err)
{
    struct pz_ast *node =
        pz__ast_make(parser, PZ_AST_IS, parser->window[0].offset, (*left)->begin, 1);
    if (node == NULL) {
        return pz__parser_no_memory(err);
    }
    node->items[0] = *left;
    if (pz__accept_keyword(parser, PZ_KEYWORD_ISNULL)) {
        *left = node;
        return pz__ast_finish(node, err);
    }
    if (pz__accept_keyword(parser, PZ_KEYWORD_NOTNULL)) {
        node->is_negated = true;
        *left = node;
        return pz__ast_finish(node, err);
    }
    pz__advance(parser);
    node->is_negated = pz__accept_keyword(parser, PZ_KEYWORD_NOT);
    if (pz__accept_keyword(parser, PZ_KEYWORD_DISTINCT)) {
        PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_FROM, err));
        struct pz_ast *right;
        PZ_TRY(parse_level(parser, LEVEL_COMPARE, &right, err));
        struct pz_ast *pair = pz__ast_make(parser, PZ_AST_DISTINCT, node->offset, node->begin, 2);
        if (pair == NULL) {
            return pz__parser_no_memory(err);
        }
        pair->is_negated = node->is_negated;
        return finish_pair(pair, *left, right, left, err);
    }
    if (pz__accept_keyword(parser, PZ_KEYWORD_NULL)) {
        node->test = PZ_AST_IS_NULL;
    } else if (pz__accept_keyword(parser, PZ_KEYWORD_TRUE)) {
        node->test = PZ_AST_IS_TRUE;
    } else if (pz__accept_keyword(parser, PZ_KEYWORD_FALSE)) {
        node->test = PZ_AST_IS_FALSE;
    } else {
        PZ_TRY(pz__expect_word(parser, "unknown", err));
        node->test = PZ_AST_IS_UNKNOWN;
    }
    *left = node;
    return pz__ast_finish(node, err);
}

static enum pz_status
parse_in(struct pz_parser *parser, uint32_t offset, struct pz_ast **left, struct pz_error *err)
{
    uint32_t list_offset = parser->window[0].offset;
    PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_LPAREN, err));
    if (pz__at_keyword(parser, PZ_KEYWORD_SELECT) || pz__at_keyword(parser, PZ_KEYWORD_WITH)) {
        return pz__unsupported(list_offset, "IN with a subquery", "write the values as a list",
                               err);
    }
    struct pz_parse_list list = {0};
    PZ_TRY(pz__ast_add(parser, &list, *left, err));
    PZ_TRY(pz__parse_expr_list(parser, &list, err));
    PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err));
    struct pz_ast *node = pz__ast_make(parser, PZ_AST_IN, offset, (*left)->begin, 0);
    if (node == NULL) {
        return pz__parser_no_memory(err);
    }
    *left = node;
    return pz__ast_finish_list(node, &list, err);
}

static enum pz_status
parse_between(struct pz_parser *parser, uint32_t offset, struct pz_ast **left, struct pz_error *err)
{
    if (pz__at_word(parser, "symmetric")) {
        return pz__unsupported(parser->window[0].offset, "BETWEEN SYMMETRIC",
                               "use least and greatest for the bounds", err);
    }
    (void)pz__accept_word(parser, "asymmetric");
    struct pz_ast *node = pz__ast_make(parser, PZ_AST_BETWEEN, offset, (*left)->begin, 3);
    if (node == NULL) {
        return pz__parser_no_memory(err);
    }
    node->items[0] = *left;
    PZ_TRY(pz__parse_operand(parser, &node->items[1], err));
    PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_AND, err));
    PZ_TRY(pz__parse_operand(parser, &node->items[2], err));
    *left = node;
    return pz__ast_finish(node, err);
}

static enum pz_status
parse_like(struct pz_parser *parser, uint32_t offset, bool is_nocase, struct pz_ast **left,
           struct pz_error *err)
{
    struct pz_ast *pattern;
    struct pz_ast *escape = NULL;
    PZ_TRY(pz__parse_operand(parser, &pattern, err));
    if (pz__accept_word(parser, "escape")) {
        PZ_TRY(pz__parse_operand(parser, &escape, err));
    }
    struct pz_ast *node =
        pz__ast_make(parser, PZ_AST_LIKE, offset, (*left)->begin, escape != NULL ? 3 : 2);
    if (node == NULL) {
        return pz__parser_no_memory(err);
    }
    node->is_nocase = is_nocase;
    if (escape != NULL) {
        node->items[2] = escape;
    }
    return finish_pair(node, *left, pattern, left, err);
}

static enum pz_status
parse_predicate(struct pz_parser *parser, struct pz_ast **left, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    bool is_negated = pz__accept_keyword(parser, PZ_KEYWORD_NOT);
    if (pz__accept_keyword(parser, PZ_KEYWORD_IN)) {
        PZ_TRY(parse_in(parser, offset, left, err));
    } else if (pz__accept_word(parser, "between")) {
        PZ_TRY(parse_between(parser, offset, left, err));
    } else if (pz__accept_keyword(parser, PZ_KEYWORD_LIKE)) {
        PZ_TRY(parse_like(parser, offset, false, left, err));
    } else if (pz__accept_keyword(parser, PZ_KEYWORD_ILIKE)) {
        PZ_TRY(parse_like(parser, offset, true, left, err));
    } else {
        return pz__unsupported(parser->window[0].offset, "SIMILAR TO", "use LIKE or ILIKE", err);
    }
    (*left)->is_negated = is_negated;
    return PZ_OK;
}

// ---- prefix operators ----------------------------------------------------------------------

// -9223372036854775808: the digits alone do not fit BIGINT and were read as a double.
static bool
fold_smallest_bigint(const struct pz_ast *digits, struct pz_ast *node)
{
    if (digits->kind != PZ_AST_DOUBLE ||
        !pz_str_equal(digits->text, PZ_STR("9223372036854775808"))) {
        return false;
    }
    node->kind = PZ_AST_INTEGER;
    node->integer = INT64_MIN;
    node->item_count = 0;
    return true;
}

static enum pz_status
parse_prefix(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    bool is_not = pz__at_keyword(parser, PZ_KEYWORD_NOT);
    bool is_minus = pz__at_operator(parser, PZ_OPERATOR_MINUS);
    if (!is_not && !is_minus && !pz__at_operator(parser, PZ_OPERATOR_PLUS)) {
        if (pz__at_operator(parser, PZ_OPERATOR_OTHER)) {
            return refuse_operator(&parser->window[0], err);
        }
        return pz__parse_primary(parser, out, err);
    }
    pz__advance(parser);
    PZ_TRY(pz__parser_enter(parser, err));
    struct pz_ast *operand;
    PZ_TRY(parse_level(parser, is_not ? LEVEL_NOT : LEVEL_UNARY, &operand, err));
    parser->depth--;
    enum pz_ast_kind kind = is_not ? PZ_AST_NOT : is_minus ? PZ_AST_NEGATE : PZ_AST_PLUS;
    struct pz_ast *node = pz__ast_make(parser, kind, offset, offset, 1);
    if (node == NULL) {
        return pz__parser_no_memory(err);
    }
    node->items[0] = operand;
    *out = node;
    if (is_minus && fold_smallest_bigint(operand, node)) {
        return PZ_OK;
    }
    return pz__ast_finish(node, err);
}

// ---- climbing ------------------------------------------------------------------------------

// Reads an expression of operators of level `lowest` and tighter.
static enum pz_status
parse_level(struct pz_parser *parser, enum level lowest, struct pz_ast **out, struct pz_error *err)
{
    struct pz_ast *left;
    PZ_TRY(parse_prefix(parser, &left, err));
    enum level highest = LEVEL_UNARY; // that may still take `left` as its left side
    for (;;) {
        enum level level = next_level(parser);
        if (level == 0 || level < lowest || level > highest) {
            *out = left;
            return PZ_OK;
        }
        highest = level;
        switch (level) {
        case LEVEL_OR:
        case LEVEL_AND:
            PZ_TRY(parse_chain(parser, level, &left, err));
            break;
        case LEVEL_IS:
            PZ_TRY(parse_is(parser, &left, err));
            highest = left->kind == PZ_AST_IS ? LEVEL_UNARY : (enum level)(level - 1);
            break;
        case LEVEL_PREDICATE:
            PZ_TRY(parse_predicate(parser, &left, err));
            highest = left->kind == PZ_AST_IN ? LEVEL_UNARY : (enum level)(level - 1);
            break;
        case LEVEL_COMPARE:
        case LEVEL_OTHER:
        case LEVEL_ADD:
        case LEVEL_MULTIPLY:
            PZ_TRY(parse_binary(parser, level, &left, err));
            if (level == LEVEL_COMPARE) {
                highest = (enum level)(level - 1);
            }
            break;
        case LEVEL_NOT:
        case LEVEL_UNARY:
            PZ_UNREACHABLE("NOT and unary operators stand before their operand");
        }
    }
}

enum pz_status
pz__parse_expr(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    PZ_TRY(pz__parser_enter(parser, err));
    PZ_TRY(parse_level(parser, LEVEL_OR, out, err));
    parser->depth--;
    return PZ_OK;
}

enum pz_status
pz__parse_operand(struct pz_parser *parser, struct pz_ast **out, struct pz_error *err)
{
    PZ_TRY(pz__parser_enter(parser, err));
    PZ_TRY(parse_level(parser, LEVEL_OTHER, out, err));
    parser->depth--;
    return PZ_OK;
}

enum pz_status
pz__parse_expr_list(struct pz_parser *parser, struct pz_parse_list *list, struct pz_error *err)
{
    do {
        struct pz_ast *item;
        PZ_TRY(pz__parse_expr(parser, &item, err));
        PZ_TRY(pz__ast_add(parser, list, item, err));
    } while (pz__accept_operator(parser, PZ_OPERATOR_COMMA));
    return PZ_OK;
}
