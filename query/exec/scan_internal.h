// SPDX-License-Identifier: Apache-2.0
// The inside of the scan: scan.c runs it, scan_plan.c makes it and knows its ranges.
#ifndef PZ_QUERY_EXEC_SCAN_INTERNAL_H
#define PZ_QUERY_EXEC_SCAN_INTERNAL_H

#include "query/eval/program.h"
#include "query/exec/scan.h"
#include "query/exec/zone.h"

// One of the conditions that the filter is the AND of. Those with zones come first: they cannot
// fail, and it must not depend on whether a block has statistics for which rows the others, which
// can, are computed.
struct pz_scan_condition {
    const struct pz_expr *expr;
    struct pz_zone zone;
};

struct pz_scan {
    struct pz_exec *exec;
    const struct pz_plan *plan;
    struct pz_node_stats *stats;
    struct pz_table_rows rows;
    uint32_t condition_count;
    struct pz_scan_condition *conditions;
    uint32_t day_output; // the output that is the day of the time column; PZ_NO_COLUMN = none
    const struct pz_scan_bound *bound; // or NULL
    uint32_t *order;                   // of blocks, with a bound
};

static inline uint32_t
pz__scan_column(const struct pz_plan *plan, uint32_t output)
{
    return plan->scan_columns != NULL ? plan->scan_columns[output] : output;
}

enum pz_status pz__scan_open(struct pz_source *source, struct pz_worker *worker,
                             struct pz_error *err);
enum pz_status pz__scan_run(struct pz_source *source, struct pz_worker *worker, uint32_t morsel,
                            struct pz_error *err);
void pz__scan_close(struct pz_source *source, struct pz_worker *worker);

#endif
