// SPDX-License-Identifier: Apache-2.0
// Reads of base and overlay that fit together, and the read of one message.
//
// A read begins an LMDB transaction first and notes the base's fold number. Under the mutex it
// then takes the parts made for that number: they stand there from before the slice's commit until
// the next slice is committed, so only a read that sleeps through a whole slice begins again.
#include "storage/feed/feed_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <sched.h>

#define ATTEMPTS_BEFORE_SLEEP 32
#define ATTEMPTS_MAX 2000
#define SLEEP_US 200

static enum pz_status
wait_for_parts(struct pz__feed_read *read, struct pz_error *err)
{
    pz__feed_read_end(read);
    if (++read->attempt > ATTEMPTS_MAX) {
        return pz_fail(err, PZ_BUSY, "the feed's fold moved on during each of %d attempts to read",
                       ATTEMPTS_MAX);
    }
    if (read->attempt > ATTEMPTS_BEFORE_SLEEP) {
        pz_clock_sleep_us(SLEEP_US);
    } else {
        (void)sched_yield();
    }
    return PZ_OK;
}

enum pz_status
pz__feed_read_begin(struct pz_feed *feed, struct pz__feed_read *read, struct pz_error *err)
{
    read->feed = feed;
    if (read->txn != NULL) {
        PZ_TRY(wait_for_parts(read, err));
    }
    PZ_TRY(pz_kv_begin_read(feed->env, &read->txn, err));
    struct pz__feed_record record;
    enum pz_status status = pz__feed_record_read(read->txn, &record, err);
    read->fold_number = record.fold_number;
    if (status != PZ_OK) {
        pz__feed_read_end(read);
    }
    return status;
}

bool
pz__feed_read_lock(struct pz__feed_read *read)
{
    struct pz_feed *feed = read->feed;
    pz_mutex_lock(&feed->mutex);
    struct pz__feed_parts *parts = feed->parts;
    if (parts->fold_number != read->fold_number) {
        parts = feed->parts_next;
    }
    if (parts == NULL || parts->fold_number != read->fold_number) {
        pz_mutex_unlock(&feed->mutex);
        return false;
    }
    pz__feed_parts_acquire(parts);
    pz__feed_overlay_acquire(feed->active);
    read->parts = parts;
    read->active = feed->active;
    return true;
}

void
pz__feed_read_unlock(struct pz__feed_read *read)
{
    pz_mutex_unlock(&read->feed->mutex);
}

void
pz__feed_look_newest(const struct pz__feed_read *read, uint64_t message_id,
                     struct pz__feed_found *found)
{
    const struct pz_feed *feed = read->feed;
    pz_mutex_assert_held(&read->feed->mutex);
    if (feed->joining != NULL) {
        uint32_t position = pz__feed_find_message(feed->joining, message_id);
        if (position != PZ__FEED_NONE && position >= feed->joined) {
            pz__feed_look(feed->joining, message_id, found);
        }
    }
    pz__feed_look(read->active, message_id, found);
}

void
pz__feed_read_end(struct pz__feed_read *read)
{
    pz_kv_abort(read->txn);
    pz__feed_parts_release(read->parts);
    pz__feed_overlay_release(read->active);
    read->txn = NULL;
    read->parts = NULL;
    read->active = NULL;
}

// ---- one message -----------------------------------------------------------------------------

static enum pz_status
look_everywhere(struct pz__feed_read *read, int64_t message_id, struct pz__feed_found *found,
                struct pz_error *err)
{
    do {
        PZ_TRY(pz__feed_read_begin(read->feed, read, err));
    } while (!pz__feed_read_lock(read));
    pz__feed_look_newest(read, (uint64_t)message_id, found);
    pz__feed_read_unlock(read);
    pz__feed_look_frozen(read->parts, (uint64_t)message_id, found);
    pz__feed_look_layers(read->parts, (uint64_t)message_id, found);
    return PZ_OK;
}

enum pz_status
pz__feed_fill(struct pz__feed_found *found, const struct pz__feed_stored *stored,
              struct pz_arena *arena, struct pz_message *out, struct pz_error *err)
{
    struct pz_str body;
    if (found->body != NULL) {
        body = (struct pz_str){found->body->text, found->body->len};
        out->user = found->body->user;
        out->created_at = found->body->created_at;
        out->has_sentiment = found->body->has_sentiment;
        out->sentiment = found->body->sentiment;
    } else {
        body = stored->body;
        out->user = stored->user;
        out->created_at = stored->created_at;
        out->has_sentiment = stored->has_sentiment;
        out->sentiment = stored->sentiment;
    }
    out->likes = found->likes;
    out->views = found->views;
    out->body = pz_arena_copy(arena, body);
    return out->body.data != NULL
               ? PZ_OK
               : pz_fail(err, PZ_NO_MEMORY, "no memory for message %" PRId64, out->message_id);
}

enum pz_status
pz_feed_read_message(struct pz_feed *feed, int64_t message_id, struct pz_arena *arena,
                     struct pz_message *out, struct pz_error *err)
{
    struct pz__feed_read read = {.feed = feed};
    struct pz__feed_found found = {.presence = PZ_FEED_ABSENT};
    struct pz__feed_stored stored = {.presence = PZ_FEED_ABSENT};
    struct pz__feed_counters counters;
    enum pz_status status = look_everywhere(&read, message_id, &found, err);
    if (status == PZ_OK && found.presence == PZ_FEED_ABSENT) {
        status = pz__feed_base_message(read.txn, (uint64_t)message_id, &stored, err);
        found.presence = stored.presence;
    }
    if (status == PZ_OK && found.presence != PZ_FEED_PRESENT) {
        status = PZ_NOT_FOUND;
    }
    if (status == PZ_OK) {
        status = pz__feed_base_counters(read.txn, (uint64_t)message_id, &counters, err);
    }
    if (status == PZ_OK) {
        found.likes += counters.likes;
        found.views += counters.views;
        *out = (struct pz_message){.message_id = message_id};
        status = pz__feed_fill(&found, &stored, arena, out, err);
    }
    pz__feed_read_end(&read);
    return status;
}
