// SPDX-License-Identifier: Apache-2.0
// The rewrite rules as a whole: a bound plan to one that runs faster and means the same.
#ifndef PZ_QUERY_PLAN_REWRITE_H
#define PZ_QUERY_PLAN_REWRITE_H

#include "query/plan/plan.h"
#include "query/session.h"

// Applies the rewrite rules to a bound plan (in place; *plan may become another node). Called once.
PZ_MUST_USE enum pz_status pz_plan_rewrite(struct pz_session *session, struct pz_plan **plan,
                                           struct pz_error *err);
// The same for a plan whose rows are looked at by place, not by value: no output is
// needed.
PZ_MUST_USE enum pz_status pz_plan_rewrite_rows(struct pz_session *session, struct pz_plan **plan,
                                                struct pz_error *err);

#endif
