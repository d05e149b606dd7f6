// SPDX-License-Identifier: Apache-2.0
// The page cache: bounded, pinned pages stay, the unused go first.
#include "base/thread.h"
#include "storage/segment/segment_internal.h"
#include "tests/support/test.h"

#define PAGE 10000u

static struct pz_page *
put(struct pz_page_cache *cache, uint64_t owner, uint64_t index)
{
    struct pz_page *page = pz__page_create(owner, index, PAGE);
    memset(page->bytes, (int)(owner * 31 + index), PAGE);
    return pz__page_cache_offer(cache, page);
}

PZ_TEST(pages_are_found_again_until_forgotten)
{
    struct pz_page_cache *cache = pz_page_cache_create(1u << 20);
    struct pz_page_cache_stats stats;
    uint64_t a = pz__page_cache_new_owner(cache);
    uint64_t b = pz__page_cache_new_owner(cache);
    PZ_CHECK(a != b);
    PZ_CHECK(pz__page_cache_find(cache, a, 5) == NULL);
    struct pz_page *first = put(cache, a, 5);
    struct pz_page *other = put(cache, b, 5);
    struct pz_page *again = put(cache, a, 5); // a second thread was slower
    PZ_CHECK(again == first && other != first);
    PZ_CHECK_EQ_U64(first->pins, 2);
    pz__page_unpin(cache, first);
    pz__page_unpin(cache, again);
    pz__page_unpin(cache, other);
    PZ_CHECK(pz__page_cache_find(cache, a, 5) == first);
    pz__page_unpin(cache, first);
    pz__page_cache_forget(cache, a);
    PZ_CHECK(pz__page_cache_find(cache, a, 5) == NULL);
    pz_page_cache_read_stats(cache, &stats);
    PZ_CHECK_EQ_U64(stats.hits, 1);
    PZ_CHECK_EQ_U64(stats.misses, 2);
    PZ_CHECK(stats.bytes > PAGE && stats.bytes < 2 * PAGE);
    pz_page_cache_destroy(cache);
}

PZ_TEST(memory_is_bounded_and_what_is_used_stays)
{
    struct pz_page_cache *cache = pz_page_cache_create(50 * (PAGE + 200));
    struct pz_page_cache_stats stats;
    pz__page_unpin(cache, put(cache, 1, 0));
    for (uint64_t i = 1; i < 1000; i++) {
        pz__page_unpin(cache, put(cache, 1, i));
        struct pz_page *hot = pz__page_cache_find(cache, 1, 0);
        PZ_CHECK_MSG(hot != NULL, "the page in use was evicted at %llu", (unsigned long long)i);
        if (hot != NULL) {
            pz__page_unpin(cache, hot);
        }
        pz_page_cache_read_stats(cache, &stats);
        PZ_CHECK(stats.bytes <= 50 * (PAGE + 200));
    }
    PZ_CHECK(stats.evictions >= 940);
    pz_page_cache_destroy(cache);
}

PZ_TEST(pinned_pages_are_not_evicted)
{
    struct pz_page_cache *cache = pz_page_cache_create(10 * (PAGE + 200));
    struct pz_page *pinned[20];
    for (uint64_t i = 0; i < 20; i++) {
        pinned[i] = put(cache, 1, i); // more than fit: the rest is not kept
    }
    for (uint64_t i = 0; i < 20; i++) {
        PZ_CHECK_EQ_U64(pinned[i]->bytes[PAGE - 1], (uint8_t)(31 + i));
        pz__page_unpin(cache, pinned[i]);
    }
    struct pz_page_cache_stats stats;
    pz_page_cache_read_stats(cache, &stats);
    PZ_CHECK(stats.bytes <= 10 * (PAGE + 200));
    PZ_CHECK_EQ_U64(stats.evictions, 0);
    pz_page_cache_destroy(cache);
}

PZ_TEST(a_page_larger_than_the_cache_is_not_kept)
{
    struct pz_page_cache *cache = pz_page_cache_create(100);
    struct pz_page *page = put(cache, 1, 1);
    PZ_CHECK(!page->is_cached);
    pz__page_unpin(cache, page);
    PZ_CHECK(pz__page_cache_find(cache, 1, 1) == NULL);
    pz_page_cache_destroy(cache);
}

static void *
hammer(void *payload)
{
    struct pz_page_cache *cache = payload;
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed() + (uint64_t)(uintptr_t)&rng);
    for (int i = 0; i < 20000; i++) {
        uint64_t index = pz_rng_below(&rng, 100);
        struct pz_page *page = pz__page_cache_find(cache, 3, index);
        if (page == NULL) {
            page = put(cache, 3, index);
        }
        PZ_CHECK(page->bytes[0] == (uint8_t)(93 + index) &&
                 page->bytes[PAGE - 1] == (uint8_t)(93 + index));
        pz__page_unpin(cache, page);
    }
    return NULL;
}

PZ_TEST(threads_share_it)
{
    struct pz_page_cache *cache = pz_page_cache_create(40 * (PAGE + 200));
    struct pz_thread threads[4];
    for (int i = 0; i < 4; i++) {
        pz_thread_start(&threads[i], "hammer", hammer, cache);
    }
    for (int i = 0; i < 4; i++) {
        pz_thread_join(&threads[i]);
    }
    pz_page_cache_destroy(cache);
}
