// SPDX-License-Identifier: Apache-2.0
// The feed object: opening, closing, and the exchange of what readers see.
#include "storage/feed/feed_internal.h"

#include <stdlib.h>

static enum pz_status
read_books(struct pz_feed *feed, struct pz_error *err)
{
    struct pz_kv_txn *txn = NULL;
    PZ_TRY(pz_kv_begin_read(feed->env, &txn, err));
    enum pz_status status = pz__feed_record_read(txn, &feed->record, err);
    if (status == PZ_OK) {
        status = pz__feed_marks_read(txn, &feed->marks, &feed->mark_count, err);
    }
    pz_kv_abort(txn);
    return status;
}

enum pz_status
pz_feed_open(struct pz_kv_env *env, struct pz_feed **feed_out, struct pz_error *err)
{
    *feed_out = NULL;
    struct pz_feed *feed = pz_xcalloc(1, sizeof *feed);
    feed->env = env;
    pz_mutex_init(&feed->mutex, PZ_RANK_FEED, "feed");
    feed->fold.pairs_owner = PZ__FEED_NONE;
    enum pz_status status = read_books(feed, err);
    if (status != PZ_OK) {
        pz_feed_close(feed);
        return status;
    }
    feed->largest_message_id = feed->record.largest_message_id;
    feed->active = pz__feed_overlay_create();
    feed->group.pending = pz__feed_overlay_create();
    feed->parts = pz__feed_parts_create(feed->record.fold_number);
    if (feed->record.is_folding) {
        // The interrupted fold goes on where it stopped; recovery gives it its rows back.
        feed->parts->frozen = pz__feed_overlay_create();
        feed->parts->place = feed->record.place;
    }
    *feed_out = feed;
    return PZ_OK;
}

void
pz_feed_close(struct pz_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    pz__feed_overlay_release(feed->active);
    pz__feed_overlay_release(feed->group.pending);
    pz__feed_parts_release(feed->parts);
    pz__feed_parts_release(feed->parts_next);
    pz__feed_fold_fini(&feed->fold);
    free(feed->group.undos);
    free(feed->marks);
    pz_mutex_fini(&feed->mutex);
    free(feed);
}

void
pz__feed_publish(struct pz_feed *feed, struct pz__feed_parts *parts)
{
    pz_mutex_lock(&feed->mutex);
    struct pz__feed_parts *old = feed->parts;
    struct pz__feed_parts *old_next = feed->parts_next;
    feed->parts = parts;
    feed->parts_next = NULL;
    pz_mutex_unlock(&feed->mutex);
    pz__feed_parts_release(old);
    pz__feed_parts_release(old_next);
}

void
pz__feed_recount(struct pz_feed *feed)
{
    const struct pz__feed_parts *parts = feed->parts;
    uint64_t count = (uint64_t)feed->active->messages.count + feed->active->likes.count;
    if (parts->frozen != NULL) {
        count += feed->fold.is_sorted
                     ? feed->fold.left
                     : (uint64_t)parts->frozen->messages.count + parts->frozen->likes.count;
    }
    for (uint32_t i = 0; i < parts->layer_count; i++) {
        const struct pz__feed_layer_part *part = &parts->layers[i];
        count += part->layer->count - pz__feed_layer_find(part->layer, part->folded_below);
    }
    atomic_store_explicit(&feed->unfolded, count, memory_order_relaxed);
}

uint64_t
pz_feed_unfolded(const struct pz_feed *feed)
{
    return atomic_load_explicit(&feed->unfolded, memory_order_relaxed);
}

uint64_t
pz_feed_folded(const struct pz_feed *feed, enum pz_feed_kind kind)
{
    return feed->record.watermark[kind];
}

// A deletion's id counts as well: its message's row may have been erased from the log.
void
pz__feed_note_id(struct pz_feed *feed, const struct pz_feed_row *row)
{
    bool is_used = row->kind == PZ_FEED_MESSAGE || row->kind == PZ_FEED_DELETION;
    if (is_used && row->message_id > feed->largest_message_id) {
        feed->largest_message_id = row->message_id;
    }
}

int64_t
pz_feed_next_message_id(const struct pz_feed *feed)
{
    return feed->largest_message_id == INT64_MAX ? 0 : feed->largest_message_id + 1;
}
