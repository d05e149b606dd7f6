// SPDX-License-Identifier: Apache-2.0
// From pending to active: after its commit, a group becomes visible, at one instant.
//
// All that takes time or memory is done before the mutex is taken: where each item goes is looked
// up, tables are grown as copies, bodies are copied, new keys are sorted and merged. Under the
// mutex remain additions and the exchange of pointers.
//
// A group of more than STEP items would take too long for that. It becomes visible as it is, as
// one more overlay (feed->joining) that readers look into before active, and then goes over to
// active in steps between which readers have their turn: they leave out what has arrived
// (feed->joined). When all has, its keys change over too, and it is nothing to readers any more.
//
// The group is durable by now, so there is no way back: without memory the process ends, and the
// next start finds the rows in the log.
#include "storage/feed/feed_internal.h"

#include "base/clock.h"
#include "base/fault.h"

#include <stdlib.h>

#define STEP 4096u
#define PAUSE_US 1 // enough for a reader that waits to be woken and get its turn

struct merge {
    struct pz__feed_overlay *pending;
    struct pz__feed_overlay *active;
    uint32_t *messages;   // position in active of each message of pending; NONE = nothing changes
    uint32_t *likes;      // the same of pairs
    uint32_t message_end; // positions of active from its count to here are new
    uint32_t like_end;
    struct pz__feed_table grown_messages; // empty when there is room
    struct pz__feed_table grown_likes;
    struct pz__feed_index order;
    struct pz__feed_index by_user;
};

static void
find_messages(struct merge *merge)
{
    const struct pz__feed_overlay *pending = merge->pending;
    uint32_t count = pending->messages.count;
    merge->messages = pz_xcalloc((size_t)count + 1, sizeof *merge->messages);
    for (uint32_t i = 0; i < pending->likes.count; i++) {
        const struct pz__feed_like *like = pz__feed_like_at(pending, i);
        if (like->net != 0) {
            merge->messages[like->message] = 1; // is needed
        }
    }
    merge->message_end = merge->active->messages.count;
    for (uint32_t i = 0; i < count; i++) {
        const struct pz__feed_message *message = pz__feed_message_at(pending, i);
        bool is_changed = message->body != NULL || message->is_deleted || message->views != 0;
        if (!is_changed && merge->messages[i] == 0) {
            merge->messages[i] = PZ__FEED_NONE; // taken back, or came out even
            continue;
        }
        uint32_t position = pz__feed_find_message(merge->active, message->message_id);
        merge->messages[i] = position != PZ__FEED_NONE ? position : merge->message_end++;
    }
}

static void
find_likes(struct merge *merge)
{
    uint32_t count = merge->pending->likes.count;
    merge->likes = pz_xcalloc((size_t)count + 1, sizeof *merge->likes);
    merge->like_end = merge->active->likes.count;
    for (uint32_t i = 0; i < count; i++) {
        const struct pz__feed_like *like = pz__feed_like_at(merge->pending, i);
        merge->likes[i] = PZ__FEED_NONE;
        if (like->net == 0) {
            continue;
        }
        uint32_t message = merge->messages[like->message];
        if (message < merge->active->messages.count) {
            merge->likes[i] = pz__feed_find_like(merge->active, message, like->user);
        }
        if (merge->likes[i] == PZ__FEED_NONE) {
            merge->likes[i] = merge->like_end++;
        }
    }
}

static void
grow(const struct pz__feed_table *table, uint32_t end, struct pz__feed_table *grown_out)
{
    uint32_t more = end - table->count;
    if (pz__feed_table_has_room(table, more)) {
        pz__feed_table_init(grown_out, table->item_size);
    } else if (!pz__feed_table_copy_grown(table, more, grown_out)) {
        pz_panic(__FILE__, __LINE__, "no memory for %u more of the feed's changes", more);
    }
}

// Bodies move to active's arena.
static void
take_bodies(struct merge *merge)
{
    for (uint32_t i = 0; i < merge->pending->messages.count; i++) {
        struct pz__feed_message *message = pz__feed_message_at(merge->pending, i);
        if (message->body == NULL) {
            continue;
        }
        message->body = pz__feed_body_copy(merge->active, message->body);
        if (message->body == NULL) {
            pz_panic(__FILE__, __LINE__, "no memory for a new message of the feed");
        }
    }
}

// The keys of pending go into copies of active's indexes, and when it joins, into indexes of its
// own.
static void
take_keys(struct merge *merge, bool is_joining)
{
    struct pz__feed_overlay *pending = merge->pending;
    struct pz__feed_key *keys = pz_xcalloc((size_t)pending->messages.count + 1, sizeof *keys);
    size_t count = 0;
    for (uint32_t i = 0; i < pending->messages.count; i++) {
        const struct pz__feed_message *message = pz__feed_message_at(pending, i);
        if (message->body != NULL && !message->is_deleted) {
            keys[count++] = (struct pz__feed_key){message->body->created_at, message->message_id,
                                                  message->body->user, i};
        }
    }
    if (is_joining) {
        pz__feed_index_prepare(&pending->order, keys, count, &pending->order);
        pz__feed_index_prepare(&pending->by_user, keys, count, &pending->by_user);
    }
    for (size_t i = 0; i < count; i++) {
        keys[i].message = merge->messages[keys[i].message];
    }
    pz__feed_index_prepare(&merge->active->order, keys, count, &merge->order);
    pz__feed_index_prepare(&merge->active->by_user, keys, count, &merge->by_user);
    free(keys);
}

// Lets readers have the mutex after each STEP items.
static void
breathe(struct pz_feed *feed, uint32_t done)
{
    if (feed->joining != NULL && done % STEP == 0) {
        pz_mutex_unlock(&feed->mutex);
        (void)pz_fault_visit(PZ_FAULT_join_step);
        pz_clock_sleep_us(PAUSE_US);
        pz_mutex_lock(&feed->mutex);
    }
}

static void
add_items(struct pz_feed *feed, const struct merge *merge)
{
    struct pz__feed_overlay *active = merge->active;
    for (uint32_t i = 0; i < merge->pending->messages.count; i++) {
        const struct pz__feed_message *from = pz__feed_message_at(merge->pending, i);
        uint32_t position = merge->messages[i];
        if (position == PZ__FEED_NONE) {
            continue;
        }
        if (position == active->messages.count) {
            (void)pz__feed_add_message(active, from->message_id);
        }
        struct pz__feed_message *to = pz__feed_message_at(active, position);
        to->likes += from->likes;
        to->views += from->views;
        to->is_deleted |= from->is_deleted;
        if (from->body != NULL) {
            to->body = from->body;
        }
        feed->joined = i + 1;
        breathe(feed, i + 1);
    }
    for (uint32_t i = 0; i < merge->pending->likes.count; i++) {
        const struct pz__feed_like *from = pz__feed_like_at(merge->pending, i);
        uint32_t position = merge->likes[i];
        if (position == PZ__FEED_NONE) {
            continue;
        }
        if (position == active->likes.count) {
            (void)pz__feed_add_like(active, merge->messages[from->message], from->user);
        }
        pz__feed_like_at(active, position)->net += from->net;
        breathe(feed, i + 1);
    }
}

static void
exchange_table(struct pz__feed_table *table, struct pz__feed_table *grown)
{
    if (grown->capacity > 0) {
        struct pz__feed_table old = *table;
        *table = *grown;
        *grown = old;
    }
}

// The instant, under the mutex.
static void
show(struct pz_feed *feed, void (*publish)(void *payload), void *payload)
{
    if (feed->group.parts != NULL) {
        struct pz__feed_parts *before = feed->parts;
        feed->parts = feed->group.parts;
        feed->group.parts = before; // released with the group
    }
    if (publish != NULL) {
        publish(payload);
    }
}

void
pz__feed_merge(struct pz_feed *feed, void (*publish)(void *payload), void *payload)
{
    struct merge merge = {.pending = feed->group.pending, .active = feed->active};
    bool is_joining = (size_t)merge.pending->messages.count + merge.pending->likes.count > STEP;
    find_messages(&merge);
    find_likes(&merge);
    grow(&merge.active->messages, merge.message_end, &merge.grown_messages);
    grow(&merge.active->likes, merge.like_end, &merge.grown_likes);
    take_bodies(&merge);
    take_keys(&merge, is_joining);

    struct pz__feed_index old_order;
    struct pz__feed_index old_by_user;
    pz_mutex_lock(&feed->mutex);
    show(feed, publish, payload);
    feed->joining = is_joining ? merge.pending : NULL;
    feed->joined = 0;
    breathe(feed, 0);
    exchange_table(&merge.active->messages, &merge.grown_messages);
    exchange_table(&merge.active->likes, &merge.grown_likes);
    add_items(feed, &merge);
    pz__feed_index_exchange(&merge.active->order, &merge.order, &old_order);
    pz__feed_index_exchange(&merge.active->by_user, &merge.by_user, &old_by_user);
    feed->joining = NULL;
    pz_mutex_unlock(&feed->mutex);

    pz__feed_index_fini(&merge.pending->order);
    pz__feed_index_fini(&merge.pending->by_user);
    pz__feed_index_retire(&old_order, &merge.order);
    pz__feed_index_retire(&old_by_user, &merge.by_user);
    pz__feed_table_fini(&merge.grown_messages);
    pz__feed_table_fini(&merge.grown_likes);
    free(merge.messages);
    free(merge.likes);
}
