// SPDX-License-Identifier: Apache-2.0
// The catalog in LMDB: which tables, domains and segments exist, and small facts about them.
//
//     PZ_KV_CATALOG   't' | table id be32                       table definition
//                     'd' | domain id be32                      domain name
//                     's' | table id be32 | segment id be64     segment facts
//     PZ_KV_DELETED   'T' | table id be32 | row number be64     a hidden row of the tail (no value)
//                     'S' | table id be32 | segment id be64 | block be32   hidden rows of a block:
//                           kind u8: 1 = row positions (u16 each), 2 = bit set of the block
//     PZ_KV_META      "store/" name                             u64
#ifndef PZ_STORAGE_CATALOG_RECORDS_H
#define PZ_STORAGE_CATALOG_RECORDS_H

#include "storage/column/schema.h"
#include "storage/kv/kv.h"

struct pz_segment_info;

// A definition in one allocation of its own; free() releases it whole.
struct pz_table_def *pz_table_def_copy(const struct pz_table_def *def);

PZ_MUST_USE enum pz_status
pz_catalog_put_table(struct pz_kv_txn *txn, const struct pz_table_def *def, struct pz_error *err);
PZ_MUST_USE enum pz_status pz_catalog_delete_table(struct pz_kv_txn *txn, uint32_t table_id,
                                                   struct pz_error *err);
PZ_MUST_USE enum pz_status pz_catalog_put_domain(struct pz_kv_txn *txn, uint32_t domain_id,
                                                 struct pz_str name, struct pz_error *err);
PZ_MUST_USE enum pz_status pz_catalog_put_segment(struct pz_kv_txn *txn,
                                                  const struct pz_segment_info *info,
                                                  struct pz_error *err);
PZ_MUST_USE enum pz_status pz_catalog_put_deleted(struct pz_kv_txn *txn, uint32_t table_id,
                                                  uint64_t segment_id, uint32_t block,
                                                  const uint64_t *bits, struct pz_error *err);
PZ_MUST_USE enum pz_status pz_catalog_put_deleted_tail(struct pz_kv_txn *txn, uint32_t table_id,
                                                       uint64_t row_number, struct pz_error *err);
// Forgets the hidden rows of the tail below `row_number_end`.
PZ_MUST_USE enum pz_status pz_catalog_trim_deleted_tail(struct pz_kv_txn *txn, uint32_t table_id,
                                                        uint64_t row_number_end,
                                                        struct pz_error *err);

// Small facts. Reading an absent one gives 0.
PZ_MUST_USE enum pz_status pz_catalog_put_fact(struct pz_kv_txn *txn, const char *name,
                                               uint64_t value, struct pz_error *err);
PZ_MUST_USE enum pz_status pz_catalog_get_fact(struct pz_kv_txn *txn, const char *name,
                                               uint64_t *value_out, struct pz_error *err);

// What a walk over the catalog finds; members that are NULL are skipped. `def` is the
// receiver's to free. Deleted bits are valid for the call.
struct pz_catalog_visitor {
    void *payload;
    enum pz_status (*domain)(void *payload, uint32_t domain_id, struct pz_str name,
                             struct pz_error *err);
    enum pz_status (*table)(void *payload, struct pz_table_def *def, struct pz_error *err);
    enum pz_status (*segment)(void *payload, const struct pz_segment_info *info,
                              struct pz_error *err);
    enum pz_status (*deleted)(void *payload, uint32_t table_id, uint64_t segment_id, uint32_t block,
                              const uint64_t *bits, struct pz_error *err);
    enum pz_status (*deleted_tail)(void *payload, uint32_t table_id, uint64_t row_number,
                                   struct pz_error *err);
};
// Domains first, then tables, segments, hidden rows.
PZ_MUST_USE enum pz_status pz_catalog_walk(struct pz_kv_txn *txn,
                                           const struct pz_catalog_visitor *visitor,
                                           struct pz_error *err);

#endif
