// SPDX-License-Identifier: Apache-2.0
// What flows through a pipeline: up to vector_rows rows as vectors, and which of them count.
#ifndef PZ_QUERY_EVAL_PORTION_H
#define PZ_QUERY_EVAL_PORTION_H

#include "query/func/kernel.h"

// Ownership  borrowed from the operator that made it until that is asked for the next one.
struct pz_portion {
    struct pz_rows rows;
    uint32_t column_count;
    const struct pz_vector *columns;
};

// The rows for which a condition is true, listed in `out` when they are not all (which may be the
// list `rows` is in).
struct pz_rows pz_rows_narrow(const struct pz_rows *rows, const struct pz_vector *condition,
                              uint16_t *out);

// Bytes of the selected rows' texts in `vectors`.
uint64_t pz_rows_text_bytes(const struct pz_rows *rows, const struct pz_vector *vectors,
                            uint32_t vector_count);

// The selected rows from the *at-th on whose texts in `vectors` hold about PZ_WORK_STEPS bytes, at
// least one row; *at moves past them. They are listed in `out` when they are not all. So whoever
// goes through texts, which may be long, can ask in between whether to stop.
//
// steps_out  those bytes
struct pz_rows pz_rows_stretch(const struct pz_rows *rows, const struct pz_vector *vectors,
                               uint32_t vector_count, uint32_t *at, uint16_t *out,
                               uint64_t *steps_out);

#endif
