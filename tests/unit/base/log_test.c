// SPDX-License-Identifier: Apache-2.0
// Log lines: form, levels, escapes.
#include "base/log.h"

#include "tests/support/test.h"

#include <string.h>

static void
log_payload(void *payload)
{
    pz_log(PZ_LOG_WARN, "%s", (const char *)payload);
}

static const char *
logged(const char *message)
{
    static char output[8192];
    char copy[4096];
    PZ_ASSERT(pz_str_to_c(pz_str_from(message), copy, sizeof copy));
    PZ_CHECK_EQ_I64(pz_test_in_child(log_payload, copy, output, sizeof output), 0);
    return output;
}

PZ_TEST(a_line_has_time_level_and_message)
{
    const char *line = logged("hello");
    PZ_CHECK_EQ_U64(strlen(line),
                    strlen("ts=2026-11-20T09:00:00.000000Z lvl=warn msg=\"hello\"\n"));
    PZ_CHECK(strncmp(line, "ts=2", 4) == 0);
    PZ_CHECK_CONTAINS(line, "Z lvl=warn msg=\"hello\"\n");
}

PZ_TEST(nothing_from_outside_leaves_its_quotes)
{
    PZ_CHECK_CONTAINS(logged("a\"b\\c\nd\te\x1b[31m\x7f"),
                      "msg=\"a\\\"b\\\\c\\nd\\te\\x1b[31m\\x7f\"\n");
    PZ_CHECK_CONTAINS(logged("\xc3\xa4\xe2\x82\xac"), "msg=\"\xc3\xa4\xe2\x82\xac\"");
    PZ_CHECK_CONTAINS(logged("\xc2\x9b\x31m"), "msg=\"\\x9b1m\"");
    PZ_CHECK_CONTAINS(logged("\xff\xc3\xa4"), "msg=\"\\xff\\xc3\\xa4\"");
}

PZ_TEST(long_messages_still_end_their_line)
{
    char text[4000];
    memset(text, 1, sizeof text);
    text[sizeof text - 1] = '\0';
    const char *line = logged(text);
    PZ_CHECK(strlen(line) <= 4096);
    PZ_CHECK_EQ_STR(line + strlen(line) - 2, "\"\n");
}

static void
log_levels(void *payload)
{
    (void)payload;
    pz_log(PZ_LOG_DEBUG, "one");
    pz_log_set_level(PZ_LOG_DEBUG);
    pz_log(PZ_LOG_DEBUG, "two");
    pz_log_set_level(PZ_LOG_ERROR);
    pz_log(PZ_LOG_WARN, "three");
    struct pz_error err;
    (void)pz_fail(&err, PZ_BUSY, "the queue is full");
    pz_error_hint(&err, "wait");
    pz_log_error(&err, "post %d", 4);
    pz_log_error(NULL, "five");
}

PZ_TEST(levels_and_errors)
{
    char output[4000];
    PZ_CHECK_EQ_I64(pz_test_in_child(log_levels, NULL, output, sizeof output), 0);
    PZ_CHECK(strstr(output, "one") == NULL);
    PZ_CHECK(strstr(output, "three") == NULL);
    PZ_CHECK_CONTAINS(output, "lvl=debug msg=\"two\"\n");
    PZ_CHECK_CONTAINS(output, "lvl=error msg=\"post 4\" status=BUSY reason=\"the queue is full\" "
                              "hint=\"wait\"\n");
    PZ_CHECK_CONTAINS(output, "lvl=error msg=\"five\"\n");
}
