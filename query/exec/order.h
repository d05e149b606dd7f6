// SPDX-License-Identifier: Apache-2.0
// The order of rows: sort keys first, then all other columns, so that it is total and never
// depends on where rows lie or which thread met them.
#ifndef PZ_QUERY_EXEC_ORDER_H
#define PZ_QUERY_EXEC_ORDER_H

#include "query/exec/pipeline.h"
#include "query/exec/rowset.h"

struct pz_order_key {
    uint32_t column;
    enum pz_type type;
    uint32_t domain_id;
    bool is_descending;
    bool nulls_first;
    bool is_exact; // tells equal values apart that look different: 0 and -0, 1 month and 30 days
    const struct pz_symbol_ranks *ranks; // SYMBOL; NULL = compare the strings
};
struct pz_order {
    struct pz_session *session;
    uint32_t key_count; // all columns take part, some once more to be told apart exactly
    struct pz_order_key *keys;
};

// A row to be sorted. `prefix` orders as the first key does, as far as 64 bits go.
struct pz_order_entry {
    uint64_t prefix;
    struct pz_row_ref ref;
};

PZ_MUST_USE enum pz_status pz_order_make(struct pz_exec *exec, const struct pz_plan *sort,
                                         uint64_t row_estimate, struct pz_order *out,
                                         struct pz_error *err);
// Prefixes of the selected rows, one after the other.
void pz_order_prefixes(const struct pz_order *order, const struct pz_vector *columns,
                       const struct pz_rows *rows, uint64_t *out);
// Sorts entries whose refs point into `parts`. `room` has space for as many entries. Fails only
// when the statement has to stop.
PZ_MUST_USE enum pz_status pz_order_sort(const struct pz_order *order,
                                         const struct pz_rowset_part *parts,
                                         struct pz_order_entry *entries,
                                         struct pz_order_entry *room, size_t count,
                                         struct pz_error *err);

#endif
