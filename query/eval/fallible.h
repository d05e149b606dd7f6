// SPDX-License-Identifier: Apache-2.0
// Whether computing an expression can fail: what decides in which order conditions are looked at
// and which rows may be passed over.
#ifndef PZ_QUERY_EVAL_FALLIBLE_H
#define PZ_QUERY_EVAL_FALLIBLE_H

#include "query/expr/expr.h"

// True when some values of its columns may make the expression an error (1 / x, a cast from text).
// Running out of time or memory does not count. May be true for expressions that never fail.
bool pz_expr_can_fail(const struct pz_expr *expr);

#endif
