// SPDX-License-Identifier: Apache-2.0
// Holds the lexer to PostgreSQL's rules of cutting text.
#include "query/parse/lexer.h"

#include "base/arena.h"
#include "query/query.h"
#include "tests/support/test.h"

#include <stdlib.h>

// All tokens of a text as words: kind letter, colon, text; or "! message @offset".
static char *
lex(const char *text)
{
    static const char kinds[] = {
        [PZ_TOKEN_NAME] = 'n',    [PZ_TOKEN_QUOTED] = 'q',  [PZ_TOKEN_KEYWORD] = 'k',
        [PZ_TOKEN_STRING] = 's',  [PZ_TOKEN_INTEGER] = 'i', [PZ_TOKEN_DECIMAL] = 'd',
        [PZ_TOKEN_OPERATOR] = 'o'};
    struct pz_arena arena;
    struct pz_buffer words = {0};
    struct pz_error err = {0};
    struct pz_lexer lexer;
    pz_arena_init(&arena, NULL);
    enum pz_status status = pz_lexer_init(&lexer, pz_str_from(text), &arena, &err);
    while (status == PZ_OK) {
        struct pz_token token;
        status = pz_lexer_next(&lexer, &token, &err);
        if (status != PZ_OK || token.kind == PZ_TOKEN_END) {
            break;
        }
        pz_buffer_printf(&words, "%s%c:%.*s", words.len > 0 ? " " : "", kinds[token.kind],
                         PZ_STR_ARG(token.text));
    }
    if (status != PZ_OK) {
        pz_buffer_printf(&words, "%s! %s @%u", words.len > 0 ? " " : "", err.message,
                         err.sql_offset);
    }
    pz_arena_fini(&arena);
    char *result = strdup(words.data != NULL ? words.data : "");
    pz_buffer_fini(&words);
    return result;
}

static void
check(const char *text, const char *expected)
{
    char *actual = lex(text);
    PZ_CHECK_MSG(strcmp(actual, expected) == 0, "%s\n  gives  %s\n  not    %s", text, actual,
                 expected);
    free(actual);
}

PZ_TEST(keywords_are_in_order)
{
    static const char *const words[] = {
#define X(name, text, class) text,
#include "query/parse/keywords.def"
#undef X
    };
    for (size_t i = 0; i < PZ_KEYWORD_COUNT; i++) {
        enum pz_keyword keyword = PZ_KEYWORD_COUNT;
        PZ_CHECK(i == 0 || strcmp(words[i - 1], words[i]) < 0);
        PZ_CHECK(pz_keyword_find(pz_str_from(words[i]), &keyword));
        PZ_CHECK_EQ_U64(keyword, i);
    }
    enum pz_keyword keyword;
    PZ_CHECK(!pz_keyword_find(PZ_STR("devices"), &keyword));
    PZ_CHECK(!pz_keyword_find(PZ_STR(""), &keyword));
}

PZ_TEST(names_fold_and_quoted_names_do_not)
{
    check("Select Views \"Views\" \"a\"\"b\"", "k:select n:views q:Views q:a\"b");
    check("größe _x x$1 x1", "n:größe n:_x n:x$1 n:x1");
    check("\"open", "! unterminated quoted identifier @1");
    check("\"\"", "! zero-length quoted identifier @1");
}

PZ_TEST(numbers)
{
    check("1 1.5 .5 1. 1e3 1E-3 1.5e+2", "i:1 d:1.5 d:.5 d:1. d:1e3 d:1E-3 d:1.5e+2");
    check("1..2", "d:1. d:.2");
    check("1e", "! trailing junk after numeric literal at or near \"1e\" @1");
    check("a 12abc", "n:a ! trailing junk after numeric literal at or near \"12abc\" @3");
    check("1-1", "i:1 o:- i:1");
}

PZ_TEST(strings)
{
    check("'a''b'", "s:a'b");
    check("''", "s:");
    check("'a\\nb'", "s:a\\nb");
    check("E'a\\tb\\\\\\'c'", "s:a\tb\\'c");
    check("e'\\x41\\102\\u00e9\\U0001F600'", "s:ABé😀");
    check("E'\\ud83d\\ude00'", "s:😀");
    check("'a'\n 'b' -- c\n 'd'", "s:abd");
    check("'a' 'b'", "s:a s:b");
    check("'open", "! unterminated quoted string @1");
    check("x E'open\\", "n:x ! unterminated quoted string @3");
    check("E'\\ud83d'", "! invalid Unicode escape value @3");
    check("E'\\u12'", "! invalid Unicode escape @3");
    check("E'\\xff'", "! the escapes of the string do not form valid UTF-8 @1");
    check("E'\\0'", "! a string cannot contain a NUL byte @3");
    check("x'ff'", "! a string with the prefix x is not supported @1");
}

PZ_TEST(strings_between_tags)
{
    check("$$a'b$$", "s:a'b");
    check("$$$$", "s:");
    check("x,$a$ $$ $b$ $A$ $a$y", "n:x o:, s: $$ $b$ $A$  n:y");
    check("$ü1$\\n$ü1$", "s:\\n");
    check("$$a$$ $$b$$", "s:a s:b");
    check("a$$b", "n:a$$b");
    check("x $$a$", "n:x ! unterminated dollar-quoted string @3");
    check("$$", "! unterminated dollar-quoted string @1");
    check("$a b$", "! syntax error at or near \"$\" @1");
    check("$", "! syntax error at or near \"$\" @1");
}

PZ_TEST(many_short_strings_become_one_in_linear_time)
{
    struct pz_buffer text = {0};
    for (int i = 0; i < 50000; i++) {
        pz_buffer_append_c(&text, "'a'\n");
    }
    char *tokens = lex(text.data);
    PZ_CHECK_EQ_U64(strlen(tokens), 50000 + 2);
    free(tokens);
    pz_buffer_fini(&text);
}

PZ_TEST(comments)
{
    check("a -- b\nc", "n:a n:c");
    check("a /* b /* c */ d */ e", "n:a n:e");
    check("a /* b", "n:a ! unterminated /* comment @3");
    check("a--", "n:a");
}

PZ_TEST(operators)
{
    check("a<=b<>c!=d>=e", "n:a o:<= n:b o:<> n:c o:!= n:d o:>= n:e");
    check("a=-1 b<-1 c*-1", "n:a o:= o:- i:1 n:b o:< o:- i:1 n:c o:* o:- i:1");
    check("a::b||c", "n:a o::: n:b o:|| n:c");
    check("a->>'b' ~* !~ @> ==", "n:a o:->> s:b o:~* o:!~ o:@> o:==");
    check("$1 $12", "o:$1 o:$12");
    check("`a`", "! syntax error at or near \"`\" @1");
    check("$a", "! syntax error at or near \"$\" @1");
}

PZ_TEST(bytes_that_are_no_text)
{
    check("a \xff", "! invalid byte sequence for UTF-8: 0xff @3");
    struct pz_arena arena;
    struct pz_lexer lexer;
    struct pz_error err = {0};
    pz_arena_init(&arena, NULL);
    PZ_CHECK_STATUS(pz_lexer_init(&lexer, (struct pz_str){"a\0b", 3}, &arena, &err), PZ_INVALID,
                    &err);
    PZ_CHECK_EQ_STR(err.sqlstate, "22021");
    PZ_CHECK_EQ_U64(err.sql_offset, 2);
    PZ_CHECK_OK(pz_lexer_init(&lexer, (struct pz_str){NULL, 0}, &arena, &err), &err);
    pz_arena_fini(&arena);
}

PZ_TEST(long_text_is_refused)
{
    struct pz_buffer text = {0};
    for (size_t i = 0; i <= PZ_SQL_TEXT_MAX; i++) {
        pz_buffer_append_char(&text, ' ');
    }
    struct pz_lexer lexer;
    struct pz_error err = {0};
    PZ_CHECK_STATUS(
        pz_lexer_init(&lexer, (struct pz_str){text.data, (uint32_t)text.len}, NULL, &err),
        PZ_TOO_LARGE, &err);
    PZ_CHECK_EQ_STR(err.sqlstate, "54000");
    pz_buffer_fini(&text);
}
