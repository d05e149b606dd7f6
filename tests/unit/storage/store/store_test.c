// SPDX-License-Identifier: Apache-2.0
// The store as its callers meet it: random writes, seals, folds, loads, deletions and restarts,
// compared with a model in plain arrays; and `check`, which recomputes the feed from the log.
#include "storage/store.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

#define USERS 12
#define MESSAGES_MAX 400
#define NOTES_MAX 60000

struct model {
    int64_t message_count; // ids 1 .. message_count were given out
    bool is_deleted[MESSAGES_MAX + 1];
    bool is_liked[MESSAGES_MAX + 1][USERS];
    int64_t views[MESSAGES_MAX + 1];
    uint64_t like_rows;
    uint64_t view_rows;
    size_t note_count; // rows of the table notes: number i has value i
    bool note_deleted[NOTES_MAX];
    size_t notes_deleted;
};

struct fixture {
    struct pz_store *store;
    struct model model;
    struct pz_rng rng;
    const char *dir;
};

static const struct pz_store_options manual = {
    .create = true, .is_manual = true, .is_ephemeral = true, .map_bytes = 1u << 30};

static void
open_store(struct fixture *f)
{
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_store_open(f->dir, &manual, &f->store, &err), &err);
}

static const struct pz_table_def *
table(struct fixture *f, const char *name)
{
    struct pz_version *version = pz_version_acquire(f->store);
    const struct pz_table_def *def = pz_version_find_table(version, pz_str_from(name));
    pz_version_release(version); // definitions live as long as the store
    return def;
}

static uint32_t
user_code(struct fixture *f, uint32_t user)
{
    char name[16];
    uint32_t code = 0;
    struct pz_error err = {0};
    int len = snprintf(name, sizeof name, "user%u", user);
    PZ_REQUIRE_OK(pz_symbol_intern(f->store, 1, (struct pz_str){name, (uint32_t)len}, &code, &err),
                  &err);
    return code;
}

static void
create_notes(struct fixture *f)
{
    struct pz_column_def columns[] = {
        {.name = "n", .type = PZ_TYPE_BIGINT, .is_not_null = true},
        {.name = "at", .type = PZ_TYPE_TIMESTAMP},
        {.name = "text", .type = PZ_TYPE_TEXT},
        {.name = "tag", .type = PZ_TYPE_SYMBOL},
    };
    struct pz_table_def def = {
        .name = "notes", .time_column = 1, .column_count = 4, .columns = columns};
    struct pz_write write = {.kind = PZ_WRITE_CREATE_TABLE, .table = &def};
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_store_submit_wait(f->store, &write, &err), &err);
}

static void
begin(struct fixture *f)
{
    struct pz_error err = {0};
    *f = (struct fixture){.dir = pz_test_path("store")};
    pz_rng_init(&f->rng, pz_test_seed());
    open_store(f);
    create_notes(f);
    PZ_CHECK_OK(pz_store_fold_now(f->store, &err), &err);
}

// ---- operations -----------------------------------------------------------------------------

static void
post(struct fixture *f)
{
    struct pz_error err = {0};
    struct pz_batch batch = {0};
    if (f->model.message_count == MESSAGES_MAX) {
        return;
    }
    PZ_REQUIRE_OK(pz_batch_init(&batch, table(f, "messages"), &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(&batch, 1, &err), &err);
    pz_column_append_null(&batch.columns[PZ_MESSAGES_ID]);
    pz_column_append_code(&batch.columns[PZ_MESSAGES_USER],
                          user_code(f, (uint32_t)pz_rng_below(&f->rng, USERS)));
    if (pz_rng_chance(&f->rng, 0.5)) {
        pz_column_append_null(&batch.columns[PZ_MESSAGES_CREATED_AT]);
    } else {
        pz_column_append_int(&batch.columns[PZ_MESSAGES_CREATED_AT],
                             pz_rng_range(&f->rng, 0, 4000000000000));
    }
    PZ_REQUIRE_OK(pz_column_append_text(&batch.columns[PZ_MESSAGES_BODY], PZ_STR("hello"), &err),
                  &err);
    pz_column_append_null(&batch.columns[PZ_MESSAGES_SENTIMENT]);
    PZ_REQUIRE_OK(pz_batch_end_row(&batch, false, 0, &err), &err);
    struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
    PZ_REQUIRE_OK(pz_store_submit_wait(f->store, &write, &err), &err);
    f->model.message_count++;
    PZ_CHECK_EQ_I64(batch.columns[PZ_MESSAGES_ID].ints[0], f->model.message_count);
    pz_batch_fini(&batch);
}

static int64_t
some_message(struct fixture *f)
{
    return 1 + (int64_t)pz_rng_below(&f->rng, (uint64_t)f->model.message_count + 2);
}

static bool
is_present(const struct fixture *f, int64_t id)
{
    return id <= f->model.message_count && !f->model.is_deleted[id];
}

static int64_t
likes_of(const struct fixture *f, int64_t id)
{
    int64_t likes = 0;
    for (int user = 0; user < USERS; user++) {
        likes += f->model.is_liked[id][user];
    }
    return likes;
}

static void
like(struct fixture *f, bool is_like)
{
    struct pz_error err = {0};
    int64_t id = some_message(f);
    uint32_t user = (uint32_t)pz_rng_below(&f->rng, USERS);
    struct pz_write write = {.kind = is_like ? PZ_WRITE_LIKE : PZ_WRITE_UNLIKE,
                             .message_id = id,
                             .user = user_code(f, user)};
    enum pz_status status = pz_store_submit_wait(f->store, &write, &err);
    if (!is_present(f, id)) {
        PZ_CHECK_EQ_I64(status, PZ_NOT_FOUND);
        return;
    }
    PZ_CHECK_OK(status, &err);
    PZ_CHECK_EQ_I64(write.was_changed, f->model.is_liked[id][user] != is_like);
    f->model.like_rows += write.was_changed;
    f->model.is_liked[id][user] = is_like;
    PZ_CHECK_EQ_I64(write.likes, likes_of(f, id));
}

static void
add_views(struct fixture *f, size_t count, bool as_load)
{
    struct pz_error err = {0};
    struct pz_batch batch = {0};
    PZ_REQUIRE_OK(pz_batch_init(&batch, table(f, "views"), &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(&batch, count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        int64_t id = 1 + (int64_t)pz_rng_below(&f->rng, MESSAGES_MAX);
        pz_column_append_int(&batch.columns[PZ_VIEWS_MESSAGE], id);
        pz_column_append_code(&batch.columns[PZ_VIEWS_USER],
                              user_code(f, (uint32_t)pz_rng_below(&f->rng, USERS)));
        pz_column_append_int(&batch.columns[PZ_VIEWS_VIEWED_AT],
                             pz_rng_range(&f->rng, 0, 400000000000));
        pz_column_append_null(&batch.columns[PZ_VIEWS_DEVICE]);
        pz_column_append_null(&batch.columns[PZ_VIEWS_GEO]);
        pz_column_append_int(&batch.columns[PZ_VIEWS_WATCH_MS], (int64_t)i);
        PZ_REQUIRE_OK(pz_batch_end_row(&batch, false, 0, &err), &err);
        f->model.views[id]++;
    }
    f->model.view_rows += count;
    if (as_load) {
        struct pz_load *load = NULL;
        struct pz_write answer = {0};
        PZ_REQUIRE_OK(pz_load_begin(f->store, batch.def, &load, &err), &err);
        PZ_REQUIRE_OK(pz_load_add(load, &batch, &err), &err);
        PZ_CHECK_OK(pz_load_commit(load, NULL, &answer, &err), &err);
        PZ_CHECK_EQ_U64(answer.accepted, count);
    } else {
        struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
        PZ_CHECK_OK(pz_store_submit_wait(f->store, &write, &err), &err);
        PZ_CHECK_EQ_U64(write.accepted, count);
    }
    pz_batch_fini(&batch);
}

static void
add_notes(struct fixture *f)
{
    struct pz_error err = {0};
    struct pz_batch batch = {0};
    size_t count = 1 + pz_rng_below(&f->rng, pz_rng_chance(&f->rng, 0.05) ? 6000 : 20);
    if (f->model.note_count + count > NOTES_MAX) {
        return;
    }
    PZ_REQUIRE_OK(pz_batch_init(&batch, table(f, "notes"), &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(&batch, count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        char text[40];
        size_t n = f->model.note_count + i;
        int len = snprintf(text, sizeof text, "note %zu", n);
        pz_column_append_int(&batch.columns[0], (int64_t)n);
        if (n % 7 == 3) {
            pz_column_append_null(&batch.columns[1]);
            pz_column_append_null(&batch.columns[2]);
            pz_column_append_null(&batch.columns[3]);
        } else {
            uint32_t code = 0;
            PZ_REQUIRE_OK(pz_symbol_intern(f->store, batch.def->columns[3].domain_id,
                                           (struct pz_str){text, (uint32_t)len - (n > 99)}, &code,
                                           &err),
                          &err);
            pz_column_append_int(&batch.columns[1], pz_rng_range(&f->rng, 0, 400000000000));
            PZ_REQUIRE_OK(pz_column_append_text(&batch.columns[2],
                                                (struct pz_str){text, (uint32_t)len}, &err),
                          &err);
            pz_column_append_code(&batch.columns[3], code);
        }
        PZ_REQUIRE_OK(pz_batch_end_row(&batch, false, 0, &err), &err);
    }
    struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
    PZ_CHECK_OK(pz_store_submit_wait(f->store, &write, &err), &err);
    f->model.note_count += count;
    pz_batch_fini(&batch);
}

static void
delete_message(struct fixture *f)
{
    struct pz_error err = {0};
    int64_t id = some_message(f);
    struct pz_write write = {.kind = PZ_WRITE_DELETE_MESSAGE, .message_id = id};
    enum pz_status status = pz_store_submit_wait(f->store, &write, &err);
    PZ_CHECK_EQ_I64(status, is_present(f, id) ? PZ_OK : PZ_NOT_FOUND);
    if (id <= f->model.message_count) {
        f->model.is_deleted[id] = true;
    }
}

// Selects the notes whose number is `rest` modulo `modulus`, as a DELETE statement would.
static void
delete_notes(struct fixture *f)
{
    struct pz_error err = {0};
    int64_t modulus = pz_rng_range(&f->rng, 50, 500);
    int64_t rest = pz_rng_range(&f->rng, 0, modulus - 1);
    const struct pz_table_def *def = table(f, "notes");
    struct pz_page_scratch *scratch = pz_page_scratch_create();
    struct pz_table_rows rows;
    pz_layout_lock(f->store);
    struct pz_version *version = pz_version_acquire(f->store);
    pz_version_rows(version, def, &rows);
    uint64_t **blocks = pz_xcalloc(rows.block_count + 1, sizeof *blocks);
    uint64_t expected = 0;
    for (uint32_t b = 0; b < rows.block_count; b++) {
        struct pz_block block;
        struct pz_slice slice;
        pz_table_block(&rows, b, &block);
        PZ_REQUIRE_OK(pz_block_read(&block, 0, scratch, &slice, &err), &err);
        blocks[b] = pz_xcalloc(PZ_BLOCK_ROWS / 64, sizeof(uint64_t));
        for (uint32_t row = 0; row < block.row_count; row++) {
            int64_t n = ((const int64_t *)slice.data)[row];
            if (n % modulus == rest) {
                pz_bit_set(blocks[b], row); // hidden ones too: they must not count again
                expected += !f->model.note_deleted[n];
                f->model.note_deleted[n] = true;
            }
        }
    }
    struct pz_row_selection selection = {
        .def = def, .version = version, .block_count = rows.block_count, .blocks = blocks};
    struct pz_write write = {.kind = PZ_WRITE_DELETE_ROWS, .selection = &selection};
    PZ_CHECK_OK(pz_store_submit_wait(f->store, &write, &err), &err);
    pz_layout_unlock(f->store);
    PZ_CHECK_EQ_U64(write.accepted, expected);
    f->model.notes_deleted += expected;
    for (uint32_t b = 0; b < rows.block_count; b++) {
        free(blocks[b]);
    }
    free((void *)blocks);
    pz_version_release(version);
    pz_page_scratch_destroy(scratch);
}

// ---- comparison -----------------------------------------------------------------------------

static void
compare_note(struct fixture *f, const struct pz_block *block, const struct pz_slice *slices,
             uint32_t row, bool *seen)
{
    char text[40];
    int64_t n = ((const int64_t *)slices[0].data)[row];
    PZ_REQUIRE(n >= 0 && (size_t)n < f->model.note_count);
    PZ_CHECK(!seen[n]);
    seen[n] = true;
    bool is_null = n % 7 == 3;
    PZ_CHECK_EQ_I64(pz_slice_is_null(&slices[2], row), is_null);
    if (is_null) {
        return;
    }
    (void)snprintf(text, sizeof text, "note %lld", (long long)n);
    PZ_CHECK_EQ_PZ_STR(((const struct pz_str *)slices[2].data)[row], text);
    if (n > 99) {
        text[strlen(text) - 1] = '\0';
    }
    PZ_CHECK_EQ_PZ_STR(pz_symbol_name(f->store, block->def->columns[3].domain_id,
                                      ((const uint32_t *)slices[3].data)[row]),
                       text);
}

static void
compare_notes(struct fixture *f)
{
    struct pz_error err = {0};
    struct pz_page_scratch *scratches[4];
    struct pz_table_rows rows;
    struct pz_version *version = pz_version_acquire(f->store);
    bool *seen = pz_xcalloc(NOTES_MAX, sizeof *seen);
    size_t count = 0;
    for (int c = 0; c < 4; c++) {
        scratches[c] = pz_page_scratch_create();
    }
    pz_version_rows(version, pz_version_find_table(version, PZ_STR("notes")), &rows);
    for (uint32_t b = 0; b < rows.block_count; b++) {
        struct pz_block block;
        struct pz_slice slices[4];
        pz_table_block(&rows, b, &block);
        for (uint32_t c = 0; c < 4; c++) {
            PZ_REQUIRE_OK(pz_block_read(&block, c, scratches[c], &slices[c], &err), &err);
        }
        for (uint32_t row = 0; row < block.row_count; row++) {
            int64_t n = ((const int64_t *)slices[0].data)[row];
            bool is_hidden = block.deleted != NULL && pz_bit_get(block.deleted, row);
            PZ_CHECK_EQ_I64(is_hidden, f->model.note_deleted[n]);
            if (!is_hidden) {
                compare_note(f, &block, slices, row, seen);
                count++;
            }
        }
    }
    PZ_CHECK_EQ_U64(count, f->model.note_count - f->model.notes_deleted);
    PZ_CHECK_EQ_U64(rows.row_count, count);
    for (int c = 0; c < 4; c++) {
        pz_page_scratch_destroy(scratches[c]);
    }
    free(seen);
    pz_version_release(version);
}

static uint64_t
row_count(struct fixture *f, const char *name)
{
    struct pz_table_rows rows;
    struct pz_version *version = pz_version_acquire(f->store);
    pz_version_rows(version, pz_version_find_table(version, pz_str_from(name)), &rows);
    uint64_t count = rows.row_count;
    pz_version_release(version);
    return count;
}

static void
compare(struct fixture *f)
{
    struct pz_error err = {0};
    struct pz_arena arena;
    struct pz_buffer report = {0};
    uint64_t problems = 0;
    uint64_t present = 0;
    pz_arena_init(&arena, NULL);
    compare_notes(f);
    for (int64_t id = 1; id <= f->model.message_count; id++) {
        struct pz_message message;
        enum pz_status status = pz_feed_get_message(f->store, id, &arena, &message, &err);
        PZ_CHECK_EQ_I64(status, f->model.is_deleted[id] ? PZ_NOT_FOUND : PZ_OK);
        if (status == PZ_OK) {
            PZ_CHECK_EQ_I64(message.likes, likes_of(f, id));
            PZ_CHECK_EQ_I64(message.views, f->model.views[id]);
            present++;
        }
        pz_arena_reset(&arena);
    }
    PZ_CHECK_EQ_U64(row_count(f, "messages"), present);
    PZ_CHECK_EQ_U64(row_count(f, "likes"), f->model.like_rows);
    PZ_CHECK_EQ_U64(row_count(f, "views"), f->model.view_rows);
    PZ_CHECK_OK(pz_store_check(f->store, &report, &problems, &err), &err);
    PZ_CHECK_MSG(problems == 0, "%s", report.data == NULL ? "" : report.data);
    pz_buffer_fini(&report);
    pz_arena_fini(&arena);
}

static void
restart(struct fixture *f)
{
    pz_store_close(f->store);
    open_store(f);
}

static void
step(struct fixture *f)
{
    struct pz_error err = {0};
    uint64_t choice = pz_rng_below(&f->rng, 1000);
    if (choice < 150) {
        post(f);
    } else if (choice < 550) {
        like(f, pz_rng_chance(&f->rng, 0.7));
    } else if (choice < 700) {
        add_views(f, 1 + pz_rng_below(&f->rng, 30), false);
    } else if (choice < 704) {
        add_views(f, PZ_BLOCK_ROWS + pz_rng_below(&f->rng, 3000), true);
    } else if (choice < 708) {
        add_views(f, 1 + pz_rng_below(&f->rng, 30), true);
    } else if (choice < 880) {
        add_notes(f);
    } else if (choice < 910) {
        delete_message(f);
    } else if (choice < 930) {
        delete_notes(f);
    } else if (choice < 960) {
        PZ_CHECK_OK(pz_store_seal_now(f->store, 0, &err), &err);
    } else if (choice < 985) {
        PZ_CHECK_OK(pz_store_fold_now(f->store, &err), &err);
    } else {
        restart(f);
    }
}

PZ_TEST(random_operations_match_the_model)
{
    struct fixture *f = pz_xcalloc(1, sizeof *f);
    begin(f);
    for (int i = 0; i < 1200; i++) {
        step(f);
        if (i % 100 == 99) {
            compare(f);
        }
    }
    restart(f);
    compare(f);
    pz_store_close(f->store);
    free(f);
}

// ---- opening --------------------------------------------------------------------------------

PZ_TEST(a_second_process_is_refused)
{
    struct fixture f = {.dir = pz_test_path("store")};
    struct pz_store *second = NULL;
    struct pz_error err = {0};
    open_store(&f);
    PZ_CHECK_STATUS(pz_store_open(f.dir, &manual, &second, &err), PZ_BUSY, &err);
    pz_store_close(f.store);
}

PZ_TEST(foreign_directories_are_left_alone)
{
    struct pz_store *store = NULL;
    struct pz_error err = {0};
    const char *path = pz_test_path("notes.txt");
    PZ_REQUIRE(path != NULL);
    FILE *file = fopen(path, "w");
    PZ_REQUIRE(file != NULL);
    (void)fclose(file);
    PZ_CHECK_STATUS(pz_store_open(pz_test_dir(), &manual, &store, &err), PZ_CORRUPT, &err);
    PZ_CHECK_CONTAINS(err.message, "notes.txt");
}

PZ_TEST(absent_store_is_not_made_unless_asked)
{
    struct pz_store *store = NULL;
    struct pz_error err = {0};
    struct pz_store_options options = manual;
    options.create = false;
    PZ_CHECK_STATUS(pz_store_open(pz_test_path("none"), &options, &store, &err), PZ_NOT_FOUND,
                    &err);
}

PZ_TEST(a_damaged_segment_is_refused)
{
    struct fixture *f = pz_xcalloc(1, sizeof *f);
    struct pz_error err = {0};
    begin(f);
    add_notes(f);
    PZ_REQUIRE_OK(pz_store_seal_now(f->store, 0, &err), &err);
    pz_store_close(f->store);
    char path[512];
    (void)snprintf(path, sizeof path, "%s/segments/100/1.seg", f->dir);
    FILE *file = fopen(path, "r+");
    PZ_REQUIRE(file != NULL);
    PZ_REQUIRE(fseek(file, -48, SEEK_END) == 0);
    (void)fputs("damage", file);
    (void)fclose(file);
    PZ_CHECK_STATUS(pz_store_open(f->dir, &manual, &f->store, &err), PZ_CORRUPT, &err);
    PZ_CHECK_CONTAINS(err.message, "1.seg");
    PZ_REQUIRE(remove(path) == 0);
    PZ_CHECK_STATUS(pz_store_open(f->dir, &manual, &f->store, &err), PZ_CORRUPT, &err);
    PZ_CHECK_CONTAINS(err.message, "missing");
    free(f);
}

PZ_TEST(orphans_are_set_aside)
{
    struct fixture *f = pz_xcalloc(1, sizeof *f);
    begin(f);
    pz_store_close(f->store);
    char path[512];
    (void)snprintf(path, sizeof path, "%s/segments/100/77.seg", f->dir);
    FILE *file = fopen(path, "w");
    PZ_REQUIRE(file != NULL);
    (void)fputs("half a segment", file);
    (void)fclose(file);
    open_store(f);
    PZ_CHECK(fopen(path, "r") == NULL);
    (void)snprintf(path, sizeof path, "%s/lost+found/100-77.seg", f->dir);
    file = fopen(path, "r");
    PZ_CHECK(file != NULL);
    if (file != NULL) {
        (void)fclose(file);
    }
    pz_store_close(f->store);
    free(f);
}

// ---- rules ----------------------------------------------------------------------------------

static enum pz_status
import_message(struct fixture *f, int64_t id, enum pz_on_error on_error, struct pz_write *write,
               struct pz_error *err)
{
    struct pz_batch batch = {0};
    PZ_REQUIRE_OK(pz_batch_init(&batch, table(f, "messages"), err), err);
    PZ_REQUIRE_OK(pz_batch_reserve(&batch, 1, err), err);
    pz_column_append_int(&batch.columns[PZ_MESSAGES_ID], id);
    pz_column_append_code(&batch.columns[PZ_MESSAGES_USER], user_code(f, 1));
    pz_column_append_null(&batch.columns[PZ_MESSAGES_CREATED_AT]);
    PZ_REQUIRE_OK(pz_column_append_text(&batch.columns[PZ_MESSAGES_BODY], PZ_STR("x"), err), err);
    pz_column_append_null(&batch.columns[PZ_MESSAGES_SENTIMENT]);
    PZ_REQUIRE_OK(pz_batch_end_row(&batch, true, 17, err), err);
    *write = (struct pz_write){.kind = PZ_WRITE_ROWS,
                               .batches = &batch,
                               .batch_count = 1,
                               .on_error = on_error,
                               .source = "test"};
    enum pz_status status = pz_store_submit_wait(f->store, write, err);
    pz_batch_fini(&batch);
    return status;
}

PZ_TEST(message_ids_are_used_once)
{
    struct fixture *f = pz_xcalloc(1, sizeof *f);
    struct pz_error err = {0};
    struct pz_write write;
    begin(f);
    PZ_CHECK_OK(import_message(f, 40, PZ_ON_ERROR_ABORT, &write, &err), &err);
    PZ_CHECK_STATUS(import_message(f, 40, PZ_ON_ERROR_ABORT, &write, &err), PZ_UNACCEPTABLE, &err);
    PZ_CHECK_CONTAINS(err.message, "in use");
    PZ_CHECK_EQ_U64(write.rejected, 1);
    PZ_CHECK_EQ_U64(write.row_errors[0].line, 17);
    PZ_CHECK_EQ_STR(write.row_errors[0].column, "message_id");
    free(write.row_errors);
    PZ_CHECK_STATUS(import_message(f, 0, PZ_ON_ERROR_ABORT, &write, &err), PZ_UNACCEPTABLE, &err);
    free(write.row_errors);
    PZ_CHECK_EQ_U64(row_count(f, "dead_letters"), 0);
    PZ_CHECK_OK(import_message(f, 40, PZ_ON_ERROR_DEAD_LETTER, &write, &err), &err);
    PZ_CHECK_EQ_U64(write.rejected, 1);
    free(write.row_errors);
    PZ_CHECK_EQ_U64(row_count(f, "dead_letters"), 1);
    PZ_CHECK_EQ_U64(row_count(f, "messages"), 1);
    f->model.message_count = 40;
    post(f); // generated ids go on after the largest
    pz_store_close(f->store);
    free(f);
}
