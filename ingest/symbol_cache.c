// SPDX-License-Identifier: Apache-2.0
// A two-way cache of symbols whose entries hold the name itself, padded with zeros to 28 bytes with
// its length, so that one comparison of 32 bytes decides.
#include "ingest/symbol_cache.h"

#include "base/hash.h"

#include <stdlib.h>

#define NAME_BYTES 27u
#define SET_COUNT_MIN 128u
#define SET_COUNT_MAX 65536u // 4 MiB

// The name as four words: 27 bytes, then its length + 1 (0 marks a free entry), then zeros for the
// code's place.
struct name_words {
    uint64_t word[4];
};

struct pz__symbol_entry {
    struct name_words name; // the last 4 bytes are zero
    uint32_t code;
};

void
pz__symbol_cache_init(struct pz__symbol_cache *cache, uint32_t domain_id)
{
    *cache = (struct pz__symbol_cache){.domain_id = domain_id};
}

void
pz__symbol_cache_fini(struct pz__symbol_cache *cache)
{
    free(cache->entries);
    *cache = (struct pz__symbol_cache){0};
}

static struct name_words
words_of(struct pz_str name)
{
    struct name_words words = {{0}};
    char *bytes = (char *)words.word;
    memcpy(bytes, name.data, name.len);
    bytes[NAME_BYTES] = (char)(name.len + 1);
    return words;
}

static uint64_t
hash_of(const struct name_words *words)
{
    uint64_t a = words->word[0] * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t b = words->word[1] * UINT64_C(0xc2b2ae3d27d4eb4f);
    uint64_t c = words->word[2] * UINT64_C(0x165667b19e3779f9);
    uint64_t d = words->word[3] * UINT64_C(0xd6e8feb86659fd93);
    return pz_hash_u64(a ^ (b >> 29 | b << 35) ^ (c >> 17 | c << 47) ^ (d >> 41 | d << 23));
}

static bool
words_equal(const struct name_words *a, const struct name_words *b)
{
    return ((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) | (a->word[2] ^ b->word[2]) |
            (a->word[3] ^ b->word[3])) == 0;
}

// The first of a pair is the one met last.
static void
put(struct pz__symbol_cache *cache, const struct name_words *words, uint32_t code)
{
    struct pz__symbol_entry *pair = &cache->entries[(hash_of(words) & (cache->set_count - 1)) * 2];
    cache->filled += pair[1].name.word[3] == 0;
    pair[1] = pair[0];
    pair[0] = (struct pz__symbol_entry){.name = *words, .code = code};
}

// More room while the cache fills up. Without memory it stays as it is: it is only a cache.
static void
grow(struct pz__symbol_cache *cache)
{
    uint32_t set_count = cache->set_count == 0 ? SET_COUNT_MIN : cache->set_count * 4;
    struct pz__symbol_entry *entries = calloc((size_t)set_count * 2, sizeof(*entries));
    if (entries == NULL) {
        return;
    }
    struct pz__symbol_cache bigger = {
        .domain_id = cache->domain_id, .entries = entries, .set_count = set_count};
    for (size_t i = 0; i < (size_t)cache->set_count * 2; i++) {
        if (cache->entries[i].name.word[3] != 0) {
            put(&bigger, &cache->entries[i].name, cache->entries[i].code);
        }
    }
    free(cache->entries);
    *cache = bigger;
}

enum pz_status
pz__symbol_cache_get(struct pz__symbol_cache *cache, struct pz_store *store, struct pz_str name,
                     uint32_t *code_out, struct pz_error *err)
{
    if (name.len > NAME_BYTES || name.len == 0) {
        return pz_symbol_intern(store, cache->domain_id, name, code_out, err);
    }
    struct name_words words = words_of(name);
    if (cache->set_count > 0) {
        const struct pz__symbol_entry *pair =
            &cache->entries[(hash_of(&words) & (cache->set_count - 1)) * 2];
        for (int i = 0; i < 2; i++) {
            if (words_equal(&pair[i].name, &words)) {
                *code_out = pair[i].code;
                return PZ_OK;
            }
        }
    }
    PZ_TRY(pz_symbol_intern(store, cache->domain_id, name, code_out, err));
    // Half full pairs already throw out names that are still in use.
    if (cache->set_count == 0 ||
        (cache->filled > cache->set_count / 2 && cache->set_count < SET_COUNT_MAX)) {
        grow(cache);
    }
    if (cache->set_count > 0) {
        put(cache, &words, *code_out);
    }
    return PZ_OK;
}
