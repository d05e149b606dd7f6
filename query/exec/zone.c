// SPDX-License-Identifier: Apache-2.0
// Zone maps.
#include "query/exec/zone.h"

#include <math.h>

static bool
is_int_column(const struct pz_expr *expr)
{
    return expr->kind == PZ_EXPR_COLUMN &&
           (expr->type == PZ_TYPE_BIGINT || expr->type == PZ_TYPE_TIMESTAMP ||
            expr->type == PZ_TYPE_DATE);
}

static struct pz_zone
never(void)
{
    return (struct pz_zone){.kind = PZ_ZONE_NEVER};
}

static struct pz_zone
int_zone(uint32_t column, int64_t low, int64_t high, bool is_exact)
{
    if (low > high) {
        return never();
    }
    return (struct pz_zone){
        .kind = PZ_ZONE_INT, .column = column, .is_exact = is_exact, .low = low, .high = high};
}

// column compare constant, for doubles: bounds are taken a little wide (inclusive).
static struct pz_zone
real_zone(const struct pz_expr *expr)
{
    const struct pz_expr *column = expr->args[0];
    const struct pz_value *value = &expr->args[1]->value;
    struct pz_zone zone = {.kind = PZ_ZONE_REAL,
                           .column = column->column,
                           .real_low = -INFINITY,
                           .real_high = INFINITY};
    if (value->is_null) {
        return never();
    }
    if (isnan(value->real)) {
        return (struct pz_zone){0};
    }
    switch (expr->compare) {
    case PZ_EQ:
        zone.real_low = zone.real_high = value->real;
        return zone;
    case PZ_LT:
    case PZ_LE:
        zone.real_high = value->real;
        return zone;
    case PZ_GT:
    case PZ_GE:
        zone.real_low = value->real;
        return zone;
    case PZ_NE:
    case PZ_DISTINCT:
    case PZ_NOT_DISTINCT:
        break;
    }
    return (struct pz_zone){0};
}

// The column below CAST(symbol column AS TEXT), or NULL.
static const struct pz_expr *
symbol_below(const struct pz_expr *expr)
{
    bool is_cast = expr->kind == PZ_EXPR_CAST && expr->args[0]->kind == PZ_EXPR_COLUMN &&
                   expr->args[0]->type == PZ_TYPE_SYMBOL;
    return is_cast ? expr->args[0] : NULL;
}

// symbol = 'a', symbol IN ('a', 'b'): the codes of those strings that exist.
static struct pz_zone
symbol_zone(const struct pz_session *session, const struct pz_expr *expr)
{
    bool is_equality =
        expr->kind == PZ_EXPR_IN || (expr->kind == PZ_EXPR_COMPARE && expr->compare == PZ_EQ);
    const struct pz_expr *column = is_equality ? symbol_below(expr->args[0]) : NULL;
    if (column == NULL) {
        return (struct pz_zone){0};
    }
    uint32_t low = UINT32_MAX;
    uint32_t high = 0;
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        const struct pz_expr *item = expr->args[i];
        uint32_t code;
        if (item->kind != PZ_EXPR_CONST || item->type != PZ_TYPE_TEXT) {
            return (struct pz_zone){0};
        }
        if (!item->value.is_null &&
            pz_symbol_find(session->store, column->domain_id, item->value.text, &code)) {
            low = code < low ? code : low;
            high = code > high ? code : high;
        }
    }
    return low > high ? never() : int_zone(column->column, low, high, low == high);
}

static struct pz_zone
in_zone(const struct pz_expr *expr)
{
    int64_t low = INT64_MAX;
    int64_t high = INT64_MIN;
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        const struct pz_expr *item = expr->args[i];
        if (item->kind != PZ_EXPR_CONST) {
            return (struct pz_zone){0};
        }
        if (!item->value.is_null) {
            low = item->value.integer < low ? item->value.integer : low;
            high = item->value.integer > high ? item->value.integer : high;
        }
    }
    return int_zone(expr->args[0]->column, low, high, low == high);
}

struct pz_zone
pz_zone_of(const struct pz_session *session, const struct pz_expr *condition)
{
    const struct pz_expr *expr = condition;
    if (expr->kind == PZ_EXPR_SYMBOL_MAP) {
        return symbol_zone(session, expr->args[0]);
    }
    if (expr->kind == PZ_EXPR_CONST) {
        bool is_true = !expr->value.is_null && expr->value.boolean;
        return is_true ? (struct pz_zone){0} : never();
    }
    if (expr->kind == PZ_EXPR_RANGE && is_int_column(expr->args[0])) {
        return int_zone(expr->args[0]->column, expr->low, expr->high, true);
    }
    if (expr->kind == PZ_EXPR_IN && is_int_column(expr->args[0])) {
        return in_zone(expr);
    }
    if (expr->kind == PZ_EXPR_COMPARE && expr->args[0]->kind == PZ_EXPR_COLUMN &&
        expr->args[0]->type == PZ_TYPE_DOUBLE && expr->args[1]->kind == PZ_EXPR_CONST) {
        return real_zone(expr);
    }
    if (expr->kind == PZ_EXPR_IS && expr->args[0]->kind == PZ_EXPR_COLUMN &&
        (expr->is == PZ_IS_NULL || expr->is == PZ_IS_NOT_NULL)) {
        return (struct pz_zone){.kind = expr->is == PZ_IS_NULL ? PZ_ZONE_IS_NULL : PZ_ZONE_NOT_NULL,
                                .column = expr->args[0]->column};
    }
    return symbol_zone(session, expr);
}

enum pz_zone_answer
pz_zone_ask(const struct pz_zone *zone, const struct pz_stats *stats)
{
    if (zone->kind == PZ_ZONE_NEVER) {
        return PZ_ZONE_NO_ROW;
    }
    if (zone->kind == PZ_ZONE_NONE || stats == NULL) {
        return PZ_ZONE_SOME_ROWS;
    }
    bool all_null = stats->null_count == stats->row_count;
    bool no_null = stats->null_count == 0;
    switch (zone->kind) {
    case PZ_ZONE_IS_NULL:
        return all_null ? PZ_ZONE_ALL_ROWS : no_null ? PZ_ZONE_NO_ROW : PZ_ZONE_SOME_ROWS;
    case PZ_ZONE_NOT_NULL:
        return no_null ? PZ_ZONE_ALL_ROWS : all_null ? PZ_ZONE_NO_ROW : PZ_ZONE_SOME_ROWS;
    case PZ_ZONE_INT:
        if (all_null) {
            return PZ_ZONE_NO_ROW;
        }
        if (!stats->has_range) {
            return PZ_ZONE_SOME_ROWS;
        }
        if (stats->max < zone->low || stats->min > zone->high) {
            return PZ_ZONE_NO_ROW;
        }
        return zone->is_exact && no_null && stats->min >= zone->low && stats->max <= zone->high
                   ? PZ_ZONE_ALL_ROWS
                   : PZ_ZONE_SOME_ROWS;
    case PZ_ZONE_REAL:
        if (all_null) {
            return PZ_ZONE_NO_ROW;
        }
        return stats->has_range &&
                       (stats->real_max < zone->real_low || stats->real_min > zone->real_high)
                   ? PZ_ZONE_NO_ROW
                   : PZ_ZONE_SOME_ROWS;
    case PZ_ZONE_NONE:
    case PZ_ZONE_NEVER:
        break;
    }
    return PZ_ZONE_SOME_ROWS;
}
