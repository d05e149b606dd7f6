// SPDX-License-Identifier: Apache-2.0
// The rules of the feed's columns, and what each of them refuses.
#include "storage/column/feed_rules.h"

#include <inttypes.h>
#include <stdio.h>

#define FEED_COLUMNS_MAX 6

static const struct pz_feed_rule rules[PZ_TABLE_VIEWS + 1][FEED_COLUMNS_MAX] = {
    [PZ_TABLE_MESSAGES] =
        {
            [PZ_MESSAGES_ID] = {PZ_RULE_ID, true},
            [PZ_MESSAGES_USER] = {PZ_RULE_NAME, false},
            [PZ_MESSAGES_CREATED_AT] = {PZ_RULE_NONE, true},
        },
    [PZ_TABLE_LIKES] =
        {
            [PZ_LIKES_MESSAGE] = {PZ_RULE_ID, false},
            [PZ_LIKES_USER] = {PZ_RULE_NAME, false},
            [PZ_LIKES_CREATED_AT] = {PZ_RULE_NONE, true},
            [PZ_LIKES_DELTA] = {PZ_RULE_DELTA, true},
        },
    [PZ_TABLE_VIEWS] =
        {
            [PZ_VIEWS_MESSAGE] = {PZ_RULE_ID, false},
            [PZ_VIEWS_USER] = {PZ_RULE_NAME, false},
            [PZ_VIEWS_VIEWED_AT] = {PZ_RULE_NONE, true},
            [PZ_VIEWS_DEVICE] = {PZ_RULE_NAME, false},
            [PZ_VIEWS_GEO] = {PZ_RULE_NAME, false},
            [PZ_VIEWS_WATCH_MS] = {PZ_RULE_DURATION, false},
        },
};

struct pz_feed_rule
pz_feed_rule(uint32_t table_id, uint32_t column)
{
    return pz_table_is_feed(table_id) && column < FEED_COLUMNS_MAX ? rules[table_id][column]
                                                                   : (struct pz_feed_rule){0};
}

bool
pz_rule_takes_int(enum pz_value_rule rule, int64_t value, char why[PZ_RULE_TEXT_MAX])
{
    const char *wanted;
    switch (rule) {
    case PZ_RULE_ID:
        if (value > 0) {
            return true;
        }
        wanted = "must be a positive integer";
        break;
    case PZ_RULE_DELTA:
        if (value == 1 || value == -1) {
            return true;
        }
        wanted = "must be 1 (like) or -1 (unlike)";
        break;
    case PZ_RULE_DURATION:
        if (value >= 0) {
            return true;
        }
        wanted = "must not be negative";
        break;
    default:
        return true;
    }
    (void)snprintf(why, PZ_RULE_TEXT_MAX, "%s, is %" PRId64, wanted, value);
    return false;
}

// Finds C0, DEL, or C1, which UTF-8 writes as C2 80 to C2 9F.
static bool
find_control(struct pz_str text, unsigned *found_out)
{
    for (uint32_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c == 0x7f) {
            *found_out = c;
            return true;
        }
        unsigned char next = i + 1 < text.len ? (unsigned char)text.data[i + 1] : 0;
        if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
            *found_out = next;
            return true;
        }
    }
    return false;
}

bool
pz_rule_takes_text(enum pz_value_rule rule, struct pz_str text, char why[PZ_RULE_TEXT_MAX])
{
    if (rule != PZ_RULE_NAME) {
        return true;
    }
    if (text.len < 1 || text.len > PZ_FEED_NAME_LEN_MAX) {
        (void)snprintf(why, PZ_RULE_TEXT_MAX, "must be 1 to %u bytes long, is %u",
                       PZ_FEED_NAME_LEN_MAX, text.len);
        return false;
    }
    unsigned control;
    if (find_control(text, &control)) {
        (void)snprintf(why, PZ_RULE_TEXT_MAX, "must not hold the control character U+%04X",
                       control);
        return false;
    }
    return true;
}
