// SPDX-License-Identifier: Apache-2.0
// SQL text to tokens, as PostgreSQL cuts it.
#ifndef PZ_QUERY_PARSE_LEXER_H
#define PZ_QUERY_PARSE_LEXER_H

#include "base/arena.h"
#include "query/parse/token.h"

// Reads one statement from front to back. The text is borrowed and must outlive the tokens;
// folded names and unescaped strings are copied into the arena.
struct pz_lexer {
    struct pz_str text;
    uint32_t at; // next byte
    struct pz_arena *arena;
};

// PZ_TOO_LARGE 54000  longer than PZ_SQL_TEXT_MAX
// PZ_INVALID   22021  not UTF-8, or with a NUL byte
PZ_MUST_USE enum pz_status pz_lexer_init(struct pz_lexer *lexer, struct pz_str text,
                                         struct pz_arena *arena, struct pz_error *err);
// The next token; PZ_TOKEN_END again and again at the end of the text.
// PZ_INVALID  42601, 22025 …: unterminated string, name or comment, bad escape, bad number
PZ_MUST_USE enum pz_status pz_lexer_next(struct pz_lexer *lexer, struct pz_token *token_out,
                                         struct pz_error *err);

#endif
