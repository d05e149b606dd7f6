// SPDX-License-Identifier: Apache-2.0
// Conditions: AND, OR, NOT, comparison, IN, BETWEEN, LIKE, IS.
#include "query/bind/bind_internal.h"

// ---- comparison ----------------------------------------------------------------------------

static const char *
compare_word(enum pz_compare compare)
{
    switch (compare) {
    case PZ_EQ:
        return "=";
    case PZ_NE:
        return "<>";
    case PZ_LT:
        return "<";
    case PZ_LE:
        return "<=";
    case PZ_GT:
        return ">";
    case PZ_GE:
        return ">=";
    case PZ_DISTINCT:
    case PZ_NOT_DISTINCT:
        return "=";
    }
    PZ_UNREACHABLE("all comparisons are above");
}

static enum pz_status
cannot_compare(const char *word, enum pz_type a, enum pz_type b, uint32_t offset,
               struct pz_error *err)
{
    enum pz_status status = pz_fail_sql(err, "42883", offset, "operator does not exist: %s %s %s",
                                        pz_type_word(a), word, pz_type_word(b));
    pz_error_hint(err, "convert one side with CAST(… AS type)");
    return status;
}

enum pz_status
pz__make_compare(struct pz_binder *binder, enum pz_compare compare, struct pz_expr *left,
                 struct pz_expr *right, uint32_t offset, struct pz_expr **out, struct pz_error *err)
{
    enum pz_type type;
    if (!pz__common_type(left->type, right->type, &type)) {
        return cannot_compare(compare_word(compare), left->type, right->type, offset, err);
    }
    type = type == PZ_TYPE_NULL ? PZ_TYPE_TEXT : type;
    struct pz_expr *node = pz__bind_make(binder, PZ_EXPR_COMPARE, PZ_TYPE_BOOLEAN, 2, offset, err);
    if (node == NULL) {
        return binder->failure;
    }
    node->compare = compare;
    node->args[0] = left;
    node->args[1] = right;
    PZ_TRY(pz__coerce(binder, &node->args[0], type, err));
    PZ_TRY(pz__coerce(binder, &node->args[1], type, err));
    *out = node;
    return PZ_OK;
}

// Wraps a condition in NOT.
static enum pz_status
negate(struct pz_binder *binder, uint32_t offset, struct pz_expr **expr, struct pz_error *err)
{
    struct pz_expr *node = pz__bind_make(binder, PZ_EXPR_NOT, PZ_TYPE_BOOLEAN, 1, offset, err);
    if (node == NULL) {
        return binder->failure;
    }
    node->args[0] = *expr;
    *expr = node;
    return PZ_OK;
}

// ---- AND, OR, NOT --------------------------------------------------------------------------

static enum pz_status
bind_junction(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
              struct pz_expr **out, struct pz_error *err)
{
    static const struct {
        enum pz_expr_kind kind;
        const char *word;
    } words[] = {
        [PZ_AST_AND] = {PZ_EXPR_AND, "AND"},
        [PZ_AST_OR] = {PZ_EXPR_OR, "OR"},
        [PZ_AST_NOT] = {PZ_EXPR_NOT, "NOT"},
    };
    struct pz_expr *node = pz__bind_make(binder, words[ast->kind].kind, PZ_TYPE_BOOLEAN,
                                         ast->item_count, ast->offset, err);
    if (node == NULL) {
        return binder->failure;
    }
    for (uint32_t i = 0; i < ast->item_count; i++) {
        PZ_TRY(pz__bind_expr(binder, scope, ast->items[i], &node->args[i], err));
        PZ_TRY(
            pz__coerce_boolean(binder, &node->args[i], ast->items[i], words[ast->kind].word, err));
    }
    *out = node;
    return PZ_OK;
}

// ---- IN and BETWEEN ------------------------------------------------------------------------

static enum pz_status
bind_in(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
        struct pz_expr **out, struct pz_error *err)
{
    struct pz_expr *node =
        pz__bind_make(binder, PZ_EXPR_IN, PZ_TYPE_BOOLEAN, ast->item_count, ast->offset, err);
    if (node == NULL) {
        return binder->failure;
    }
    enum pz_type type = PZ_TYPE_NULL;
    for (uint32_t i = 0; i < ast->item_count; i++) {
        PZ_TRY(pz__bind_expr(binder, scope, ast->items[i], &node->args[i], err));
        enum pz_type item = node->args[i]->type;
        if (!pz__common_type(type, item, &type)) {
            return cannot_compare("=", node->args[0]->type, item, ast->items[i]->begin, err);
        }
    }
    type = type == PZ_TYPE_NULL ? PZ_TYPE_TEXT : type;
    for (uint32_t i = 0; i < ast->item_count; i++) {
        PZ_TRY(pz__coerce(binder, &node->args[i], type, err));
    }
    *out = node;
    return ast->is_negated ? negate(binder, ast->offset, out, err) : PZ_OK;
}

static enum pz_status
bind_between(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
             struct pz_expr **out, struct pz_error *err)
{
    struct pz_expr *both = pz__bind_make(binder, PZ_EXPR_AND, PZ_TYPE_BOOLEAN, 2, ast->offset, err);
    if (both == NULL) {
        return binder->failure;
    }
    for (uint32_t i = 0; i < 2; i++) {
        struct pz_expr *operand;
        struct pz_expr *bound;
        PZ_TRY(pz__bind_expr(binder, scope, ast->items[0], &operand, err));
        PZ_TRY(pz__bind_expr(binder, scope, ast->items[1 + i], &bound, err));
        PZ_TRY(pz__make_compare(binder, i == 0 ? PZ_GE : PZ_LE, operand, bound, ast->offset,
                                &both->args[i], err));
    }
    *out = both;
    return ast->is_negated ? negate(binder, ast->offset, out, err) : PZ_OK;
}

// ---- LIKE ----------------------------------------------------------------------------------

static enum pz_status
bind_like(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
          struct pz_expr **out, struct pz_error *err)
{
    struct pz_expr *node =
        pz__bind_make(binder, PZ_EXPR_LIKE, PZ_TYPE_BOOLEAN, ast->item_count, ast->offset, err);
    if (node == NULL) {
        return binder->failure;
    }
    node->is_nocase = ast->is_nocase;
    for (uint32_t i = 0; i < ast->item_count; i++) {
        PZ_TRY(pz__bind_expr(binder, scope, ast->items[i], &node->args[i], err));
        PZ_TRY(pz__coerce_plain(binder, &node->args[i], err));
        if (node->args[i]->type != PZ_TYPE_TEXT) {
            enum pz_status status =
                pz_fail_sql(err, "42883", ast->items[i]->begin, "%s works on text, not on type %s",
                            ast->is_nocase ? "ILIKE" : "LIKE", pz_type_word(node->args[i]->type));
            pz_error_hint(err, "convert it with CAST(… AS TEXT)");
            return status;
        }
    }
    *out = node;
    return ast->is_negated ? negate(binder, ast->offset, out, err) : PZ_OK;
}

// ---- IS ------------------------------------------------------------------------------------

static enum pz_status
bind_is(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
        struct pz_expr **out, struct pz_error *err)
{
    static const struct {
        enum pz_is is, is_not;
        const char *word;
    } tests[] = {
        [PZ_AST_IS_NULL] = {PZ_IS_NULL, PZ_IS_NOT_NULL, "IS NULL"},
        [PZ_AST_IS_TRUE] = {PZ_IS_TRUE, PZ_IS_NOT_TRUE, "IS TRUE"},
        [PZ_AST_IS_FALSE] = {PZ_IS_FALSE, PZ_IS_NOT_FALSE, "IS FALSE"},
        [PZ_AST_IS_UNKNOWN] = {PZ_IS_NULL, PZ_IS_NOT_NULL, "IS UNKNOWN"},
    };
    struct pz_expr *node = pz__bind_make(binder, PZ_EXPR_IS, PZ_TYPE_BOOLEAN, 1, ast->offset, err);
    if (node == NULL) {
        return binder->failure;
    }
    node->is = ast->is_negated ? tests[ast->test].is_not : tests[ast->test].is;
    PZ_TRY(pz__bind_expr(binder, scope, ast->items[0], &node->args[0], err));
    if (ast->test != PZ_AST_IS_NULL) {
        PZ_TRY(
            pz__coerce_boolean(binder, &node->args[0], ast->items[0], tests[ast->test].word, err));
    } else if (pz__is_untyped(node->args[0])) {
        PZ_TRY(pz__coerce(binder, &node->args[0], PZ_TYPE_TEXT, err));
    }
    *out = node;
    return PZ_OK;
}

static enum pz_status
bind_distinct_from(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
                   struct pz_expr **out, struct pz_error *err)
{
    struct pz_expr *left;
    struct pz_expr *right;
    PZ_TRY(pz__bind_expr(binder, scope, ast->items[0], &left, err));
    PZ_TRY(pz__bind_expr(binder, scope, ast->items[1], &right, err));
    return pz__make_compare(binder, ast->is_negated ? PZ_NOT_DISTINCT : PZ_DISTINCT, left, right,
                            ast->offset, out, err);
}

enum pz_status
pz__bind_logic(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
               struct pz_expr **out, struct pz_error *err)
{
    switch ((int)ast->kind) {
    case PZ_AST_AND:
    case PZ_AST_OR:
    case PZ_AST_NOT:
        return bind_junction(binder, scope, ast, out, err);
    case PZ_AST_IN:
        return bind_in(binder, scope, ast, out, err);
    case PZ_AST_BETWEEN:
        return bind_between(binder, scope, ast, out, err);
    case PZ_AST_LIKE:
        return bind_like(binder, scope, ast, out, err);
    case PZ_AST_IS:
        return bind_is(binder, scope, ast, out, err);
    case PZ_AST_DISTINCT:
        return bind_distinct_from(binder, scope, ast, out, err);
    default:
        PZ_UNREACHABLE("the caller sends conditions only");
    }
}
