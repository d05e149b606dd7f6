// SPDX-License-Identifier: Apache-2.0
// The memory of an overlay and the look-ups in it.
#include "storage/feed/overlay.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

struct pz__feed_overlay *
pz__feed_overlay_create(void)
{
    struct pz__feed_overlay *overlay = pz_xcalloc(1, sizeof *overlay);
    atomic_init(&overlay->refs, 1);
    overlay->seed = pz_hash_process_seed();
    overlay->by_user.is_by_user = true;
    pz__feed_table_init(&overlay->messages, sizeof(struct pz__feed_message));
    pz__feed_table_init(&overlay->likes, sizeof(struct pz__feed_like));
    pz_arena_init(&overlay->bodies, NULL);
    return overlay;
}

void
pz__feed_overlay_acquire(struct pz__feed_overlay *overlay)
{
    (void)atomic_fetch_add_explicit(&overlay->refs, 1, memory_order_relaxed);
}

void
pz__feed_overlay_release(struct pz__feed_overlay *overlay)
{
    if (overlay == NULL ||
        atomic_fetch_sub_explicit(&overlay->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    pz__feed_table_fini(&overlay->messages);
    pz__feed_table_fini(&overlay->likes);
    pz__feed_index_fini(&overlay->order);
    pz__feed_index_fini(&overlay->by_user);
    pz_arena_fini(&overlay->bodies);
    free(overlay);
}

void
pz__feed_overlay_clear(struct pz__feed_overlay *overlay)
{
    PZ_ASSERT(overlay->order.run_count == 0);
    pz__feed_table_clear(&overlay->messages);
    pz__feed_table_clear(&overlay->likes);
    pz_arena_reset(&overlay->bodies);
}

static uint32_t
message_tag(const struct pz__feed_overlay *overlay, uint64_t message_id)
{
    return (uint32_t)pz_hash_u64(message_id ^ overlay->seed);
}

static uint32_t
like_tag(const struct pz__feed_overlay *overlay, uint32_t message, uint32_t user)
{
    return (uint32_t)pz_hash_u64(((uint64_t)message << 32 | user) ^ overlay->seed);
}

uint32_t
pz__feed_find_message(const struct pz__feed_overlay *overlay, uint64_t message_id)
{
    const struct pz__feed_table *table = &overlay->messages;
    if (table->count == 0) {
        return PZ__FEED_NONE;
    }
    uint32_t tag = message_tag(overlay, message_id);
    for (uint32_t at = tag & table->mask;; at = (at + 1) & table->mask) {
        struct pz__feed_slot slot = table->slots[at];
        if (slot.item == 0) {
            return PZ__FEED_NONE;
        }
        if (slot.tag == tag &&
            pz__feed_message_at(overlay, slot.item - 1)->message_id == message_id) {
            return slot.item - 1;
        }
    }
}

uint32_t
pz__feed_find_like(const struct pz__feed_overlay *overlay, uint32_t message, uint32_t user)
{
    const struct pz__feed_table *table = &overlay->likes;
    if (table->count == 0) {
        return PZ__FEED_NONE;
    }
    uint32_t tag = like_tag(overlay, message, user);
    for (uint32_t at = tag & table->mask;; at = (at + 1) & table->mask) {
        struct pz__feed_slot slot = table->slots[at];
        if (slot.item == 0) {
            return PZ__FEED_NONE;
        }
        if (slot.tag == tag) {
            const struct pz__feed_like *like = pz__feed_like_at(overlay, slot.item - 1);
            if (like->message == message && like->user == user) {
                return slot.item - 1;
            }
        }
    }
}

uint32_t
pz__feed_add_message(struct pz__feed_overlay *overlay, uint64_t message_id)
{
    uint32_t position = pz__feed_table_add(&overlay->messages, message_tag(overlay, message_id));
    *pz__feed_message_at(overlay, position) =
        (struct pz__feed_message){.message_id = message_id, .like_newest = PZ__FEED_NONE};
    return position;
}

uint32_t
pz__feed_add_like(struct pz__feed_overlay *overlay, uint32_t message, uint32_t user)
{
    uint32_t position = pz__feed_table_add(&overlay->likes, like_tag(overlay, message, user));
    struct pz__feed_message *owner = pz__feed_message_at(overlay, message);
    *pz__feed_like_at(overlay, position) =
        (struct pz__feed_like){.message = message, .user = user, .like_next = owner->like_newest};
    owner->like_newest = position;
    return position;
}

static const struct pz__feed_body *
body_create(struct pz__feed_overlay *overlay, const struct pz__feed_body *values, const char *text)
{
    struct pz__feed_body *body =
        pz_arena_alloc(&overlay->bodies, sizeof *body + (size_t)values->len);
    if (body != NULL) {
        *body = *values;
        if (values->len > 0) {
            memcpy(body->text, text, values->len);
        }
    }
    return body;
}

const struct pz__feed_body *
pz__feed_body_create(struct pz__feed_overlay *overlay, const struct pz_feed_row *row)
{
    struct pz__feed_body values = {.created_at = row->created_at,
                                   .sentiment = row->has_sentiment ? row->sentiment : 0,
                                   .user = row->user,
                                   .len = row->body.len,
                                   .has_sentiment = row->has_sentiment};
    return body_create(overlay, &values, row->body.data);
}

const struct pz__feed_body *
pz__feed_body_copy(struct pz__feed_overlay *overlay, const struct pz__feed_body *body)
{
    return body_create(overlay, body, body->text);
}
