// SPDX-License-Identifier: Apache-2.0
// Comparing and copying borrowed text.
#include "base/str.h"

#include "base/status.h"

static unsigned char
fold(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

bool
pz_str_equal_nocase(struct pz_str a, struct pz_str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (uint32_t i = 0; i < a.len; i++) {
        if (fold(a.data[i]) != fold(b.data[i])) {
            return false;
        }
    }
    return true;
}

struct pz_str
pz_str_trim(struct pz_str text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t')) {
        text.len--;
    }
    return text;
}

bool
pz_str_to_c(struct pz_str s, char *out, size_t capacity)
{
    PZ_ASSERT(capacity >= 1);
    size_t len = s.len < capacity ? s.len : capacity - 1;
    if (len > 0) {
        memcpy(out, s.data, len);
    }
    out[len] = '\0';
    return len == s.len && (len == 0 || memchr(s.data, '\0', len) == NULL);
}

enum { DISTANCE_LEN_MAX = 64 };

static unsigned
min_u(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned
pz_str_distance(struct pz_str a, struct pz_str b, unsigned limit)
{
    uint32_t difference = a.len > b.len ? a.len - b.len : b.len - a.len;
    if (a.len > DISTANCE_LEN_MAX || b.len > DISTANCE_LEN_MAX || difference > limit) {
        return limit + 1;
    }
    // rows[i % 3][j]: edits from the first i bytes of a to the first j bytes of b.
    unsigned rows[3][DISTANCE_LEN_MAX + 1];
    for (uint32_t j = 0; j <= b.len; j++) {
        rows[0][j] = j;
    }
    for (uint32_t i = 1; i <= a.len; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3];
        const unsigned *above_two = rows[(i + 1) % 3];
        unsigned best = row[0] = i;
        for (uint32_t j = 1; j <= b.len; j++) {
            unsigned char x = fold(a.data[i - 1]);
            unsigned char y = fold(b.data[j - 1]);
            unsigned edits = above[j - 1] + (x != y);
            edits = min_u(edits, min_u(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == fold(b.data[j - 2]) && fold(a.data[i - 2]) == y) {
                edits = min_u(edits, above_two[j - 2] + 1);
            }
            row[j] = edits;
            best = min_u(best, edits);
        }
        // A swap reaches back two rows. Neighbouring rows' minima differ by at most one, so this
        // says that the row above is over the limit as well.
        if (best > limit + 1) {
            return limit + 1;
        }
    }
    return min_u(rows[a.len % 3][b.len], limit + 1);
}
