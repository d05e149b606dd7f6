// SPDX-License-Identifier: Apache-2.0
// Exact sums of doubles in little room.
#ifndef PZ_QUERY_EXEC_REAL_SUM_H
#define PZ_QUERY_EXEC_REAL_SUM_H

#include "query/exec/agg.h"

// False when out of memory.
PZ_MUST_USE bool pz_real_sum_add(struct pz_real_sum *sum, double value, struct pz_arena *arena);
PZ_MUST_USE bool pz_real_sum_merge(struct pz_real_sum *into, struct pz_real_sum *from,
                                   struct pz_arena *arena);
double pz_real_sum_round(struct pz_real_sum *sum);
#endif
