// SPDX-License-Identifier: Apache-2.0
// Appending rows inside a group: each is judged (group_rules.c), then appended and applied to the
// feed, or told in the answer and set aside as a dead letter.
#include "storage/catalog/builtin.h"
#include "storage/store_internal.h"

#include <stdlib.h>

// ---- to the feed ----------------------------------------------------------------------------

static struct pz_feed_row
feed_row(const struct pz_batch *batch, size_t row, uint64_t row_number)
{
    const struct pz_column *columns = batch->columns;
    struct pz_feed_row out = {.row_number = row_number, .message_id = columns[0].ints[row]};
    switch (batch->def->id) {
    case PZ_TABLE_MESSAGES:
        out.kind = PZ_FEED_MESSAGE;
        out.user = columns[PZ_MESSAGES_USER].codes[row];
        out.created_at = columns[PZ_MESSAGES_CREATED_AT].ints[row];
        out.body = pz_column_text(&columns[PZ_MESSAGES_BODY], row);
        out.has_sentiment = !pz_column_is_null(&columns[PZ_MESSAGES_SENTIMENT], row);
        out.sentiment = out.has_sentiment ? columns[PZ_MESSAGES_SENTIMENT].reals[row] : 0;
        break;
    case PZ_TABLE_LIKES:
        out.kind = PZ_FEED_LIKE;
        out.user = columns[PZ_LIKES_USER].codes[row];
        out.delta = columns[PZ_LIKES_DELTA].ints[row];
        break;
    case PZ_TABLE_VIEWS:
        out.kind = PZ_FEED_VIEW;
        break;
    case PZ_TABLE_MESSAGE_DELETIONS:
        out.kind = PZ_FEED_DELETION;
        break;
    default:
        PZ_UNREACHABLE("only rows of feed tables are folded");
    }
    return out;
}

bool
pz__feed_row_of(const struct pz_batch *batch, size_t row, uint64_t row_number,
                struct pz_feed_row *out)
{
    if (!pz_table_is_feed(batch->def->id) && batch->def->id != PZ_TABLE_MESSAGE_DELETIONS) {
        return false;
    }
    *out = feed_row(batch, row, row_number);
    return true;
}

// ---- answers --------------------------------------------------------------------------------

static void
note_rejection(struct pz_store *store, struct pz_write *write, const struct pz_batch *batch,
               size_t row, const struct pz_rejection *why)
{
    write->rejected++;
    if (write->row_error_count == PZ_ROW_ERRORS_MAX) {
        return;
    }
    if (write->row_errors == NULL) {
        write->row_errors = pz_xcalloc(PZ_ROW_ERRORS_MAX, sizeof *write->row_errors);
    }
    struct pz_row_error *note = &write->row_errors[write->row_error_count++];
    note->line = batch->lines == NULL ? row + 1 : batch->lines[row];
    if (why->column != PZ_NO_COLUMN) {
        (void)pz_str_to_c(pz_str_from(batch->def->columns[why->column].name), note->column,
                          sizeof note->column);
    }
    (void)pz_str_to_c(pz_str_from(why->message), note->message, sizeof note->message);
    struct pz_buffer raw = {.limit_bytes = UINT32_MAX};
    pz__row_to_json(store, batch, row, &raw);
    if (!raw.is_failed) {
        struct pz_str text = {raw.data, (uint32_t)raw.len};
        (void)pz_str_to_c(pz_str_cut_utf8(text, sizeof note->snippet - 1), note->snippet,
                          sizeof note->snippet);
    }
    pz_buffer_fini(&raw);
}

// A row on its way to dead_letters.
struct letter {
    const struct pz_write *write;
    const struct pz_batch *batch;
    size_t row;
    const struct pz_rejection *why;
    int64_t now_us;
};

// After a failure the row of `to` is not complete.
static enum pz_status
put_letter(struct pz_batch *to, const struct letter *letter, struct pz_str raw,
           struct pz_error *err)
{
    const struct pz_table_def *def = letter->batch->def;
    const uint64_t *lines = letter->batch->lines;
    const char *source = letter->write->source;
    uint32_t column = letter->why->column;
    struct pz_column *columns = to->columns;
    PZ_TRY(pz_batch_reserve(to, 1, err));
    PZ_TRY(pz_column_append_text(&columns[PZ_DEAD_SOURCE],
                                 pz_str_from(source == NULL ? "" : source), err));
    pz_column_append_int(&columns[PZ_DEAD_POSITION],
                         (int64_t)(lines == NULL ? letter->row + 1 : lines[letter->row]));
    PZ_TRY(pz_column_append_text(&columns[PZ_DEAD_TABLE], pz_str_from(def->name), err));
    PZ_TRY(pz_column_append_text(&columns[PZ_DEAD_RAW], raw, err));
    PZ_TRY(pz_column_append_text(&columns[PZ_DEAD_REASON], pz_str_from(letter->why->message), err));
    PZ_TRY(pz_column_append_text(
        &columns[PZ_DEAD_PLACE],
        pz_str_from(column == PZ_NO_COLUMN ? "" : def->columns[column].name), err));
    pz_column_append_int(&columns[PZ_DEAD_AT], letter->now_us);
    return pz_batch_end_row(to, false, 0, err);
}

static enum pz_status
append_letter(struct pz_group *group, const struct letter *letter, struct pz_error *err)
{
    struct pz_batch *to = &pz__store_find_table(group->store, PZ_TABLE_DEAD_LETTERS)->group_rows;
    struct pz_buffer raw = {.limit_bytes = UINT32_MAX};
    pz__row_to_json(group->store, letter->batch, letter->row, &raw);
    enum pz_status status =
        raw.is_failed ? pz_fail(err, PZ_NO_MEMORY, "no memory for a dead letter")
                      : put_letter(to, letter, (struct pz_str){raw.data, (uint32_t)raw.len}, err);
    pz_buffer_fini(&raw);
    if (status != PZ_OK) {
        pz_batch_undo_row(to);
        return status;
    }
    group->has_changes = true;
    return PZ_OK;
}

// ---- the write ------------------------------------------------------------------------------

// Judges the rows one by one and appends the accepted ones in runs.
static enum pz_status
append_judged(struct pz_group *group, struct pz_write *write, struct pz_batch *batch,
              struct pz_table *table, struct pz_error *err)
{
    int64_t now_us = pz__store_now(group->store);
    size_t run_first = 0;
    for (size_t row = 0; row < batch->row_count; row++) {
        struct pz_rejection why = {.column = PZ_NO_COLUMN};
        pz__row_fill(batch, row, now_us);
        enum pz_verdict verdict = pz__row_judge(group, write, batch, row, &why, err);
        if (group->is_fatal) {
            return err->status;
        }
        if (verdict == PZ_ROW_ACCEPTED) {
            struct pz_feed_row for_feed;
            uint64_t row_number = pz__table_next_row(table) + (row - run_first);
            if (pz__feed_row_of(batch, row, row_number, &for_feed)) {
                PZ_TRY(pz_feed_group_apply(group->store->feed, &for_feed, err));
            }
            write->accepted++;
            continue;
        }
        PZ_TRY(pz_batch_append_rows(&table->group_rows, batch, run_first, row - run_first, err));
        run_first = row + 1;
        if (verdict == PZ_ROW_IGNORED) {
            write->ignored++;
            continue;
        }
        note_rejection(group->store, write, batch, row, &why);
        if (write->on_error == PZ_ON_ERROR_DEAD_LETTER) {
            struct letter letter = {write, batch, row, &why, now_us};
            PZ_TRY(append_letter(group, &letter, err));
        }
    }
    return pz_batch_append_rows(&table->group_rows, batch, run_first, batch->row_count - run_first,
                                err);
}

static bool
needs_no_judge(const struct pz_batch *batch)
{
    if (pz_table_is_feed(batch->def->id) || batch->def->id == PZ_TABLE_MESSAGE_DELETIONS) {
        return false;
    }
    for (uint32_t c = 0; c < batch->def->column_count; c++) {
        if (batch->def->columns[c].is_not_null && batch->columns[c].null_count > 0) {
            return false;
        }
    }
    return true;
}

static enum pz_status
append_batch(struct pz_group *group, struct pz_write *write, struct pz_batch *batch,
             struct pz_error *err)
{
    struct pz_table *table = pz__store_find_table(group->store, batch->def->id);
    if (table == NULL || table->state.def != batch->def) {
        return pz_fail(err, PZ_NOT_FOUND, "there is no table \"%s\" any more", batch->def->name);
    }
    if (!needs_no_judge(batch)) {
        return append_judged(group, write, batch, table, err);
    }
    PZ_TRY(pz_batch_append_rows(&table->group_rows, batch, 0, batch->row_count, err));
    if (batch->def->id != PZ_TABLE_DEAD_LETTERS || write->batch_count == 1) {
        write->accepted += batch->row_count;
    }
    return PZ_OK;
}

// What a write may have appended so far, to go back to when it is refused as a whole.
static enum pz_status
refuse(struct pz_group *group, struct pz_write *write, const size_t *row_counts,
       struct pz_feed_mark mark, enum pz_status status)
{
    struct pz_store *store = group->store;
    for (uint32_t i = 0; i < store->table_count; i++) {
        if (store->tables[i]->group_rows.row_count > row_counts[i]) {
            pz_batch_truncate(&store->tables[i]->group_rows, row_counts[i]);
        }
    }
    pz_feed_group_undo(store->feed, mark);
    write->accepted = 0;
    write->ignored = 0;
    return status;
}

enum pz_status
pz__group_rows(struct pz_group *group, struct pz_write *write, struct pz_error *err)
{
    struct pz_store *store = group->store;
    size_t small_counts[32];
    size_t *row_counts = store->table_count <= 32
                             ? small_counts
                             : pz_xmalloc(store->table_count * sizeof *row_counts);
    for (uint32_t i = 0; i < store->table_count; i++) {
        row_counts[i] = store->tables[i]->group_rows.row_count;
    }
    struct pz_feed_mark mark = pz_feed_group_mark(store->feed);
    bool had_changes = group->has_changes;
    enum pz_status status = PZ_OK;
    write->accepted = write->ignored = write->rejected = 0;
    for (uint32_t i = 0; i < write->batch_count && status == PZ_OK; i++) {
        status = append_batch(group, write, &write->batches[i], err);
    }
    if (status == PZ_OK && write->rejected > 0 && write->on_error == PZ_ON_ERROR_ABORT) {
        const struct pz_row_error *first = &write->row_errors[0];
        status = write->needs_message && first->column[0] == '\0' ? PZ_NOT_FOUND : PZ_UNACCEPTABLE;
        status = pz_fail(err, status, "%s", first->message);
    }
    if (status != PZ_OK && !group->is_fatal) {
        group->has_changes = had_changes;
        status = refuse(group, write, row_counts, mark, status);
    } else {
        for (uint32_t i = 0; i < store->table_count; i++) {
            group->has_changes |= store->tables[i]->group_rows.row_count > row_counts[i];
        }
    }
    if (row_counts != small_counts) {
        free(row_counts);
    }
    return status;
}

enum pz_status
pz__group_like(struct pz_group *group, struct pz_write *write, struct pz_error *err)
{
    struct pz_feed *feed = group->store->feed;
    struct pz_table *table = pz__store_find_table(group->store, PZ_TABLE_LIKES);
    enum pz_feed_presence presence = PZ_FEED_ABSENT;
    bool is_liked = false;
    bool is_like = write->kind == PZ_WRITE_LIKE;
    char why[PZ_RULE_TEXT_MAX];
    struct pz_str name = pz_symbol_name(group->store, PZ_DOMAIN_USER, write->user);
    if (is_like && !pz_rule_takes_text(PZ_RULE_NAME, name, why)) {
        return pz_fail(err, PZ_UNACCEPTABLE, "user_id %s", why);
    }
    enum pz_status status = pz_feed_group_message(feed, write->message_id, &presence, err);
    if (status == PZ_OK && presence == PZ_FEED_PRESENT) {
        status = pz_feed_group_liked(feed, write->message_id, write->user, &is_liked, err);
    }
    group->is_fatal = status != PZ_OK;
    PZ_TRY(status);
    if (presence != PZ_FEED_PRESENT) {
        return pz_fail(err, PZ_NOT_FOUND, "there is no message %lld", (long long)write->message_id);
    }
    write->was_changed = is_liked != is_like;
    if (write->was_changed) {
        struct pz_batch *rows = &table->group_rows;
        struct pz_feed_row row = {.kind = PZ_FEED_LIKE,
                                  .row_number = pz__table_next_row(table),
                                  .message_id = write->message_id,
                                  .user = write->user,
                                  .delta = is_like ? 1 : -1};
        group->is_fatal = true; // what follows fails only for want of memory
        PZ_TRY(pz_batch_reserve(rows, 1, err));
        PZ_TRY(pz_feed_group_apply(feed, &row, err));
        pz_column_append_int(&rows->columns[PZ_LIKES_MESSAGE], write->message_id);
        pz_column_append_code(&rows->columns[PZ_LIKES_USER], write->user);
        pz_column_append_int(&rows->columns[PZ_LIKES_CREATED_AT],
                             write->at_us != 0 ? write->at_us : pz__store_now(group->store));
        pz_column_append_int(&rows->columns[PZ_LIKES_DELTA], row.delta);
        PZ_TRY(pz_batch_end_row(rows, false, 0, err));
        group->is_fatal = false;
        group->has_changes = true;
        write->accepted = 1;
    }
    status = pz_feed_group_likes(feed, write->message_id, &write->likes, err);
    group->is_fatal = status != PZ_OK;
    return status;
}
