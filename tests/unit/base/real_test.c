// SPDX-License-Identifier: Apache-2.0
// Doubles as text: PostgreSQL's form, shortest, and exact both ways.
#include "base/num.h"

#include "tests/support/test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *
text_of(double value)
{
    static char text[PZ_NUM_TEXT_MAX + 1];
    uint32_t len = pz_format_double(value, text);
    PZ_ASSERT(len <= PZ_NUM_TEXT_MAX);
    text[len] = '\0';
    return text;
}

PZ_TEST(form)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1, "-1"},
        {3, "3"},
        {0.1, "0.1"},
        {-0.1, "-0.1"},
        {0.5, "0.5"},
        {1.5, "1.5"},
        {0.3, "0.3"},
        {0.1 + 0.2, "0.30000000000000004"},
        {100, "100"},
        {1234567.891, "1234567.891"},
        {0.0001, "0.0001"},
        {0.00012345, "0.00012345"},
        {0.00001, "1e-05"},
        {1.5e-7, "1.5e-07"},
        {1e14, "100000000000000"},
        {999999999999999, "999999999999999"},
        {1e15, "1e+15"},
        {1234567890123456, "1.234567890123456e+15"},
        {1e20, "1e+20"},
        {1e21, "1e+21"},
        {1e300, "1e+300"},
        {1e-300, "1e-300"},
        {123456.78901234567, "123456.78901234567"},
        {2.0 / 3, "0.6666666666666666"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
        {9007199254740992, "9.007199254740992e+15"},
        {0x1p-44, "5.684341886080802e-14"}, // a power of two, nearer neighbours below
        {9.5367431640625e-07, "9.5367431640625e-07"},
        {1e23, "1e+23"},
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
        {NAN, "NaN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PZ_CHECK_EQ_STR(text_of(cases[i].value), cases[i].text);
    }
}

static int
digits_in(const char *text)
{
    int count = 0;
    int zeros = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text >= '1' && *text <= '9') {
            count += zeros + 1;
            zeros = 0;
        } else if (*text == '0' && count > 0) {
            zeros++;
        }
    }
    return count;
}

static void
check_value(double value)
{
    const char *text = text_of(value);
    double back;
    PZ_CHECK(pz_parse_double(pz_str_from(text), &back));
    PZ_CHECK_EQ_DOUBLE(back, value);
    PZ_CHECK_EQ_DOUBLE(strtod(text, NULL), value);
    // No correctly rounded text with fewer digits reads back.
    int digits = digits_in(text);
    if (digits > 1) {
        char shorter[40];
        (void)snprintf(shorter, sizeof shorter, "%.*e", digits - 2, value);
        PZ_CHECK_MSG(strtod(shorter, NULL) != value, "%s is shortest, for %s is not it", text,
                     shorter);
    }
}

PZ_TEST(any_double_survives_and_is_short)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 60000; i++) {
        check_value(pz_rng_any_double(&rng));
        check_value((double)pz_rng_range(&rng, -1000000000, 1000000000) / 1000);
        check_value((double)pz_rng_range(&rng, -100000, 100000) / 7);
        check_value(ldexp(pz_rng_unit(&rng), (int)pz_rng_range(&rng, -1074, -1000)));
    }
    for (int exponent = -1074; exponent <= 1023; exponent++) {
        check_value(ldexp(1, exponent));
        check_value(nextafter(ldexp(1, exponent), 0));
        check_value(nextafter(ldexp(1, exponent), INFINITY));
    }
}

PZ_TEST(parsing_agrees_with_the_c_library)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 100000; i++) {
        char text[64];
        uint64_t whole = pz_rng_u64(&rng) >> pz_rng_below(&rng, 64);
        uint64_t fraction = pz_rng_u64(&rng) >> pz_rng_below(&rng, 64);
        int exponent = (int)pz_rng_range(&rng, -30, 30);
        if (pz_rng_chance(&rng, 0.5)) {
            (void)snprintf(text, sizeof text, "%llu.%llue%d", (unsigned long long)whole,
                           (unsigned long long)fraction, exponent);
        } else {
            (void)snprintf(text, sizeof text, "-%llu.%llu", (unsigned long long)whole,
                           (unsigned long long)fraction);
        }
        double parsed = 0;
        PZ_CHECK(pz_parse_double(pz_str_from(text), &parsed));
        PZ_CHECK_EQ_DOUBLE(parsed, strtod(text, NULL));
    }
}

PZ_TEST(parsing_accepts_and_refuses)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"1", 1},
        {"+1.", 1},
        {".5", 0.5},
        {"-.5e1", -5},
        {"1E+2", 100},
        {"1e-2", 0.01},
        {"0e999999", 0},
        {"-0", -0.0},
        {"1e-400", 0},
        {"inf", INFINITY},
        {"-Infinity", -INFINITY},
        {"NaN", NAN},
        {"nan", NAN},
        {"4.9e-324", 5e-324},
        {"1.7976931348623157e308", DBL_MAX},
        {"0.000000000000000000000000000000000000000000001", 1e-45},
        {"9007199254740993", 9007199254740992},
        {"100000000000000000000000", 1e23},
    };
    double value;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        PZ_CHECK_MSG(pz_parse_double(pz_str_from(good[i].text), &value), "%s is taken",
                     good[i].text);
        PZ_CHECK_EQ_DOUBLE(value, good[i].value);
    }
    static const char *const bad[] = {"",    "+",    ".",    "e1",    "1e",     "1e+",
                                      "1 ",  " 1",   "0x1",  "1e400", "-1e400", "1.2.3",
                                      "1,5", "infi", "1e5x", "--1",   "nan(1)", "\xd9\xa1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        PZ_CHECK_MSG(!pz_parse_double(pz_str_from(bad[i]), &value), "\"%s\" is refused", bad[i]);
    }
}

// 767 digits can be needed to tell a value from the middle between two doubles.
PZ_TEST(long_texts_round_right)
{
    char text[900];
    int len = snprintf(text, sizeof text, "%.800f", 0.5);
    double value;
    PZ_CHECK(pz_parse_double((struct pz_str){text, (uint32_t)len}, &value));
    PZ_CHECK_EQ_DOUBLE(value, 0.5);
    // The middle between 1 and the next double, and the smallest bit more.
    len = snprintf(text, sizeof text, "1.00000000000000011102230246251565404236316680908203125");
    PZ_CHECK(pz_parse_double((struct pz_str){text, (uint32_t)len}, &value));
    PZ_CHECK_EQ_DOUBLE(value, 1.0);
    memset(text + len, '0', 700);
    text[len + 700] = '1';
    PZ_CHECK(pz_parse_double((struct pz_str){text, (uint32_t)len + 701}, &value));
    PZ_CHECK_EQ_DOUBLE(value, nextafter(1.0, 2.0));
}
