// SPDX-License-Identifier: Apache-2.0
// The façade of execution: run a plan, explain it, select rows to delete.
#ifndef PZ_QUERY_EXEC_EXEC_H
#define PZ_QUERY_EXEC_EXEC_H

#include "query/plan/plan.h"
#include "query/session.h"

// Runs a plan that went through pz_plan_rewrite and delivers its rows, SYMBOL columns as TEXT.
// Counts rows and blocks into session->stats.
PZ_MUST_USE enum pz_status pz_exec_run(struct pz_session *session, struct pz_plan *plan,
                                       const struct pz_result_sink *sink, struct pz_error *err);

// EXPLAIN of a plan that went through pz_plan_rewrite: rows of one TEXT column "plan".
PZ_MUST_USE enum pz_status pz_exec_explain(struct pz_session *session, struct pz_plan *plan,
                                           bool is_analyze, const struct pz_result_sink *sink,
                                           struct pz_error *err);

// Rows of `table` (as session->version shows it, those already deleted left out) for which `filter`
// is true; a NULL filter takes all. The filter's columns are positions in the table.
// selection_out->version is session->version, borrowed; its memory lies in session->arena.
// *count_out is the number of rows selected.
PZ_MUST_USE enum pz_status pz_exec_select_rows(struct pz_session *session,
                                               const struct pz_table_def *table,
                                               struct pz_expr *filter,
                                               struct pz_row_selection *selection_out,
                                               uint64_t *count_out, struct pz_error *err);

#endif
