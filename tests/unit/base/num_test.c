// SPDX-License-Identifier: Apache-2.0
// Checked arithmetic, byte order, integers as text.
#include "base/num.h"

#include "tests/support/test.h"

#include <inttypes.h>
#include <stdio.h>

static const char *
text_i64(int64_t value)
{
    static char text[PZ_NUM_TEXT_MAX + 1];
    text[pz_format_i64(value, text)] = '\0';
    return text;
}

PZ_TEST(checked_arithmetic_tells_overflow)
{
    int64_t i;
    uint64_t u;
    size_t s;
    PZ_CHECK(pz_add_i64(INT64_MAX - 1, 1, &i) && i == INT64_MAX);
    PZ_CHECK(!pz_add_i64(INT64_MAX, 1, &i));
    PZ_CHECK(!pz_sub_i64(INT64_MIN, 1, &i));
    PZ_CHECK(!pz_mul_i64(INT64_MIN, -1, &i));
    PZ_CHECK(!pz_sub_u64(0, 1, &u));
    PZ_CHECK(!pz_mul_u64(UINT64_C(1) << 32, UINT64_C(1) << 32, &u));
    PZ_CHECK(!pz_add_size(SIZE_MAX, 1, &s));
}

PZ_TEST(byte_order)
{
    unsigned char bytes[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    PZ_CHECK_EQ_U64(pz_load_le16(bytes + 1), 0x0201);
    PZ_CHECK_EQ_U64(pz_load_le32(bytes + 1), 0x04030201);
    PZ_CHECK_EQ_U64(pz_load_le64(bytes + 1), UINT64_C(0x0807060504030201));
    PZ_CHECK_EQ_U64(pz_load_be32(bytes + 1), 0x01020304);
    PZ_CHECK_EQ_U64(pz_load_be64(bytes + 1), UINT64_C(0x0102030405060708));
    pz_store_be64(bytes + 1, UINT64_C(0x1112131415161718));
    PZ_CHECK_EQ_BYTES(bytes, "\x00\x11\x12\x13\x14\x15\x16\x17\x18", 9);
    pz_store_be32(bytes, 0x21222324);
    pz_store_le32(bytes + 4, 0x31323334);
    PZ_CHECK_EQ_BYTES(bytes, "\x21\x22\x23\x24\x34\x33\x32\x31\x18", 9);
}

PZ_TEST(integers_as_text)
{
    PZ_CHECK_EQ_STR(text_i64(0), "0");
    PZ_CHECK_EQ_STR(text_i64(-1), "-1");
    PZ_CHECK_EQ_STR(text_i64(INT64_MAX), "9223372036854775807");
    PZ_CHECK_EQ_STR(text_i64(INT64_MIN), "-9223372036854775808");
}

PZ_TEST(text_and_back_is_the_same_integer)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 100000; i++) {
        int64_t value = (int64_t)(pz_rng_u64(&rng) >> pz_rng_below(&rng, 64));
        value = pz_rng_chance(&rng, 0.5) ? value : -value;
        char expected[32];
        (void)snprintf(expected, sizeof expected, "%" PRId64, value);
        PZ_CHECK_EQ_STR(text_i64(value), expected);
        int64_t back = 0;
        PZ_CHECK(pz_parse_i64(pz_str_from(expected), &back));
        PZ_CHECK_EQ_I64(back, value);
    }
}

PZ_TEST(parsing_takes_whole_texts_only)
{
    static const char *const bad[] = {"",
                                      "+",
                                      "-",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x",
                                      "--",
                                      "+-1",
                                      "1e3",
                                      "1\xc2",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999"};
    int64_t i = 77;
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        PZ_CHECK_MSG(!pz_parse_i64(pz_str_from(bad[k]), &i), "\"%s\" is refused", bad[k]);
    }
    PZ_CHECK_EQ_I64(i, 77);
    PZ_CHECK(!pz_parse_i64((struct pz_str){NULL, 0}, &i));
    PZ_CHECK(pz_parse_i64(PZ_STR("-9223372036854775808"), &i) && i == INT64_MIN);
    PZ_CHECK(pz_parse_i64(PZ_STR("+0000000000000000000000000012"), &i) && i == 12);
    uint64_t u;
    PZ_CHECK(pz_parse_u64(PZ_STR("18446744073709551615"), &u) && u == UINT64_MAX);
    PZ_CHECK(!pz_parse_u64(PZ_STR("18446744073709551616"), &u));
    PZ_CHECK(!pz_parse_u64(PZ_STR("-1"), &u));
    PZ_CHECK(!pz_parse_u64(PZ_STR("+"), &u));
}
