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
        if (after_comment > at) {
            at = after_comment;
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
