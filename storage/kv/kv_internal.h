// SPDX-License-Identifier: Apache-2.0
// What the files of kv share: LMDB's handles behind the room's types.
#ifndef PZ_STORAGE_KV_KV_INTERNAL_H
#define PZ_STORAGE_KV_KV_INTERNAL_H

#include "storage/kv/kv.h"

#include <lmdb.h>

struct pz_kv_env {
    MDB_env *env;
    char *path;
    uint64_t map_bytes;
    MDB_dbi dbi[PZ_KV_DB_COUNT];
};

struct pz_kv_txn {
    MDB_txn *txn;
    struct pz_kv_env *env;
    bool is_write;
};

const char *pz__kv_db_name(enum pz_kv_db db);

// Turns an LMDB code into a status, with a message "what name: …". PZ_NOT_FOUND fills no error.
enum pz_status pz__kv_fail(struct pz_error *err, int code, const char *what, const char *name);

#endif
