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
    uintptr_t map_begin;        // 0 = not known
    struct pz__kv_map *watched; // mapped.c
};

struct pz_kv_txn {
    MDB_txn *txn;
    struct pz_kv_env *env;
    bool is_write;
};

const char *pz__kv_db_name(enum pz_kv_db db);

// Whether the file's pages are all there, without mapping it: PZ_CORRUPT says what is damaged. With
// `is_thorough`, also whether each of them is what LMDB would take it for. (pages.c)
// Cost     two reads of a sound file; thoroughly, a read of each page that is not free
PZ_MUST_USE enum pz_status pz__kv_check_pages(const char *path, bool is_thorough,
                                              struct pz_error *err);
// Damage that LMDB meets later ends the process with a message. (mapped.c) In this order:
void pz__kv_watch(struct pz_kv_env *env);     // begins
void pz__kv_watch_env(struct pz_kv_env *env); // LMDB's assertions; before it opens its file
void pz__kv_watch_map(struct pz_kv_env *env); // faults in the map; once databases are open
void pz__kv_unwatch(struct pz_kv_env *env);   // ends
// A fault between enter and leave is for the environment's damage, wherever it points: LMDB may
// follow anything that a damaged page says. By the thread that calls LMDB.
extern _Thread_local const struct pz__kv_map *pz__kv_inside;
static inline void
pz__kv_enter(const struct pz_kv_env *env)
{
    pz__kv_inside = env->watched;
}
static inline int
pz__kv_leave(int code)
{
    pz__kv_inside = NULL;
    return code;
}

// Turns an LMDB code into a status, with a message "what name: …". PZ_NOT_FOUND fills no error.
enum pz_status pz__kv_fail(struct pz_error *err, int code, const char *what, const char *name);

#endif
