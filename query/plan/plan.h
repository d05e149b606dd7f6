// SPDX-License-Identifier: Apache-2.0
// The bound plan: what a SELECT means, one node an operator, each fed by the one below it.
//
// The binder builds   limit → project → sort → distinct → project → filter (HAVING) → aggregate
// → filter (WHERE) → scan, leaving out what the statement does not use; a subquery in FROM is
// simply the plan in the place of the scan. The rewrite rules then push filters down, drop columns
// nobody reads and mark what the executor can do faster. A plan is read-only while it runs.
#ifndef PZ_QUERY_PLAN_PLAN_H
#define PZ_QUERY_PLAN_PLAN_H

#include "query/expr/expr.h"
#include "query/func/registry.h"

enum pz_plan_kind {
    PZ_PLAN_SCAN,      // rows of one table; outputs: all columns of the table, in its order
    PZ_PLAN_ONE_ROW,   // one row without columns: SELECT without FROM
    PZ_PLAN_FILTER,    // rows for which `filter` is true; outputs: as the child's
    PZ_PLAN_PROJECT,   // outputs: `exprs`, one for each
    PZ_PLAN_AGGREGATE, // outputs: first the groups, then the aggregates
    PZ_PLAN_DISTINCT,  // outputs: as the child's, each row once
    PZ_PLAN_SORT,      // outputs: as the child's. Ties fall back to all other columns, so that a
                       // LIMIT above never depends on where rows lie
    PZ_PLAN_LIMIT,     // outputs: as the child's
};

struct pz_plan_column {
    struct pz_str name; // as results name it; NUL-terminated
    enum pz_type type;
    uint32_t domain_id; // SYMBOL only
};

// One aggregate call.
struct pz_aggregate {
    const struct pz_function *function; // is_aggregate
    struct pz_expr *arg;                // over the child's outputs; NULL for count(*)
    bool is_distinct;
    enum pz_type type;  // of the result
    uint32_t domain_id; // min, max of SYMBOL
    uint32_t sql_offset;
};

struct pz_sort_key {
    uint32_t column; // position in the child's output (the binder projects what is sorted by)
    bool is_descending;
    bool nulls_first;
};

struct pz_plan {
    enum pz_plan_kind kind;
    struct pz_plan *child; // NULL for SCAN and ONE_ROW
    uint32_t column_count; // of the output
    struct pz_plan_column *columns;

    const struct pz_table_def *table; // SCAN

    struct pz_expr *filter; // FILTER; set on SCAN by the rewrite rules only
    struct pz_expr **exprs; // PROJECT: column_count of them, over the child's outputs

    uint32_t group_count; // AGGREGATE: 0 = one group, also when there are no rows
    struct pz_expr **groups;
    uint32_t aggregate_count;
    struct pz_aggregate *aggregates;

    uint32_t key_count; // SORT
    struct pz_sort_key *keys;

    bool has_limit; // LIMIT
    uint64_t limit;
    uint64_t offset;

    // Set by the rewrite rules: positions of the table's columns that the outputs stand for, or
    // PZ_SCAN_DAY. NULL = all, in order.
    uint32_t *scan_columns;
    bool *is_unused;  // SCAN, AGGREGATE: per output, whether nothing above reads it; NULL = all are
                      // read
    uint32_t node_id; // numbered by the executor, for EXPLAIN ANALYZE
};
// A scan output that is CAST(time column AS DATE): constant in most vectors.
#define PZ_SCAN_DAY (PZ_NO_COLUMN - 1)

// A zeroed node with room for column_count output columns; NULL when out of memory.
struct pz_plan *pz_plan_make(struct pz_arena *arena, enum pz_plan_kind kind, struct pz_plan *child,
                             uint32_t column_count);
// The same with the child's output columns.
struct pz_plan *pz_plan_make_like(struct pz_arena *arena, enum pz_plan_kind kind,
                                  struct pz_plan *child);

#endif
