// SPDX-License-Identifier: Apache-2.0
// What becomes of a row that a write appends: filled, then accepted, ignored or rejected.
//
// Values obey storage/column/feed_rules.h. A message id given must be one that was never used; a
// like that stands, or an unlike of none, changes nothing and is not stored. So counters equal SQL
// whatever the way rows came in. Rows of other tables only need their NOT NULL columns.
#include "storage/catalog/symbols.h"
#include "storage/store_internal.h"

#include <stdarg.h>
#include <stdio.h>

static enum pz_verdict PZ_PRINTF(3, 4)
    reject(struct pz_rejection *why, uint32_t column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    why->column = column;
    (void)vsnprintf(why->message, sizeof why->message, format, arguments);
    va_end(arguments);
    return PZ_ROW_REJECTED;
}

// The first NOT NULL column but `filled` that is NULL.
static uint32_t
find_null(const struct pz_batch *batch, size_t row, uint32_t filled)
{
    for (uint32_t c = 0; c < batch->def->column_count; c++) {
        if (c != filled && batch->def->columns[c].is_not_null &&
            pz_column_is_null(&batch->columns[c], row)) {
            return c;
        }
    }
    return PZ_NO_COLUMN;
}

static void
fill_int(struct pz_batch *batch, uint32_t column, size_t row, int64_t value)
{
    if (pz_column_is_null(&batch->columns[column], row)) {
        pz_column_set_int(&batch->columns[column], row, value);
    }
}

// ---- the rules of each feed table -----------------------------------------------------------

size_t
pz__feed_find_bad_value(struct pz_store *store, const struct pz_batch *batch, uint32_t column,
                        size_t first, size_t end, char why[PZ_RULE_TEXT_MAX])
{
    const struct pz_column *values = &batch->columns[column];
    enum pz_value_rule rule = pz_feed_rule(batch->def->id, column).rule;
    if (rule == PZ_RULE_NONE) {
        return end;
    }
    const struct pz_domain *domain = NULL;
    if (rule == PZ_RULE_NAME) {
        domain = pz__store_domain(store, batch->def->columns[column].domain_id);
    }
    for (size_t row = first; row < end; row++) {
        if (pz_column_is_null(values, row)) {
            continue;
        }
        if (domain == NULL
                ? !pz_rule_takes_int(rule, values->ints[row], why)
                : !pz_domain_is_feed_name(domain, values->codes[row]) &&
                      !pz_rule_takes_text(rule, pz_domain_name(domain, values->codes[row]), why)) {
            return row;
        }
    }
    return end;
}

static enum pz_verdict
check_values(struct pz_store *store, const struct pz_batch *batch, size_t row,
             struct pz_rejection *why)
{
    char fault[PZ_RULE_TEXT_MAX];
    for (uint32_t c = 0; c < batch->def->column_count; c++) {
        if (pz__feed_find_bad_value(store, batch, c, row, row + 1, fault) == row) {
            return reject(why, c, "%s %s", batch->def->columns[c].name, fault);
        }
    }
    return PZ_ROW_ACCEPTED;
}

static enum pz_verdict
check_message(struct pz_group *group, struct pz_batch *batch, size_t row, struct pz_rejection *why,
              struct pz_error *err)
{
    struct pz_feed *feed = group->store->feed;
    int64_t id = batch->columns[PZ_MESSAGES_ID].ints[row];
    enum pz_feed_presence presence = PZ_FEED_ABSENT;
    int64_t next_id = pz_feed_next_message_id(feed); // 0 when the largest of all is taken
    if ((id < next_id || next_id == 0) &&
        pz_feed_group_message(feed, id, &presence, err) != PZ_OK) {
        group->is_fatal = true;
        return PZ_ROW_REJECTED;
    }
    if (presence == PZ_FEED_DELETED) {
        return reject(why, PZ_MESSAGES_ID, "message_id %lld belonged to a message that was deleted",
                      (long long)id);
    }
    if (presence == PZ_FEED_PRESENT) {
        return reject(why, PZ_MESSAGES_ID, "message_id %lld is in use", (long long)id);
    }
    return PZ_ROW_ACCEPTED;
}

static enum pz_verdict
check_like(struct pz_group *group, struct pz_batch *batch, size_t row, struct pz_error *err)
{
    int64_t id = batch->columns[PZ_LIKES_MESSAGE].ints[row];
    int64_t delta = batch->columns[PZ_LIKES_DELTA].ints[row];
    bool is_liked = false;
    uint32_t user = batch->columns[PZ_LIKES_USER].codes[row];
    if (pz_feed_group_liked(group->store->feed, id, user, &is_liked, err) != PZ_OK) {
        group->is_fatal = true;
        return PZ_ROW_REJECTED;
    }
    return is_liked == (delta == 1) ? PZ_ROW_IGNORED : PZ_ROW_ACCEPTED;
}

static enum pz_verdict
check_view(struct pz_group *group, const struct pz_write *write, struct pz_batch *batch, size_t row,
           struct pz_rejection *why, struct pz_error *err)
{
    int64_t id = batch->columns[PZ_VIEWS_MESSAGE].ints[row];
    if (!write->needs_message) {
        return PZ_ROW_ACCEPTED;
    }
    enum pz_feed_presence presence;
    if (pz_feed_group_message(group->store->feed, id, &presence, err) != PZ_OK) {
        group->is_fatal = true;
        return PZ_ROW_REJECTED;
    }
    return presence == PZ_FEED_PRESENT
               ? PZ_ROW_ACCEPTED
               : reject(why, PZ_NO_COLUMN, "there is no message %lld", (long long)id);
}

void
pz__row_fill(struct pz_batch *batch, size_t row, int64_t now_us)
{
    switch (batch->def->id) {
    case PZ_TABLE_MESSAGES:
        fill_int(batch, PZ_MESSAGES_CREATED_AT, row, now_us);
        break;
    case PZ_TABLE_LIKES:
        fill_int(batch, PZ_LIKES_CREATED_AT, row, now_us);
        fill_int(batch, PZ_LIKES_DELTA, row, 1);
        break;
    case PZ_TABLE_VIEWS:
        fill_int(batch, PZ_VIEWS_VIEWED_AT, row, now_us);
        break;
    default:
        break;
    }
}

enum pz_verdict
pz__row_judge(struct pz_group *group, const struct pz_write *write, struct pz_batch *batch,
              size_t row, struct pz_rejection *why, struct pz_error *err)
{
    bool needs_id = batch->def->id == PZ_TABLE_MESSAGES &&
                    pz_column_is_null(&batch->columns[PZ_MESSAGES_ID], row);
    uint32_t null_column = find_null(batch, row, needs_id ? PZ_MESSAGES_ID : PZ_NO_COLUMN);
    if (null_column != PZ_NO_COLUMN) {
        return reject(why, null_column, "column \"%s\" must not be null",
                      batch->def->columns[null_column].name);
    }
    if (check_values(group->store, batch, row, why) != PZ_ROW_ACCEPTED) {
        return PZ_ROW_REJECTED;
    }
    if (needs_id) {
        int64_t id = pz_feed_next_message_id(group->store->feed);
        if (id == 0) {
            return reject(why, PZ_MESSAGES_ID,
                          "no message_id is left: a message has the largest there is");
        }
        pz_column_set_int(&batch->columns[PZ_MESSAGES_ID], row, id);
        return PZ_ROW_ACCEPTED;
    }
    switch (batch->def->id) {
    case PZ_TABLE_MESSAGES:
        return check_message(group, batch, row, why, err);
    case PZ_TABLE_LIKES:
        return check_like(group, batch, row, err);
    case PZ_TABLE_VIEWS:
        return check_view(group, write, batch, row, why, err);
    default:
        return PZ_ROW_ACCEPTED;
    }
}
