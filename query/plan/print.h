// SPDX-License-Identifier: Apache-2.0
// Plans and expressions as text, for EXPLAIN.
#ifndef PZ_QUERY_PLAN_PRINT_H
#define PZ_QUERY_PLAN_PRINT_H

#include "query/plan/plan.h"

// Appends the expression in SQL's words; columns by the names of the input's outputs.
void pz_expr_print(const struct pz_expr *expr, const struct pz_plan *input,
                   struct pz_buffer *buffer);
// Appends one line for the node itself, without its children.
void pz_plan_print_node(const struct pz_plan *plan, struct pz_buffer *buffer);

#endif
