// SPDX-License-Identifier: Apache-2.0
// The growable byte string.
#include "base/arena.h"

#include "tests/support/test.h"

PZ_TEST(appends_add_up)
{
    struct pz_buffer buffer = {.data = NULL};
    for (int i = 0; i < 1000; i++) {
        pz_buffer_printf(&buffer, "%d,", i);
        pz_buffer_append_c(&buffer, "ab");
        pz_buffer_append_char(&buffer, '\n');
        pz_buffer_append_str(&buffer, (struct pz_str){NULL, 0});
        pz_buffer_append_str(&buffer, PZ_STR("x"));
    }
    PZ_CHECK(!buffer.is_failed);
    PZ_CHECK_EQ_U64(buffer.len, 3890 + 4 * 1000);
    PZ_CHECK_EQ_U64(strlen(buffer.data), buffer.len);
    PZ_CHECK_CONTAINS(buffer.data, "x998,ab\nx999,ab\nx");
    pz_buffer_clear(&buffer);
    PZ_CHECK_EQ_STR(buffer.data, "");
    pz_buffer_fini(&buffer);
    PZ_CHECK(buffer.data == NULL);
}

PZ_TEST(the_limit_stops_appends_and_keeps_the_content)
{
    struct pz_buffer buffer = {.limit_bytes = 5};
    pz_buffer_append_c(&buffer, "abcd");
    pz_buffer_append_c(&buffer, "ef");
    PZ_CHECK(buffer.is_failed);
    PZ_CHECK_EQ_STR(buffer.data, "abcd");
    pz_buffer_printf(&buffer, "%d", 12);
    PZ_CHECK_EQ_STR(buffer.data, "abcd");
    pz_buffer_clear(&buffer);
    pz_buffer_append_c(&buffer, "abcde");
    PZ_CHECK(!buffer.is_failed);
    PZ_CHECK_EQ_STR(buffer.data, "abcde");
    pz_buffer_fini(&buffer);
    PZ_CHECK_EQ_U64(buffer.limit_bytes, 5);
}

PZ_TEST(impossible_sizes_fail)
{
    struct pz_buffer buffer = {.data = NULL};
    pz_buffer_append_c(&buffer, "a");
    PZ_CHECK(!pz_buffer_reserve(&buffer, SIZE_MAX));
    PZ_CHECK(!pz_buffer_reserve(&buffer, SIZE_MAX - 1));
    PZ_CHECK(buffer.is_failed);
    PZ_CHECK_EQ_STR(buffer.data, "a");
    pz_buffer_fini(&buffer);
}

PZ_TEST(json_strings_are_quoted_and_escaped)
{
    struct pz_buffer buffer = {0};
    pz_buffer_append_json_string(&buffer, PZ_STR("a\"b\\c\n\r\t\x01\x1f\x7f/é"));
    PZ_CHECK_EQ_STR(buffer.data, "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\x7f/é\"");
    pz_buffer_clear(&buffer);
    pz_buffer_append_json_string(&buffer, (struct pz_str){NULL, 0});
    PZ_CHECK_EQ_STR(buffer.data, "\"\"");
    pz_buffer_fini(&buffer);
}
