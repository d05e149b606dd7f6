// SPDX-License-Identifier: Apache-2.0
// Integer arrays: every codec over every shape gives back what it was given, the exact size it
// announced is the size it takes, and obvious shapes get the codec that suits them.
#include "storage/codec/codec_internal.h"
#include "tests/support/test.h"

#include <stdlib.h>

// ---- shapes
// --------------------------------------------------------------------------------------

struct shape {
    const char *name;
    uint64_t (*value)(struct pz_rng *rng, uint32_t i, uint64_t previous);
};

static uint64_t
zero(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)rng, (void)i, (void)previous;
    return 0;
}
static uint64_t
lowest(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)rng, (void)i, (void)previous;
    return UINT64_C(1) << 63;
}
static uint64_t
count_up(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)rng, (void)previous;
    return 1000 + 7 * (uint64_t)i;
}
static uint64_t
count_down(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)rng, (void)previous;
    return (uint64_t)-5 - 3 * (uint64_t)i;
}
static uint64_t
extremes(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)rng, (void)previous;
    return i % 2 == 0 ? (uint64_t)INT64_MIN : (uint64_t)INT64_MAX;
}
static uint64_t
anything(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)i, (void)previous;
    return pz_rng_u64(rng);
}
static uint64_t
small(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)i, (void)previous;
    return pz_rng_below(rng, 3);
}
static uint64_t
around_zero(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)i, (void)previous;
    return (uint64_t)pz_rng_range(rng, -1000, 1000);
}
static uint64_t
outliers(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)i, (void)previous;
    return pz_rng_chance(rng, 0.01) ? pz_rng_u64(rng) >> 1 : pz_rng_below(rng, 500);
}
static uint64_t
few_far_apart(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)i, (void)previous;
    return pz_rng_below(rng, 20) * UINT64_C(0x0123456789abcdef);
}
static uint64_t
long_runs(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)i;
    return pz_rng_chance(rng, 0.01) ? pz_rng_u64(rng) : previous;
}
static uint64_t
short_runs(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)rng, (void)previous;
    return i / 2 * UINT64_C(0x9e3779b97f4a7c15);
}
static uint64_t
rising(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    return i == 0 ? UINT64_C(1790000000000000) : previous + pz_rng_below(rng, 1600000);
}
static uint64_t
rising_milliseconds(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    return i == 0 ? UINT64_C(1790000000000123) : previous + 1000 * pz_rng_below(rng, 1600);
}
static uint64_t
scaled(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)i, (void)previous;
    return 17 + 86400 * pz_rng_below(rng, 100000);
}
static uint64_t
zeros_among_times(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)i, (void)previous;
    return pz_rng_chance(rng, 0.01) ? 0 : UINT64_C(1790000000000000) + pz_rng_below(rng, 4000000);
}
static uint64_t
wide(struct pz_rng *rng, uint32_t i, uint64_t previous)
{
    (void)i, (void)previous;
    return pz_rng_u64(rng) >> 20;
}

static const struct shape shapes[] = {
    {"zero", zero},           {"lowest", lowest},
    {"count up", count_up},   {"count down", count_down},
    {"extremes", extremes},   {"anything", anything},
    {"small", small},         {"around zero", around_zero},
    {"outliers", outliers},   {"few far apart", few_far_apart},
    {"long runs", long_runs}, {"short runs", short_runs},
    {"rising", rising},       {"rising milliseconds", rising_milliseconds},
    {"scaled", scaled},       {"zeros among times", zeros_among_times},
    {"wide", wide},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))
static const uint32_t counts[] = {1, 2, 3, 31, 1023, 1024, 1025, 5000, 65536};
#define COUNTS (sizeof(counts) / sizeof(counts[0]))

static void
fill(const struct shape *shape, uint64_t seed, uint64_t *values, uint32_t count)
{
    struct pz_rng rng;
    pz_rng_init(&rng, seed);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = shape->value(&rng, i, i > 0 ? values[i - 1] : 0);
    }
}

// ---- checks
// --------------------------------------------------------------------------------------

static uint64_t values[PZ_CODEC_ARRAY_MAX];
static uint64_t wide_out[PZ_CODEC_ARRAY_MAX + 1];
static uint32_t narrow_out[PZ_CODEC_ARRAY_MAX + 1];

static void
check_narrow(struct pz_arena *arena, const uint8_t *bytes, size_t len, uint32_t count,
             const char *what)
{
    struct pz_error err = {0};
    struct pz__decoder decoder = {.arena = arena, .err = &err};
    struct pz__ints out = {.narrow = narrow_out, .count = count};
    narrow_out[count] = 0xabababab;
    PZ_CHECK_OK(pz__int_decode(&decoder, bytes, len, &out, NULL), &err);
    bool is_same = narrow_out[count] == 0xabababab;
    for (uint32_t i = 0; i < count; i++) {
        is_same = is_same && narrow_out[i] == (uint32_t)values[i];
    }
    PZ_CHECK_MSG(is_same, "%s of %u values into 32 bits", what, count);
}

static void
check_plan(struct pz_arena *arena, const struct pz__int_plan *plan, const char *what)
{
    struct pz_error err = {0};
    uint32_t count = plan->count;
    uint8_t *bytes = calloc(1, plan->bytes); // its end is watched by the sanitizer
    pz__int_emit(plan, bytes);
    struct pz__decoder decoder = {.arena = arena, .err = &err};
    struct pz__ints out = {.wide = wide_out, .count = count};
    size_t used = 0;
    wide_out[count] = UINT64_C(0xcdcdcdcd);
    PZ_CHECK_OK(pz__int_decode(&decoder, bytes, plan->bytes, &out, &used), &err);
    PZ_CHECK_EQ_U64(used, plan->bytes);
    PZ_CHECK_MSG(memcmp(values, wide_out, count * sizeof(values[0])) == 0, "%s of %u values", what,
                 count);
    PZ_CHECK_EQ_U64(wide_out[count], UINT64_C(0xcdcdcdcd));
    check_narrow(arena, bytes, plan->bytes, count, what);
    free(bytes);
}

PZ_TEST(every_codec_gives_back_every_shape)
{
    static const struct {
        const char *name;
        const struct pz__int_codec_ops *ops;
        enum pz__int_codec codec;
    } codecs[] = {
        {"constant", &pz__int_constant, PZ__INT_CONSTANT},
        {"sequence", &pz__int_sequence, PZ__INT_SEQUENCE},
        {"runs", &pz__int_runs, PZ__INT_RUNS},
        {"packed", &pz__int_packed, PZ__INT_PACKED},
        {"delta", &pz__int_delta, PZ__INT_DELTA},
        {"dictionary", &pz__int_dictionary, PZ__INT_DICTIONARY},
    };
    struct pz_arena arena;
    struct pz_error err = {0};
    unsigned fits_of[6] = {0};
    pz_arena_init(&arena, NULL);
    for (size_t s = 0; s < SHAPES * COUNTS; s++) {
        uint32_t count = counts[s % COUNTS];
        fill(&shapes[s / COUNTS], pz_test_seed() + s, values, count);
        for (size_t c = 0; c < 6; c++) {
            struct pz__int_input input = {.arena = &arena,
                                          .values = values,
                                          .count = count,
                                          .allowed = PZ__INT_ALL,
                                          .stats = pz__int_study(values, count),
                                          .best_bytes = 1u << 30};
            struct pz__int_plan plan = {.codec = codecs[c].codec, .count = count};
            bool fits = false;
            pz_arena_reset(&arena);
            PZ_CHECK_OK(codecs[c].ops->plan(&input, &plan, &fits, &err), &err);
            if (fits) {
                fits_of[c]++;
                check_plan(&arena, &plan, codecs[c].name);
            }
        }
    }
    for (size_t c = 0; c < 6; c++) {
        PZ_CHECK_MSG(fits_of[c] > 0, "%s was never tried", codecs[c].name);
    }
    pz_arena_fini(&arena);
}

PZ_TEST(the_choice_gives_back_every_shape)
{
    struct pz_arena arena;
    struct pz_error err = {0};
    pz_arena_init(&arena, NULL);
    for (size_t s = 0; s < SHAPES * COUNTS; s++) {
        const struct pz__int_plan *plan;
        uint32_t count = counts[s % COUNTS];
        fill(&shapes[s / COUNTS], pz_test_seed() + 1000 + s, values, count);
        pz_arena_reset(&arena);
        PZ_REQUIRE_OK(pz__int_plan(&arena, values, count, PZ__INT_ALL, &plan, &err), &err);
        check_plan(&arena, plan, shapes[s / COUNTS].name);
        PZ_CHECK(plan->bytes <= PZ__NODE_HEADER + count * sizeof(uint64_t));
    }
    pz_arena_fini(&arena);
}

static void
check_choice(const char *name, enum pz__int_codec wanted, double bits_max)
{
    struct pz_arena arena;
    struct pz_error err = {0};
    const struct pz__int_plan *plan;
    pz_arena_init(&arena, NULL);
    for (size_t s = 0; s < SHAPES; s++) {
        if (pz_str_equal(pz_str_from(shapes[s].name), pz_str_from(name))) {
            fill(&shapes[s], pz_test_seed(), values, 65536);
        }
    }
    PZ_REQUIRE_OK(pz__int_plan(&arena, values, 65536, PZ__INT_ALL, &plan, &err), &err);
    PZ_CHECK_MSG(plan->codec == wanted, "%s got codec %d", name, (int)plan->codec);
    double bits = (double)plan->bytes * 8 / 65536;
    PZ_CHECK_MSG(bits <= bits_max, "%s takes %.2f bits a value", name, bits);
    pz_arena_fini(&arena);
}

PZ_TEST(shapes_get_the_codec_that_suits_them)
{
    check_choice("zero", PZ__INT_CONSTANT, 0.01);
    check_choice("count up", PZ__INT_SEQUENCE, 0.01);
    check_choice("count down", PZ__INT_SEQUENCE, 0.01);
    check_choice("small", PZ__INT_PACKED, 2.01);
    check_choice("outliers", PZ__INT_PACKED, 10);
    check_choice("few far apart", PZ__INT_PACKED, 5.01); // one common divisor
    check_choice("extremes", PZ__INT_PACKED, 1.01);
    check_choice("long runs", PZ__INT_RUNS, 0.9);
    check_choice("rising", PZ__INT_DELTA, 21.1);
    check_choice("rising milliseconds", PZ__INT_DELTA, 11.1);
    check_choice("scaled", PZ__INT_PACKED, 17.1);
    check_choice("zeros among times", PZ__INT_PACKED, 23);
    check_choice("wide", PZ__INT_PACKED, 44.1);
}

PZ_TEST(few_distinct_values_without_a_common_step_get_a_dictionary)
{
    struct pz_arena arena;
    struct pz_error err = {0};
    struct pz_rng rng;
    const struct pz__int_plan *plan;
    uint64_t distinct[200];
    pz_arena_init(&arena, NULL);
    pz_rng_init(&rng, pz_test_seed());
    for (size_t i = 0; i < 200; i++) {
        distinct[i] = pz_rng_u64(&rng);
    }
    for (size_t i = 0; i < 65536; i++) {
        values[i] = distinct[pz_rng_below(&rng, 200)];
    }
    PZ_REQUIRE_OK(pz__int_plan(&arena, values, 65536, PZ__INT_ALL, &plan, &err), &err);
    PZ_CHECK_EQ_I64(plan->codec, PZ__INT_DICTIONARY);
    PZ_CHECK(plan->bytes < 65536 + 200 * 8 + 200);
    check_plan(&arena, plan, "dictionary");
    pz_arena_fini(&arena);
}

PZ_TEST(damaged_nodes_are_refused_or_harmless)
{
    struct pz_arena arena;
    struct pz_rng rng;
    pz_arena_init(&arena, NULL);
    pz_rng_init(&rng, pz_test_seed());
    for (size_t s = 0; s < SHAPES; s++) {
        struct pz_error err = {0};
        const struct pz__int_plan *plan;
        fill(&shapes[s], pz_test_seed(), values, 2500);
        pz_arena_reset(&arena);
        PZ_REQUIRE_OK(pz__int_plan(&arena, values, 2500, PZ__INT_ALL, &plan, &err), &err);
        uint8_t *bytes = calloc(1, plan->bytes);
        pz__int_emit(plan, bytes);
        for (int round = 0; round < 400; round++) {
            // Headers are where it hurts: of this node and of those inside.
            size_t at = pz_rng_below(&rng, plan->bytes < 128 ? plan->bytes : 128);
            uint8_t old = bytes[at];
            bytes[at] = (uint8_t)pz_rng_u64(&rng);
            struct pz__decoder decoder = {.arena = &arena, .err = &err};
            struct pz__ints out = {.wide = wide_out, .count = 2500};
            enum pz_status status = pz__int_decode(&decoder, bytes, plan->bytes, &out, NULL);
            PZ_CHECK(status == PZ_OK || status == PZ_CORRUPT);
            bytes[at] = old;
        }
        struct pz__decoder decoder = {.arena = &arena, .err = &err};
        struct pz__ints out = {.wide = wide_out, .count = 2500};
        for (size_t len = 0; len < plan->bytes; len += 1 + plan->bytes / 64) {
            PZ_CHECK_STATUS(pz__int_decode(&decoder, bytes, len, &out, NULL), PZ_CORRUPT, &err);
            decoder.depth = 0;
        }
        out.count = 2499;
        PZ_CHECK_STATUS(pz__int_decode(&decoder, bytes, plan->bytes, &out, NULL), PZ_CORRUPT, &err);
        free(bytes);
    }
    pz_arena_fini(&arena);
}
