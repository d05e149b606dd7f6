// SPDX-License-Identifier: Apache-2.0
// What the fuzz drivers share: a seed corpus, and changes to it that keep most of its shape.
#ifndef PZ_TESTS_FUZZ_FUZZ_H
#define PZ_TESTS_FUZZ_FUZZ_H

#include "base/arena.h"
#include "tests/support/test.h"

// Changes a few bytes of the text: flips, replaces, inserts, drops, doubles; pieces come from
// `alphabet`. The text grows to at most `max` bytes.
static inline size_t
pz_fuzz_mutate(struct pz_rng *rng, char *text, size_t len, size_t max, const char *alphabet)
{
    size_t letters = strlen(alphabet);
    for (uint64_t i = pz_rng_below(rng, 4) + 1; i > 0; i--) {
        size_t at = len == 0 ? 0 : (size_t)pz_rng_below(rng, len);
        switch (pz_rng_below(rng, 6)) {
        case 0:
            if (len > 0) {
                text[at] = (char)(text[at] ^ (1 << pz_rng_below(rng, 8)));
            }
            break;
        case 1:
            if (len > 0) {
                text[at] = alphabet[pz_rng_below(rng, letters)];
            }
            break;
        case 2:
        case 3:
            if (len < max) {
                memmove(text + at + 1, text + at, len - at);
                text[at] = alphabet[pz_rng_below(rng, letters)];
                len++;
            }
            break;
        case 4:
            if (len > 0) {
                size_t count = (size_t)pz_rng_below(rng, len - at < 8 ? len - at : 8) + 1;
                count = count < len - at ? count : len - at;
                memmove(text + at, text + at + count, len - at - count);
                len -= count;
            }
            break;
        default: {
            size_t count = (size_t)pz_rng_below(rng, 16);
            if (len - at >= count && len + count <= max) {
                memmove(text + at + count, text + at, len - at);
                len += count;
            }
            break;
        }
        }
    }
    return len;
}

#endif
