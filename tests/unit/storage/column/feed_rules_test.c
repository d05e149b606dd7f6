// SPDX-License-Identifier: Apache-2.0
// The rules of the feed's values: where each begins and ends, and which column has which.
#include "storage/column/feed_rules.h"
#include "tests/support/test.h"

static void
check_int(enum pz_value_rule rule, int64_t value, const char *why_wanted)
{
    char why[PZ_RULE_TEXT_MAX] = "";
    PZ_CHECK_EQ_I64(pz_rule_takes_int(rule, value, why), why_wanted == NULL);
    PZ_CHECK_EQ_STR(why, why_wanted == NULL ? "" : why_wanted);
}

static void
check_name(struct pz_str text, const char *why_wanted)
{
    char why[PZ_RULE_TEXT_MAX] = "";
    PZ_CHECK_EQ_I64(pz_rule_takes_text(PZ_RULE_NAME, text, why), why_wanted == NULL);
    PZ_CHECK_EQ_STR(why, why_wanted == NULL ? "" : why_wanted);
}

PZ_TEST(numbers_have_bounds)
{
    check_int(PZ_RULE_ID, 1, NULL);
    check_int(PZ_RULE_ID, INT64_MAX, NULL);
    check_int(PZ_RULE_ID, 0, "must be a positive integer, is 0");
    check_int(PZ_RULE_ID, INT64_MIN, "must be a positive integer, is -9223372036854775808");
    check_int(PZ_RULE_DELTA, 1, NULL);
    check_int(PZ_RULE_DELTA, -1, NULL);
    check_int(PZ_RULE_DELTA, 0, "must be 1 (like) or -1 (unlike), is 0");
    check_int(PZ_RULE_DELTA, 2, "must be 1 (like) or -1 (unlike), is 2");
    check_int(PZ_RULE_DELTA, INT64_MIN, "must be 1 (like) or -1 (unlike), is -9223372036854775808");
    check_int(PZ_RULE_DURATION, 0, NULL);
    check_int(PZ_RULE_DURATION, INT64_MAX, NULL);
    check_int(PZ_RULE_DURATION, -1, "must not be negative, is -1");
    check_int(PZ_RULE_NONE, INT64_MIN, NULL);
}

PZ_TEST(names_have_a_length)
{
    char text[PZ_FEED_NAME_LEN_MAX + 1];
    memset(text, 'x', sizeof text);
    check_name((struct pz_str){text, 1}, NULL);
    check_name((struct pz_str){text, PZ_FEED_NAME_LEN_MAX}, NULL);
    check_name((struct pz_str){text, sizeof text}, "must be 1 to 256 bytes long, is 257");
    check_name(PZ_STR(""), "must be 1 to 256 bytes long, is 0");
    check_name((struct pz_str){NULL, 0}, "must be 1 to 256 bytes long, is 0");
}

PZ_TEST(names_hold_no_control_characters)
{
    for (unsigned c = 0; c < 0x80; c++) {
        char text[] = {'a', (char)c, 'b'};
        char why[PZ_RULE_TEXT_MAX];
        bool is_control = c < 0x20 || c == 0x7f;
        PZ_CHECK_EQ_I64(pz_rule_takes_text(PZ_RULE_NAME, (struct pz_str){text, 3}, why),
                        !is_control);
    }
    for (unsigned c = 0x80; c < 0xc0; c++) {
        char text[] = {'a', (char)0xc2, (char)c};
        char why[PZ_RULE_TEXT_MAX];
        PZ_CHECK_EQ_I64(pz_rule_takes_text(PZ_RULE_NAME, (struct pz_str){text, 3}, why), c >= 0xa0);
    }
    check_name(PZ_STR("tab\t"), "must not hold the control character U+0009");
    check_name(PZ_STR("\x7f"), "must not hold the control character U+007F");
    check_name(PZ_STR("a\xc2\x85"), "must not hold the control character U+0085");
    check_name(PZ_STR("Ünï 名 \xf0\x9f\x99\x82 a/b \"q\""), NULL);
    check_name(PZ_STR("\xc3\x82\xe2\x82\x82"), NULL); // bytes of C1, but not behind C2
}

PZ_TEST(columns_have_their_rule)
{
    PZ_CHECK_EQ_I64(pz_feed_rule(PZ_TABLE_MESSAGES, PZ_MESSAGES_ID).rule, PZ_RULE_ID);
    PZ_CHECK(pz_feed_rule(PZ_TABLE_MESSAGES, PZ_MESSAGES_ID).is_filled);
    PZ_CHECK_EQ_I64(pz_feed_rule(PZ_TABLE_LIKES, PZ_LIKES_MESSAGE).rule, PZ_RULE_ID);
    PZ_CHECK(!pz_feed_rule(PZ_TABLE_LIKES, PZ_LIKES_MESSAGE).is_filled);
    PZ_CHECK_EQ_I64(pz_feed_rule(PZ_TABLE_LIKES, PZ_LIKES_DELTA).rule, PZ_RULE_DELTA);
    PZ_CHECK_EQ_I64(pz_feed_rule(PZ_TABLE_VIEWS, PZ_VIEWS_WATCH_MS).rule, PZ_RULE_DURATION);
    PZ_CHECK_EQ_I64(pz_feed_rule(PZ_TABLE_VIEWS, PZ_VIEWS_GEO).rule, PZ_RULE_NAME);
    PZ_CHECK_EQ_I64(pz_feed_rule(PZ_TABLE_VIEWS, PZ_VIEWS_WATCH_MS + 1).rule, PZ_RULE_NONE);
    PZ_CHECK_EQ_I64(pz_feed_rule(PZ_TABLE_DEAD_LETTERS, 0).rule, PZ_RULE_NONE);
    PZ_CHECK_EQ_I64(pz_feed_rule(PZ_TABLE_ID_FIRST_USER, 0).rule, PZ_RULE_NONE);
    PZ_CHECK_EQ_I64(pz_feed_rule(0, 0).rule, PZ_RULE_NONE);
}
