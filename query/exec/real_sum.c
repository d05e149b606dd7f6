// SPDX-License-Identifier: Apache-2.0
// Exact sums of doubles. Most groups have few values of like size, whose exact sum is two or three
// doubles that do not overlap (Shewchuk's expansions); a superaccumulator of half a kilobyte is
// made only when three are not enough, or a value is not finite.
#include "query/exec/real_sum.h"

#include <math.h>

// a + b = *high + *low exactly, unless it overflows.
static inline void
two_sum(double a, double b, double *high, double *low)
{
    double sum = a + b;
    double part = sum - a;
    *low = (a - (sum - part)) + (b - part);
    *high = sum;
}

static bool
make_big(struct pz_real_sum *sum, struct pz_arena *arena)
{
    sum->big = pz_arena_alloc_zero(arena, sizeof(*sum->big));
    if (sum->big == NULL) {
        return false;
    }
    for (int i = 0; i < PZ_REAL_PARTS; i++) {
        if (sum->parts[i] != 0) {
            pz_exact_sum_add(sum->big, sum->parts[i]);
        }
    }
    return true;
}

bool
pz_real_sum_add(struct pz_real_sum *sum, double value, struct pz_arena *arena)
{
    if (sum->big == NULL) {
        // The parts rise in size; the value is carried up through them and what each step cannot
        // hold stays behind.
        double parts[PZ_REAL_PARTS] = {0};
        double carry = value;
        int used = 0;
        for (int i = 0; i < PZ_REAL_PARTS && sum->parts[i] != 0; i++) {
            double rest;
            two_sum(carry, sum->parts[i], &carry, &rest);
            if (rest != 0) {
                parts[used++] = rest;
            }
        }
        if (used < PZ_REAL_PARTS && isfinite(carry)) {
            if (carry != 0) {
                parts[used] = carry;
            }
            for (int i = 0; i < PZ_REAL_PARTS; i++) {
                sum->parts[i] = parts[i];
            }
            return true;
        }
        if (!make_big(sum, arena)) {
            return false;
        }
    }
    pz_exact_sum_add(sum->big, value);
    return true;
}

bool
pz_real_sum_merge(struct pz_real_sum *into, struct pz_real_sum *from, struct pz_arena *arena)
{
    if (from->big != NULL) {
        if (into->big == NULL && !make_big(into, arena)) {
            return false;
        }
        pz_exact_sum_merge(into->big, from->big);
        return true;
    }
    for (int i = 0; i < PZ_REAL_PARTS; i++) {
        if (from->parts[i] != 0 && !pz_real_sum_add(into, from->parts[i], arena)) {
            return false;
        }
    }
    return true;
}

double
pz_real_sum_round(struct pz_real_sum *sum)
{
    if (sum->big != NULL) {
        return pz_exact_sum_round(sum->big);
    }
    if (sum->parts[1] == 0) {
        return sum->parts[0];
    }
    struct pz_exact_sum exact = {0};
    for (int i = 0; i < PZ_REAL_PARTS; i++) {
        pz_exact_sum_add(&exact, sum->parts[i]);
    }
    return pz_exact_sum_round(&exact);
}
