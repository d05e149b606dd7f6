// SPDX-License-Identifier: Apache-2.0
// Recently met symbols of one domain, in front of the store's shared table: no lock and one cache
// line for most values.
#ifndef PZ_INGEST_SYMBOL_CACHE_H
#define PZ_INGEST_SYMBOL_CACHE_H

#include "base/str.h"

// Symbols of 1 to 24 bytes are remembered; others are looked up in the store each time.
//
// Ownership  `init` takes nothing; memory comes with the first symbol. One thread at a time.
struct pz__symbol_cache {
    uint32_t domain_id;
    struct pz__symbol_pair *pairs;
    uint32_t pair_count; // a power of two; 0 before the first symbol
    uint32_t filled;     // entries in use
};
void pz__symbol_cache_init(struct pz__symbol_cache *cache, uint32_t domain_id);
void pz__symbol_cache_fini(struct pz__symbol_cache *cache);
bool pz__symbol_cache_find(const struct pz__symbol_cache *cache, struct pz_str name,
                           uint32_t *code_out);
// Remembers a symbol that was not found, perhaps in place of another one.
void pz__symbol_cache_put(struct pz__symbol_cache *cache, struct pz_str name, uint32_t code);

#endif
