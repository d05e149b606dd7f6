// SPDX-License-Identifier: Apache-2.0
// The cache of encoded pages: shards, each a hash table and a clock under its own mutex.
//
// A page is pinned by whoever decodes it, a matter of microseconds, so eviction nearly always finds
// room; when everything is pinned, or a page is larger than a shard, it is simply not kept.
#include "base/hash.h"
#include "base/thread.h"
#include "storage/segment/segment_internal.h"

#include <stdlib.h>

#define SHARDS_MAX 16u
#define SHARD_BYTES_MIN (8u << 20)
#define BUCKETS 4096u // of a shard
#define ALIGNMENT 64u

struct shard {
    struct pz_mutex mutex; // guards all below and the pages' links, pins and marks
    struct pz_page *buckets[BUCKETS];
    struct pz_page *hand; // in the ring of all pages; NULL when there is none
    size_t page_count;
    size_t bytes;
    uint64_t hits, misses, evictions;
};

struct pz_page_cache {
    size_t shard_limit_bytes;
    uint32_t shard_count;
    _Atomic uint64_t next_owner;
    struct shard *shards;
};

static uint64_t
hash_of(uint64_t owner, uint64_t index)
{
    return pz_hash_u64(owner * UINT64_C(0x9e3779b97f4a7c15) + index);
}

static struct shard *
shard_of(struct pz_page_cache *cache, uint64_t hash)
{
    return &cache->shards[(hash >> 32) % cache->shard_count];
}

static size_t
cost_of(const struct pz_page *page)
{
    return sizeof(*page) + page->len;
}

struct pz_page *
pz__page_create(uint64_t owner, uint64_t index, size_t len)
{
    size_t head = (sizeof(struct pz_page) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t bytes;
    if (!pz_add_size(head + ALIGNMENT - 1, len, &bytes)) {
        return NULL;
    }
    struct pz_page *page = aligned_alloc(ALIGNMENT, bytes / ALIGNMENT * ALIGNMENT);
    if (page != NULL) {
        *page = (struct pz_page){
            .owner = owner, .index = index, .pins = 1, .len = len, .bytes = (uint8_t *)page + head};
    }
    return page;
}

struct pz_page_cache *
pz_page_cache_create(size_t limit_bytes)
{
    size_t shards = limit_bytes / SHARD_BYTES_MIN;
    shards = shards < 1 ? 1 : shards > SHARDS_MAX ? SHARDS_MAX : shards;
    struct pz_page_cache *cache = pz_xcalloc(1, sizeof(*cache));
    cache->shards = pz_xcalloc(shards, sizeof(*cache->shards));
    cache->shard_count = (uint32_t)shards;
    cache->shard_limit_bytes = limit_bytes / shards;
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        pz_mutex_init(&cache->shards[i].mutex, PZ_RANK_CACHE, "page_cache");
    }
    return cache;
}

// Takes the page out of its shard; the mutex is held.
static void
detach(struct shard *shard, struct pz_page *page)
{
    pz_mutex_assert_held(&shard->mutex);
    struct pz_page **link = &shard->buckets[hash_of(page->owner, page->index) % BUCKETS];
    while (*link != page) {
        link = &(*link)->chain;
    }
    *link = page->chain;
    if (page->next == page) {
        shard->hand = NULL;
    } else {
        page->prev->next = page->next;
        page->next->prev = page->prev;
        if (shard->hand == page) {
            shard->hand = page->next;
        }
    }
    page->is_cached = false;
    shard->bytes -= cost_of(page);
    shard->page_count--;
}

void
pz_page_cache_destroy(struct pz_page_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        pz_mutex_lock(&shard->mutex);
        while (shard->hand != NULL) {
            struct pz_page *page = shard->hand;
            PZ_ASSERT(page->pins == 0);
            detach(shard, page);
            free(page);
        }
        pz_mutex_unlock(&shard->mutex);
        pz_mutex_fini(&shard->mutex);
    }
    free(cache->shards);
    free(cache);
}

uint64_t
pz__page_cache_new_owner(struct pz_page_cache *cache)
{
    return atomic_fetch_add_explicit(&cache->next_owner, 1, memory_order_relaxed);
}

static struct pz_page *
lookup(struct shard *shard, uint64_t owner, uint64_t index)
{
    struct pz_page *page = shard->buckets[hash_of(owner, index) % BUCKETS];
    while (page != NULL && (page->owner != owner || page->index != index)) {
        page = page->chain;
    }
    return page;
}

struct pz_page *
pz__page_cache_find(struct pz_page_cache *cache, uint64_t owner, uint64_t index)
{
    struct shard *shard = shard_of(cache, hash_of(owner, index));
    pz_mutex_lock(&shard->mutex);
    struct pz_page *page = lookup(shard, owner, index);
    if (page != NULL) {
        page->pins++;
        page->is_referenced = true;
        shard->hits++;
    } else {
        shard->misses++;
    }
    pz_mutex_unlock(&shard->mutex);
    return page;
}

// Turns the clock until `bytes` fit: a page used since the last turn gets another one.
static void
make_room(struct shard *shard, size_t limit, size_t bytes)
{
    size_t steps = shard->page_count * 2;
    while (shard->hand != NULL && shard->bytes + bytes > limit && steps-- > 0) {
        struct pz_page *page = shard->hand;
        shard->hand = page->next;
        if (page->pins > 0) {
            continue;
        }
        if (page->is_referenced) {
            page->is_referenced = false;
            continue;
        }
        detach(shard, page);
        free(page);
        shard->evictions++;
    }
}

static void
attach(struct shard *shard, struct pz_page *page)
{
    struct pz_page **bucket = &shard->buckets[hash_of(page->owner, page->index) % BUCKETS];
    page->chain = *bucket;
    *bucket = page;
    if (shard->hand == NULL) {
        page->prev = page->next = page;
        shard->hand = page;
    } else { // behind the hand: the last it will come to
        page->next = shard->hand;
        page->prev = shard->hand->prev;
        page->prev->next = page;
        page->next->prev = page;
    }
    page->is_cached = true;
    shard->bytes += cost_of(page);
    shard->page_count++;
}

struct pz_page *
pz__page_cache_offer(struct pz_page_cache *cache, struct pz_page *page)
{
    PZ_ASSERT(page->pins == 1 && !page->is_cached);
    struct shard *shard = shard_of(cache, hash_of(page->owner, page->index));
    struct pz_page *surplus = NULL;
    pz_mutex_lock(&shard->mutex);
    struct pz_page *present = lookup(shard, page->owner, page->index);
    if (present != NULL) {
        present->pins++;
        surplus = page;
        page = present;
    } else if (cost_of(page) <= cache->shard_limit_bytes) {
        make_room(shard, cache->shard_limit_bytes, cost_of(page));
        if (shard->bytes + cost_of(page) <= cache->shard_limit_bytes) {
            attach(shard, page);
        }
    }
    pz_mutex_unlock(&shard->mutex);
    free(surplus);
    return page;
}

void
pz__page_unpin(struct pz_page_cache *cache, struct pz_page *page)
{
    if (cache == NULL) {
        free(page);
        return;
    }
    struct shard *shard = shard_of(cache, hash_of(page->owner, page->index));
    pz_mutex_lock(&shard->mutex);
    PZ_ASSERT(page->pins > 0);
    page->pins--;
    bool is_last = page->pins == 0 && !page->is_cached;
    pz_mutex_unlock(&shard->mutex);
    if (is_last) {
        free(page);
    }
}

void
pz__page_cache_forget(struct pz_page_cache *cache, uint64_t owner)
{
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        pz_mutex_lock(&shard->mutex);
        struct pz_page *page = shard->hand;
        for (size_t left = shard->page_count; left > 0; left--) {
            struct pz_page *next = page->next;
            if (page->owner == owner) {
                PZ_ASSERT(page->pins == 0);
                detach(shard, page);
                free(page);
            }
            page = next;
        }
        pz_mutex_unlock(&shard->mutex);
    }
}

void
pz_page_cache_read_stats(struct pz_page_cache *cache, struct pz_page_cache_stats *out)
{
    *out = (struct pz_page_cache_stats){0};
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        pz_mutex_lock(&shard->mutex);
        out->hits += shard->hits;
        out->misses += shard->misses;
        out->evictions += shard->evictions;
        out->bytes += shard->bytes;
        pz_mutex_unlock(&shard->mutex);
    }
}
