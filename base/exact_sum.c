// SPDX-License-Identifier: Apache-2.0
// The order-free sum of doubles: Neal's small superaccumulator.
//
// The accumulator is one long fixed-point number that covers every double: chunk i counts units of
// 2^(32 i - 1075). A double's 53-bit mantissa, shifted by the low five bits of its exponent, falls
// on two neighbouring chunks. Chunks are signed 64-bit, so they overlap by 32 bits and about two
// thousand values can be added before carries must move up. Nothing is ever rounded until the end.
#include "base/num.h"
#include "base/status.h"

#include <math.h>

enum {
    CHUNKS = 67,
    TOP = CHUNKS - 1,
    // Each value adds less than 2^52 to a chunk, which starts below 2^32: 2^63 is not reached.
    ADDS_MAX = 2046,
    LIMBS = CHUNKS + 1
};
_Static_assert(sizeof(double) == 8, "doubles are IEEE 754 binary64");

// Moves carries up: every chunk but the top then lies in [0, 2^32); the top carries the sign.
static void
propagate(struct pz_exact_sum *sum)
{
    int64_t carry = 0;
    for (int i = 0; i < TOP; i++) {
        int64_t value = sum->chunk[i] + carry;
        carry = value >> 32;
        sum->chunk[i] = (int64_t)((uint64_t)value & UINT32_MAX);
    }
    sum->chunk[TOP] += carry;
    sum->adds_left = ADDS_MAX;
}

static void
add_special(struct pz_exact_sum *sum, double value)
{
    if (isnan(value)) {
        sum->nan = 1;
    } else if (value > 0) {
        sum->inf_positive = 1;
    } else {
        sum->inf_negative = 1;
    }
}

void
pz_exact_sum_add(struct pz_exact_sum *sum, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, 8);
    uint32_t exponent = (uint32_t)(bits >> 52) & 0x7ff;
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    if (exponent == 0x7ff) {
        add_special(sum, value);
        return;
    }
    if (exponent == 0) {
        if (mantissa == 0) {
            return;
        }
        exponent = 1; // subnormal: the same unit as the smallest normal, without its top bit
    } else {
        mantissa |= UINT64_C(1) << 52;
    }
    if (sum->adds_left == 0) {
        propagate(sum);
    }
    sum->adds_left--;
    uint32_t idx = exponent >> 5;
    uint32_t shift = exponent & 31;
    int64_t low = (int64_t)((mantissa << shift) & UINT32_MAX);
    int64_t high = (int64_t)(mantissa >> (32 - shift));
    if (bits >> 63) {
        sum->chunk[idx] -= low;
        sum->chunk[idx + 1] -= high;
    } else {
        sum->chunk[idx] += low;
        sum->chunk[idx + 1] += high;
    }
}

void
pz_exact_sum_merge(struct pz_exact_sum *into, struct pz_exact_sum *from)
{
    PZ_ASSERT(into != from);
    propagate(into);
    propagate(from);
    for (int i = 0; i < CHUNKS; i++) {
        into->chunk[i] += from->chunk[i];
    }
    into->adds_left--;
    into->inf_positive |= from->inf_positive;
    into->inf_negative |= from->inf_negative;
    into->nan |= from->nan;
}

// 64 bits of the number from bit `start` up.
static uint64_t
bits_from(const uint32_t limbs[LIMBS + 2], int start)
{
    int idx = start / 32;
    int shift = start % 32;
    uint64_t low = limbs[idx] | (uint64_t)limbs[idx + 1] << 32;
    uint64_t high = limbs[idx + 2];
    return shift == 0 ? low : low >> shift | high << (64 - shift);
}

// Whether any bit below bit `end` is set.
static bool
any_bit_below(const uint32_t limbs[LIMBS + 2], int end)
{
    for (int i = 0; i < end / 32; i++) {
        if (limbs[i] != 0) {
            return true;
        }
    }
    uint32_t mask = (UINT32_C(1) << (end % 32)) - 1;
    return (limbs[end / 32] & mask) != 0;
}

// The double nearest to a positive number whose highest set bit is `top`, ties to even.
static double
round_limbs(const uint32_t limbs[LIMBS + 2], int top)
{
    uint64_t result;
    if (top <= 52) {
        // Below the smallest normal: bit 1 is the unit 2^-1074, so this is exact.
        result = bits_from(limbs, 1);
    } else {
        int last = top - 52; // the bit that becomes the mantissa's lowest
        uint64_t mantissa = bits_from(limbs, last) & ((UINT64_C(1) << 53) - 1);
        bool is_half = bits_from(limbs, last - 1) & 1;
        if (is_half && ((mantissa & 1) || any_bit_below(limbs, last - 1))) {
            mantissa++;
        }
        // `last` is the exponent field. Added, not or-ed: the mantissa's top bit raises the
        // field by one, and by two when rounding carried out of it.
        result = ((uint64_t)(last - 1) << 52) + mantissa;
        if (result >> 52 >= 0x7ff) {
            return INFINITY;
        }
    }
    double value;
    memcpy(&value, &result, 8);
    return value;
}

double
pz_exact_sum_round(struct pz_exact_sum *sum)
{
    if (sum->nan || (sum->inf_positive && sum->inf_negative)) {
        return NAN;
    }
    if (sum->inf_positive || sum->inf_negative) {
        return sum->inf_positive ? INFINITY : -INFINITY;
    }
    propagate(sum);
    bool is_negative = sum->chunk[TOP] < 0;
    struct pz_exact_sum magnitude = *sum;
    if (is_negative) {
        for (int i = 0; i < CHUNKS; i++) {
            magnitude.chunk[i] = -magnitude.chunk[i];
        }
        propagate(&magnitude);
    }
    uint32_t limbs[LIMBS + 2] = {0}; // two above, so that reading across the end is harmless
    for (int i = 0; i < TOP; i++) {
        limbs[i] = (uint32_t)magnitude.chunk[i];
    }
    limbs[TOP] = (uint32_t)magnitude.chunk[TOP];
    limbs[TOP + 1] = (uint32_t)(magnitude.chunk[TOP] >> 32);
    int idx = LIMBS - 1;
    while (idx >= 0 && limbs[idx] == 0) {
        idx--;
    }
    if (idx < 0) {
        return 0;
    }
    double value = round_limbs(limbs, idx * 32 + 31 - __builtin_clz(limbs[idx]));
    return is_negative ? -value : value;
}
