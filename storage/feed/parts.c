// SPDX-License-Identifier: Apache-2.0
// The immutable description of what lies between active and base, and the look-ups in it.
#include "storage/feed/feed_internal.h"

#include <stdlib.h>

static struct pz__feed_parts *
create(uint64_t fold_number, uint32_t layer_capacity)
{
    struct pz__feed_parts *parts =
        pz_xcalloc(1, sizeof *parts + layer_capacity * sizeof parts->layers[0]);
    atomic_init(&parts->refs, 1);
    parts->fold_number = fold_number;
    return parts;
}

struct pz__feed_parts *
pz__feed_parts_create(uint64_t fold_number)
{
    return create(fold_number, 0);
}

struct pz__feed_parts *
pz__feed_parts_copy(const struct pz__feed_parts *parts)
{
    struct pz__feed_parts *copy = create(parts->fold_number, parts->layer_count + 1);
    copy->frozen = parts->frozen;
    copy->place = parts->place;
    copy->likes_in_base = parts->likes_in_base;
    copy->layer_count = parts->layer_count;
    if (copy->frozen != NULL) {
        pz__feed_overlay_acquire(copy->frozen);
    }
    for (uint32_t i = 0; i < parts->layer_count; i++) {
        copy->layers[i] = parts->layers[i];
        pz__feed_layer_acquire(copy->layers[i].layer);
    }
    return copy;
}

void
pz__feed_parts_acquire(struct pz__feed_parts *parts)
{
    (void)atomic_fetch_add_explicit(&parts->refs, 1, memory_order_relaxed);
}

void
pz__feed_parts_release(struct pz__feed_parts *parts)
{
    if (parts == NULL || atomic_fetch_sub_explicit(&parts->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    pz__feed_overlay_release(parts->frozen);
    for (uint32_t i = 0; i < parts->layer_count; i++) {
        pz__feed_layer_release(parts->layers[i].layer);
    }
    free(parts);
}

void
pz__feed_parts_drop_frozen(struct pz__feed_parts *parts)
{
    pz__feed_overlay_release(parts->frozen);
    parts->frozen = NULL;
    parts->place = (struct pz__feed_place){0};
    parts->likes_in_base = 0;
}

void
pz__feed_parts_drop_layer(struct pz__feed_parts *parts, uint32_t index)
{
    pz__feed_layer_release(parts->layers[index].layer);
    parts->layer_count--;
    for (uint32_t i = index; i < parts->layer_count; i++) {
        parts->layers[i] = parts->layers[i + 1];
    }
}

static void
add_presence(const struct pz__feed_message *message, struct pz__feed_found *found)
{
    if (found->presence != PZ_FEED_ABSENT) {
        return; // something newer has said it
    }
    if (message->is_deleted) {
        found->presence = PZ_FEED_DELETED;
    } else if (message->body != NULL) {
        found->presence = PZ_FEED_PRESENT;
        found->body = message->body;
    }
}

void
pz__feed_look(const struct pz__feed_overlay *overlay, uint64_t message_id,
              struct pz__feed_found *found)
{
    uint32_t position = pz__feed_find_message(overlay, message_id);
    if (position == PZ__FEED_NONE) {
        return;
    }
    const struct pz__feed_message *message = pz__feed_message_at(overlay, position);
    add_presence(message, found);
    found->likes += message->likes;
    found->views += message->views;
}

void
pz__feed_look_frozen(const struct pz__feed_parts *parts, uint64_t message_id,
                     struct pz__feed_found *found)
{
    if (parts->frozen == NULL) {
        return;
    }
    if (!pz__feed_place_has_head(&parts->place, message_id)) {
        pz__feed_look(parts->frozen, message_id, found);
        return;
    }
    if (pz__feed_place_has_like(&parts->place, message_id, UINT32_MAX)) {
        return;
    }
    // The fold stands within this message: only some of its likes are left.
    uint32_t position = pz__feed_find_message(parts->frozen, message_id);
    if (position != PZ__FEED_NONE) {
        found->likes += pz__feed_message_at(parts->frozen, position)->likes - parts->likes_in_base;
    }
}

void
pz__feed_look_layers(const struct pz__feed_parts *parts, uint64_t message_id,
                     struct pz__feed_found *found)
{
    for (uint32_t i = 0; i < parts->layer_count; i++) {
        const struct pz__feed_layer_part *part = &parts->layers[i];
        if (message_id < part->folded_below) {
            continue;
        }
        size_t at = pz__feed_layer_find(part->layer, message_id);
        if (at < part->layer->count && part->layer->message_ids[at] == message_id) {
            found->views += part->layer->counts[at];
        }
    }
}

int32_t
pz__feed_look_like(const struct pz__feed_overlay *overlay, uint64_t message_id, uint32_t user)
{
    uint32_t position = pz__feed_find_message(overlay, message_id);
    if (position == PZ__FEED_NONE) {
        return 0;
    }
    uint32_t like = pz__feed_find_like(overlay, position, user);
    return like == PZ__FEED_NONE ? 0 : pz__feed_like_at(overlay, like)->net;
}
