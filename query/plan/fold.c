// SPDX-License-Identifier: Apache-2.0
// Constants are computed once. Comparisons of an integer, date or timestamp column with constants
// become ranges, also through CAST(t AS DATE) and date_trunc(unit, t): statistics of blocks can
// answer ranges, and one comparison checks both ends.
#include "query/plan/rewrite_internal.h"

#include "base/clock.h"
#include "query/eval/constant.h"
#include "query/func/time.h"

static bool
is_const(const struct pz_expr *expr)
{
    return expr->kind == PZ_EXPR_CONST;
}

static bool
all_const(const struct pz_expr *expr)
{
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (!is_const(expr->args[i])) {
            return false;
        }
    }
    return true;
}

static bool
is_int(enum pz_type type)
{
    return type == PZ_TYPE_BIGINT || type == PZ_TYPE_TIMESTAMP || type == PZ_TYPE_DATE;
}

// ---- constants -----------------------------------------------------------------------------

// Errors stay where they are: the expression may never be computed for any row.
static enum pz_status
fold_const(struct pz_rewriter *rewriter, struct pz_expr **expr)
{
    struct pz_value value;
    if (pz_eval_constant(rewriter->session, *expr, &value, NULL) != PZ_OK) {
        return pz_session_check(rewriter->session, rewriter->err);
    }
    struct pz_expr *folded = pz_expr_const(rewriter->arena, value, (*expr)->sql_offset);
    if (folded == NULL) {
        return pz__rewrite_fail_memory(rewriter);
    }
    folded->type = (*expr)->type;
    folded->value.type = (*expr)->type;
    *expr = folded;
    return PZ_OK;
}

// Drops the members of AND that are true and those of OR that are false; a decisive one decides.
static enum pz_status
fold_logic(struct pz_rewriter *rewriter, struct pz_expr **at)
{
    struct pz_expr *expr = *at;
    bool decisive = expr->kind == PZ_EXPR_OR;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        struct pz_expr *arg = expr->args[i];
        bool is_known = is_const(arg) && !arg->value.is_null;
        if (is_known && arg->value.boolean == decisive) {
            *at = arg;
            return PZ_OK;
        }
        if (!is_known) {
            expr->args[kept++] = arg;
        }
    }
    expr->arg_count = kept;
    if (kept == 1) {
        *at = expr->args[0];
    } else if (kept == 0) {
        *at = pz_expr_const(rewriter->arena, pz_value_bool(!decisive), expr->sql_offset);
        return *at != NULL ? PZ_OK : pz__rewrite_fail_memory(rewriter);
    }
    return PZ_OK;
}

// ---- ranges --------------------------------------------------------------------------------

struct range {
    int64_t low, high; // empty when low > high
};
static const struct range empty_range = {1, 0};

static bool
range_of_compare(enum pz_compare compare, int64_t value, struct range *out)
{
    *out = (struct range){INT64_MIN, INT64_MAX};
    switch (compare) {
    case PZ_EQ:
        *out = (struct range){value, value};
        return true;
    case PZ_LE:
        out->high = value;
        return true;
    case PZ_GE:
        out->low = value;
        return true;
    case PZ_LT:
        if (value == INT64_MIN) {
            *out = empty_range;
        } else {
            out->high = value - 1;
        }
        return true;
    case PZ_GT:
        if (value == INT64_MAX) {
            *out = empty_range;
        } else {
            out->low = value + 1;
        }
        return true;
    case PZ_NE:
    case PZ_DISTINCT:
    case PZ_NOT_DISTINCT:
        break;
    }
    return false;
}

// Days in [low, high] to the timestamps on them.
static struct range
timestamps_of_days(struct range days)
{
    struct range us = {INT64_MIN, INT64_MAX};
    if (days.low > days.high) {
        return empty_range;
    }
    if (days.low > INT64_MIN && !pz_mul_i64(days.low, PZ_US_PER_DAY, &us.low)) {
        us.low = days.low < 0 ? INT64_MIN : INT64_MAX;
    }
    int64_t next;
    if (days.high < INT64_MAX && !pz_mul_i64(days.high + 1, PZ_US_PER_DAY, &next)) {
        us.high = days.high < 0 ? INT64_MIN : INT64_MAX;
    } else if (days.high < INT64_MAX) {
        us.high = next - 1;
    }
    return us;
}

// Timestamps in [low, high] to the days whose midnight is among them.
static struct range
days_of_midnights(struct range us)
{
    if (us.low > us.high) {
        return empty_range;
    }
    struct range days = {INT64_MIN, pz_floor_div(us.high, PZ_US_PER_DAY)};
    if (us.low > INT64_MIN) {
        days.low = pz_floor_div(us.low - 1, PZ_US_PER_DAY) + 1;
    }
    days.high = us.high == INT64_MAX ? INT64_MAX : days.high;
    return days;
}

static bool
trunc_unit(const struct pz_expr *expr, enum pz_time_field *unit)
{
    return expr->kind == PZ_EXPR_CALL && expr->function->id == PZ_FN_DATE_TRUNC &&
           is_const(expr->args[0]) && !expr->args[0]->value.is_null &&
           pz_time_field_find(expr->args[0]->value.text, unit);
}

// Starts of units in [low, high] to the timestamps in those units.
static bool
timestamps_of_units(enum pz_time_field unit, struct range starts, struct range *out)
{
    *out = (struct range){INT64_MIN, INT64_MAX};
    if (starts.low > starts.high) {
        *out = empty_range;
        return true;
    }
    int64_t start;
    if (starts.low > INT64_MIN) {
        if (starts.low < PZ_TIMESTAMP_MIN || starts.low > PZ_TIMESTAMP_MAX ||
            !pz_time_trunc(unit, starts.low, &start)) {
            return false;
        }
        out->low = start;
        if (start < starts.low && !pz_time_next(unit, starts.low, &out->low)) {
            return false;
        }
    }
    if (starts.high < INT64_MAX) {
        if (starts.high < PZ_TIMESTAMP_MIN || starts.high > PZ_TIMESTAMP_MAX ||
            !pz_time_next(unit, starts.high, &start)) {
            return false;
        }
        out->high = start - 1;
    }
    return true;
}

// Moves a range from an expression to what it is computed from, as far down as possible.
static void
sink_range(struct pz_expr **expr, struct range *range)
{
    for (;;) {
        struct pz_expr *at = *expr;
        enum pz_time_field unit;
        struct range below;
        if (at->kind == PZ_EXPR_CAST && at->type == PZ_TYPE_DATE &&
            at->args[0]->type == PZ_TYPE_TIMESTAMP) {
            *range = timestamps_of_days(*range);
            *expr = at->args[0];
        } else if (at->kind == PZ_EXPR_CAST && at->type == PZ_TYPE_TIMESTAMP &&
                   at->args[0]->type == PZ_TYPE_DATE) {
            *range = days_of_midnights(*range);
            *expr = at->args[0];
        } else if (trunc_unit(at, &unit) && timestamps_of_units(unit, *range, &below)) {
            *range = below;
            *expr = at->args[1];
        } else {
            return;
        }
    }
}

static enum pz_compare
mirrored(enum pz_compare compare)
{
    switch (compare) {
    case PZ_LT:
        return PZ_GT;
    case PZ_LE:
        return PZ_GE;
    case PZ_GT:
        return PZ_LT;
    case PZ_GE:
        return PZ_LE;
    case PZ_EQ:
    case PZ_NE:
    case PZ_DISTINCT:
    case PZ_NOT_DISTINCT:
        break;
    }
    return compare;
}

static enum pz_status
fold_compare(struct pz_rewriter *rewriter, struct pz_expr **at)
{
    struct pz_expr *expr = *at;
    if (is_const(expr->args[0])) {
        struct pz_expr *swap = expr->args[0];
        expr->args[0] = expr->args[1];
        expr->args[1] = swap;
        expr->compare = mirrored(expr->compare);
    }
    struct range range;
    const struct pz_expr *bound = expr->args[1];
    if (!is_const(bound) || bound->value.is_null || !is_int(bound->type) ||
        !range_of_compare(expr->compare, bound->value.integer, &range)) {
        return PZ_OK;
    }
    struct pz_expr *value = expr->args[0];
    sink_range(&value, &range);
    struct pz_expr *result =
        pz_expr_make(rewriter->arena, PZ_EXPR_RANGE, PZ_TYPE_BOOLEAN, 1, expr->sql_offset);
    if (result == NULL) {
        return pz__rewrite_fail_memory(rewriter);
    }
    result->args[0] = value;
    result->low = range.low;
    result->high = range.high;
    *at = result;
    return PZ_OK;
}

// x >= 1 AND x < 5 become one range.
static void
merge_ranges(struct pz_expr *expr)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        struct pz_expr *arg = expr->args[i];
        bool is_merged = false;
        for (uint32_t k = 0; arg->kind == PZ_EXPR_RANGE && k < kept && !is_merged; k++) {
            struct pz_expr *other = expr->args[k];
            if (other->kind == PZ_EXPR_RANGE && pz_expr_equal(other->args[0], arg->args[0])) {
                other->low = other->low > arg->low ? other->low : arg->low;
                other->high = other->high < arg->high ? other->high : arg->high;
                is_merged = true;
            }
        }
        if (!is_merged) {
            expr->args[kept++] = arg;
        }
    }
    expr->arg_count = kept;
}

// (a AND b) AND c: one list.
static enum pz_status
flatten(struct pz_rewriter *rewriter, struct pz_expr *expr)
{
    uint32_t count = 0;
    bool is_nested = false;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        bool same = expr->args[i]->kind == expr->kind;
        count += same ? expr->args[i]->arg_count : 1;
        is_nested |= same;
    }
    if (!is_nested) {
        return PZ_OK;
    }
    struct pz_expr **args = pz_arena_alloc_array(rewriter->arena, count, sizeof(*args));
    if (args == NULL) {
        return pz__rewrite_fail_memory(rewriter);
    }
    uint32_t next = 0;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        struct pz_expr *arg = expr->args[i];
        bool same = arg->kind == expr->kind;
        for (uint32_t k = 0; k < (same ? arg->arg_count : 1); k++) {
            args[next++] = same ? arg->args[k] : arg;
        }
    }
    expr->args = args;
    expr->arg_count = count;
    return PZ_OK;
}

// One expression, as the rules see it.
static enum pz_status
fold_expr(struct pz_rewriter *rewriter, void *context, struct pz_expr **at)
{
    struct pz_expr *expr = *at;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        PZ_TRY(fold_expr(rewriter, context, &expr->args[i]));
    }
    switch (expr->kind) {
    case PZ_EXPR_CONST:
    case PZ_EXPR_COLUMN:
    case PZ_EXPR_SYMBOL_MAP:
        return PZ_OK;
    case PZ_EXPR_AND:
    case PZ_EXPR_OR:
        PZ_TRY(flatten(rewriter, expr));
        if (expr->kind == PZ_EXPR_AND) {
            merge_ranges(expr);
        }
        return fold_logic(rewriter, at);
    case PZ_EXPR_COMPARE:
        if (all_const(expr)) {
            return fold_const(rewriter, at);
        }
        return fold_compare(rewriter, at);
    case PZ_EXPR_CALL:
    case PZ_EXPR_CAST:
    case PZ_EXPR_NOT:
    case PZ_EXPR_IS:
    case PZ_EXPR_IN:
    case PZ_EXPR_LIKE:
    case PZ_EXPR_CASE:
    case PZ_EXPR_COALESCE:
    case PZ_EXPR_RANGE:
        return all_const(expr) ? fold_const(rewriter, at) : PZ_OK;
    }
    PZ_UNREACHABLE("all kinds are above");
}

enum pz_status
pz__rewrite_fold(struct pz_rewriter *rewriter, struct pz_plan *plan)
{
    for (; plan != NULL; plan = plan->child) {
        PZ_TRY(pz__rewrite_exprs(rewriter, plan, fold_expr, NULL));
    }
    return PZ_OK;
}
