// SPDX-License-Identifier: Apache-2.0
// Filling error objects, and the panic.
#include "base/status.h"

#include "tests/support/test.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

PZ_TEST(fail_overwrites_what_was_there)
{
    struct pz_error err;
    PZ_CHECK_EQ_I64(pz_fail_sql(&err, "42703", 11, "column \"%s\" does not exist", "x"),
                    PZ_INVALID);
    pz_error_hint(&err, "did you mean \"%s\"?", "y");
    PZ_CHECK_EQ_STR(err.sqlstate, "42703");
    PZ_CHECK_EQ_I64(err.sql_offset, 12);
    PZ_CHECK_EQ_STR(err.hint, "did you mean \"y\"?");
    PZ_CHECK_EQ_I64(pz_fail(&err, PZ_CORRUPT, "magic is %08x", 0xbadu), PZ_CORRUPT);
    PZ_CHECK_EQ_STR(err.message, "magic is 00000bad");
    PZ_CHECK_EQ_STR(err.hint, "");
    PZ_CHECK_EQ_STR(err.sqlstate, "");
    PZ_CHECK_EQ_I64(err.sql_offset, 0);
}

PZ_TEST(fail_may_quote_its_own_message)
{
    struct pz_error err;
    (void)pz_fail(&err, PZ_IO, "inner");
    (void)pz_fail(&err, PZ_IO, "outer: %s", err.message);
    PZ_CHECK_EQ_STR(err.message, "outer: inner");
}

PZ_TEST(null_error_is_ignored)
{
    PZ_CHECK_EQ_I64(pz_fail(NULL, PZ_BUSY, "x"), PZ_BUSY);
    PZ_CHECK_EQ_I64(pz_fail_sql(NULL, "0A000", 0, "x"), PZ_UNSUPPORTED);
    pz_error_hint(NULL, "x");
}

PZ_TEST(system_errors_keep_errno_and_say_why)
{
    struct pz_error err;
    errno = ENOSPC;
    PZ_CHECK_EQ_I64(pz_fail_sys(&err, "write %s", "f"), PZ_FULL);
    PZ_CHECK_EQ_I64(err.sys_errno, ENOSPC);
    PZ_CHECK_EQ_STR(err.message, "write f: No space left on device");
    errno = ENOENT;
    PZ_CHECK_EQ_I64(pz_fail_sys(&err, "open"), PZ_NOT_FOUND);
    errno = EACCES;
    PZ_CHECK_EQ_I64(pz_fail_sys(&err, "open"), PZ_IO);
    PZ_CHECK_EQ_I64(errno, EACCES);
}

PZ_TEST(long_messages_are_cut_between_characters)
{
    char text[1200];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3) {
            memcpy(text + i, "\xe2\x82\xac", 4);
        }
        struct pz_error err;
        (void)pz_fail(&err, PZ_INVALID, "%s", text);
        PZ_CHECK(strlen(err.message) > sizeof err.message - 6);
        PZ_CHECK(pz_utf8_is_valid(err.message, strlen(err.message), NULL));
    }
}

PZ_TEST(the_table_names_every_status)
{
    PZ_CHECK_EQ_STR(pz_status_name(PZ_NOT_FOUND), "NOT_FOUND");
    PZ_CHECK_EQ_I64(pz_status_http(PZ_NOT_FOUND), 404);
    PZ_CHECK_EQ_I64(pz_status_http(PZ_OK), 200);
}

static enum pz_status
try_it(enum pz_status inner, bool *reached_end)
{
    PZ_TRY(inner);
    *reached_end = true;
    return PZ_OK;
}

PZ_TEST(try_passes_failures_on)
{
    bool reached_end = false;
    PZ_CHECK_EQ_I64(try_it(PZ_BUSY, &reached_end), PZ_BUSY);
    PZ_CHECK(!reached_end);
    PZ_CHECK_EQ_I64(try_it(PZ_OK, &reached_end), PZ_OK);
    PZ_CHECK(reached_end);
}

static void
assert_something_false(void *payload)
{
    const int *number = payload;
    PZ_ASSERT(*number == 4);
}

PZ_TEST(a_false_assertion_names_itself_and_its_place)
{
    int number = 3;
    char output[2000];
    int how = pz_test_in_child(assert_something_false, &number, output, sizeof output);
    PZ_CHECK_EQ_I64(how, -SIGABRT);
    PZ_CHECK_CONTAINS(output, "status_test.c:");
    PZ_CHECK_CONTAINS(output, "*number == 4");
}
