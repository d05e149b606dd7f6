// SPDX-License-Identifier: Apache-2.0
// UTF-8: what is well formed, how long it is, where it may be cut.
#include "base/str.h"

#include "tests/support/test.h"

static bool
is_valid(const char *text)
{
    return pz_utf8_is_valid(text, strlen(text), NULL);
}

PZ_TEST(accepts_the_borders_of_each_length)
{
    PZ_CHECK(is_valid(""));
    PZ_CHECK(is_valid("\x7f"));
    PZ_CHECK(is_valid("\xc2\x80"));
    PZ_CHECK(is_valid("\xdf\xbf"));
    PZ_CHECK(is_valid("\xe0\xa0\x80"));
    PZ_CHECK(is_valid("\xed\x9f\xbf"));
    PZ_CHECK(is_valid("\xee\x80\x80"));
    PZ_CHECK(is_valid("\xef\xbf\xbf"));
    PZ_CHECK(is_valid("\xf0\x90\x80\x80"));
    PZ_CHECK(is_valid("\xf4\x8f\xbf\xbf"));
    PZ_CHECK(pz_utf8_is_valid("a\0b", 3, NULL));
}

PZ_TEST(refuses_what_rfc_3629_refuses)
{
    static const char *const bad[] = {
        "\x80",             // a continuation byte alone
        "\xc0\xaf",         // overlong, two bytes
        "\xc1\xbf",         //
        "\xe0\x9f\xbf",     // overlong, three bytes
        "\xf0\x8f\xbf\xbf", // overlong, four bytes
        "\xed\xa0\x80",     // first surrogate
        "\xed\xbf\xbf",     // last surrogate
        "\xf4\x90\x80\x80", // U+110000
        "\xf5\x80\x80\x80", //
        "\xff",             //
        "\xc2",             // cut off
        "\xe2\x82",         //
        "\xf0\x9f\x98",     //
        "\xe2\x28\xa1",     // a wrong second byte
        "\xe2\x82\x28",     // a wrong third byte
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        PZ_CHECK_MSG(!is_valid(bad[i]), "case %zu is refused", i);
    }
}

PZ_TEST(names_the_first_bad_byte_at_every_distance)
{
    char text[80];
    for (size_t at = 0; at < sizeof text; at++) {
        memset(text, 'a', sizeof text);
        text[at] = '\xff';
        size_t bad = 1000;
        PZ_CHECK(!pz_utf8_is_valid(text, sizeof text, &bad));
        PZ_CHECK_EQ_U64(bad, at);
    }
}

// Every code point is encoded by hand; surrogates alone must fail.
PZ_TEST(accepts_every_code_point)
{
    for (uint32_t code = 0x80; code <= 0x10ffff; code++) {
        unsigned char text[4];
        size_t len;
        if (code < 0x800) {
            len = 2;
            text[0] = (unsigned char)(0xc0 | code >> 6);
        } else if (code < 0x10000) {
            len = 3;
            text[0] = (unsigned char)(0xe0 | code >> 12);
        } else {
            len = 4;
            text[0] = (unsigned char)(0xf0 | code >> 18);
        }
        for (size_t i = 1; i < len; i++) {
            text[i] = (unsigned char)(0x80 | (code >> (6 * (len - 1 - i)) & 0x3f));
        }
        bool is_surrogate = code >= 0xd800 && code < 0xe000;
        if (pz_utf8_is_valid((char *)text, len, NULL) == is_surrogate) {
            PZ_CHECK_MSG(false, "U+%04X is judged right", code);
            break;
        }
    }
}

PZ_TEST(length_counts_code_points)
{
    const char *text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";
    PZ_CHECK_EQ_U64(pz_utf8_length(text, strlen(text)), 5);
    PZ_CHECK_EQ_U64(pz_utf8_length("", 0), 0);
}

PZ_TEST(cut_keeps_whole_sequences)
{
    struct pz_str text = pz_str_from("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    static const uint32_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (uint32_t len = 0; len < sizeof expected / sizeof expected[0]; len++) {
        struct pz_str cut = pz_str_cut_utf8(text, len);
        PZ_CHECK_EQ_I64(cut.len, expected[len]);
        PZ_CHECK(pz_utf8_is_valid(cut.data, cut.len, NULL));
    }
}

PZ_TEST(cut_of_bytes_that_are_not_utf8_still_progresses)
{
    struct pz_str text = pz_str_from("\x80\x80\x80\x80\x80\x80\x80\x80");
    PZ_CHECK_EQ_I64(pz_str_cut_utf8(text, 5).len, 5);
}

PZ_TEST(encode_writes_what_is_valid)
{
    static const uint32_t edges[] = {0x00,   0x7f,   0x80,   0x7ff,   0x800,
                                     0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    static const uint32_t lengths[] = {1, 1, 2, 2, 3, 3, 3, 3, 4, 4};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        char out[4];
        uint32_t len = pz_utf8_encode(edges[i], out);
        PZ_CHECK_EQ_I64(len, lengths[i]);
        PZ_CHECK(pz_utf8_is_valid(out, len, NULL));
    }
    char euro[4];
    PZ_CHECK_EQ_I64(pz_utf8_encode(0x20ac, euro), 3);
    PZ_CHECK_EQ_BYTES(euro, "\xe2\x82\xac", 3);
}
