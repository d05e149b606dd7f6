// SPDX-License-Identifier: Apache-2.0
// LIKE against a plain recursive matcher, and patterns that would take for ever by trial.
#include "query/func/like.h"

#include "base/clock.h"
#include "tests/support/test.h"

#include <stdlib.h>

static bool
never(void *payload)
{
    (void)payload;
    return false;
}

static bool
match(const char *text, const char *pattern)
{
    struct pz_arena arena;
    struct pz_like like;
    pz_arena_init(&arena, NULL);
    bool is_compiled =
        pz_like_compile(pz_str_from(pattern), PZ_STR("\\"), &arena, &like) == PZ_LIKE_OK;
    bool is_match = is_compiled && pz_like_match(&like, pz_str_from(text), never, NULL);
    pz_arena_fini(&arena);
    PZ_CHECK(is_compiled);
    return is_match;
}

// By the definition, on ASCII, without escapes.
static bool
plain_match(const char *text, const char *pattern)
{
    if (*pattern == '\0') {
        return *text == '\0';
    }
    if (*pattern == '%') {
        return plain_match(text, pattern + 1) || (*text != '\0' && plain_match(text + 1, pattern));
    }
    return *text != '\0' && (*pattern == '_' || *pattern == *text) &&
           plain_match(text + 1, pattern + 1);
}

PZ_TEST(random_patterns_match_as_defined)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    uint32_t matches = 0;
    for (int round = 0; round < 200000; round++) {
        char text[9] = {0};
        char pattern[7] = {0};
        uint64_t text_len = pz_rng_below(&rng, 9);
        uint64_t pattern_len = pz_rng_below(&rng, 7);
        for (uint64_t i = 0; i < text_len; i++) {
            text[i] = "ab"[pz_rng_below(&rng, 2)];
        }
        for (uint64_t i = 0; i < pattern_len; i++) {
            pattern[i] = "ab%_"[pz_rng_below(&rng, 4)];
        }
        bool expected = plain_match(text, pattern);
        matches += expected;
        if (match(text, pattern) != expected) {
            PZ_CHECK_MSG(false, "'%s' LIKE '%s' is %d", text, pattern, !expected);
            return;
        }
    }
    PZ_CHECK(matches > 1000);
}

PZ_TEST(an_underscore_is_one_character_not_one_byte)
{
    PZ_CHECK(match("ü", "_"));
    PZ_CHECK(!match("ü", "__"));
    PZ_CHECK(match("grün", "gr_n"));
    PZ_CHECK(match("x€y", "x_y"));
    PZ_CHECK(match("ab😀", "%_"));
    PZ_CHECK(match("😀ab", "_%b"));
    PZ_CHECK(match("a😀€ü", "a___"));
    PZ_CHECK(!match("a😀€ü", "a__"));
    PZ_CHECK(match("日本語", "%_語"));
}

PZ_TEST(escapes_take_characters_literally)
{
    PZ_CHECK(match("50%", "50\\%"));
    PZ_CHECK(!match("50x", "50\\%"));
    PZ_CHECK(match("a_b", "a\\_b"));
    PZ_CHECK(!match("axb", "a\\_b"));
    PZ_CHECK(match("a\\b", "a\\\\b"));
    struct pz_arena arena;
    struct pz_like like;
    pz_arena_init(&arena, NULL);
    PZ_CHECK(pz_like_compile(PZ_STR("abc\\"), PZ_STR("\\"), &arena, &like) == PZ_LIKE_BAD_ESCAPE);
    PZ_CHECK(pz_like_compile(PZ_STR("abc\\"), PZ_STR(""), &arena, &like) == PZ_LIKE_OK);
    PZ_CHECK(pz_like_match(&like, PZ_STR("abc\\"), never, NULL));
    pz_arena_fini(&arena);
}

PZ_TEST(time_is_bounded_whatever_the_pattern)
{
    enum { LEN = 200000 };
    char *text = malloc(LEN + 1);
    PZ_REQUIRE(text != NULL);
    memset(text, 'a', LEN);
    text[LEN] = '\0';
    int64_t start_us = pz_clock_mono_us();
    PZ_CHECK(!match(text, "%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%ab"));
    PZ_CHECK(!match(text, "%a_%a_%a_%a_%a_%a_%a_%a_%a_%a_%a_%a_%a_%a_%a_%b%"));
    PZ_CHECK(!match(text, "%_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab%"));
    int64_t elapsed_us = pz_clock_mono_us() - start_us;
    PZ_CHECK_MSG(elapsed_us < 5000000, "took %lld us", (long long)elapsed_us);
    free(text);
}

static bool
at_once(void *payload)
{
    ++*(int *)payload;
    return true;
}

PZ_TEST(a_long_search_asks_whether_to_stop)
{
    enum { LEN = 200000 };
    struct pz_arena arena;
    struct pz_like like;
    int asked = 0;
    pz_arena_init(&arena, NULL);
    char *text = pz_arena_alloc(&arena, LEN);
    PZ_REQUIRE(text != NULL);
    memset(text, 'a', LEN);
    PZ_REQUIRE(pz_like_compile(PZ_STR("%_aaaaaaab%"), PZ_STR("\\"), &arena, &like) == PZ_LIKE_OK);
    PZ_CHECK(!pz_like_match(&like, (struct pz_str){text, LEN}, at_once, &asked));
    PZ_CHECK_EQ_I64(asked, 1);
    pz_arena_fini(&arena);
}
