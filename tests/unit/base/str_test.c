// SPDX-License-Identifier: Apache-2.0
// Borrowed text: comparing, copying, distances.
#include "base/str.h"

#include "tests/support/test.h"

static struct pz_str
str(const char *text)
{
    return pz_str_from(text);
}

PZ_TEST(compare_is_byte_order_and_prefix_first)
{
    PZ_CHECK(pz_str_compare(str("a"), str("b")) < 0);
    PZ_CHECK(pz_str_compare(str("ab"), str("a")) > 0);
    PZ_CHECK(pz_str_compare(str("\xff"), str("a")) > 0);
    PZ_CHECK(pz_str_compare((struct pz_str){NULL, 0}, str("")) == 0);
    PZ_CHECK(pz_str_equal((struct pz_str){NULL, 0}, str("")));
}

PZ_TEST(equal_nocase_folds_ascii_only)
{
    PZ_CHECK(pz_str_equal_nocase(str("SeLeCt"), str("sElEcT")));
    PZ_CHECK(!pz_str_equal_nocase(str("select"), str("select ")));
    PZ_CHECK(!pz_str_equal_nocase(str("\xc3\x84"), str("\xc3\xa4")));
    PZ_CHECK(!pz_str_equal_nocase(str("@"), str("`")));
}

PZ_TEST(to_c_cuts_and_says_so)
{
    char out[4];
    PZ_CHECK(pz_str_to_c(str("abc"), out, sizeof out));
    PZ_CHECK_EQ_STR(out, "abc");
    PZ_CHECK(!pz_str_to_c(str("abcd"), out, sizeof out));
    PZ_CHECK_EQ_STR(out, "abc");
    PZ_CHECK(!pz_str_to_c(PZ_STR("a\0b"), out, sizeof out));
    PZ_CHECK(pz_str_to_c((struct pz_str){NULL, 0}, out, 1));
    PZ_CHECK_EQ_STR(out, "");
}

PZ_TEST(distance_counts_edits)
{
    PZ_CHECK_EQ_I64(pz_str_distance(str("user_id"), str("user_id"), 3), 0);
    PZ_CHECK_EQ_I64(pz_str_distance(str("user_id"), str("USER_ID"), 3), 0);
    PZ_CHECK_EQ_I64(pz_str_distance(str("usre_id"), str("user_id"), 3), 1);
    PZ_CHECK_EQ_I64(pz_str_distance(str("userid"), str("user_id"), 3), 1);
    PZ_CHECK_EQ_I64(pz_str_distance(str("kitten"), str("sitting"), 3), 3);
    PZ_CHECK_EQ_I64(pz_str_distance(str("kitten"), str("sitting"), 2), 3);
    PZ_CHECK_EQ_I64(pz_str_distance(str(""), str("abc"), 3), 3);
    PZ_CHECK_EQ_I64(pz_str_distance(str("abc"), str(""), 2), 3);
}

// The limit only says when to stop counting, never changes a count within it.
PZ_TEST(distance_does_not_depend_on_the_limit)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int round = 0; round < 3000; round++) {
        char a[12];
        char b[12];
        struct pz_str left = {a, (uint32_t)pz_rng_below(&rng, sizeof a)};
        struct pz_str right = {b, (uint32_t)pz_rng_below(&rng, sizeof b)};
        for (size_t i = 0; i < sizeof a; i++) {
            a[i] = (char)('a' + pz_rng_below(&rng, 3));
            b[i] = (char)('a' + pz_rng_below(&rng, 3));
        }
        unsigned exact = pz_str_distance(left, right, 100);
        PZ_CHECK_EQ_I64(pz_str_distance(right, left, 100), exact);
        for (unsigned limit = 0; limit < 8; limit++) {
            unsigned expected = exact <= limit ? exact : limit + 1;
            PZ_CHECK_EQ_I64(pz_str_distance(left, right, limit), expected);
        }
    }
}

PZ_TEST(trim_takes_blanks_off_both_ends)
{
    PZ_CHECK_EQ_PZ_STR(pz_str_trim(PZ_STR(" \t a\tb \t")), "a\tb");
    PZ_CHECK_EQ_PZ_STR(pz_str_trim(PZ_STR("a")), "a");
    PZ_CHECK_EQ_I64(pz_str_trim(PZ_STR(" \t ")).len, 0);
    PZ_CHECK_EQ_I64(pz_str_trim((struct pz_str){NULL, 0}).len, 0);
}

PZ_TEST(skip_takes_one_wanted_byte)
{
    struct pz_str text = PZ_STR("a:b");
    PZ_CHECK(!pz_str_skip(&text, ':'));
    PZ_CHECK(pz_str_skip(&text, 'a') && pz_str_skip(&text, ':'));
    PZ_CHECK_EQ_PZ_STR(text, "b");
    PZ_CHECK(pz_str_skip(&text, 'b') && !pz_str_skip(&text, 'b'));
}
