// SPDX-License-Identifier: Apache-2.0
// Start-up: what is whole comes back; what is not whole is refused in words, and nothing is changed
// by the refusal.
#include "base/bytes.h"
#include "base/file.h"
#include "storage/catalog/builtin.h"
#include "storage/catalog/records.h"
#include "storage/kv/kv.h"
#include "storage/tail/chunk.h"
#include "tests/support/test.h"
#include "tests/unit/storage/store/notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

// ---- a store, and changes behind its back ---------------------------------------------------

static void
post(struct pz_store *store)
{
    struct pz_batch batch;
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_batch_init(&batch, notes_table(store, "messages"), &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(&batch, 1, &err), &err);
    pz_column_append_null(&batch.columns[PZ_MESSAGES_ID]);
    pz_column_append_code(&batch.columns[PZ_MESSAGES_USER],
                          notes_symbol(store, PZ_DOMAIN_USER, "ann"));
    pz_column_append_null(&batch.columns[PZ_MESSAGES_CREATED_AT]);
    PZ_REQUIRE_OK(pz_column_append_text(&batch.columns[PZ_MESSAGES_BODY], PZ_STR("hello"), &err),
                  &err);
    pz_column_append_null(&batch.columns[PZ_MESSAGES_SENTIMENT]);
    PZ_REQUIRE_OK(pz_batch_end_row(&batch, false, 0, &err), &err);
    struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
    PZ_REQUIRE_OK(pz_store_submit_wait(store, &write, &err), &err);
    pz_batch_fini(&batch);
}

// Notes 0 .. 99 in a segment, 100 .. 199 in ten chunks; ten messages.
static const char *
make(void)
{
    const char *dir = pz_test_path("store");
    struct pz_error err = {0};
    struct pz_store *store = notes_open(dir);
    notes_create(store, "notes");
    notes_add(store, "notes", 0, 100);
    PZ_REQUIRE_OK(pz_store_seal_now(store, 0, &err), &err);
    for (int64_t first = 100; first < 200; first += 10) {
        notes_add(store, "notes", first, 10);
        post(store);
    }
    pz_store_close(store);
    return dir;
}

static struct pz_kv_env *
open_kv(const char *dir)
{
    const struct pz_kv_options options = {.map_bytes = 1u << 30, .is_ephemeral = true};
    char path[512];
    struct pz_kv_env *env = NULL;
    struct pz_error err = {0};
    (void)snprintf(path, sizeof path, "%s/plaza.mdb", dir);
    PZ_REQUIRE_OK(pz_kv_open(path, false, &options, &env, &err), &err);
    return env;
}

static void
change(const char *dir, void (*what)(struct pz_kv_txn *txn))
{
    struct pz_kv_env *env = open_kv(dir);
    struct pz_kv_txn *txn = NULL;
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_kv_begin_write(env, &txn, &err), &err);
    what(txn);
    PZ_REQUIRE_OK(pz_kv_commit(txn, &err), &err);
    pz_kv_close(env);
}

static void
check_refused(const char *dir, const char *part)
{
    struct pz_store *store = NULL;
    struct pz_error err = {0};
    for (int i = 0; i < 2; i++) { // the first try must not have mended or broken anything
        PZ_CHECK_STATUS(notes_try_open(dir, &store, &err), PZ_CORRUPT, &err);
        PZ_CHECK_CONTAINS(err.message, part);
    }
}

static void
chunk_key(uint32_t table_id, uint64_t first_row, char key[12])
{
    pz_store_be32(key, table_id);
    pz_store_be64(key + 4, first_row);
}

static void
delete_chunk(struct pz_kv_txn *txn, uint32_t table_id, uint64_t first_row)
{
    char key[12];
    struct pz_error err = {0};
    struct pz_bytes value;
    chunk_key(table_id, first_row, key);
    PZ_REQUIRE_OK(pz_kv_get(txn, PZ_KV_TAIL, key, sizeof key, &value, &err), &err);
    PZ_REQUIRE_OK(pz_kv_delete(txn, PZ_KV_TAIL, key, sizeof key, &err), &err);
}

// ---- whole ----------------------------------------------------------------------------------

PZ_TEST(what_is_whole_comes_back)
{
    const char *dir = make();
    for (int i = 0; i < 3; i++) {
        struct pz_store *store = notes_open(dir);
        notes_check(store, "notes", 0, 200, 0);
        PZ_CHECK_EQ_U64(notes_count(store, "messages"), 10);
        notes_check_store(store);
        pz_store_close(store);
    }
}

// More segments than a process may have files open by default.
PZ_TEST(many_segments_come_back)
{
    enum { SEGMENTS = 300 };
    const char *dir = pz_test_path("store");
    struct rlimit limit;
    struct pz_error err = {0};
    PZ_REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    struct pz_store *store = notes_open(dir);
    notes_create(store, "notes");
    for (int64_t i = 0; i < SEGMENTS; i++) {
        notes_add(store, "notes", i * 3, 3);
        PZ_REQUIRE_OK(pz_store_seal_now(store, 0, &err), &err);
    }
    PZ_CHECK_EQ_U64(notes_delete(store, "notes", 100), 9);
    pz_store_close(store);
    limit.rlim_cur = 64;
    PZ_REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    store = notes_open(dir);
    notes_check(store, "notes", 0, 3 * SEGMENTS, 100);
    PZ_CHECK_EQ_U64(notes_delete(store, "notes", 100), 0); // hidden already
    struct pz_store_stats stats;
    pz_store_read_stats(store, &stats);
    PZ_CHECK_EQ_U64(stats.segment_count, SEGMENTS);
    pz_store_close(store);
}

// ---- the tail -------------------------------------------------------------------------------

static void
lose_a_chunk(struct pz_kv_txn *txn)
{
    delete_chunk(txn, 100, 150);
}

PZ_TEST(a_missing_chunk_is_refused)
{
    const char *dir = make();
    change(dir, lose_a_chunk);
    check_refused(dir, "rows 150 to 160 are missing");
}

static void
lose_the_first_chunk(struct pz_kv_txn *txn)
{
    delete_chunk(txn, 100, 100);
}

PZ_TEST(a_missing_first_chunk_is_refused)
{
    const char *dir = make();
    change(dir, lose_the_first_chunk);
    check_refused(dir, "rows 100 to 110 are missing");
}

static void
lose_all_messages(struct pz_kv_txn *txn)
{
    struct pz_error err = {0};
    bool more = false;
    PZ_REQUIRE_OK(pz_chunk_trim(txn, PZ_TABLE_MESSAGES, UINT64_MAX, 1000, &more, &err), &err);
}

// Sealed rows that the feed still lacks are in the tail only.
PZ_TEST(sealed_rows_that_are_not_folded_are_needed)
{
    const char *dir = make();
    struct pz_error err = {0};
    struct pz_store *store = notes_open(dir);
    PZ_REQUIRE_OK(pz_store_seal_now(store, PZ_TABLE_MESSAGES, &err), &err);
    pz_store_close(store);
    change(dir, lose_all_messages);
    check_refused(dir, "messages");
}

static void
forget_symbols(struct pz_kv_txn *txn)
{
    struct pz_kv_cursor *cursor = NULL;
    struct pz_bytes key = {NULL, 0};
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_kv_cursor_open(txn, PZ_KV_SYMBOLS, &cursor, &err), &err);
    PZ_REQUIRE_OK(pz_kv_cursor_move(cursor, PZ_KV_LAST, key, &key, NULL, &err), &err);
    PZ_CHECK_EQ_U64(pz_load_be32(key.data), PZ_DOMAIN_ID_FIRST_USER);
    PZ_REQUIRE_OK(pz_kv_cursor_delete(cursor, &err), &err);
    pz_kv_cursor_close(cursor);
}

PZ_TEST(a_code_without_symbol_is_refused)
{
    const char *dir = make();
    change(dir, forget_symbols);
    check_refused(dir, "tag");
}

PZ_TEST(a_sealed_code_without_symbol_is_refused)
{
    const char *dir = make();
    struct pz_error err = {0};
    struct pz_store *store = notes_open(dir);
    PZ_REQUIRE_OK(pz_store_seal_now(store, 0, &err), &err);
    pz_store_close(store);
    change(dir, forget_symbols);
    check_refused(dir, "segment");
}

// ---- the catalog ----------------------------------------------------------------------------

static void
change_messages(struct pz_kv_txn *txn)
{
    struct pz_error err = {0};
    struct pz_table_def *def = pz_table_def_copy(&pz_builtin_tables[0]);
    def->columns[PZ_MESSAGES_BODY].type = PZ_TYPE_BIGINT;
    PZ_REQUIRE_OK(pz_catalog_put_table(txn, def, &err), &err);
    free(def);
}

PZ_TEST(another_built_in_table_is_refused)
{
    const char *dir = make();
    change(dir, change_messages);
    check_refused(dir, "built-in");
}

static void
lose_the_views(struct pz_kv_txn *txn)
{
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_catalog_delete_table(txn, PZ_TABLE_VIEWS, &err), &err);
}

PZ_TEST(a_missing_built_in_table_is_refused)
{
    const char *dir = make();
    change(dir, lose_the_views);
    check_refused(dir, "missing");
}

static void
hide_nothing_known(struct pz_kv_txn *txn)
{
    uint64_t bits[PZ_BLOCK_ROWS / 64] = {1};
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_catalog_put_deleted(txn, 100, 77, 0, bits, &err), &err);
}

PZ_TEST(deleted_rows_of_no_segment_are_refused)
{
    const char *dir = make();
    change(dir, hide_nothing_known);
    check_refused(dir, "unknown segment 77");
}

// ---- the directory --------------------------------------------------------------------------

static void
replace(const char *dir, const char *name, const char *text)
{
    char path[512];
    struct pz_error err = {0};
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    PZ_REQUIRE_OK(pz_file_unlink(path, &err), &err);
    if (text != NULL) {
        PZ_REQUIRE_OK(pz_file_write_all(path, text, strlen(text), &err), &err);
    }
}

PZ_TEST(a_newer_format_is_refused)
{
    const char *dir = make();
    struct pz_store *store = NULL;
    struct pz_error err = {0};
    replace(dir, "FORMAT", "plaza store\nformat 2\nid 00000000000000aa\n");
    PZ_CHECK_STATUS(notes_try_open(dir, &store, &err), PZ_UNSUPPORTED, &err);
    PZ_CHECK_CONTAINS(err.message, "format 2");
    replace(dir, "FORMAT", "plaza store\nformat 1\nid 00000000000000aa\n");
    store = notes_open(dir);
    notes_check(store, "notes", 0, 200, 0);
    pz_store_close(store);
}

PZ_TEST(a_directory_that_lacks_a_part_is_refused)
{
    const char *dir = make();
    replace(dir, "FORMAT", "something else");
    check_refused(dir, "FORMAT");
    replace(dir, "FORMAT", NULL);
    check_refused(dir, "FORMAT");
    dir = pz_test_path("other");
    struct pz_store *store = notes_open(dir);
    notes_create(store, "notes");
    notes_add(store, "notes", 0, 10);
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_store_seal_now(store, 0, &err), &err);
    pz_store_close(store);
    replace(dir, "plaza.mdb", "");
    check_refused(dir, "plaza.mdb");
    replace(dir, "plaza.mdb", NULL);
    check_refused(dir, "plaza.mdb");
    replace(dir, "plaza.mdb-lock", NULL);
    check_refused(dir, "plaza.mdb");
}

// Ids that no commit took come again; what was set aside under their names stays.
PZ_TEST(orphans_of_one_name_are_all_kept)
{
    const char *dir = make();
    char path[512];
    struct pz_error err = {0};
    struct pz_buffer text = {0};
    for (int i = 1; i <= 3; i++) {
        char content[24];
        (void)snprintf(path, sizeof path, "%s/segments/100/88.seg", dir);
        (void)snprintf(content, sizeof content, "orphan %d", i);
        PZ_REQUIRE_OK(pz_file_write_all(path, content, strlen(content), &err), &err);
        pz_store_close(notes_open(dir));
    }
    (void)snprintf(path, sizeof path, "%s/lost+found/100-88.seg", dir);
    PZ_CHECK_OK(pz_file_read_all(path, 100, &text, &err), &err);
    PZ_CHECK_EQ_STR(text.data, "orphan 1");
    pz_buffer_clear(&text);
    (void)snprintf(path, sizeof path, "%s/lost+found/100-88.seg.3", dir);
    PZ_CHECK_OK(pz_file_read_all(path, 100, &text, &err), &err);
    PZ_CHECK_EQ_STR(text.data, "orphan 3");
    pz_buffer_fini(&text);
}
