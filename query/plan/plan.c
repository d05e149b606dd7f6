// SPDX-License-Identifier: Apache-2.0
// Makers of plan nodes.
#include "query/plan/plan.h"

struct pz_plan *
pz_plan_make(struct pz_arena *arena, enum pz_plan_kind kind, struct pz_plan *child,
             uint32_t column_count)
{
    struct pz_plan *plan = pz_arena_alloc_zero(arena, sizeof(*plan));
    if (plan == NULL) {
        return NULL;
    }
    plan->kind = kind;
    plan->child = child;
    plan->column_count = column_count;
    plan->columns = pz_arena_alloc_zero(arena, column_count * sizeof(*plan->columns));
    return plan->columns == NULL ? NULL : plan;
}

struct pz_plan *
pz_plan_make_like(struct pz_arena *arena, enum pz_plan_kind kind, struct pz_plan *child)
{
    struct pz_plan *plan = pz_plan_make(arena, kind, child, child->column_count);
    if (plan != NULL && child->column_count > 0) {
        memcpy(plan->columns, child->columns, child->column_count * sizeof(*plan->columns));
    }
    return plan;
}
