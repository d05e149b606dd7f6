// SPDX-License-Identifier: Apache-2.0
// Days of a table's time column. Sealed blocks know which of their rows lie on which day, so
// CAST(time AS DATE), and whatever depends on the day alone, is a constant per run of rows there
// and the time column need not be read.
#include "query/plan/rewrite_internal.h"

#include "query/func/time.h"

struct day_rule {
    const struct pz_plan *scan;
    uint32_t output; // of the day; PZ_NO_COLUMN until it is used
};

static bool
is_time_column(const struct day_rule *rule, const struct pz_expr *expr)
{
    return expr->kind == PZ_EXPR_COLUMN && expr->type == PZ_TYPE_TIMESTAMP &&
           expr->column == rule->scan->table->time_column;
}

// Fields of a timestamp that its day decides.
static bool
is_day_field(enum pz_time_field field)
{
    switch (field) {
    case PZ_FIELD_MICROSECOND:
    case PZ_FIELD_MILLISECOND:
    case PZ_FIELD_SECOND:
    case PZ_FIELD_MINUTE:
    case PZ_FIELD_HOUR:
    case PZ_FIELD_EPOCH:
        return false;
    default:
        return true;
    }
}

// Whether the call's second argument, a timestamp, only matters by its day.
static bool
needs_only_day(const struct pz_expr *expr)
{
    enum pz_time_field field;
    if (expr->kind != PZ_EXPR_CALL || expr->arg_count != 2 ||
        expr->args[0]->kind != PZ_EXPR_CONST || expr->args[0]->type != PZ_TYPE_TEXT ||
        expr->args[0]->value.is_null || !pz_time_field_find(expr->args[0]->value.text, &field)) {
        return false;
    }
    switch (expr->function->id) {
    case PZ_FN_DATE_TRUNC:
        return pz_time_is_days(field);
    case PZ_FN_EXTRACT:
    case PZ_FN_DATE_PART:
        return is_day_field(field);
    default:
        return false;
    }
}

static struct pz_expr *
day_column(struct pz_rewriter *rewriter, struct day_rule *rule, uint32_t sql_offset)
{
    rule->output = rule->scan->column_count;
    return pz_expr_column(rewriter->arena, rule->output, PZ_TYPE_DATE, 0, sql_offset);
}

static enum pz_status
use_day(struct pz_rewriter *rewriter, void *context, struct pz_expr **at)
{
    struct day_rule *rule = context;
    struct pz_expr *expr = *at;
    if (expr->kind == PZ_EXPR_CAST && expr->type == PZ_TYPE_DATE &&
        is_time_column(rule, expr->args[0])) {
        *at = day_column(rewriter, rule, expr->sql_offset);
        return *at != NULL ? PZ_OK : pz__rewrite_fail_memory(rewriter);
    }
    if (needs_only_day(expr) && is_time_column(rule, expr->args[1])) {
        struct pz_expr *day = day_column(rewriter, rule, expr->sql_offset);
        struct pz_expr *midnight =
            pz_expr_cast(rewriter->arena, day, PZ_TYPE_TIMESTAMP, expr->sql_offset);
        if (midnight == NULL) {
            return pz__rewrite_fail_memory(rewriter);
        }
        expr->args[1] = midnight;
        return PZ_OK;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        PZ_TRY(use_day(rewriter, context, &expr->args[i]));
    }
    return PZ_OK;
}

// Gives the scan one more output: the day.
static enum pz_status
add_output(struct pz_rewriter *rewriter, struct pz_plan *scan)
{
    uint32_t count = scan->column_count;
    struct pz_plan_column *columns =
        pz_arena_alloc_array(rewriter->arena, count + 1, sizeof(*columns));
    uint32_t *positions = pz_arena_alloc_array(rewriter->arena, count + 1, sizeof(*positions));
    if (columns == NULL || positions == NULL) {
        return pz__rewrite_fail_memory(rewriter);
    }
    memcpy(columns, scan->columns, count * sizeof(*columns));
    for (uint32_t i = 0; i < count; i++) {
        positions[i] = i;
    }
    columns[count] = (struct pz_plan_column){PZ_STR("day"), PZ_TYPE_DATE, 0};
    positions[count] = PZ_SCAN_DAY;
    scan->columns = columns;
    scan->scan_columns = positions;
    scan->column_count = count + 1;
    return PZ_OK;
}

enum pz_status
pz__rewrite_days(struct pz_rewriter *rewriter, struct pz_plan *plan)
{
    struct pz_plan *above = NULL;
    while (plan != NULL && plan->kind != PZ_PLAN_SCAN) {
        above = plan;
        plan = plan->child;
    }
    if (plan == NULL || plan->table->time_column == PZ_NO_COLUMN) {
        return PZ_OK;
    }
    struct day_rule rule = {plan, PZ_NO_COLUMN};
    PZ_TRY(pz__rewrite_exprs(rewriter, plan, use_day, &rule));
    // Nodes that hand columns on as they are would have to hand on one more.
    if (above != NULL && (above->kind == PZ_PLAN_PROJECT || above->kind == PZ_PLAN_AGGREGATE)) {
        PZ_TRY(pz__rewrite_exprs(rewriter, above, use_day, &rule));
    }
    return rule.output == PZ_NO_COLUMN ? PZ_OK : add_output(rewriter, plan);
}
