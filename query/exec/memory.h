// SPDX-License-Identifier: Apache-2.0
// Large arrays of a query: on its budget, zeroed, growing in place where the machine allows, and
// freed with the execution.
#ifndef PZ_QUERY_EXEC_MEMORY_H
#define PZ_QUERY_EXEC_MEMORY_H

#include "base/arena.h"

struct pz_array {
    void *data; // NULL when empty
    size_t bytes;
};
// Grows to at least `bytes`; what is new is zero. False when the budget or the machine has no
// more: the array stays as it was.
bool pz_array_grow(struct pz_array *array, struct pz_budget *budget, size_t bytes) PZ_MUST_USE;
void pz_array_free(struct pz_array *array, struct pz_budget *budget);

#endif
