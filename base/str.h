// SPDX-License-Identifier: Apache-2.0
// Borrowed text: a pointer and a length, not NUL-terminated.
#ifndef PZ_BASE_STR_H
#define PZ_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct pz_str {
    const char *data; // may be NULL when len is 0
    uint32_t len;     // bytes
};

#define PZ_STR(literal) ((struct pz_str){(literal), (uint32_t)(sizeof(literal) - 1)})
#define PZ_STR_ARG(s) ((int)(s).len), ((s).data ? (s).data : "") // for "%.*s"

static inline struct pz_str
pz_str_from(const char *text)
{
    return (struct pz_str){text, (uint32_t)strlen(text)};
}

static inline bool
pz_str_equal(struct pz_str a, struct pz_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

// Byte order, as memcmp; a prefix sorts first. Returns <0, 0, >0.
static inline int
pz_str_compare(struct pz_str a, struct pz_str b)
{
    uint32_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

// ASCII case folded, for SQL names and HTTP words.
bool pz_str_equal_nocase(struct pz_str a, struct pz_str b);

// Without the spaces and tabs at both ends.
struct pz_str pz_str_trim(struct pz_str s);

// Takes `wanted` off the front of *s; false, with *s as it was, when something else is there.
static inline bool
pz_str_skip(struct pz_str *s, char wanted)
{
    if (s->len == 0 || s->data[0] != wanted) {
        return false;
    }
    s->data++;
    s->len--;
    return true;
}

// Copies into `out` (capacity bytes, at least 1), cut if need be, always NUL-terminated.
// Returns false if it was cut or holds a NUL byte.
bool pz_str_to_c(struct pz_str s, char *out, size_t capacity);

// Edits (insert, delete, replace, swap neighbours; ASCII case folded) between two short names, for
// "did you mean"; limit + 1 when larger, or when a name is longer than 64 bytes.
unsigned pz_str_distance(struct pz_str a, struct pz_str b, unsigned limit);

// The longest prefix of `s` of at most `len_max` bytes that does not cut a UTF-8 sequence.
struct pz_str pz_str_cut_utf8(struct pz_str s, uint32_t len_max);

// Whether the bytes are well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
// On failure *bad_out (may be NULL) is the offset of the first offending byte.
bool pz_utf8_is_valid(const char *data, size_t len, size_t *bad_out);

// Number of code points of valid UTF-8.
size_t pz_utf8_length(const char *data, size_t len);

// Writes the UTF-8 of a code point of at most U+10FFFF; `out` has room for 4 bytes. Returns the
// length.
uint32_t pz_utf8_encode(uint32_t code_point, char *out);

#endif
