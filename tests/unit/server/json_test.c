// SPDX-License-Identifier: Apache-2.0
// What is taken as a small JSON document, and what its members are.
#include "server/json.h"

#include "tests/support/test.h"

#include <string.h>

static enum pz_status
parse(const char *text)
{
    struct pz_json *json = NULL;
    struct pz_error err;
    enum pz_status status = pz_json_parse(pz_str_from(text), &json, &err);
    PZ_CHECK((status == PZ_OK) == (json != NULL));
    pz_json_free(json);
    return status;
}

PZ_TEST(only_strict_objects_are_taken)
{
    PZ_CHECK_EQ_I64(parse("{}"), PZ_OK);
    PZ_CHECK_EQ_I64(parse("[]"), PZ_UNACCEPTABLE);
    PZ_CHECK_EQ_I64(parse("\"x\""), PZ_UNACCEPTABLE);
    PZ_CHECK_EQ_I64(parse("null"), PZ_UNACCEPTABLE);
    PZ_CHECK_EQ_I64(parse(" {\"a\":[{\"b\":null}]} "), PZ_OK);
    static const char *const bad[] = {
        "",
        "{",
        "x",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\":01}",
        "{\"a\":1} {}",
        "{\"a\":\"\xff\"}",
        "{a:1}",
        "{\"a\":NaN}",
        "{\"a\":1}x",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":1,\"a\":2}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        PZ_CHECK_MSG(parse(bad[i]) == PZ_INVALID, "%s", bad[i]);
    }
}

PZ_TEST(numbers_out_of_range_are_no_syntax_errors)
{
    PZ_CHECK_EQ_I64(parse("{\"a\":9223372036854775807}"), PZ_OK);
    PZ_CHECK_EQ_I64(parse("{\"a\":9223372036854775808}"), PZ_UNACCEPTABLE);
    PZ_CHECK_EQ_I64(parse("{\"a\":1e999}"), PZ_UNACCEPTABLE);
}

PZ_TEST(depth_is_limited_before_the_library_sees_it)
{
    static char text[400000];
    struct pz_json *json = NULL;
    memset(text, '[', sizeof text);
    memcpy(text, "{\"a\":", 5);
    PZ_CHECK(pz_json_parse((struct pz_str){text, sizeof text}, &json, NULL) == PZ_INVALID);
    // Brackets in strings do not count.
    memset(text + 5, '[', 200);
    text[5] = '"';
    memcpy(text + 205, "\\\"[\"}", 6);
    PZ_CHECK_EQ_I64(parse(text), PZ_OK);
    // 64 levels are fine, the object included.
    size_t at = 5;
    memset(text + at, '[', 63);
    memset(text + at + 63, ']', 63);
    memcpy(text + at + 126, "}", 2);
    PZ_CHECK_EQ_I64(parse(text), PZ_OK);
}

PZ_TEST(members_have_kinds)
{
    struct pz_json *json = NULL;
    struct pz_json_value value;
    struct pz_error err;
    PZ_REQUIRE_OK(pz_json_parse(PZ_STR("{\"n\":null,\"b\":true,\"i\":-7,\"r\":1.5,"
                                       "\"s\":\"x\\u0000y\",\"o\":{}}"),
                                &json, &err),
                  &err);
    pz_json_get(json, "zz", &value);
    PZ_CHECK_EQ_I64(value.kind, PZ_JSON_ABSENT);
    pz_json_get(json, "n", &value);
    PZ_CHECK_EQ_I64(value.kind, PZ_JSON_NULL);
    pz_json_get(json, "b", &value);
    PZ_CHECK_EQ_I64(value.kind, PZ_JSON_BOOLEAN);
    pz_json_get(json, "i", &value);
    PZ_CHECK_EQ_I64(value.kind, PZ_JSON_INTEGER);
    PZ_CHECK_EQ_I64(value.integer, -7);
    pz_json_get(json, "r", &value);
    PZ_CHECK_EQ_DOUBLE(value.real, 1.5);
    pz_json_get(json, "s", &value);
    PZ_CHECK_EQ_U64(value.text.len, 3);
    pz_json_get(json, "o", &value);
    PZ_CHECK_EQ_I64(value.kind, PZ_JSON_OTHER);
    pz_json_free(json);
}
