// SPDX-License-Identifier: Apache-2.0
// What the values of the feed's rows may be, whatever the way in: the one table that the feed API,
// loads and SQL ask.
//
// Rules that need the feed's state (an id in use, a like that stands) are the writer's, see
// storage/group_rules.c.
#ifndef PZ_STORAGE_COLUMN_FEED_RULES_H
#define PZ_STORAGE_COLUMN_FEED_RULES_H

#include "storage/column/schema.h"

enum pz_value_rule {
    PZ_RULE_NONE,     // whatever the type holds
    PZ_RULE_ID,       // a positive integer
    PZ_RULE_DELTA,    // 1 or -1
    PZ_RULE_DURATION, // an integer that is not negative
    PZ_RULE_NAME,     // text of 1 to PZ_FEED_NAME_LEN_MAX bytes without control characters
};
#define PZ_FEED_NAME_LEN_MAX 256u

// NULL is not a matter of the rule: a column is NOT NULL or it is not.
struct pz_feed_rule {
    enum pz_value_rule rule;
    bool is_filled; // NOT NULL, yet a row may leave it out: the store fills it
};
// The rule of a column; none for tables that are not the feed's.
struct pz_feed_rule pz_feed_rule(uint32_t table_id, uint32_t column);

// Whether a value obeys the rule. Else `why` says what is wrong, to stand behind the column's name:
// "must be a positive integer, is -5".
#define PZ_RULE_TEXT_MAX 80
bool pz_rule_takes_int(enum pz_value_rule rule, int64_t value, char why[PZ_RULE_TEXT_MAX]);
bool pz_rule_takes_text(enum pz_value_rule rule, struct pz_str text, char why[PZ_RULE_TEXT_MAX]);

#endif
