// SPDX-License-Identifier: Apache-2.0
// SELECT and its clauses.
#include "query/parse/parser_internal.h"

bool
pz__at_select(const struct pz_parser *parser)
{
    const struct pz_token *token = &parser->window[0];
    unsigned i = 0;
    while (i + 1 < PZ_PARSER_WINDOW && pz__token_is_operator(token, PZ_OPERATOR_LPAREN)) {
        token = &parser->window[++i];
    }
    return pz__token_is_keyword(token, PZ_KEYWORD_SELECT) ||
           pz__token_is_keyword(token, PZ_KEYWORD_WITH) || pz__token_is_word(token, "values") ||
           pz__token_is_operator(token, PZ_OPERATOR_LPAREN);
}

static enum pz_status
list_too_long(uint32_t offset, const char *what, struct pz_error *err)
{
    return pz_fail_sql(err, "54011", offset, "%s has more than %u entries", what, PZ_AST_LIST_MAX);
}

// ---- select list ---------------------------------------------------------------------------

static bool
at_bare_label(const struct pz_parser *parser)
{
    const struct pz_token *token = &parser->window[0];
    return token->kind == PZ_TOKEN_NAME || token->kind == PZ_TOKEN_QUOTED;
}

static enum pz_status
parse_item(struct pz_parser *parser, struct pz_ast_item *item, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    if (pz__accept_operator(parser, PZ_OPERATOR_STAR)) {
        item->expr = pz__ast_make(parser, PZ_AST_STAR, offset, offset, 0);
        return item->expr == NULL ? pz__parser_no_memory(err) : PZ_OK;
    }
    if (pz__at_name(parser) && pz__token_is_operator(&parser->window[1], PZ_OPERATOR_DOT) &&
        pz__token_is_operator(&parser->window[2], PZ_OPERATOR_STAR)) {
        struct pz_str qualifier = parser->window[0].text;
        pz__advance(parser);
        pz__advance(parser);
        pz__advance(parser);
        item->expr = pz__ast_make(parser, PZ_AST_STAR, offset, offset, 0);
        if (item->expr == NULL) {
            return pz__parser_no_memory(err);
        }
        item->expr->qualifier = qualifier;
        return PZ_OK;
    }
    PZ_TRY(pz__parse_expr(parser, &item->expr, err));
    if (pz__accept_keyword(parser, PZ_KEYWORD_AS)) {
        const struct pz_token *token = &parser->window[0];
        if (!pz__at_name(parser) && token->kind != PZ_TOKEN_KEYWORD) {
            return pz__syntax_error(parser, err);
        }
        item->alias = token->text;
        pz__advance(parser);
    } else if (at_bare_label(parser)) {
        item->alias = parser->window[0].text;
        pz__advance(parser);
    }
    return PZ_OK;
}

static enum pz_status
parse_items(struct pz_parser *parser, struct pz_ast_select *select, struct pz_error *err)
{
    struct pz_parse_list list = {0};
    do {
        uint32_t offset = parser->window[0].offset;
        if (list.count == PZ_AST_LIST_MAX) {
            return list_too_long(offset, "the select list", err);
        }
        struct pz_ast_item *item = pz__list_add(parser, &list, sizeof *item);
        if (item == NULL) {
            return pz__parser_no_memory(err);
        }
        PZ_TRY(parse_item(parser, item, err));
    } while (pz__accept_operator(parser, PZ_OPERATOR_COMMA));
    select->items = list.items;
    select->item_count = list.count;
    return PZ_OK;
}

// ---- FROM ----------------------------------------------------------------------------------

// What may follow the one table of FROM in PostgreSQL, and is not here yet.
static enum pz_status
refuse_joins(struct pz_parser *parser, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    static const enum pz_keyword joins[] = {PZ_KEYWORD_JOIN,   PZ_KEYWORD_INNER, PZ_KEYWORD_LEFT,
                                            PZ_KEYWORD_RIGHT,  PZ_KEYWORD_FULL,  PZ_KEYWORD_CROSS,
                                            PZ_KEYWORD_NATURAL};
    for (size_t i = 0; i < sizeof(joins) / sizeof(joins[0]); i++) {
        if (pz__at_keyword(parser, joins[i])) {
            return pz__unsupported(offset, "JOIN",
                                   "query one table, or a subquery of one table, at a time", err);
        }
    }
    if (pz__at_operator(parser, PZ_OPERATOR_COMMA)) {
        return pz__unsupported(offset, "FROM with several tables",
                               "query one table, or a subquery of one table, at a time", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_TABLESAMPLE)) {
        return pz__unsupported(offset, "TABLESAMPLE", "use LIMIT", err);
    }
    return PZ_OK;
}

static enum pz_status
parse_from_alias(struct pz_parser *parser, struct pz_ast_from *from, struct pz_error *err)
{
    if (pz__accept_keyword(parser, PZ_KEYWORD_AS)) {
        struct pz_ast_name name;
        PZ_TRY(pz__parse_name(parser, &name, err));
        from->alias = name.text;
    } else if (at_bare_label(parser)) {
        from->alias = parser->window[0].text;
        pz__advance(parser);
    }
    if (from->alias.data != NULL && pz__at_operator(parser, PZ_OPERATOR_LPAREN)) {
        PZ_TRY(pz__parse_name_list(parser, &from->column_aliases, &from->column_alias_count, err));
    }
    return PZ_OK;
}

static enum pz_status
parse_from(struct pz_parser *parser, struct pz_ast_from *from, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    if (pz__at_keyword(parser, PZ_KEYWORD_LATERAL)) {
        return pz__unsupported(offset, "LATERAL", "use a plain subquery", err);
    }
    if (pz__at_operator(parser, PZ_OPERATOR_LPAREN)) {
        if (!pz__at_select(parser)) {
            return pz__unsupported(offset, "a parenthesised table in FROM",
                                   "write the table's name without parentheses", err);
        }
        from->kind = PZ_AST_FROM_SUBQUERY;
        pz__advance(parser);
        PZ_TRY(pz__parser_enter(parser, err));
        PZ_TRY(pz__parse_select(parser, &from->subquery, err));
        parser->depth--;
        PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err));
    } else {
        from->kind = PZ_AST_FROM_TABLE;
        PZ_TRY(pz__parse_table_name(parser, &from->table, err));
        if (pz__at_operator(parser, PZ_OPERATOR_LPAREN)) {
            return pz__unsupported(offset, "a function in FROM", "name a table or a subquery", err);
        }
    }
    PZ_TRY(parse_from_alias(parser, from, err));
    return refuse_joins(parser, err);
}

// ---- the clauses after it --------------------------------------------------------------------

static enum pz_status
parse_group_by(struct pz_parser *parser, struct pz_ast_select *select, struct pz_error *err)
{
    PZ_TRY(pz__expect_word(parser, "by", err));
    uint32_t offset = parser->window[0].offset;
    if (pz__at_keyword(parser, PZ_KEYWORD_ALL) || pz__at_keyword(parser, PZ_KEYWORD_DISTINCT)) {
        return pz__unsupported(offset, "GROUP BY ALL", "name the expressions, or their positions",
                               err);
    }
    static const char *const sets[] = {"rollup", "cube", "grouping"};
    for (size_t i = 0; i < 3; i++) {
        if (pz__at_word(parser, sets[i]) && parser->window[1].kind != PZ_TOKEN_END &&
            (pz__token_is_operator(&parser->window[1], PZ_OPERATOR_LPAREN) ||
             pz__token_is_word(&parser->window[1], "sets"))) {
            return pz__unsupported(offset, "GROUP BY with ROLLUP, CUBE or GROUPING SETS",
                                   "run one query for each grouping", err);
        }
    }
    struct pz_parse_list list = {0};
    PZ_TRY(pz__parse_expr_list(parser, &list, err));
    if (list.count > PZ_AST_LIST_MAX) {
        return list_too_long(offset, "GROUP BY", err);
    }
    select->groups = list.items;
    select->group_count = list.count;
    return PZ_OK;
}

static enum pz_status
parse_order_item(struct pz_parser *parser, struct pz_ast_order *order, struct pz_error *err)
{
    PZ_TRY(pz__parse_expr(parser, &order->expr, err));
    if (pz__at_keyword(parser, PZ_KEYWORD_USING)) {
        return pz__unsupported(parser->window[0].offset, "ORDER BY … USING", "write ASC or DESC",
                               err);
    }
    if (pz__accept_keyword(parser, PZ_KEYWORD_DESC)) {
        order->is_descending = true;
    } else {
        (void)pz__accept_keyword(parser, PZ_KEYWORD_ASC);
    }
    if (pz__accept_word(parser, "nulls")) {
        if (pz__accept_word(parser, "first")) {
            order->nulls = PZ_AST_NULLS_FIRST;
        } else {
            PZ_TRY(pz__expect_word(parser, "last", err));
            order->nulls = PZ_AST_NULLS_LAST;
        }
    }
    return PZ_OK;
}

static enum pz_status
parse_order_by(struct pz_parser *parser, struct pz_ast_select *select, struct pz_error *err)
{
    PZ_TRY(pz__expect_word(parser, "by", err));
    struct pz_parse_list list = {0};
    do {
        if (list.count == PZ_AST_LIST_MAX) {
            return list_too_long(parser->window[0].offset, "ORDER BY", err);
        }
        struct pz_ast_order *order = pz__list_add(parser, &list, sizeof *order);
        if (order == NULL) {
            return pz__parser_no_memory(err);
        }
        PZ_TRY(parse_order_item(parser, order, err));
    } while (pz__accept_operator(parser, PZ_OPERATOR_COMMA));
    select->orders = list.items;
    select->order_count = list.count;
    return PZ_OK;
}

static enum pz_status
twice(struct pz_parser *parser, const char *clause, struct pz_error *err)
{
    return pz_fail_sql(err, "42601", parser->window[0].offset, "%s is given twice", clause);
}

// LIMIT n, OFFSET m and FETCH FIRST n ROWS ONLY, in any order.
static enum pz_status
parse_limits(struct pz_parser *parser, struct pz_ast_select *select, struct pz_error *err)
{
    bool has_limit = false;
    for (;;) {
        if (pz__at_keyword(parser, PZ_KEYWORD_LIMIT)) {
            if (has_limit) {
                return twice(parser, "LIMIT", err);
            }
            has_limit = true;
            pz__advance(parser);
            if (!pz__accept_keyword(parser, PZ_KEYWORD_ALL)) {
                PZ_TRY(pz__parse_expr(parser, &select->limit, err));
            }
            if (pz__at_operator(parser, PZ_OPERATOR_COMMA)) {
                return pz__unsupported(parser->window[0].offset, "LIMIT with two numbers",
                                       "write LIMIT n OFFSET m", err);
            }
        } else if (pz__at_keyword(parser, PZ_KEYWORD_OFFSET)) {
            if (select->offset_rows != NULL) {
                return twice(parser, "OFFSET", err);
            }
            pz__advance(parser);
            PZ_TRY(pz__parse_expr(parser, &select->offset_rows, err));
            (void)(pz__accept_word(parser, "rows") || pz__accept_word(parser, "row"));
        } else {
            return PZ_OK;
        }
    }
}

// What PostgreSQL allows at the end of a SELECT, and is not here yet.
static enum pz_status
refuse_tail(struct pz_parser *parser, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    if (pz__at_keyword(parser, PZ_KEYWORD_UNION)) {
        return pz__unsupported(offset, "UNION", "run the queries one by one", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_INTERSECT)) {
        return pz__unsupported(offset, "INTERSECT", "run the queries one by one", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_EXCEPT)) {
        return pz__unsupported(offset, "EXCEPT", "run the queries one by one", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_WINDOW)) {
        return pz__unsupported(offset, "WINDOW", "aggregate with GROUP BY", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_FETCH)) {
        return pz__unsupported(offset, "FETCH", "write LIMIT n", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_FOR)) {
        return pz__unsupported(offset, "FOR UPDATE", "a SELECT always reads one commit", err);
    }
    if (pz__at_keyword(parser, PZ_KEYWORD_INTO)) {
        return pz__unsupported(offset, "SELECT INTO", "CREATE TABLE, then INSERT", err);
    }
    if (pz__at_word(parser, "qualify")) {
        return pz__unsupported(offset, "QUALIFY", "filter in an outer SELECT", err);
    }
    return PZ_OK;
}

static enum pz_status
parse_clauses(struct pz_parser *parser, struct pz_ast_select *select, struct pz_error *err)
{
    PZ_TRY(refuse_tail(parser, err));
    if (pz__accept_keyword(parser, PZ_KEYWORD_FROM)) {
        PZ_TRY(parse_from(parser, &select->from, err));
    }
    if (pz__accept_keyword(parser, PZ_KEYWORD_WHERE)) {
        PZ_TRY(pz__parse_expr(parser, &select->where, err));
    }
    if (pz__accept_keyword(parser, PZ_KEYWORD_GROUP)) {
        PZ_TRY(parse_group_by(parser, select, err));
    }
    if (pz__accept_keyword(parser, PZ_KEYWORD_HAVING)) {
        PZ_TRY(pz__parse_expr(parser, &select->having, err));
    }
    PZ_TRY(refuse_tail(parser, err));
    if (pz__accept_keyword(parser, PZ_KEYWORD_ORDER)) {
        PZ_TRY(parse_order_by(parser, select, err));
    }
    PZ_TRY(parse_limits(parser, select, err));
    return refuse_tail(parser, err);
}

static enum pz_status
parse_plain_select(struct pz_parser *parser, struct pz_ast_select **out, struct pz_error *err)
{
    uint32_t offset = parser->window[0].offset;
    if (pz__at_keyword(parser, PZ_KEYWORD_WITH)) {
        return pz__unsupported(offset, "WITH", "write the query in parentheses after FROM", err);
    }
    if (pz__at_word(parser, "values")) {
        return pz__unsupported(offset, "VALUES as a query", "write SELECT and the values", err);
    }
    PZ_TRY(pz__expect_keyword(parser, PZ_KEYWORD_SELECT, err));
    struct pz_ast_select *select = pz_arena_alloc_zero(parser->arena, sizeof *select);
    if (select == NULL) {
        return pz__parser_no_memory(err);
    }
    select->offset = offset;
    if (pz__accept_keyword(parser, PZ_KEYWORD_DISTINCT)) {
        select->is_distinct = true;
        if (pz__at_keyword(parser, PZ_KEYWORD_ON)) {
            return pz__unsupported(parser->window[0].offset, "DISTINCT ON",
                                   "use GROUP BY with min or max", err);
        }
    } else {
        (void)pz__accept_keyword(parser, PZ_KEYWORD_ALL);
    }
    // An empty list is allowed by PostgreSQL; here it is most likely a slip.
    PZ_TRY(parse_items(parser, select, err));
    *out = select;
    return parse_clauses(parser, select, err);
}

enum pz_status
pz__parse_select(struct pz_parser *parser, struct pz_ast_select **out, struct pz_error *err)
{
    if (!pz__at_operator(parser, PZ_OPERATOR_LPAREN)) {
        return parse_plain_select(parser, out, err);
    }
    PZ_TRY(pz__parser_enter(parser, err));
    pz__advance(parser);
    PZ_TRY(pz__parse_select(parser, out, err));
    PZ_TRY(pz__expect_operator(parser, PZ_OPERATOR_RPAREN, err));
    parser->depth--;
    if (pz__at_keyword(parser, PZ_KEYWORD_ORDER) || pz__at_keyword(parser, PZ_KEYWORD_LIMIT)) {
        return pz__unsupported(parser->window[0].offset, "ORDER BY or LIMIT after parentheses",
                               "write it inside the parentheses", err);
    }
    return refuse_tail(parser, err);
}
