// SPDX-License-Identifier: Apache-2.0
// Layers: the view counts of a segment that came in by a load, until they are folded.
//
// A load of millions of views would be millions of rows for an overlay; it hands over one sorted
// array of counts instead, and leaves a mark in the base so that a restart builds the array anew
// from the segment.
#include "storage/feed/feed_internal.h"

#include <stdlib.h>
#include <string.h>

// Ids compare as unsigned numbers here: negative ones, which come first in the array, go last.
static void
move_negatives_last(int64_t *ids, uint32_t *counts, size_t count)
{
    size_t negative = 0;
    while (negative < count && ids[negative] < 0) {
        negative++;
    }
    if (negative == 0 || negative == count) {
        return;
    }
    int64_t *id_copy = pz_xmalloc(negative * sizeof *ids);
    uint32_t *count_copy = pz_xmalloc(negative * sizeof *counts);
    memcpy(id_copy, ids, negative * sizeof *ids);
    memcpy(count_copy, counts, negative * sizeof *counts);
    memmove(ids, ids + negative, (count - negative) * sizeof *ids);
    memmove(counts, counts + negative, (count - negative) * sizeof *counts);
    memcpy(ids + (count - negative), id_copy, negative * sizeof *ids);
    memcpy(counts + (count - negative), count_copy, negative * sizeof *counts);
    free(id_copy);
    free(count_copy);
}

struct pz_feed_layer *
pz_feed_layer_create(uint64_t segment_id, int64_t *message_ids, uint32_t *counts, size_t count)
{
    move_negatives_last(message_ids, counts, count);
    struct pz_feed_layer *layer = pz_xcalloc(1, sizeof *layer);
    atomic_init(&layer->refs, 1);
    layer->segment_id = segment_id;
    layer->message_ids = (uint64_t *)message_ids;
    layer->counts = counts;
    layer->count = count;
    return layer;
}

void
pz__feed_layer_acquire(struct pz_feed_layer *layer)
{
    (void)atomic_fetch_add_explicit(&layer->refs, 1, memory_order_relaxed);
}

void
pz__feed_layer_release(struct pz_feed_layer *layer)
{
    if (atomic_fetch_sub_explicit(&layer->refs, 1, memory_order_acq_rel) == 1) {
        free(layer->message_ids);
        free(layer->counts);
        free(layer);
    }
}

void
pz_feed_layer_destroy(struct pz_feed_layer *layer)
{
    if (layer != NULL) {
        pz__feed_layer_release(layer);
    }
}

size_t
pz__feed_layer_find(const struct pz_feed_layer *layer, uint64_t message_id)
{
    size_t low = 0;
    size_t high = layer->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (layer->message_ids[middle] < message_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

enum pz_status
pz_feed_layer_record(struct pz_feed_layer *layer, struct pz_kv_txn *txn, struct pz_error *err)
{
    struct pz__feed_layer_mark mark = {.segment_id = layer->segment_id};
    return pz__feed_mark_write(txn, mark, err);
}

struct pz__feed_parts *
pz__feed_parts_with(const struct pz_feed *feed, const struct pz__feed_parts *parts,
                    struct pz_feed_layer *layer)
{
    PZ_ASSERT(!feed->slice.is_open);
    uint64_t folded_below = 0;
    for (size_t i = 0; i < feed->mark_count; i++) {
        if (feed->marks[i].segment_id == layer->segment_id) {
            folded_below = feed->marks[i].folded_below;
        }
    }
    struct pz__feed_parts *longer = pz__feed_parts_copy(parts);
    longer->layers[longer->layer_count++] = (struct pz__feed_layer_part){layer, folded_below};
    return longer;
}

void
pz_feed_recover_layer(struct pz_feed *feed, struct pz_feed_layer *layer)
{
    pz__feed_publish(feed, pz__feed_parts_with(feed, feed->parts, layer));
    pz__feed_recount(feed);
}

enum pz_status
pz_feed_layers_waiting(struct pz_feed *feed, uint64_t **ids_out, size_t *count_out,
                       struct pz_error *err)
{
    *count_out = 0;
    *ids_out = calloc(feed->mark_count + 1, sizeof **ids_out);
    if (*ids_out == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for the list of %zu waiting segments",
                       feed->mark_count);
    }
    for (size_t i = 0; i < feed->mark_count; i++) {
        (*ids_out)[i] = feed->marks[i].segment_id;
    }
    *count_out = feed->mark_count;
    return PZ_OK;
}
