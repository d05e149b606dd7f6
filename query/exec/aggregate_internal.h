// SPDX-License-Identifier: Apache-2.0
// The inside of GROUP BY: aggregate.c runs it, group_plan.c chooses the strategy, distinct.c keeps
// values of DISTINCT aggregates, group_merge.c brings the workers' tables together, group_source.c
// gives the groups out.
#ifndef PZ_QUERY_EXEC_AGGREGATE_INTERNAL_H
#define PZ_QUERY_EXEC_AGGREGATE_INTERNAL_H

#include "query/eval/program.h"
#include "query/exec/agg.h"
#include "query/exec/aggregate.h"
#include "query/exec/group.h"

// The values of one DISTINCT aggregate, by group.
enum pz_distinct_kind {
    PZ_DISTINCT_NONE, // the aggregate is not DISTINCT
    PZ_DISTINCT_BITS, // count(DISTINCT x): one bit per group and value of a dense x
    PZ_DISTINCT_SET,  // a hash grouper over (group, value)
};
struct pz_distinct_spec {
    enum pz_distinct_kind kind;
    enum pz_type type;
    uint32_t domain_id;
    int64_t low; // BITS
    uint32_t width;
    size_t words; // BITS: of a group
};
struct pz_distinct {
    struct pz_array bits;
    struct pz_hash set;
    bool is_set_ready;
};

struct pz_group_by {
    struct pz_exec *exec;
    const struct pz_plan *plan;
    struct pz_pipeline *input;
    struct pz_node_stats *stats;
    uint32_t key_count;
    uint32_t agg_count;
    enum pz_type *key_types;
    uint32_t *key_domains;
    struct pz_agg_spec *specs;
    struct pz_distinct_spec *distincts;
    uint32_t *arg_results; // per aggregate: its argument among the program's results
    uint32_t expr_count;   // keys, then arguments
    struct pz_expr **exprs;
    bool is_dense;  // group numbers are those of the layout
    bool is_packed; // they are looked up by those of the layout: one word for all keys
    struct pz_dense dense;
    bool has_distinct;
    enum pz_stats_mode stats_mode;
};

// One table of groups: of a worker, or of a partition after the merge.
struct pz_group_table {
    struct pz_group_by *group_by;
    struct pz_arena *arena;
    struct pz_agg_table aggs;
    struct pz_hash hash; // unless dense
    struct pz_distinct *distincts;
    struct pz_exec_cleanup cleanup;
    // Scratch for vectors.
    uint32_t *groups;
    int64_t *group_values; // by row, for sets
    uint64_t *packed;      // by row
    uint16_t *rows;
};
// Lives in the arena, freed with the execution. NULL when out of memory.
struct pz_group_table *pz__group_table_create(struct pz_group_by *group_by, struct pz_arena *arena);
static inline uint32_t
pz__group_count(const struct pz_group_table *table)
{
    const struct pz_group_by *group_by = table->group_by;
    return group_by->is_dense ? (uint32_t)group_by->dense.slot_count : table->hash.group_count;
}
enum pz_status pz__group_fail_memory(const struct pz_group_by *group_by, struct pz_error *err);

// Fills in specs, strategy and layout.
PZ_MUST_USE enum pz_status pz__group_plan(struct pz_group_by *group_by, struct pz_error *err);

PZ_MUST_USE bool pz__distinct_init(struct pz_group_table *table, uint32_t agg);
void pz__distinct_fini(struct pz_group_table *table, uint32_t agg);
PZ_MUST_USE bool pz__distinct_add(struct pz_group_table *table, uint32_t agg,
                                  const struct pz_agg_groups *groups, const struct pz_vector *arg,
                                  const struct pz_rows *rows);
// Adds the values of another table; map[g] is the group here of its group g, UINT32_MAX = not one
// of ours; NULL = the same numbers.
PZ_MUST_USE bool pz__distinct_merge(struct pz_group_table *table, uint32_t agg,
                                    struct pz_group_table *other, const uint32_t *map);
// Puts the values into the aggregate's state, after all merging.
PZ_MUST_USE bool pz__distinct_finish(struct pz_group_table *table, uint32_t agg);

// Brings tables together. parts_out has room for PZ_GROUP_PARTS_MAX.
#define PZ_GROUP_PARTS_MAX 64u
PZ_MUST_USE enum pz_status pz__group_merge(struct pz_group_by *group_by,
                                           struct pz_group_table **tables, uint32_t table_count,
                                           struct pz_group_table **parts_out,
                                           uint32_t *part_count_out, struct pz_error *err);

PZ_MUST_USE enum pz_status pz__group_source(struct pz_group_by *group_by,
                                            struct pz_group_table **parts, uint32_t part_count,
                                            struct pz_source *source_out, struct pz_error *err);

#endif
