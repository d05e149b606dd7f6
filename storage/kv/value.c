// SPDX-License-Identifier: Apache-2.0
// Checked values and cursors. A stored value is the caller's bytes followed by 4 bytes: the low
// half of XXH3 over the value, seeded by the hash of the key, little-endian.
#include "base/hash.h"
#include "base/num.h"
#include "storage/kv/kv_internal.h"

#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECKSUM_BYTES 4u
#define KEY_LEN_MAX 511u

struct pz_kv_cursor {
    MDB_cursor *cursor;
    const struct pz_kv_env *env;
    enum pz_kv_db db;
    bool is_write;
};

static uint32_t
checksum(const void *key, size_t key_len, const void *value, size_t value_len)
{
    return (uint32_t)pz_hash_bytes_seeded(value, value_len, pz_hash_bytes(key, key_len));
}

static void
key_to_text(const void *key, size_t key_len, char out[65])
{
    const unsigned char *bytes = key;
    size_t shown = key_len < 32 ? key_len : 32;
    for (size_t i = 0; i < shown; i++) {
        (void)snprintf(out + i * 2, 3, "%02x", bytes[i]);
    }
    out[shown * 2] = '\0';
}

// A damaged page can tell of more bytes than the map has. What a transaction has changed is
// elsewhere in memory.
static bool
is_in_bounds(const struct pz_kv_env *env, const MDB_val *value)
{
    uintptr_t at = (uintptr_t)value->mv_data;
    uintptr_t end = env->map_begin + env->map_bytes;
    return at < env->map_begin || at >= end || value->mv_size <= end - at;
}

static enum pz_status
verify(const struct pz_kv_env *env, enum pz_kv_db db, const MDB_val *key, const MDB_val *stored,
       struct pz_bytes *value_out, struct pz_error *err)
{
    size_t len = stored->mv_size < CHECKSUM_BYTES ? 0 : stored->mv_size - CHECKSUM_BYTES;
    const char *bytes = stored->mv_data;
    if (stored->mv_size < CHECKSUM_BYTES || !is_in_bounds(env, stored) ||
        pz_load_le32(bytes + len) != checksum(key->mv_data, key->mv_size, bytes, len)) {
        char text[65];
        key_to_text(key->mv_data, key->mv_size, text);
        pz_fail(err, PZ_CORRUPT, "database %s: the value of key %s fails its checksum",
                pz__kv_db_name(db), text);
        pz_error_hint(err, "restore the data directory from a backup");
        return PZ_CORRUPT;
    }
    *value_out = (struct pz_bytes){bytes, len};
    return PZ_OK;
}

enum pz_status
pz_kv_get(struct pz_kv_txn *txn, enum pz_kv_db db, const void *key, size_t key_len,
          struct pz_bytes *value_out, struct pz_error *err)
{
    MDB_val mdb_key = {key_len, (void *)(uintptr_t)key};
    MDB_val mdb_value;
    pz__kv_enter(txn->env);
    int code = pz__kv_leave(mdb_get(txn->txn, txn->env->dbi[db], &mdb_key, &mdb_value));
    if (code != 0) {
        return pz__kv_fail(err, code, "read from", pz__kv_db_name(db));
    }
    return verify(txn->env, db, &mdb_key, &mdb_value, value_out, err);
}

enum pz_status
pz_kv_put(struct pz_kv_txn *txn, enum pz_kv_db db, enum pz_kv_put_mode mode, struct pz_bytes key,
          struct pz_bytes value, struct pz_error *err)
{
    PZ_ASSERT(txn->is_write && key.len >= 1 && key.len <= KEY_LEN_MAX);
    MDB_val mdb_key = {key.len, (void *)(uintptr_t)key.data};
    MDB_val mdb_value = {value.len + CHECKSUM_BYTES, NULL};
    unsigned flags = MDB_RESERVE | (mode == PZ_KV_PUT_APPEND ? MDB_APPEND : 0);
    uint32_t sum = checksum(key.data, key.len, value.data, value.len);
    pz__kv_enter(txn->env);
    int code = pz__kv_leave(mdb_put(txn->txn, txn->env->dbi[db], &mdb_key, &mdb_value, flags));
    if (code == MDB_KEYEXIST) {
        return pz_fail(err, PZ_INTERNAL, "database %s: append of a key that is not the largest",
                       pz__kv_db_name(db));
    }
    if (code != 0) {
        return pz__kv_fail(err, code, "write to", pz__kv_db_name(db));
    }
    char *out = mdb_value.mv_data;
    if (value.len > 0) {
        memcpy(out, value.data, value.len);
    }
    pz_store_le32(out + value.len, sum);
    return PZ_OK;
}

enum pz_status
pz_kv_delete(struct pz_kv_txn *txn, enum pz_kv_db db, const void *key, size_t key_len,
             struct pz_error *err)
{
    PZ_ASSERT(txn->is_write);
    MDB_val mdb_key = {key_len, (void *)(uintptr_t)key};
    pz__kv_enter(txn->env);
    int code = pz__kv_leave(mdb_del(txn->txn, txn->env->dbi[db], &mdb_key, NULL));
    if (code == 0 || code == MDB_NOTFOUND) {
        return PZ_OK;
    }
    return pz__kv_fail(err, code, "delete from", pz__kv_db_name(db));
}

enum pz_status
pz_kv_cursor_open(struct pz_kv_txn *txn, enum pz_kv_db db, struct pz_kv_cursor **cursor_out,
                  struct pz_error *err)
{
    *cursor_out = NULL;
    struct pz_kv_cursor *cursor = pz_xcalloc(1, sizeof *cursor);
    int code = mdb_cursor_open(txn->txn, txn->env->dbi[db], &cursor->cursor);
    if (code != 0) {
        free(cursor);
        return pz__kv_fail(err, code, "open a cursor on", pz__kv_db_name(db));
    }
    cursor->env = txn->env;
    cursor->db = db;
    cursor->is_write = txn->is_write;
    *cursor_out = cursor;
    return PZ_OK;
}

void
pz_kv_cursor_close(struct pz_kv_cursor *cursor)
{
    if (cursor == NULL) {
        return;
    }
    mdb_cursor_close(cursor->cursor);
    free(cursor);
}

static int
move(struct pz_kv_cursor *cursor, enum pz_kv_seek seek, MDB_val *key, MDB_val *value)
{
    switch (seek) {
    case PZ_KV_FIRST:
        return mdb_cursor_get(cursor->cursor, key, value, MDB_FIRST);
    case PZ_KV_LAST:
        return mdb_cursor_get(cursor->cursor, key, value, MDB_LAST);
    case PZ_KV_NEXT:
        return mdb_cursor_get(cursor->cursor, key, value, MDB_NEXT);
    case PZ_KV_PREV:
        return mdb_cursor_get(cursor->cursor, key, value, MDB_PREV);
    case PZ_KV_AT_OR_AFTER:
        return mdb_cursor_get(cursor->cursor, key, value, MDB_SET_RANGE);
    case PZ_KV_BEFORE: {
        int code = mdb_cursor_get(cursor->cursor, key, value, MDB_SET_RANGE);
        if (code != 0 && code != MDB_NOTFOUND) {
            return code;
        }
        return mdb_cursor_get(cursor->cursor, key, value, code == 0 ? MDB_PREV : MDB_LAST);
    }
    }
    PZ_UNREACHABLE("every seek is listed");
}

enum pz_status
pz_kv_cursor_move(struct pz_kv_cursor *cursor, enum pz_kv_seek seek, struct pz_bytes key,
                  struct pz_bytes *key_out, struct pz_bytes *value_out, struct pz_error *err)
{
    MDB_val mdb_key = {key.len, (void *)(uintptr_t)key.data};
    MDB_val mdb_value = {0, NULL};
    pz__kv_enter(cursor->env);
    int code = pz__kv_leave(move(cursor, seek, &mdb_key, &mdb_value));
    if (code != 0) {
        return pz__kv_fail(err, code, "read from", pz__kv_db_name(cursor->db));
    }
    if (key_out != NULL) {
        *key_out = (struct pz_bytes){mdb_key.mv_data, mdb_key.mv_size};
    }
    return value_out == NULL
               ? PZ_OK
               : verify(cursor->env, cursor->db, &mdb_key, &mdb_value, value_out, err);
}

enum pz_status
pz_kv_cursor_delete(struct pz_kv_cursor *cursor, struct pz_error *err)
{
    PZ_ASSERT(cursor->is_write);
    pz__kv_enter(cursor->env);
    int code = pz__kv_leave(mdb_cursor_del(cursor->cursor, 0));
    return code == 0 ? PZ_OK : pz__kv_fail(err, code, "delete from", pz__kv_db_name(cursor->db));
}
