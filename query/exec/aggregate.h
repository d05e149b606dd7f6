// SPDX-License-Identifier: Apache-2.0
// GROUP BY: runs the pipeline below into per-worker tables, merges them, and is a source of groups.
#ifndef PZ_QUERY_EXEC_AGGREGATE_H
#define PZ_QUERY_EXEC_AGGREGATE_H

#include "query/exec/pipeline.h"

// Runs the aggregation of an AGGREGATE node over its (built) input and makes the source of its
// result.
PZ_MUST_USE enum pz_status pz_aggregate_run(struct pz_exec *exec, const struct pz_plan *plan,
                                            struct pz_pipeline *input, struct pz_source *source_out,
                                            struct pz_error *err);

#endif
