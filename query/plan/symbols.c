// SPDX-License-Identifier: Apache-2.0
// Expressions that read one symbol column and nothing else become look-ups: the executor computes
// them once for every string of the domain.
#include "query/plan/rewrite_internal.h"

// What an expression reads.
struct reads {
    const struct pz_expr *column; // the first column met
    bool has_other;               // another column, or one that is not a symbol
    bool has_map;
};

static void
find_reads(const struct pz_expr *expr, struct reads *reads)
{
    if (expr->kind == PZ_EXPR_COLUMN) {
        bool is_symbol = expr->type == PZ_TYPE_SYMBOL;
        reads->has_other |=
            !is_symbol || (reads->column != NULL && reads->column->column != expr->column);
        reads->column = expr;
    }
    reads->has_map |= expr->kind == PZ_EXPR_SYMBOL_MAP;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        find_reads(expr->args[i], reads);
    }
}

// symbol = symbol of one domain: equal codes are equal strings.
static void
compare_codes(struct pz_expr *expr)
{
    bool is_equality = expr->kind == PZ_EXPR_COMPARE &&
                       (expr->compare == PZ_EQ || expr->compare == PZ_NE ||
                        expr->compare == PZ_DISTINCT || expr->compare == PZ_NOT_DISTINCT);
    for (int i = 0; i < 2 && is_equality; i++) {
        is_equality = expr->args[i]->kind == PZ_EXPR_CAST &&
                      expr->args[i]->args[0]->kind == PZ_EXPR_COLUMN &&
                      expr->args[i]->args[0]->type == PZ_TYPE_SYMBOL;
    }
    if (is_equality && expr->args[0]->args[0]->domain_id == expr->args[1]->args[0]->domain_id) {
        expr->args[0] = expr->args[0]->args[0];
        expr->args[1] = expr->args[1]->args[0];
    }
}

static enum pz_status
use_map(struct pz_rewriter *rewriter, void *context, struct pz_expr **at)
{
    struct pz_expr *expr = *at;
    struct reads reads = {0};
    if (expr->kind == PZ_EXPR_COLUMN || expr->kind == PZ_EXPR_CONST ||
        expr->kind == PZ_EXPR_SYMBOL_MAP) {
        return PZ_OK;
    }
    find_reads(expr, &reads);
    // AND of several conditions is taken apart by the scan: each gets a map of its own.
    bool fits = reads.column != NULL && !reads.has_other && !reads.has_map &&
                expr->kind != PZ_EXPR_AND && expr->kind != PZ_EXPR_IS &&
                expr->type != PZ_TYPE_SYMBOL;
    if (!fits) {
        compare_codes(expr);
        for (uint32_t i = 0; i < expr->arg_count; i++) {
            PZ_TRY(use_map(rewriter, context, &expr->args[i]));
        }
        return PZ_OK;
    }
    struct pz_expr *map =
        pz_expr_make(rewriter->arena, PZ_EXPR_SYMBOL_MAP, expr->type, 1, expr->sql_offset);
    if (map == NULL) {
        return pz__rewrite_fail_memory(rewriter);
    }
    map->args[0] = expr;
    map->column = reads.column->column;
    map->domain_id = reads.column->domain_id;
    *at = map;
    return PZ_OK;
}

enum pz_status
pz__rewrite_symbols(struct pz_rewriter *rewriter, struct pz_plan *plan)
{
    for (; plan != NULL; plan = plan->child) {
        PZ_TRY(pz__rewrite_exprs(rewriter, plan, use_map, NULL));
    }
    return PZ_OK;
}
