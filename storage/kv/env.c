// SPDX-License-Identifier: Apache-2.0
// The LMDB environment and its transactions.
//
// LMDB 0.9 is used without WRITEMAP, NOSYNC and MAPASYNC (but for ephemeral test stores), with
// NOTLS so that read transactions belong to objects and not to threads. All databases are opened
// once, at start.
#include "storage/kv/kv_internal.h"

#include "base/arena.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/num.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

static const char *const db_names[PZ_KV_DB_COUNT] = {
    [PZ_KV_META] = "meta",
    [PZ_KV_CATALOG] = "catalog",
    [PZ_KV_SYMBOLS] = "symbols",
    [PZ_KV_TAIL] = "tail",
    [PZ_KV_DELETED] = "deleted",
    [PZ_KV_FEED] = "feed",
    [PZ_KV_FEED_ORDER] = "feed_order",
    [PZ_KV_FEED_BY_USER] = "feed_by_user",
};

const char *
pz__kv_db_name(enum pz_kv_db db)
{
    return db_names[db];
}

enum pz_status
pz__kv_fail(struct pz_error *err, int code, const char *what, const char *name)
{
    switch (code) {
    case MDB_NOTFOUND:
        return PZ_NOT_FOUND;
    case MDB_MAP_FULL:
        pz_fail(err, PZ_FULL, "%s %s: plaza.mdb may not grow any more", what, name);
        pz_error_hint(err, "set PLAZA_MAP_BYTES to more bytes and restart");
        return PZ_FULL;
    case ENOSPC:
    case EDQUOT:
        pz_fail(err, PZ_FULL, "%s %s: %s", what, name, mdb_strerror(code));
        pz_error_hint(err, "free disk space and restart");
        return PZ_FULL;
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
        pz_fail(err, PZ_CORRUPT, "%s %s: %s", what, name, mdb_strerror(code));
        pz_error_hint(err, "restore the data directory from a backup; nothing was changed");
        return PZ_CORRUPT;
    default:
        return pz_fail(err, PZ_IO, "%s %s: %s", what, name, mdb_strerror(code));
    }
}

static uint64_t
chosen_map_bytes(const struct pz_kv_options *options)
{
    uint64_t map_bytes = options->map_bytes;
    const char *text = getenv("PLAZA_MAP_BYTES");
    if (map_bytes == 0 && text != NULL) {
        (void)pz_parse_u64(pz_str_from(text), &map_bytes);
    }
    return map_bytes == 0 ? UINT64_C(1) << 40 : map_bytes;
}

// Machines with little address space refuse the default: halve until it fits.
static int
open_with_map(struct pz_kv_env *env, const struct pz_kv_options *options, unsigned flags)
{
    uint64_t map_bytes = chosen_map_bytes(options);
    int code = EINVAL;
    for (; map_bytes >= (UINT64_C(1) << 24); map_bytes /= 2) {
        code = mdb_env_create(&env->env);
        if (code != 0) {
            return code;
        }
        pz__kv_watch_env(env);
        (void)mdb_env_set_mapsize(env->env, map_bytes);
        (void)mdb_env_set_maxdbs(env->env, PZ_KV_DB_COUNT + 1);
        (void)mdb_env_set_maxreaders(
            env->env, options->reader_count_max == 0 ? 512 : options->reader_count_max);
        code = mdb_env_open(env->env, env->path, flags, 0640);
        if (code == 0) {
            MDB_envinfo info;
            // LMDB maps all of a file that is larger.
            env->map_bytes = mdb_env_info(env->env, &info) == 0 ? info.me_mapsize : map_bytes;
            return 0;
        }
        mdb_env_close(env->env); // required even after a failed open
        env->env = NULL;
        if (code != ENOMEM && code != EINVAL) {
            return code;
        }
    }
    return code;
}

static enum pz_status
open_databases(struct pz_kv_env *env, bool create, struct pz_error *err)
{
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(env->env, NULL, create ? 0 : MDB_RDONLY, &txn);
    for (int db = 0; code == 0 && db < PZ_KV_DB_COUNT; db++) {
        code = mdb_dbi_open(txn, db_names[db], create ? MDB_CREATE : 0, &env->dbi[db]);
    }
    if (code == 0) {
        code = mdb_txn_commit(txn);
    } else if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    if (code == MDB_NOTFOUND) {
        return pz_fail(err, PZ_CORRUPT, "open %s: it is no plaza store (a database is missing)",
                       env->path);
    }
    return code == 0 ? PZ_OK : pz__kv_fail(err, code, "open", env->path);
}

// LMDB would take an empty file for a new environment and write to it.
static enum pz_status
refuse_empty(const char *path, struct pz_error *err)
{
    struct pz_file file;
    uint64_t bytes = 0;
    PZ_TRY(pz_file_open(path, PZ_FILE_READ_FOLLOW, &file, err));
    enum pz_status status = pz_file_size(&file, &bytes, path, err);
    pz_file_discard(&file);
    return status == PZ_OK && bytes == 0 ? pz_fail(err, PZ_CORRUPT, "open %s: it is empty", path)
                                         : status;
}

enum pz_status
pz_kv_open(const char *path, bool create, const struct pz_kv_options *options,
           struct pz_kv_env **env_out, struct pz_error *err)
{
    *env_out = NULL;
    if (!create && !pz_path_exists(path)) {
        return pz_fail(err, PZ_CORRUPT, "open %s: the file is missing", path);
    }
    if (!create) {
        PZ_TRY(refuse_empty(path, err));
        PZ_TRY(pz__kv_check_pages(path, options->is_thorough, err));
    }
    struct pz_kv_env *env = pz_xcalloc(1, sizeof *env);
    env->path = pz_xstrdup(path);
    unsigned flags = MDB_NOTLS | MDB_NOSUBDIR;
    if (options->is_ephemeral) {
        flags |= MDB_NOSYNC | MDB_NOMETASYNC; /* L1: throw-away stores of tests only */
    }
    enum pz_status status = PZ_OK;
    pz__kv_watch(env);
    pz__kv_enter(env);
    int code = pz__kv_leave(open_with_map(env, options, flags));
    if (code != 0) {
        status = pz__kv_fail(err, code, "open", path);
        goto out;
    }
    int dead_count = 0;
    (void)mdb_reader_check(env->env, &dead_count);
    pz__kv_enter(env);
    status = open_databases(env, create, err);
    if (status == PZ_OK) {
        pz__kv_watch_map(env);
    }
    (void)pz__kv_leave(0);
out:
    if (status != PZ_OK) {
        pz_kv_close(env);
        return status;
    }
    *env_out = env;
    return PZ_OK;
}

void
pz_kv_close(struct pz_kv_env *env)
{
    if (env == NULL) {
        return;
    }
    if (env->env != NULL) {
        mdb_env_close(env->env);
    }
    pz__kv_unwatch(env);
    free(env->path);
    free(env);
}

uint64_t
pz_kv_used_bytes(struct pz_kv_env *env)
{
    MDB_envinfo info;
    MDB_stat stat;
    if (mdb_env_info(env->env, &info) != 0 || mdb_env_stat(env->env, &stat) != 0) {
        return 0;
    }
    return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

uint64_t
pz_kv_map_bytes(struct pz_kv_env *env)
{
    return env->map_bytes;
}

static enum pz_status
begin(struct pz_kv_env *env, unsigned flags, struct pz_kv_txn **txn_out, struct pz_error *err)
{
    *txn_out = NULL;
    struct pz_kv_txn *txn = pz_xcalloc(1, sizeof *txn);
    pz__kv_enter(env);
    int code = pz__kv_leave(mdb_txn_begin(env->env, NULL, flags, &txn->txn));
    if (code == MDB_READERS_FULL) {
        free(txn);
        return pz_fail(err, PZ_BUSY, "all reader slots of %s are taken", env->path);
    }
    if (code != 0) {
        free(txn);
        return pz__kv_fail(err, code, "begin a transaction on", env->path);
    }
    txn->env = env;
    txn->is_write = (flags & MDB_RDONLY) == 0;
    *txn_out = txn;
    return PZ_OK;
}

enum pz_status
pz_kv_begin_read(struct pz_kv_env *env, struct pz_kv_txn **txn_out, struct pz_error *err)
{
    return begin(env, MDB_RDONLY, txn_out, err);
}

enum pz_status
pz_kv_begin_write(struct pz_kv_env *env, struct pz_kv_txn **txn_out, struct pz_error *err)
{
    return begin(env, 0, txn_out, err);
}

enum pz_status
pz_kv_commit(struct pz_kv_txn *txn, struct pz_error *err)
{
    struct pz_kv_env *env = txn->env;
    int code = pz_fault_visit(PZ_FAULT_kv_commit_before);
    if (code != 0) {
        mdb_txn_abort(txn->txn);
    } else {
        pz__kv_enter(env);
        code = pz__kv_leave(mdb_txn_commit(txn->txn));
    }
    if (code == 0) {
        code = pz_fault_visit(PZ_FAULT_kv_commit_after);
    }
    free(txn);
    if (code == 0) {
        return PZ_OK;
    }
    // LMDB finds out before it writes anything.
    if (code == MDB_MAP_FULL) {
        return pz__kv_fail(err, code, "commit to", env->path);
    }
    // LMDB turns a short write into EIO; a disk without space is the likelier cause then.
    if (code == EIO && pz_disk_free_bytes(env->path) < (1u << 20)) {
        code = ENOSPC;
    }
    (void)pz__kv_fail(err, code, "commit to", env->path);
    if (err != NULL) {
        err->status = PZ_IO;
    }
    return PZ_IO;
}

void
pz_kv_abort(struct pz_kv_txn *txn)
{
    if (txn == NULL) {
        return;
    }
    mdb_txn_abort(txn->txn);
    free(txn);
}
