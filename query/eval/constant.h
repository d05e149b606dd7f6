// SPDX-License-Identifier: Apache-2.0
// Expressions without columns, computed once: VALUES, LIMIT, constant folding.
#ifndef PZ_QUERY_EVAL_CONSTANT_H
#define PZ_QUERY_EVAL_CONSTANT_H

#include "query/expr/expr.h"
#include "query/session.h"

// Evaluates an expression without columns. Text lies in session->arena.
PZ_MUST_USE enum pz_status pz_eval_constant(struct pz_session *session, const struct pz_expr *expr,
                                            struct pz_value *out, struct pz_error *err);

#endif
