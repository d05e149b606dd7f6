// SPDX-License-Identifier: Apache-2.0
// Cuts SQL text into tokens. The rules are PostgreSQL's, but for operators: only those that plaza
// or a well-known dialect has are joined from several characters, so `a<-1` needs no space.
#include "query/parse/lexer.h"

#include "query/query.h"

enum pz_status
pz_lexer_init(struct pz_lexer *lexer, struct pz_str text, struct pz_arena *arena,
              struct pz_error *err)
{
    if (text.len > PZ_SQL_TEXT_MAX) {
        (void)pz_fail_sql(err, "54000", 0, "the statement is longer than %u bytes",
                          PZ_SQL_TEXT_MAX);
        if (err != NULL) {
            err->status = PZ_TOO_LARGE;
            err->sql_offset = 0;
        }
        return PZ_TOO_LARGE;
    }
    size_t bad = 0;
    if (!pz_utf8_is_valid(text.data, text.len, &bad)) {
        return pz_fail_sql(err, "22021", (uint32_t)bad, "invalid byte sequence for UTF-8: 0x%02x",
                           (unsigned char)text.data[bad]);
    }
    const char *nul = text.len == 0 ? NULL : memchr(text.data, 0, text.len);
    if (nul != NULL) {
        return pz_fail_sql(err, "22021", (uint32_t)(nul - text.data),
                           "the statement contains a NUL byte");
    }
    *lexer = (struct pz_lexer){.text = text, .arena = arena};
    return PZ_OK;
}

static char
peek(const struct pz_lexer *lexer, uint32_t ahead)
{
    // Compared this way round, the sum cannot wrap.
    return ahead < lexer->text.len - lexer->at ? lexer->text.data[lexer->at + ahead] : '\0';
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool
is_name_part(char c)
{
    return is_name_start(c) || is_digit(c) || c == '$';
}

static enum pz_status
skip_block_comment(struct pz_lexer *lexer, struct pz_error *err)
{
    uint32_t begin = lexer->at;
    unsigned depth = 0;
    do {
        if (lexer->at >= lexer->text.len) {
            return pz_fail_sql(err, "42601", begin, "unterminated /* comment");
        }
        if (peek(lexer, 0) == '/' && peek(lexer, 1) == '*') {
            depth++;
            lexer->at += 2;
        } else if (peek(lexer, 0) == '*' && peek(lexer, 1) == '/') {
            depth--;
            lexer->at += 2;
        } else {
            lexer->at++;
        }
    } while (depth > 0);
    return PZ_OK;
}

// Skips blanks and comments; *newline_out tells whether a line ended among them.
static enum pz_status
skip_blanks(struct pz_lexer *lexer, bool *newline_out, struct pz_error *err)
{
    *newline_out = false;
    while (lexer->at < lexer->text.len) {
        char c = peek(lexer, 0);
        if (is_space(c)) {
            *newline_out |= c == '\n' || c == '\r';
            lexer->at++;
        } else if (c == '-' && peek(lexer, 1) == '-') {
            while (lexer->at < lexer->text.len && peek(lexer, 0) != '\n' &&
                   peek(lexer, 0) != '\r') {
                lexer->at++;
            }
        } else if (c == '/' && peek(lexer, 1) == '*') {
            PZ_TRY(skip_block_comment(lexer, err));
        } else {
            break;
        }
    }
    return PZ_OK;
}

static enum pz_status
no_memory(struct pz_error *err)
{
    enum pz_status status =
        pz_fail(err, PZ_NO_MEMORY, "the query's memory limit is too small to read the statement");
    if (err != NULL) {
        memcpy(err->sqlstate, "53200", 6);
    }
    return status;
}

// ---- strings -------------------------------------------------------------------------------

static int
hex_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static uint32_t
put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | (code >> 6));
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | (code >> 12));
        out[1] = (char)(0x80 | ((code >> 6) & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (code >> 18));
    out[1] = (char)(0x80 | ((code >> 12) & 0x3F));
    out[2] = (char)(0x80 | ((code >> 6) & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

// Reads up to digits_max digits of the base at lexer->at.
static uint32_t
read_digits(struct pz_lexer *lexer, int base, uint32_t digits_max, uint32_t *count_out)
{
    uint32_t value = 0;
    uint32_t count = 0;
    while (count < digits_max) {
        int digit = hex_value(peek(lexer, 0));
        if (digit < 0 || digit >= base) {
            break;
        }
        value = value * (uint32_t)base + (uint32_t)digit;
        lexer->at++;
        count++;
    }
    *count_out = count;
    return value;
}

// \uXXXX and \UXXXXXXXX; a surrogate pair written as two \u is one character.
static enum pz_status
read_unicode_escape(struct pz_lexer *lexer, uint32_t begin, uint32_t digits, uint32_t *code_out,
                    struct pz_error *err)
{
    uint32_t count;
    uint32_t code = read_digits(lexer, 16, digits, &count);
    if (count != digits) {
        enum pz_status status = pz_fail_sql(err, "22025", begin, "invalid Unicode escape");
        pz_error_hint(err, "Unicode escapes are \\uXXXX or \\UXXXXXXXX");
        return status;
    }
    if (code >= 0xD800 && code < 0xDC00 && peek(lexer, 0) == '\\' && peek(lexer, 1) == 'u') {
        lexer->at += 2;
        uint32_t low = read_digits(lexer, 16, 4, &count);
        if (count == 4 && low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
        return pz_fail_sql(err, "22025", begin, "invalid Unicode escape value");
    }
    *code_out = code;
    return PZ_OK;
}

// One backslash escape of an E'' string; lexer->at is at the backslash. Never writes more bytes
// than it reads.
static enum pz_status
read_escape(struct pz_lexer *lexer, char *out, uint32_t *len, struct pz_error *err)
{
    uint32_t begin = lexer->at;
    char c = peek(lexer, 1);
    lexer->at += 2;
    uint32_t count;
    uint32_t code = 0;
    switch (c) {
    case 'b':
        out[(*len)++] = '\b';
        return PZ_OK;
    case 'f':
        out[(*len)++] = '\f';
        return PZ_OK;
    case 'n':
        out[(*len)++] = '\n';
        return PZ_OK;
    case 'r':
        out[(*len)++] = '\r';
        return PZ_OK;
    case 't':
        out[(*len)++] = '\t';
        return PZ_OK;
    case 'u':
    case 'U':
        PZ_TRY(read_unicode_escape(lexer, begin, c == 'u' ? 4 : 8, &code, err));
        *len += put_utf8(out + *len, code);
        return PZ_OK;
    case 'x':
        code = read_digits(lexer, 16, 2, &count);
        if (count == 0) {
            out[(*len)++] = 'x';
            return PZ_OK;
        }
        break;
    default:
        if (c < '0' || c > '7') {
            out[(*len)++] = c;
            return PZ_OK;
        }
        lexer->at--;
        code = read_digits(lexer, 8, 3, &count) & 0xFF;
        break;
    }
    if (code == 0) {
        return pz_fail_sql(err, "22021", begin, "a string cannot contain a NUL byte");
    }
    out[(*len)++] = (char)code;
    return PZ_OK;
}

// The content between two quotes, appended to out; lexer->at is after the opening quote.
static enum pz_status
read_quoted(struct pz_lexer *lexer, uint32_t begin, bool has_escapes, char *out, uint32_t *len,
            struct pz_error *err)
{
    for (;;) {
        if (lexer->at >= lexer->text.len) {
            return pz_fail_sql(err, "42601", begin, "unterminated quoted string");
        }
        char c = peek(lexer, 0);
        if (c == '\'' && peek(lexer, 1) == '\'') {
            out[(*len)++] = '\'';
            lexer->at += 2;
        } else if (c == '\'') {
            lexer->at++;
            return PZ_OK;
        } else if (c == '\\' && has_escapes) {
            if (lexer->at + 1 >= lexer->text.len) {
                return pz_fail_sql(err, "42601", begin, "unterminated quoted string");
            }
            PZ_TRY(read_escape(lexer, out, len, err));
        } else {
            out[(*len)++] = c;
            lexer->at++;
        }
    }
}

// How many bytes the string whose quote is at lexer->at can have at most.
static uint32_t
string_room(const struct pz_lexer *lexer, bool has_escapes)
{
    uint32_t i = lexer->at + 1;
    while (i < lexer->text.len) {
        char c = lexer->text.data[i];
        if (c == '\\' && has_escapes) {
            i += 2;
        } else if (c == '\'' && i + 1 < lexer->text.len && lexer->text.data[i + 1] == '\'') {
            i += 2;
        } else if (c == '\'') {
            break;
        } else {
            i++;
        }
    }
    return (i < lexer->text.len ? i : lexer->text.len) - lexer->at;
}

// '…' and E'…'; two strings with a line break between them are one.
static enum pz_status
lex_string(struct pz_lexer *lexer, bool has_escapes, struct pz_token *token, struct pz_error *err)
{
    token->kind = PZ_TOKEN_STRING;
    uint32_t len = 0;
    uint32_t room = string_room(lexer, has_escapes);
    char *out = pz_arena_alloc(lexer->arena, (size_t)room + 1);
    bool has_all_room = false; // for whatever may still follow
    for (;;) {
        if (out == NULL) {
            return no_memory(err);
        }
        lexer->at++; // the quote
        PZ_TRY(read_quoted(lexer, token->offset, has_escapes, out, &len, err));
        PZ_ASSERT(len <= room);
        token->end = lexer->at;
        uint32_t after = lexer->at;
        bool has_newline;
        PZ_TRY(skip_blanks(lexer, &has_newline, err));
        if (!has_newline || peek(lexer, 0) != '\'') {
            lexer->at = after;
            break;
        }
        if (!has_all_room) {
            has_all_room = true;
            room = len + (lexer->text.len - lexer->at);
            char *larger = pz_arena_alloc(lexer->arena, (size_t)room + 1);
            if (larger != NULL) {
                memcpy(larger, out, len);
            }
            out = larger;
        }
    }
    token->text = (struct pz_str){out, len};
    if (has_escapes && !pz_utf8_is_valid(out, len, NULL)) {
        return pz_fail_sql(err, "22021", token->offset,
                           "the escapes of the string do not form valid UTF-8");
    }
    return PZ_OK;
}

// Length of the $…$ at lexer->at that begins a string, 0 when there is none.
static uint32_t
dollar_tag_len(const struct pz_lexer *lexer)
{
    uint32_t len = 1;
    if (is_name_start(peek(lexer, 1))) {
        while (is_name_part(peek(lexer, len)) && peek(lexer, len) != '$') {
            len++;
        }
    }
    return peek(lexer, len) == '$' ? len + 1 : 0;
}

// $tag$…$tag$: everything between the tags as it stands.
static enum pz_status
lex_dollar_string(struct pz_lexer *lexer, uint32_t tag_len, struct pz_token *token,
                  struct pz_error *err)
{
    const char *tag = lexer->text.data + lexer->at;
    const char *begin = tag + tag_len;
    size_t left = lexer->text.len - lexer->at - tag_len;
    const char *end = left == 0 ? NULL : memmem(begin, left, tag, tag_len);
    if (end == NULL) {
        return pz_fail_sql(err, "42601", token->offset, "unterminated dollar-quoted string");
    }
    token->kind = PZ_TOKEN_STRING;
    token->text = (struct pz_str){begin, (uint32_t)(end - begin)};
    lexer->at += 2 * tag_len + token->text.len;
    token->end = lexer->at;
    return PZ_OK;
}

// ---- names and numbers ---------------------------------------------------------------------

static enum pz_status
lex_quoted_name(struct pz_lexer *lexer, struct pz_token *token, struct pz_error *err)
{
    lexer->at++;
    uint32_t begin = lexer->at;
    bool has_doubled = false;
    for (;;) {
        if (lexer->at >= lexer->text.len) {
            return pz_fail_sql(err, "42601", token->offset, "unterminated quoted identifier");
        }
        if (peek(lexer, 0) != '"') {
            lexer->at++;
        } else if (peek(lexer, 1) == '"') {
            has_doubled = true;
            lexer->at += 2;
        } else {
            break;
        }
    }
    token->kind = PZ_TOKEN_QUOTED;
    token->text = (struct pz_str){lexer->text.data + begin, lexer->at - begin};
    lexer->at++;
    token->end = lexer->at;
    if (token->text.len == 0) {
        return pz_fail_sql(err, "42601", token->offset, "zero-length quoted identifier");
    }
    if (has_doubled) {
        char *out = pz_arena_alloc(lexer->arena, token->text.len);
        if (out == NULL) {
            return no_memory(err);
        }
        uint32_t len = 0;
        for (uint32_t i = 0; i < token->text.len; i++) {
            out[len++] = token->text.data[i];
            i += token->text.data[i] == '"';
        }
        token->text = (struct pz_str){out, len};
    }
    return PZ_OK;
}

static enum pz_status
lex_name(struct pz_lexer *lexer, struct pz_token *token, struct pz_error *err)
{
    bool has_upper = false;
    while (lexer->at < lexer->text.len && is_name_part(peek(lexer, 0))) {
        has_upper |= peek(lexer, 0) >= 'A' && peek(lexer, 0) <= 'Z';
        lexer->at++;
    }
    token->end = lexer->at;
    token->text = (struct pz_str){lexer->text.data + token->offset, token->end - token->offset};
    if (has_upper) {
        char *out = pz_arena_alloc(lexer->arena, token->text.len);
        if (out == NULL) {
            return no_memory(err);
        }
        for (uint32_t i = 0; i < token->text.len; i++) {
            char c = token->text.data[i];
            out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
        token->text.data = out;
    }
    token->kind = pz_keyword_find(token->text, &token->keyword) ? PZ_TOKEN_KEYWORD : PZ_TOKEN_NAME;
    return PZ_OK;
}

static enum pz_status
lex_number(struct pz_lexer *lexer, struct pz_token *token, struct pz_error *err)
{
    token->kind = PZ_TOKEN_INTEGER;
    while (is_digit(peek(lexer, 0))) {
        lexer->at++;
    }
    if (peek(lexer, 0) == '.') {
        token->kind = PZ_TOKEN_DECIMAL;
        lexer->at++;
        while (is_digit(peek(lexer, 0))) {
            lexer->at++;
        }
    }
    if (peek(lexer, 0) == 'e' || peek(lexer, 0) == 'E') {
        uint32_t sign = peek(lexer, 1) == '+' || peek(lexer, 1) == '-';
        if (is_digit(peek(lexer, 1 + sign))) {
            token->kind = PZ_TOKEN_DECIMAL;
            lexer->at += 1 + sign;
            while (is_digit(peek(lexer, 0))) {
                lexer->at++;
            }
        }
    }
    if (lexer->at < lexer->text.len && is_name_part(peek(lexer, 0))) {
        while (lexer->at < lexer->text.len && is_name_part(peek(lexer, 0))) {
            lexer->at++;
        }
        struct pz_str junk = {lexer->text.data + token->offset, lexer->at - token->offset};
        junk = pz_str_cut_utf8(junk, 60);
        return pz_fail_sql(err, "42601", token->offset,
                           "trailing junk after numeric literal at or near \"%.*s\"",
                           PZ_STR_ARG(junk));
    }
    token->end = lexer->at;
    token->text = (struct pz_str){lexer->text.data + token->offset, token->end - token->offset};
    return PZ_OK;
}

// ---- operators -----------------------------------------------------------------------------

// Longest first among those that share their beginning.
static const struct {
    const char *text;
    enum pz_operator op;
} operators[] = {
    {"(", PZ_OPERATOR_LPAREN},         {")", PZ_OPERATOR_RPAREN},
    {"[", PZ_OPERATOR_LBRACKET},       {"]", PZ_OPERATOR_RBRACKET},
    {",", PZ_OPERATOR_COMMA},          {".", PZ_OPERATOR_DOT},
    {";", PZ_OPERATOR_SEMICOLON},      {"::", PZ_OPERATOR_CAST},
    {":=", PZ_OPERATOR_OTHER},         {":", PZ_OPERATOR_COLON},
    {"+", PZ_OPERATOR_PLUS},           {"->>", PZ_OPERATOR_OTHER},
    {"->", PZ_OPERATOR_OTHER},         {"-", PZ_OPERATOR_MINUS},
    {"*", PZ_OPERATOR_STAR},           {"/", PZ_OPERATOR_SLASH},
    {"%", PZ_OPERATOR_PERCENT},        {"==", PZ_OPERATOR_OTHER},
    {"=>", PZ_OPERATOR_OTHER},         {"=", PZ_OPERATOR_EQUAL},
    {"<=>", PZ_OPERATOR_OTHER},        {"<=", PZ_OPERATOR_LESS_EQUAL},
    {"<>", PZ_OPERATOR_NOT_EQUAL},     {"<<", PZ_OPERATOR_OTHER},
    {"<@", PZ_OPERATOR_OTHER},         {"<", PZ_OPERATOR_LESS},
    {">=", PZ_OPERATOR_GREATER_EQUAL}, {">>", PZ_OPERATOR_OTHER},
    {">", PZ_OPERATOR_GREATER},        {"!=", PZ_OPERATOR_NOT_EQUAL},
    {"!~~*", PZ_OPERATOR_OTHER},       {"!~~", PZ_OPERATOR_OTHER},
    {"!~*", PZ_OPERATOR_OTHER},        {"!~", PZ_OPERATOR_OTHER},
    {"!", PZ_OPERATOR_OTHER},          {"||", PZ_OPERATOR_CONCAT},
    {"|", PZ_OPERATOR_OTHER},          {"&&", PZ_OPERATOR_OTHER},
    {"&", PZ_OPERATOR_OTHER},          {"~~*", PZ_OPERATOR_OTHER},
    {"~~", PZ_OPERATOR_OTHER},         {"~*", PZ_OPERATOR_OTHER},
    {"~", PZ_OPERATOR_OTHER},          {"@>", PZ_OPERATOR_OTHER},
    {"@", PZ_OPERATOR_OTHER},          {"#>>", PZ_OPERATOR_OTHER},
    {"#>", PZ_OPERATOR_OTHER},         {"#", PZ_OPERATOR_OTHER},
    {"^", PZ_OPERATOR_OTHER},          {"?", PZ_OPERATOR_OTHER},
};

static enum pz_status
lex_operator(struct pz_lexer *lexer, struct pz_token *token, struct pz_error *err)
{
    token->kind = PZ_TOKEN_OPERATOR;
    const char *rest = lexer->text.data + lexer->at;
    uint32_t left = lexer->text.len - lexer->at;
    uint32_t len = 0;
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]) && len == 0; i++) {
        uint32_t candidate = (uint32_t)strlen(operators[i].text);
        if (candidate <= left && memcmp(rest, operators[i].text, candidate) == 0) {
            token->op = operators[i].op;
            len = candidate;
        }
    }
    if (len == 0 && rest[0] == '$' && is_digit(peek(lexer, 1))) {
        token->op = PZ_OPERATOR_PARAMETER;
        len = 2;
        while (is_digit(peek(lexer, len))) {
            len++;
        }
    }
    if (len == 0) {
        enum pz_status status =
            pz_fail_sql(err, "42601", token->offset, "syntax error at or near \"%c\"", rest[0]);
        if (rest[0] == '`') {
            pz_error_hint(err, "names are quoted with \"double quotes\"");
        } else if (rest[0] == '$') {
            pz_error_hint(err, "strings are quoted with 'single quotes'");
        }
        return status;
    }
    lexer->at += len;
    token->end = lexer->at;
    token->text = (struct pz_str){rest, len};
    return PZ_OK;
}

enum pz_status
pz_lexer_next(struct pz_lexer *lexer, struct pz_token *token_out, struct pz_error *err)
{
    bool has_newline;
    PZ_TRY(skip_blanks(lexer, &has_newline, err));
    *token_out = (struct pz_token){.kind = PZ_TOKEN_END, .offset = lexer->at, .end = lexer->at};
    if (lexer->at >= lexer->text.len) {
        return PZ_OK;
    }
    char c = peek(lexer, 0);
    char next = peek(lexer, 1);
    if (c == '\'') {
        return lex_string(lexer, false, token_out, err);
    }
    if (next == '\'' && (c == 'e' || c == 'E')) {
        lexer->at++;
        return lex_string(lexer, true, token_out, err);
    }
    if (next == '\'' && strchr("bBxXnN", c) != NULL) {
        enum pz_status status = pz_fail_sql(err, "0A000", token_out->offset,
                                            "a string with the prefix %c is not supported", c);
        pz_error_hint(err, "write '…' for text, or E'…' for text with escapes");
        return status;
    }
    if (c == '"') {
        return lex_quoted_name(lexer, token_out, err);
    }
    if (is_digit(c) || (c == '.' && is_digit(next))) {
        return lex_number(lexer, token_out, err);
    }
    if (is_name_start(c)) {
        return lex_name(lexer, token_out, err);
    }
    uint32_t tag_len = c == '$' ? dollar_tag_len(lexer) : 0;
    if (tag_len > 0) {
        return lex_dollar_string(lexer, tag_len, token_out, err);
    }
    return lex_operator(lexer, token_out, err);
}
