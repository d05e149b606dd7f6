// SPDX-License-Identifier: Apache-2.0
// What the ways into execution share.
#ifndef PZ_QUERY_EXEC_EXEC_INTERNAL_H
#define PZ_QUERY_EXEC_EXEC_INTERNAL_H

#include "query/exec/exec.h"
#include "query/exec/pipeline.h"

// Runs a plan in an execution of the caller's, who can look at its nodes afterwards.
PZ_MUST_USE enum pz_status pz__exec_run(struct pz_exec *exec, struct pz_plan *plan,
                                        const struct pz_result_sink *sink, struct pz_error *err);

#endif
