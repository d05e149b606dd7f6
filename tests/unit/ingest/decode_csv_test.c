// SPDX-License-Identifier: Apache-2.0
// CSV records: quoting, headers, types, and errors with their line.
#include "tests/support/test.h"
#include "tests/unit/ingest/fake_store.h"

#include <stdio.h>

static const struct pz_loader_options strict = {.format = PZ_RECORDS_CSV};

static void
check_rows(const char *text, const char *wanted)
{
    for (size_t piece = 0; piece < 4; piece++) {
        struct pz_store *store = fake_store_create();
        struct pz_load_answer answer;
        struct pz_row_error errors[PZ_ROW_ERRORS_MAX] = {{0}};
        struct pz_error err = {0};
        enum pz_status status =
            fake_load(store, "kinds", &strict, pz_str_from(text), piece, &answer, errors, &err);
        PZ_CHECK_MSG(status == PZ_OK, "%s: %s", err.message, errors[0].message);
        PZ_CHECK_EQ_STR(fake_store_rows(store, "kinds"), wanted);
        fake_store_destroy(store);
    }
}

static void
check_error(const char *text, uint64_t line, const char *column, const char *part)
{
    for (size_t piece = 0; piece < 4; piece++) {
        struct pz_store *store = fake_store_create();
        struct pz_load_answer answer;
        struct pz_row_error errors[PZ_ROW_ERRORS_MAX] = {{0}};
        struct pz_error err = {0};
        PZ_CHECK_STATUS(
            fake_load(store, "kinds", &strict, pz_str_from(text), piece, &answer, errors, &err),
            PZ_INVALID, &err);
        PZ_CHECK_CONTAINS(line == 0 ? err.message : errors[0].message, part);
        PZ_CHECK_EQ_STR(errors[0].column, column);
        PZ_CHECK_EQ_U64(errors[0].line, line);
        PZ_CHECK_EQ_STR(fake_store_rows(store, "kinds"), "");
        fake_store_destroy(store);
    }
}

PZ_TEST(values_of_every_type)
{
    check_rows("b,i,d,t,s,at,day,n\n"
               "true,-5,0.1,text,sym,2026-11-20T09:00:00Z,2026-11-20,1\n"
               "F,\"7\",1e3,\"\",\"\",1700000000,2026-11-20,2\n"
               ",,,,,,,3\n",
               "true|-5|0.1|text|sym|2026-11-20T09:00:00.000000Z|2026-11-20|1\n"
               "false|7|1000|||2023-11-14T22:13:20.000000Z|2026-11-20|2\n"
               "-|-|-|-|-|-|-|3\n");
}

PZ_TEST(quotes_and_line_ends)
{
    check_rows("n,t\r\n1,\"a,b\"\r\n2,\"say \"\"hi\"\"\"\r\n3,\"two\nlines\"\r\n4,\"cr\r\nlf\"",
               "-|-|-|a,b|-|-|-|1\n-|-|-|say \"hi\"|-|-|-|2\n-|-|-|two\nlines|-|-|-|3\n"
               "-|-|-|cr\r\nlf|-|-|-|4\n");
    check_rows("\xef\xbb\xbfn,t\n\n1,x\n\r\n2,y\n\n", "-|-|-|x|-|-|-|1\n-|-|-|y|-|-|-|2\n");
    check_rows("\"n\",\"t\"\n\"1\",\"\"\"\"\n", "-|-|-|\"|-|-|-|1\n");
    check_rows("n,t\n", "");
    check_rows("", "");
    check_rows("t,n\n\"\",1\n,2\n", "-|-|-||-|-|-|1\n-|-|-|-|-|-|-|2\n");
}

PZ_TEST(bad_records_tell_their_line)
{
    check_error("n,t\n1,a\n2,b,c\n", 3, "", "more than the 2 fields");
    check_error("n,t\n1,a\n2\n", 3, "", "has 1 fields, the header has 2");
    check_error("n,t\n1,\"two\nlines\"\nx,b\n", 4, "n", "expected a whole number");
    check_error("n,t\n1,\"two\nlines\n", 2, "", "never closed");
    check_error("n,t\n1,a\"b\n", 2, "", "a quote inside a field that is not quoted");
    check_error("n,t\n1,\"a\"b\n", 2, "", "expected a comma after the closing quote");
    check_error("n,t\n,a\n", 2, "n", "must not be null");
    check_error("n,t\n\"\",a\n", 2, "n", "expected a whole number, found \"\"");
    check_error("n,t\n1,\xff\n", 2, "", "not valid UTF-8");
    check_error("n,b\n1,maybe\n", 2, "b", "expected true or false, found \"maybe\"");
}

// An empty text is a value, nothing at all is none.
PZ_TEST(empty_bodies_are_told_from_missing_ones)
{
    struct pz_store *store = fake_store_create();
    struct pz_loader_options options = {.format = PZ_RECORDS_CSV};
    struct pz_load_answer answer;
    struct pz_row_error errors[PZ_ROW_ERRORS_MAX];
    struct pz_error err = {0};
    PZ_CHECK_OK(fake_load(store, "messages", &options, PZ_STR("user_id,body\nann,\"\"\n"), 0,
                          &answer, NULL, &err),
                &err);
    PZ_CHECK_EQ_STR(fake_store_rows(store, "messages"), "-|ann|-||-\n");
    PZ_CHECK_STATUS(fake_load(store, "messages", &options, PZ_STR("user_id,body\nann,\n"), 0,
                              &answer, errors, &err),
                    PZ_INVALID, &err);
    PZ_CHECK_EQ_STR(errors[0].column, "body");
    PZ_CHECK_EQ_STR(errors[0].message, "body must not be null; an empty text is written \"\"");
    PZ_CHECK_STATUS(fake_load(store, "messages", &options, PZ_STR("user_id,body\n,x\n"), 0, &answer,
                              errors, &err),
                    PZ_INVALID, &err);
    PZ_CHECK_EQ_STR(errors[0].message, "user_id must not be null");
    fake_store_destroy(store);
}

PZ_TEST(a_bad_header_fails_the_load)
{
    check_error("n,tt\n1,a\n", 0, "", "the header (line 1): table kinds has no column \"tt\"");
    check_error("n,t,n\n1,a,2\n", 0, "", "appears twice");
    check_error("t\na\n", 0, "", "no field \"n\", which every row of kinds needs");
    check_error("n,\"t\n1,a\n", 0, "", "never closed");
}

PZ_TEST(fields_without_a_column_can_be_ignored)
{
    struct pz_store *store = fake_store_create();
    struct pz_loader_options options = {.format = PZ_RECORDS_CSV, .ignore_unknown = true};
    struct pz_load_answer answer;
    struct pz_error err = {0};
    PZ_CHECK_OK(fake_load(store, "kinds", &options, PZ_STR("x,n,x\n\"a\nb\",1,\n,2,9\n"), 0,
                          &answer, NULL, &err),
                &err);
    PZ_CHECK_EQ_STR(fake_store_rows(store, "kinds"), "-|-|-|-|-|-|-|1\n-|-|-|-|-|-|-|2\n");
    fake_store_destroy(store);
}
