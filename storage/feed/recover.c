// SPDX-License-Identifier: Apache-2.0
// Recovery: the rows that the base lacks go back to where they were.
//
// Rows below the ends of an interrupted fold belong to `frozen`, but for the likes and views before
// the fold's place, which the base has; all others belong to `active`. So the fold goes on where it
// stopped, and a second crash finds books no different from those of the first.
#include "storage/feed/feed_internal.h"

#include <stdlib.h>

// Whether the fold is done with the row. Messages are needed until its end, for their keys, and
// deletions to know which of them have none.
static bool
is_in_base(const struct pz__feed_record *record, const struct pz_feed_row *row)
{
    uint64_t id = (uint64_t)row->message_id;
    switch (row->kind) {
    case PZ_FEED_MESSAGE:
    case PZ_FEED_DELETION:
        return false;
    case PZ_FEED_LIKE:
        return pz__feed_place_has_like(&record->place, id, row->user);
    case PZ_FEED_VIEW:
        return pz__feed_place_has_head(&record->place, id);
    }
    PZ_UNREACHABLE("every kind is listed");
}

enum pz_status
pz_feed_recover_row(struct pz_feed *feed, const struct pz_feed_row *row, struct pz_error *err)
{
    const struct pz__feed_record *record = &feed->record;
    if (row->row_number < record->watermark[row->kind]) {
        return PZ_OK;
    }
    pz__feed_note_id(feed, row);
    if (!record->is_folding || row->row_number >= record->ends[row->kind]) {
        return pz__feed_apply(feed->active, row, NULL, err);
    }
    if (is_in_base(record, row)) {
        return PZ_OK;
    }
    return pz__feed_apply(feed->parts->frozen, row, NULL, err);
}

static enum pz_status
build_index(struct pz__feed_overlay *overlay, struct pz_error *err)
{
    struct pz__feed_key *keys = calloc((size_t)overlay->messages.count + 1, sizeof *keys);
    if (keys == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory to order %u messages",
                       overlay->messages.count);
    }
    size_t count = 0;
    for (uint32_t i = 0; i < overlay->messages.count; i++) {
        const struct pz__feed_message *message = pz__feed_message_at(overlay, i);
        if (message->body != NULL && !message->is_deleted) {
            keys[count++] = (struct pz__feed_key){message->body->created_at, message->message_id,
                                                  message->body->user, i};
        }
    }
    pz__feed_index_fini(&overlay->order);
    pz__feed_index_fini(&overlay->by_user);
    pz__feed_index_prepare(&overlay->order, keys, count, &overlay->order);
    pz__feed_index_prepare(&overlay->by_user, keys, count, &overlay->by_user);
    free(keys);
    return PZ_OK;
}

enum pz_status
pz_feed_recover_end(struct pz_feed *feed, struct pz_error *err)
{
    PZ_TRY(build_index(feed->active, err));
    if (feed->parts->frozen != NULL) {
        PZ_TRY(build_index(feed->parts->frozen, err));
    }
    pz__feed_recount(feed);
    return PZ_OK;
}
