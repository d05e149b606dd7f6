// SPDX-License-Identifier: Apache-2.0
// The rules of the feed: what each kind of row changes. Group, recovery and, through the overlays
// they fill, the folder get the feed's state from here and nowhere else.
//
//     MESSAGE   the id has this row; once in its life
//     LIKE      the pair's sum and the message's likes change by delta
//     VIEW      the message's views grow by one
//     DELETION  the id is deleted for ever; counters and likes stay as they are
//
// Likes and views count for an id whether or not its message exists.
#include "storage/feed/overlay.h"

#include <inttypes.h>

static enum pz_status
fail_memory(struct pz_error *err)
{
    return pz_fail(err, PZ_NO_MEMORY, "no memory for more of the feed's changes");
}

static enum pz_status
ensure_room(struct pz__feed_table *table, struct pz_error *err)
{
    if (pz__feed_table_has_room(table, 1) || pz__feed_table_grow(table, 1)) {
        return PZ_OK;
    }
    return fail_memory(err);
}

static enum pz_status
find_or_add_message(struct pz__feed_overlay *overlay, int64_t message_id, uint32_t *position_out,
                    struct pz_error *err)
{
    *position_out = pz__feed_find_message(overlay, (uint64_t)message_id);
    if (*position_out == PZ__FEED_NONE) {
        PZ_TRY(ensure_room(&overlay->messages, err));
        *position_out = pz__feed_add_message(overlay, (uint64_t)message_id);
    }
    return PZ_OK;
}

static enum pz_status
apply_message(struct pz__feed_overlay *overlay, uint32_t position, const struct pz_feed_row *row,
              struct pz_error *err)
{
    struct pz__feed_message *message = pz__feed_message_at(overlay, position);
    if (message->body != NULL || message->is_deleted) {
        return pz_fail(err, PZ_CORRUPT, "message %" PRId64 " is posted for a second time",
                       row->message_id);
    }
    message->body = pz__feed_body_create(overlay, row);
    return message->body == NULL ? fail_memory(err) : PZ_OK;
}

static enum pz_status
apply_like(struct pz__feed_overlay *overlay, uint32_t position, const struct pz_feed_row *row,
           struct pz__feed_undo *undo, struct pz_error *err)
{
    uint32_t found = pz__feed_find_like(overlay, position, row->user);
    if (found == PZ__FEED_NONE) {
        PZ_TRY(ensure_room(&overlay->likes, err));
        found = pz__feed_add_like(overlay, position, row->user);
    }
    struct pz__feed_like *like = pz__feed_like_at(overlay, found);
    bool is_step = row->delta == 1 || row->delta == -1;
    if (!is_step || like->net == row->delta) {
        return pz_fail(err, PZ_CORRUPT,
                       "the likes of message %" PRId64 " by user code %" PRIu32
                       " do not alternate: a change of %" PRId64 " follows a sum of %" PRId32,
                       row->message_id, row->user, row->delta, like->net);
    }
    like->net += (int32_t)row->delta;
    pz__feed_message_at(overlay, position)->likes += row->delta;
    undo->like = found;
    undo->delta = (int32_t)row->delta;
    return PZ_OK;
}

enum pz_status
pz__feed_apply(struct pz__feed_overlay *overlay, const struct pz_feed_row *row,
               struct pz__feed_undo *undo_out, struct pz_error *err)
{
    uint32_t position;
    PZ_TRY(find_or_add_message(overlay, row->message_id, &position, err));
    struct pz__feed_message *message = pz__feed_message_at(overlay, position);
    struct pz__feed_undo undo = {.message = position,
                                 .like = PZ__FEED_NONE,
                                 .kind = row->kind,
                                 .was_deleted = message->is_deleted};
    switch (row->kind) {
    case PZ_FEED_MESSAGE:
        PZ_TRY(apply_message(overlay, position, row, err));
        break;
    case PZ_FEED_LIKE:
        PZ_TRY(apply_like(overlay, position, row, &undo, err));
        break;
    case PZ_FEED_VIEW:
        message->views++;
        break;
    case PZ_FEED_DELETION:
        message->is_deleted = true;
        break;
    }
    if (undo_out != NULL) {
        *undo_out = undo;
    }
    return PZ_OK;
}

void
pz__feed_apply_undo(struct pz__feed_overlay *overlay, const struct pz__feed_undo *undo)
{
    struct pz__feed_message *message = pz__feed_message_at(overlay, undo->message);
    switch (undo->kind) {
    case PZ_FEED_MESSAGE:
        message->body = NULL;
        break;
    case PZ_FEED_LIKE:
        message->likes -= undo->delta;
        pz__feed_like_at(overlay, undo->like)->net -= undo->delta;
        break;
    case PZ_FEED_VIEW:
        message->views--;
        break;
    case PZ_FEED_DELETION:
        message->is_deleted = undo->was_deleted;
        break;
    }
}
