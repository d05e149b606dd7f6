// SPDX-License-Identifier: Apache-2.0
// The rewrite rules, in order, and what they share.
#include "query/plan/rewrite_internal.h"

enum pz_status
pz__rewrite_fail_memory(const struct pz_rewriter *rewriter)
{
    return pz_session_fail_memory(rewriter->session, "the plan", rewriter->err);
}

enum pz_status
pz__rewrite_exprs(struct pz_rewriter *rewriter, struct pz_plan *plan, pz_expr_change change,
                  void *context)
{
    if (plan->filter != NULL) {
        PZ_TRY(change(rewriter, context, &plan->filter));
    }
    for (uint32_t i = 0; plan->kind == PZ_PLAN_PROJECT && i < plan->column_count; i++) {
        PZ_TRY(change(rewriter, context, &plan->exprs[i]));
    }
    for (uint32_t i = 0; i < plan->group_count; i++) {
        PZ_TRY(change(rewriter, context, &plan->groups[i]));
    }
    for (uint32_t i = 0; i < plan->aggregate_count; i++) {
        if (plan->aggregates[i].arg != NULL) {
            PZ_TRY(change(rewriter, context, &plan->aggregates[i].arg));
        }
    }
    return PZ_OK;
}

uint64_t
pz__expr_size(const struct pz_expr *expr)
{
    uint64_t size = 1;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        size += pz__expr_size(expr->args[i]);
    }
    return size;
}

struct pz_expr *
pz__expr_replace_columns(struct pz_arena *arena, const struct pz_expr *expr,
                         struct pz_expr *const *by)
{
    static struct pz_expr *const *const nothing = NULL;
    if (expr->kind == PZ_EXPR_COLUMN && by != nothing) {
        return pz__expr_replace_columns(arena, by[expr->column], nothing);
    }
    struct pz_expr *copy = pz_arena_alloc(arena, sizeof(*copy));
    if (copy == NULL) {
        return NULL;
    }
    *copy = *expr;
    copy->args = pz_arena_alloc_array(arena, expr->arg_count, sizeof(*copy->args));
    if (copy->args == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        copy->args[i] = pz__expr_replace_columns(arena, expr->args[i], by);
        if (copy->args[i] == NULL) {
            return NULL;
        }
    }
    return copy;
}

struct pz_expr *
pz__expr_and(struct pz_arena *arena, struct pz_expr *a, struct pz_expr *b)
{
    if (a == NULL || b == NULL) {
        return a == NULL ? b : a;
    }
    struct pz_expr *both = pz_expr_make(arena, PZ_EXPR_AND, PZ_TYPE_BOOLEAN, 2, a->sql_offset);
    if (both != NULL) {
        both->args[0] = a;
        both->args[1] = b;
    }
    return both;
}

// DISTINCT is a grouping by all columns.
static enum pz_status
lower_distinct(struct pz_rewriter *rewriter, struct pz_plan *plan)
{
    for (; plan != NULL; plan = plan->child) {
        if (plan->kind != PZ_PLAN_DISTINCT) {
            continue;
        }
        plan->kind = PZ_PLAN_AGGREGATE;
        plan->group_count = plan->column_count;
        plan->groups =
            pz_arena_alloc_array(rewriter->arena, plan->column_count, sizeof(*plan->groups));
        if (plan->groups == NULL) {
            return pz__rewrite_fail_memory(rewriter);
        }
        for (uint32_t i = 0; i < plan->column_count; i++) {
            const struct pz_plan_column *column = &plan->columns[i];
            plan->groups[i] =
                pz_expr_column(rewriter->arena, i, column->type, column->domain_id, 0);
            if (plan->groups[i] == NULL) {
                return pz__rewrite_fail_memory(rewriter);
            }
        }
    }
    return PZ_OK;
}

static enum pz_status
rewrite(struct pz_session *session, struct pz_plan **plan, bool is_needed, struct pz_error *err)
{
    struct pz_rewriter rewriter = {session, session->arena, err};
    PZ_TRY(lower_distinct(&rewriter, *plan));
    PZ_TRY(pz__rewrite_fold(&rewriter, *plan));
    PZ_TRY(pz__rewrite_push(&rewriter, plan));
    PZ_TRY(pz__rewrite_fold(&rewriter, *plan)); // what came together may fold further
    PZ_TRY(pz__rewrite_days(&rewriter, *plan));
    PZ_TRY(pz__rewrite_symbols(&rewriter, *plan));
    return pz__rewrite_prune(&rewriter, *plan, is_needed);
}

enum pz_status
pz_plan_rewrite(struct pz_session *session, struct pz_plan **plan, struct pz_error *err)
{
    return rewrite(session, plan, true, err);
}

enum pz_status
pz_plan_rewrite_rows(struct pz_session *session, struct pz_plan **plan, struct pz_error *err)
{
    return rewrite(session, plan, false, err);
}
