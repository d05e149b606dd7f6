// SPDX-License-Identifier: Apache-2.0
// The rules of writing: what is refused leaves nothing behind, whatever else is in its write or its
// group, and the answer counts what was stored, ignored and rejected.
#include "storage/catalog/builtin.h"
#include "tests/support/test.h"
#include "tests/unit/storage/store/notes.h"

#include <stdio.h>
#include <stdlib.h>

static struct pz_store *
begin(void)
{
    struct pz_store *store = notes_open(pz_test_path("store"));
    notes_create(store, "notes");
    return store;
}

static void
start_batch(struct pz_store *store, struct pz_batch *batch, const char *name, size_t rows)
{
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_batch_init(batch, notes_table(store, name), &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(batch, rows, &err), &err);
}

static void
end_row(struct pz_batch *batch, uint64_t line)
{
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_batch_end_row(batch, true, line, &err), &err);
}

// id 0 = none given.
static void
add_message(struct pz_store *store, struct pz_batch *batch, int64_t id, uint64_t line)
{
    struct pz_error err = {0};
    if (id == 0) {
        pz_column_append_null(&batch->columns[PZ_MESSAGES_ID]);
    } else {
        pz_column_append_int(&batch->columns[PZ_MESSAGES_ID], id);
    }
    pz_column_append_code(&batch->columns[PZ_MESSAGES_USER],
                          notes_symbol(store, PZ_DOMAIN_USER, "ann"));
    pz_column_append_null(&batch->columns[PZ_MESSAGES_CREATED_AT]);
    PZ_REQUIRE_OK(pz_column_append_text(&batch->columns[PZ_MESSAGES_BODY], PZ_STR("\"q\"\n"), &err),
                  &err);
    pz_column_append_null(&batch->columns[PZ_MESSAGES_SENTIMENT]);
    end_row(batch, line);
}

static void
add_like(struct pz_store *store, struct pz_batch *batch, int64_t id, const char *user,
         int64_t delta)
{
    pz_column_append_int(&batch->columns[PZ_LIKES_MESSAGE], id);
    pz_column_append_code(&batch->columns[PZ_LIKES_USER],
                          notes_symbol(store, PZ_DOMAIN_USER, user));
    pz_column_append_null(&batch->columns[PZ_LIKES_CREATED_AT]);
    pz_column_append_int(&batch->columns[PZ_LIKES_DELTA], delta);
    end_row(batch, batch->row_count + 1);
}

static enum pz_status
write_rows(struct pz_store *store, struct pz_batch *batches, uint32_t count, struct pz_write *write,
           struct pz_error *err)
{
    free(write->row_errors);
    *write = (struct pz_write){.kind = PZ_WRITE_ROWS,
                               .batches = batches,
                               .batch_count = count,
                               .on_error = write->on_error,
                               .needs_message = write->needs_message,
                               .source = "rules_test"};
    enum pz_status status = pz_store_submit_wait(store, write, err);
    for (uint32_t i = 0; i < count; i++) {
        pz_batch_fini(&batches[i]);
    }
    return status;
}

static enum pz_status
post(struct pz_store *store, int64_t id, struct pz_write *write, struct pz_error *err)
{
    struct pz_batch batch;
    start_batch(store, &batch, "messages", 1);
    add_message(store, &batch, id, 1);
    return write_rows(store, &batch, 1, write, err);
}

// ---- message ids ----------------------------------------------------------------------------

PZ_TEST(the_largest_message_id_is_the_last)
{
    struct pz_store *store = begin();
    struct pz_write write = {0};
    struct pz_error err = {0};
    PZ_CHECK_OK(post(store, 5, &write, &err), &err);
    PZ_CHECK_OK(post(store, INT64_MAX, &write, &err), &err);
    for (int round = 0; round < 2; round++) {
        PZ_CHECK_STATUS(post(store, 0, &write, &err), PZ_UNACCEPTABLE, &err);
        PZ_CHECK_CONTAINS(err.message, "no message_id is left");
        PZ_CHECK_STATUS(post(store, 5, &write, &err), PZ_UNACCEPTABLE, &err);
        PZ_CHECK_STATUS(post(store, INT64_MAX, &write, &err), PZ_UNACCEPTABLE, &err);
        PZ_CHECK_STATUS(post(store, INT64_MIN, &write, &err), PZ_UNACCEPTABLE, &err);
        PZ_CHECK_OK(post(store, 6 + round, &write, &err), &err); // free ones can be given
        notes_check_store(store);
        PZ_CHECK_OK(pz_store_fold_now(store, &err), &err);
        PZ_CHECK_OK(pz_store_seal_now(store, 0, &err), &err);
        pz_store_close(store);
        store = notes_open(pz_test_path("store"));
    }
    PZ_CHECK_EQ_U64(notes_count(store, "messages"), 4);
    free(write.row_errors);
    pz_store_close(store);
}

PZ_TEST(a_refused_write_takes_no_ids)
{
    struct pz_store *store = begin();
    struct pz_write write = {0};
    struct pz_error err = {0};
    struct pz_batch batch;
    PZ_CHECK_OK(post(store, 0, &write, &err), &err);
    start_batch(store, &batch, "messages", 3);
    add_message(store, &batch, 0, 1);
    add_message(store, &batch, 50, 2);
    add_message(store, &batch, 50, 3); // twice in one write
    PZ_CHECK_STATUS(write_rows(store, &batch, 1, &write, &err), PZ_UNACCEPTABLE, &err);
    PZ_CHECK_EQ_U64(write.accepted, 0);
    PZ_CHECK_EQ_U64(write.rejected, 1);
    PZ_CHECK_EQ_U64(write.row_errors[0].line, 3);
    PZ_CHECK_EQ_U64(notes_count(store, "messages"), 1);
    start_batch(store, &batch, "messages", 1);
    add_message(store, &batch, 0, 1);
    write.on_error = PZ_ON_ERROR_ABORT;
    struct pz_write last = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
    PZ_CHECK_OK(pz_store_submit_wait(store, &last, &err), &err);
    PZ_CHECK_EQ_I64(batch.columns[PZ_MESSAGES_ID].ints[0], 2);
    pz_batch_fini(&batch);
    free(write.row_errors);
    notes_check_store(store);
    pz_store_close(store);
}

// ---- values ---------------------------------------------------------------------------------

// A row of views; NULL or INT64_MIN make a value NULL.
static void
add_view(struct pz_store *store, struct pz_batch *batch, const char *user, const char *device,
         const char *geo, int64_t watch_ms)
{
    const char *names[] = {user, device, geo};
    const uint32_t columns[] = {PZ_VIEWS_USER, PZ_VIEWS_DEVICE, PZ_VIEWS_GEO};
    pz_column_append_int(&batch->columns[PZ_VIEWS_MESSAGE], 1);
    pz_column_append_null(&batch->columns[PZ_VIEWS_VIEWED_AT]);
    for (int i = 0; i < 3; i++) {
        struct pz_column *column = &batch->columns[columns[i]];
        if (names[i] == NULL) {
            pz_column_append_null(column);
        } else {
            uint32_t domain = batch->def->columns[columns[i]].domain_id;
            pz_column_append_code(column, notes_symbol(store, domain, names[i]));
        }
    }
    if (watch_ms == INT64_MIN) {
        pz_column_append_null(&batch->columns[PZ_VIEWS_WATCH_MS]);
    } else {
        pz_column_append_int(&batch->columns[PZ_VIEWS_WATCH_MS], watch_ms);
    }
    end_row(batch, batch->row_count + 1);
}

// One row, by a write and by a load: `column` NULL when it is good.
static void
check_view(struct pz_store *store, const char *const names[3], int64_t watch_ms, const char *column,
           const char *message)
{
    struct pz_write write = {0};
    struct pz_write answer = {0};
    struct pz_error err = {0};
    struct pz_batch batch;
    struct pz_load *load;
    start_batch(store, &batch, "views", 1);
    add_view(store, &batch, names[0], names[1], names[2], watch_ms);
    PZ_CHECK_STATUS(write_rows(store, &batch, 1, &write, &err),
                    column == NULL ? PZ_OK : PZ_UNACCEPTABLE, &err);
    if (column != NULL) {
        PZ_REQUIRE(write.row_error_count == 1);
        PZ_CHECK_EQ_STR(write.row_errors[0].column, column);
        PZ_CHECK_EQ_STR(write.row_errors[0].message, message);
    }
    free(write.row_errors);
    start_batch(store, &batch, "views", 1);
    add_view(store, &batch, names[0], names[1], names[2], watch_ms);
    PZ_REQUIRE_OK(pz_load_begin(store, batch.def, &load, &err), &err);
    PZ_CHECK_STATUS(pz_load_add(load, &batch, &err), column == NULL ? PZ_OK : PZ_UNACCEPTABLE,
                    &err);
    if (column != NULL) {
        PZ_CHECK_EQ_STR(err.message, message);
        pz_load_abort(load);
    } else {
        PZ_CHECK_OK(pz_load_commit(load, NULL, &answer, &err), &err);
    }
    pz_batch_fini(&batch);
}

PZ_TEST(values_obey_the_rules_by_write_and_by_load)
{
    struct pz_store *store = begin();
    char longest[258];
    memset(longest, 'x', sizeof longest);
    longest[256] = '\0';
    check_view(store, (const char *[]){longest, "phone", "ES-M"}, 0, NULL, NULL);
    check_view(store, (const char *[]){"ann", NULL, NULL}, INT64_MIN, NULL, NULL);
    longest[256] = 'x';
    longest[257] = '\0';
    check_view(store, (const char *[]){longest, "phone", "ES-M"}, 1, "user_id",
               "user_id must be 1 to 256 bytes long, is 257");
    check_view(store, (const char *[]){"", "phone", "ES-M"}, 1, "user_id",
               "user_id must be 1 to 256 bytes long, is 0");
    check_view(store, (const char *[]){"a\tb", "phone", "ES-M"}, 1, "user_id",
               "user_id must not hold the control character U+0009");
    check_view(store, (const char *[]){"ann", "", "ES-M"}, 1, "device",
               "device must be 1 to 256 bytes long, is 0");
    check_view(store, (const char *[]){"ann", "phone", "\x7f"}, 1, "geo",
               "geo must not hold the control character U+007F");
    check_view(store, (const char *[]){"ann", "phone", "ES-M"}, -1, "watch_ms",
               "watch_ms must not be negative, is -1");
    PZ_CHECK_EQ_U64(notes_count(store, "views"), 4);
    notes_check_store(store);
    pz_store_close(store);
}

PZ_TEST(likes_obey_the_rules_of_values)
{
    static const struct {
        const char *user;
        int64_t id, delta;
        const char *message;
    } cases[] = {
        {"", 1, 1, "user_id must be 1 to 256 bytes long, is 0"},
        {"a\nb", 1, 1, "user_id must not hold the control character U+000A"},
        {"ann", 0, 1, "message_id must be a positive integer, is 0"},
        {"ann", 1, 0, "delta must be 1 (like) or -1 (unlike), is 0"},
        {"ann", 1, INT64_MIN, "delta must be 1 (like) or -1 (unlike), is -9223372036854775808"},
    };
    struct pz_store *store = begin();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pz_write write = {0};
        struct pz_error err = {0};
        struct pz_batch batch;
        start_batch(store, &batch, "likes", 1);
        add_like(store, &batch, cases[i].id, cases[i].user, cases[i].delta);
        PZ_CHECK_STATUS(write_rows(store, &batch, 1, &write, &err), PZ_UNACCEPTABLE, &err);
        PZ_CHECK_EQ_STR(err.message, cases[i].message);
        free(write.row_errors);
    }
    PZ_CHECK_EQ_U64(notes_count(store, "likes"), 0);
    pz_store_close(store);
}

PZ_TEST(single_likes_obey_the_rules_of_values)
{
    struct pz_store *store = begin();
    struct pz_write write = {0};
    struct pz_error err = {0};
    PZ_CHECK_OK(post(store, 1, &write, &err), &err);
    struct pz_write like = {.kind = PZ_WRITE_LIKE,
                            .message_id = 1,
                            .user = notes_symbol(store, PZ_DOMAIN_USER, "a\tb")};
    PZ_CHECK_STATUS(pz_store_submit_wait(store, &like, &err), PZ_UNACCEPTABLE, &err);
    PZ_CHECK_EQ_STR(err.message, "user_id must not hold the control character U+0009");
    like.user = notes_symbol(store, PZ_DOMAIN_USER, "ann");
    PZ_CHECK_OK(pz_store_submit_wait(store, &like, &err), &err);
    PZ_CHECK_EQ_I64(like.likes, 1);
    PZ_CHECK_EQ_U64(notes_count(store, "likes"), 1);
    free(write.row_errors);
    pz_store_close(store);
}

PZ_TEST(views_of_a_load_get_their_time)
{
    enum { ROWS = 100 };
    struct pz_store *store = begin();
    struct pz_error err = {0};
    struct pz_write answer = {0};
    struct pz_batch batch;
    struct pz_load *load;
    start_batch(store, &batch, "views", ROWS);
    for (int i = 0; i < ROWS; i++) {
        add_view(store, &batch, "ann", NULL, NULL, i);
    }
    PZ_REQUIRE_OK(pz_load_begin(store, batch.def, &load, &err), &err);
    PZ_REQUIRE_OK(pz_load_add(load, &batch, &err), &err);
    PZ_CHECK_EQ_U64(batch.row_count, 0);
    PZ_REQUIRE_OK(pz_load_commit(load, NULL, &answer, &err), &err);
    pz_batch_fini(&batch);
    PZ_CHECK_EQ_U64(answer.accepted, ROWS);
    struct pz_version *version = pz_version_acquire(store);
    struct pz_page_scratch *scratch = pz_page_scratch_create();
    struct pz_table_rows rows;
    struct pz_block block;
    struct pz_slice slice;
    pz_version_rows(version, pz_version_find_table(version, PZ_STR("views")), &rows);
    PZ_REQUIRE(rows.block_count == 1);
    pz_table_block(&rows, 0, &block);
    PZ_REQUIRE_OK(pz_block_read(&block, PZ_VIEWS_VIEWED_AT, scratch, &slice, &err), &err);
    PZ_CHECK(slice.valid == NULL);
    for (uint32_t i = 0; i < slice.row_count; i++) {
        PZ_CHECK(((const int64_t *)slice.data)[i] > 0);
    }
    pz_page_scratch_destroy(scratch);
    pz_version_release(version);
    pz_store_close(store);
}

// ---- several batches, several writes in a group ---------------------------------------------

PZ_TEST(a_write_of_several_tables_is_whole)
{
    struct pz_store *store = begin();
    struct pz_write write = {0};
    struct pz_error err = {0};
    struct pz_batch batches[3];
    PZ_CHECK_OK(post(store, 0, &write, &err), &err);
    for (int round = 0; round < 2; round++) {
        notes_fill(store, &batches[0], notes_table(store, "notes"), 0, 20);
        start_batch(store, &batches[1], "likes", 3);
        add_like(store, &batches[1], 1, "bob", 1);
        add_like(store, &batches[1], 1, "bob", 1); // stands already: ignored
        add_like(store, &batches[1], 1, "cat", round == 0 ? 2 : 1);
        notes_fill(store, &batches[2], notes_table(store, "notes"), 20, 20);
        enum pz_status status = write_rows(store, batches, 3, &write, &err);
        PZ_CHECK_EQ_I64(status, round == 0 ? PZ_UNACCEPTABLE : PZ_OK);
        PZ_CHECK_EQ_U64(notes_count(store, "notes"), round == 0 ? 0 : 40);
        PZ_CHECK_EQ_U64(notes_count(store, "likes"), round == 0 ? 0 : 2);
    }
    PZ_CHECK_EQ_U64(write.accepted, 42);
    PZ_CHECK_EQ_U64(write.ignored, 1);
    free(write.row_errors);
    notes_check_store(store);
    pz_store_close(store);
}

static void
do_nothing(struct pz_write *write)
{
    (void)write;
}

// Refused writes between accepted ones of the same group.
PZ_TEST(a_refusal_does_not_touch_its_neighbours)
{
    enum { WRITES = 200 };
    struct pz_store *store = begin();
    struct pz_error err = {0};
    struct pz_batch *batches = pz_xcalloc(WRITES, sizeof *batches);
    struct pz_write *writes = pz_xcalloc(WRITES, sizeof *writes);
    for (int i = 0; i < WRITES; i++) {
        start_batch(store, &batches[i], "messages", 3);
        for (int row = 0; row < 3; row++) {
            bool is_bad = i % 3 == 1 && row == 2;
            add_message(store, &batches[i], is_bad ? -5 : 0, 1);
        }
        writes[i] = (struct pz_write){
            .kind = PZ_WRITE_ROWS, .batches = &batches[i], .batch_count = 1, .done = do_nothing};
    }
    for (int i = 0; i < WRITES; i++) {
        PZ_REQUIRE_OK(pz_store_submit(store, &writes[i], &err), &err);
    }
    pz_store_drain(store);
    int64_t next_id = 1;
    for (int i = 0; i < WRITES; i++) {
        PZ_CHECK_EQ_I64(writes[i].status, i % 3 == 1 ? PZ_UNACCEPTABLE : PZ_OK);
        for (int row = 0; row < 3 && i % 3 != 1; row++) {
            PZ_CHECK_EQ_I64(batches[i].columns[PZ_MESSAGES_ID].ints[row], next_id++);
        }
        pz_batch_fini(&batches[i]);
        free(writes[i].row_errors);
    }
    PZ_CHECK_EQ_U64(notes_count(store, "messages"), (uint64_t)next_id - 1);
    notes_check_store(store);
    pz_store_close(store);
    store = notes_open(pz_test_path("store"));
    PZ_CHECK_EQ_U64(notes_count(store, "messages"), (uint64_t)next_id - 1);
    notes_check_store(store);
    pz_store_close(store);
    free(writes);
    free(batches);
}

// ---- dead letters ---------------------------------------------------------------------------

PZ_TEST(bad_rows_become_letters)
{
    struct pz_store *store = begin();
    struct pz_write write = {.on_error = PZ_ON_ERROR_DEAD_LETTER};
    struct pz_error err = {0};
    struct pz_batch batch;
    start_batch(store, &batch, "messages", 3);
    add_message(store, &batch, -1, 11);
    add_message(store, &batch, 7, 12);
    add_message(store, &batch, 7, 13);
    PZ_CHECK_OK(write_rows(store, &batch, 1, &write, &err), &err);
    PZ_CHECK_EQ_U64(write.accepted, 1);
    PZ_CHECK_EQ_U64(write.rejected, 2);
    PZ_CHECK_EQ_U64(notes_count(store, "messages"), 1);
    PZ_CHECK_EQ_U64(notes_count(store, "dead_letters"), 2);

    struct pz_version *version = pz_version_acquire(store);
    struct pz_page_scratch *scratch = pz_page_scratch_create();
    struct pz_table_rows rows;
    struct pz_block block;
    struct pz_slice slice;
    pz_version_rows(version, pz_version_find_table(version, PZ_STR("dead_letters")), &rows);
    PZ_REQUIRE(rows.block_count == 1);
    pz_table_block(&rows, 0, &block);
    PZ_REQUIRE_OK(pz_block_read(&block, PZ_DEAD_POSITION, scratch, &slice, &err), &err);
    PZ_CHECK_EQ_I64(((const int64_t *)slice.data)[1], 13);
    PZ_REQUIRE_OK(pz_block_read(&block, PZ_DEAD_RAW, scratch, &slice, &err), &err);
    struct pz_str raw = ((const struct pz_str *)slice.data)[1];
    PZ_CHECK_MSG(raw.len > 40 &&
                     memcmp(raw.data, "{\"message_id\":7,\"user_id\":\"ann\"", 31) == 0 &&
                     memmem(raw.data, raw.len, "\\\"q\\\"\\n", 7) != NULL,
                 "%.*s", PZ_STR_ARG(raw));
    PZ_REQUIRE_OK(pz_block_read(&block, PZ_DEAD_REASON, scratch, &slice, &err), &err);
    PZ_CHECK_EQ_PZ_STR(((const struct pz_str *)slice.data)[1], "message_id 7 is in use");
    pz_page_scratch_destroy(scratch);
    pz_version_release(version);
    free(write.row_errors);
    pz_store_close(store);
}

PZ_TEST(only_the_first_errors_are_told)
{
    struct pz_store *store = begin();
    struct pz_write write = {.on_error = PZ_ON_ERROR_DEAD_LETTER};
    struct pz_error err = {0};
    struct pz_batch batch;
    start_batch(store, &batch, "messages", 250);
    for (uint64_t i = 1; i <= 250; i++) {
        add_message(store, &batch, -1, i);
    }
    PZ_CHECK_OK(write_rows(store, &batch, 1, &write, &err), &err);
    PZ_CHECK_EQ_U64(write.rejected, 250);
    PZ_CHECK_EQ_U64(write.row_error_count, PZ_ROW_ERRORS_MAX);
    PZ_CHECK_EQ_U64(notes_count(store, "dead_letters"), 250);
    free(write.row_errors);
    pz_store_close(store);
}

// ---- the rest -------------------------------------------------------------------------------

PZ_TEST(views_may_need_their_message)
{
    struct pz_store *store = begin();
    struct pz_write write = {0};
    struct pz_error err = {0};
    PZ_CHECK_OK(post(store, 3, &write, &err), &err);
    for (int64_t id = 3; id <= 4; id++) {
        struct pz_batch batch;
        start_batch(store, &batch, "views", 1);
        pz_column_append_int(&batch.columns[PZ_VIEWS_MESSAGE], id);
        pz_column_append_code(&batch.columns[PZ_VIEWS_USER],
                              notes_symbol(store, PZ_DOMAIN_USER, "bob"));
        pz_column_append_null(&batch.columns[PZ_VIEWS_VIEWED_AT]);
        pz_column_append_null(&batch.columns[PZ_VIEWS_DEVICE]);
        pz_column_append_null(&batch.columns[PZ_VIEWS_GEO]);
        pz_column_append_int(&batch.columns[PZ_VIEWS_WATCH_MS], 10);
        end_row(&batch, 1);
        write.needs_message = true;
        PZ_CHECK_EQ_I64(write_rows(store, &batch, 1, &write, &err), id == 3 ? PZ_OK : PZ_NOT_FOUND);
    }
    PZ_CHECK_EQ_U64(notes_count(store, "views"), 1);
    free(write.row_errors);
    notes_check_store(store);
    pz_store_close(store);
}

PZ_TEST(a_long_text_is_stored_whole)
{
    struct pz_store *store = begin();
    struct pz_write write = {0};
    struct pz_error err = {0};
    struct pz_batch batch;
    char *text = pz_xmalloc(PZ_TEXT_LEN_MAX);
    memset(text, 'x', PZ_TEXT_LEN_MAX);
    start_batch(store, &batch, "notes", 1);
    pz_column_append_int(&batch.columns[0], 1);
    pz_column_append_null(&batch.columns[1]);
    pz_column_append_null(&batch.columns[2]);
    PZ_REQUIRE_OK(
        pz_column_append_text(&batch.columns[3], (struct pz_str){text, PZ_TEXT_LEN_MAX}, &err),
        &err);
    end_row(&batch, 1);
    PZ_CHECK_OK(write_rows(store, &batch, 1, &write, &err), &err);
    for (int round = 0; round < 3; round++) {
        struct pz_version *version = pz_version_acquire(store);
        struct pz_page_scratch *scratch = pz_page_scratch_create();
        struct pz_table_rows rows;
        struct pz_block block;
        struct pz_slice slice;
        pz_version_rows(version, pz_version_find_table(version, PZ_STR("notes")), &rows);
        pz_table_block(&rows, 0, &block);
        PZ_REQUIRE_OK(pz_block_read(&block, 3, scratch, &slice, &err), &err);
        struct pz_str stored = ((const struct pz_str *)slice.data)[0];
        PZ_CHECK(stored.len == PZ_TEXT_LEN_MAX && memcmp(stored.data, text, stored.len) == 0);
        pz_page_scratch_destroy(scratch);
        pz_version_release(version);
        if (round == 0) { // tail, tail after a restart, segment
            pz_store_close(store);
            store = notes_open(pz_test_path("store"));
        } else {
            PZ_CHECK_OK(pz_store_seal_now(store, 0, &err), &err);
        }
    }
    pz_store_close(store);
    free(text);
}

static enum pz_status
create(struct pz_store *store, struct pz_table_def *def, struct pz_error *err)
{
    struct pz_write write = {.kind = PZ_WRITE_CREATE_TABLE, .table = def};
    return pz_store_submit_wait(store, &write, err);
}

PZ_TEST(tables_that_make_no_sense_are_refused)
{
    struct pz_store *store = begin();
    struct pz_error err = {0};
    struct pz_column_def columns[2] = {{.name = "a", .type = PZ_TYPE_BIGINT},
                                       {.name = "b", .type = PZ_TYPE_TIMESTAMP}};
    struct pz_table_def good = {
        .name = "good", .time_column = 1, .column_count = 2, .columns = columns};
    struct pz_table_def bad = good;
    bad.column_count = 0;
    PZ_CHECK_STATUS(create(store, &bad, &err), PZ_UNACCEPTABLE, &err);
    bad.column_count = PZ_COLUMNS_MAX + 1;
    PZ_CHECK_STATUS(create(store, &bad, &err), PZ_UNACCEPTABLE, &err);
    bad = good;
    bad.time_column = 0;
    PZ_CHECK_STATUS(create(store, &bad, &err), PZ_UNACCEPTABLE, &err);
    bad.time_column = 2;
    PZ_CHECK_STATUS(create(store, &bad, &err), PZ_UNACCEPTABLE, &err);
    bad = good;
    bad.name[0] = '\0';
    PZ_CHECK_STATUS(create(store, &bad, &err), PZ_UNACCEPTABLE, &err);
    columns[0].type = PZ_TYPE_INTERVAL;
    PZ_CHECK_STATUS(create(store, &good, &err), PZ_UNACCEPTABLE, &err);
    columns[0].type = PZ_TYPE_BIGINT;
    PZ_CHECK_OK(create(store, &good, &err), &err);
    (void)snprintf(good.name, sizeof good.name, "GOOD");
    PZ_CHECK_STATUS(create(store, &good, &err), PZ_EXISTS, &err);
    pz_store_close(store);
    store = notes_open(pz_test_path("store"));
    PZ_CHECK_EQ_U64(notes_count(store, "good"), 0);
    pz_store_close(store);
}

PZ_TEST(built_in_tables_stay)
{
    struct pz_store *store = begin();
    struct pz_error err = {0};
    struct pz_table_def named = {.name = "likes"};
    struct pz_write drop = {.kind = PZ_WRITE_DROP_TABLE, .table = &named};
    PZ_CHECK_STATUS(pz_store_submit_wait(store, &drop, &err), PZ_UNACCEPTABLE, &err);
    (void)snprintf(named.name, sizeof named.name, "nothing");
    PZ_CHECK_STATUS(pz_store_submit_wait(store, &drop, &err), PZ_NOT_FOUND, &err);
    drop.if_exists = true;
    PZ_CHECK_OK(pz_store_submit_wait(store, &drop, &err), &err);
    pz_store_close(store);
}

// Counters are sums over likes and views: their rows cannot be hidden.
PZ_TEST(history_cannot_be_deleted)
{
    struct pz_store *store = begin();
    struct pz_write write = {0};
    struct pz_error err = {0};
    uint64_t bits[PZ_BLOCK_ROWS / 64] = {1};
    uint64_t *blocks[1] = {bits};
    struct pz_batch batch;
    PZ_CHECK_OK(post(store, 0, &write, &err), &err);
    start_batch(store, &batch, "likes", 1);
    add_like(store, &batch, 1, "bob", 1);
    PZ_CHECK_OK(write_rows(store, &batch, 1, &write, &err), &err);
    pz_layout_lock(store);
    struct pz_version *version = pz_version_acquire(store);
    struct pz_row_selection selection = {
        .def = notes_table(store, "likes"), .version = version, .block_count = 1, .blocks = blocks};
    struct pz_write hide = {.kind = PZ_WRITE_DELETE_ROWS, .selection = &selection};
    PZ_CHECK_STATUS(pz_store_submit_wait(store, &hide, &err), PZ_UNACCEPTABLE, &err);
    pz_version_release(version);
    pz_layout_unlock(store);
    PZ_CHECK_EQ_U64(notes_count(store, "likes"), 1);
    notes_check_store(store);
    free(write.row_errors);
    pz_store_close(store);
}
