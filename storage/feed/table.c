// SPDX-License-Identifier: Apache-2.0
// The table's memory. Looking an item up is the business of those who know its key; they walk the
// slots from `tag & mask` on. Half of the slots are empty, so walks are short.
#include "storage/feed/table.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 64u
#define CAPACITY_MAX (UINT32_C(1) << 30)
#define CAPACITY_KEPT 16384u // clearing more slots than this costs more than allocating anew

void
pz__feed_table_init(struct pz__feed_table *table, size_t item_size)
{
    *table = (struct pz__feed_table){.item_size = item_size};
}

void
pz__feed_table_fini(struct pz__feed_table *table)
{
    free(table->items);
    free(table->slots);
    pz__feed_table_init(table, table->item_size);
}

void
pz__feed_table_clear(struct pz__feed_table *table)
{
    if (table->capacity > CAPACITY_KEPT) {
        pz__feed_table_fini(table);
    } else if (table->count > 0) {
        memset(table->slots, 0, ((size_t)table->mask + 1) * sizeof *table->slots);
        table->count = 0;
    }
}

static void
place(struct pz__feed_table *table, uint32_t tag, uint32_t item)
{
    uint32_t at = tag & table->mask;
    while (table->slots[at].item != 0) {
        at = (at + 1) & table->mask;
    }
    table->slots[at] = (struct pz__feed_slot){tag, item};
}

bool
pz__feed_table_copy_grown(const struct pz__feed_table *table, size_t more,
                          struct pz__feed_table *grown_out)
{
    pz__feed_table_init(grown_out, table->item_size);
    size_t wanted = table->count + more;
    if (more > CAPACITY_MAX || wanted > CAPACITY_MAX) {
        return false;
    }
    uint32_t capacity = CAPACITY_MIN;
    while (capacity < wanted) {
        capacity *= 2;
    }
    struct pz__feed_table grown = {.item_size = table->item_size,
                                   .count = table->count,
                                   .capacity = capacity,
                                   .mask = capacity * 2 - 1};
    grown.items = malloc((size_t)capacity * table->item_size);
    grown.slots = calloc((size_t)capacity * 2, sizeof *grown.slots);
    if (grown.items == NULL || grown.slots == NULL) {
        pz__feed_table_fini(&grown);
        return false;
    }
    if (table->count > 0) {
        memcpy(grown.items, table->items, (size_t)table->count * table->item_size);
        for (size_t i = 0; i <= table->mask; i++) {
            if (table->slots[i].item != 0) {
                place(&grown, table->slots[i].tag, table->slots[i].item);
            }
        }
    }
    *grown_out = grown;
    return true;
}

bool
pz__feed_table_grow(struct pz__feed_table *table, size_t more)
{
    struct pz__feed_table grown;
    if (!pz__feed_table_copy_grown(table, more, &grown)) {
        return false;
    }
    pz__feed_table_fini(table);
    *table = grown;
    return true;
}

uint32_t
pz__feed_table_add(struct pz__feed_table *table, uint32_t tag)
{
    PZ_ASSERT(table->count < table->capacity);
    uint32_t position = table->count++;
    place(table, tag, position + 1);
    return position;
}
