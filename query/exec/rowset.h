// SPDX-License-Identifier: Apache-2.0
// Rows kept: copies of the selected rows of portions, column by column, in the order they came.
#ifndef PZ_QUERY_EXEC_ROWSET_H
#define PZ_QUERY_EXEC_ROWSET_H

#include "query/eval/portion.h"

struct pz_rowset_part {
    uint32_t row_count;
    struct pz_vector *columns; // flat
};

// Ownership  everything lies in the arena.
struct pz_rowset {
    struct pz_arena *arena;
    uint32_t column_count;
    uint32_t part_rows; // rows of a full part: the session's vector_rows
    uint32_t part_count;
    uint32_t part_capacity;
    struct pz_rowset_part *parts;
    uint64_t row_count;
};

// The types are taken from the first portion.
void pz_rowset_init(struct pz_rowset *set, struct pz_arena *arena, uint32_t column_count,
                    uint32_t part_rows);
// Copies the selected rows, strings included. False when out of memory.
bool pz_rowset_append(struct pz_rowset *set, const struct pz_portion *portion) PZ_MUST_USE;

// One row in a set.
struct pz_row_ref {
    uint32_t part;
    uint32_t row;
};

#endif
