// SPDX-License-Identifier: Apache-2.0
// A two-way cache whose entries hold the names themselves, as three words that, given the length,
// no two names share; so a look-up is a few loads and compares in one cache line.
#include "ingest/symbol_cache.h"

#include "base/num.h"

#include <stdlib.h>

#define NAME_BYTES 24u
#define PAIR_COUNT_MIN 128u
#define PAIR_COUNT_MAX 65536u // 4 MiB

struct name {
    uint64_t word[3];
    uint32_t len; // 0 marks a free entry
};

struct pz__symbol_entry {
    uint64_t word[3];
    uint32_t len;
    uint32_t code;
};
struct pz__symbol_pair {
    struct pz__symbol_entry entry[2]; // the one put last comes first
};
_Static_assert(sizeof(struct pz__symbol_pair) == 64, "a pair is one cache line");

void
pz__symbol_cache_init(struct pz__symbol_cache *cache, uint32_t domain_id)
{
    *cache = (struct pz__symbol_cache){.domain_id = domain_id};
}

void
pz__symbol_cache_fini(struct pz__symbol_cache *cache)
{
    free(cache->pairs);
    *cache = (struct pz__symbol_cache){0};
}

// Words overlap where the name is shorter than they are together, so that nothing behind it is
// read.
static inline struct name
name_of(struct pz_str text)
{
    struct name name = {.len = text.len};
    const char *p = text.data;
    const char *end = p + text.len;
    if (text.len > 16) {
        name.word[0] = pz_load_le64(p);
        name.word[1] = pz_load_le64(p + 8);
        name.word[2] = pz_load_le64(end - 8);
    } else if (text.len >= 8) {
        name.word[0] = pz_load_le64(p);
        name.word[1] = pz_load_le64(end - 8);
    } else if (text.len >= 4) {
        name.word[0] = pz_load_le32(p) | (uint64_t)pz_load_le32(end - 4) << 32;
    } else {
        name.word[0] = (uint64_t)(unsigned char)p[0] |
                       (uint64_t)(unsigned char)p[text.len / 2] << 8 |
                       (uint64_t)(unsigned char)end[-1] << 16;
    }
    return name;
}

static inline uint64_t
hash_of(const struct name *name)
{
    uint64_t x = (name->word[0] ^ name->len) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 32 ^ name->word[1]) * UINT64_C(0xc2b2ae3d27d4eb4f);
    x = (x ^ x >> 29 ^ name->word[2]) * UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

static inline bool
is_entry_of(const struct pz__symbol_entry *entry, const struct name *name)
{
    return ((entry->word[0] ^ name->word[0]) | (entry->word[1] ^ name->word[1]) |
            (entry->word[2] ^ name->word[2]) | (entry->len ^ name->len)) == 0;
}

bool
pz__symbol_cache_find(const struct pz__symbol_cache *cache, struct pz_str name, uint32_t *code_out)
{
    if (name.len - 1 >= NAME_BYTES || cache->pair_count == 0) {
        return false;
    }
    struct name wanted = name_of(name);
    const struct pz__symbol_pair *pair = &cache->pairs[hash_of(&wanted) & (cache->pair_count - 1)];
    for (int i = 0; i < 2; i++) {
        if (is_entry_of(&pair->entry[i], &wanted)) {
            *code_out = pair->entry[i].code;
            return true;
        }
    }
    return false;
}

static void
put(struct pz__symbol_cache *cache, const struct name *name, uint32_t code)
{
    struct pz__symbol_pair *pair = &cache->pairs[hash_of(name) & (cache->pair_count - 1)];
    cache->filled += pair->entry[1].len == 0;
    pair->entry[1] = pair->entry[0];
    pair->entry[0] = (struct pz__symbol_entry){
        .word = {name->word[0], name->word[1], name->word[2]}, .len = name->len, .code = code};
}

// More room while the cache fills up. Without memory it stays as it is: it is only a cache.
static void
grow(struct pz__symbol_cache *cache)
{
    uint32_t count = cache->pair_count == 0 ? PAIR_COUNT_MIN : cache->pair_count * 4;
    struct pz__symbol_pair *pairs = aligned_alloc(64, count * sizeof(*pairs));
    if (pairs == NULL) {
        return;
    }
    memset(pairs, 0, count * sizeof(*pairs));
    struct pz__symbol_cache bigger = {
        .domain_id = cache->domain_id, .pairs = pairs, .pair_count = count};
    for (size_t i = 0; i < (size_t)cache->pair_count * 2; i++) {
        const struct pz__symbol_entry *entry = &cache->pairs[i / 2].entry[1 - i % 2];
        if (entry->len != 0) {
            const struct name name = {{entry->word[0], entry->word[1], entry->word[2]}, entry->len};
            put(&bigger, &name, entry->code);
        }
    }
    free(cache->pairs);
    *cache = bigger;
}

void
pz__symbol_cache_put(struct pz__symbol_cache *cache, struct pz_str name, uint32_t code)
{
    if (name.len - 1 >= NAME_BYTES) {
        return;
    }
    // Pairs of which half are full already throw out names that are still in use.
    if (cache->pair_count == 0 ||
        (cache->filled > cache->pair_count / 2 && cache->pair_count < PAIR_COUNT_MAX)) {
        grow(cache);
    }
    if (cache->pair_count > 0) {
        struct name words = name_of(name);
        put(cache, &words, code);
    }
}
