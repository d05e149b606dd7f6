// SPDX-License-Identifier: Apache-2.0
// Numbers in records: the forms taken, and the fault named for each that is not.
#include "ingest/number.h"
#include "tests/support/test.h"

#include <stdio.h>

static void
check_int(const char *text, enum pz__int_fault wanted, int64_t value)
{
    int64_t number = 0;
    enum pz__int_fault fault = pz__number_to_int(pz_str_from(text), &number);
    PZ_CHECK_MSG(fault == wanted && (fault != PZ__INT_OK || number == value),
                 "%s: fault %d, value %lld", text, (int)fault, (long long)number);
}

PZ_TEST(whole_numbers_are_exact)
{
    check_int("0", PZ__INT_OK, 0);
    check_int("-0", PZ__INT_OK, 0);
    check_int("-0.0", PZ__INT_OK, 0);
    check_int("0e999999999999", PZ__INT_OK, 0);
    check_int("17", PZ__INT_OK, 17);
    check_int("-17", PZ__INT_OK, -17);
    check_int("17.0", PZ__INT_OK, 17);
    check_int("17.00e0", PZ__INT_OK, 17);
    check_int("1.7e1", PZ__INT_OK, 17);
    check_int("1700E-2", PZ__INT_OK, 17);
    check_int("1e18", PZ__INT_OK, 1000000000000000000);
    check_int("9223372036854775807", PZ__INT_OK, INT64_MAX);
    check_int("-9223372036854775808", PZ__INT_OK, INT64_MIN);
    check_int("9223372036854775807.0", PZ__INT_OK, INT64_MAX);
    check_int("92233720368547758070e-1", PZ__INT_OK, INT64_MAX);
    check_int("0.00000000000000000000000000000017e32", PZ__INT_OK, 17);
    check_int("170000000000000000000000000000000e-31", PZ__INT_OK, 17);
}

PZ_TEST(what_does_not_fit_is_told)
{
    check_int("9223372036854775808", PZ__INT_RANGE, 0);
    check_int("-9223372036854775809", PZ__INT_RANGE, 0);
    check_int("9223372036854775808.0", PZ__INT_RANGE, 0);
    check_int("1e19", PZ__INT_RANGE, 0);
    check_int("1e999999999999", PZ__INT_RANGE, 0);
    check_int("123456789012345678901234567890", PZ__INT_RANGE, 0);
    check_int("1.5", PZ__INT_FRACTION, 0);
    check_int("1e-1", PZ__INT_FRACTION, 0);
    check_int("-0.1", PZ__INT_FRACTION, 0);
    check_int("9223372036854775807.5", PZ__INT_FRACTION, 0);
    check_int("1e-999999999999", PZ__INT_FRACTION, 0);
    check_int("", PZ__INT_NOT_A_NUMBER, 0);
    check_int("-", PZ__INT_NOT_A_NUMBER, 0);
    check_int(".", PZ__INT_NOT_A_NUMBER, 0);
    check_int("1e", PZ__INT_NOT_A_NUMBER, 0);
    check_int("1e+", PZ__INT_NOT_A_NUMBER, 0);
    check_int("1 ", PZ__INT_NOT_A_NUMBER, 0);
    check_int("0x1", PZ__INT_NOT_A_NUMBER, 0);
    check_int("seventeen", PZ__INT_NOT_A_NUMBER, 0);
    check_int("NaN", PZ__INT_NOT_A_NUMBER, 0);
}

PZ_TEST(doubles_are_the_nearest)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 50000; i++) {
        char text[64];
        double wanted;
        double actual;
        if (i % 2 == 0) {
            (void)snprintf(text, sizeof(text), "%.17g", pz_rng_any_double(&rng));
        } else {
            (void)snprintf(text, sizeof(text), "%llu.%llue%d",
                           (unsigned long long)pz_rng_below(&rng, 1000000),
                           (unsigned long long)pz_rng_below(&rng, 1000000000),
                           (int)pz_rng_range(&rng, -30, 30));
        }
        PZ_REQUIRE(pz_parse_double(pz_str_from(text), &wanted));
        PZ_CHECK(pz__number_to_real(pz_str_from(text), false, &actual));
        PZ_CHECK_EQ_DOUBLE(actual, wanted);
    }
    double value;
    PZ_CHECK(pz__number_to_real(pz_str_from("-0"), false, &value));
    PZ_CHECK_EQ_DOUBLE(value, -0.0);
    PZ_CHECK(!pz__number_to_real(pz_str_from("1e400"), false, &value));
    PZ_CHECK(!pz__number_to_real(pz_str_from("NaN"), false, &value));
    PZ_CHECK(pz__number_to_real(pz_str_from("NaN"), true, &value));
    PZ_CHECK(!pz__number_to_real(pz_str_from("x"), true, &value));
    PZ_CHECK(!pz__number_to_real(pz_str_from(""), true, &value));
}
