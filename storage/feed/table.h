// SPDX-License-Identifier: Apache-2.0
// A growable array of items with an open-addressing index of positions beside it.
//
// Items keep their position for life and lie densely in the order of insertion, so that other
// structures can name them by number. Growth is a step of its own that makes a second table and
// leaves the first as it was: the writer grows outside the lock under which readers look.
#ifndef PZ_STORAGE_FEED_TABLE_H
#define PZ_STORAGE_FEED_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PZ__FEED_NONE UINT32_MAX // no such item

// `tag` is the low half of the item's hash: most mismatches are seen without touching the item.
struct pz__feed_slot {
    uint32_t tag;
    uint32_t item; // position + 1; 0 = empty
};

struct pz__feed_table {
    void *items;
    struct pz__feed_slot *slots; // twice as many as there may be items
    size_t item_size;
    uint32_t count;
    uint32_t capacity; // of items; a power of two, or 0
    uint32_t mask;     // number of slots - 1
};

void pz__feed_table_init(struct pz__feed_table *table, size_t item_size);
void pz__feed_table_fini(struct pz__feed_table *table);
// Forgets the items; keeps the memory when it is small.
void pz__feed_table_clear(struct pz__feed_table *table);

static inline bool
pz__feed_table_has_room(const struct pz__feed_table *table, size_t more)
{
    return more <= (size_t)(table->capacity - table->count);
}

// Makes a copy of `table` with room for `more` items. false when there is no memory or the number
// of items passes 2^30; *grown_out is empty then.
bool pz__feed_table_copy_grown(const struct pz__feed_table *table, size_t more,
                               struct pz__feed_table *grown_out);
// The same in place, for tables that no other thread sees.
bool pz__feed_table_grow(struct pz__feed_table *table, size_t more);

// Takes the next position for an item whose hash ends in `tag`; there must be room. The caller
// fills the item.
uint32_t pz__feed_table_add(struct pz__feed_table *table, uint32_t tag);

#endif
