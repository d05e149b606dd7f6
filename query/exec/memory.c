// SPDX-License-Identifier: Apache-2.0
// Large arrays of a query. Small ones come from malloc; from a megabyte on they are mappings of
// their own, which the kernel moves instead of copying when they grow, hands out zeroed, and backs
// with huge pages where it can: tables of groups are read at random.
#include "query/exec/memory.h"

#include <stdlib.h>
#include <sys/mman.h>

#define MAPPED_FROM ((size_t)1 << 20)
#define MAPPED_STEP ((size_t)1 << 16)

static bool
is_mapped(size_t bytes)
{
    return bytes >= MAPPED_FROM;
}

static size_t
mapping_size(size_t bytes)
{
    return (bytes + MAPPED_STEP - 1) / MAPPED_STEP * MAPPED_STEP;
}

static void *
grow_mapping(const struct pz_array *array, size_t bytes)
{
    void *data = MAP_FAILED;
    if (is_mapped(array->bytes)) {
        data = mremap(array->data, mapping_size(array->bytes), mapping_size(bytes), MREMAP_MAYMOVE);
    } else {
        data = mmap(NULL, mapping_size(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0);
        if (data != MAP_FAILED && array->bytes > 0) {
            memcpy(data, array->data, array->bytes);
            free(array->data);
        }
    }
    if (data == MAP_FAILED) {
        return NULL;
    }
    (void)madvise(data, mapping_size(bytes), MADV_HUGEPAGE); // only a wish
    return data;
}

static void *
grow_heap(const struct pz_array *array, size_t bytes)
{
    char *data = realloc(array->data, bytes);
    if (data != NULL) {
        memset(data + array->bytes, 0, bytes - array->bytes);
    }
    return data;
}

bool
pz_array_grow(struct pz_array *array, struct pz_budget *budget, size_t bytes)
{
    if (bytes <= array->bytes) {
        return true;
    }
    if (!pz_budget_take(budget, bytes - array->bytes)) {
        return false;
    }
    void *data = is_mapped(bytes) ? grow_mapping(array, bytes) : grow_heap(array, bytes);
    if (data == NULL) {
        pz_budget_give(budget, bytes - array->bytes);
        return false;
    }
    array->data = data;
    array->bytes = bytes;
    return true;
}

void
pz_array_free(struct pz_array *array, struct pz_budget *budget)
{
    if (array->data == NULL) {
        return; // also of a table that was never made
    }
    if (is_mapped(array->bytes)) {
        (void)munmap(array->data, mapping_size(array->bytes));
    } else {
        free(array->data);
    }
    pz_budget_give(budget, array->bytes);
    *array = (struct pz_array){0};
}
