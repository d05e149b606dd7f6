// SPDX-License-Identifier: Apache-2.0
// Results: portions to the slices a sink takes.
#ifndef PZ_QUERY_EXEC_RESULT_H
#define PZ_QUERY_EXEC_RESULT_H

#include "query/exec/pipeline.h"

struct pz_result {
    struct pz_exec *exec;
    const struct pz_result_sink *sink;
    uint32_t column_count;
    struct pz_slice *slices;
    void **room;      // per column: vector_rows values
    uint64_t **valid; // per column
    uint64_t skip;    // rows still to leave out
};
// Announces the columns of the plan to the sink.
PZ_MUST_USE enum pz_status pz_result_begin(struct pz_result *result, struct pz_exec *exec,
                                           const struct pz_plan *plan,
                                           const struct pz_result_sink *sink, struct pz_error *err);
// For pz_consumer.
enum pz_status pz_result_consume(void *result, const struct pz_portion *portion,
                                 struct pz_error *err);

#endif
