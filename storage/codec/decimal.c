// SPDX-License-Identifier: Apache-2.0
// Decimal: doubles that were written with a few decimals are integers over a power of ten.
// Value i is integer i / 10^exponent, one correctly rounded division, so that it is bit for bit
// the double it was; what is not (NaN, infinities, -0, more digits) is an exception.
//
// Body: u32 exponent, u32 exception count; the array of integers; u16 positions of the exceptions,
// rising, filled up to 8 bytes; their doubles.
#include "storage/codec/codec_internal.h"

#include <math.h>

#define EXPONENT_MAX 15
#define EXCEPTION_SHARE_MAX 8u // one in so many
#define INTEGER_MAX 9007199254740992.0

static const double powers[EXPONENT_MAX + 1] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

static bool
is_exact(uint64_t bits, int exponent, int64_t *integer_out)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    double scaled = value * powers[exponent];
    if (!(fabs(scaled) <= INTEGER_MAX)) {
        return false;
    }
    int64_t integer = llrint(scaled);
    double back = (double)integer / powers[exponent];
    uint64_t back_bits;
    memcpy(&back_bits, &back, sizeof(back_bits));
    *integer_out = integer;
    return back_bits == bits;
}

// The fewest decimals that give the value exactly, looking first near `hint`; -1 when none do.
static int
decimals_of(uint64_t bits, int hint)
{
    int64_t integer;
    if (is_exact(bits, hint, &integer)) {
        while (hint > 0 && is_exact(bits, hint - 1, &integer)) {
            hint--;
        }
        return hint;
    }
    for (int exponent = hint + 1; exponent <= EXPONENT_MAX; exponent++) {
        if (is_exact(bits, exponent, &integer)) {
            return exponent;
        }
    }
    return -1;
}

// The two exponents worth trying: one that leaves few exceptions, and one that leaves the fewest.
// Returns false when too many values are no decimals.
static bool
find_exponents(const struct pz__reals *reals, int *few_out, int *fewest_out)
{
    uint32_t histogram[EXPONENT_MAX + 1] = {0};
    uint32_t exceptions_max = reals->count / EXCEPTION_SHARE_MAX;
    uint32_t exceptions = 0;
    int hint = 0;
    for (uint32_t i = 0; i < reals->count; i++) {
        int decimals = decimals_of(reals->bits[i], hint);
        if (decimals >= 0) {
            histogram[decimals]++;
            hint = decimals;
        } else if (++exceptions > exceptions_max) {
            return false;
        }
    }
    int exponent = EXPONENT_MAX;
    while (exponent > 0 && histogram[exponent] == 0) {
        exponent--;
    }
    *fewest_out = exponent;
    while (exponent > 0 && exceptions + histogram[exponent] <= exceptions_max) {
        exceptions += histogram[exponent];
        exponent--;
    }
    *few_out = exponent;
    return true;
}

struct decimal_plan {
    int exponent;
    uint32_t exception_count;
    const struct pz__int_plan *integers;
    const uint32_t *positions;
    size_t bytes;
};

static enum pz_status
make_plan(struct pz_arena *arena, const struct pz__reals *reals, int exponent,
          struct decimal_plan *plan, struct pz_error *err)
{
    uint64_t *integers = pz_arena_alloc_array(arena, reals->count, sizeof(*integers));
    uint32_t *positions = pz_arena_alloc_array(arena, reals->count, sizeof(*positions));
    if (integers == NULL || positions == NULL) {
        return pz__codec_no_memory(err);
    }
    *plan = (struct decimal_plan){.exponent = exponent, .positions = positions};
    int64_t previous = 0;
    for (uint32_t i = 0; i < reals->count; i++) {
        int64_t integer;
        if (is_exact(reals->bits[i], exponent, &integer)) {
            previous = integer;
        } else {
            positions[plan->exception_count++] = i;
        }
        integers[i] = (uint64_t)previous;
    }
    PZ_TRY(pz__int_plan(arena, integers, reals->count, PZ__INT_ALL, &plan->integers, err));
    plan->bytes = 8 + plan->integers->bytes + pz__round8(plan->exception_count * sizeof(uint16_t)) +
                  plan->exception_count * sizeof(uint64_t);
    return PZ_OK;
}

enum pz_status
pz__decimal_encode(struct pz_codec_work *work, const struct pz__reals *reals, struct pz_buffer *out,
                   struct pz_error *err)
{
    int few;
    int fewest;
    if (!find_exponents(reals, &few, &fewest)) {
        return PZ_OK;
    }
    struct decimal_plan plan;
    PZ_TRY(make_plan(&work->arena, reals, few, &plan, err));
    if (few != fewest) {
        struct decimal_plan other;
        PZ_TRY(make_plan(&work->arena, reals, fewest, &other, err));
        plan = other.bytes < plan.bytes ? other : plan;
    }
    if (plan.bytes >= reals->best_bytes) {
        return PZ_OK;
    }
    uint8_t *at = pz__append_zero(out, plan.bytes);
    if (at == NULL) {
        return pz__codec_no_memory(err);
    }
    pz_store_le32(at, (uint32_t)plan.exponent);
    pz_store_le32(at + 4, plan.exception_count);
    pz__int_emit(plan.integers, at + 8);
    uint8_t *positions = at + 8 + plan.integers->bytes;
    uint8_t *values = positions + pz__round8(plan.exception_count * sizeof(uint16_t));
    for (uint32_t i = 0; i < plan.exception_count; i++) {
        pz_store_le16(positions + i * sizeof(uint16_t), (uint16_t)plan.positions[i]);
        pz_store_le64(values + i * sizeof(uint64_t), reals->bits[plan.positions[i]]);
    }
    return PZ_OK;
}

enum pz_status
pz__decimal_decode(struct pz_codec_work *work, const struct pz__body *body, double *out,
                   struct pz_error *err)
{
    uint32_t exponent = body->len >= 8 ? pz_load_le32(body->bytes) : UINT32_MAX;
    uint32_t exceptions = body->len >= 8 ? pz_load_le32(body->bytes + 4) : 0;
    if (exponent > EXPONENT_MAX || exceptions > body->count) {
        return pz_fail(err, PZ_CORRUPT, "decimals of 10^%u with %u exceptions", exponent,
                       exceptions);
    }
    uint64_t *integers = pz_arena_alloc_array(&work->arena, body->count, sizeof(*integers));
    if (integers == NULL) {
        return pz__codec_no_memory(err);
    }
    struct pz__decoder decoder = {.arena = &work->arena, .err = err};
    struct pz__ints ints = {.wide = integers, .count = body->count};
    size_t used;
    PZ_TRY(pz__int_decode(&decoder, body->bytes + 8, body->len - 8, &ints, &used));
    for (uint32_t i = 0; i < body->count; i++) {
        out[i] = (double)(int64_t)integers[i] / powers[exponent];
    }
    const uint8_t *positions = body->bytes + 8 + used;
    size_t positions_bytes = pz__round8(exceptions * sizeof(uint16_t));
    if (body->len - 8 - used != positions_bytes + exceptions * sizeof(uint64_t)) {
        return pz_fail(err, PZ_CORRUPT, "%zu bytes for %u exceptions", body->len - 8 - used,
                       exceptions);
    }
    for (uint32_t i = 0; i < exceptions; i++) {
        uint32_t position = pz_load_le16(positions + i * sizeof(uint16_t));
        if (position >= body->count) {
            return pz_fail(err, PZ_CORRUPT, "exception %u stands at %u of %u values", i, position,
                           body->count);
        }
        memcpy(&out[position], positions + positions_bytes + i * sizeof(uint64_t), sizeof(double));
    }
    return PZ_OK;
}
