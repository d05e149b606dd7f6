// SPDX-License-Identifier: Apache-2.0
// The world around a feed under test: log, model and comparison. See feed_world.h.
#include "tests/unit/storage/feed/feed_world.h"

#include <stdio.h>
#include <stdlib.h>

#define BODY_LEN_MAX 3000u

static char body_text[WORLD_ID_MAX + 1 + BODY_LEN_MAX];

static struct pz_str
body_of(int64_t id, uint32_t len)
{
    return (struct pz_str){body_text + id, len};
}

static bool
has_sentiment(int64_t id)
{
    return id % 3 == 0;
}

// ---- life and death --------------------------------------------------------------------------

static void
recover(struct world *world)
{
    for (int kind = 0; kind < PZ_FEED_KIND_COUNT; kind++) {
        uint64_t first = pz_feed_folded(world->feed, (enum pz_feed_kind)kind);
        PZ_REQUIRE(first <= world->state->row_counts[kind]);
        for (uint64_t i = first; i < world->state->row_counts[kind]; i++) {
            PZ_REQUIRE_OK(pz_feed_recover_row(world->feed, &world->rows[kind][i], &world->err),
                          &world->err);
        }
    }
    PZ_REQUIRE_OK(pz_feed_recover_end(world->feed, &world->err), &world->err);
}

static struct pz_feed_layer *
layer_of(const struct world_layer *from)
{
    int64_t *ids = pz_xmalloc((from->count + 1) * sizeof *ids);
    uint32_t *counts = pz_xmalloc((from->count + 1) * sizeof *counts);
    memcpy(ids, from->ids, from->count * sizeof *ids);
    memcpy(counts, from->counts, from->count * sizeof *counts);
    return pz_feed_layer_create(from->segment_id, ids, counts, from->count);
}

static void
recover_layers(struct world *world)
{
    uint64_t *ids;
    size_t count;
    PZ_REQUIRE_OK(pz_feed_layers_waiting(world->feed, &ids, &count, &world->err), &world->err);
    for (size_t i = 0; i < count; i++) {
        PZ_REQUIRE(ids[i] >= 1 && ids[i] <= world->layer_count);
        pz_feed_recover_layer(world->feed, layer_of(&world->layers[ids[i] - 1]));
    }
    free(ids);
}

static void
open_feed(struct world *world, bool create)
{
    struct pz_kv_options options = {.map_bytes = UINT64_C(1) << 28, .is_ephemeral = true};
    PZ_REQUIRE_OK(pz_kv_open(world->path, create, &options, &world->env, &world->err), &world->err);
    PZ_REQUIRE_OK(pz_feed_open(world->env, &world->feed, &world->err), &world->err);
    recover(world);
    recover_layers(world);
}

void
world_open(struct world *world)
{
    static unsigned number; // several worlds in one test
    char name[32];
    (void)snprintf(name, sizeof name, "plaza-%u.mdb", number++);
    *world =
        (struct world){.path = pz_test_path(name), .state = pz_xcalloc(1, sizeof *world->state)};
    for (size_t i = 0; i < sizeof body_text; i++) {
        body_text[i] = (char)('a' + i % 23);
    }
    open_feed(world, true);
}

void
world_close(struct world *world)
{
    pz_feed_close(world->feed);
    pz_kv_close(world->env);
    for (int kind = 0; kind < PZ_FEED_KIND_COUNT; kind++) {
        free(world->rows[kind]);
    }
    free(world->layers);
    free(world->state);
}

void
world_crash(struct world *world)
{
    pz_feed_close(world->feed);
    pz_kv_close(world->env);
    open_feed(world, false);
}

struct world_state *
world_save(const struct world *world)
{
    struct world_state *saved = pz_xmalloc(sizeof *saved);
    *saved = *world->state;
    return saved;
}

void
world_restore(struct world *world, const struct world_state *saved)
{
    *world->state = *saved;
}

// ---- groups ----------------------------------------------------------------------------------

void
world_begin(struct world *world)
{
    PZ_REQUIRE_OK(pz_kv_begin_write(world->env, &world->txn, &world->err), &world->err);
    pz_feed_group_begin(world->feed, world->txn);
}

void
world_commit(struct world *world)
{
    PZ_REQUIRE_OK(pz_kv_commit(world->txn, &world->err), &world->err);
    pz_feed_group_commit(world->feed, NULL, NULL);
}

void
world_abort(struct world *world, const struct world_state *before)
{
    pz_kv_abort(world->txn);
    pz_feed_group_abort(world->feed);
    world_restore(world, before);
}

static void
append_row(struct world *world, struct pz_feed_row row)
{
    size_t *count = &world->state->row_counts[row.kind];
    if (*count == world->row_capacities[row.kind]) {
        world->row_capacities[row.kind] = *count * 2 + 64;
        world->rows[row.kind] =
            pz_xrealloc(world->rows[row.kind], world->row_capacities[row.kind] * sizeof(row));
    }
    row.row_number = *count;
    world->rows[row.kind][(*count)++] = row;
    PZ_REQUIRE_OK(pz_feed_group_apply(world->feed, &row, &world->err), &world->err);
}

static enum pz_feed_presence
presence_of(struct world *world, int64_t id)
{
    enum pz_feed_presence presence = PZ_FEED_ABSENT;
    PZ_REQUIRE_OK(pz_feed_group_message(world->feed, id, &presence, &world->err), &world->err);
    PZ_CHECK_EQ_I64(presence, world->state->messages[id].presence);
    PZ_CHECK_EQ_I64(pz_feed_next_message_id(world->feed), world->state->largest_id + 1);
    return presence;
}

bool
world_post(struct world *world, int64_t id, uint32_t user, int64_t created_at, uint32_t len)
{
    if (presence_of(world, id) != PZ_FEED_ABSENT) {
        return false;
    }
    struct world_message *message = &world->state->messages[id];
    message->presence = PZ_FEED_PRESENT;
    message->user = user;
    message->created_at = created_at;
    message->body_len = len;
    if (id > world->state->largest_id) {
        world->state->largest_id = id;
    }
    append_row(world, (struct pz_feed_row){.kind = PZ_FEED_MESSAGE,
                                           .message_id = id,
                                           .user = user,
                                           .created_at = created_at,
                                           .body = body_of(id, len),
                                           .has_sentiment = has_sentiment(id),
                                           .sentiment = (double)id / 8});
    return true;
}

bool
world_like(struct world *world, int64_t id, uint32_t user, int64_t delta)
{
    bool *is_liked = &world->state->is_liked[id][user];
    bool answer = false;
    PZ_REQUIRE_OK(pz_feed_group_liked(world->feed, id, user, &answer, &world->err), &world->err);
    PZ_CHECK_MSG(answer == *is_liked, "message %lld user %u: liked is %d", (long long)id, user,
                 answer);
    if (*is_liked == (delta > 0)) {
        return false;
    }
    *is_liked = delta > 0;
    world->state->messages[id].likes += delta;
    append_row(world, (struct pz_feed_row){
                          .kind = PZ_FEED_LIKE, .message_id = id, .user = user, .delta = delta});
    int64_t likes = 0;
    PZ_REQUIRE_OK(pz_feed_group_likes(world->feed, id, &likes, &world->err), &world->err);
    PZ_CHECK_EQ_I64(likes, world->state->messages[id].likes);
    return true;
}

bool
world_delete(struct world *world, int64_t id)
{
    if (presence_of(world, id) != PZ_FEED_PRESENT) {
        return false;
    }
    world->state->messages[id].presence = PZ_FEED_DELETED;
    append_row(world, (struct pz_feed_row){.kind = PZ_FEED_DELETION, .message_id = id});
    return true;
}

void
world_view(struct world *world, int64_t id)
{
    world->state->messages[id].views++;
    append_row(world, (struct pz_feed_row){.kind = PZ_FEED_VIEW, .message_id = id});
}

// ---- loads and folds -------------------------------------------------------------------------

void
world_load(struct world *world, struct pz_rng *rng)
{
    world->layers = pz_xrealloc(world->layers, (world->layer_count + 1) * sizeof *world->layers);
    struct world_layer *layer = &world->layers[world->layer_count];
    *layer = (struct world_layer){.segment_id = world->layer_count + 1};
    for (int64_t id = 1; id <= WORLD_ID_MAX; id++) {
        if (pz_rng_chance(rng, 0.3)) {
            layer->ids[layer->count] = id;
            layer->counts[layer->count++] = 1 + (uint32_t)pz_rng_below(rng, 1000);
        }
    }
    struct pz_feed_layer *created = layer_of(layer);
    PZ_REQUIRE_OK(pz_kv_begin_write(world->env, &world->txn, &world->err), &world->err);
    pz_feed_group_begin(world->feed, world->txn);
    PZ_REQUIRE_OK(pz_feed_layer_record(created, world->txn, &world->err), &world->err);
    if (pz_rng_chance(rng, 0.1)) {
        pz_kv_abort(world->txn);
        pz_feed_group_abort(world->feed);
        pz_feed_layer_destroy(created);
        return;
    }
    PZ_REQUIRE_OK(pz_kv_commit(world->txn, &world->err), &world->err);
    pz_feed_group_add_layer(world->feed, created);
    pz_feed_group_commit(world->feed, NULL, NULL);
    world->layer_count++;
    for (size_t i = 0; i < layer->count; i++) {
        world->state->messages[layer->ids[i]].views += layer->counts[i];
    }
}

void
world_fold_start(struct world *world)
{
    uint64_t ends[PZ_FEED_KIND_COUNT];
    for (int kind = 0; kind < PZ_FEED_KIND_COUNT; kind++) {
        ends[kind] = world->state->row_counts[kind];
    }
    pz_feed_fold_start(world->feed, ends);
}

void
world_fold_slice(struct world *world, uint32_t messages, enum world_outcome outcome)
{
    PZ_REQUIRE_OK(pz_kv_begin_write(world->env, &world->txn, &world->err), &world->err);
    PZ_REQUIRE_OK(pz_feed_fold_slice(world->feed, world->txn, messages, &world->err), &world->err);
    if (outcome == WORLD_ABORTED) {
        pz_kv_abort(world->txn);
    } else {
        PZ_REQUIRE_OK(pz_kv_commit(world->txn, &world->err), &world->err);
    }
    if (outcome == WORLD_COMMITTED) {
        pz_feed_fold_slice_committed(world->feed);
    } else {
        pz_feed_fold_slice_aborted(world->feed);
    }
}

void
world_fold_all(struct world *world)
{
    for (int i = 0; i < 2; i++) { // an interrupted fold first
        world_fold_start(world);
        while (pz_feed_is_folding(world->feed)) {
            world_fold_slice(world, 50, WORLD_COMMITTED);
        }
    }
    PZ_CHECK_EQ_U64(pz_feed_unfolded(world->feed), 0);
    for (int kind = 0; kind < PZ_FEED_KIND_COUNT; kind++) {
        PZ_CHECK_EQ_U64(pz_feed_folded(world->feed, (enum pz_feed_kind)kind),
                        world->state->row_counts[kind]);
    }
}

// ---- comparison ------------------------------------------------------------------------------

static void
check_message(const struct world *world, const struct pz_message *actual)
{
    int64_t id = actual->message_id;
    PZ_REQUIRE(id >= 1 && id <= WORLD_ID_MAX);
    const struct world_message *expected = &world->state->messages[id];
    struct pz_str body = body_of(id, expected->body_len);
    bool is_equal = expected->presence == PZ_FEED_PRESENT && actual->user == expected->user &&
                    actual->created_at == expected->created_at &&
                    actual->has_sentiment == has_sentiment(id) &&
                    (!actual->has_sentiment || actual->sentiment == (double)id / 8) &&
                    pz_str_equal(actual->body, body);
    PZ_CHECK_MSG(is_equal, "message %lld reads differently", (long long)id);
    PZ_CHECK_MSG(actual->likes == expected->likes && actual->views == expected->views,
                 "message %lld: %lld likes and %lld views instead of %lld and %lld", (long long)id,
                 (long long)actual->likes, (long long)actual->views, (long long)expected->likes,
                 (long long)expected->views);
}

static void
check_messages(struct world *world, struct pz_arena *arena)
{
    for (int64_t id = 0; id <= WORLD_ID_MAX; id++) {
        struct pz_message message;
        enum pz_status wanted =
            world->state->messages[id].presence == PZ_FEED_PRESENT ? PZ_OK : PZ_NOT_FOUND;
        enum pz_status status = pz_feed_read_message(world->feed, id, arena, &message, &world->err);
        PZ_CHECK_MSG(status == wanted, "message %lld reads as %s", (long long)id,
                     pz_status_name(status));
        if (status == PZ_OK) {
            PZ_CHECK_EQ_I64(message.message_id, id);
            check_message(world, &message);
        }
    }
}

static bool
is_older(const struct world_message *message, int64_t id, const struct pz_feed_query *query)
{
    return message->created_at < query->before_created_at ||
           (message->created_at == query->before_created_at && id < query->before_message_id);
}

// The newest message a query asks for, or 0.
static int64_t
newest_of(const struct world *world, const struct pz_feed_query *query)
{
    int64_t best = 0;
    for (int64_t id = 1; id <= WORLD_ID_MAX; id++) {
        const struct world_message *message = &world->state->messages[id];
        bool is_asked = message->presence == PZ_FEED_PRESENT &&
                        (!query->has_user || message->user == query->user) &&
                        (!query->has_before || is_older(message, id, query));
        if (is_asked &&
            (best == 0 || message->created_at >= world->state->messages[best].created_at)) {
            best = id;
        }
    }
    return best;
}

static void
check_walk(struct world *world, struct pz_arena *arena, struct pz_feed_query query)
{
    struct pz_feed_page page = {.has_more = true};
    while (page.has_more) {
        PZ_REQUIRE_OK(pz_feed_read_page(world->feed, &query, arena, &page, &world->err),
                      &world->err);
        PZ_REQUIRE(page.count <= query.limit && (page.count > 0 || !page.has_more));
        for (uint32_t i = 0; i < page.count; i++) {
            PZ_CHECK_EQ_I64(page.items[i].message_id, newest_of(world, &query));
            check_message(world, &page.items[i]);
            query.has_before = true;
            query.before_created_at = page.items[i].created_at;
            query.before_message_id = page.items[i].message_id;
        }
        PZ_CHECK_EQ_I64(page.has_more, newest_of(world, &query) != 0);
    }
}

struct each_check {
    struct world *world;
    bool is_seen[WORLD_ID_MAX + 1];
    int64_t last_id;
};

static enum pz_status
check_each(void *payload, const struct pz_feed_state *state, struct pz_error *err)
{
    (void)err;
    struct each_check *check = payload;
    PZ_REQUIRE(state->message_id > check->last_id && state->message_id <= WORLD_ID_MAX);
    check->last_id = state->message_id;
    check->is_seen[state->message_id] = true;
    const struct world_message *expected = &check->world->state->messages[state->message_id];
    PZ_CHECK_EQ_I64(state->presence, expected->presence);
    PZ_CHECK_EQ_I64(state->likes, expected->likes);
    PZ_CHECK_EQ_I64(state->views, expected->views);
    PZ_CHECK_EQ_U64(state->like_count, expected->likes);
    return PZ_OK;
}

void
world_check(struct world *world, struct pz_rng *rng)
{
    struct pz_arena arena;
    pz_arena_init(&arena, NULL);
    check_messages(world, &arena);
    check_walk(world, &arena, (struct pz_feed_query){.limit = 1 + (uint32_t)pz_rng_below(rng, 40)});
    check_walk(world, &arena,
               (struct pz_feed_query){.limit = 1 + (uint32_t)pz_rng_below(rng, 7),
                                      .has_before = true,
                                      .before_created_at = pz_rng_range(rng, -60, 60),
                                      .before_message_id = pz_rng_range(rng, -5, WORLD_ID_MAX)});
    for (uint32_t user = 0; user < 5; user++) {
        check_walk(world, &arena,
                   (struct pz_feed_query){.limit = 1 + (uint32_t)pz_rng_below(rng, 5),
                                          .has_user = true,
                                          .user = user == 4 ? UINT32_MAX : user});
    }
    struct each_check each = {.world = world};
    PZ_CHECK_OK(pz_feed_each(world->feed, NULL, check_each, &each, &world->err), &world->err);
    for (int64_t id = 1; id <= WORLD_ID_MAX; id++) {
        const struct world_message *message = &world->state->messages[id];
        bool has_anything =
            message->presence != PZ_FEED_ABSENT || message->likes != 0 || message->views != 0;
        PZ_CHECK_EQ_I64(each.is_seen[id], has_anything);
    }
    pz_arena_fini(&arena);
}
