// SPDX-License-Identifier: Apache-2.0
// Deleting inside a group (each a group of its own): a message through the feed's API, or rows that
// a DELETE statement selected. Rows are hidden at once; deleting a message is besides a row of the
// internal log message_deletions, so that the feed stays a fold of logs.
#include "storage/store_internal.h"

#include <stdlib.h>

// Notes that a row is to be hidden.
static void
note_hidden(struct pz_table *table, struct pz_hide hide)
{
    struct pz_hide_list *list = &table->hides;
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        list->items = pz_xrealloc(list->items, list->capacity * sizeof *list->items);
    }
    list->items[list->count++] = hide;
}

static bool
find_in_slice(const struct pz_slice *slice, int64_t message_id, uint32_t *row_out)
{
    const int64_t *ids = slice->data;
    for (uint32_t row = 0; row < slice->row_count; row++) {
        if (ids[row] == message_id && !pz_slice_is_null(slice, row)) {
            *row_out = row;
            return true;
        }
    }
    return false;
}

static bool
find_in_tail(const struct pz_table_state *state, int64_t message_id, struct pz_hide *hide_out)
{
    uint64_t valid_space[PZ_BLOCK_ROWS / 64];
    for (uint32_t entry = state->layout->block_count; entry-- > 0;) {
        struct pz_slice slice;
        uint32_t row;
        pz_mirror_read(state->layout->entries[entry].block, PZ_MESSAGES_ID,
                       pz_tail_entry_rows(state->layout, entry, state->end_row), valid_space,
                       &slice);
        if (find_in_slice(&slice, message_id, &row)) {
            *hide_out = (struct pz_hide){.entry = entry, .row = row};
            return true;
        }
    }
    return false;
}

// Newest segments first; only blocks whose range of ids holds the message's are read.
static enum pz_status
find_in_segments(const struct pz_table_state *state, int64_t message_id, struct pz_hide *hide_out,
                 bool *found_out, struct pz_error *err)
{
    struct pz_page_scratch scratch = {0};
    enum pz_status status = PZ_OK;
    *found_out = false;
    for (uint32_t entry = state->segments->count; entry-- > 0 && !*found_out && status == PZ_OK;) {
        struct pz_segment *segment = state->segments->entries[entry].segment;
        uint32_t blocks = pz_segment_block_count(segment);
        for (uint32_t block = 0; block < blocks && !*found_out && status == PZ_OK; block++) {
            const struct pz_stats *stats = pz_segment_block_stats(segment, block, PZ_MESSAGES_ID);
            if (!stats->has_range || message_id < stats->min || message_id > stats->max) {
                continue;
            }
            struct pz_slice slice;
            uint32_t row;
            status = pz_segment_read(segment, block, PZ_MESSAGES_ID, &scratch, &slice, err);
            if (status == PZ_OK && find_in_slice(&slice, message_id, &row)) {
                *hide_out =
                    (struct pz_hide){.is_sealed = true, .entry = entry, .block = block, .row = row};
                *found_out = true;
            }
        }
    }
    pz_page_scratch_fini(&scratch);
    return status;
}

// The row of message_deletions, for SQL's log and for the feed.
static enum pz_status
append_deletion(struct pz_group *group, int64_t message_id, int64_t at_us, struct pz_error *err)
{
    struct pz_table *log = pz__store_find_table(group->store, PZ_TABLE_MESSAGE_DELETIONS);
    struct pz_batch *rows = &log->group_rows;
    struct pz_feed_row row = {
        .kind = PZ_FEED_DELETION, .row_number = pz__table_next_row(log), .message_id = message_id};
    PZ_TRY(pz_batch_reserve(rows, 1, err));
    PZ_TRY(pz_feed_group_apply(group->store->feed, &row, err));
    pz_column_append_int(&rows->columns[PZ_DELETIONS_MESSAGE], message_id);
    pz_column_append_int(&rows->columns[PZ_DELETIONS_DELETED_AT], at_us);
    return pz_batch_end_row(rows, false, 0, err);
}

enum pz_status
pz__group_delete_message(struct pz_group *group, struct pz_write *write, struct pz_error *err)
{
    struct pz_store *store = group->store;
    struct pz_table *messages = pz__store_find_table(store, PZ_TABLE_MESSAGES);
    enum pz_feed_presence presence = PZ_FEED_ABSENT;
    group->is_fatal = true; // until it is known that nothing was changed
    PZ_TRY(pz_feed_group_message(store->feed, write->message_id, &presence, err));
    if (presence != PZ_FEED_PRESENT) {
        group->is_fatal = false;
        return pz_fail(err, PZ_NOT_FOUND, "there is no message %lld", (long long)write->message_id);
    }
    struct pz_hide hide = {0};
    bool is_found = find_in_tail(&messages->state, write->message_id, &hide);
    if (!is_found) {
        PZ_TRY(find_in_segments(&messages->state, write->message_id, &hide, &is_found, err));
    }
    if (!is_found) {
        return pz_fail(err, PZ_CORRUPT, "message %lld is in the feed but not in its log",
                       (long long)write->message_id);
    }
    note_hidden(messages, hide);
    PZ_TRY(append_deletion(group, write->message_id,
                           write->at_us != 0 ? write->at_us : pz__store_now(store), err));
    write->accepted = 1;
    group->has_changes = true;
    group->is_fatal = false;
    return PZ_OK;
}

// ---- DELETE statements ----------------------------------------------------------------------

// Where the block of the statement's version lies in the writer's lists now. Blocks keep their
// identity: a segment stays, and the layout lock keeps seals away.
static bool
locate(const struct pz_table_state *state, const struct pz_block *block, struct pz_hide *hide_out)
{
    *hide_out = (struct pz_hide){.is_sealed = block->is_sealed, .block = block->segment_block};
    if (block->is_sealed) {
        for (uint32_t i = 0; i < state->segments->count; i++) {
            if (state->segments->entries[i].segment == block->segment) {
                hide_out->entry = i;
                return true;
            }
        }
        return false;
    }
    hide_out->block = 0;
    for (uint32_t i = 0; i < state->layout->block_count; i++) {
        if (state->layout->entries[i].block == block->mirror) {
            hide_out->entry = i;
            return true;
        }
    }
    return false;
}

static const struct pz_hidden *
hidden_now(const struct pz_table_state *state, const struct pz_hide *hide)
{
    if (!hide->is_sealed) {
        return state->layout->entries[hide->entry].hidden;
    }
    struct pz_hidden **hidden = state->segments->entries[hide->entry].hidden;
    return hidden == NULL ? NULL : hidden[hide->block];
}

static enum pz_status
delete_block(struct pz_group *group, struct pz_write *write, struct pz_table *table,
             const struct pz_block *block, const uint64_t *selected,
             struct pz_page_scratch *scratch, struct pz_error *err)
{
    struct pz_hide hide;
    struct pz_slice ids = {0};
    bool is_messages = block->def->id == PZ_TABLE_MESSAGES;
    if (!locate(&table->state, block, &hide)) {
        return pz_fail(err, PZ_INTERNAL, "a block of table \"%s\" moved under a DELETE",
                       block->def->name);
    }
    if (is_messages) {
        PZ_TRY(pz_block_read(block, PZ_MESSAGES_ID, scratch, &ids, err));
    }
    const struct pz_hidden *hidden = hidden_now(&table->state, &hide);
    for (uint32_t row = 0; row < block->row_count; row++) {
        if (!pz_bit_get(selected, row) || (hidden != NULL && pz_bit_get(hidden->bits, row))) {
            continue;
        }
        hide.row = row;
        note_hidden(table, hide);
        write->accepted++;
        if (is_messages) {
            PZ_TRY(append_deletion(group, ((const int64_t *)ids.data)[row],
                                   pz__store_now(group->store), err));
        }
    }
    return PZ_OK;
}

enum pz_status
pz__group_delete_rows(struct pz_group *group, struct pz_write *write, struct pz_error *err)
{
    const struct pz_row_selection *selection = write->selection;
    struct pz_table *table = pz__store_find_table(group->store, selection->def->id);
    if (table == NULL || table->state.def != selection->def) {
        return pz_fail(err, PZ_NOT_FOUND, "there is no table \"%s\" any more",
                       selection->def->name);
    }
    if (selection->def->id == PZ_TABLE_LIKES || selection->def->id == PZ_TABLE_VIEWS ||
        selection->def->id == PZ_TABLE_MESSAGE_DELETIONS) {
        return pz_fail(err, PZ_UNACCEPTABLE,
                       "rows of \"%s\" are history: the feed's counters are sums over them",
                       selection->def->name);
    }
    struct pz_page_scratch scratch = {0};
    struct pz_table_rows rows;
    enum pz_status status = PZ_OK;
    write->accepted = 0;
    pz_version_rows(selection->version, selection->def, &rows);
    for (uint32_t i = 0; i < selection->block_count && status == PZ_OK; i++) {
        if (selection->blocks[i] != NULL) {
            struct pz_block block;
            pz_table_block(&rows, i, &block);
            status = delete_block(group, write, table, &block, selection->blocks[i], &scratch, err);
        }
    }
    pz_page_scratch_fini(&scratch);
    group->is_fatal = status != PZ_OK;
    group->has_changes = write->accepted > 0;
    return status;
}

void
pz_layout_lock(struct pz_store *store)
{
    pz_mutex_lock(&store->layout_mutex);
}

void
pz_layout_unlock(struct pz_store *store)
{
    pz_mutex_unlock(&store->layout_mutex);
}
