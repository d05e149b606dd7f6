// SPDX-License-Identifier: Apache-2.0
// Cuts a text into statements at semicolons outside of quotes and comments.
#include "server/cli/sql_split.h"

// The position after the quoted text that begins at `at`.
static uint32_t
skip_quoted(struct pz_str text, uint32_t at)
{
    char quote = text.data[at];
    // E'…' knows backslashes. The letter must not end a longer name.
    bool has_escapes = quote == '\'' && at > 0 && (text.data[at - 1] | 0x20) == 'e' &&
                       (at == 1 || strchr(" \t\n\r(,=|<>+-*/", text.data[at - 2]) != NULL);
    for (at++; at < text.len; at++) {
        if (has_escapes && text.data[at] == '\\') {
            at++;
        } else if (text.data[at] == quote) {
            return at + 1; // a doubled quote opens the next quoted text at once
        }
    }
    return text.len;
}

static bool
is_word_char(char c, bool is_first)
{
    unsigned char byte = (unsigned char)c;
    bool is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
    return is_letter || byte == '_' || byte >= 0x80 || (!is_first && byte >= '0' && byte <= '9');
}

// The position after the name that begins at `at`, or `at` when none does. A $ in it begins no
// quote.
static uint32_t
skip_name(struct pz_str text, uint32_t at)
{
    uint32_t end = at;
    while (end < text.len &&
           (is_word_char(text.data[end], end == at) || (end > at && text.data[end] == '$'))) {
        end++;
    }
    return end;
}

// The position after the $tag$…$tag$ that begins at `at`, or `at` when none does.
static uint32_t
skip_dollar_quoted(struct pz_str text, uint32_t at)
{
    if (text.data[at] != '$') {
        return at;
    }
    uint32_t begin = at + 1;
    while (begin < text.len && is_word_char(text.data[begin], begin == at + 1)) {
        begin++;
    }
    if (begin == text.len || text.data[begin] != '$') {
        return at;
    }
    uint32_t tag_len = ++begin - at;
    const char *end = memmem(text.data + begin, text.len - begin, text.data + at, tag_len);
    return end == NULL ? text.len : (uint32_t)(end - text.data) + tag_len;
}

// The position after the comment that begins at `at`, or `at` when none does.
static uint32_t
skip_comment(struct pz_str text, uint32_t at)
{
    if (at + 1 >= text.len) {
        return at;
    }
    if (text.data[at] == '-' && text.data[at + 1] == '-') {
        while (at < text.len && text.data[at] != '\n') {
            at++;
        }
        return at;
    }
    if (text.data[at] != '/' || text.data[at + 1] != '*') {
        return at;
    }
    unsigned depth = 0; // these comments nest
    while (at + 1 < text.len) {
        if (text.data[at] == '/' && text.data[at + 1] == '*') {
            depth++;
            at += 2;
        } else if (text.data[at] == '*' && text.data[at + 1] == '/') {
            at += 2;
            if (--depth == 0) {
                return at;
            }
        } else {
            at++;
        }
    }
    return text.len;
}

bool
pz_sql_split(struct pz_str *text, struct pz_str *statement_out)
{
    uint32_t at = 0;
    uint32_t begin = 0;
    bool has_content = false;
    while (at < text->len) {
        char c = text->data[at];
        uint32_t after_comment = skip_comment(*text, at);
        uint32_t after_word = skip_name(*text, at);
        after_word = after_word > at ? after_word : skip_dollar_quoted(*text, at);
        if (after_comment > at) {
            at = after_comment;
        } else if (after_word > at) {
            has_content = true;
            at = after_word;
        } else if (c == '\'' || c == '"') {
            has_content = true;
            at = skip_quoted(*text, at);
        } else if (c == ';') {
            if (has_content) {
                break;
            }
            begin = ++at; // an empty statement
        } else {
            bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
            if (is_blank && !has_content) {
                begin = at + 1;
            }
            has_content = has_content || !is_blank;
            at++;
        }
    }
    *statement_out = (struct pz_str){text->data + begin, at - begin};
    uint32_t used = at < text->len ? at + 1 : at;
    text->data += used;
    text->len -= used;
    return has_content;
}
