// SPDX-License-Identifier: Apache-2.0
// The order-free sum: exact, correctly rounded, the same in any order and any division.
#include "base/num.h"

#include "tests/support/test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

// Wide enough (113 bits) to add doubles of similar size without rounding.
__extension__ typedef __float128 wide;

static double
sum_of(const double *values, size_t count)
{
    struct pz_exact_sum sum = {.adds_left = 0};
    for (size_t i = 0; i < count; i++) {
        pz_exact_sum_add(&sum, values[i]);
    }
    return pz_exact_sum_round(&sum);
}

static void
shuffle(struct pz_rng *rng, double *values, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = pz_rng_below(rng, i);
        double held = values[i - 1];
        values[i - 1] = values[j];
        values[j] = held;
    }
}

PZ_TEST(small_sums)
{
    PZ_CHECK_EQ_DOUBLE(sum_of(NULL, 0), 0);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){1.5}, 1), 1.5);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){-1.5, -2.5}, 2), -4);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){1e308, 1, -1e308}, 3), 1);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){1e16, 1, 1, -1e16}, 4), 2);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){0.1, -0.1}, 2), 0);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){5e-324, 5e-324}, 2), 1e-323);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){DBL_MIN, -5e-324}, 2), DBL_MIN - 5e-324);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){-5e-324, 1e300, -1e300}, 3), -5e-324);
}

PZ_TEST(one_value_comes_back_unchanged)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 100000; i++) {
        double value = pz_rng_any_double(&rng);
        PZ_CHECK_EQ_DOUBLE(sum_of(&value, 1), value);
        double small = ldexp(pz_rng_unit(&rng), (int)pz_rng_range(&rng, -1074, -1010));
        PZ_CHECK_EQ_DOUBLE(sum_of(&small, 1), small);
    }
    for (int exponent = -1074; exponent <= 1023; exponent++) {
        double value = ldexp(-1, exponent);
        PZ_CHECK_EQ_DOUBLE(sum_of(&value, 1), value);
    }
}

// For two values the hardware's own addition is correctly rounded.
PZ_TEST(two_values_add_as_the_hardware_does)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 200000; i++) {
        double a = pz_rng_any_double(&rng);
        double b = ldexp(pz_rng_unit(&rng) - 0.5, ilogb(a) + (int)pz_rng_range(&rng, -60, 60));
        double expected = a + b;
        PZ_CHECK_EQ_DOUBLE(sum_of((double[]){a, b}, 2), expected == 0 ? 0.0 : expected);
    }
}

PZ_TEST(ties_go_to_even)
{
    double one_up = nextafter(1, 2);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){1, 0x1p-53}, 2), 1);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){one_up, 0x1p-53}, 2), nextafter(one_up, 2));
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){1, 0x1p-53, 5e-324}, 3), one_up);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){1, 0x1p-53, -5e-324}, 3), 1);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){-1, -0x1p-53, -5e-324}, 3), -one_up);
    // Rounding that carries into the next power of two.
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){nextafter(2, 0), 0x1p-53}, 2), 2);
}

PZ_TEST(overflow_happens_only_at_the_end)
{
    double values[3000];
    for (size_t i = 0; i < 3000; i++) {
        values[i] = DBL_MAX;
    }
    PZ_CHECK_EQ_DOUBLE(sum_of(values, 3000), INFINITY);
    for (size_t i = 0; i < 2999; i += 2) {
        values[i] = -DBL_MAX;
    }
    PZ_CHECK_EQ_DOUBLE(sum_of(values, 3000), 0);
    PZ_CHECK_EQ_DOUBLE(sum_of(values, 2999), -DBL_MAX);
    // Half an ulp more than the largest double rounds to infinity, anything less does not.
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){DBL_MAX, 0x1p970}, 2), INFINITY);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){DBL_MAX, 0x1p970, -1}, 3), DBL_MAX);
}

PZ_TEST(special_values)
{
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){1, INFINITY}, 2), INFINITY);
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){-INFINITY, 1}, 2), -INFINITY);
    PZ_CHECK(isnan(sum_of((double[]){-INFINITY, INFINITY}, 2)));
    PZ_CHECK(isnan(sum_of((double[]){1, NAN}, 2)));
    PZ_CHECK_EQ_DOUBLE(sum_of((double[]){-0.0}, 1), 0);
}

PZ_TEST(agrees_with_wide_arithmetic)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    enum { COUNT = 5000 };
    double *values = malloc(COUNT * sizeof *values);
    PZ_REQUIRE(values != NULL);
    for (int round = 0; round < 40; round++) {
        int scale = (int)pz_rng_range(&rng, -900, 900);
        wide exact = 0;
        for (int i = 0; i < COUNT; i++) {
            // 53 bits and 30 of exponent and 13 of count fit into 113.
            double part = pz_rng_unit(&rng) - 0.5;
            values[i] = ldexp(part, scale + (int)pz_rng_range(&rng, 0, 30));
            exact += (wide)values[i];
        }
        PZ_CHECK_EQ_DOUBLE(sum_of(values, COUNT), (double)exact);
    }
    free(values);
}

PZ_TEST(order_and_division_do_not_matter)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    enum { COUNT = 10000 };
    double *values = malloc(COUNT * sizeof *values);
    PZ_REQUIRE(values != NULL);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < COUNT; i++) {
            values[i] = round % 2 == 0 ? pz_rng_any_double(&rng) / 0x1p20
                                       : ldexp(pz_rng_unit(&rng), (int)pz_rng_range(&rng, -80, 80));
        }
        double whole = sum_of(values, COUNT);
        for (int again = 0; again < 4; again++) {
            shuffle(&rng, values, COUNT);
            PZ_CHECK_EQ_DOUBLE(sum_of(values, COUNT), whole);
            struct pz_exact_sum total = {.adds_left = 0};
            for (size_t start = 0; start < COUNT;) {
                size_t len = 1 + pz_rng_below(&rng, 4000);
                len = len < COUNT - start ? len : COUNT - start;
                struct pz_exact_sum part = {.adds_left = 0};
                for (size_t i = 0; i < len; i++) {
                    pz_exact_sum_add(&part, values[start + i]);
                }
                pz_exact_sum_merge(&total, &part);
                start += len;
            }
            PZ_CHECK_EQ_DOUBLE(pz_exact_sum_round(&total), whole);
        }
    }
    free(values);
}

PZ_TEST(everything_and_its_opposite_cancel)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    enum { COUNT = 6001 };
    double values[COUNT];
    for (int i = 0; i + 1 < COUNT; i += 2) {
        values[i] = pz_rng_any_double(&rng);
        values[i + 1] = -values[i];
    }
    values[COUNT - 1] = 0.1;
    shuffle(&rng, values, COUNT);
    PZ_CHECK_EQ_DOUBLE(sum_of(values, COUNT), 0.1);
}

PZ_TEST(rounding_does_not_spoil_the_sum)
{
    struct pz_exact_sum sum = {.adds_left = 0};
    double expected = 0;
    for (int i = 1; i <= 5000; i++) {
        pz_exact_sum_add(&sum, -i);
        expected -= i;
        PZ_CHECK_EQ_DOUBLE(pz_exact_sum_round(&sum), expected);
    }
}

// A million equal additions with no rounding between: the longest carries.
PZ_TEST(many_additions)
{
    struct pz_exact_sum sum = {.adds_left = 0};
    double value = nextafter(0x1p60, 0);
    for (int i = 0; i < 1 << 20; i++) {
        pz_exact_sum_add(&sum, value);
    }
    PZ_CHECK_EQ_DOUBLE(pz_exact_sum_round(&sum), value * 0x1p20);
}
