// SPDX-License-Identifier: Apache-2.0
// Environments and checked values: what is put is got, what was changed behind kv's back is
// noticed, a full map can be lived with, and files that are no store are left alone.
#include "base/file.h"
#include "storage/kv/kv.h"
#include "tests/support/test.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>

static const struct pz_kv_options small = {.map_bytes = 16u << 20, .is_ephemeral = true};

static struct pz_bytes
bytes(const char *text)
{
    return (struct pz_bytes){text, strlen(text)};
}

static struct pz_kv_env *
open_env(bool create)
{
    struct pz_kv_env *env = NULL;
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_kv_open(pz_test_path("kv"), create, &small, &env, &err), &err);
    return env;
}

static struct pz_kv_txn *
begin(struct pz_kv_env *env, bool is_write)
{
    struct pz_kv_txn *txn = NULL;
    struct pz_error err = {0};
    PZ_REQUIRE_OK(is_write ? pz_kv_begin_write(env, &txn, &err) : pz_kv_begin_read(env, &txn, &err),
                  &err);
    return txn;
}

static void
commit(struct pz_kv_txn *txn)
{
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_kv_commit(txn, &err), &err);
}

static void
put(struct pz_kv_txn *txn, const char *key, const char *value)
{
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_kv_put(txn, PZ_KV_META, PZ_KV_PUT, bytes(key), bytes(value), &err), &err);
}

// The value as text, or the status' name.
static const char *
get(struct pz_kv_txn *txn, const char *key)
{
    static char text[200];
    struct pz_bytes value;
    struct pz_error err = {0};
    enum pz_status status = pz_kv_get(txn, PZ_KV_META, key, strlen(key), &value, &err);
    if (status != PZ_OK) {
        return pz_status_name(status);
    }
    (void)snprintf(text, sizeof text, "%.*s", (int)value.len, (const char *)value.data);
    return text;
}

PZ_TEST(what_is_put_is_got)
{
    struct pz_kv_env *env = open_env(true);
    struct pz_kv_txn *txn = begin(env, true);
    struct pz_error err = {0};
    put(txn, "a", "first");
    put(txn, "b", "");
    put(txn, "a", "second");
    PZ_CHECK_EQ_STR(get(txn, "a"), "second");
    commit(txn);
    txn = begin(env, true);
    put(txn, "c", "never");
    PZ_CHECK_OK(pz_kv_delete(txn, PZ_KV_META, "a", 1, &err), &err);
    pz_kv_abort(txn);
    pz_kv_close(env);

    env = open_env(false);
    txn = begin(env, false);
    PZ_CHECK_EQ_STR(get(txn, "a"), "second");
    PZ_CHECK_EQ_STR(get(txn, "b"), "");
    PZ_CHECK_EQ_STR(get(txn, "c"), "NOT_FOUND");
    pz_kv_abort(txn);
    txn = begin(env, true);
    PZ_CHECK_OK(pz_kv_delete(txn, PZ_KV_META, "a", 1, &err), &err);
    PZ_CHECK_OK(pz_kv_delete(txn, PZ_KV_META, "absent", 6, &err), &err);
    PZ_CHECK_EQ_STR(get(txn, "a"), "NOT_FOUND");
    commit(txn);
    pz_kv_close(env);
}

PZ_TEST(keys_and_values_of_all_lengths)
{
    struct pz_kv_env *env = open_env(true);
    struct pz_kv_txn *txn = begin(env, true);
    struct pz_error err = {0};
    struct pz_rng rng;
    static char key[511];
    static char value[70000];
    static const size_t value_lens[] = {0, 1, 2, 3, 4, 5, 2000, 2030, 4096, 65535, 70000};
    pz_rng_init(&rng, pz_test_seed());
    pz_rng_bytes(&rng, value, sizeof value);
    memset(key, 7, sizeof key);
    for (size_t len = 1; len <= sizeof key; len += len < 5 ? 1 : 101) {
        for (size_t v = 0; v < sizeof value_lens / sizeof value_lens[0]; v++) {
            struct pz_bytes in = {value + v, value_lens[v] > v ? value_lens[v] - v : 0};
            struct pz_bytes out;
            PZ_CHECK_OK(
                pz_kv_put(txn, PZ_KV_FEED, PZ_KV_PUT, (struct pz_bytes){key, len}, in, &err), &err);
            PZ_CHECK_OK(pz_kv_get(txn, PZ_KV_FEED, key, len, &out, &err), &err);
            PZ_CHECK_EQ_U64(out.len, in.len);
            PZ_CHECK_EQ_BYTES(out.data, in.data, in.len);
        }
    }
    commit(txn);
    pz_kv_close(env);
}

PZ_TEST(a_reader_sees_one_moment)
{
    struct pz_kv_env *env = open_env(true);
    struct pz_kv_txn *txn = begin(env, true);
    put(txn, "a", "old");
    commit(txn);
    struct pz_kv_txn *reader = begin(env, false);
    PZ_CHECK_EQ_STR(get(reader, "a"), "old");
    txn = begin(env, true);
    put(txn, "a", "new");
    commit(txn);
    PZ_CHECK_EQ_STR(get(reader, "a"), "old");
    struct pz_kv_txn *later = begin(env, false);
    PZ_CHECK_EQ_STR(get(later, "a"), "new");
    pz_kv_abort(reader);
    pz_kv_abort(later);
    pz_kv_close(env);
}

PZ_TEST(reader_slots_run_out_politely)
{
    struct pz_kv_options options = small;
    struct pz_kv_env *env = NULL;
    struct pz_kv_txn *readers[2];
    struct pz_kv_txn *third = NULL;
    struct pz_error err = {0};
    options.reader_count_max = 2;
    PZ_REQUIRE_OK(pz_kv_open(pz_test_path("kv"), true, &options, &env, &err), &err);
    readers[0] = begin(env, false);
    readers[1] = begin(env, false);
    PZ_CHECK_STATUS(pz_kv_begin_read(env, &third, &err), PZ_BUSY, &err);
    pz_kv_abort(readers[1]);
    third = begin(env, false);
    pz_kv_abort(third);
    pz_kv_abort(readers[0]);
    pz_kv_close(env);
}

PZ_TEST(append_takes_only_the_largest_key)
{
    struct pz_kv_env *env = open_env(true);
    struct pz_kv_txn *txn = begin(env, true);
    struct pz_error err = {0};
    PZ_CHECK_OK(pz_kv_put(txn, PZ_KV_TAIL, PZ_KV_PUT_APPEND, bytes("b"), bytes("1"), &err), &err);
    PZ_CHECK_OK(pz_kv_put(txn, PZ_KV_TAIL, PZ_KV_PUT_APPEND, bytes("c"), bytes("1"), &err), &err);
    PZ_CHECK_STATUS(pz_kv_put(txn, PZ_KV_TAIL, PZ_KV_PUT_APPEND, bytes("a"), bytes("1"), &err),
                    PZ_INTERNAL, &err);
    pz_kv_abort(txn);
    pz_kv_close(env);
}

// ---- damage ---------------------------------------------------------------------------------

// Changes a stored value as a bad disk would: past kv, checksum and all.
static void
damage(const char *key, void (*change)(struct pz_rng *rng, char *stored, size_t *len),
       struct pz_rng *rng)
{
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    MDB_dbi dbi;
    char space[256];
    MDB_val mdb_key = {strlen(key), (void *)(uintptr_t)key};
    MDB_val value;
    PZ_REQUIRE(mdb_env_create(&env) == 0);
    PZ_REQUIRE(mdb_env_set_maxdbs(env, 20) == 0 && mdb_env_set_mapsize(env, 16u << 20) == 0);
    PZ_REQUIRE(mdb_env_open(env, pz_test_path("kv"), MDB_NOSUBDIR | MDB_NOSYNC, 0640) == 0);
    PZ_REQUIRE(mdb_txn_begin(env, NULL, 0, &txn) == 0);
    PZ_REQUIRE(mdb_dbi_open(txn, "meta", 0, &dbi) == 0);
    PZ_REQUIRE(mdb_get(txn, dbi, &mdb_key, &value) == 0 && value.mv_size <= sizeof space);
    memcpy(space, value.mv_data, value.mv_size);
    change(rng, space, &value.mv_size);
    value.mv_data = space;
    PZ_REQUIRE(mdb_put(txn, dbi, &mdb_key, &value, 0) == 0);
    PZ_REQUIRE(mdb_txn_commit(txn) == 0);
    mdb_env_close(env);
}

static void
flip_a_bit(struct pz_rng *rng, char *stored, size_t *len)
{
    size_t bit = (size_t)pz_rng_below(rng, *len * 8);
    stored[bit / 8] = (char)(stored[bit / 8] ^ 1 << bit % 8);
}

static void
cut(struct pz_rng *rng, char *stored, size_t *len)
{
    (void)stored;
    *len = (size_t)pz_rng_below(rng, *len);
}

static void
lengthen(struct pz_rng *rng, char *stored, size_t *len)
{
    size_t more = 1 + (size_t)pz_rng_below(rng, 20);
    pz_rng_bytes(rng, stored + *len, more);
    *len += more;
}

static void
check_noticed(void)
{
    struct pz_kv_env *env = open_env(false);
    struct pz_kv_txn *txn = begin(env, false);
    struct pz_kv_cursor *cursor = NULL;
    struct pz_bytes key;
    struct pz_bytes value;
    struct pz_error err = {0};
    PZ_CHECK_STATUS(pz_kv_get(txn, PZ_KV_META, "key", 3, &value, &err), PZ_CORRUPT, &err);
    PZ_CHECK_CONTAINS(err.message, "meta");
    PZ_CHECK_CONTAINS(err.message, "6b6579"); // the key
    PZ_REQUIRE_OK(pz_kv_cursor_open(txn, PZ_KV_META, &cursor, &err), &err);
    PZ_CHECK_STATUS(pz_kv_cursor_move(cursor, PZ_KV_AT_OR_AFTER, bytes("key"), &key, &value, &err),
                    PZ_CORRUPT, &err);
    PZ_CHECK_OK(pz_kv_cursor_move(cursor, PZ_KV_NEXT, key, &key, &value, &err), &err);
    PZ_CHECK_EQ_BYTES(value.data, "other value", 11);
    pz_kv_cursor_close(cursor);
    pz_kv_abort(txn);
    pz_kv_close(env);
}

PZ_TEST(changed_values_are_noticed)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 60; i++) {
        struct pz_kv_env *env = open_env(true);
        struct pz_kv_txn *txn = begin(env, true);
        put(txn, "key", "a value of some length");
        put(txn, "other", "other value");
        commit(txn);
        pz_kv_close(env);
        damage("key", i % 3 == 0 ? cut : i % 3 == 1 ? lengthen : flip_a_bit, &rng);
        check_noticed();
    }
}

static char other_value[256];
static size_t other_len;

static void
take_value(struct pz_rng *rng, char *stored, size_t *len)
{
    (void)rng;
    memcpy(other_value, stored, *len);
    other_len = *len;
}

static void
give_value(struct pz_rng *rng, char *stored, size_t *len)
{
    (void)rng;
    memcpy(stored, other_value, other_len);
    *len = other_len;
}

PZ_TEST(a_value_under_another_key_is_noticed)
{
    struct pz_kv_env *env = open_env(true);
    struct pz_kv_txn *txn = begin(env, true);
    put(txn, "key", "a value");
    put(txn, "other", "other value");
    commit(txn);
    pz_kv_close(env);
    damage("other", take_value, NULL);
    damage("key", give_value, NULL);
    check_noticed();
}

// ---- files that are no store ----------------------------------------------------------------

static void
check_refused(const void *content, size_t len)
{
    struct pz_kv_env *env = NULL;
    struct pz_error err = {0};
    struct pz_buffer after = {0};
    const char *path = pz_test_path("foreign");
    PZ_REQUIRE_OK(pz_file_write_all(path, content, len, &err), &err);
    PZ_CHECK_STATUS(pz_kv_open(path, false, &small, &env, &err), PZ_CORRUPT, &err);
    PZ_CHECK(env == NULL);
    PZ_CHECK_OK(pz_file_read_all(path, 1u << 20, &after, &err), &err);
    PZ_CHECK_EQ_U64(after.len, len);
    PZ_CHECK_EQ_BYTES(after.data, content, len); // not a byte of it was changed
    pz_buffer_fini(&after);
    PZ_CHECK_OK(pz_file_unlink(path, &err), &err);
}

PZ_TEST(foreign_files_are_refused_and_left_alone)
{
    static char zeros[100000];
    static char noise[100000];
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    pz_rng_bytes(&rng, noise, sizeof noise);
    check_refused("", 0);
    check_refused("some text that is no database", 29);
    check_refused(noise, sizeof noise);
    check_refused(zeros, sizeof zeros);
}

PZ_TEST(a_missing_file_is_not_made)
{
    struct pz_kv_env *env = NULL;
    struct pz_error err = {0};
    PZ_CHECK_STATUS(pz_kv_open(pz_test_path("none"), false, &small, &env, &err), PZ_CORRUPT, &err);
    PZ_CHECK(!pz_path_exists(pz_test_path("none")));
}

PZ_TEST(an_lmdb_file_of_another_program_is_refused)
{
    MDB_env *foreign = NULL;
    MDB_txn *txn = NULL;
    MDB_dbi dbi;
    struct pz_kv_env *env = NULL;
    struct pz_error err = {0};
    PZ_REQUIRE(mdb_env_create(&foreign) == 0);
    PZ_REQUIRE(mdb_env_open(foreign, pz_test_path("foreign"), MDB_NOSUBDIR, 0640) == 0);
    PZ_REQUIRE(mdb_txn_begin(foreign, NULL, 0, &txn) == 0);
    PZ_REQUIRE(mdb_dbi_open(txn, NULL, 0, &dbi) == 0);
    MDB_val key = {3, (void *)(uintptr_t) "key"};
    MDB_val value = {5, (void *)(uintptr_t) "value"};
    PZ_REQUIRE(mdb_put(txn, dbi, &key, &value, 0) == 0 && mdb_txn_commit(txn) == 0);
    mdb_env_close(foreign);
    PZ_CHECK_STATUS(pz_kv_open(pz_test_path("foreign"), false, &small, &env, &err), PZ_CORRUPT,
                    &err);
}

// ---- a full map -----------------------------------------------------------------------------

PZ_TEST(a_full_map_can_be_lived_with)
{
    static char value[3000];
    struct pz_kv_options options = {.map_bytes = 1u << 24, .is_ephemeral = true};
    struct pz_kv_env *env = NULL;
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_kv_open(pz_test_path("kv"), true, &options, &env, &err), &err);
    struct pz_kv_txn *txn = begin(env, true);
    put(txn, "kept", "value");
    commit(txn);
    txn = begin(env, true);
    enum pz_status status = PZ_OK;
    for (uint32_t i = 0; i < 20000 && status == PZ_OK; i++) {
        status = pz_kv_put(txn, PZ_KV_FEED, PZ_KV_PUT, (struct pz_bytes){&i, sizeof i},
                           (struct pz_bytes){value, sizeof value}, &err);
    }
    PZ_CHECK_STATUS(status, PZ_FULL, &err);
    PZ_CHECK_CONTAINS(err.hint, "PLAZA_MAP_BYTES");
    pz_kv_abort(txn);
    for (int round = 0; round < 20; round++) {
        txn = begin(env, true);
        PZ_CHECK_EQ_STR(get(txn, "kept"), "value");
        put(txn, "more", "after all");
        commit(txn);
    }
    txn = begin(env, false);
    PZ_CHECK_EQ_STR(get(txn, "more"), "after all");
    pz_kv_abort(txn);
    pz_kv_close(env);
}

PZ_TEST(a_map_too_small_for_the_file_grows_to_it)
{
    enum { COUNT = 8, LEN = 3u << 20 };
    struct pz_kv_options options = {.map_bytes = 64u << 20, .is_ephemeral = true};
    struct pz_kv_env *env = NULL;
    struct pz_error err = {0};
    struct pz_bytes value = {pz_xcalloc(1, LEN), LEN};
    PZ_REQUIRE_OK(pz_kv_open(pz_test_path("kv"), true, &options, &env, &err), &err);
    struct pz_kv_txn *txn = begin(env, true);
    for (uint32_t i = 0; i < COUNT; i++) {
        PZ_REQUIRE_OK(
            pz_kv_put(txn, PZ_KV_TAIL, PZ_KV_PUT, (struct pz_bytes){&i, sizeof i}, value, &err),
            &err);
    }
    commit(txn);
    pz_kv_close(env);
    options.map_bytes = 16u << 20; // ends within one of the values
    PZ_REQUIRE_OK(pz_kv_open(pz_test_path("kv"), false, &options, &env, &err), &err);
    PZ_CHECK(pz_kv_map_bytes(env) >= pz_kv_used_bytes(env));
    txn = begin(env, false);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct pz_bytes found;
        PZ_CHECK_OK(pz_kv_get(txn, PZ_KV_TAIL, &i, sizeof i, &found, &err), &err);
    }
    pz_kv_abort(txn);
    pz_kv_close(env);
    free((void *)(uintptr_t)value.data);
}
