// SPDX-License-Identifier: Apache-2.0
// Domains: symbol dictionaries shared by all columns of one meaning.
//
// Names and their hash index stand in memory, built at start; LMDB keeps the names in runs, in
// order of code. A symbol is added in memory by whoever meets it first and persisted by the next
// commit, so a row never becomes durable before the symbols it uses. Codes are dense and never
// change.
//
// Threads: lookups, additions and names from any thread; persist from the writer only.
#ifndef PZ_STORAGE_CATALOG_SYMBOLS_H
#define PZ_STORAGE_CATALOG_SYMBOLS_H

#include "base/str.h"
#include "storage/kv/kv.h"

struct pz_domain;
struct pz_domain *pz_domain_create(uint32_t domain_id);
void pz_domain_destroy(struct pz_domain *domain); // NULL is ignored
PZ_MUST_USE enum pz_status pz_domain_load(struct pz_domain *domain, struct pz_kv_txn *txn,
                                          struct pz_error *err);

uint32_t pz_domain_count(const struct pz_domain *domain);
struct pz_str pz_domain_name(const struct pz_domain *domain, uint32_t code); // code < count
// Whether the name obeys PZ_RULE_NAME: looked at once, when it is added. code < count.
bool pz_domain_is_feed_name(const struct pz_domain *domain, uint32_t code);
bool pz_domain_find(struct pz_domain *domain, struct pz_str name, uint32_t *code_out);
PZ_MUST_USE enum pz_status pz_domain_intern(struct pz_domain *domain, struct pz_str name,
                                            uint32_t *code_out, struct pz_error *err);

// Puts the symbols that no commit holds yet into `txn`; *written_out tells whether there were any.
// After the commit: persisted(); when it was aborted nothing needs to be done.
PZ_MUST_USE enum pz_status pz_domain_persist(struct pz_domain *domain, struct pz_kv_txn *txn,
                                             bool *written_out, struct pz_error *err);
void pz_domain_persisted(struct pz_domain *domain);

#endif
