// SPDX-License-Identifier: Apache-2.0
// The writer's side: the rows of the group being committed, and the state they see.
//
// Everything here runs on the writer thread, which alone changes active and parts and so reads
// them without the mutex. The base is read through the group's own transaction.
#include "storage/feed/feed_internal.h"

#include <stdlib.h>

void
pz_feed_group_begin(struct pz_feed *feed, struct pz_kv_txn *txn)
{
    PZ_ASSERT(feed->group.txn == NULL && !feed->slice.is_open);
    PZ_ASSERT(feed->group.undo_count == 0);
    feed->group.txn = txn;
    feed->group.largest_before = feed->largest_message_id;
}

// A slice in the group's transaction would show the same changes in base and overlay.
static void
assert_readable(const struct pz_feed *feed)
{
    PZ_ASSERT(feed->group.txn != NULL && !feed->slice.is_open);
}

enum pz_status
pz_feed_group_liked(struct pz_feed *feed, int64_t message_id, uint32_t user, bool *liked_out,
                    struct pz_error *err)
{
    assert_readable(feed);
    uint64_t id = (uint64_t)message_id;
    int32_t net = pz__feed_look_like(feed->group.pending, id, user);
    if (net == 0) {
        net = pz__feed_look_like(feed->active, id, user);
    }
    if (net == 0 && feed->parts->frozen != NULL) {
        // What the base already has of it, it has with the same outcome.
        net = pz__feed_look_like(feed->parts->frozen, id, user);
    }
    if (net == 0) {
        return pz__feed_base_liked(feed->group.txn, id, user, liked_out, err);
    }
    *liked_out = net > 0;
    return PZ_OK;
}

static struct pz__feed_found
look(const struct pz_feed *feed, uint64_t message_id)
{
    struct pz__feed_found found = {.presence = PZ_FEED_ABSENT};
    pz__feed_look(feed->group.pending, message_id, &found);
    pz__feed_look(feed->active, message_id, &found);
    pz__feed_look_frozen(feed->parts, message_id, &found);
    return found;
}

enum pz_status
pz_feed_group_message(struct pz_feed *feed, int64_t message_id, enum pz_feed_presence *presence_out,
                      struct pz_error *err)
{
    assert_readable(feed);
    *presence_out = look(feed, (uint64_t)message_id).presence;
    if (*presence_out != PZ_FEED_ABSENT) {
        return PZ_OK;
    }
    struct pz__feed_stored stored;
    PZ_TRY(pz__feed_base_message(feed->group.txn, (uint64_t)message_id, &stored, err));
    *presence_out = stored.presence;
    return PZ_OK;
}

enum pz_status
pz_feed_group_likes(struct pz_feed *feed, int64_t message_id, int64_t *likes_out,
                    struct pz_error *err)
{
    assert_readable(feed);
    struct pz__feed_counters stored;
    PZ_TRY(pz__feed_base_counters(feed->group.txn, (uint64_t)message_id, &stored, err));
    *likes_out = stored.likes + look(feed, (uint64_t)message_id).likes;
    return PZ_OK;
}

static enum pz_status
grow_undos(struct pz__feed_group *group, struct pz_error *err)
{
    size_t capacity = group->undo_capacity == 0 ? 256 : group->undo_capacity * 2;
    struct pz__feed_undo *undos = realloc(group->undos, capacity * sizeof *undos);
    if (undos == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for a group of %zu rows", capacity);
    }
    group->undos = undos;
    group->undo_capacity = capacity;
    return PZ_OK;
}

enum pz_status
pz_feed_group_apply(struct pz_feed *feed, const struct pz_feed_row *row, struct pz_error *err)
{
    assert_readable(feed);
    struct pz__feed_group *group = &feed->group;
    if (group->undo_count == group->undo_capacity) {
        PZ_TRY(grow_undos(group, err));
    }
    PZ_TRY(pz__feed_apply(group->pending, row, &group->undos[group->undo_count], err));
    group->undo_count++;
    pz__feed_note_id(feed, row);
    return PZ_OK;
}

struct pz_feed_mark
pz_feed_group_mark(const struct pz_feed *feed)
{
    return (struct pz_feed_mark){
        {feed->group.undo_count, (uint64_t)feed->largest_message_id, 0, 0}};
}

void
pz_feed_group_undo(struct pz_feed *feed, struct pz_feed_mark mark)
{
    struct pz__feed_group *group = &feed->group;
    PZ_ASSERT(mark.value[0] <= group->undo_count);
    while (group->undo_count > mark.value[0]) {
        pz__feed_apply_undo(group->pending, &group->undos[--group->undo_count]);
    }
    feed->largest_message_id = (int64_t)mark.value[1];
}

#define UNDOS_KEPT 65536u

static void
end_group(struct pz__feed_group *group)
{
    pz__feed_overlay_clear(group->pending);
    pz__feed_parts_release(group->parts);
    group->parts = NULL;
    group->txn = NULL;
    group->undo_count = 0;
    if (group->undo_capacity > UNDOS_KEPT) {
        free(group->undos);
        group->undos = NULL;
        group->undo_capacity = 0;
    }
}

void
pz_feed_group_add_layer(struct pz_feed *feed, struct pz_feed_layer *layer)
{
    struct pz__feed_group *group = &feed->group;
    PZ_ASSERT(group->txn != NULL);
    struct pz__feed_parts *before = group->parts;
    group->parts = pz__feed_parts_with(feed, before == NULL ? feed->parts : before, layer);
    pz__feed_parts_release(before);
}

void
pz_feed_group_commit(struct pz_feed *feed, void (*publish)(void *payload), void *payload)
{
    PZ_ASSERT(feed->group.txn != NULL);
    if (feed->group.undo_count > 0 || feed->group.parts != NULL) {
        pz__feed_merge(feed, publish, payload);
        pz__feed_recount(feed);
    } else if (publish != NULL) {
        publish(payload);
    }
    end_group(&feed->group);
}

void
pz_feed_group_abort(struct pz_feed *feed)
{
    PZ_ASSERT(feed->group.txn != NULL && feed->group.parts == NULL);
    feed->largest_message_id = feed->group.largest_before;
    end_group(&feed->group);
}
