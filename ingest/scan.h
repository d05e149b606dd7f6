// SPDX-License-Identifier: Apache-2.0
// Looking through bytes 16 at a time: where a JSON string stops being plain, and whether text is
// ASCII.
#ifndef PZ_INGEST_SCAN_H
#define PZ_INGEST_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline bool
pz__is_string_special(unsigned char byte)
{
    return byte == '"' || byte == '\\' || byte < 0x20;
}

// The first quote, backslash or control character in [at, end), or `end`. Bytes up to
// `readable_end` (at or behind `end`) may be read.
static inline const char *
pz__scan_string(const char *at, const char *end, const char *readable_end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i control_max = _mm_set1_epi8(0x1f);
    while (at < end && readable_end - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
            _mm_cmpeq_epi8(_mm_min_epu8(bytes, control_max), bytes));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask != 0) {
            at += __builtin_ctz(mask);
            return at < end ? at : end;
        }
        at += 16;
    }
    at = at < end ? at : end;
#else
    (void)readable_end;
#endif
    while (at < end && !pz__is_string_special((unsigned char)*at)) {
        at++;
    }
    return at;
}

static inline bool
pz__is_ascii(const char *data, size_t len)
{
    size_t i = 0;
#ifdef __SSE2__
    __m128i all = _mm_setzero_si128();
    for (; len - i >= 16; i += 16) {
        all = _mm_or_si128(all, _mm_loadu_si128((const __m128i *)(const void *)(data + i)));
    }
    if (_mm_movemask_epi8(all) != 0) {
        return false;
    }
#endif
    unsigned char rest = 0;
    for (; i < len; i++) {
        rest |= (unsigned char)data[i];
    }
    return rest < 0x80;
}

#endif
