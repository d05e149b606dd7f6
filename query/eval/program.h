// SPDX-License-Identifier: Apache-2.0
// Bound expressions compiled to a flat list of register instructions, run once per portion.
//
// CASE, COALESCE, AND and OR narrow the selection around the code of their branches, so that a
// guarded division never sees the rows its guard left out. What only depends on constant vectors
// is computed for one row. Equal subexpressions are computed once.
#ifndef PZ_QUERY_EVAL_PROGRAM_H
#define PZ_QUERY_EVAL_PROGRAM_H

#include "query/eval/portion.h"
#include "query/eval/symbol_map.h"

struct pz_program;

// Compiles `count` expressions over one input. All memory comes from `arena`, also while running:
// the program goes with it. One thread at a time; each worker compiles its own.
//
// maps   tables of the SYMBOL_MAP nodes among the expressions; NULL = compute them row by row
PZ_MUST_USE enum pz_status pz_program_create(const struct pz_session *session,
                                             const struct pz_symbol_maps *maps,
                                             struct pz_arena *arena, struct pz_expr *const *exprs,
                                             uint32_t count, struct pz_program **program_out,
                                             struct pz_error *err);

// Positions of the input's columns the program reads, each once.
const uint32_t *pz_program_inputs(const struct pz_program *program, uint32_t *count_out);

// Computes the expressions for the rows of the input. Results are valid until the next run; texts
// in them live in `texts`, which the caller resets when the results are used up.
PZ_MUST_USE enum pz_status pz_program_run(struct pz_program *program,
                                          const struct pz_portion *input, struct pz_arena *texts,
                                          struct pz_vector *results_out, struct pz_error *err);

#endif
