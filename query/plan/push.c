// SPDX-License-Identifier: Apache-2.0
// Projections melt into the nodes above them; filters go down, at last into the scan.
#include "query/plan/rewrite_internal.h"

// Melting repeats a projected expression wherever it is used. Equal expressions are computed once,
// but trees must not explode: SELECT a+a AS b FROM (SELECT b+b AS a …) and so on.
#define MELTED_NODES_MAX 4096u

// ---- projections ---------------------------------------------------------------------------

struct melt {
    struct pz_expr *const *by;
    uint64_t size;
    bool is_counting;
};

static uint64_t
size_after(const struct pz_expr *expr, struct pz_expr *const *by)
{
    if (expr->kind == PZ_EXPR_COLUMN) {
        return pz__expr_size(by[expr->column]);
    }
    uint64_t size = 1;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        size += size_after(expr->args[i], by);
    }
    return size;
}

static enum pz_status
melt_expr(struct pz_rewriter *rewriter, void *context, struct pz_expr **expr)
{
    struct melt *melt = context;
    if (melt->is_counting) {
        melt->size += size_after(*expr, melt->by);
        return PZ_OK;
    }
    *expr = pz__expr_replace_columns(rewriter->arena, *expr, melt->by);
    return *expr != NULL ? PZ_OK : pz__rewrite_fail_memory(rewriter);
}

// Takes a PROJECT below the node out, if the node has expressions of its own to take it up.
static enum pz_status
melt_project(struct pz_rewriter *rewriter, struct pz_plan *plan)
{
    bool takes = plan->kind == PZ_PLAN_PROJECT || plan->kind == PZ_PLAN_AGGREGATE;
    while (takes && plan->child->kind == PZ_PLAN_PROJECT) {
        struct melt melt = {.by = plan->child->exprs, .is_counting = true};
        PZ_TRY(pz__rewrite_exprs(rewriter, plan, melt_expr, &melt));
        if (melt.size > MELTED_NODES_MAX) {
            return PZ_OK;
        }
        melt.is_counting = false;
        PZ_TRY(pz__rewrite_exprs(rewriter, plan, melt_expr, &melt));
        plan->child = plan->child->child;
    }
    return PZ_OK;
}

// ---- filters -------------------------------------------------------------------------------

// Whether the expression only reads columns below `limit`.
static bool
reads_below(const struct pz_expr *expr, uint32_t limit)
{
    if (expr->kind == PZ_EXPR_COLUMN) {
        return expr->column < limit;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (!reads_below(expr->args[i], limit)) {
            return false;
        }
    }
    return true;
}

// Puts a filter between a node and its child.
static enum pz_status
insert_filter(struct pz_rewriter *rewriter, struct pz_plan *plan, struct pz_expr *condition)
{
    struct pz_plan *filter = pz_plan_make_like(rewriter->arena, PZ_PLAN_FILTER, plan->child);
    if (filter == NULL) {
        return pz__rewrite_fail_memory(rewriter);
    }
    filter->filter = condition;
    plan->child = filter;
    return PZ_OK;
}

// A condition on groups alone holds for all rows of a group or for none. Splits the filter's
// conditions into those that go below the aggregation and those that stay.
static enum pz_status
push_into_aggregate(struct pz_rewriter *rewriter, struct pz_plan **at)
{
    struct pz_plan *filter = *at;
    struct pz_plan *aggregate = filter->child;
    struct pz_expr *whole = filter->filter;
    bool is_and = whole->kind == PZ_EXPR_AND;
    struct pz_expr *below = NULL;
    struct pz_expr *stays = NULL;
    for (uint32_t i = 0; i < (is_and ? whole->arg_count : 1); i++) {
        struct pz_expr *part = is_and ? whole->args[i] : whole;
        bool goes = aggregate->group_count > 0 && reads_below(part, aggregate->group_count);
        if (goes && size_after(part, aggregate->groups) <= MELTED_NODES_MAX) {
            part = pz__expr_replace_columns(rewriter->arena, part, aggregate->groups);
            below = part != NULL ? pz__expr_and(rewriter->arena, below, part) : NULL;
            if (below == NULL) {
                return pz__rewrite_fail_memory(rewriter);
            }
        } else {
            stays = pz__expr_and(rewriter->arena, stays, part);
            if (stays == NULL) {
                return pz__rewrite_fail_memory(rewriter);
            }
        }
    }
    if (below != NULL) {
        PZ_TRY(insert_filter(rewriter, aggregate, below));
    }
    if (stays == NULL) {
        *at = aggregate;
    } else {
        filter->filter = stays;
    }
    return PZ_OK;
}

// Moves the filter at *at one step down. *is_moved_out is false when it stays.
static enum pz_status
push_filter(struct pz_rewriter *rewriter, struct pz_plan **at, bool *is_moved_out)
{
    struct pz_plan *filter = *at;
    struct pz_plan *child = filter->child;
    *is_moved_out = true;
    switch (child->kind) {
    case PZ_PLAN_SCAN:
    case PZ_PLAN_FILTER:
        child->filter = pz__expr_and(rewriter->arena, child->filter, filter->filter);
        *at = child;
        return child->filter != NULL ? PZ_OK : pz__rewrite_fail_memory(rewriter);
    case PZ_PLAN_PROJECT:
        if (size_after(filter->filter, child->exprs) > MELTED_NODES_MAX) {
            *is_moved_out = false;
            return PZ_OK;
        }
        filter->filter = pz__expr_replace_columns(rewriter->arena, filter->filter, child->exprs);
        if (filter->filter == NULL) {
            return pz__rewrite_fail_memory(rewriter);
        }
        *at = child;
        return insert_filter(rewriter, child, filter->filter);
    case PZ_PLAN_SORT:
        *at = child;
        return insert_filter(rewriter, child, filter->filter);
    case PZ_PLAN_AGGREGATE:
        PZ_TRY(push_into_aggregate(rewriter, at));
        *is_moved_out = *at != filter;
        return PZ_OK;
    case PZ_PLAN_ONE_ROW:
    case PZ_PLAN_LIMIT:
    case PZ_PLAN_DISTINCT:
        *is_moved_out = false;
        return PZ_OK;
    }
    PZ_UNREACHABLE("all kinds are above");
}

// LIMIT over PROJECT: the rows are the same the other way round, and LIMIT meets its SORT.
static enum pz_status
swap_limit(struct pz_rewriter *rewriter, struct pz_plan **at)
{
    struct pz_plan *limit = *at;
    struct pz_plan *project = limit->child;
    if (limit->kind != PZ_PLAN_LIMIT || project->kind != PZ_PLAN_PROJECT) {
        return PZ_OK;
    }
    struct pz_plan *below = pz_plan_make_like(rewriter->arena, PZ_PLAN_LIMIT, project->child);
    if (below == NULL) {
        return pz__rewrite_fail_memory(rewriter);
    }
    below->has_limit = limit->has_limit;
    below->limit = limit->limit;
    below->offset = limit->offset;
    project->child = below;
    *at = project;
    return PZ_OK;
}

enum pz_status
pz__rewrite_push(struct pz_rewriter *rewriter, struct pz_plan **plan)
{
    for (struct pz_plan **at = plan; *at != NULL;) {
        bool is_moved = (*at)->kind == PZ_PLAN_FILTER;
        if (is_moved) {
            PZ_TRY(push_filter(rewriter, at, &is_moved));
        }
        if (is_moved) {
            continue; // look at what stands here now
        }
        PZ_TRY(swap_limit(rewriter, at));
        at = &(*at)->child;
    }
    for (struct pz_plan *node = *plan; node != NULL; node = node->child) {
        PZ_TRY(melt_project(rewriter, node));
    }
    return PZ_OK;
}
