// SPDX-License-Identifier: Apache-2.0
// A walk over the whole state as of one moment, for `plaza check`.
//
// What is in active is copied under the mutex; frozen, layers and base do not change under a
// reader. The five are then walked side by side by message id, and the likes that stand are counted
// one by one, so that a counter can be held against them.
#include "storage/feed/feed_internal.h"

#include <stdlib.h>

// An overlay with its messages by id.
struct sorted {
    const struct pz__feed_overlay *overlay; // or NULL
    struct pz__feed_entries messages;
    size_t next;
};

struct walk {
    struct pz__feed_read read;
    struct pz__feed_overlay *active; // a copy without indexes; its bodies are those of the original
    struct sorted sorted[2];         // older first: frozen, active
    size_t *layer_next;
    struct pz_kv_cursor *cursor;
    bool is_base_left; // `key` and `value` are the base's next
    struct pz__feed_item_key key;
    struct pz_bytes value;
    struct pz__feed_entries pairs[2];
    uint64_t base_count; // messages met in the base
};

// ---- the copy of active ----------------------------------------------------------------------

static enum pz_status
copy_active(struct walk *walk, struct pz_error *err)
{
    const struct pz__feed_overlay *from = walk->read.active;
    walk->active->seed = from->seed;
    if (!pz__feed_table_copy_grown(&from->messages, 0, &walk->active->messages) ||
        !pz__feed_table_copy_grown(&from->likes, 0, &walk->active->likes)) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for a copy of the feed's newest changes");
    }
    return PZ_OK;
}

static enum pz_status
begin_walk(struct walk *walk, struct pz_feed *feed, void (*begin)(void *payload), void *payload,
           struct pz_error *err)
{
    walk->active = pz__feed_overlay_create();
    for (;;) {
        PZ_TRY(pz__feed_read_begin(feed, &walk->read, err));
        if (!pz__feed_read_lock(&walk->read)) {
            continue;
        }
        bool is_joining = feed->joining != NULL; // soon over
        enum pz_status status = is_joining ? PZ_OK : copy_active(walk, err);
        if (!is_joining && status == PZ_OK && begin != NULL) {
            begin(payload);
        }
        pz__feed_read_unlock(&walk->read);
        if (!is_joining) {
            return status;
        }
    }
}

static enum pz_status
open_walk(struct walk *walk, struct pz_error *err)
{
    walk->sorted[0].overlay = walk->read.parts->frozen;
    walk->sorted[1].overlay = walk->active;
    for (int i = 0; i < 2; i++) {
        if (walk->sorted[i].overlay != NULL) {
            PZ_TRY(pz__feed_sort_messages(walk->sorted[i].overlay, &walk->sorted[i].messages, err));
        }
    }
    const struct pz__feed_parts *parts = walk->read.parts;
    walk->layer_next = pz_xcalloc((size_t)parts->layer_count + 1, sizeof *walk->layer_next);
    for (uint32_t i = 0; i < parts->layer_count; i++) {
        walk->layer_next[i] =
            pz__feed_layer_find(parts->layers[i].layer, parts->layers[i].folded_below);
    }
    return pz_kv_cursor_open(walk->read.txn, PZ_KV_FEED, &walk->cursor, err);
}

static void
close_walk(struct walk *walk)
{
    pz_kv_cursor_close(walk->cursor);
    for (int i = 0; i < 2; i++) {
        pz__feed_entries_fini(&walk->sorted[i].messages);
        pz__feed_entries_fini(&walk->pairs[i]);
    }
    free(walk->layer_next);
    pz__feed_overlay_release(walk->active);
    pz__feed_read_end(&walk->read);
}

// ---- one message -----------------------------------------------------------------------------

static enum pz_status
move_base(struct walk *walk, enum pz_kv_seek seek, struct pz_error *err)
{
    struct pz_bytes key = {0};
    enum pz_status status = pz_kv_cursor_move(walk->cursor, seek, key, &key, &walk->value, err);
    walk->is_base_left = status == PZ_OK;
    if (status == PZ_NOT_FOUND) {
        return PZ_OK;
    }
    PZ_TRY(status);
    return pz__feed_item_key_parse(key, &walk->key, err);
}

// The smallest message id still ahead anywhere; false at the end.
static bool
next_id(const struct walk *walk, uint64_t *id_out)
{
    bool is_found = walk->is_base_left;
    uint64_t id = is_found ? walk->key.message_id : UINT64_MAX;
    for (int i = 0; i < 2; i++) {
        const struct sorted *sorted = &walk->sorted[i];
        if (sorted->next < sorted->messages.count) {
            uint64_t other = sorted->messages.at[sorted->next].key;
            id = other < id ? other : id;
            is_found = true;
        }
    }
    const struct pz__feed_parts *parts = walk->read.parts;
    for (uint32_t i = 0; i < parts->layer_count; i++) {
        const struct pz_feed_layer *layer = parts->layers[i].layer;
        if (walk->layer_next[i] < layer->count) {
            uint64_t other = layer->message_ids[walk->layer_next[i]];
            id = other < id ? other : id;
            is_found = true;
        }
    }
    *id_out = id;
    return is_found;
}

// Steps over `id` in overlays and layers; leaves the pairs of the overlays in walk->pairs.
static enum pz_status
step_memory(struct walk *walk, uint64_t id, struct pz_error *err)
{
    for (int i = 0; i < 2; i++) {
        struct sorted *sorted = &walk->sorted[i];
        walk->pairs[i].count = 0;
        if (sorted->next < sorted->messages.count && sorted->messages.at[sorted->next].key == id) {
            uint32_t position = sorted->messages.at[sorted->next++].position;
            PZ_TRY(pz__feed_sort_pairs(sorted->overlay, position, &walk->pairs[i], err));
        }
    }
    const struct pz__feed_parts *parts = walk->read.parts;
    for (uint32_t i = 0; i < parts->layer_count; i++) {
        const struct pz_feed_layer *layer = parts->layers[i].layer;
        if (walk->layer_next[i] < layer->count && layer->message_ids[walk->layer_next[i]] == id) {
            walk->layer_next[i]++;
        }
    }
    return PZ_OK;
}

// What the newest overlay with a word on it says of the pair: +1, -1 or 0. Steps over the pair.
// Pairs of frozen that the base has already folded say what the base says.
static int32_t
take_pair(struct walk *walk, uint64_t user, size_t next[2])
{
    int32_t net = 0;
    for (int i = 0; i < 2; i++) {
        const struct pz__feed_entries *pairs = &walk->pairs[i];
        if (next[i] < pairs->count && pairs->at[next[i]].key == user) {
            net = pz__feed_like_at(walk->sorted[i].overlay, pairs->at[next[i]].position)->net;
            next[i]++;
        }
    }
    return net;
}

// Counts the likes by users below `end`, none of which the base has; `next` holds the places in
// walk->pairs.
static uint64_t
count_pairs_below(struct walk *walk, uint64_t end, size_t next[2])
{
    uint64_t count = 0;
    for (;;) {
        uint64_t user = end;
        for (int i = 0; i < 2; i++) {
            const struct pz__feed_entries *pairs = &walk->pairs[i];
            if (next[i] < pairs->count && pairs->at[next[i]].key < user) {
                user = pairs->at[next[i]].key;
            }
        }
        if (user == end) {
            return count;
        }
        count += take_pair(walk, user, next) > 0;
    }
}

// Walks the base's keys of one message.
static enum pz_status
step_base(struct walk *walk, uint64_t id, struct pz__feed_found *found, uint64_t *like_count_out,
          struct pz_error *err)
{
    size_t next[2] = {0, 0};
    uint64_t likes = 0;
    while (walk->is_base_left && walk->key.message_id == id) {
        struct pz__feed_stored stored;
        struct pz__feed_counters counters;
        switch (walk->key.item) {
        case PZ__FEED_ITEM_MESSAGE:
            PZ_TRY(pz__feed_stored_parse(id, walk->value, &stored, err));
            walk->base_count += stored.presence == PZ_FEED_PRESENT;
            if (found->presence == PZ_FEED_ABSENT) {
                found->presence = stored.presence;
            }
            break;
        case PZ__FEED_ITEM_COUNTERS:
            PZ_TRY(pz__feed_counters_parse(id, walk->value, &counters, err));
            found->likes += counters.likes;
            found->views += counters.views;
            break;
        case PZ__FEED_ITEM_LIKE:
            likes += count_pairs_below(walk, walk->key.user, next);
            likes += take_pair(walk, walk->key.user, next) >= 0; // unless taken back since
            break;
        }
        PZ_TRY(move_base(walk, PZ_KV_NEXT, err));
    }
    *like_count_out = likes + count_pairs_below(walk, UINT64_MAX, next);
    return PZ_OK;
}

// Likes that were taken back leave an id behind with nothing to it.
static bool
has_anything(const struct pz_feed_state *state)
{
    return state->presence != PZ_FEED_ABSENT || state->likes != 0 || state->views != 0 ||
           state->like_count != 0;
}

enum pz_status
pz_feed_each(struct pz_feed *feed, void (*begin)(void *payload),
             enum pz_status (*each)(void *payload, const struct pz_feed_state *state,
                                    struct pz_error *err),
             void *payload, struct pz_error *err)
{
    struct walk walk = {.read = {.feed = feed}};
    enum pz_status status = begin_walk(&walk, feed, begin, payload, err);
    if (status == PZ_OK) {
        status = open_walk(&walk, err);
    }
    if (status == PZ_OK) {
        status = move_base(&walk, PZ_KV_FIRST, err);
    }
    uint64_t id;
    while (status == PZ_OK && next_id(&walk, &id)) {
        struct pz__feed_found found = {.presence = PZ_FEED_ABSENT};
        struct pz_feed_state state = {.message_id = (int64_t)id};
        pz__feed_look(walk.active, id, &found);
        pz__feed_look_frozen(walk.read.parts, id, &found);
        pz__feed_look_layers(walk.read.parts, id, &found);
        status = step_memory(&walk, id, err);
        if (status == PZ_OK) {
            status = step_base(&walk, id, &found, &state.like_count, err);
        }
        state.presence = found.presence;
        state.likes = found.likes;
        state.views = found.views;
        if (status == PZ_OK && has_anything(&state)) {
            status = each(payload, &state, err);
        }
    }
    // A fold puts the messages first and their order after them.
    if (status == PZ_OK && walk.read.parts->frozen == NULL) {
        status = pz__feed_check_orders(walk.read.txn, walk.base_count, err);
    }
    close_walk(&walk);
    return status;
}
