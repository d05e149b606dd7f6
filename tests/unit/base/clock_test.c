// SPDX-License-Identifier: Apache-2.0
// Civil time and its text.
#include "base/clock.h"

#include "tests/support/test.h"

#include <time.h>

static const char *
timestamp(int64_t us)
{
    static char text[PZ_TIMESTAMP_TEXT_LEN + 1];
    text[pz_format_timestamp(us, text)] = '\0';
    return text;
}

PZ_TEST(days_go_there_and_back)
{
    int64_t first = pz_days_from_civil(1, 1, 1);
    int64_t last = pz_days_from_civil(9999, 12, 31);
    PZ_CHECK_EQ_I64(first * PZ_US_PER_DAY, PZ_TIMESTAMP_MIN);
    PZ_CHECK_EQ_I64((last + 1) * PZ_US_PER_DAY - 1, PZ_TIMESTAMP_MAX);
    struct pz_civil before = {.year = 0, .month = 12, .day = 31};
    for (int64_t day = first; day <= last; day++) {
        struct pz_civil civil;
        pz_civil_from_days(day, &civil);
        bool is_next = civil.day == before.day + 1 && civil.month == before.month;
        bool is_new_month = civil.day == 1 && civil.month == before.month + 1 &&
                            before.day == pz_days_in_month(before.year, before.month);
        bool is_new_year = civil.day == 1 && civil.month == 1 && before.month == 12 &&
                           before.day == 31 && civil.year == before.year + 1;
        if (!PZ_CHECK(is_next || is_new_month || is_new_year) ||
            !PZ_CHECK(pz_days_from_civil(civil.year, civil.month, civil.day) == day)) {
            break;
        }
        before = civil;
    }
}

PZ_TEST(agrees_with_the_c_library)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 20000; i++) {
        int64_t us = pz_rng_range(&rng, PZ_TIMESTAMP_MIN, PZ_TIMESTAMP_MAX);
        struct pz_civil civil;
        pz_civil_from_us(us, &civil);
        time_t seconds = (time_t)pz_floor_div(us, PZ_US_PER_SECOND);
        struct tm expected;
        PZ_REQUIRE(gmtime_r(&seconds, &expected) != NULL);
        PZ_CHECK_EQ_I64(civil.year, expected.tm_year + 1900);
        PZ_CHECK_EQ_I64(civil.month, expected.tm_mon + 1);
        PZ_CHECK_EQ_I64(civil.day, expected.tm_mday);
        PZ_CHECK_EQ_I64(civil.hour, expected.tm_hour);
        PZ_CHECK_EQ_I64(civil.minute, expected.tm_min);
        PZ_CHECK_EQ_I64(civil.second, expected.tm_sec);
        PZ_CHECK_EQ_I64(civil.microsecond, us - (int64_t)seconds * PZ_US_PER_SECOND);
    }
}

PZ_TEST(text_and_back_is_the_same_instant)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 50000; i++) {
        int64_t us = pz_rng_range(&rng, PZ_TIMESTAMP_MIN, PZ_TIMESTAMP_MAX);
        int64_t back = 0;
        PZ_CHECK(pz_parse_timestamp(pz_str_from(timestamp(us)), &back));
        PZ_CHECK_EQ_I64(back, us);
    }
    PZ_CHECK_EQ_STR(timestamp(0), "1970-01-01T00:00:00.000000Z");
    PZ_CHECK_EQ_STR(timestamp(-1), "1969-12-31T23:59:59.999999Z");
    PZ_CHECK_EQ_STR(timestamp(PZ_TIMESTAMP_MIN), "0001-01-01T00:00:00.000000Z");
    PZ_CHECK_EQ_STR(timestamp(PZ_TIMESTAMP_MAX), "9999-12-31T23:59:59.999999Z");
}

PZ_TEST(accepted_forms)
{
    static const struct {
        const char *text;
        const char *same_as;
    } cases[] = {
        {"2026-11-20", "2026-11-20T00:00:00.000000Z"},
        {"2026-11-20T09:00", "2026-11-20T09:00:00.000000Z"},
        {"2026-11-20 09:00:01", "2026-11-20T09:00:01.000000Z"},
        {"2026-11-20t09:00:01z", "2026-11-20T09:00:01.000000Z"},
        {"2026-11-20T09:00:01.5", "2026-11-20T09:00:01.500000Z"},
        {"2026-11-20T09:00:01.123456789Z", "2026-11-20T09:00:01.123456Z"},
        {"2026-11-20T09:00:01+01", "2026-11-20T08:00:01.000000Z"},
        {"2026-11-20T09:00:01+0130", "2026-11-20T07:30:01.000000Z"},
        {"2026-11-20T09:00:01-01:30", "2026-11-20T10:30:01.000000Z"},
        {"2026-11-20T09:00+05:45", "2026-11-20T03:15:00.000000Z"},
        {"2026-12-31T23:59:60Z", "2026-12-31T23:59:59.999999Z"},
        {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"},
        {"2000-02-29", "2000-02-29T00:00:00.000000Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t us = 1;
        PZ_CHECK_MSG(pz_parse_timestamp(pz_str_from(cases[i].text), &us), "%s is taken",
                     cases[i].text);
        PZ_CHECK_EQ_STR(timestamp(us), cases[i].same_as);
    }
}

PZ_TEST(refused_forms)
{
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11",
        "2026-11-2",
        "2026-13-01",
        "2026-00-01",
        "2026-02-29",
        "1900-02-29",
        "2026-04-31",
        "2026-11-00",
        "0000-01-01",
        "02026-11-20",
        "2026/11/20",
        "2026-11-20T",
        "2026-11-20T9:00",
        "2026-11-20T09",
        "2026-11-20T24:00",
        "2026-11-20T09:60",
        "2026-11-20T09:00:61",
        "2026-11-20T09:00:00.",
        "2026-11-20T09:00:00.Z",
        "2026-11-20T09:00:00.1234567890Z",
        "2026-11-20T09:00:00ZZ",
        "2026-11-20T09:00:00 Z",
        "2026-11-20T09:00:00+1",
        "2026-11-20T09:00:00+24:00",
        "2026-11-20T09:00:00+01:60",
        "2026-11-20T09:00:00+01:0",
        "2026-11-20T09:00:00+01:",
        "2026-11-20Z",
        "2026-11-20 ",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t us = 7;
        PZ_CHECK_MSG(!pz_parse_timestamp(pz_str_from(bad[i]), &us), "\"%s\" is refused", bad[i]);
        PZ_CHECK_EQ_I64(us, 7);
    }
    int64_t days;
    PZ_CHECK(pz_parse_date(PZ_STR("1970-01-02"), &days) && days == 1);
    PZ_CHECK(!pz_parse_date(PZ_STR("1970-01-02T00:00"), &days));
}

PZ_TEST(clocks_move)
{
    int64_t before_us = pz_clock_mono_us();
    pz_clock_sleep_us(2000);
    pz_clock_sleep_us(-5);
    PZ_CHECK(pz_clock_mono_us() - before_us >= 2000);
    PZ_CHECK(pz_clock_wall_us() > INT64_C(1577836800000000)); // 2020
}
