// SPDX-License-Identifier: Apache-2.0
// Plans as text, for EXPLAIN.
#ifndef PZ_QUERY_PLAN_PRINT_H
#define PZ_QUERY_PLAN_PRINT_H

#include "query/plan/plan.h"

// Appends one line for the node itself, without its children.
void pz_plan_print_node(const struct pz_plan *plan, struct pz_buffer *buffer);

#endif
