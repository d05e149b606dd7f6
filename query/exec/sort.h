// SPDX-License-Identifier: Apache-2.0
// ORDER BY, with or without LIMIT.
#ifndef PZ_QUERY_EXEC_SORT_H
#define PZ_QUERY_EXEC_SORT_H

#include "query/exec/pipeline.h"

// What is needed of the sorted rows: of the first row_limit (UINT64_MAX = all), those after the
// first row_skip. Few are found without keeping all others.
struct pz_sort_cut {
    uint64_t row_limit;
    uint64_t row_skip;
};
// Runs the (built) input of a SORT node and makes the source of its sorted rows.
PZ_MUST_USE enum pz_status pz_sort_run(struct pz_exec *exec, const struct pz_plan *plan,
                                       struct pz_pipeline *input, const struct pz_sort_cut *cut,
                                       struct pz_source *source_out, struct pz_error *err);

#endif
