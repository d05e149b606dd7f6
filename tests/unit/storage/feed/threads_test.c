// SPDX-License-Identifier: Apache-2.0
// Readers beside a writer that posts, likes, loads and folds as fast as it can.
//
// The history keeps promises that a reader can check at any moment: ids are dense and created in
// their order, so a walk through the feed meets every id; messages of even ids get a view with
// every like in the same group, so likes equal views; those of odd ids get views by loads as well.
// A message half folded, a change seen twice or not at all breaks one of these.
#include "tests/unit/storage/feed/feed_world.h"

#include "base/thread.h"

#include <stdlib.h>

enum { READER_COUNT = 3, ROUNDS = 400, IDS = 4000 };

struct shared {
    struct pz_kv_env *env;
    struct pz_feed *feed;
    _Atomic int64_t posted; // ids up to this are visible
    _Atomic bool is_over;
    _Atomic uint64_t reads;
};

static const char text[] = "the quick brown fox jumps over the lazy dog and back again";

static struct pz_str
body_of(int64_t id)
{
    return (struct pz_str){text, (uint32_t)(id % 40)};
}

// ---- the writer ------------------------------------------------------------------------------

struct writer {
    struct shared *shared;
    struct pz_rng rng;
    struct pz_error err;
    uint64_t rows[PZ_FEED_KIND_COUNT];
    uint64_t segments;
};

static void
apply(struct writer *writer, struct pz_feed_row row)
{
    row.row_number = writer->rows[row.kind]++;
    PZ_REQUIRE_OK(pz_feed_group_apply(writer->shared->feed, &row, &writer->err), &writer->err);
}

// `likes` above a few thousand make the feed add the group in steps.
static void
write_group(struct writer *writer, int likes)
{
    struct pz_feed *feed = writer->shared->feed;
    struct pz_kv_txn *txn;
    PZ_REQUIRE_OK(pz_kv_begin_write(writer->shared->env, &txn, &writer->err), &writer->err);
    pz_feed_group_begin(feed, txn);
    int64_t last = pz_feed_next_message_id(feed) - 1;
    for (uint64_t i = pz_rng_below(&writer->rng, 16); i > 0 && last < IDS; i--) {
        last++;
        apply(writer, (struct pz_feed_row){.kind = PZ_FEED_MESSAGE,
                                           .message_id = last,
                                           .user = (uint32_t)(last % 5),
                                           .created_at = last * 10,
                                           .body = body_of(last)});
    }
    for (int i = 0; i < likes && last > 0; i++) {
        int64_t id = pz_rng_chance(&writer->rng, 0.2) ? 2 : pz_rng_range(&writer->rng, 1, last);
        uint32_t user = (uint32_t)pz_rng_below(&writer->rng, 3000);
        bool is_liked;
        PZ_REQUIRE_OK(pz_feed_group_liked(feed, id, user, &is_liked, &writer->err), &writer->err);
        if (!is_liked) {
            apply(writer, (struct pz_feed_row){
                              .kind = PZ_FEED_LIKE, .message_id = id, .user = user, .delta = 1});
            apply(writer, (struct pz_feed_row){.kind = PZ_FEED_VIEW, .message_id = id});
        }
    }
    PZ_REQUIRE_OK(pz_kv_commit(txn, &writer->err), &writer->err);
    pz_feed_group_commit(feed, NULL, NULL);
    atomic_store(&writer->shared->posted, last);
}

static void
load(struct writer *writer)
{
    int64_t posted = atomic_load(&writer->shared->posted);
    int64_t *ids = pz_xmalloc(IDS * sizeof *ids);
    uint32_t *counts = pz_xmalloc(IDS * sizeof *counts);
    size_t count = 0;
    for (int64_t id = 1; id <= posted; id += 2) {
        if (pz_rng_chance(&writer->rng, 0.5)) {
            ids[count] = id;
            counts[count++] = 3;
        }
    }
    struct pz_feed_layer *layer = pz_feed_layer_create(++writer->segments, ids, counts, count);
    struct pz_kv_txn *txn;
    PZ_REQUIRE_OK(pz_kv_begin_write(writer->shared->env, &txn, &writer->err), &writer->err);
    pz_feed_group_begin(writer->shared->feed, txn);
    PZ_REQUIRE_OK(pz_feed_layer_record(layer, txn, &writer->err), &writer->err);
    PZ_REQUIRE_OK(pz_kv_commit(txn, &writer->err), &writer->err);
    pz_feed_group_add_layer(writer->shared->feed, layer);
    pz_feed_group_commit(writer->shared->feed, NULL, NULL);
}

static void
fold(struct writer *writer)
{
    struct pz_feed *feed = writer->shared->feed;
    pz_feed_fold_start(feed, writer->rows);
    for (uint64_t i = pz_rng_below(&writer->rng, 10); i > 0; i--) {
        struct pz_kv_txn *txn;
        PZ_REQUIRE_OK(pz_kv_begin_write(writer->shared->env, &txn, &writer->err), &writer->err);
        uint32_t messages = 1 + (uint32_t)pz_rng_below(&writer->rng, 150);
        PZ_REQUIRE_OK(pz_feed_fold_slice(feed, txn, messages, &writer->err), &writer->err);
        if (pz_rng_chance(&writer->rng, 0.1)) {
            pz_kv_abort(txn);
            pz_feed_fold_slice_aborted(feed);
        } else {
            PZ_REQUIRE_OK(pz_kv_commit(txn, &writer->err), &writer->err);
            pz_feed_fold_slice_committed(feed);
        }
    }
}

// ---- the readers -----------------------------------------------------------------------------

struct reader {
    struct shared *shared;
    struct pz_rng rng;
    struct pz_error err;
    struct pz_arena arena;
    int64_t likes[IDS + 1]; // as seen last
    int64_t views[IDS + 1];
};

// No PZ_REQUIRE here: it may end only the test's own thread.
static void
check_message(struct reader *reader, const struct pz_message *message)
{
    int64_t id = message->message_id;
    if (!PZ_CHECK(id >= 1 && id <= IDS)) {
        return;
    }
    PZ_CHECK(message->created_at == id * 10 && message->user == (uint32_t)(id % 5));
    PZ_CHECK(pz_str_equal(message->body, body_of(id)));
    PZ_CHECK_MSG(message->likes >= reader->likes[id] && message->views >= reader->views[id],
                 "message %lld: likes %lld after %lld, views %lld after %lld", (long long)id,
                 (long long)message->likes, (long long)reader->likes[id], (long long)message->views,
                 (long long)reader->views[id]);
    PZ_CHECK_MSG(id % 2 == 1 || message->likes == message->views,
                 "message %lld: likes %lld, views %lld", (long long)id, (long long)message->likes,
                 (long long)message->views);
    reader->likes[id] = message->likes;
    reader->views[id] = message->views;
}

static void
read_one(struct reader *reader)
{
    int64_t posted = atomic_load(&reader->shared->posted);
    if (posted == 0) {
        return;
    }
    int64_t id = pz_rng_chance(&reader->rng, 0.3) ? 2 : pz_rng_range(&reader->rng, 1, posted);
    id = id < posted ? id : posted;
    struct pz_message message;
    if (PZ_CHECK_OK(
            pz_feed_read_message(reader->shared->feed, id, &reader->arena, &message, &reader->err),
            &reader->err)) {
        check_message(reader, &message);
    }
}

// Walks page by page; every id below the first must come, of one user every fifth.
static void
walk(struct reader *reader, bool has_user)
{
    int64_t posted = atomic_load(&reader->shared->posted);
    struct pz_feed_query query = {.limit = 1 + (uint32_t)pz_rng_below(&reader->rng, 60),
                                  .has_user = has_user,
                                  .user = (uint32_t)pz_rng_below(&reader->rng, 5)};
    int64_t step = has_user ? 5 : 1;
    int64_t last = 0;
    struct pz_feed_page page = {.has_more = true};
    for (int pages = 0; pages < 12 && page.has_more; pages++) {
        if (!PZ_CHECK_OK(pz_feed_read_page(reader->shared->feed, &query, &reader->arena, &page,
                                           &reader->err),
                         &reader->err)) {
            return;
        }
        for (uint32_t i = 0; i < page.count; i++) {
            int64_t id = page.items[i].message_id;
            PZ_CHECK_MSG(last == 0 ? id > posted - step : id == last - step,
                         "message %lld follows %lld (posted %lld)", (long long)id, (long long)last,
                         (long long)posted);
            check_message(reader, &page.items[i]);
            last = id;
        }
        query.has_before = true;
        query.before_created_at = last * 10;
        query.before_message_id = last;
    }
    PZ_CHECK(page.has_more || last <= step);
}

struct each {
    int64_t last_id;
};

static enum pz_status
check_each(void *payload, const struct pz_feed_state *state, struct pz_error *err)
{
    (void)err;
    struct each *each = payload;
    PZ_CHECK_EQ_I64(state->message_id, each->last_id + 1);
    each->last_id = state->message_id;
    PZ_CHECK_EQ_I64(state->presence, PZ_FEED_PRESENT);
    PZ_CHECK_EQ_U64(state->like_count, state->likes);
    PZ_CHECK(state->message_id % 2 == 1 || state->likes == state->views);
    return PZ_OK;
}

static void *
run_reader(void *payload)
{
    struct reader *reader = payload;
    for (uint64_t i = 0; !atomic_load(&reader->shared->is_over); i++) {
        int64_t posted = atomic_load(&reader->shared->posted);
        if (i % 50 == 49) {
            struct each each = {0};
            PZ_CHECK_OK(pz_feed_each(reader->shared->feed, NULL, check_each, &each, &reader->err),
                        &reader->err);
            PZ_CHECK(each.last_id >= posted);
        } else if (i % 3 == 0) {
            walk(reader, i % 2 == 0);
        } else {
            read_one(reader);
        }
        pz_arena_reset(&reader->arena);
        atomic_fetch_add(&reader->shared->reads, 1);
    }
    return NULL;
}

PZ_TEST(readers_beside_the_writer)
{
    struct shared shared = {0};
    struct writer writer = {.shared = &shared};
    pz_rng_init(&writer.rng, pz_test_seed());
    struct pz_kv_options options = {.map_bytes = UINT64_C(1) << 28, .is_ephemeral = true};
    PZ_REQUIRE_OK(pz_kv_open(pz_test_path("plaza.mdb"), true, &options, &shared.env, &writer.err),
                  &writer.err);
    PZ_REQUIRE_OK(pz_feed_open(shared.env, &shared.feed, &writer.err), &writer.err);
    PZ_REQUIRE_OK(pz_feed_recover_end(shared.feed, &writer.err), &writer.err);

    struct reader *readers = pz_xcalloc(READER_COUNT, sizeof *readers);
    struct pz_thread threads[READER_COUNT];
    for (int i = 0; i < READER_COUNT; i++) {
        readers[i].shared = &shared;
        pz_rng_init(&readers[i].rng, pz_test_seed() + 1 + (uint64_t)i);
        pz_arena_init(&readers[i].arena, NULL);
        pz_thread_start(&threads[i], "reader", run_reader, &readers[i]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        write_group(&writer, round % 50 == 49 ? 9000 : 60);
        if (round % 20 == 10) {
            load(&writer);
        }
        fold(&writer);
    }
    atomic_store(&shared.is_over, true);
    for (int i = 0; i < READER_COUNT; i++) {
        pz_thread_join(&threads[i]);
        pz_arena_fini(&readers[i].arena);
    }
    PZ_CHECK(atomic_load(&shared.reads) > 50);
    free(readers);
    pz_feed_close(shared.feed);
    pz_kv_close(shared.env);
}
