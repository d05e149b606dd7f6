// SPDX-License-Identifier: Apache-2.0
// Kernels know whether they can fail at all; here are the cases in which constant arguments rule it
// out.
#include "query/eval/fallible.h"

#include "query/eval/program_internal.h"

static const struct pz_value *
const_arg(const struct pz_expr *expr, uint32_t arg)
{
    const struct pz_expr *value = expr->args[arg];
    return value->kind == PZ_EXPR_CONST && !value->value.is_null ? &value->value : NULL;
}

// Weeks and the longest units may begin before the first year.
static bool
can_unit_fail(const struct pz_expr *expr)
{
    const struct pz_value *name = const_arg(expr, 0);
    enum pz_time_field field;
    return name == NULL || !pz_time_field_find(name->text, &field) ||
           (field != PZ_FIELD_SECOND && field != PZ_FIELD_MINUTE && field != PZ_FIELD_HOUR &&
            field != PZ_FIELD_DAY && field != PZ_FIELD_MONTH && field != PZ_FIELD_QUARTER &&
            field != PZ_FIELD_YEAR);
}

static bool
can_field_fail(const struct pz_expr *expr)
{
    const struct pz_value *name = const_arg(expr, 0);
    enum pz_time_field field;
    return name == NULL || !pz_time_field_find(name->text, &field);
}

// A kernel that can fail, on these arguments.
static bool
can_call_fail(const struct pz_expr *expr)
{
    const struct pz_value *second = expr->arg_count > 1 ? const_arg(expr, 1) : NULL;
    switch (expr->function->id) {
    case PZ_FN_DIV_BIGINT:
    case PZ_FN_MOD_BIGINT:
    case PZ_FN_MOD: // the smallest number has no opposite
        return second == NULL || second->integer == 0 || second->integer == -1;
    case PZ_FN_DIV_DOUBLE:
        return second == NULL || !(second->real >= 1 || second->real <= -1);
    case PZ_FN_SUBSTRING_FOR:
    case PZ_FN_SUBSTR_FOR:
        return const_arg(expr, 2) == NULL || const_arg(expr, 2)->integer < 0;
    case PZ_FN_DATE_TRUNC:
        return can_unit_fail(expr);
    case PZ_FN_EXTRACT:
    case PZ_FN_DATE_PART:
        return can_field_fail(expr);
    default:
        return true;
    }
}

// Only a pattern that ends in the middle of an escape fails.
static bool
can_pattern_fail(const struct pz_expr *expr)
{
    const struct pz_value *pattern = const_arg(expr, 1);
    return expr->arg_count > 2 || pattern == NULL ||
           (pattern->text.len > 0 && pattern->text.data[pattern->text.len - 1] == '\\');
}

static bool
can_node_fail(const struct pz_expr *expr)
{
    switch (expr->kind) {
    case PZ_EXPR_CONST:
    case PZ_EXPR_COLUMN:
    case PZ_EXPR_AND:
    case PZ_EXPR_OR:
    case PZ_EXPR_CASE:
    case PZ_EXPR_COALESCE:
    case PZ_EXPR_SYMBOL_MAP:
        return false;
    case PZ_EXPR_LIKE:
        return can_pattern_fail(expr);
    case PZ_EXPR_CALL:
        return pz__expr_kernel(expr).cost == PZ_COST_FALLIBLE && can_call_fail(expr);
    case PZ_EXPR_CAST:
    case PZ_EXPR_COMPARE:
    case PZ_EXPR_IN:
    case PZ_EXPR_NOT:
    case PZ_EXPR_IS:
    case PZ_EXPR_RANGE:
        return pz__expr_kernel(expr).cost == PZ_COST_FALLIBLE;
    }
    PZ_UNREACHABLE("all kinds are above");
}

bool
pz_expr_can_fail(const struct pz_expr *expr)
{
    if (can_node_fail(expr)) {
        return true;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (pz_expr_can_fail(expr->args[i])) {
            return true;
        }
    }
    return false;
}
