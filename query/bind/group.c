// SPDX-License-Identifier: Apache-2.0
// Expressions of a grouped SELECT: what may stand in them, and what it becomes.
#include "query/bind/bind_internal.h"

static enum pz_status
not_grouped(const struct pz_bind_groups *groups, const struct pz_expr *column, struct pz_error *err)
{
    struct pz_str name = pz_str_cut_utf8(groups->scope->columns[column->column].name, 100);
    enum pz_status status = pz_fail_sql(
        err, "42803", column->sql_offset,
        "column \"%.*s\" must appear in the GROUP BY clause or be used in an aggregate function",
        PZ_STR_ARG(name));
    if (groups->count == 0) {
        pz_error_hint(err, "add GROUP BY %.*s", PZ_STR_ARG(name));
    } else {
        pz_error_hint(err, "add %.*s to GROUP BY, or take its min or max", PZ_STR_ARG(name));
    }
    return status;
}

static enum pz_status
make_column(struct pz_binder *binder, const struct pz_expr *from, uint32_t column,
            struct pz_expr **out, struct pz_error *err)
{
    struct pz_expr *expr =
        pz__bind_make(binder, PZ_EXPR_COLUMN, from->type, 0, from->sql_offset, err);
    if (expr == NULL) {
        return binder->failure;
    }
    expr->column = column;
    expr->domain_id = from->domain_id;
    *out = expr;
    return PZ_OK;
}

enum pz_status
pz__bind_over_groups(struct pz_binder *binder, const struct pz_bind_groups *groups,
                     struct pz_expr **expr, struct pz_error *err)
{
    const struct pz_expr *from = *expr;
    if (from->kind == PZ_EXPR_COLUMN && from->column >= PZ_BIND_AGGREGATE) {
        return make_column(binder, from, groups->count + (from->column - PZ_BIND_AGGREGATE), expr,
                           err);
    }
    for (uint32_t i = 0; i < groups->count; i++) {
        if (pz_expr_equal(from, groups->exprs[i])) {
            return make_column(binder, from, i, expr, err);
        }
    }
    if (from->kind == PZ_EXPR_COLUMN) {
        return not_grouped(groups, from, err);
    }
    for (uint32_t i = 0; i < from->arg_count; i++) {
        PZ_TRY(pz__bind_over_groups(binder, groups, &from->args[i], err));
    }
    return PZ_OK;
}
