// SPDX-License-Identifier: Apache-2.0
// The rewrite rules. Each is a function over a plan that keeps its meaning; rewrite.c calls them
// in order:
//
//   fold      constants are computed; comparisons with constants become ranges
//   push      projections melt into what is above them, filters go down to the scan
//   day       days of a table's time column are read off the day runs
//   symbols   expressions of one symbol column become look-ups by code
//   prune     what nobody reads is not made
#ifndef PZ_QUERY_PLAN_REWRITE_INTERNAL_H
#define PZ_QUERY_PLAN_REWRITE_INTERNAL_H

#include "query/plan/rewrite.h"

struct pz_rewriter {
    struct pz_session *session;
    struct pz_arena *arena;
    struct pz_error *err;
};

enum pz_status pz__rewrite_fail_memory(const struct pz_rewriter *rewriter);

// Calls `change` for every expression of the node itself (not of its children).
typedef enum pz_status (*pz_expr_change)(struct pz_rewriter *rewriter, void *context,
                                         struct pz_expr **expr);
PZ_MUST_USE enum pz_status pz__rewrite_exprs(struct pz_rewriter *rewriter, struct pz_plan *plan,
                                             pz_expr_change change, void *context);

PZ_MUST_USE enum pz_status pz__rewrite_fold(struct pz_rewriter *rewriter, struct pz_plan *plan);
PZ_MUST_USE enum pz_status pz__rewrite_push(struct pz_rewriter *rewriter, struct pz_plan **plan);
PZ_MUST_USE enum pz_status pz__rewrite_days(struct pz_rewriter *rewriter, struct pz_plan *plan);
PZ_MUST_USE enum pz_status pz__rewrite_symbols(struct pz_rewriter *rewriter, struct pz_plan *plan);
// is_needed_above: whether anybody reads the outputs of the top node.
PZ_MUST_USE enum pz_status pz__rewrite_prune(struct pz_rewriter *rewriter, struct pz_plan *plan,
                                             bool is_needed_above);

// A copy with every column reference i replaced by a copy of by[i]; NULL when out of memory.
struct pz_expr *pz__expr_replace_columns(struct pz_arena *arena, const struct pz_expr *expr,
                                         struct pz_expr *const *by);
uint64_t pz__expr_size(const struct pz_expr *expr); // nodes
// a AND b, either may be NULL.
struct pz_expr *pz__expr_and(struct pz_arena *arena, struct pz_expr *a, struct pz_expr *b);

#endif
