// SPDX-License-Identifier: Apache-2.0
// The folder: puts what is frozen, and the layers of loads, into the base, slice by slice.
//
// A slice is one LMDB transaction together with the place it reached and the next fold number. LMDB
// pays for every page a commit dirties, so each of the three databases is filled in the order of
// its keys (enum pz__feed_phase), and a slice is bounded in messages, likes and bytes; a message
// with more likes than that is spread over several slices, its counter growing with the likes that
// are in.
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

// What a message costs of the slice's bound, a key of the feed's orders that falls on a page of its
// own, and one that follows its neighbour.
#define MESSAGE_COST 8u
#define KEY_COST 4u
#define NEAR_KEY_COST 1u
#define NEAR_IDS 16u

// A slice in the making.
struct step {
    struct pz_feed *feed;
    struct pz_kv_txn *txn;
    struct pz__feed_slice *slice;
    struct pz__feed_parts *parts; // those that will fit
    uint64_t cost_left;           // of the slice's bounds
    uint64_t likes_left;
    size_t bytes;
    size_t bytes_max;
};

static bool
is_full(const struct step *step)
{
    return step->cost_left == 0 || step->likes_left == 0 || step->bytes >= step->bytes_max;
}

static void
spend(struct step *step, uint64_t cost, size_t bytes)
{
    step->cost_left -= cost < step->cost_left ? cost : step->cost_left;
    step->bytes += bytes;
}

void
pz__feed_fold_fini(struct pz__feed_fold *fold)
{
    pz__feed_entries_fini(&fold->messages);
    pz__feed_entries_fini(&fold->pairs);
    free(fold->keys.keys);
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
    step->slice->left -= i - first;
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
    if (pz__feed_place_has_head(place, entry.key)) {
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
        place->message_id = entry.key;
        place->user = fold->pairs.at[end].key;
        step->parts->likes_in_base += more.likes;
        return PZ_OK;
    }
    place->message_id = entry.key + 1;
    place->user = 0;
    step->parts->likes_in_base = 0;
    step->slice->left--;
    return PZ_OK;
}

// First use of `frozen`: puts its messages in order and counts what is to be done.
static enum pz_status
prepare(struct step *step, struct pz_error *err)
{
    struct pz__feed_fold *fold = &step->feed->fold;
    const struct pz__feed_overlay *frozen = step->parts->frozen;
    PZ_TRY(pz__feed_sort_messages(frozen, &fold->messages, err));
    fold->left = fold->messages.count;
    for (uint32_t i = 0; i < frozen->likes.count; i++) {
        fold->left += pz__feed_like_at(frozen, i)->net != 0;
    }
    // After a restart, messages before the fold's place are there for their keys alone.
    fold->left -= pz__feed_entries_find(&fold->messages, step->parts->place.message_id);
    fold->is_sorted = true;
    step->slice->left = fold->left;
    return PZ_OK;
}

static enum pz_status
fold_messages(struct step *step, struct pz_error *err)
{
    const struct pz__feed_entries *messages = &step->feed->fold.messages;
    struct pz__feed_place *place = &step->parts->place;
    size_t next = pz__feed_entries_find(messages, place->message_id);
    while (next < messages->count && !is_full(step)) {
        PZ_TRY(fold_message(step, messages->at[next], err));
        spend(step, MESSAGE_COST, MESSAGE_BYTES);
        next += place->user == 0;
    }
    if (next == messages->count) {
        *place = (struct pz__feed_place){.phase = PZ__FEED_PHASE_ORDER,
                                         .key = {.created_at = INT64_MIN}};
    }
    return PZ_OK;
}

// The keys of a phase, without those of messages that were deleted before they were folded.
static void
ensure_keys(struct pz__feed_fold *fold, const struct pz__feed_overlay *frozen,
            enum pz__feed_phase phase)
{
    if (fold->keys_phase == phase) {
        return;
    }
    free(fold->keys.keys);
    fold->keys =
        pz__feed_index_flatten(phase == PZ__FEED_PHASE_ORDER ? &frozen->order : &frozen->by_user);
    fold->keys_phase = phase;
    size_t kept = 0;
    for (size_t i = 0; i < fold->keys.count; i++) {
        if (!pz__feed_message_at(frozen, fold->keys.keys[i].message)->is_deleted) {
            fold->keys.keys[kept++] = fold->keys.keys[i];
        }
    }
    fold->keys.count = kept;
}

// Whether two neighbours in an order probably lie on the same page.
static bool
is_near(bool is_by_user, const struct pz__feed_key *a, const struct pz__feed_key *b)
{
    if (is_by_user) {
        return a->user == b->user;
    }
    uint64_t distance = a->message_id < b->message_id ? b->message_id - a->message_id
                                                      : a->message_id - b->message_id;
    return distance <= NEAR_IDS; // posted one after the other
}

// One of the phases ORDER and BY_USER. *is_done_out tells whether it is complete.
static enum pz_status
fold_keys(struct step *step, bool *is_done_out, struct pz_error *err)
{
    struct pz__feed_place *place = &step->parts->place;
    bool is_by_user = place->phase == PZ__FEED_PHASE_BY_USER;
    ensure_keys(&step->feed->fold, step->parts->frozen, place->phase);
    const struct pz__feed_run *run = &step->feed->fold.keys;
    size_t i = pz__feed_run_find(is_by_user, run, &place->key);
    for (; i < run->count && !is_full(step); i++) {
        const struct pz__feed_key *key = &run->keys[i];
        PZ_TRY(pz__feed_base_put_key(step->txn, is_by_user, key, err));
        bool is_neighbour = i > 0 && is_near(is_by_user, &run->keys[i - 1], key);
        spend(step, is_neighbour ? NEAR_KEY_COST : KEY_COST, 0);
    }
    *is_done_out = i == run->count;
    step->slice->left = run->count - i;
    if (i < run->count) {
        place->key = run->keys[i];
    }
    return PZ_OK;
}

// What is left of the slice's bound after one phase goes to the next.
static enum pz_status
fold_frozen(struct step *step, struct pz_error *err)
{
    struct pz__feed_slice *slice = step->slice;
    struct pz__feed_place *place = &step->parts->place;
    if (!step->feed->fold.is_sorted) {
        PZ_TRY(prepare(step, err));
    }
    if (place->phase == PZ__FEED_PHASE_MESSAGES) {
        PZ_TRY(fold_messages(step, err));
    }
    bool is_done = false;
    if (place->phase == PZ__FEED_PHASE_ORDER) {
        PZ_TRY(fold_keys(step, &is_done, err));
    }
    if (is_done) {
        *place = (struct pz__feed_place){.phase = PZ__FEED_PHASE_BY_USER,
                                         .key = {.created_at = INT64_MIN}};
    }
    if (place->phase == PZ__FEED_PHASE_BY_USER) {
        PZ_TRY(fold_keys(step, &slice->is_last, err));
    }
    slice->record.place = *place;
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
        spend(step, MESSAGE_COST, MESSAGE_BYTES);
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
        .left = feed->fold.left,
        .record = feed->record};
    struct step step = {.feed = feed,
                        .txn = txn,
                        .slice = &feed->slice,
                        .parts = pz__feed_parts_copy(feed->parts),
                        .cost_left = (uint64_t)message_count_max * MESSAGE_COST,
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
        feed->fold.left = slice->left;
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
