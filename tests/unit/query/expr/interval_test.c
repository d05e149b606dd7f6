// SPDX-License-Identifier: Apache-2.0
// Intervals as text, both ways.
#include "query/expr/interval.h"

#include "tests/support/test.h"

static void
check_parse(const char *text, const char *unit, int32_t months, int32_t days, int64_t us)
{
    struct pz_interval interval;
    struct pz_error err = {0};
    enum pz_status status =
        pz_interval_parse(pz_str_from(text), pz_str_from(unit), 0, &interval, &err);
    PZ_CHECK_MSG(status == PZ_OK, "%s: %s", text, err.message);
    PZ_CHECK_MSG(interval.months == months && interval.days == days && interval.us == us,
                 "%s is %d months %d days %lld us", text, interval.months, interval.days,
                 (long long)interval.us);
}

PZ_TEST(intervals_are_read_as_postgresql_does)
{
    check_parse("1 day", "", 0, 1, 0);
    check_parse("1", "day", 0, 1, 0);
    check_parse("-3", "month", -3, 0, 0);
    check_parse("90", "", 0, 0, 90000000);
    check_parse("2 hours 30 minutes", "", 0, 0, INT64_C(9000000000));
    check_parse("1 year 2 mons 3 days 04:05:06.7", "", 14, 3, INT64_C(14706700000));
    check_parse("-04:05", "", 0, 0, -INT64_C(14700000000));
    check_parse("1.5 days", "", 0, 1, INT64_C(43200000000));
    check_parse("1.5 months", "", 1, 15, 0);
    check_parse("0.5 years", "", 6, 0, 0);
    check_parse("2 weeks", "", 0, 14, 0);
    check_parse("1 day 2 hours ago", "", 0, -1, -INT64_C(7200000000));
    check_parse("250 ms", "", 0, 0, 250000);
    check_parse("1 century", "", 1200, 0, 0);
}

PZ_TEST(bad_intervals_are_refused)
{
    static const char *const bad[] = {"",      "day",       "1 parsec", "1 day ago ago", "1 2 :",
                                      "10:99", "1..5 days", "--1 day",  "1 day foo",     "1:2:3:4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pz_interval interval;
        struct pz_error err = {0};
        enum pz_status status =
            pz_interval_parse(pz_str_from(bad[i]), PZ_STR(""), 7, &interval, &err);
        PZ_CHECK_MSG(status == PZ_INVALID, "'%s' is taken", bad[i]);
        PZ_CHECK_EQ_STR(err.sqlstate, "22007");
        PZ_CHECK_EQ_U64(err.sql_offset, 8);
    }
}

PZ_TEST(what_is_smaller_than_the_unit_is_cut)
{
    check_parse("1.5", "hour", 0, 0, INT64_C(3600000000));
    check_parse("-1.5", "hours", 0, 0, -INT64_C(3600000000));
    check_parse("1.5", "day", 0, 1, 0);
    check_parse("1 year 2 months 3 days", "year", 12, 0, 0);
    check_parse("1 year 2 months 3 days", "month", 14, 0, 0);
    check_parse("1 day 02:03:04.5", "minute", 0, 1, INT64_C(7380000000));
    check_parse("1 day 02:03:04.5", "second", 0, 1, INT64_C(7384500000));
    check_parse("90", "minute", 0, 0, INT64_C(5400000000));
}

PZ_TEST(large_intervals_are_out_of_range)
{
    static const char *const large[] = {"99999999999 years",      "2147483648 days",
                                        "99999999999999999999 s", "178956970 years 12 months",
                                        "-2147483648 days ago",   "9999999999:00:00"};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        struct pz_interval interval;
        struct pz_error err = {0};
        enum pz_status status =
            pz_interval_parse(pz_str_from(large[i]), PZ_STR(""), 7, &interval, &err);
        PZ_CHECK_MSG(status == PZ_INVALID, "'%s' is taken", large[i]);
        PZ_CHECK_EQ_STR(err.sqlstate, "22008");
    }
}

static void
check_format(int32_t months, int32_t days, int64_t us, const char *expected)
{
    char text[PZ_INTERVAL_TEXT_MAX];
    struct pz_interval interval = {months, days, us};
    uint32_t len = pz_interval_format(&interval, text);
    PZ_CHECK_EQ_PZ_STR(((struct pz_str){text, len}), expected);
}

PZ_TEST(intervals_are_written_as_postgresql_does)
{
    check_format(0, 0, 0, "00:00:00");
    check_format(14, 3, INT64_C(14706700000), "1 year 2 mons 3 days 04:05:06.7");
    check_format(-1, 2, 0, "-1 mons +2 days");
    check_format(0, -1, INT64_C(3600000000), "-1 days +01:00:00");
    check_format(0, 0, -INT64_C(1), "-00:00:00.000001");
    check_format(0, 1, 0, "1 day");
    check_format(0, 0, INT64_MIN, "-2562047788:00:54.775808");
    check_format(INT32_MIN, INT32_MIN, INT64_MIN,
                 "-178956970 years -8 mons -2147483648 days -2562047788:00:54.775808");
}

PZ_TEST(what_is_written_reads_back)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 20000; i++) {
        char text[PZ_INTERVAL_TEXT_MAX];
        struct pz_interval interval = {
            (int32_t)pz_rng_range(&rng, -3000, 3000), (int32_t)pz_rng_range(&rng, -3000, 3000),
            pz_rng_range(&rng, -INT64_C(100000000000000), INT64_C(100000000000000))};
        uint32_t len = pz_interval_format(&interval, text);
        struct pz_interval back;
        struct pz_error err = {0};
        enum pz_status status =
            pz_interval_parse((struct pz_str){text, len}, PZ_STR(""), 0, &back, &err);
        bool is_same = status == PZ_OK && back.months == interval.months &&
                       back.days == interval.days && back.us == interval.us;
        if (!is_same) {
            PZ_CHECK_MSG(false, "%.*s does not read back: %s", (int)len, text, err.message);
            return;
        }
    }
}
