// SPDX-License-Identifier: Apache-2.0
// Conversions of single values.
#include "query/expr/cast.h"

#include "tests/support/test.h"

// CAST(CAST(text AS type) AS TEXT), or the SQLSTATE.
static void
check_round(const char *text, enum pz_type type, const char *expected)
{
    struct pz_arena arena;
    struct pz_value from = pz_value_text(pz_str_from(text));
    struct pz_value value;
    struct pz_value back;
    struct pz_error err = {0};
    pz_arena_init(&arena, NULL);
    if (pz_value_cast(&from, type, 0, &arena, &value, &err) != PZ_OK) {
        PZ_CHECK_EQ_STR(err.sqlstate, expected);
    } else {
        PZ_CHECK_OK(pz_value_cast(&value, PZ_TYPE_TEXT, 0, &arena, &back, &err), &err);
        PZ_CHECK_EQ_PZ_STR(back.text, expected);
    }
    pz_arena_fini(&arena);
}

PZ_TEST(texts_are_read_and_written)
{
    check_round("42", PZ_TYPE_BIGINT, "42");
    check_round("  -7 ", PZ_TYPE_BIGINT, "-7");
    check_round("9223372036854775807", PZ_TYPE_BIGINT, "9223372036854775807");
    check_round("9223372036854775808", PZ_TYPE_BIGINT, "22003");
    check_round("4.5", PZ_TYPE_BIGINT, "22P02");
    check_round("", PZ_TYPE_BIGINT, "22P02");
    check_round("0.1", PZ_TYPE_DOUBLE, "0.1");
    check_round("1e300", PZ_TYPE_DOUBLE, "1e+300");
    check_round("abc", PZ_TYPE_DOUBLE, "22P02");
    check_round("t", PZ_TYPE_BOOLEAN, "true");
    check_round("OFF", PZ_TYPE_BOOLEAN, "false");
    check_round("o", PZ_TYPE_BOOLEAN, "22P02");
    check_round("maybe", PZ_TYPE_BOOLEAN, "22P02");
    check_round("2026-11-20", PZ_TYPE_DATE, "2026-11-20");
    check_round("2026-11-20 10:00:00", PZ_TYPE_DATE, "2026-11-20");
    check_round("2026-02-30", PZ_TYPE_DATE, "22008");
    check_round("yesterday", PZ_TYPE_DATE, "22007");
    check_round("2026-11-20T09:30:00.250Z", PZ_TYPE_TIMESTAMP, "2026-11-20 09:30:00.25");
    check_round("2026-11-20", PZ_TYPE_TIMESTAMP, "2026-11-20 00:00:00");
    check_round("2026-11-20 10:00", PZ_TYPE_TIMESTAMP, "2026-11-20 10:00:00");
    check_round("1 day 2 hours", PZ_TYPE_INTERVAL, "1 day 02:00:00");
}

PZ_TEST(numbers_are_rounded_to_the_nearest_away_from_zero)
{
    int64_t out;
    PZ_CHECK(pz_cast_double_to_bigint(2.5, &out) && out == 3);
    PZ_CHECK(pz_cast_double_to_bigint(-2.5, &out) && out == -3);
    PZ_CHECK(pz_cast_double_to_bigint(2.4, &out) && out == 2);
    PZ_CHECK(pz_cast_double_to_bigint(-0x1p63, &out) && out == INT64_MIN);
    PZ_CHECK(!pz_cast_double_to_bigint(0x1p63, &out));
    PZ_CHECK(!pz_cast_double_to_bigint(__builtin_nan(""), &out));
}

PZ_TEST(impossible_casts_are_named)
{
    struct pz_value value = pz_value_int(PZ_TYPE_DATE, 1);
    struct pz_value out;
    struct pz_error err = {0};
    PZ_CHECK_STATUS(pz_value_cast(&value, PZ_TYPE_BIGINT, 4, NULL, &out, &err), PZ_INVALID, &err);
    PZ_CHECK_EQ_STR(err.sqlstate, "42846");
    PZ_CHECK_CONTAINS(err.message, "cannot cast type date to bigint");
}
