// SPDX-License-Identifier: Apache-2.0
// The folder: puts what is frozen, and the layers of loads, into the base, slice by slice.
//
// A slice is one LMDB transaction together with the place it reached and the next fold number. LMDB
// pays for every page a commit dirties, so a slice goes in key order and is bounded in messages,
// likes and bytes; a message with more likes than that is spread over several slices, its counter
// growing with the likes that are in.
//
// Before the transaction commits, the parts that fit the new base are put beside the current ones
// (parts_next), so that a reader finds its parts whichever side of the commit it looks from. They
// stay there when the slice fails: the outcome of a failed commit is unknown, and reads go on.
#include "storage/feed/feed_internal.h"

#include <stdlib.h>
#include <string.h>

#define LIKES_PER_MESSAGE 2u   // a slice of n messages takes this many likes a message at most,
#define BYTES_PER_MESSAGE 256u // and this many bytes
#define MESSAGE_BYTES 64u      // of a message's keys and counters, about
#define LIKE_BYTES 21u

// A slice in the making.
struct step {
    struct pz_feed *feed;
    struct pz_kv_txn *txn;
    struct pz__feed_slice *slice;
    struct pz__feed_parts *parts; // those that will fit
    uint64_t messages_left;       // of the slice's bounds
    uint64_t likes_left;
    size_t bytes;
    size_t bytes_max;
};

static bool
is_full(const struct step *step)
{
    return step->messages_left == 0 || step->likes_left == 0 || step->bytes >= step->bytes_max;
}

void
pz__feed_fold_fini(struct pz__feed_fold *fold)
{
    pz__feed_entries_fini(&fold->messages);
    pz__feed_entries_fini(&fold->pairs);
    *fold = (struct pz__feed_fold){.pairs_owner = PZ__FEED_NONE};
}

bool
pz_feed_is_folding(const struct pz_feed *feed)
{
    return feed->parts->frozen != NULL || feed->parts->layer_count > 0;
}

void
pz_feed_fold_start(struct pz_feed *feed, const uint64_t ends[PZ_FEED_KIND_COUNT])
{
    PZ_ASSERT(feed->group.txn == NULL && !feed->slice.is_open);
    if (feed->parts->frozen != NULL) {
        return;
    }
    bool is_behind = false;
    for (int kind = 0; kind < PZ_FEED_KIND_COUNT; kind++) {
        PZ_ASSERT(ends[kind] >= feed->record.watermark[kind]);
        is_behind |= ends[kind] > feed->record.watermark[kind];
    }
    if (feed->active->messages.count == 0 && !is_behind) {
        return;
    }
    feed->record.is_folding = true;
    feed->record.place = (struct pz__feed_place){0};
    memcpy(feed->record.ends, ends, sizeof feed->record.ends);

    struct pz__feed_overlay *fresh = pz__feed_overlay_create();
    struct pz__feed_parts *parts = pz__feed_parts_copy(feed->parts);
    parts->frozen = feed->active;
    pz_mutex_lock(&feed->mutex);
    struct pz__feed_parts *old = feed->parts;
    struct pz__feed_parts *old_next = feed->parts_next;
    feed->parts = parts;
    feed->parts_next = NULL;
    feed->active = fresh;
    pz_mutex_unlock(&feed->mutex);
    pz__feed_parts_release(old);
    pz__feed_parts_release(old_next);
    pz__feed_recount(feed);
}

// ---- frozen ----------------------------------------------------------------------------------

static enum pz_status
fold_head(struct step *step, const struct pz__feed_message *message, struct pz_error *err)
{
    if (message->is_deleted) {
        return pz__feed_base_delete_message(step->txn, message->message_id, err);
    }
    if (message->body != NULL) {
        step->bytes += message->body->len;
        return pz__feed_base_put_message(step->txn, message->message_id, message->body, err);
    }
    return PZ_OK;
}

// Folds as many of the pairs from `first` on as the slice may take.
static enum pz_status
fold_pairs(struct step *step, uint64_t message_id, size_t first, size_t *end_out,
           int64_t *likes_out, struct pz_error *err)
{
    const struct pz__feed_entries *pairs = &step->feed->fold.pairs;
    *likes_out = 0;
    size_t i = first;
    for (; i < pairs->count && step->likes_left > 0; i++, step->likes_left--) {
        const struct pz__feed_like *like =
            pz__feed_like_at(step->parts->frozen, pairs->at[i].position);
        PZ_TRY(pz__feed_base_set_like(step->txn, message_id, like->user, like->net > 0, err));
        *likes_out += like->net;
    }
    step->bytes += (i - first) * LIKE_BYTES;
    step->slice->pairs_left -= i - first;
    *end_out = i;
    return PZ_OK;
}

static enum pz_status
fold_message(struct step *step, struct pz__feed_entry entry, struct pz_error *err)
{
    struct pz__feed_fold *fold = &step->feed->fold;
    struct pz__feed_place *place = &step->parts->place;
    const struct pz__feed_message *message =
        pz__feed_message_at(step->parts->frozen, entry.position);
    if (fold->pairs_owner != entry.position) {
        fold->pairs_owner = PZ__FEED_NONE;
        PZ_TRY(pz__feed_sort_pairs(step->parts->frozen, entry.position, &fold->pairs, err));
        fold->pairs_owner = entry.position;
    }
    size_t first = 0;
    struct pz__feed_counters more = {0};
    if (pz__feed_place_has_head(*place, entry.key)) {
        first = pz__feed_entries_find(&fold->pairs, place->user);
    } else {
        PZ_TRY(fold_head(step, message, err));
        more.views = message->views;
        step->parts->likes_in_base = 0;
    }
    size_t end;
    PZ_TRY(fold_pairs(step, entry.key, first, &end, &more.likes, err));
    PZ_TRY(pz__feed_base_add_counters(step->txn, entry.key, more, err));
    if (end < fold->pairs.count) {
        *place = (struct pz__feed_place){entry.key, fold->pairs.at[end].key};
        step->parts->likes_in_base += more.likes;
        return PZ_OK;
    }
    *place = (struct pz__feed_place){entry.key + 1, 0}; // the largest key of all is the last
    step->parts->likes_in_base = 0;
    step->slice->message_next++;
    return PZ_OK;
}

static void
count_pairs(struct pz__feed_fold *fold, const struct pz__feed_overlay *frozen)
{
    fold->pairs_left = 0;
    for (uint32_t i = 0; i < frozen->likes.count; i++) {
        fold->pairs_left += pz__feed_like_at(frozen, i)->net != 0;
    }
}

static enum pz_status
fold_frozen(struct step *step, struct pz_error *err)
{
    struct pz__feed_fold *fold = &step->feed->fold;
    struct pz__feed_slice *slice = step->slice;
    if (!fold->is_sorted) {
        PZ_TRY(pz__feed_sort_messages(step->parts->frozen, &fold->messages, err));
        count_pairs(fold, step->parts->frozen);
        fold->is_sorted = true;
        slice->pairs_left = fold->pairs_left;
    }
    while (slice->message_next < fold->messages.count && !is_full(step)) {
        PZ_TRY(fold_message(step, fold->messages.at[slice->message_next], err));
        step->messages_left--;
        step->bytes += MESSAGE_BYTES;
    }
    slice->is_last = slice->message_next == fold->messages.count;
    slice->record.place = step->parts->place;
    if (slice->is_last) {
        slice->record.is_folding = false;
        slice->record.place = (struct pz__feed_place){0};
        memcpy(slice->record.watermark, slice->record.ends, sizeof slice->record.watermark);
        pz__feed_parts_drop_frozen(step->parts);
    }
    return PZ_OK;
}

// ---- layers ----------------------------------------------------------------------------------

static enum pz_status
fold_layer(struct step *step, struct pz_error *err)
{
    struct pz__feed_layer_part *part = &step->parts->layers[0];
    const struct pz_feed_layer *layer = part->layer;
    size_t i = pz__feed_layer_find(layer, part->folded_below);
    for (; i < layer->count && !is_full(step); i++) {
        struct pz__feed_counters more = {.views = layer->counts[i]};
        PZ_TRY(pz__feed_base_add_counters(step->txn, layer->message_ids[i], more, err));
        step->messages_left--;
        step->bytes += MESSAGE_BYTES;
    }
    step->slice->is_last = i == layer->count;
    if (step->slice->is_last) {
        PZ_TRY(pz__feed_mark_delete(step->txn, layer->segment_id, err));
        pz__feed_parts_drop_layer(step->parts, 0);
        return PZ_OK;
    }
    part->folded_below = layer->message_ids[i];
    struct pz__feed_layer_mark mark = {layer->segment_id, part->folded_below};
    return pz__feed_mark_write(step->txn, mark, err);
}

// ---- slices ----------------------------------------------------------------------------------

static enum pz_status
fill_slice(struct step *step, struct pz_error *err)
{
    struct pz__feed_slice *slice = step->slice;
    step->parts->fold_number++;
    slice->record.fold_number = step->parts->fold_number;
    slice->record.largest_message_id = step->feed->largest_message_id;
    PZ_TRY(slice->is_layer ? fold_layer(step, err) : fold_frozen(step, err));
    return pz__feed_record_write(step->txn, &slice->record, err);
}

enum pz_status
pz_feed_fold_slice(struct pz_feed *feed, struct pz_kv_txn *txn, uint32_t message_count_max,
                   struct pz_error *err)
{
    PZ_ASSERT(!feed->slice.is_open && message_count_max > 0);
    if (!pz_feed_is_folding(feed)) {
        return PZ_OK;
    }
    bool has_layer = feed->parts->layer_count > 0;
    feed->slice = (struct pz__feed_slice){
        .is_layer = has_layer && (feed->is_layer_next || feed->parts->frozen == NULL),
        .message_next = feed->fold.message_next,
        .pairs_left = feed->fold.pairs_left,
        .record = feed->record};
    struct step step = {.feed = feed,
                        .txn = txn,
                        .slice = &feed->slice,
                        .parts = pz__feed_parts_copy(feed->parts),
                        .messages_left = message_count_max,
                        .likes_left = (uint64_t)LIKES_PER_MESSAGE * message_count_max,
                        .bytes_max = (size_t)BYTES_PER_MESSAGE * message_count_max};
    enum pz_status status = fill_slice(&step, err);
    if (status != PZ_OK) {
        pz__feed_parts_release(step.parts);
        return status;
    }
    feed->slice.is_open = true;
    pz_mutex_lock(&feed->mutex);
    struct pz__feed_parts *old_next = feed->parts_next;
    feed->parts_next = step.parts;
    pz_mutex_unlock(&feed->mutex);
    pz__feed_parts_release(old_next);
    return PZ_OK;
}

void
pz_feed_fold_slice_committed(struct pz_feed *feed)
{
    struct pz__feed_slice *slice = &feed->slice;
    if (!slice->is_open) {
        return;
    }
    slice->is_open = false;
    feed->is_layer_next = !slice->is_layer;
    feed->record = slice->record;
    if (slice->is_layer) {
        // The fold of frozen stands where it stood.
    } else if (slice->is_last) {
        pz__feed_fold_fini(&feed->fold);
    } else {
        feed->fold.message_next = slice->message_next;
        feed->fold.pairs_left = slice->pairs_left;
    }
    struct pz__feed_parts *parts = feed->parts_next;
    pz__feed_parts_acquire(parts); // publish drops the one that stood beside
    pz__feed_publish(feed, parts);
    pz__feed_recount(feed);
}

void
pz_feed_fold_slice_aborted(struct pz_feed *feed)
{
    feed->slice.is_open = false;
}
