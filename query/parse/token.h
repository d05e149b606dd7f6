// SPDX-License-Identifier: Apache-2.0
// The words of SQL: what the lexer gives and the parser reads.
#ifndef PZ_QUERY_PARSE_TOKEN_H
#define PZ_QUERY_PARSE_TOKEN_H

#include "base/str.h"

enum pz_token_kind {
    PZ_TOKEN_END,      // of the text
    PZ_TOKEN_NAME,     // unquoted; text is folded to lower case
    PZ_TOKEN_QUOTED,   // "x"; text is the content
    PZ_TOKEN_KEYWORD,  // a word of keywords.def; text is folded
    PZ_TOKEN_STRING,   // '…' or E'…'; text is the content, escapes resolved
    PZ_TOKEN_INTEGER,  // decimal digits
    PZ_TOKEN_DECIMAL,  // with a point or an exponent
    PZ_TOKEN_OPERATOR, // enum pz_operator
    PZ_TOKEN_BAD,      // the lexer failed here; the parser's own
};

enum pz_keyword {
#define X(name, text, class) PZ_KEYWORD_##name,
#include "query/parse/keywords.def"
#undef X
    PZ_KEYWORD_COUNT
};

enum pz_keyword_class {
    PZ_KEYWORD_CLASS_RESERVED,
    PZ_KEYWORD_CLASS_FUNCTION,
    PZ_KEYWORD_CLASS_NO_LABEL
};

enum pz_operator {
    PZ_OPERATOR_LPAREN,
    PZ_OPERATOR_RPAREN,
    PZ_OPERATOR_LBRACKET,
    PZ_OPERATOR_RBRACKET,
    PZ_OPERATOR_COMMA,
    PZ_OPERATOR_DOT,
    PZ_OPERATOR_SEMICOLON,
    PZ_OPERATOR_COLON,
    PZ_OPERATOR_CAST, // ::
    PZ_OPERATOR_PLUS,
    PZ_OPERATOR_MINUS,
    PZ_OPERATOR_STAR,
    PZ_OPERATOR_SLASH,
    PZ_OPERATOR_PERCENT,
    PZ_OPERATOR_EQUAL,
    PZ_OPERATOR_NOT_EQUAL, // <> and !=
    PZ_OPERATOR_LESS,
    PZ_OPERATOR_LESS_EQUAL,
    PZ_OPERATOR_GREATER,
    PZ_OPERATOR_GREATER_EQUAL,
    PZ_OPERATOR_CONCAT,    // ||
    PZ_OPERATOR_PARAMETER, // $1
    PZ_OPERATOR_OTHER      // one that PostgreSQL has and plaza has not: ->, ~, @>, …
};

struct pz_token {
    enum pz_token_kind kind;
    enum pz_keyword keyword; // PZ_TOKEN_KEYWORD
    enum pz_operator op;     // PZ_TOKEN_OPERATOR
    uint32_t offset;         // first byte in the statement
    uint32_t end;            // byte after the last one
    struct pz_str text;      // see enum pz_token_kind; the bytes as written for the others
};

enum pz_keyword_class pz_keyword_class(enum pz_keyword keyword);
// Finds a folded word in keywords.def.
bool pz_keyword_find(struct pz_str word, enum pz_keyword *keyword_out);

#endif
