// SPDX-License-Identifier: Apache-2.0
// `plaza check` says what is damaged, once, and what it could not look at for that reason.
#include "storage/catalog/builtin.h"
#include "tests/support/test.h"
#include "tests/unit/storage/store/notes.h"

#include <stdio.h>
#include <stdlib.h>

#define MESSAGES 200

static void
post(struct pz_store *store)
{
    struct pz_batch batch;
    struct pz_error err = {0};
    uint32_t user = notes_symbol(store, PZ_DOMAIN_USER, "ann");
    PZ_REQUIRE_OK(pz_batch_init(&batch, notes_table(store, "messages"), &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(&batch, MESSAGES, &err), &err);
    for (int i = 0; i < MESSAGES; i++) {
        pz_column_append_null(&batch.columns[PZ_MESSAGES_ID]);
        pz_column_append_code(&batch.columns[PZ_MESSAGES_USER], user);
        pz_column_append_null(&batch.columns[PZ_MESSAGES_CREATED_AT]);
        PZ_REQUIRE_OK(
            pz_column_append_text(&batch.columns[PZ_MESSAGES_BODY], PZ_STR("hello"), &err), &err);
        pz_column_append_null(&batch.columns[PZ_MESSAGES_SENTIMENT]);
        PZ_REQUIRE_OK(pz_batch_end_row(&batch, false, 0, &err), &err);
    }
    struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
    PZ_REQUIRE_OK(pz_store_submit_wait(store, &write, &err), &err);
    pz_batch_fini(&batch);
}

// Messages and a like of each, folded and sealed.
static struct pz_store *
begin(void)
{
    struct pz_error err = {0};
    struct pz_store *store = notes_open(pz_test_path("store"));
    post(store);
    for (int64_t id = 1; id <= MESSAGES; id++) {
        struct pz_write like = {.kind = PZ_WRITE_LIKE,
                                .message_id = id,
                                .user = notes_symbol(store, PZ_DOMAIN_USER, "bob")};
        PZ_REQUIRE_OK(pz_store_submit_wait(store, &like, &err), &err);
    }
    PZ_REQUIRE_OK(pz_store_seal_now(store, 0, &err), &err);
    PZ_REQUIRE_OK(pz_store_fold_now(store, &err), &err);
    notes_check_store(store);
    return store;
}

static void
damage_first_page(uint32_t table_id)
{
    char path[512];
    bool is_found = false;
    for (unsigned id = 1; id < 10 && !is_found; id++) {
        (void)snprintf(path, sizeof path, "%s/segments/%u/%u.seg", pz_test_path("store"), table_id,
                       id);
        FILE *file = fopen(path, "r+");
        if (file != NULL) {
            is_found = true;
            PZ_REQUIRE(fseek(file, 64, SEEK_SET) == 0);
            (void)fputs("damage", file);
            (void)fclose(file);
        }
    }
    PZ_REQUIRE(is_found);
}

static void
check(struct pz_store *store, uint64_t problems, const char *part, const char *other_part)
{
    struct pz_buffer report = {0};
    struct pz_error err = {0};
    uint64_t found = 0;
    PZ_CHECK_OK(pz_store_check(store, &report, &found, &err), &err);
    PZ_CHECK_MSG(found == problems, "%llu problems: %s", (unsigned long long)found,
                 report.data == NULL ? "" : report.data);
    PZ_CHECK_CONTAINS(report.data, part);
    PZ_CHECK_CONTAINS(report.data, other_part);
    pz_buffer_fini(&report);
}

PZ_TEST(damage_is_told_once)
{
    struct pz_store *store = begin();
    pz_store_close(store);
    damage_first_page(PZ_TABLE_LIKES);
    store = notes_open(pz_test_path("store"));
    check(store, 1, "checksum", "not compared with table likes");
    pz_store_close(store);
    damage_first_page(PZ_TABLE_MESSAGES);
    store = notes_open(pz_test_path("store"));
    check(store, 2, "not compared with table likes", "not compared with table messages");
    pz_store_close(store);
}
