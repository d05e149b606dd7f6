// SPDX-License-Identifier: Apache-2.0
// Expressions of one symbol column, computed once for every string of its domain: then a row costs
// one look-up by code, whatever the expression.
#ifndef PZ_QUERY_EVAL_SYMBOL_MAP_H
#define PZ_QUERY_EVAL_SYMBOL_MAP_H

#include "query/eval/portion.h"

// Results by code; entry `count` is the result for NULL.
struct pz_symbol_map {
    const struct pz_expr *expr; // the SYMBOL_MAP node
    struct pz_vector results;   // flat, count + 1 entries
    uint32_t count;
    struct pz_symbol_map *next;
};

// The tables of one query. Built before its workers start, then only read.
struct pz_symbol_maps {
    struct pz_symbol_map *first;
};

// Makes the tables of all SYMBOL_MAP nodes below `expr`, unless the domain has many more strings
// than the rows at hand (`row_count`), or some string of it gives an error: then the expression is
// computed row by row, and an error only comes up if a row has that string.
PZ_MUST_USE enum pz_status pz_symbol_maps_add(struct pz_session *session,
                                              struct pz_symbol_maps *maps,
                                              const struct pz_expr *expr, uint64_t row_count,
                                              struct pz_error *err);
const struct pz_symbol_map *pz_symbol_maps_find(const struct pz_symbol_maps *maps,
                                                const struct pz_expr *expr);

// Places of the strings of a domain in byte order: for ORDER BY, min and max of symbols. NULL when
// the domain has many more strings than rows, or memory is short: compare the strings then.
struct pz_symbol_ranks {
    uint32_t domain_id;
    uint32_t count;
    uint32_t *ranks; // by code
    uint32_t *codes; // by rank
};
const struct pz_symbol_ranks *pz_symbol_ranks_make(struct pz_session *session, uint32_t domain_id,
                                                   uint64_t row_count);

#endif
