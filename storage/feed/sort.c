// SPDX-License-Identifier: Apache-2.0
// Orders an overlay's items for the fold: by message id, and within a message by user.
//
// A fold may hold a million items and the writer thread waits for the order, so long lists are
// sorted by digits; the bytes that all keys share, which are most of them, cost nothing.
#include "storage/feed/feed_internal.h"

#include <stdlib.h>
#include <string.h>

#define SHORT_COUNT 128u

void
pz__feed_entries_fini(struct pz__feed_entries *entries)
{
    free(entries->at);
    *entries = (struct pz__feed_entries){0};
}

static enum pz_status
ensure_capacity(struct pz__feed_entries *entries, size_t count, struct pz_error *err)
{
    if (count > entries->capacity || entries->at == NULL) {
        size_t capacity = count < 64 ? 64 : count;
        struct pz__feed_entry *at = malloc(capacity * sizeof *at);
        if (at == NULL) {
            return pz_fail(err, PZ_NO_MEMORY, "no memory to order %zu changes of the feed", count);
        }
        free(entries->at);
        entries->at = at;
        entries->capacity = capacity;
    }
    entries->count = 0;
    return PZ_OK;
}

static int
compare(const void *a, const void *b)
{
    const struct pz__feed_entry *x = a;
    const struct pz__feed_entry *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static void
sort_by_digit(const struct pz__feed_entry *from, struct pz__feed_entry *to, size_t count,
              unsigned shift)
{
    size_t starts[256] = {0};
    for (size_t i = 0; i < count; i++) {
        starts[from[i].key >> shift & 0xff]++;
    }
    size_t start = 0;
    for (int digit = 0; digit < 256; digit++) {
        size_t n = starts[digit];
        starts[digit] = start;
        start += n;
    }
    for (size_t i = 0; i < count; i++) {
        to[starts[from[i].key >> shift & 0xff]++] = from[i];
    }
}

static enum pz_status
sort(struct pz__feed_entries *entries, struct pz_error *err)
{
    size_t count = entries->count;
    if (count < SHORT_COUNT) {
        if (count > 1) {
            qsort(entries->at, count, sizeof *entries->at, compare);
        }
        return PZ_OK;
    }
    uint64_t differing = 0;
    bool is_rising = true; // as the ids of posts do
    for (size_t i = 1; i < count; i++) {
        differing |= entries->at[i].key ^ entries->at[0].key;
        is_rising &= entries->at[i - 1].key < entries->at[i].key;
    }
    if (is_rising) {
        return PZ_OK;
    }
    struct pz__feed_entry *other = malloc(count * sizeof *other);
    if (other == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory to order %zu changes of the feed", count);
    }
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if ((differing >> shift & 0xff) != 0) {
            sort_by_digit(entries->at, other, count, shift);
            struct pz__feed_entry *sorted = other;
            other = entries->at;
            entries->at = sorted;
            entries->capacity = count;
        }
    }
    free(other);
    return PZ_OK;
}

enum pz_status
pz__feed_sort_messages(const struct pz__feed_overlay *overlay, struct pz__feed_entries *out,
                       struct pz_error *err)
{
    PZ_TRY(ensure_capacity(out, overlay->messages.count, err));
    for (uint32_t i = 0; i < overlay->messages.count; i++) {
        out->at[i] = (struct pz__feed_entry){pz__feed_message_at(overlay, i)->message_id, i};
    }
    out->count = overlay->messages.count;
    return sort(out, err);
}

enum pz_status
pz__feed_sort_pairs(const struct pz__feed_overlay *overlay, uint32_t message,
                    struct pz__feed_entries *out, struct pz_error *err)
{
    size_t count = 0;
    uint32_t newest = pz__feed_message_at(overlay, message)->like_newest;
    for (uint32_t i = newest; i != PZ__FEED_NONE; i = pz__feed_like_at(overlay, i)->like_next) {
        count += pz__feed_like_at(overlay, i)->net != 0;
    }
    PZ_TRY(ensure_capacity(out, count, err));
    for (uint32_t i = newest; i != PZ__FEED_NONE; i = pz__feed_like_at(overlay, i)->like_next) {
        const struct pz__feed_like *like = pz__feed_like_at(overlay, i);
        if (like->net != 0) {
            out->at[out->count++] = (struct pz__feed_entry){like->user, i};
        }
    }
    return sort(out, err);
}

size_t
pz__feed_entries_find(const struct pz__feed_entries *entries, uint64_t key)
{
    size_t low = 0;
    size_t high = entries->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entries->at[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
