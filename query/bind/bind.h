// SPDX-License-Identifier: Apache-2.0
// From the tree of a statement to its meaning: names to positions, every node a type, casts put in,
// aggregates taken out of the expressions.
#ifndef PZ_QUERY_BIND_BIND_H
#define PZ_QUERY_BIND_BIND_H

#include "query/parse/ast.h"
#include "query/plan/plan.h"
#include "query/session.h"

// What one statement is bound in.
struct pz_binder {
    struct pz_session *session; // its version has the tables, its arena the results
    struct pz_str sql;          // the statement's text: hints look at it
    uint32_t node_count;        // expressions bound so far, see PZ_BIND_NODES_MAX
    enum pz_status failure;     // of the maker of nodes that returned NULL
};

// BETWEEN, nullif and CASE with an operand bind an operand more than once, so that nested ones
// grow by powers of two: more nodes than this are an error (54001).
#define PZ_BIND_NODES_MAX 500000u

// A SELECT to the plan of query/plan/plan.h. Class 42 errors, with position and hint.
PZ_MUST_USE enum pz_status pz_bind_select(struct pz_binder *binder,
                                          const struct pz_ast_select *select,
                                          struct pz_plan **plan_out, struct pz_error *err);

// The table of a name; 42P01 when there is none (or only an internal one).
PZ_MUST_USE enum pz_status pz_bind_table(const struct pz_binder *binder,
                                         const struct pz_ast_name *name,
                                         const struct pz_table_def **table_out,
                                         struct pz_error *err);
// The column of a table; 42703.
PZ_MUST_USE enum pz_status pz_bind_table_column(const struct pz_table_def *table,
                                                const struct pz_ast_name *name,
                                                uint32_t *column_out, struct pz_error *err);

// A condition over the columns of one table, which positions refer to: DELETE … WHERE.
PZ_MUST_USE enum pz_status pz_bind_table_filter(struct pz_binder *binder,
                                                const struct pz_table_def *table,
                                                struct pz_str alias, const struct pz_ast *condition,
                                                struct pz_expr **filter_out, struct pz_error *err);

// An expression without columns, for a column of type `type` (SYMBOL is given as TEXT): INSERT …
// VALUES. Conversions that PostgreSQL makes on assignment are put in; others are 42804, naming
// `column`.
PZ_MUST_USE enum pz_status pz_bind_assignment(struct pz_binder *binder, const struct pz_ast *ast,
                                              enum pz_type type, const char *column,
                                              struct pz_expr **expr_out, struct pz_error *err);

#endif
