// SPDX-License-Identifier: Apache-2.0
// The only room that sees lmdb.h: environments, transactions, checked values.
//
// Every value is stored with a 4-byte checksum over key and value (LMDB 0.9 has none); kv adds
// it on put and verifies it on each read: PZ_CORRUPT names the database and the key.
// Durable by default: a commit is on stable storage when it returns.
//
// Threads: one thread begins, fills and commits all write transactions (the writer). Read
// transactions are short, may be begun on any thread and used by one at a time.
#ifndef PZ_STORAGE_KV_KV_H
#define PZ_STORAGE_KV_KV_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

enum pz_kv_db {
    PZ_KV_META,         // small facts: commit number, watermarks
    PZ_KV_CATALOG,      // tables, domains, segments
    PZ_KV_SYMBOLS,      // domain id be32 | first code be32 → names
    PZ_KV_TAIL,         // table id be32 | first row number be64 → chunk
    PZ_KV_DELETED,      // rows hidden by DELETE
    PZ_KV_FEED,         // message id be64 | kind … → message, counters, likes (see feed/base.c)
    PZ_KV_FEED_ORDER,   // created_at ^ sign be64 | message id be64 → nothing
    PZ_KV_FEED_BY_USER, // user code be32 | created_at ^ sign be64 | message id be64 → nothing
    PZ_KV_DB_COUNT
};

struct pz_kv_env;
struct pz_kv_txn;
struct pz_kv_cursor;

// A borrowed byte range. What a read returns is valid until the transaction ends, and in a
// write transaction until its next write.
struct pz_bytes {
    const void *data;
    size_t len;
};

struct pz_kv_options {
    uint64_t map_bytes;        // 0 = 1 TiB, or PLAZA_MAP_BYTES from the environment
    uint32_t reader_count_max; // 0 = 512
    bool is_ephemeral;         // tests and benchmarks only: commits are not made durable
    bool is_thorough;          // look at each page before LMDB maps the file
};

// Opens (and with `create`, makes) the environment file at `path` (one file, plus "-lock").
// PZ_CORRUPT when the bytes do not parse, or some are missing at the end: never re-created over.
// Damage that shows later, in the map, ends the process: with a message and exit code 65.
PZ_MUST_USE enum pz_status pz_kv_open(const char *path, bool create,
                                      const struct pz_kv_options *options,
                                      struct pz_kv_env **env_out, struct pz_error *err);
void pz_kv_close(struct pz_kv_env *env);
uint64_t pz_kv_used_bytes(struct pz_kv_env *env);
uint64_t pz_kv_map_bytes(struct pz_kv_env *env);

PZ_MUST_USE enum pz_status pz_kv_begin_read(struct pz_kv_env *env, struct pz_kv_txn **txn_out,
                                            struct pz_error *err);
PZ_MUST_USE enum pz_status pz_kv_begin_write(struct pz_kv_env *env, struct pz_kv_txn **txn_out,
                                             struct pz_error *err);
// Frees the transaction in any case. PZ_FULL when the map is full: nothing was committed, and
// writing may go on. PZ_IO means "outcome unknown", also when it is the disk that is full: the
// caller must stop writing.
PZ_MUST_USE enum pz_status pz_kv_commit(struct pz_kv_txn *txn, struct pz_error *err);
void pz_kv_abort(struct pz_kv_txn *txn); // also ends a read; NULL is ignored

// PZ_NOT_FOUND (with err untouched) when the key is absent.
PZ_MUST_USE enum pz_status pz_kv_get(struct pz_kv_txn *txn, enum pz_kv_db db, const void *key,
                                     size_t key_len, struct pz_bytes *value_out,
                                     struct pz_error *err);
enum pz_kv_put_mode {
    PZ_KV_PUT,        // insert or overwrite
    PZ_KV_PUT_APPEND, // the key is larger than any other of the database
};
PZ_MUST_USE enum pz_status pz_kv_put(struct pz_kv_txn *txn, enum pz_kv_db db,
                                     enum pz_kv_put_mode mode, struct pz_bytes key,
                                     struct pz_bytes value, struct pz_error *err);
// Absent keys are PZ_OK.
PZ_MUST_USE enum pz_status pz_kv_delete(struct pz_kv_txn *txn, enum pz_kv_db db, const void *key,
                                        size_t key_len, struct pz_error *err);

// Cursors of read and write transactions; close before the transaction ends.
PZ_MUST_USE enum pz_status pz_kv_cursor_open(struct pz_kv_txn *txn, enum pz_kv_db db,
                                             struct pz_kv_cursor **cursor_out,
                                             struct pz_error *err);
void pz_kv_cursor_close(struct pz_kv_cursor *cursor); // NULL is ignored
enum pz_kv_seek {
    PZ_KV_FIRST,
    PZ_KV_LAST,
    PZ_KV_NEXT,
    PZ_KV_PREV,
    PZ_KV_AT_OR_AFTER, // the first key >= `key`
    PZ_KV_BEFORE,      // the last key < `key`
};
// Moves, and returns what the cursor stands on; PZ_NOT_FOUND at either end. `key` is read for
// the last two only. key_out and value_out may be NULL (no checksum is verified then).
PZ_MUST_USE enum pz_status pz_kv_cursor_move(struct pz_kv_cursor *cursor, enum pz_kv_seek seek,
                                             struct pz_bytes key, struct pz_bytes *key_out,
                                             struct pz_bytes *value_out, struct pz_error *err);
// Deletes what the cursor stands on (write transactions); the next PZ_KV_NEXT gives the entry after
// it.
PZ_MUST_USE enum pz_status pz_kv_cursor_delete(struct pz_kv_cursor *cursor, struct pz_error *err);

#endif
