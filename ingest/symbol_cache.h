// SPDX-License-Identifier: Apache-2.0
// Recently met symbols of one domain, in front of the store's shared table: no lock and one cache
// line for most values.
#ifndef PZ_INGEST_SYMBOL_CACHE_H
#define PZ_INGEST_SYMBOL_CACHE_H

#include "storage/store.h"

// Symbols up to 27 bytes are remembered; longer ones are asked for each time.
//
// Ownership  `init` takes nothing; memory comes with the first symbol. One thread at a time.
struct pz__symbol_cache {
    uint32_t domain_id;
    struct pz__symbol_entry *entries; // two for each set
    uint32_t set_count;               // a power of two; 0 before the first symbol
    uint32_t filled;
};
void pz__symbol_cache_init(struct pz__symbol_cache *cache, uint32_t domain_id);
void pz__symbol_cache_fini(struct pz__symbol_cache *cache);
// Finds or adds, as pz_symbol_intern.
PZ_MUST_USE enum pz_status pz__symbol_cache_get(struct pz__symbol_cache *cache,
                                                struct pz_store *store, struct pz_str name,
                                                uint32_t *code_out, struct pz_error *err);

#endif
