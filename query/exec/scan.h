// SPDX-License-Identifier: Apache-2.0
// The scan: blocks of a table as a source of portions.
//
// A block is a morsel. Its statistics first decide which conditions still have to be looked at, and
// whether any row can come at all; sinks that take statistics get whole blocks and day runs that
// way. Only then are columns read: those of the conditions first, the others when rows are left.
#ifndef PZ_QUERY_EXEC_SCAN_H
#define PZ_QUERY_EXEC_SCAN_H

#include "query/exec/pipeline.h"

// Makes the source of a SCAN node.
PZ_MUST_USE enum pz_status pz_scan_create(struct pz_exec *exec, const struct pz_plan *plan,
                                          struct pz_source *source_out, struct pz_error *err);

// The smallest and largest value of an integer or symbol output, NULLs left out. False when all
// are NULL or the range is not known. Reads the column of tail blocks.
bool pz_scan_range(struct pz_source *source, uint32_t output, int64_t *low_out, int64_t *high_out);

// Whether a condition of the scan can fail. Such a scan must look at every row its zones leave.
bool pz_scan_can_fail(const struct pz_source *source);

// What a sort with a limit tells the scan below it: rows whose value of one output lies beyond the
// worst that is kept so far are not needed any more. Blocks are visited best first.
struct pz_scan_bound {
    uint32_t output; // BIGINT, TIMESTAMP or DATE
    bool is_descending;
    bool nulls_first;
    _Atomic bool is_set;
    _Atomic int64_t value;
};
PZ_MUST_USE enum pz_status pz_scan_use_bound(struct pz_source *source, struct pz_scan_bound *bound,
                                             struct pz_error *err);
// Makes the bound stricter, if `value` is.
void pz_scan_tighten(struct pz_scan_bound *bound, int64_t value);

// The column of the table (or PZ_SCAN_DAY) that an output stands for.
uint32_t pz_scan_table_column(const struct pz_source *source, uint32_t output);

// Where the rows of a portion being pushed by this worker lie: block of the table, and row in block
// of the portion's row 0. For DELETE.
void pz_scan_place(const struct pz_worker *worker, uint32_t *block_out, uint32_t *row_out);

#endif
