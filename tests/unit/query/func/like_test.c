// SPDX-License-Identifier: Apache-2.0
// LIKE against a plain recursive matcher, and patterns that would take for ever by trial.
#include "query/func/like.h"

#include "tests/support/test.h"

#include <stdlib.h>

// Whether the compiled pattern matches, in a statement without a time limit.
static bool
match_compiled(const struct pz_like *like, struct pz_str text)
{
    struct pz_session session = {.deadline_mono_us = INT64_MAX};
    struct pz_work work = {.session = &session};
    struct pz_error err = {0};
    bool is_match = false;
    PZ_CHECK_OK(pz_like_match(like, text, &work, &is_match, &err), &err);
    return is_match;
}

static bool
match(const char *text, const char *pattern)
{
    struct pz_arena arena;
    struct pz_like like;
    pz_arena_init(&arena, NULL);
    bool is_compiled =
        pz_like_compile(pz_str_from(pattern), PZ_STR("\\"), &arena, &like) == PZ_LIKE_OK;
    bool is_match = is_compiled && match_compiled(&like, pz_str_from(text));
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
    PZ_CHECK(match_compiled(&like, PZ_STR("abc\\")));
    pz_arena_fini(&arena);
}

// ---- long pieces ---------------------------------------------------------------------------

enum { TEXT_CHARS = 9000, PIECE_CHARS = 300 };

// Characters as numbers, to compare without minding bytes.
static uint32_t
write_text(const int *chars, uint32_t count, char *out)
{
    static const char *const letters[] = {"a", "b", "ü", "€", "😀", "_"};
    uint32_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        size_t bytes = strlen(letters[chars[i]]);
        memcpy(out + len, letters[chars[i]], bytes);
        len += (uint32_t)bytes;
    }
    out[len] = '\0';
    return len;
}

// The end of the leftmost place of the piece (5 is any character), or 0.
static uint32_t
plain_find(const int *text, uint32_t text_count, const int *piece, uint32_t count)
{
    for (uint32_t at = 0; at + count <= text_count; at++) {
        uint32_t i = 0;
        while (i < count && (piece[i] == 5 || piece[i] == text[at + i])) {
            i++;
        }
        if (i == count) {
            return at + count;
        }
    }
    return 0;
}

struct long_case {
    int text[TEXT_CHARS];
    uint32_t text_count;
    int piece[PIECE_CHARS];
    uint32_t count;
};

// A text of few different characters, and a piece that stands in it or nearly does.
static void
make_long_case(struct long_case *c, struct pz_rng *rng)
{
    uint64_t kinds = 1 + pz_rng_below(rng, 5);
    c->text_count = 1 + (uint32_t)pz_rng_below(rng, TEXT_CHARS);
    for (uint32_t i = 0; i < c->text_count; i++) {
        bool is_rare = pz_rng_below(rng, 50) == 0;
        c->text[i] = (int)(is_rare ? pz_rng_below(rng, kinds) : 0);
    }
    c->count =
        1 + (uint32_t)pz_rng_below(rng, c->text_count < PIECE_CHARS ? c->text_count : PIECE_CHARS);
    uint32_t from = (uint32_t)pz_rng_below(rng, c->text_count - c->count + 1);
    memcpy(c->piece, c->text + from, c->count * sizeof(int));
    for (uint64_t i = 1 + pz_rng_below(rng, 4); i > 0; i--) {
        c->piece[pz_rng_below(rng, c->count)] = 5;
    }
    if (pz_rng_below(rng, 2) == 0) {
        c->piece[pz_rng_below(rng, c->count)] = (int)pz_rng_below(rng, 5);
    }
}

// The same, and then at least `rest` characters.
static bool
match_with_rest(const char *text, char *pattern, uint32_t len, uint32_t rest)
{
    pattern[len] = '%';
    memset(pattern + len + 1, '_', rest);
    memcpy(pattern + len + 1 + rest, "%", 2);
    return match(text, pattern);
}

PZ_TEST(long_pieces_match_as_defined)
{
    static struct long_case c;
    static char text[4 * TEXT_CHARS + 1];
    static char pattern[4 * PIECE_CHARS + TEXT_CHARS + 8] = "%";
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    uint32_t matches = 0;
    for (int round = 0; round < 400; round++) {
        make_long_case(&c, &rng);
        write_text(c.text, c.text_count, text);
        uint32_t len = 1 + write_text(c.piece, c.count, pattern + 1);
        uint32_t end = plain_find(c.text, c.text_count, c.piece, c.count);
        bool is_match = match_with_rest(text, pattern, len, 0);
        matches += end > 0;
        PZ_CHECK_MSG(is_match == (end > 0), "'%s' LIKE '%s'", text, pattern);
        if (end > 0) { // and at the leftmost place
            PZ_CHECK(match_with_rest(text, pattern, len, c.text_count - end));
            PZ_CHECK(!match_with_rest(text, pattern, len, c.text_count - end + 1));
        }
    }
    PZ_CHECK(matches > 80 && matches < 380);
}

// ---- stopping ------------------------------------------------------------------------------

// By trial at every place these would take hours.
PZ_TEST(patterns_that_nearly_match_everywhere_end)
{
    enum { LEN = 400000 };
    char *text = malloc(LEN + 1);
    char *pattern = malloc(LEN + 1);
    PZ_REQUIRE(text != NULL && pattern != NULL);
    memset(text, 'a', LEN);
    text[LEN] = '\0';
    memset(pattern, 'a', LEN);
    PZ_CHECK(!match(text, "%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%ab"));
    PZ_CHECK(!match(text, "%a_%a_%a_%a_%a_%a_%a_%a_%a_%a_%a_%a_%a_%a_%a_%b%"));
    PZ_CHECK(!match(text, "%_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab%"));
    memcpy(pattern, "%_", 2);
    memcpy(pattern + LEN / 8, "b%", 3);
    PZ_CHECK(!match(text, pattern));
    memset(pattern, 'a', LEN);
    for (uint32_t i = 0; i < LEN; i += 4) {
        memcpy(pattern + i, "%_aa", 4);
    }
    pattern[LEN] = '\0';
    PZ_CHECK(match(text, pattern));
    free(pattern);
    free(text);
}

static bool
is_stopped(const char *pattern, struct pz_str text)
{
    _Atomic bool cancel = true;
    struct pz_session session = {.deadline_mono_us = INT64_MAX, .cancel = &cancel};
    struct pz_work work = {.session = &session};
    struct pz_arena arena;
    struct pz_like like;
    struct pz_error err = {0};
    bool is_match = true;
    pz_arena_init(&arena, NULL);
    bool is_compiled =
        pz_like_compile(pz_str_from(pattern), PZ_STR("\\"), &arena, &like) == PZ_LIKE_OK;
    enum pz_status status = pz_like_match(&like, text, &work, &is_match, &err);
    pz_arena_fini(&arena);
    return is_compiled && status == PZ_CANCELED && !is_match;
}

PZ_TEST(a_long_search_asks_whether_to_stop)
{
    enum { LEN = 4 << 20 };
    char *text = malloc(LEN);
    PZ_REQUIRE(text != NULL);
    memset(text, 'a', LEN);
    struct pz_str all = {text, LEN};
    PZ_CHECK(is_stopped("%_aaaaaaab%", all));
    PZ_CHECK(is_stopped("%aaaaaaab%", all));
    PZ_CHECK(is_stopped("%b%b%", all));
    PZ_CHECK(!is_stopped("%_aaaaaaab%", (struct pz_str){text, 1000}));
    free(text);
}
