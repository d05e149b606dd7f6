// SPDX-License-Identifier: Apache-2.0
// Large arrays of a query.
#include "query/exec/memory.h"

#include <stdlib.h>

bool
pz_array_grow(struct pz_array *array, struct pz_budget *budget, size_t bytes)
{
    if (bytes <= array->bytes) {
        return true;
    }
    if (!pz_budget_take(budget, bytes - array->bytes)) {
        return false;
    }
    // A fresh calloc gets pages that are zero already and take no memory until they are touched.
    char *data = array->data == NULL ? calloc(1, bytes) : realloc(array->data, bytes);
    if (data == NULL) {
        pz_budget_give(budget, bytes - array->bytes);
        return false;
    }
    if (array->data != NULL) {
        memset(data + array->bytes, 0, bytes - array->bytes);
    }
    array->data = data;
    array->bytes = bytes;
    return true;
}

void
pz_array_free(struct pz_array *array, struct pz_budget *budget)
{
    free(array->data);
    pz_budget_give(budget, array->bytes);
    *array = (struct pz_array){0};
}
