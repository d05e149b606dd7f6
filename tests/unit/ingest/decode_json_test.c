// SPDX-License-Identifier: Apache-2.0
// NDJSON records: every type and damage, and agreement with an independent JSON parser.
#include "tests/support/test.h"
#include "tests/unit/ingest/fake_store.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const struct pz_loader_options ignoring = {.format = PZ_RECORDS_NDJSON,
                                                  .ignore_unknown = true};
static const struct pz_loader_options strict = {.format = PZ_RECORDS_NDJSON};

// Loads one record; "" when it was taken, else the message of its error.
static const char *
message_of(const char *table, const struct pz_loader_options *options, struct pz_str record,
           struct pz_row_error *error)
{
    struct pz_store *store = fake_store_create();
    struct pz_load_answer answer;
    struct pz_row_error errors[PZ_ROW_ERRORS_MAX] = {{0}};
    struct pz_error err = {0};
    enum pz_status status = fake_load(store, table, options, record, 0, &answer, errors, &err);
    PZ_CHECK(status == (answer.rejected > 0 ? PZ_INVALID : PZ_OK));
    *error = errors[0];
    fake_store_destroy(store);
    return error->message;
}

static void
check_bad(const char *table, const char *record, const char *column, const char *part)
{
    struct pz_row_error error;
    const char *message = message_of(table, &strict, pz_str_from(record), &error);
    PZ_CHECK_CONTAINS(message, part);
    PZ_CHECK_MSG(strcmp(error.column, column) == 0, "%s: blamed \"%s\"", record, error.column);
}

static void
check_row(const char *record, const char *wanted)
{
    struct pz_store *store = fake_store_create();
    struct pz_load_answer answer;
    struct pz_row_error errors[PZ_ROW_ERRORS_MAX] = {{0}};
    struct pz_error err = {0};
    (void)fake_load(store, "kinds", &strict, pz_str_from(record), 0, &answer, errors, &err);
    char line[400];
    (void)snprintf(line, sizeof(line), "%s\n", wanted);
    PZ_CHECK_MSG(strcmp(fake_store_rows(store, "kinds"), line) == 0, "%s: %s%s", record,
                 fake_store_rows(store, "kinds"), errors[0].message);
    fake_store_destroy(store);
}

PZ_TEST(values_of_every_type)
{
    check_row("{\"b\":true,\"i\":-5,\"d\":0.1,\"t\":\"text\",\"s\":\"sym\","
              "\"at\":\"2026-11-20T09:00:00Z\",\"day\":\"2026-11-20\",\"n\":1}",
              "true|-5|0.1|text|sym|2026-11-20T09:00:00.000000Z|2026-11-20|1");
    check_row("{ \"n\" : 2 }", "-|-|-|-|-|-|-|2");
    check_row("\t{\"n\":3,\"b\":null,\"i\":null,\"d\":null,\"t\":null,\"s\":null,\"at\":null,"
              "\"day\":null}\r",
              "-|-|-|-|-|-|-|3");
    check_row("{\"n\":\"17\",\"i\":1e3,\"d\":\"-Infinity\",\"at\":1700000000}",
              "-|1000|-Infinity|-|-|2023-11-14T22:13:20.000000Z|-|17");
    check_row("{\"at\":1700000000.25,\"n\":4,\"b\":false}",
              "false|-|-|-|-|2023-11-14T22:13:20.250000Z|-|4");
    check_row("{\"at\":\"1700000000123\",\"n\":4}", "-|-|-|-|-|2023-11-14T22:13:20.123000Z|-|4");
    check_row("{\"n\":5,\"t\":\"\",\"s\":\"\"}", "-|-|-|||-|-|5");
}

PZ_TEST(strings_lose_their_escapes)
{
    check_row("{\"n\":1,\"t\":\"a\\\"b\\\\c\\/d\\be\\ff\\ng\\rh\\ti\"}",
              "-|-|-|a\"b\\c/d\be\ff\ng\rh\ti|-|-|-|1");
    check_row("{\"n\":1,\"t\":\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"}",
              "-|-|-|A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80|-|-|-|1");
    check_row("{\"\\u006e\":1,\"t\":\"\xc3\xa9 0123456789 0123456789 \\n end of the text\"}",
              "-|-|-|\xc3\xa9 0123456789 0123456789 \n end of the text|-|-|-|1");
}

PZ_TEST(a_bad_value_names_its_column)
{
    check_bad("kinds", "{\"n\":1,\"i\":1.5}", "i", "expected a whole number, found 1.5");
    check_bad("kinds", "{\"n\":1,\"i\":9223372036854775808}", "i", "out of the range of BIGINT");
    check_bad("kinds", "{\"n\":1,\"i\":\"abc\"}", "i", "expected a whole number, found \"abc\"");
    check_bad("kinds", "{\"n\":1,\"i\":true}", "i", "expected a whole number, found true");
    check_bad("kinds", "{\"n\":1,\"d\":1e999}", "d", "out of the range of DOUBLE");
    check_bad("kinds", "{\"n\":1,\"d\":\"x\"}", "d", "expected a number");
    check_bad("kinds", "{\"n\":1,\"d\":\"0x10\"}", "d", "expected a number, found \"0x10\"");
    check_bad("kinds", "{\"n\":1,\"d\":\"1-2\"}", "d", "expected a number, found \"1-2\"");
    check_bad("kinds", "{\"n\":1,\"d\":\".1e999\"}", "d", "out of the range of DOUBLE");
    check_bad("kinds", "{\"n\":1,\"t\":17}", "t", "expected a string, found the number 17");
    check_bad("kinds", "{\"n\":1,\"s\":17}", "s", "expected a string, found the number 17");
    check_bad("kinds", "{\"n\":1,\"t\":{}}", "t", "found an object");
    check_bad("kinds", "{\"n\":1,\"t\":[1]}", "t", "found an array");
    check_bad("kinds", "{\"n\":1,\"t\":\"a\\u0000b\"}", "t", "U+0000");
    check_bad("kinds", "{\"n\":1,\"b\":1}", "b", "expected true or false, found the number 1");
    check_bad("kinds", "{\"n\":1,\"b\":\"true\"}", "b", "expected true or false");
    check_bad("kinds", "{\"n\":1,\"at\":\"2026-02-30\"}", "at", "expected a time such as");
    check_bad("kinds", "{\"n\":1,\"at\":1e300}", "at", "no time between");
    check_bad("kinds", "{\"n\":1,\"day\":\"2026-11-20T00:00:00Z\"}", "day", "expected a date");
    check_bad("kinds", "{\"n\":1,\"day\":20261120}", "day", "expected a date");
    check_bad("kinds", "{\"n\":null}", "n", "n must not be null");
    check_bad("kinds", "{\"i\":1}", "n", "n is missing");
    check_bad("kinds", "{}", "n", "n is missing");
    check_bad("kinds", "{\"n\":1,\"n\":2}", "n", "appears twice");
    check_bad("kinds", "{\"n\":1,\"\\u006e\":2}", "n", "appears twice");
    check_bad("kinds", "{\"n\":1,\"dday\":2}", "", "did you mean \"day\"?");
    check_bad("kinds", "{\"n\":1,\"quite another\":2}", "", "ignore_unknown");
    check_bad("kinds", "{\"n\":1,\"\":2}", "", "ignore_unknown");
    check_bad("kinds", "{\"n\":1,\"z\":2}", "", "ignore_unknown");
    check_bad("kinds", "{\"n\":1,\"zaz\":2}", "", "ignore_unknown");
    check_bad("messages", "{\"user_id\":\"u\"}", "body", "body is missing");
    check_bad("messages", "{\"user_id\":\"u\",\"body\":\"x\",\"message_id\":0}", "message_id",
              "message_id must be a positive integer, is 0");
    check_bad("likes", "{\"user_id\":\"u\"}", "message_id", "message_id is missing");
    check_bad("views", "{\"message_id\":1}", "user_id", "user_id is missing");
}

PZ_TEST(values_of_the_feed_obey_its_rules)
{
    check_bad("likes", "{\"message_id\":1,\"user_id\":\"u\",\"delta\":2}", "delta",
              "delta must be 1 (like) or -1 (unlike), is 2");
    check_bad("likes", "{\"message_id\":1,\"user_id\":\"\"}", "user_id",
              "user_id must be 1 to 256 bytes long, is 0");
    check_bad("views", "{\"message_id\":1,\"user_id\":\"a\\tb\"}", "user_id",
              "user_id must not hold the control character U+0009");
    check_bad("views", "{\"message_id\":1,\"user_id\":\"u\",\"device\":\"\"}", "device",
              "device must be 1 to 256 bytes long, is 0");
    check_bad("views", "{\"message_id\":1,\"user_id\":\"u\",\"geo\":\"\\u0085\"}", "geo",
              "geo must not hold the control character U+0085");
    check_bad("views", "{\"message_id\":1,\"user_id\":\"u\",\"watch_ms\":-1}", "watch_ms",
              "watch_ms must not be negative, is -1");
    char record[400];
    int len = snprintf(record, sizeof record, "{\"body\":\"x\",\"user_id\":\"%0257d\"}", 7);
    PZ_REQUIRE(len > 0 && (size_t)len < sizeof record);
    check_bad("messages", record, "user_id", "user_id must be 1 to 256 bytes long, is 257");
}

PZ_TEST(malformed_records_tell_where)
{
    check_bad("kinds", "{\"n\":1", "", "the record ends at byte 6");
    check_bad("kinds", "{\"n\":1,}", "", "expected a name in quotes at byte 8, found '}'");
    check_bad("kinds", "{\"n\" 1}", "", "expected a colon at byte 6, found '1'");
    check_bad("kinds", "{\"n\":1} x", "", "expected nothing after the object at byte 9");
    check_bad("kinds", "[1]", "", "expected an object at byte 1");
    check_bad("kinds", "17", "", "expected an object");
    check_bad("kinds", "{n:1}", "", "expected a name in quotes");
    check_bad("kinds", "{\"n\":01}", "", "expected a comma or } at byte 7");
    check_bad("kinds", "{\"n\":NaN}", "", "expected a value");
    check_bad("kinds", "{\"t\":\"a\tb\",\"n\":1}", "", "control characters");
    check_bad("kinds", "{\"t\":\"\xff\",\"n\":1}", "", "not valid UTF-8 at byte 7");
    check_bad("kinds", "{\"t\":\"\\ud800\",\"n\":1}", "", "surrogate");
    check_bad("kinds", "{\"t\":\"\\udc00\",\"n\":1}", "", "surrogate");
    check_bad("kinds", "{\"t\":\"\\x\",\"n\":1}", "", "an escape");
    check_bad("kinds", "{\"n\":\xc3\xa9}", "", "found '\xc3\xa9'");
}

PZ_TEST(nesting_has_a_limit)
{
    for (int depth = 60; depth <= 70; depth++) {
        char record[400] = "{\"x\":1,\"other\":";
        size_t len = strlen(record);
        for (int i = 0; i < depth; i++) {
            record[len++] = '[';
        }
        for (int i = 0; i < depth; i++) {
            record[len++] = ']';
        }
        record[len++] = '}';
        struct pz_row_error error;
        const char *message =
            message_of("loose", &ignoring, (struct pz_str){record, (uint32_t)len}, &error);
        PZ_CHECK_MSG((depth > 64) == (strstr(message, "nested more than 64") != NULL), "%d: %s",
                     depth, message);
    }
}

// Whether jansson takes the text; *is_comparable_out is false where it has rules of its own.
static bool
is_valid_for_jansson(struct pz_str text, bool *is_comparable_out)
{
    json_error_t error;
    json_t *json = json_loadb(text.data, text.len, JSON_ALLOW_NUL, &error);
    *is_comparable_out = json != NULL || json_error_code(&error) != json_error_numeric_overflow;
    bool is_valid = json_is_object(json);
    json_decref(json);
    return is_valid;
}

static bool
is_valid_for_us(struct pz_str text)
{
    struct pz_row_error error;
    return message_of("loose", &ignoring, text, &error)[0] == '\0';
}

PZ_TEST(jansson_agrees_on_what_is_valid)
{
    static const char *const values[] = {
        "1",
        "-1",
        "0",
        "-0",
        "00",
        "01",
        "-01",
        "+1",
        "1.",
        ".1",
        "1.0",
        "1.e1",
        "1e",
        "1e+",
        "1E-2",
        "1e1.0",
        "-",
        "- 1",
        "1 2",
        "0x1",
        "1_000",
        "Infinity",
        "NaN",
        "true",
        "True",
        "tru",
        "truee",
        "false",
        "null",
        "nul",
        "nil",
        "\"\"",
        "\"a",
        "a\"",
        "'a'",
        "\"\\u12\"",
        "\"\\u123g\"",
        "\"\\u1234\"",
        "\"\\ud800\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\a\"",
        "\"\\\"",
        "\"\\\\\"",
        "\"\x01\"",
        "\"\x7f\"",
        "\"\x1f\"",
        "\"\xc3\xa9\"",
        "\"\xc3\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xc0\xaf\"",
        "\xc2\xa0"
        "1",
        "{}",
        "{",
        "}",
        "[]",
        "[",
        "]",
        "[,]",
        "[1,]",
        "[1 2]",
        "[1,,2]",
        "[1,2]",
        "[[]]",
        "[[]",
        "[}",
        "{]",
        "{\"a\":1}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{\"a\"}",
        "{:1}",
        "{1:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,\"b\":2}",
        "[{\"a\":[{\"b\":[]}]}]",
        "[{\"a\":[{\"b\":[}]}]",
        "{\"a\":{\"b\":{\"c\":null}}}",
        "[true,false,null,1,\"x\"]",
        "[ \t\r 1 , 2 ]",
        "{ \"a\" : 1 }",
        "/**/1",
        "1//",
        "\"a\"b",
        "\"\\u0000\"",
        "\"\\n\\t\"",
        "[1]]",
        "{}}",
        "",
        " ",
        ",",
        ":",
        "1,",
        "\xef\xbb\xbf"
        "1",
        "\x0c"
        "1",
        "\"\\U0041\"",
        "123456789012345678",
        "1.5e300",
        "-1.5e-300",
        "[\"\",\"\"]",
        "[\"\"\"\"]",
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char record[200];
        int len = snprintf(record, sizeof(record), "{\"other\":%s}", values[i]);
        struct pz_str text = {record, (uint32_t)len};
        bool is_comparable;
        bool wanted = is_valid_for_jansson(text, &is_comparable);
        PZ_CHECK_MSG(!is_comparable || is_valid_for_us(text) == wanted, "%s: jansson says %s",
                     record, wanted ? "valid" : "invalid");
    }
}

PZ_TEST(the_order_of_fields_may_change)
{
    struct pz_store *store = fake_store_create();
    struct pz_load_answer answer;
    struct pz_error err = {0};
    PZ_CHECK_OK(fake_load(store, "kinds", &ignoring,
                          PZ_STR("{\"n\":1,\"i\":2,\"t\":\"a\"}\n"
                                 "{\"t\":\"b\",\"n\":3,\"i\":4}\n"
                                 "{\"i\":6,\"z\":[],\"t\":\"c\",\"n\":5,\"y\":{}}\n"
                                 "{\"n\":7,\"i\":8,\"t\":\"d\",\"x\":1}\n"),
                          0, &answer, NULL, &err),
                &err);
    PZ_CHECK_EQ_STR(fake_store_rows(store, "kinds"), "-|2|-|a|-|-|-|1\n-|4|-|b|-|-|-|3\n"
                                                     "-|6|-|c|-|-|-|5\n-|8|-|d|-|-|-|7\n");
    fake_store_destroy(store);
}

PZ_TEST(many_unknown_fields_in_one_record)
{
    struct pz_buffer record = {0};
    pz_buffer_append_c(&record, "{\"x\":1");
    for (int i = 0; i < 5000; i++) {
        pz_buffer_printf(&record, ",\"field %d\":%d", i, i);
    }
    struct pz_row_error error;
    size_t len = record.len;
    pz_buffer_append_c(&record, "}");
    PZ_CHECK_EQ_STR(
        message_of("loose", &ignoring, (struct pz_str){record.data, (uint32_t)record.len}, &error),
        "");
    record.len = len;
    pz_buffer_append_c(&record, ",\"field 4711\":0}");
    PZ_CHECK_EQ_STR(
        message_of("loose", &ignoring, (struct pz_str){record.data, (uint32_t)record.len}, &error),
        "field \"field 4711\" appears twice");
    pz_buffer_fini(&record);
}
