// SPDX-License-Identifier: Apache-2.0
// Timestamps in records: every form taken, and what is refused.
#include "base/clock.h"
#include "ingest/ingest.h"
#include "tests/support/test.h"

static void
check_form(const char *text, const char *wanted)
{
    int64_t us;
    char shown[PZ_TIMESTAMP_TEXT_LEN + 1] = "refused";
    if (pz_ingest_parse_timestamp(pz_str_from(text), &us)) {
        shown[pz_format_timestamp(us, shown)] = '\0';
    }
    PZ_CHECK_MSG(strcmp(shown, wanted) == 0, "%s: %s, expected %s", text, shown, wanted);
}

PZ_TEST(iso_forms)
{
    check_form("2024-02-14 12:07:31.797926", "2024-02-14T12:07:31.797926Z");
    check_form("2024-02-14 12:07:31", "2024-02-14T12:07:31.000000Z");
    check_form("2024-02-14T12:07:31.797926+00:00", "2024-02-14T12:07:31.797926Z");
    check_form("2024-02-14T12:07:31+02:00", "2024-02-14T10:07:31.000000Z");
    check_form("2024-02-14T12:07:31-0530", "2024-02-14T17:37:31.000000Z");
    check_form("2023-01-01T00:00:00.000Z", "2023-01-01T00:00:00.000000Z");
    check_form("2023-01-01T00:00:00.123456789Z", "2023-01-01T00:00:00.123456Z");
    check_form("2024-02-14", "2024-02-14T00:00:00.000000Z");
    check_form("2024-02-14 12:07", "2024-02-14T12:07:00.000000Z");
    check_form("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z");
    check_form("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z");
}

PZ_TEST(named_forms)
{
    check_form("Wed Oct 10 20:19:24 +0000 2018", "2018-10-10T20:19:24.000000Z");
    check_form("Wed Oct 10 20:19:24 -0700 2018", "2018-10-11T03:19:24.000000Z");
    check_form("Wed, 14 Feb 2024 12:07:31 +0000", "2024-02-14T12:07:31.000000Z");
    check_form("wed, 14 feb 2024 12:07:31 gmt", "2024-02-14T12:07:31.000000Z");
    check_form("14 Feb 2024 12:07 EST", "2024-02-14T17:07:00.000000Z");
    check_form("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.000000Z");
    check_form("Sun, 6 Nov 1994 08:49:37 +01:00", "1994-11-06T07:49:37.000000Z");
}

PZ_TEST(epoch_forms)
{
    check_form("0", "1970-01-01T00:00:00.000000Z");
    check_form("1707912451", "2024-02-14T12:07:31.000000Z");
    check_form("1707912451797", "2024-02-14T12:07:31.797000Z");
    check_form("1707912451797926", "2024-02-14T12:07:31.797926Z");
    check_form("1707912451797926123", "2024-02-14T12:07:31.797926Z");
    check_form("1707912451.797926", "2024-02-14T12:07:31.797926Z");
    check_form("-1", "1969-12-31T23:59:59.000000Z");
    check_form("-1.5", "1969-12-31T23:59:58.500000Z");
    check_form("1.7e9", "2023-11-14T22:13:20.000000Z");
}

PZ_TEST(what_is_no_time_is_refused)
{
    static const char *const bad[] = {
        "",
        " ",
        "yesterday",
        "2024-02-30",
        "2023-02-29T00:00:00Z",
        "2024-13-01",
        "2024-00-01",
        "2024-02-14T24:00:00Z",
        "2024-02-14T12:60:00Z",
        "2024-02-14T12:07:31.Z",
        "2024-02-14T12:07:31 ",
        "2024-02-14X12:07:31",
        "2024-2-14",
        "14 Feb 2024",
        "Thu, 14 Feb 2024 12:07:31 +0000", // it was a Wednesday
        "Wed, 30 Feb 2024 12:07:31 +0000",
        "Wed, 14 Foo 2024 12:07:31 +0000",
        "Wed, 14 Feb 2024 12:07:31",
        "Wed, 14 Feb 2024 12:07:31 +00",
        "Wed, 14 Feb 24 12:07:31 +0000",
        "Wed Oct 10 20:19:24 +0000 2018 ",
        "Wed Oct 10 20:19:24 2018",
        "1e400",
        "nan",
        "infinity",
        "99999999999999999999",
        "0x10",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        check_form(bad[i], "refused");
    }
}

PZ_TEST(magnitude_decides_the_unit)
{
    int64_t us;
    PZ_CHECK(pz_ingest_timestamp_from_int(99999999999, &us));
    PZ_CHECK_EQ_I64(us, 99999999999 * PZ_US_PER_SECOND);
    PZ_CHECK(pz_ingest_timestamp_from_int(100000000000, &us));
    PZ_CHECK_EQ_I64(us, 100000000000 * 1000);
    PZ_CHECK(pz_ingest_timestamp_from_int(99999999999999, &us));
    PZ_CHECK_EQ_I64(us, 99999999999999 * 1000);
    PZ_CHECK(pz_ingest_timestamp_from_int(100000000000000, &us));
    PZ_CHECK_EQ_I64(us, 100000000000000);
    PZ_CHECK(pz_ingest_timestamp_from_int(100000000000000000, &us));
    PZ_CHECK_EQ_I64(us, 100000000000000);
    PZ_CHECK(pz_ingest_timestamp_from_int(INT64_MAX, &us));
    PZ_CHECK(pz_ingest_timestamp_from_int(INT64_MIN, &us));
    PZ_CHECK(!pz_ingest_timestamp_from_int(-99999999999, &us)); // before the year 1
    PZ_CHECK(!pz_ingest_timestamp_from_real(1.0 / 0.0, &us));
    PZ_CHECK(!pz_ingest_timestamp_from_real(0.0 / 0.0, &us));
    PZ_CHECK(!pz_ingest_timestamp_from_real(1e300, &us));
    PZ_CHECK(pz_ingest_timestamp_from_real(1e18, &us));
    PZ_CHECK_EQ_I64(us, 1000000000000000);
}

PZ_TEST(written_times_read_back)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 20000; i++) {
        int64_t us = pz_rng_range(&rng, PZ_TIMESTAMP_MIN, PZ_TIMESTAMP_MAX);
        int64_t back;
        char text[PZ_TIMESTAMP_TEXT_LEN];
        uint32_t len = pz_format_timestamp(us, text);
        PZ_CHECK(pz_ingest_parse_timestamp((struct pz_str){text, len}, &back) && back == us);
    }
}
