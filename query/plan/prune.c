// SPDX-License-Identifier: Apache-2.0
// What nobody reads is not made: from the top down, each node learns which of its outputs are
// needed, drops the others and renumbers.
#include "query/plan/rewrite_internal.h"

#define DROPPED UINT32_MAX

static void
mark_reads(const struct pz_expr *expr, bool *is_needed)
{
    if (expr->kind == PZ_EXPR_COLUMN || expr->kind == PZ_EXPR_SYMBOL_MAP) {
        is_needed[expr->column] = true;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        mark_reads(expr->args[i], is_needed);
    }
}

static enum pz_status
mark_expr(struct pz_rewriter *rewriter, void *is_needed, struct pz_expr **expr)
{
    (void)rewriter;
    mark_reads(*expr, is_needed);
    return PZ_OK;
}

static void
renumber(struct pz_expr *expr, const uint32_t *positions)
{
    if (expr->kind == PZ_EXPR_COLUMN || expr->kind == PZ_EXPR_SYMBOL_MAP) {
        PZ_ASSERT(positions[expr->column] != DROPPED);
        expr->column = positions[expr->column];
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        renumber(expr->args[i], positions);
    }
}

// Expressions may share parts: each is copied before it is renumbered, so that none is twice.
static enum pz_status
renumber_expr(struct pz_rewriter *rewriter, void *positions, struct pz_expr **expr)
{
    *expr = pz__expr_replace_columns(rewriter->arena, *expr, NULL);
    if (*expr == NULL) {
        return pz__rewrite_fail_memory(rewriter);
    }
    renumber(*expr, positions);
    return PZ_OK;
}

static enum pz_status prune(struct pz_rewriter *rewriter, struct pz_plan *plan,
                            const bool *is_needed, uint32_t *positions);

// Prunes the child to what `is_needed` marks, and renumbers this node's expressions.
static enum pz_status
prune_child(struct pz_rewriter *rewriter, struct pz_plan *plan, const bool *is_needed,
            uint32_t *positions)
{
    PZ_TRY(prune(rewriter, plan->child, is_needed, positions));
    return pz__rewrite_exprs(rewriter, plan, renumber_expr, positions);
}

static enum pz_status
make_lists(struct pz_rewriter *rewriter, uint32_t count, bool **is_needed_out,
           uint32_t **positions_out)
{
    *is_needed_out = pz_arena_alloc_zero(rewriter->arena, count);
    *positions_out = pz_arena_alloc_array(rewriter->arena, count, sizeof(uint32_t));
    return *is_needed_out != NULL && *positions_out != NULL ? PZ_OK
                                                            : pz__rewrite_fail_memory(rewriter);
}

static void
keep_columns(struct pz_plan *plan, const uint32_t *positions)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < plan->column_count; i++) {
        if (positions[i] != DROPPED) {
            plan->columns[kept++] = plan->columns[i];
        }
    }
    plan->column_count = kept;
}

static enum pz_status
prune_scan(struct pz_rewriter *rewriter, struct pz_plan *plan, const bool *is_needed,
           uint32_t *positions)
{
    uint32_t count = plan->column_count;
    bool *is_read;
    uint32_t *ignored;
    uint32_t *columns = pz_arena_alloc_array(rewriter->arena, count, sizeof(*columns));
    plan->is_unused = pz_arena_alloc_zero(rewriter->arena, count);
    if (columns == NULL || plan->is_unused == NULL) {
        return pz__rewrite_fail_memory(rewriter);
    }
    PZ_TRY(make_lists(rewriter, count, &is_read, &ignored));
    if (plan->filter != NULL) {
        mark_reads(plan->filter, is_read);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        positions[i] = DROPPED;
        if (is_needed[i] || is_read[i]) {
            columns[kept] = plan->scan_columns != NULL ? plan->scan_columns[i] : i;
            plan->is_unused[kept] = !is_needed[i];
            positions[i] = kept++;
        }
    }
    struct pz_plan_column *infos = pz_arena_alloc_array(rewriter->arena, count, sizeof(*infos));
    if (infos == NULL) {
        return pz__rewrite_fail_memory(rewriter);
    }
    memcpy(infos, plan->columns, count * sizeof(*infos));
    plan->columns = infos;
    plan->scan_columns = columns;
    keep_columns(plan, positions);
    return pz__rewrite_exprs(rewriter, plan, renumber_expr, positions);
}

static enum pz_status
prune_project(struct pz_rewriter *rewriter, struct pz_plan *plan, const bool *is_needed,
              uint32_t *positions)
{
    bool *is_read;
    uint32_t *below;
    uint32_t kept = 0;
    PZ_TRY(make_lists(rewriter, plan->child->column_count, &is_read, &below));
    for (uint32_t i = 0; i < plan->column_count; i++) {
        positions[i] = DROPPED;
        if (is_needed[i]) {
            plan->exprs[kept] = plan->exprs[i];
            positions[i] = kept++;
            mark_reads(plan->exprs[i], is_read);
        }
    }
    keep_columns(plan, positions);
    return prune_child(rewriter, plan, is_read, below);
}

static enum pz_status
prune_aggregate(struct pz_rewriter *rewriter, struct pz_plan *plan, const bool *is_needed,
                uint32_t *positions)
{
    bool *is_read;
    uint32_t *below;
    PZ_TRY(make_lists(rewriter, plan->child->column_count, &is_read, &below));
    plan->is_unused = pz_arena_alloc_zero(rewriter->arena, plan->column_count);
    if (plan->is_unused == NULL) {
        return pz__rewrite_fail_memory(rewriter);
    }
    uint32_t groups = plan->group_count;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < groups; i++) { // groups decide the rows, needed or not
        positions[i] = i;
        plan->is_unused[i] = !is_needed[i];
    }
    for (uint32_t i = 0; i < plan->aggregate_count; i++) {
        positions[groups + i] = DROPPED;
        if (is_needed[groups + i]) {
            plan->aggregates[kept] = plan->aggregates[i];
            positions[groups + i] = groups + kept++;
        }
    }
    plan->aggregate_count = kept;
    keep_columns(plan, positions);
    PZ_TRY(pz__rewrite_exprs(rewriter, plan, mark_expr, is_read));
    return prune_child(rewriter, plan, is_read, below);
}

// Nodes whose outputs are the child's: what this node reads is needed as well.
static enum pz_status
prune_same(struct pz_rewriter *rewriter, struct pz_plan *plan, const bool *is_needed,
           uint32_t *positions)
{
    bool *is_read;
    uint32_t *ignored;
    PZ_TRY(make_lists(rewriter, plan->column_count, &is_read, &ignored));
    for (uint32_t i = 0; i < plan->column_count; i++) {
        // A sort breaks ties by all of its columns.
        is_read[i] = is_needed[i] || plan->kind == PZ_PLAN_SORT;
    }
    PZ_TRY(pz__rewrite_exprs(rewriter, plan, mark_expr, is_read));
    PZ_TRY(prune_child(rewriter, plan, is_read, positions));
    for (uint32_t i = 0; i < plan->key_count; i++) {
        plan->keys[i].column = positions[plan->keys[i].column];
    }
    plan->column_count = plan->child->column_count;
    plan->columns = plan->child->columns;
    return PZ_OK;
}

static enum pz_status
prune(struct pz_rewriter *rewriter, struct pz_plan *plan, const bool *is_needed,
      uint32_t *positions)
{
    switch (plan->kind) {
    case PZ_PLAN_SCAN:
        return prune_scan(rewriter, plan, is_needed, positions);
    case PZ_PLAN_ONE_ROW:
        return PZ_OK;
    case PZ_PLAN_PROJECT:
        return prune_project(rewriter, plan, is_needed, positions);
    case PZ_PLAN_AGGREGATE:
        return prune_aggregate(rewriter, plan, is_needed, positions);
    case PZ_PLAN_FILTER:
    case PZ_PLAN_SORT:
    case PZ_PLAN_LIMIT:
        return prune_same(rewriter, plan, is_needed, positions);
    case PZ_PLAN_DISTINCT:
        break;
    }
    PZ_UNREACHABLE("DISTINCT was lowered before");
}

enum pz_status
pz__rewrite_prune(struct pz_rewriter *rewriter, struct pz_plan *plan, bool is_needed_above)
{
    bool *is_needed;
    uint32_t *positions;
    PZ_TRY(make_lists(rewriter, plan->column_count, &is_needed, &positions));
    for (uint32_t i = 0; i < plan->column_count; i++) {
        is_needed[i] = is_needed_above;
    }
    return prune(rewriter, plan, is_needed, positions);
}
