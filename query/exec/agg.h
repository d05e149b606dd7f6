// SPDX-License-Identifier: Apache-2.0
// The states of aggregates, column-wise: one array a kind of number, indexed by group.
//
// Groups are small integers that a grouper hands out (see group.h). All aggregates of a table
// share one counter of rows per group; how many values are not NULL is that minus a counter of
// NULLs, which exists only once a NULL was met. Sums of integers are exact: a 64-bit word that
// wraps, and a counter of wraps that exists only once one happened. Sums of doubles are exact as
// well: a few doubles that do not overlap, or a superaccumulator once those do not suffice. So
// the order of rows and the number of threads never change a result.
#ifndef PZ_QUERY_EXEC_AGG_H
#define PZ_QUERY_EXEC_AGG_H

#include "query/eval/portion.h"
#include "query/eval/symbol_map.h"
#include "query/exec/memory.h"

#include "base/num.h"

enum pz_agg_kind {
    PZ_AGG_ROWS,   // count(*)
    PZ_AGG_VALUES, // count(x)
    PZ_AGG_SUM_INT,
    PZ_AGG_SUM_REAL,
    PZ_AGG_MEAN_INT,
    PZ_AGG_MEAN_REAL,
    PZ_AGG_LEAST, // min
    PZ_AGG_MOST,  // max
};

// What one aggregate computes; read-only while running.
struct pz_agg_spec {
    enum pz_agg_kind kind;
    enum pz_type arg_type;
    uint32_t domain_id;                  // min, max of SYMBOL
    const struct pz_symbol_ranks *ranks; // the same; NULL = compare the strings
    uint32_t sql_offset;
    bool is_distinct; // counted in a set first; updates then come from there
};

#define PZ_REAL_PARTS 3
// An exact sum of doubles: parts that do not overlap, or `big`.
struct pz_real_sum {
    double parts[PZ_REAL_PARTS];
    struct pz_exact_sum *big;
};

struct pz_agg_state {
    struct pz_array nulls; // uint64_t: NULLs of the group; of DISTINCT aggregates: its values
    struct pz_array main;  // by kind and type: int64_t, double, pz_real_sum, code, text, interval
    struct pz_array wraps; // int64_t: how often the 64-bit sum wrapped around
    struct pz_array seen;  // uint8_t: min and max have a value
};

struct pz_agg_table {
    struct pz_session *session;
    struct pz_arena *arena; // for texts and big sums
    uint32_t agg_count;
    const struct pz_agg_spec *specs;
    struct pz_agg_state *states;
    struct pz_array rows; // uint64_t per group
    uint32_t capacity;    // groups there is room for
};

PZ_MUST_USE bool pz_agg_init(struct pz_agg_table *table, struct pz_session *session,
                             struct pz_arena *arena, const struct pz_agg_spec *specs,
                             uint32_t agg_count);
void pz_agg_fini(struct pz_agg_table *table);
// Bytes a group takes at least.
size_t pz_agg_group_bytes(const struct pz_agg_spec *specs, uint32_t agg_count);
PZ_MUST_USE bool pz_agg_reserve(struct pz_agg_table *table, uint32_t groups);

static inline uint64_t *
pz_agg_rows(const struct pz_agg_table *table)
{
    return table->rows.data;
}

// The groups of the selected rows: groups[i] for the i-th of them, or `all` for every row when
// `groups` is NULL.
struct pz_agg_groups {
    const uint32_t *groups;
    uint32_t all;
};
void pz_agg_count_rows(struct pz_agg_table *table, const struct pz_agg_groups *groups,
                       uint32_t count);
// Takes one vector of arguments in. False when out of memory.
PZ_MUST_USE bool pz_agg_update(struct pz_agg_table *table, uint32_t agg,
                               const struct pz_agg_groups *groups, const struct pz_vector *arg,
                               const struct pz_rows *rows);
// Takes all rows of a block or run in by statistics.
bool pz_agg_takes_stats(const struct pz_agg_spec *spec, const struct pz_stats *stats);
PZ_MUST_USE bool pz_agg_add_stats(struct pz_agg_table *table, uint32_t agg, uint32_t group,
                                  const struct pz_stats *stats);
// Adds groups from[i] of another table to groups to[i] of this one; NULL lists = first + i on
// both sides.
PZ_MUST_USE bool pz_agg_merge(struct pz_agg_table *table, const uint32_t *to,
                              struct pz_agg_table *other, const uint32_t *from, uint32_t first,
                              uint32_t count);
// Writes the results of some groups into a vector with room for `count` values and bits.
PZ_MUST_USE enum pz_status pz_agg_finish(struct pz_agg_table *table, uint32_t agg,
                                         const uint32_t *groups, uint32_t count,
                                         struct pz_vector *out, struct pz_error *err);

// The exact sum / count, rounded once. count > 0.
double pz_mean_of_int(pz_i128 sum, uint64_t count);

#endif
