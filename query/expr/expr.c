// SPDX-License-Identifier: Apache-2.0
// Makers of bound expressions, and when two of them mean the same.
#include "query/expr/expr.h"

struct pz_expr *
pz_expr_make(struct pz_arena *arena, enum pz_expr_kind kind, enum pz_type type, uint32_t arg_count,
             uint32_t sql_offset)
{
    struct pz_expr *expr = pz_arena_alloc_zero(arena, sizeof(*expr));
    if (expr == NULL) {
        return NULL;
    }
    expr->kind = kind;
    expr->type = type;
    expr->sql_offset = sql_offset;
    expr->arg_count = arg_count;
    if (arg_count > 0) {
        expr->args = pz_arena_alloc_zero(arena, arg_count * sizeof(struct pz_expr *));
        if (expr->args == NULL) {
            return NULL;
        }
    }
    return expr;
}

struct pz_expr *
pz_expr_const(struct pz_arena *arena, struct pz_value value, uint32_t sql_offset)
{
    struct pz_expr *expr = pz_expr_make(arena, PZ_EXPR_CONST, value.type, 0, sql_offset);
    if (expr != NULL) {
        expr->value = value;
    }
    return expr;
}

struct pz_expr *
pz_expr_column(struct pz_arena *arena, uint32_t column, enum pz_type type, uint32_t domain_id,
               uint32_t sql_offset)
{
    struct pz_expr *expr = pz_expr_make(arena, PZ_EXPR_COLUMN, type, 0, sql_offset);
    if (expr != NULL) {
        expr->column = column;
        expr->domain_id = domain_id;
    }
    return expr;
}

struct pz_expr *
pz_expr_cast(struct pz_arena *arena, struct pz_expr *from, enum pz_type to, uint32_t sql_offset)
{
    if (from == NULL || from->type == to) {
        return from;
    }
    struct pz_expr *expr = pz_expr_make(arena, PZ_EXPR_CAST, to, 1, sql_offset);
    if (expr != NULL) {
        expr->args[0] = from;
    }
    return expr;
}

static bool
value_equal(const struct pz_value *a, const struct pz_value *b)
{
    if (a->type != b->type || a->is_null != b->is_null) {
        return false;
    }
    if (a->is_null) {
        return true;
    }
    switch (a->type) {
    case PZ_TYPE_BOOLEAN:
        return a->boolean == b->boolean;
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE:
    case PZ_TYPE_SYMBOL:
        return a->integer == b->integer;
    case PZ_TYPE_DOUBLE: // by bits: -0 and 0 are not the same constant, NaN is itself
        return memcmp(&a->real, &b->real, sizeof(double)) == 0;
    case PZ_TYPE_TEXT:
    case PZ_TYPE_NULL:
        return pz_str_equal(a->text, b->text);
    case PZ_TYPE_INTERVAL:
        return a->interval.months == b->interval.months && a->interval.days == b->interval.days &&
               a->interval.us == b->interval.us;
    }
    PZ_UNREACHABLE("all types are above");
}

static bool
node_equal(const struct pz_expr *a, const struct pz_expr *b)
{
    if (a->kind != b->kind || a->type != b->type || a->arg_count != b->arg_count) {
        return false;
    }
    switch (a->kind) {
    case PZ_EXPR_CONST:
        return value_equal(&a->value, &b->value);
    case PZ_EXPR_COLUMN:
    case PZ_EXPR_SYMBOL_MAP:
        return a->column == b->column;
    case PZ_EXPR_CALL:
        return a->function == b->function;
    case PZ_EXPR_COMPARE:
        return a->compare == b->compare;
    case PZ_EXPR_IS:
        return a->is == b->is;
    case PZ_EXPR_LIKE:
        return a->is_nocase == b->is_nocase;
    case PZ_EXPR_RANGE:
        return a->low == b->low && a->high == b->high;
    case PZ_EXPR_CAST:
    case PZ_EXPR_AND:
    case PZ_EXPR_OR:
    case PZ_EXPR_NOT:
    case PZ_EXPR_IN:
    case PZ_EXPR_CASE:
    case PZ_EXPR_COALESCE:
        return true;
    }
    PZ_UNREACHABLE("all kinds are above");
}

bool
pz_expr_equal(const struct pz_expr *a, const struct pz_expr *b)
{
    if (!node_equal(a, b)) {
        return false;
    }
    for (uint32_t i = 0; i < a->arg_count; i++) {
        if (!pz_expr_equal(a->args[i], b->args[i])) {
            return false;
        }
    }
    return true;
}
