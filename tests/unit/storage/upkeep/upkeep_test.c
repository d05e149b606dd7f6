// SPDX-License-Identifier: Apache-2.0
// Seals, folds and loads: what fails leaves rows where they were and no files behind, and what
// happens to a table while a seal is under way is not lost.
#include "base/clock.h"
#include "base/thread.h"
#include "storage/catalog/builtin.h"
#include "storage/upkeep/upkeep.h"
#include "tests/support/test.h"
#include "tests/unit/storage/store/notes.h"

#include <stdio.h>
#include <stdlib.h>

#define NOTES_ID 100u

static struct pz_store *
begin(size_t notes)
{
    struct pz_store *store = notes_open(pz_test_path("store"));
    notes_create(store, "notes");
    if (notes > 0) {
        notes_add(store, "notes", 0, notes);
    }
    return store;
}

static struct pz_store *
restart(struct pz_store *store)
{
    pz_store_close(store);
    return notes_open(pz_test_path("store"));
}

// ---- seals ----------------------------------------------------------------------------------

PZ_TEST(a_seal_that_fails_leaves_no_waste)
{
    static const char *const faults[] = {
        "file_write=enospc@1",  "file_sync=eio@1",          "file_rename=eio@1",
        "dir_sync=eio@1",       "seal_before_rename=eio@1", "seal_before_commit=eio@1",
        "file_write=enospc@1+",
    };
    const char *dir = pz_test_path("store");
    struct pz_store *store = begin(500);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct pz_error err = {0};
        pz_test_arm_faults(faults[i]);
        enum pz_status status = pz_store_seal_now(store, NOTES_ID, &err);
        pz_test_arm_faults(NULL);
        PZ_CHECK_MSG(status == PZ_IO || status == PZ_FULL, "%s: %s", faults[i],
                     pz_status_name(status));
        PZ_CHECK_EQ_U64(notes_file_count(dir, NOTES_ID), 0);
        notes_add(store, "notes", 500 + (int64_t)i * 10, 10);
        notes_check(store, "notes", 0, 500 + (i + 1) * 10, 0);
    }
    struct pz_error err = {0};
    PZ_CHECK_OK(pz_store_seal_now(store, NOTES_ID, &err), &err);
    PZ_CHECK_EQ_U64(notes_file_count(dir, NOTES_ID), 1);
    notes_check(store, "notes", 0, 570, 0);
    store = restart(store);
    notes_check(store, "notes", 0, 570, 0);
    pz_store_close(store);
}

struct sealing {
    struct pz_store *store;
    struct pz_thread thread;
    enum pz_status status;
    struct pz_error err;
};

static void *
seal(void *payload)
{
    struct sealing *sealing = payload;
    sealing->status = pz_store_seal_now(sealing->store, NOTES_ID, &sealing->err);
    return NULL;
}

// Begins a seal that waits at the point, with its file written, until end_seal.
static void
begin_seal(struct sealing *sealing, struct pz_store *store, const char *point)
{
    char fault[80];
    *sealing = (struct sealing){.store = store};
    (void)snprintf(fault, sizeof fault, "%s=delay:600000", point);
    pz_test_arm_faults(fault);
    pz_thread_start(&sealing->thread, "sealing", seal, sealing);
    for (int i = 0; i < 30000 && notes_file_count(pz_test_path("store"), NOTES_ID) == 0; i++) {
        pz_clock_sleep_us(2000);
    }
}

static void
end_seal(struct sealing *sealing)
{
    pz_test_arm_faults(NULL);
    pz_thread_join(&sealing->thread);
    PZ_CHECK_OK(sealing->status, &sealing->err);
}

PZ_TEST(rows_that_come_and_go_during_a_seal)
{
    struct sealing sealing;
    struct pz_store *store = begin(1000);
    PZ_CHECK_EQ_U64(notes_delete(store, "notes", 7), 143); // before it
    begin_seal(&sealing, store, "seal_before_commit");
    notes_add(store, "notes", 1000, 300);
    PZ_CHECK_EQ_U64(notes_delete(store, "notes", 7), 43); // of the new ones
    PZ_CHECK_EQ_U64(notes_delete(store, "notes", 14), 0);
    notes_check(store, "notes", 0, 1300, 7);
    struct pz_version *held = pz_version_acquire(store);
    end_seal(&sealing);
    notes_check(store, "notes", 0, 1300, 7);
    struct pz_table_rows rows;
    pz_version_rows(held, notes_table(store, "notes"), &rows);
    PZ_CHECK_EQ_U64(rows.sealed_block_count, 0); // as it was
    PZ_CHECK_EQ_U64(rows.row_count, 1300 - 186);
    pz_version_release(held);
    store = restart(store);
    notes_check(store, "notes", 0, 1300, 7);
    pz_store_close(store);
}

// Rows of the file, hidden between its writing and its commit.
PZ_TEST(deletions_are_carried_over_a_seal)
{
    struct sealing sealing;
    struct pz_store *store = begin(1000);
    begin_seal(&sealing, store, "seal_before_rename");
    PZ_CHECK_EQ_U64(notes_delete(store, "notes", 3), 334);
    end_seal(&sealing);
    notes_check(store, "notes", 0, 1000, 3);
    PZ_CHECK_EQ_U64(notes_delete(store, "notes", 3), 0);
    store = restart(store);
    notes_check(store, "notes", 0, 1000, 3);
    pz_store_close(store);
}

PZ_TEST(a_table_dropped_during_its_seal)
{
    struct sealing sealing;
    const char *dir = pz_test_path("store");
    struct pz_store *store = begin(1000);
    struct pz_error err = {0};
    begin_seal(&sealing, store, "seal_before_commit");
    struct pz_table_def named = {.name = "notes"};
    struct pz_write drop = {.kind = PZ_WRITE_DROP_TABLE, .table = &named};
    PZ_CHECK_OK(pz_store_submit_wait(store, &drop, &err), &err);
    notes_create(store, "notes");
    notes_add(store, "notes", 0, 10);
    end_seal(&sealing);
    PZ_CHECK_EQ_U64(notes_file_count(dir, NOTES_ID), 0);
    notes_check(store, "notes", 0, 10, 0);
    store = restart(store);
    notes_check(store, "notes", 0, 10, 0);
    pz_store_close(store);
}

PZ_TEST(a_table_of_hidden_rows_seals_to_nothing)
{
    struct pz_store *store = begin(100);
    struct pz_error err = {0};
    PZ_CHECK_EQ_U64(notes_delete(store, "notes", 1), 100);
    PZ_CHECK_OK(pz_store_seal_now(store, 0, &err), &err);
    PZ_CHECK_EQ_U64(notes_file_count(pz_test_path("store"), NOTES_ID), 0);
    PZ_CHECK_EQ_U64(notes_count(store, "notes"), 0);
    store = restart(store);
    PZ_CHECK_EQ_U64(notes_count(store, "notes"), 0);
    notes_add(store, "notes", 100, 10);
    notes_check(store, "notes", 100, 10, 0);
    pz_store_close(store);
}

// A dropped table's files go when the last version that shows them does.
PZ_TEST(files_go_with_the_last_version)
{
    const char *dir = pz_test_path("store");
    struct pz_store *store = begin(1000);
    struct pz_error err = {0};
    PZ_CHECK_OK(pz_store_seal_now(store, 0, &err), &err);
    struct pz_version *held = pz_version_acquire(store);
    struct pz_table_def named = {.name = "notes"};
    struct pz_write drop = {.kind = PZ_WRITE_DROP_TABLE, .table = &named};
    PZ_CHECK_OK(pz_store_submit_wait(store, &drop, &err), &err);
    PZ_CHECK_EQ_U64(notes_file_count(dir, NOTES_ID), 1);
    struct pz_table_rows rows;
    struct pz_block block;
    struct pz_slice slice;
    struct pz_page_scratch *scratch = pz_page_scratch_create();
    pz_version_rows(held, pz_version_find_table(held, PZ_STR("notes")), &rows);
    pz_table_block(&rows, 0, &block);
    PZ_CHECK_OK(pz_block_read(&block, 3, scratch, &slice, &err), &err);
    PZ_CHECK_EQ_PZ_STR(((const struct pz_str *)slice.data)[500], "note 541"); // NULL times last
    pz_page_scratch_destroy(scratch);
    pz_version_release(held);
    PZ_CHECK_EQ_U64(notes_file_count(dir, NOTES_ID), 0);
    store = restart(store);
    pz_store_close(store);
}

// A tail that grew, while sealing failed say, beyond what one segment holds.
PZ_TEST(a_tail_longer_than_a_segment)
{
    enum { BATCH = 1 << 20, BATCHES = 17 };
    struct pz_store *store = begin(0);
    struct pz_error err = {0};
    struct pz_column_def column = {.name = "flag", .type = PZ_TYPE_BOOLEAN, .is_not_null = true};
    struct pz_table_def def = {
        .name = "flags", .time_column = PZ_NO_COLUMN, .column_count = 1, .columns = &column};
    struct pz_write create = {.kind = PZ_WRITE_CREATE_TABLE, .table = &def};
    PZ_REQUIRE_OK(pz_store_submit_wait(store, &create, &err), &err);
    const struct pz_table_def *flags = notes_table(store, "flags");
    struct pz_batch batch;
    PZ_REQUIRE_OK(pz_batch_init(&batch, flags, &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(&batch, BATCH, &err), &err);
    for (int i = 0; i < BATCH; i++) {
        pz_column_append_byte(&batch.columns[0], i % 3 == 0);
    }
    batch.row_count = BATCH;
    for (int i = 0; i < BATCHES; i++) {
        struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
        PZ_CHECK_OK(pz_store_submit_wait(store, &write, &err), &err);
    }
    pz_batch_fini(&batch);
    store = restart(store);
    PZ_CHECK_EQ_U64(notes_count(store, "flags"), (uint64_t)BATCH * BATCHES);
    PZ_CHECK_OK(pz_store_seal_now(store, 0, &err), &err);
    struct pz_store_stats stats;
    pz_store_read_stats(store, &stats);
    PZ_CHECK_EQ_U64(stats.segment_count, 2);
    PZ_CHECK_EQ_U64(stats.tail_rows, 0);
    PZ_CHECK_EQ_U64(notes_count(store, "flags"), (uint64_t)BATCH * BATCHES);
    pz_store_close(store);
}

// ---- folds ----------------------------------------------------------------------------------

static void
add_views(struct pz_store *store, struct pz_batch *batch, size_t count)
{
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_batch_init(batch, notes_table(store, "views"), &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(batch, count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        pz_column_append_int(&batch->columns[PZ_VIEWS_MESSAGE], 1 + (int64_t)(i * 7919 % 20000));
        pz_column_append_code(&batch->columns[PZ_VIEWS_USER],
                              notes_symbol(store, PZ_DOMAIN_USER, "bob"));
        pz_column_append_int(&batch->columns[PZ_VIEWS_VIEWED_AT], (int64_t)i);
        pz_column_append_null(&batch->columns[PZ_VIEWS_DEVICE]);
        pz_column_append_null(&batch->columns[PZ_VIEWS_GEO]);
        pz_column_append_int(&batch->columns[PZ_VIEWS_WATCH_MS], 1);
        PZ_REQUIRE_OK(pz_batch_end_row(batch, false, 0, &err), &err);
    }
}

static uint64_t
unfolded(struct pz_store *store)
{
    struct pz_store_stats stats;
    pz_store_read_stats(store, &stats);
    return stats.unfolded_rows;
}

// A fold that stopped half-way goes on after a restart, and a fold asked for covers what came
// since.
PZ_TEST(an_interrupted_fold_goes_on)
{
    struct pz_store *store = begin(0);
    struct pz_error err = {0};
    struct pz_batch batch;
    for (int round = 0; round < 2; round++) {
        struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
        add_views(store, &batch, 30000);
        PZ_CHECK_OK(pz_store_submit_wait(store, &write, &err), &err);
        pz_batch_fini(&batch);
        if (round == 0) {
            pz_test_arm_faults("fold_before_slice=eio@2");
            PZ_CHECK_STATUS(pz_store_fold_now(store, &err), PZ_IO, &err);
            pz_test_arm_faults(NULL);
            notes_check_store(store);
            store = restart(store);
            PZ_CHECK(unfolded(store) > 0);
            notes_check_store(store);
        }
    }
    PZ_CHECK_OK(pz_store_fold_now(store, &err), &err);
    PZ_CHECK_EQ_U64(unfolded(store), 0);
    notes_check_store(store);
    store = restart(store);
    PZ_CHECK_EQ_U64(unfolded(store), 0);
    notes_check_store(store);
    pz_store_close(store);
}

// ---- a full disk ----------------------------------------------------------------------------

PZ_TEST(a_full_disk_refuses_growth_and_takes_deletions)
{
    struct pz_store *store = begin(200);
    struct pz_error err = {0};
    struct pz_batch batch;
    notes_fill(store, &batch, notes_table(store, "notes"), 200, 10);
    struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
    pz_test_arm_faults("disk_free=enospc");
    PZ_CHECK_STATUS(pz_store_submit_wait(store, &write, &err), PZ_FULL, &err);
    PZ_CHECK_CONTAINS(err.hint, "disk space");
    PZ_CHECK_STATUS(pz_store_seal_now(store, 0, &err), PZ_FULL, &err);
    PZ_CHECK_STATUS(pz_store_fold_now(store, &err), PZ_FULL, &err);
    PZ_CHECK_EQ_U64(notes_delete(store, "notes", 5), 40);
    notes_check(store, "notes", 0, 200, 5);
    pz_test_arm_faults(NULL);
    PZ_CHECK_OK(pz_store_submit_wait(store, &write, &err), &err); // by itself
    PZ_CHECK_OK(pz_store_seal_now(store, 0, &err), &err);
    PZ_CHECK_OK(pz_store_fold_now(store, &err), &err);
    PZ_CHECK_EQ_U64(notes_count(store, "notes"), 170);
    pz_batch_fini(&batch);
    store = restart(store);
    PZ_CHECK_EQ_U64(notes_count(store, "notes"), 170);
    pz_store_close(store);
}

// ---- loads ----------------------------------------------------------------------------------

static struct pz_load *
begin_load(struct pz_store *store, size_t count)
{
    struct pz_load *load = NULL;
    struct pz_batch batch;
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_load_begin(store, notes_table(store, "notes"), &load, &err), &err);
    notes_fill(store, &batch, notes_table(store, "notes"), 0, count);
    PZ_REQUIRE_OK(pz_load_add(load, &batch, &err), &err);
    PZ_CHECK_EQ_U64(batch.row_count, 0);
    pz_batch_fini(&batch);
    return load;
}

PZ_TEST(loads_large_and_small)
{
    const char *dir = pz_test_path("store");
    struct pz_store *store = begin(0);
    struct pz_error err = {0};
    struct pz_write answer = {0};
    pz_load_abort(begin_load(store, PZ_BLOCK_ROWS));
    PZ_CHECK_EQ_U64(notes_count(store, "notes"), 0);
    PZ_CHECK_OK(pz_load_commit(begin_load(store, 0), NULL, &answer, &err), &err);
    PZ_CHECK_EQ_U64(answer.accepted, 0);
    PZ_CHECK_OK(pz_load_commit(begin_load(store, 500), NULL, &answer, &err), &err);
    PZ_CHECK_EQ_U64(answer.accepted, 500);
    PZ_CHECK_EQ_U64(notes_file_count(dir, NOTES_ID), 0); // few rows go to the tail
    notes_check(store, "notes", 0, 500, 0);
    PZ_CHECK_EQ_U64(notes_delete(store, "notes", 1), 500);
    PZ_CHECK_OK(pz_load_commit(begin_load(store, PZ_BLOCK_ROWS + 9), NULL, &answer, &err), &err);
    PZ_CHECK_EQ_U64(answer.accepted, PZ_BLOCK_ROWS + 9);
    PZ_CHECK_EQ_U64(notes_file_count(dir, NOTES_ID), 1);
    PZ_CHECK_EQ_U64(notes_count(store, "notes"), PZ_BLOCK_ROWS + 9);
    store = restart(store);
    PZ_CHECK_EQ_U64(notes_count(store, "notes"), PZ_BLOCK_ROWS + 9);
    pz_store_close(store);
}

PZ_TEST(a_load_into_a_dropped_table_leaves_nothing)
{
    const char *dir = pz_test_path("store");
    struct pz_store *store = begin(0);
    struct pz_error err = {0};
    struct pz_write answer = {0};
    struct pz_load *load = begin_load(store, PZ_BLOCK_ROWS + 9);
    struct pz_table_def named = {.name = "notes"};
    struct pz_write drop = {.kind = PZ_WRITE_DROP_TABLE, .table = &named};
    PZ_CHECK_OK(pz_store_submit_wait(store, &drop, &err), &err);
    notes_create(store, "notes"); // another table of that name
    PZ_CHECK_STATUS(pz_load_commit(load, NULL, &answer, &err), PZ_NOT_FOUND, &err);
    PZ_CHECK_EQ_U64(notes_count(store, "notes"), 0);
    PZ_CHECK_EQ_U64(notes_file_count(dir, NOTES_ID), 0);
    pz_store_close(store);
}

PZ_TEST(a_load_checks_its_rows)
{
    struct pz_store *store = begin(0);
    struct pz_error err = {0};
    struct pz_load *load = NULL;
    struct pz_batch batch;
    PZ_REQUIRE_OK(pz_load_begin(store, notes_table(store, "views"), &load, &err), &err);
    add_views(store, &batch, 10);
    pz_column_set_int(&batch.columns[PZ_VIEWS_MESSAGE], 5, 0);
    PZ_CHECK_STATUS(pz_load_add(load, &batch, &err), PZ_UNACCEPTABLE, &err);
    PZ_CHECK_CONTAINS(err.message, "message_id");
    pz_load_abort(load);
    pz_batch_fini(&batch);
    pz_store_close(store);
}

PZ_TEST(letters_come_with_their_load)
{
    struct pz_store *store = begin(0);
    struct pz_error err = {0};
    struct pz_write answer = {0};
    struct pz_batch letters;
    PZ_REQUIRE_OK(pz_batch_init(&letters, notes_table(store, "dead_letters"), &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(&letters, 1, &err), &err);
    for (uint32_t c = 0; c < letters.def->column_count; c++) {
        if (letters.def->columns[c].type == PZ_TYPE_TEXT) {
            PZ_REQUIRE_OK(pz_column_append_text(&letters.columns[c], PZ_STR("x"), &err), &err);
        } else {
            pz_column_append_int(&letters.columns[c], 1);
        }
    }
    PZ_REQUIRE_OK(pz_batch_end_row(&letters, false, 0, &err), &err);
    PZ_CHECK_OK(pz_load_commit(begin_load(store, PZ_BLOCK_ROWS), &letters, &answer, &err), &err);
    PZ_CHECK_EQ_U64(answer.accepted, PZ_BLOCK_ROWS);
    PZ_CHECK_EQ_U64(notes_count(store, "dead_letters"), 1);
    pz_batch_fini(&letters);
    pz_store_close(store);
}

// ---- the pace of folds ----------------------------------------------------------------------

// A view each of messages 1 .. count: so many entries for a fold, without keys of messages.
static void
view_each(struct pz_store *store, int64_t count)
{
    struct pz_batch batch;
    struct pz_error err = {0};
    uint32_t user = notes_symbol(store, PZ_DOMAIN_USER, "somebody");
    PZ_REQUIRE_OK(pz_batch_init(&batch, notes_table(store, "views"), &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(&batch, (size_t)count, &err), &err);
    for (int64_t id = 1; id <= count; id++) {
        pz_column_append_int(&batch.columns[PZ_VIEWS_MESSAGE], id);
        pz_column_append_code(&batch.columns[PZ_VIEWS_USER], user);
        for (uint32_t c = PZ_VIEWS_VIEWED_AT; c <= PZ_VIEWS_WATCH_MS; c++) {
            pz_column_append_null(&batch.columns[c]);
        }
        PZ_REQUIRE_OK(pz_batch_end_row(&batch, false, 0, &err), &err);
    }
    struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
    PZ_REQUIRE_OK(pz_store_submit_wait(store, &write, &err), &err);
    pz_batch_fini(&batch);
}

static uint64_t
slices_done(struct pz_store *store)
{
    struct pz_store_stats stats;
    pz_store_read_stats(store, &stats);
    return stats.fold_slices;
}

// All of the first size would be 5. But the time of each slice is more than any slice's should be,
// so from 64 messages on they are half as many each time, down to 16, whatever else it takes.
PZ_TEST(slices_follow_the_time_they_take)
{
    struct pz_store *store = begin(0);
    struct pz_error err = {0};
    view_each(store, 300);
    pz_test_arm_faults("fold_before_slice=delay:60");
    PZ_CHECK_OK(pz_store_fold_now(store, &err), &err);
    pz_test_arm_faults(NULL);
    PZ_CHECK_EQ_U64(unfolded(store), 0);
    PZ_CHECK_EQ_U64(slices_done(store), 2 + (300 - 64 - 32 + 15) / 16);
    pz_store_close(store);
}

static void
write_between(struct pz_store *store, void *payload)
{
    int64_t *next_note = payload;
    notes_add(store, "notes", (*next_note)++, 1);
}

// What is quick enough when nobody waits is too slow beside writes. Only the first slice is alone:
// the second has at most 128 messages, the next ones half as many each time, down to 16.
PZ_TEST(slices_are_smaller_beside_writes)
{
    struct pz_store *store = begin(0);
    struct pz_error err = {0};
    int64_t next_note = 0;
    view_each(store, 1000);
    pz_test_arm_faults("fold_before_slice=delay:10");
    PZ_CHECK_OK(pz__fold_all(store, true, write_between, &next_note, &err), &err);
    pz_test_arm_faults(NULL);
    PZ_CHECK_EQ_U64(unfolded(store), 0);
    uint64_t slices = slices_done(store);
    PZ_CHECK_MSG(slices >= 4 + (1000 - 64 - 128 - 64 - 32 + 15) / 16, "%llu slices",
                 (unsigned long long)slices);
    notes_check_store(store);
    pz_store_close(store);
}

// A long fold is under way when a table has rows enough for a seal.
PZ_TEST(a_seal_comes_between_the_slices_of_a_fold)
{
    const struct pz_store_options options = {.create = true,
                                             .is_ephemeral = true,
                                             .seal_rows = 300,
                                             .cache_bytes = 4u << 20,
                                             .map_bytes = 1u << 30};
    struct pz_store *store = NULL;
    struct pz_store_stats stats = {0};
    struct pz_error err = {0};
    int64_t give_up_us = pz_clock_mono_us() + 30000000;
    PZ_REQUIRE_OK(pz_store_open(pz_test_path("store"), &options, &store, &err), &err);
    notes_create(store, "notes");
    pz_test_arm_faults(
        "fold_before_slice=delay:60"); // more than a hundred slices, some seven seconds
    view_each(store, 2000);
    while (stats.fold_slices < 3 && pz_clock_mono_us() < give_up_us) {
        pz_clock_sleep_us(1000);
        pz_store_read_stats(store, &stats);
    }
    uint64_t seals = stats.seals; // of the views
    notes_add(store, "notes", 0, 400);
    while (stats.seals == seals && pz_clock_mono_us() < give_up_us) {
        pz_clock_sleep_us(1000);
        pz_store_read_stats(store, &stats);
    }
    PZ_CHECK_EQ_U64(stats.seals, seals + 1);
    PZ_CHECK_EQ_U64(stats.folds, 0);
    PZ_CHECK(stats.unfolded_rows > 0);
    pz_test_arm_faults(NULL);
    notes_check(store, "notes", 0, 400, 0);
    notes_check_store(store);
    pz_store_close(store);
    store = notes_open(pz_test_path("store"));
    notes_check(store, "notes", 0, 400, 0);
    notes_check_store(store);
    pz_store_close(store);
}
