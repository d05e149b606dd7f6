// SPDX-License-Identifier: Apache-2.0
// Many threads on one store: writers of every kind, sealing and folding in the background, readers
// that hold versions. A version must not change while it is held, tables that only grow must grow,
// and at the end everything that was acknowledged is there once.
#include "base/clock.h"
#include "base/hash.h"
#include "base/thread.h"
#include "storage/store.h"
#include "tests/support/test.h"
#include "tests/unit/storage/store/notes.h"

#include <stdio.h>
#include <stdlib.h>

#define NOTES_MAX 40000
#define POSTS 300
#define LOAD_ROWS (PZ_BLOCK_ROWS + 5u)

struct world {
    struct pz_store *store;
    const struct pz_table_def *notes;
    _Atomic int64_t note_count;        // notes 0 .. this - 1 were stored
    bool is_deleted[NOTES_MAX];        // the deleter's
    _Atomic uint64_t views, like_rows; // stored
    _Atomic int64_t posted;            // messages 1 .. this were posted
    _Atomic uint64_t messages_deleted;
    _Atomic int working; // writers that are not done
    uint64_t seed;
};

static const struct pz_store_options background = {.create = true,
                                                   .is_ephemeral = true,
                                                   .seal_rows = 2000,
                                                   .cache_bytes = 4u << 20,
                                                   .map_bytes = 1u << 30};

// In any thread, unlike notes_table.
static const struct pz_table_def *
find_table(struct pz_store *store, const char *name)
{
    struct pz_version *version = pz_version_acquire(store);
    const struct pz_table_def *def = pz_version_find_table(version, pz_str_from(name));
    pz_version_release(version);
    return def;
}

static uint32_t
symbol(struct pz_store *store, uint32_t domain_id, uint64_t number)
{
    char name[24];
    uint32_t code = 0;
    struct pz_error err = {0};
    (void)snprintf(name, sizeof name, "s%llu", (unsigned long long)number);
    PZ_CHECK_OK(pz_symbol_intern(store, domain_id, pz_str_from(name), &code, &err), &err);
    return code;
}

// Rows n = first, first + 1, …
static void
fill_notes(struct world *world, struct pz_batch *batch, const struct pz_table_def *def,
           int64_t first, size_t count)
{
    struct pz_error err = {0};
    PZ_CHECK_OK(pz_batch_init(batch, def, &err), &err);
    PZ_CHECK_OK(pz_batch_reserve(batch, count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        char text[32];
        int64_t n = first + (int64_t)i;
        int len = snprintf(text, sizeof text, "note %lld", (long long)n);
        pz_column_append_int(&batch->columns[0], n);
        if (n % 11 == 5) {
            pz_column_append_null(&batch->columns[1]);
        } else {
            pz_column_append_int(&batch->columns[1], (n * 7919) % 1000000007);
        }
        pz_column_append_code(&batch->columns[2],
                              symbol(world->store, def->columns[2].domain_id, (uint64_t)n / 10));
        PZ_CHECK_OK(
            pz_column_append_text(&batch->columns[3], (struct pz_str){text, (uint32_t)len}, &err),
            &err);
        PZ_CHECK_OK(pz_batch_end_row(batch, false, 0, &err), &err);
    }
}

static void
write_batch(struct world *world, struct pz_batch *batch, uint64_t expected)
{
    struct pz_error err = {0};
    struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = batch, .batch_count = 1};
    PZ_CHECK_OK(pz_store_submit_wait(world->store, &write, &err), &err);
    PZ_CHECK_EQ_U64(write.accepted, expected);
}

// ---- writers --------------------------------------------------------------------------------

static void *
write_notes(void *payload)
{
    struct world *world = payload;
    struct pz_rng rng;
    int64_t n = 0;
    pz_rng_init(&rng, world->seed + 1);
    while (n < NOTES_MAX) {
        struct pz_batch batch;
        size_t count = 1 + (size_t)pz_rng_below(&rng, 200);
        count = count < (size_t)(NOTES_MAX - n) ? count : (size_t)(NOTES_MAX - n);
        fill_notes(world, &batch, world->notes, n, count);
        write_batch(world, &batch, count);
        pz_batch_fini(&batch);
        n += (int64_t)count;
        atomic_store(&world->note_count, n);
    }
    atomic_fetch_sub(&world->working, 1);
    return NULL;
}

// Selects notes by their number, as a DELETE statement would; returns how many it expects to hide.
static uint64_t
select_notes(struct world *world, const struct pz_table_rows *rows, int64_t modulus, int64_t rest,
             uint64_t **blocks)
{
    struct pz_page_scratch *scratch = pz_page_scratch_create();
    uint64_t expected = 0;
    for (uint32_t b = 0; b < rows->block_count; b++) {
        struct pz_block block;
        struct pz_slice slice;
        struct pz_error err = {0};
        pz_table_block(rows, b, &block);
        if (!PZ_CHECK_OK(pz_block_read(&block, 0, scratch, &slice, &err), &err)) {
            break;
        }
        blocks[b] = pz_xcalloc(PZ_BLOCK_ROWS / 64, sizeof(uint64_t));
        for (uint32_t row = 0; row < block.row_count; row++) {
            int64_t n = ((const int64_t *)slice.data)[row];
            if (n % modulus == rest) {
                pz_bit_set(blocks[b], row);
                expected += !world->is_deleted[n];
                world->is_deleted[n] = true;
            }
        }
    }
    pz_page_scratch_destroy(scratch);
    return expected;
}

static void *
delete_notes(void *payload)
{
    struct world *world = payload;
    struct pz_rng rng;
    pz_rng_init(&rng, world->seed + 2);
    for (bool is_last = false; !is_last;) {
        is_last = atomic_load(&world->note_count) == NOTES_MAX;
        struct pz_table_rows rows;
        struct pz_error err = {0};
        int64_t modulus = pz_rng_range(&rng, 40, 400);
        pz_layout_lock(world->store);
        struct pz_version *version = pz_version_acquire(world->store);
        pz_version_rows(version, world->notes, &rows);
        uint64_t **blocks = pz_xcalloc(rows.block_count + 1, sizeof *blocks);
        uint64_t expected =
            select_notes(world, &rows, modulus, pz_rng_range(&rng, 0, modulus - 1), blocks);
        struct pz_row_selection selection = {.def = world->notes,
                                             .version = version,
                                             .block_count = rows.block_count,
                                             .blocks = blocks};
        struct pz_write write = {.kind = PZ_WRITE_DELETE_ROWS, .selection = &selection};
        PZ_CHECK_OK(pz_store_submit_wait(world->store, &write, &err), &err);
        pz_layout_unlock(world->store);
        PZ_CHECK_EQ_U64(write.accepted, expected);
        for (uint32_t b = 0; b < rows.block_count; b++) {
            free(blocks[b]);
        }
        free((void *)blocks);
        pz_version_release(version);
    }
    atomic_fetch_sub(&world->working, 1);
    return NULL;
}

static void
post(struct world *world)
{
    struct pz_batch batch;
    struct pz_error err = {0};
    PZ_CHECK_OK(pz_batch_init(&batch, find_table(world->store, "messages"), &err), &err);
    PZ_CHECK_OK(pz_batch_reserve(&batch, 1, &err), &err);
    pz_column_append_null(&batch.columns[PZ_MESSAGES_ID]);
    pz_column_append_code(&batch.columns[PZ_MESSAGES_USER], symbol(world->store, 1, 0));
    pz_column_append_null(&batch.columns[PZ_MESSAGES_CREATED_AT]);
    PZ_CHECK_OK(pz_column_append_text(&batch.columns[PZ_MESSAGES_BODY], PZ_STR("hello"), &err),
                &err);
    pz_column_append_null(&batch.columns[PZ_MESSAGES_SENTIMENT]);
    PZ_CHECK_OK(pz_batch_end_row(&batch, false, 0, &err), &err);
    write_batch(world, &batch, 1);
    PZ_CHECK_EQ_I64(batch.columns[PZ_MESSAGES_ID].ints[0], atomic_load(&world->posted) + 1);
    atomic_fetch_add(&world->posted, 1);
    pz_batch_fini(&batch);
}

static void *
post_and_delete(void *payload)
{
    struct world *world = payload;
    for (int64_t i = 1; i <= POSTS; i++) {
        post(world);
        if (i % 10 == 0) {
            struct pz_error err = {0};
            struct pz_write write = {.kind = PZ_WRITE_DELETE_MESSAGE, .message_id = i - 3};
            PZ_CHECK_OK(pz_store_submit_wait(world->store, &write, &err), &err);
            atomic_fetch_add(&world->messages_deleted, 1);
        }
    }
    atomic_fetch_sub(&world->working, 1);
    return NULL;
}

static void *
like_and_view(void *payload)
{
    struct world *world = payload;
    struct pz_rng rng;
    pz_rng_init(&rng, world->seed + 3);
    for (int i = 0; i < 2000; i++) {
        int64_t posted = atomic_load(&world->posted);
        if (posted == 0) {
            continue;
        }
        struct pz_error err = {0};
        struct pz_write write = {.kind = pz_rng_chance(&rng, 0.7) ? PZ_WRITE_LIKE : PZ_WRITE_UNLIKE,
                                 .message_id = pz_rng_range(&rng, 1, posted),
                                 .user = symbol(world->store, 1, 1 + pz_rng_below(&rng, 20))};
        enum pz_status status = pz_store_submit_wait(world->store, &write, &err);
        PZ_CHECK_MSG(status == PZ_OK || status == PZ_NOT_FOUND, "%s", err.message);
        atomic_fetch_add(&world->like_rows, status == PZ_OK && write.was_changed);
    }
    atomic_fetch_sub(&world->working, 1);
    return NULL;
}

static void
fill_views(struct world *world, struct pz_batch *batch, size_t count)
{
    struct pz_error err = {0};
    PZ_CHECK_OK(pz_batch_init(batch, find_table(world->store, "views"), &err), &err);
    PZ_CHECK_OK(pz_batch_reserve(batch, count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        pz_column_append_int(&batch->columns[PZ_VIEWS_MESSAGE], 1 + (int64_t)(i % POSTS));
        pz_column_append_code(&batch->columns[PZ_VIEWS_USER], 0);
        pz_column_append_null(&batch->columns[PZ_VIEWS_VIEWED_AT]);
        pz_column_append_null(&batch->columns[PZ_VIEWS_DEVICE]);
        pz_column_append_null(&batch->columns[PZ_VIEWS_GEO]);
        pz_column_append_int(&batch->columns[PZ_VIEWS_WATCH_MS], (int64_t)i);
        PZ_CHECK_OK(pz_batch_end_row(batch, false, 0, &err), &err);
    }
}

static void *
load_views(void *payload)
{
    struct world *world = payload;
    for (int i = 0; i < 40; i++) {
        struct pz_batch batch;
        struct pz_error err = {0};
        bool is_load = i % 20 == 19;
        bool is_abort = i % 20 == 9;
        size_t count = is_load || is_abort ? LOAD_ROWS : 50;
        fill_views(world, &batch, count);
        if (count == 50) {
            write_batch(world, &batch, count);
        } else {
            struct pz_load *load = NULL;
            struct pz_write answer = {0};
            PZ_CHECK_OK(pz_load_begin(world->store, batch.def, &load, &err), &err);
            PZ_CHECK_OK(pz_load_add(load, &batch, &err), &err);
            if (is_abort) {
                pz_load_abort(load);
            } else {
                PZ_CHECK_OK(pz_load_commit(load, NULL, &answer, &err), &err);
                PZ_CHECK_EQ_U64(answer.accepted, count);
            }
        }
        atomic_fetch_add(&world->views, is_abort ? 0 : count);
        pz_batch_fini(&batch);
    }
    atomic_fetch_sub(&world->working, 1);
    return NULL;
}

// Makes, fills, seals and drops tables; a second table of a name is another one.
static void *
create_and_drop(void *payload)
{
    struct world *world = payload;
    for (int i = 0; i < 25; i++) {
        char name[16];
        struct pz_batch batch;
        struct pz_error err = {0};
        (void)snprintf(name, sizeof name, "t%d", i % 3);
        PZ_CHECK_EQ_I64(notes_try_create(world->store, name, NULL), PZ_OK);
        PZ_CHECK_EQ_I64(notes_try_create(world->store, name, NULL), PZ_EXISTS);
        const struct pz_table_def *def = find_table(world->store, name);
        fill_notes(world, &batch, def, 0, 300);
        write_batch(world, &batch, 300);
        pz_batch_fini(&batch);
        if (i % 2 == 0) {
            PZ_CHECK_OK(pz_store_seal_now(world->store, def->id, &err), &err);
        }
        fill_notes(world, &batch, def, 0, 100);
        write_batch(world, &batch, 100);
        struct pz_table_def named = *def;
        struct pz_write drop = {.kind = PZ_WRITE_DROP_TABLE, .table = &named};
        PZ_CHECK_OK(pz_store_submit_wait(world->store, &drop, &err), &err);
        struct pz_write late = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
        PZ_CHECK_STATUS(pz_store_submit_wait(world->store, &late, &err), PZ_NOT_FOUND, &err);
        pz_batch_fini(&batch);
    }
    atomic_fetch_sub(&world->working, 1);
    return NULL;
}

// ---- readers --------------------------------------------------------------------------------

// A number that changes when a visible row of the table does.
static uint64_t
digest_table(const struct pz_version *version, const struct pz_table_def *def,
             struct pz_page_scratch **scratches)
{
    struct pz_table_rows rows;
    uint64_t digest = 0;
    uint64_t count = 0;
    pz_version_rows(version, def, &rows);
    for (uint32_t b = 0; b < rows.block_count; b++) {
        struct pz_block block;
        pz_table_block(&rows, b, &block);
        for (uint32_t c = 0; c < def->column_count; c++) {
            struct pz_slice slice;
            struct pz_error err = {0};
            if (!PZ_CHECK_OK(pz_block_read(&block, c, scratches[c], &slice, &err), &err)) {
                return 0;
            }
            size_t size = pz_layout_size(pz_type_layout(slice.type));
            for (uint32_t row = 0; row < block.row_count; row++) {
                if (block.deleted != NULL && pz_bit_get(block.deleted, row)) {
                    continue;
                }
                count += c == 0;
                if (pz_slice_is_null(&slice, row)) {
                    continue;
                }
                struct pz_str value = {(const char *)slice.data + row * size, (uint32_t)size};
                if (pz_type_layout(slice.type) == PZ_LAYOUT_STRING) {
                    value = ((const struct pz_str *)slice.data)[row];
                }
                digest += pz_hash_bytes_seeded(value.data, value.len, c + 1);
            }
        }
    }
    PZ_CHECK_EQ_U64(rows.row_count, count);
    return digest;
}

static uint64_t
digest_all(const struct pz_version *version, struct pz_page_scratch **scratches)
{
    uint64_t digest = pz_version_table_count(version);
    for (uint32_t t = 0; t < pz_version_table_count(version); t++) {
        digest = digest * 31 + digest_table(version, pz_version_table_at(version, t), scratches);
    }
    return digest;
}

static uint64_t
row_count(const struct pz_version *version, const char *name)
{
    struct pz_table_rows rows;
    pz_version_rows(version, pz_version_find_table(version, pz_str_from(name)), &rows);
    return rows.row_count;
}

static void *
read_versions(void *payload)
{
    struct world *world = payload;
    struct pz_page_scratch *scratches[8];
    uint64_t commit = 0;
    uint64_t likes = 0;
    uint64_t views = 0;
    for (int i = 0; i < 8; i++) {
        scratches[i] = pz_page_scratch_create();
    }
    while (atomic_load(&world->working) > 0) {
        uint64_t views_before = atomic_load(&world->views);
        struct pz_version *version = pz_version_acquire(world->store);
        uint64_t digest = digest_all(version, scratches);
        PZ_CHECK(pz_version_commit(version) >= commit);
        PZ_CHECK(row_count(version, "likes") >= likes);
        PZ_CHECK(row_count(version, "views") >= views);
        PZ_CHECK(row_count(version, "views") >= views_before); // acknowledged: to be seen
        commit = pz_version_commit(version);
        likes = row_count(version, "likes");
        views = row_count(version, "views");
        pz_clock_sleep_us(20000);
        PZ_CHECK_EQ_U64(digest_all(version, scratches), digest);
        pz_version_release(version);
    }
    for (int i = 0; i < 8; i++) {
        pz_page_scratch_destroy(scratches[i]);
    }
    return NULL;
}

// The feed beside it all; and seals and folds of its own that meet those of the background.
static void *
read_feed(void *payload)
{
    struct world *world = payload;
    struct pz_arena arena;
    pz_arena_init(&arena, NULL);
    while (atomic_load(&world->working) > 0) {
        struct pz_error err = {0};
        struct pz_feed_page page;
        int64_t posted = atomic_load(&world->posted);
        struct pz_feed_query query = {.limit = 50};
        PZ_CHECK_OK(pz_feed_get_page(world->store, &query, &arena, &page, &err), &err);
        PZ_CHECK(page.count == 50 || (int64_t)page.count >= posted - posted / 10 - 1);
        for (uint32_t i = 1; i < page.count; i++) {
            PZ_CHECK(page.items[i - 1].created_at >= page.items[i].created_at);
        }
        pz_arena_reset(&arena);
        PZ_CHECK_OK(pz_store_fold_now(world->store, &err), &err);
        PZ_CHECK_OK(pz_store_seal_now(world->store, 0, &err), &err);
        pz_clock_sleep_us(3000);
    }
    pz_arena_fini(&arena);
    return NULL;
}

// ---- the end --------------------------------------------------------------------------------

static void
verify_notes(struct world *world, const struct pz_version *version)
{
    struct pz_page_scratch *scratch = pz_page_scratch_create();
    struct pz_table_rows rows;
    struct pz_error err = {0};
    bool *is_seen = pz_xcalloc(NOTES_MAX, sizeof *is_seen);
    pz_version_rows(version, pz_version_find_table(version, PZ_STR("notes")), &rows);
    for (uint32_t b = 0; b < rows.block_count; b++) {
        struct pz_block block;
        struct pz_slice slice;
        pz_table_block(&rows, b, &block);
        PZ_REQUIRE_OK(pz_block_read(&block, 0, scratch, &slice, &err), &err);
        for (uint32_t row = 0; row < block.row_count; row++) {
            int64_t n = ((const int64_t *)slice.data)[row];
            if (block.deleted == NULL || !pz_bit_get(block.deleted, row)) {
                PZ_CHECK_MSG(!is_seen[n], "note %lld is there twice", (long long)n);
                is_seen[n] = true;
            }
        }
    }
    for (int64_t n = 0; n < NOTES_MAX; n++) {
        PZ_CHECK_MSG(is_seen[n] != world->is_deleted[n], "note %lld: there %d, deleted %d",
                     (long long)n, is_seen[n], world->is_deleted[n]);
    }
    free(is_seen);
    pz_page_scratch_destroy(scratch);
}

static void
verify(struct world *world)
{
    struct pz_error err = {0};
    struct pz_buffer report = {0};
    uint64_t problems = 0;
    struct pz_version *version = pz_version_acquire(world->store);
    verify_notes(world, version);
    PZ_CHECK_EQ_U64(row_count(version, "views"), atomic_load(&world->views));
    PZ_CHECK_EQ_U64(row_count(version, "likes"), atomic_load(&world->like_rows));
    PZ_CHECK_EQ_U64(row_count(version, "messages"), POSTS - atomic_load(&world->messages_deleted));
    pz_version_release(version);
    PZ_CHECK_OK(pz_store_check(world->store, &report, &problems, &err), &err);
    PZ_CHECK_MSG(problems == 0, "%s", report.data == NULL ? "" : report.data);
    pz_buffer_fini(&report);
}

PZ_TEST(versions_hold_still_among_writers)
{
    static void *(*const writers[])(void *) = {write_notes,   delete_notes, post_and_delete,
                                               like_and_view, load_views,   create_and_drop};
    static void *(*const readers[])(void *) = {read_versions, read_versions, read_feed};
    enum { WRITERS = sizeof writers / sizeof writers[0], READERS = 3 };
    struct world *world = pz_xcalloc(1, sizeof *world);
    struct pz_thread threads[WRITERS + READERS];
    struct pz_error err = {0};
    const char *dir = pz_test_path("store");
    world->seed = pz_test_seed() * 100;
    PZ_REQUIRE_OK(pz_store_open(dir, &background, &world->store, &err), &err);
    notes_create(world->store, "notes");
    world->notes = find_table(world->store, "notes");
    (void)symbol(world->store, 1, 0);
    atomic_store(&world->working, WRITERS);
    for (int i = 0; i < WRITERS; i++) {
        pz_thread_start(&threads[i], "writer", writers[i], world);
    }
    for (int i = 0; i < READERS; i++) {
        pz_thread_start(&threads[WRITERS + i], "reader", readers[i], world);
    }
    for (int i = 0; i < WRITERS + READERS; i++) {
        pz_thread_join(&threads[i]);
    }
    verify(world);
    pz_store_close(world->store);
    PZ_REQUIRE_OK(pz_store_open(dir, &background, &world->store, &err), &err);
    verify(world);
    pz_store_close(world->store);
    free(world);
}

// ---- the queue ------------------------------------------------------------------------------

#define QUEUED 3000

struct queued {
    struct pz_write write;
    struct pz_batch batch;
    _Atomic int answers;
};

static void
count_answer(struct pz_write *write)
{
    struct queued *queued = write->payload;
    atomic_fetch_add(&queued->answers, 1);
}

PZ_TEST(close_answers_what_is_queued)
{
    struct world world = {.seed = 1};
    struct pz_error err = {0};
    const char *dir = pz_test_path("store");
    struct queued *queued = pz_xcalloc(QUEUED, sizeof *queued);
    PZ_REQUIRE_OK(pz_store_open(dir, &background, &world.store, &err), &err);
    notes_create(world.store, "notes");
    const struct pz_table_def *def = find_table(world.store, "notes");
    for (int i = 0; i < QUEUED; i++) {
        fill_notes(&world, &queued[i].batch, def, i, 1);
        queued[i].write = (struct pz_write){.kind = PZ_WRITE_ROWS,
                                            .batches = &queued[i].batch,
                                            .batch_count = 1,
                                            .done = count_answer,
                                            .payload = &queued[i]};
        PZ_CHECK_OK(pz_store_submit(world.store, &queued[i].write, &err), &err);
    }
    pz_store_drain(world.store);
    uint64_t last = 0;
    for (int i = 0; i < QUEUED; i++) {
        PZ_CHECK_EQ_I64(atomic_load(&queued[i].answers), 1);
        PZ_CHECK_EQ_I64(queued[i].write.status, PZ_OK);
        PZ_CHECK(queued[i].write.commit >= last);
        last = queued[i].write.commit;
    }
    struct pz_write late = {.kind = PZ_WRITE_ROWS, .batches = &queued[0].batch, .batch_count = 1};
    PZ_CHECK_STATUS(pz_store_submit(world.store, &late, &err), PZ_BUSY, &err);
    PZ_CHECK_STATUS(pz_store_seal_now(world.store, 0, &err), PZ_BUSY, &err);
    for (int i = 0; i < QUEUED; i++) {
        pz_batch_fini(&queued[i].batch); // its definition belongs to the store
    }
    pz_store_close(world.store);
    PZ_REQUIRE_OK(pz_store_open(dir, &background, &world.store, &err), &err);
    struct pz_version *version = pz_version_acquire(world.store);
    PZ_CHECK_EQ_U64(row_count(version, "notes"), QUEUED);
    PZ_CHECK_EQ_U64(pz_version_commit(version), last);
    pz_version_release(version);
    pz_store_close(world.store);
    free(queued);
}

PZ_TEST(a_full_queue_refuses)
{
    struct world world = {.seed = 1};
    struct pz_error err = {0};
    struct pz_batch batch;
    struct pz_write block = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
    PZ_REQUIRE_OK(pz_store_open(pz_test_path("store"), &background, &world.store, &err), &err);
    notes_create(world.store, "notes");
    fill_notes(&world, &batch, find_table(world.store, "notes"), 0, 100000);
    // Far more than 64 MiB together; the writer takes them one by one.
    enum { MANY = 40 };
    struct queued *queued = pz_xcalloc(MANY, sizeof *queued);
    bool was_taken[MANY];
    int taken = 0;
    int refused = 0;
    for (int i = 0; i < MANY; i++) {
        queued[i].write = block;
        queued[i].write.done = count_answer;
        queued[i].write.payload = &queued[i];
        enum pz_status status = pz_store_submit(world.store, &queued[i].write, &err);
        PZ_CHECK_MSG(status == PZ_OK || status == PZ_BUSY, "%s", err.message);
        taken += status == PZ_OK;
        refused += status == PZ_BUSY;
        was_taken[i] = status == PZ_OK;
    }
    PZ_CHECK(taken >= 10);
    PZ_CHECK(refused > 0);
    pz_store_drain(world.store);
    for (int i = 0; i < MANY; i++) {
        PZ_CHECK_EQ_I64(atomic_load(&queued[i].answers), was_taken[i]);
    }
    pz_batch_fini(&batch);
    pz_store_close(world.store);
    free(queued);
}
