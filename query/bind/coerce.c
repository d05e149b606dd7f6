// SPDX-License-Identifier: Apache-2.0
// Conversions the binder puts in: literals without a type take that of their surroundings, BIGINT
// goes to DOUBLE and DATE to TIMESTAMP where both meet, SYMBOL is TEXT.
#include "query/bind/bind_internal.h"

struct pz_expr *
pz__bind_make(struct pz_binder *binder, enum pz_expr_kind kind, enum pz_type type,
              uint32_t arg_count, uint32_t offset, struct pz_error *err)
{
    if (++binder->node_count > PZ_BIND_NODES_MAX) {
        binder->failure = pz_fail_sql(
            err, "54001", offset, "the statement has more than %u expressions", PZ_BIND_NODES_MAX);
        pz_error_hint(err, "nested BETWEEN, nullif and CASE repeat their operands");
        return NULL;
    }
    struct pz_expr *expr = pz_expr_make(binder->session->arena, kind, type, arg_count, offset);
    if (expr == NULL) {
        binder->failure = pz__bind_no_memory(err);
    }
    return expr;
}

struct pz_expr *
pz__bind_const(struct pz_binder *binder, struct pz_value value, uint32_t offset,
               struct pz_error *err)
{
    struct pz_expr *expr = pz__bind_make(binder, PZ_EXPR_CONST, value.type, 0, offset, err);
    if (expr != NULL) {
        expr->value = value;
    }
    return expr;
}

enum pz_status
pz__coerce(struct pz_binder *binder, struct pz_expr **expr, enum pz_type type, struct pz_error *err)
{
    struct pz_expr *from = *expr;
    if (from->type == type) {
        return PZ_OK;
    }
    // Constants are converted at once: plans are read by the rules that skip blocks.
    if (from->kind == PZ_EXPR_CONST && from->type != PZ_TYPE_SYMBOL) {
        struct pz_value value;
        PZ_TRY(pz_value_cast(&from->value, type, from->sql_offset, binder->session->arena, &value,
                             err));
        *expr = pz__bind_const(binder, value, from->sql_offset, err);
        return *expr == NULL ? binder->failure : PZ_OK;
    }
    struct pz_expr *cast = pz__bind_make(binder, PZ_EXPR_CAST, type, 1, from->sql_offset, err);
    if (cast == NULL) {
        return binder->failure;
    }
    cast->args[0] = from;
    *expr = cast;
    return PZ_OK;
}

enum pz_status
pz__coerce_plain(struct pz_binder *binder, struct pz_expr **expr, struct pz_error *err)
{
    if ((*expr)->type == PZ_TYPE_SYMBOL || (*expr)->type == PZ_TYPE_NULL) {
        return pz__coerce(binder, expr, PZ_TYPE_TEXT, err);
    }
    return PZ_OK;
}

bool
pz__common_type(enum pz_type a, enum pz_type b, enum pz_type *out)
{
    a = a == PZ_TYPE_SYMBOL ? PZ_TYPE_TEXT : a;
    b = b == PZ_TYPE_SYMBOL ? PZ_TYPE_TEXT : b;
    if (a == b || b == PZ_TYPE_NULL) {
        *out = a;
        return true;
    }
    if (a == PZ_TYPE_NULL) {
        *out = b;
        return true;
    }
    if ((a == PZ_TYPE_BIGINT && b == PZ_TYPE_DOUBLE) ||
        (a == PZ_TYPE_DATE && b == PZ_TYPE_TIMESTAMP)) {
        *out = b;
        return true;
    }
    if ((b == PZ_TYPE_BIGINT && a == PZ_TYPE_DOUBLE) ||
        (b == PZ_TYPE_DATE && a == PZ_TYPE_TIMESTAMP)) {
        *out = a;
        return true;
    }
    return false;
}

enum pz_status
pz__coerce_boolean(struct pz_binder *binder, struct pz_expr **expr, const struct pz_ast *ast,
                   const char *clause, struct pz_error *err)
{
    enum pz_type type = (*expr)->type;
    if (type != PZ_TYPE_BOOLEAN && type != PZ_TYPE_NULL) {
        return pz_fail_sql(err, "42804", ast->begin,
                           "argument of %s must be type boolean, not type %s", clause,
                           pz_type_word(type));
    }
    return pz__coerce(binder, expr, PZ_TYPE_BOOLEAN, err);
}
