// SPDX-License-Identifier: Apache-2.0
// The inside of aggregate states, shared by agg.c and agg_update.c.
#ifndef PZ_QUERY_EXEC_AGG_INTERNAL_H
#define PZ_QUERY_EXEC_AGG_INTERNAL_H

#include "query/exec/agg.h"
#include "query/exec/real_sum.h"

// The smallest or largest text so far, in memory of its own that is reused while it suffices.
struct pz__best_text {
    char *data;
    uint32_t len;
    uint32_t capacity;
};

// Room for one value while it is handed over.
struct pz__best {
    struct pz_str text;
    uint8_t byte;
};

bool pz__agg_need_nulls(struct pz_agg_table *table, struct pz_agg_state *state);
bool pz__agg_add_wrap(struct pz_agg_table *table, struct pz_agg_state *state, uint32_t group,
                      int64_t wraps);
bool pz__agg_add_sum(struct pz_agg_table *table, struct pz_agg_state *state, uint32_t group,
                     pz_i128 value);
// The best value of a group, as a constant vector of the argument's type.
struct pz_vector pz__agg_best(const struct pz_agg_spec *spec, const struct pz_agg_state *state,
                              uint32_t group, struct pz__best *room);

#endif
