// SPDX-License-Identifier: Apache-2.0
// A commit is seen by the feed and by SQL at one instant, whatever it holds.
//
// Writers of every kind work on the same messages; readers take a version, ask the feed, and take a
// version again. When both versions are of one commit, what the feed said belongs to that commit,
// and every counter, every message and their order must be what the version's rows give.
#include "base/clock.h"
#include "base/num.h"
#include "base/thread.h"
#include "storage/catalog/builtin.h"
#include "storage/store.h"
#include "tests/support/test.h"
#include "tests/unit/storage/store/notes.h"

#include <stdio.h>
#include <stdlib.h>

#define IDS_MAX 60000
#define POSTS 250
#define GROUPS 8
#define GROUP_ROWS 5000u // more than the feed takes in one step
#define LOADS 5
#define LOAD_ROWS (PZ_BLOCK_ROWS + 77u)
#define USERS 4000u
#define PAGE_LIMIT 1000u

struct world {
    struct pz_store *store;
    const struct pz_table_def *messages, *likes, *views;
    uint32_t users[USERS];
    _Atomic int64_t posted; // ids 1 .. this were given out
    _Atomic int working;    // writers that are not done
    _Atomic uint64_t compared;
    uint64_t compared_min; // readers go on until they have compared so often
    uint64_t seed;
};

// ---- writers --------------------------------------------------------------------------------

static void
pause_a_little(struct pz_rng *rng, uint64_t us)
{
    pz_clock_sleep_us((int64_t)pz_rng_below(rng, us));
}

static void
add_message(struct world *world, struct pz_batch *batch, struct pz_rng *rng, bool is_history)
{
    struct pz_error err = {0};
    pz_column_append_null(&batch->columns[PZ_MESSAGES_ID]);
    pz_column_append_code(&batch->columns[PZ_MESSAGES_USER],
                          world->users[pz_rng_below(rng, USERS)]);
    if (is_history) {
        pz_column_append_int(&batch->columns[PZ_MESSAGES_CREATED_AT],
                             pz_rng_range(rng, 0, 1000000));
    } else {
        pz_column_append_null(&batch->columns[PZ_MESSAGES_CREATED_AT]);
    }
    PZ_CHECK_OK(pz_column_append_text(&batch->columns[PZ_MESSAGES_BODY], PZ_STR("hello"), &err),
                &err);
    pz_column_append_null(&batch->columns[PZ_MESSAGES_SENTIMENT]);
    PZ_CHECK_OK(pz_batch_end_row(batch, false, 0, &err), &err);
}

static void
add_like(struct world *world, struct pz_batch *batch, struct pz_rng *rng, int64_t message_id)
{
    struct pz_error err = {0};
    pz_column_append_int(&batch->columns[PZ_LIKES_MESSAGE], message_id);
    pz_column_append_code(&batch->columns[PZ_LIKES_USER], world->users[pz_rng_below(rng, USERS)]);
    pz_column_append_null(&batch->columns[PZ_LIKES_CREATED_AT]);
    pz_column_append_int(&batch->columns[PZ_LIKES_DELTA], pz_rng_chance(rng, 0.8) ? 1 : -1);
    PZ_CHECK_OK(pz_batch_end_row(batch, false, 0, &err), &err);
}

static void
add_view(struct world *world, struct pz_batch *batch, struct pz_rng *rng, int64_t message_id)
{
    struct pz_error err = {0};
    pz_column_append_int(&batch->columns[PZ_VIEWS_MESSAGE], message_id);
    pz_column_append_code(&batch->columns[PZ_VIEWS_USER], world->users[pz_rng_below(rng, USERS)]);
    pz_column_append_null(&batch->columns[PZ_VIEWS_VIEWED_AT]);
    pz_column_append_null(&batch->columns[PZ_VIEWS_DEVICE]);
    pz_column_append_null(&batch->columns[PZ_VIEWS_GEO]);
    pz_column_append_null(&batch->columns[PZ_VIEWS_WATCH_MS]);
    PZ_CHECK_OK(pz_batch_end_row(batch, false, 0, &err), &err);
}

static void
begin_batch(struct pz_batch *batch, const struct pz_table_def *def, size_t rows)
{
    struct pz_error err = {0};
    PZ_CHECK_OK(pz_batch_init(batch, def, &err), &err);
    PZ_CHECK_OK(pz_batch_reserve(batch, rows, &err), &err);
}

static int64_t
some_message(struct world *world, struct pz_rng *rng)
{
    int64_t posted = atomic_load(&world->posted);
    return posted == 0 ? 1 : pz_rng_range(rng, posted > 3000 ? posted - 3000 : 1, posted);
}

static void
write_rows(struct world *world, struct pz_batch *batches, uint32_t count)
{
    struct pz_error err = {0};
    struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = batches, .batch_count = count};
    PZ_CHECK_OK(pz_store_submit_wait(world->store, &write, &err), &err);
    for (uint32_t i = 0; i < count; i++) {
        size_t rows = batches[i].row_count;
        if (batches[i].def == world->messages && rows > 0) {
            // Ids are given out one after the other, so the largest is the newest.
            int64_t last = batches[i].columns[PZ_MESSAGES_ID].ints[rows - 1];
            int64_t before = atomic_load(&world->posted);
            while (before < last && !atomic_compare_exchange_weak(&world->posted, &before, last)) {
            }
        }
        pz_batch_fini(&batches[i]);
    }
}

// Single posts, likes, views and deletions, as the feed's API writes them.
static void *
write_singles(void *payload)
{
    struct world *world = payload;
    struct pz_rng rng;
    pz_rng_init(&rng, world->seed + 1);
    for (int i = 0; i < POSTS; i++) {
        struct pz_batch batch;
        struct pz_error err = {0};
        begin_batch(&batch, world->messages, 1);
        add_message(world, &batch, &rng, pz_rng_chance(&rng, 0.3));
        write_rows(world, &batch, 1);
        for (int k = 0; k < 4; k++) {
            struct pz_write like = {.kind = k < 3 ? PZ_WRITE_LIKE : PZ_WRITE_UNLIKE,
                                    .message_id = some_message(world, &rng),
                                    .user = world->users[pz_rng_below(&rng, 20)]};
            enum pz_status status = pz_store_submit_wait(world->store, &like, &err);
            PZ_CHECK_MSG(status == PZ_OK || status == PZ_NOT_FOUND, "%s", err.message);
        }
        begin_batch(&batch, world->views, 1);
        add_view(world, &batch, &rng, some_message(world, &rng));
        write_rows(world, &batch, 1);
        if (i % 5 == 4) {
            struct pz_write gone = {.kind = PZ_WRITE_DELETE_MESSAGE,
                                    .message_id = some_message(world, &rng)};
            enum pz_status status = pz_store_submit_wait(world->store, &gone, &err);
            PZ_CHECK_MSG(status == PZ_OK || status == PZ_NOT_FOUND, "%s", err.message);
        }
        pause_a_little(&rng, 4000);
    }
    atomic_fetch_sub(&world->working, 1);
    return NULL;
}

// Many rows of all kinds in one write: messages, likes and views of old and new ones.
static void
write_group(struct world *world, struct pz_rng *rng, bool is_history)
{
    struct pz_batch batches[3];
    begin_batch(&batches[0], world->likes, GROUP_ROWS);
    begin_batch(&batches[1], world->messages, GROUP_ROWS);
    begin_batch(&batches[2], world->views, GROUP_ROWS);
    int64_t next = atomic_load(&world->posted) + 1;
    for (uint32_t row = 0; row < GROUP_ROWS; row++) {
        add_message(world, &batches[1], rng, is_history);
        int64_t id = pz_rng_chance(rng, 0.5) ? some_message(world, rng) : next + row;
        add_like(world, &batches[0], rng, id);
        add_view(world, &batches[2], rng, id);
    }
    write_rows(world, batches, 3);
}

static void *
write_groups(void *payload)
{
    struct world *world = payload;
    struct pz_rng rng;
    pz_rng_init(&rng, world->seed + 2);
    for (int i = 0; i < GROUPS; i++) {
        write_group(world, &rng, i % 2 == 0);
        pause_a_little(&rng, 60000);
    }
    atomic_fetch_sub(&world->working, 1);
    return NULL;
}

static void
load_views(struct world *world, struct pz_rng *rng)
{
    struct pz_batch batch;
    struct pz_load *load = NULL;
    struct pz_write answer = {0};
    struct pz_error err = {0};
    begin_batch(&batch, world->views, LOAD_ROWS);
    for (uint32_t row = 0; row < LOAD_ROWS; row++) {
        add_view(world, &batch, rng, some_message(world, rng));
    }
    PZ_CHECK_OK(pz_load_begin(world->store, world->views, &load, &err), &err);
    PZ_CHECK_OK(pz_load_add(load, &batch, &err), &err);
    PZ_CHECK_OK(pz_load_commit(load, NULL, &answer, &err), &err);
    PZ_CHECK_EQ_U64(answer.accepted, LOAD_ROWS);
    pz_batch_fini(&batch);
}

static void *
write_loads(void *payload)
{
    struct world *world = payload;
    struct pz_rng rng;
    pz_rng_init(&rng, world->seed + 3);
    for (int i = 0; i < LOADS; i++) {
        load_views(world, &rng);
        pause_a_little(&rng, 60000);
    }
    atomic_fetch_sub(&world->working, 1);
    return NULL;
}

static void *
fold_and_seal(void *payload)
{
    struct world *world = payload;
    struct pz_rng rng;
    pz_rng_init(&rng, world->seed + 4);
    while (atomic_load(&world->working) > 0) {
        struct pz_error err = {0};
        PZ_CHECK_OK(pz_store_fold_now(world->store, &err), &err);
        PZ_CHECK_OK(pz_store_seal_now(world->store, 0, &err), &err);
        pause_a_little(&rng, 50000);
    }
    return NULL;
}

// ---- what SQL sees --------------------------------------------------------------------------

struct counts {
    int64_t likes, views;
    int64_t created_at;
    bool is_there;
};

struct sql {
    struct counts ids[IDS_MAX];
    struct pz_page_scratch *scratches[3];
};

static struct sql *
sql_create(void)
{
    struct sql *sql = pz_xcalloc(1, sizeof *sql);
    for (int i = 0; i < 3; i++) {
        sql->scratches[i] = pz_page_scratch_create();
    }
    return sql;
}

static void
sql_destroy(struct sql *sql)
{
    for (int i = 0; i < 3; i++) {
        pz_page_scratch_destroy(sql->scratches[i]);
    }
    free(sql);
}

static void
count_row(struct sql *sql, const struct world *world, const struct pz_table_def *def,
          int64_t message_id, int64_t other)
{
    if (!PZ_CHECK(message_id > 0 && message_id < IDS_MAX)) {
        return;
    }
    struct counts *counts = &sql->ids[message_id];
    if (def == world->messages) {
        PZ_CHECK(!counts->is_there);
        counts->is_there = true;
        counts->created_at = other;
    } else if (def == world->likes) {
        counts->likes += other;
    } else {
        counts->views++;
    }
}

static void
read_table(struct sql *sql, const struct world *world, const struct pz_version *version,
           const struct pz_table_def *def, uint32_t other_column)
{
    struct pz_table_rows rows;
    pz_version_rows(version, def, &rows);
    for (uint32_t b = 0; b < rows.block_count; b++) {
        struct pz_block block;
        struct pz_slice ids;
        struct pz_slice others;
        struct pz_error err = {0};
        pz_table_block(&rows, b, &block);
        if (!PZ_CHECK_OK(pz_block_read(&block, 0, sql->scratches[0], &ids, &err), &err) ||
            !PZ_CHECK_OK(pz_block_read(&block, other_column, sql->scratches[1], &others, &err),
                         &err)) {
            return;
        }
        for (uint32_t row = 0; row < block.row_count; row++) {
            if (block.deleted == NULL || !pz_bit_get(block.deleted, row)) {
                count_row(sql, world, def, ((const int64_t *)ids.data)[row],
                          ((const int64_t *)others.data)[row]);
            }
        }
    }
}

static void
read_sql(struct sql *sql, const struct world *world, const struct pz_version *version)
{
    memset(sql->ids, 0, sizeof sql->ids);
    read_table(sql, world, version, world->messages, PZ_MESSAGES_CREATED_AT);
    read_table(sql, world, version, world->likes, PZ_LIKES_DELTA);
    read_table(sql, world, version, world->views, PZ_VIEWS_VIEWED_AT);
}

// ---- readers --------------------------------------------------------------------------------

// Takes a version after the feed was asked; true when it is of the commit of the one before.
static bool
is_same_commit(struct world *world, const struct pz_version *before)
{
    struct pz_version *after = pz_version_acquire(world->store);
    bool is_same = pz_version_commit(before) == pz_version_commit(after);
    pz_version_release(after);
    return is_same;
}

static void
compare_message(const struct sql *sql, const struct pz_message *message, uint64_t commit)
{
    const struct counts *counts = &sql->ids[message->message_id];
    PZ_CHECK_MSG(counts->is_there && counts->likes == message->likes &&
                     counts->views == message->views,
                 "commit %llu, message %lld: SQL has it %d with %lld likes and %lld views, the "
                 "feed has %lld and %lld",
                 (unsigned long long)commit, (long long)message->message_id, counts->is_there,
                 (long long)counts->likes, (long long)counts->views, (long long)message->likes,
                 (long long)message->views);
}

// Whether the message stands before `other` in the feed.
static bool
is_newer(const struct sql *sql, int64_t id, const struct pz_message *other)
{
    int64_t created_at = sql->ids[id].created_at;
    return created_at > other->created_at ||
           (created_at == other->created_at && id > other->message_id);
}

// The page must be the newest messages that SQL knows, in their order.
static void
compare_page(const struct sql *sql, const struct pz_feed_page *page, uint64_t commit)
{
    const struct pz_message *items = page->items;
    uint32_t count = page->count;
    uint64_t expected = 0;
    for (uint32_t i = 0; i < count; i++) {
        compare_message(sql, &items[i], commit);
        PZ_CHECK(i == 0 || is_newer(sql, items[i - 1].message_id, &items[i]));
    }
    for (int64_t id = 1; id < IDS_MAX; id++) {
        expected +=
            sql->ids[id].is_there && (!page->has_more || id == items[count - 1].message_id ||
                                      is_newer(sql, id, &items[count - 1]));
    }
    PZ_CHECK_MSG(expected == count, "commit %llu: the page has %u messages of %llu",
                 (unsigned long long)commit, count, (unsigned long long)expected);
}

static bool
goes_on(struct world *world)
{
    return atomic_load(&world->working) > 0 || atomic_load(&world->compared) < world->compared_min;
}

static void *
read_pages(void *payload)
{
    struct world *world = payload;
    struct sql *sql = sql_create();
    struct pz_arena arena;
    pz_arena_init(&arena, NULL);
    while (goes_on(world)) {
        struct pz_error err = {0};
        struct pz_feed_page page;
        struct pz_feed_query query = {.limit = PAGE_LIMIT};
        struct pz_version *version = pz_version_acquire(world->store);
        PZ_CHECK_OK(pz_feed_get_page(world->store, &query, &arena, &page, &err), &err);
        if (is_same_commit(world, version)) {
            read_sql(sql, world, version);
            compare_page(sql, &page, pz_version_commit(version));
            atomic_fetch_add(&world->compared, 1);
        }
        pz_version_release(version);
        pz_arena_reset(&arena);
    }
    pz_arena_fini(&arena);
    sql_destroy(sql);
    return NULL;
}

// One message at a time is quick, so it meets instants that a page is too long for.
static void *
read_messages(void *payload)
{
    enum { MANY = 8 };
    struct world *world = payload;
    struct sql *sql = sql_create();
    struct pz_arena arena;
    struct pz_rng rng;
    pz_rng_init(&rng, world->seed + 5);
    pz_arena_init(&arena, NULL);
    while (goes_on(world)) {
        struct pz_message found[MANY];
        int64_t ids[MANY];
        enum pz_status statuses[MANY];
        struct pz_version *version = pz_version_acquire(world->store);
        for (int i = 0; i < MANY; i++) {
            struct pz_error err = {0};
            ids[i] = some_message(world, &rng) + (i % 2 == 0 ? 0 : GROUP_ROWS); // on its way
            statuses[i] = pz_feed_get_message(world->store, ids[i], &arena, &found[i], &err);
            PZ_CHECK_MSG(statuses[i] == PZ_OK || statuses[i] == PZ_NOT_FOUND, "%s", err.message);
        }
        if (is_same_commit(world, version)) {
            read_sql(sql, world, version);
            for (int i = 0; i < MANY; i++) {
                PZ_CHECK_EQ_I64(statuses[i] == PZ_OK, sql->ids[ids[i]].is_there);
                if (statuses[i] == PZ_OK) {
                    compare_message(sql, &found[i], pz_version_commit(version));
                }
            }
            atomic_fetch_add(&world->compared, 1);
        }
        pz_version_release(version);
        pz_arena_reset(&arena);
    }
    pz_arena_fini(&arena);
    sql_destroy(sql);
    return NULL;
}

// What `plaza check` compares is of one commit too.
static void *
check_all(void *payload)
{
    struct world *world = payload;
    struct pz_rng rng;
    pz_rng_init(&rng, world->seed + 6);
    while (goes_on(world)) {
        struct pz_error err = {0};
        struct pz_buffer report = {0};
        uint64_t problems = 0;
        PZ_CHECK_OK(pz_store_check(world->store, &report, &problems, &err), &err);
        PZ_CHECK_MSG(problems == 0, "%s", report.data == NULL ? "" : report.data);
        pz_buffer_fini(&report);
        atomic_fetch_add(&world->compared, 1);
        pause_a_little(&rng, 10000);
    }
    return NULL;
}

// ---- the tests ------------------------------------------------------------------------------

static struct world *
begin(bool is_manual)
{
    struct world *world = pz_xcalloc(1, sizeof *world);
    struct pz_error err = {0};
    const struct pz_store_options options = {.create = true,
                                             .is_ephemeral = true,
                                             .is_manual = is_manual,
                                             .seal_rows = 3000,
                                             .cache_bytes = 4u << 20,
                                             .map_bytes = 1u << 30};
    world->seed = pz_test_seed() * 100;
    PZ_REQUIRE_OK(pz_store_open(pz_test_path("store"), &options, &world->store, &err), &err);
    world->messages = notes_table(world->store, "messages");
    world->likes = notes_table(world->store, "likes");
    world->views = notes_table(world->store, "views");
    for (uint32_t i = 0; i < USERS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "u%u", i);
        PZ_REQUIRE_OK(pz_symbol_intern(world->store, PZ_DOMAIN_USER, pz_str_from(name),
                                       &world->users[i], &err),
                      &err);
    }
    return world;
}

static void
run(struct world *world, void *(*const writers[])(void *), int writer_count,
    void *(*const others[])(void *), int other_count)
{
    enum { MANY = 8 };
    struct pz_thread threads[MANY];
    PZ_REQUIRE(writer_count + other_count <= MANY);
    atomic_store(&world->working, writer_count);
    for (int i = 0; i < writer_count + other_count; i++) {
        pz_thread_start(&threads[i], i < writer_count ? "writer" : "reader",
                        i < writer_count ? writers[i] : others[i - writer_count], world);
    }
    for (int i = 0; i < writer_count + other_count; i++) {
        pz_thread_join(&threads[i]);
    }
}

PZ_TEST(a_commit_shows_in_feed_and_sql_at_one_instant)
{
    static void *(*const writers[])(void *) = {write_singles, write_groups, write_loads};
    static void *(*const others[])(void *) = {fold_and_seal, read_pages, read_messages, check_all};
    struct world *world = begin(false);
    world->compared_min = 20;
    run(world, writers, 3, others, 4);
    pz_store_close(world->store);
    free(world);
}

static struct world *
begin_with_messages(void)
{
    struct world *world = begin(true);
    struct pz_batch batch;
    struct pz_rng rng;
    pz_rng_init(&rng, world->seed);
    begin_batch(&batch, world->messages, 20);
    for (int i = 0; i < 20; i++) {
        add_message(world, &batch, &rng, false);
    }
    write_rows(world, &batch, 1);
    return world;
}

static void *
write_one_load(void *payload)
{
    struct world *world = payload;
    struct pz_rng rng;
    pz_rng_init(&rng, world->seed + 7);
    load_views(world, &rng);
    pz_clock_sleep_us(20000);
    atomic_fetch_sub(&world->working, 1);
    return NULL;
}

// The moment between the feed's turn and SQL's, long enough to be met: no read may fit into it.
PZ_TEST(nothing_is_seen_between_feed_and_sql)
{
    static void *(*const writers[])(void *) = {write_one_load};
    static void *(*const others[])(void *) = {read_messages};
    struct world *world = begin_with_messages();
    pz_test_arm_faults("publish_before_version=delay:40");
    world->compared_min = 2;
    run(world, writers, 1, others, 1);
    pz_test_arm_faults(NULL);
    pz_store_close(world->store);
    free(world);
}

static void *
write_large_groups(void *payload)
{
    struct world *world = payload;
    struct pz_rng rng;
    pz_rng_init(&rng, world->seed + 8);
    for (int i = 0; i < 3; i++) {
        write_group(world, &rng, i == 1);
    }
    atomic_fetch_sub(&world->working, 1);
    return NULL;
}

// While a group goes over to the overlay step by step, each with time for many reads, none of them
// sees less or more than the whole group.
PZ_TEST(a_large_group_shows_as_a_whole)
{
    static void *(*const writers[])(void *) = {write_large_groups};
    static void *(*const others[])(void *) = {read_messages, read_pages};
    struct world *world = begin_with_messages();
    pz_test_arm_faults("join_step=delay:30");
    world->compared_min = 5;
    run(world, writers, 1, others, 2);
    pz_test_arm_faults(NULL);
    pz_store_close(world->store);
    free(world);
}
