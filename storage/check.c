// SPDX-License-Identifier: Apache-2.0
// `plaza check`: reads every page of every table back (which verifies the checksums), recomputes
// the feed's state from the log, and compares it with what the feed says. The feed's state comes
// first, and with it, at the same instant, the version whose rows it must agree with: so writes
// may go on meanwhile.
#include "storage/store_internal.h"

#include "base/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// What feed and log say about one message id.
struct both {
    int64_t message_id; // 0 = free slot
    int64_t feed_likes, feed_views;
    int64_t likes, views;
    bool is_in_feed;
    bool is_in_table;
};

struct check {
    struct pz_store *store;
    struct pz_version *version;
    struct pz_buffer *report;
    uint64_t problems;
    struct both *slots;
    size_t slot_count; // a power of two
    size_t used;
    // Rows of the table could not be read: what they would add up to is not known.
    bool misses_messages, misses_likes, misses_views;
};

static void PZ_PRINTF(2, 3) report(struct check *check, const char *format, ...)
{
    char line[300];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    check->problems++;
    if (check->problems <= 1000) {
        pz_buffer_printf(check->report, "%s\n", line);
    }
}

// ---- both sides -----------------------------------------------------------------------------

static struct both *
find_slot(struct both *slots, size_t slot_count, int64_t message_id)
{
    size_t at = (size_t)pz_hash_u64((uint64_t)message_id) & (slot_count - 1);
    while (slots[at].message_id != 0 && slots[at].message_id != message_id) {
        at = (at + 1) & (slot_count - 1);
    }
    return &slots[at];
}

static struct both *
slot_of(struct check *check, int64_t message_id)
{
    if ((check->used + 1) * 2 > check->slot_count) {
        size_t larger = check->slot_count == 0 ? 1024 : check->slot_count * 2;
        struct both *slots = pz_xcalloc(larger, sizeof *slots);
        for (size_t i = 0; i < check->slot_count; i++) {
            if (check->slots[i].message_id != 0) {
                *find_slot(slots, larger, check->slots[i].message_id) = check->slots[i];
            }
        }
        free(check->slots);
        check->slots = slots;
        check->slot_count = larger;
    }
    struct both *slot = find_slot(check->slots, check->slot_count, message_id);
    if (slot->message_id == 0) {
        slot->message_id = message_id;
        check->used++;
    }
    return slot;
}

static void
count_rows(struct check *check, const struct pz_block *block, const struct pz_slice *ids,
           const struct pz_slice *deltas)
{
    for (uint32_t row = 0; row < block->row_count; row++) {
        if (block->deleted != NULL && pz_bit_get(block->deleted, row)) {
            continue;
        }
        struct both *slot = slot_of(check, ((const int64_t *)ids->data)[row]);
        switch (block->def->id) {
        case PZ_TABLE_MESSAGES:
            if (slot->is_in_table) {
                report(check, "table messages: message_id %lld occurs twice",
                       (long long)slot->message_id);
            }
            slot->is_in_table = true;
            break;
        case PZ_TABLE_LIKES:
            slot->likes += ((const int64_t *)deltas->data)[row];
            break;
        default:
            slot->views++;
            break;
        }
    }
}

static enum pz_status
read_block(struct check *check, const struct pz_block *block, struct pz_page_scratch **scratches,
           struct pz_error *err)
{
    struct pz_slice slices[2] = {{0}, {0}};
    for (uint32_t c = 0; c < block->def->column_count; c++) {
        struct pz_slice slice;
        uint32_t in = c == PZ_LIKES_DELTA ? 1 : c == 0 ? 0 : 2;
        enum pz_status status = pz_block_read(block, c, scratches[in], &slice, err);
        if (status != PZ_OK) {
            return status;
        }
        if (in < 2) {
            slices[in] = slice;
        }
        for (uint32_t row = 0; slice.type == PZ_TYPE_SYMBOL && row < slice.row_count; row++) {
            uint32_t domain = block->def->columns[c].domain_id;
            if (!pz_slice_is_null(&slice, row) &&
                ((const uint32_t *)slice.data)[row] >= pz_symbol_count(check->store, domain)) {
                report(check, "table %s: column %s holds an unknown symbol", block->def->name,
                       block->def->columns[c].name);
                break;
            }
        }
    }
    if (pz_table_is_feed(block->def->id)) {
        count_rows(check, block, &slices[0], &slices[1]);
    }
    return PZ_OK;
}

static void
note_unreadable(struct check *check, uint32_t table_id)
{
    check->misses_messages |= table_id == PZ_TABLE_MESSAGES;
    check->misses_likes |= table_id == PZ_TABLE_LIKES;
    check->misses_views |= table_id == PZ_TABLE_VIEWS;
}

static enum pz_status
read_tables(struct check *check, const struct pz_version *version, struct pz_error *err)
{
    struct pz_page_scratch *scratches[3];
    enum pz_status status = PZ_OK;
    for (int i = 0; i < 3; i++) {
        scratches[i] = pz_page_scratch_create();
    }
    for (uint32_t t = 0; t < pz_version_table_count(version) && status == PZ_OK; t++) {
        struct pz_table_rows rows;
        pz_version_rows(version, pz_version_table_at(version, t), &rows);
        for (uint32_t b = 0; b < rows.block_count && status == PZ_OK; b++) {
            struct pz_block block;
            pz_table_block(&rows, b, &block);
            struct pz_error damage = {0};
            status = read_block(check, &block, scratches, &damage);
            if (status == PZ_CORRUPT) {
                report(check, "%s", damage.message);
                note_unreadable(check, block.def->id);
                status = PZ_OK;
            } else if (status != PZ_OK && err != NULL) {
                *err = damage;
            }
        }
    }
    for (int i = 0; i < 3; i++) {
        pz_page_scratch_destroy(scratches[i]);
    }
    return status;
}

// ---- the feed's state -----------------------------------------------------------------------

static void
take_version(void *payload)
{
    struct check *check = payload;
    check->version = pz_version_acquire(check->store);
}

static enum pz_status
note_state(void *payload, const struct pz_feed_state *state, struct pz_error *err)
{
    struct check *check = payload;
    struct both *slot = slot_of(check, state->message_id);
    (void)err;
    slot->feed_likes = state->likes;
    slot->feed_views = state->views;
    slot->is_in_feed = state->presence == PZ_FEED_PRESENT;
    if (state->like_count != (uint64_t)state->likes) {
        report(check, "message %lld: the counter says %lld likes, %llu stand",
               (long long)state->message_id, (long long)state->likes,
               (unsigned long long)state->like_count);
    }
    return PZ_OK;
}

static void
compare(struct check *check, const struct both *slot)
{
    if (!check->misses_likes && slot->likes != slot->feed_likes) {
        report(check, "message %lld: the log counts %lld likes, the feed %lld",
               (long long)slot->message_id, (long long)slot->likes, (long long)slot->feed_likes);
    }
    if (!check->misses_views && slot->views != slot->feed_views) {
        report(check, "message %lld: the log counts %lld views, the feed %lld",
               (long long)slot->message_id, (long long)slot->views, (long long)slot->feed_views);
    }
    if (!check->misses_messages && slot->is_in_table != slot->is_in_feed) {
        report(check, "message %lld: it is %s the table and %s the feed",
               (long long)slot->message_id, slot->is_in_table ? "in" : "not in",
               slot->is_in_feed ? "in" : "not in");
    }
}

// Each difference would only repeat that rows are missing.
static void
say_what_is_left_out(struct check *check)
{
    const char *const tables[] = {check->misses_messages ? "messages" : NULL,
                                  check->misses_likes ? "likes" : NULL,
                                  check->misses_views ? "views" : NULL};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (tables[i] != NULL) {
            pz_buffer_printf(check->report,
                             "the feed was not compared with table %s, whose rows cannot all be "
                             "read\n",
                             tables[i]);
        }
    }
}

enum pz_status
pz_store_check(struct pz_store *store, struct pz_buffer *report_out, uint64_t *problems_out,
               struct pz_error *err)
{
    struct check check = {.store = store, .report = report_out};
    enum pz_status status = pz_feed_each(store->feed, take_version, note_state, &check, err);
    if (check.version != NULL) {
        // Also when the feed's state is damaged: what is wrong with the tables is worth knowing.
        enum pz_status tables = read_tables(&check, check.version, status == PZ_OK ? err : NULL);
        status = status == PZ_OK ? tables : status;
    }
    say_what_is_left_out(&check);
    for (size_t i = 0; status == PZ_OK && i < check.slot_count; i++) {
        if (check.slots[i].message_id != 0) {
            compare(&check, &check.slots[i]);
        }
    }
    pz_version_release(check.version);
    free(check.slots);
    *problems_out = check.problems;
    return status;
}
