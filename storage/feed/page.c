// SPDX-License-Identifier: Apache-2.0
// A page of the feed: the newest keys of base, frozen, active and a group that is joining active,
// merged.
//
// Each of the four gives as many keys as the page may need, newest first. Their merge is exact
// down to the point where one that has more ends. Keys are skipped that were deleted later, and
// those of frozen that are in the base by now: the base gives them as well. Should skipping leave
// the page short, everything is done again with twice as many keys.
#include "storage/feed/feed_internal.h"

#include <inttypes.h>

enum source { SOURCE_BASE, SOURCE_FROZEN, SOURCE_ACTIVE, SOURCE_JOINING, SOURCE_COUNT };

struct stream {
    struct pz__feed_key *keys; // newest first
    size_t count;
    size_t next;
    bool has_more; // than `count`
};

struct entry {
    struct pz__feed_key key;
    struct pz__feed_found found;
};

struct page {
    const struct pz_feed_query *query;
    struct pz_arena *arena;
    size_t wanted;   // one more than the page holds, to know whether more follow
    size_t capacity; // of each stream
    struct stream streams[SOURCE_COUNT];
    struct entry *entries; // room for `wanted`
    size_t entry_count;
};

static enum pz_status
make_room(struct page *page, struct pz_error *err)
{
    page->entries = pz_arena_alloc_array(page->arena, page->wanted, sizeof *page->entries);
    bool is_failed = page->entries == NULL;
    for (int i = 0; i < SOURCE_COUNT; i++) {
        page->streams[i].keys =
            pz_arena_alloc_array(page->arena, page->capacity, sizeof(struct pz__feed_key));
        is_failed |= page->streams[i].keys == NULL;
    }
    return is_failed ? pz_fail(err, PZ_NO_MEMORY, "no memory for a page of the feed") : PZ_OK;
}

static void
fill_from_overlay(const struct page *page, const struct pz__feed_overlay *overlay,
                  struct stream *stream)
{
    stream->count = 0;
    stream->has_more = false;
    if (overlay == NULL) {
        return;
    }
    const struct pz_feed_query *query = page->query;
    struct pz__feed_key bound = {
        .created_at = query->before_created_at,
        .message_id = query->before_message_id < 0 ? 0 : (uint64_t)query->before_message_id,
        .user = query->user};
    struct pz__feed_walk walk;
    pz__feed_walk_init(&walk, query->has_user ? &overlay->by_user : &overlay->order, query->user,
                       query->has_before ? &bound : NULL);
    const struct pz__feed_key *key;
    while ((key = pz__feed_walk_next(&walk)) != NULL) {
        if (pz__feed_message_at(overlay, key->message)->is_deleted) {
            continue;
        }
        if (stream->count == page->capacity) {
            stream->has_more = true;
            break;
        }
        stream->keys[stream->count++] = *key;
    }
}

// The source of the newest key that was not yet taken, or SOURCE_COUNT. *is_exact_out is false when
// an exhausted stream has more, so that a newer key may be among what it did not give.
static enum source
newest(const struct page *page, bool *is_exact_out)
{
    enum source best = SOURCE_COUNT;
    *is_exact_out = true;
    for (int i = 0; i < SOURCE_COUNT; i++) {
        const struct stream *stream = &page->streams[i];
        if (stream->next == stream->count) {
            *is_exact_out &= !stream->has_more;
            continue;
        }
        const struct pz__feed_key *key = &stream->keys[stream->next];
        if (best == SOURCE_COUNT ||
            pz__feed_key_compare(false, key, &page->streams[best].keys[page->streams[best].next]) >
                0) {
            best = (enum source)i;
        }
    }
    return best;
}

// Under the mutex. Returns whether the entries are all that was wanted, or all there are.
static bool
merge(struct page *page, const struct pz__feed_read *read)
{
    page->entry_count = 0;
    while (page->entry_count < page->wanted) {
        bool is_exact;
        enum source source = newest(page, &is_exact);
        if (!is_exact || source == SOURCE_COUNT) {
            return is_exact;
        }
        struct stream *stream = &page->streams[source];
        struct entry entry = {.key = stream->keys[stream->next++]};
        uint64_t id = entry.key.message_id;
        if (source == SOURCE_FROZEN &&
            pz__feed_place_has_key(&read->parts->place, page->query->has_user, &entry.key)) {
            continue; // the base has it
        }
        pz__feed_look_newest(read, id, &entry.found);
        pz__feed_look_frozen(read->parts, id, &entry.found);
        if (entry.found.presence != PZ_FEED_DELETED) {
            page->entries[page->entry_count++] = entry;
        }
    }
    return true;
}

// One attempt with `capacity` keys of each source.
static enum pz_status
gather(struct page *page, struct pz__feed_read *read, bool *is_complete_out, struct pz_error *err)
{
    struct stream *base = &page->streams[SOURCE_BASE];
    do {
        PZ_TRY(pz__feed_read_begin(read->feed, read, err));
        PZ_TRY(pz__feed_base_keys(read->txn, page->query, base->keys, page->capacity, &base->count,
                                  &base->has_more, err));
    } while (!pz__feed_read_lock(read));
    for (int i = 0; i < SOURCE_COUNT; i++) {
        page->streams[i].next = 0;
    }
    fill_from_overlay(page, read->parts->frozen, &page->streams[SOURCE_FROZEN]);
    fill_from_overlay(page, read->active, &page->streams[SOURCE_ACTIVE]);
    fill_from_overlay(page, read->feed->joining, &page->streams[SOURCE_JOINING]);
    *is_complete_out = merge(page, read);
    pz__feed_read_unlock(read);
    return PZ_OK;
}

// The entries become messages for the caller, until their bodies are enough: *count is how many may
// be filled, and then how many were.
static enum pz_status
fill_items(const struct page *page, struct pz__feed_read *read, struct pz_message *items,
           size_t *count, struct pz_error *err)
{
    uint64_t bytes_max = page->query->bytes_max == 0 ? UINT64_MAX : page->query->bytes_max;
    uint64_t bytes = 0;
    size_t filled = 0;
    struct pz_kv_cursor *cursor = NULL;
    PZ_TRY(pz_kv_cursor_open(read->txn, PZ_KV_FEED, &cursor, err));
    enum pz_status status = PZ_OK;
    for (size_t i = 0; i < *count && status == PZ_OK && bytes < bytes_max; i++) {
        struct entry *entry = &page->entries[i];
        uint64_t id = entry->key.message_id;
        struct pz__feed_stored stored;
        struct pz__feed_counters counters;
        status = pz__feed_base_item(cursor, id, &stored, &counters, err);
        if (status == PZ_OK && entry->found.body == NULL && stored.presence != PZ_FEED_PRESENT) {
            status =
                pz_fail(err, PZ_CORRUPT, "message %" PRIu64 " is in the feed's order only", id);
        }
        if (status == PZ_OK) {
            pz__feed_look_layers(read->parts, id, &entry->found);
            entry->found.likes += counters.likes;
            entry->found.views += counters.views;
            items[i] = (struct pz_message){.message_id = (int64_t)id};
            status = pz__feed_fill(&entry->found, &stored, page->arena, &items[i], err);
            bytes += items[i].body.len;
            filled = i + 1;
        }
    }
    *count = filled;
    pz_kv_cursor_close(cursor);
    return status;
}

enum pz_status
pz_feed_read_page(struct pz_feed *feed, const struct pz_feed_query *query, struct pz_arena *arena,
                  struct pz_feed_page *page_out, struct pz_error *err)
{
    PZ_ASSERT(query->limit > 0);
    *page_out = (struct pz_feed_page){0};
    struct pz__feed_read read = {.feed = feed};
    struct page page = {.query = query, .arena = arena, .wanted = (size_t)query->limit + 1};
    bool is_complete = false;
    enum pz_status status = PZ_OK;
    for (page.capacity = page.wanted; status == PZ_OK && !is_complete; page.capacity *= 2) {
        status = make_room(&page, err);
        if (status == PZ_OK) {
            status = gather(&page, &read, &is_complete, err);
        }
    }
    size_t count = page.entry_count < query->limit ? page.entry_count : query->limit;
    struct pz_message *items = NULL;
    if (status == PZ_OK) {
        items = pz_arena_alloc_array(arena, count, sizeof *items);
        status = items == NULL ? pz_fail(err, PZ_NO_MEMORY, "no memory for a page of the feed")
                               : fill_items(&page, &read, items, &count, err);
    }
    if (status == PZ_OK) {
        *page_out = (struct pz_feed_page){
            .items = items, .count = (uint32_t)count, .has_more = page.entry_count > count};
    }
    pz__feed_read_end(&read);
    return status;
}
