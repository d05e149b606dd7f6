// SPDX-License-Identifier: Apache-2.0
// Checked arithmetic, byte order, 128-bit integers, numbers as text.
#ifndef PZ_BASE_NUM_H
#define PZ_BASE_NUM_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef __int128 pz_i128;
__extension__ typedef unsigned __int128 pz_u128;

// Each returns false when the result does not fit; *out is then of no use (it holds the low bits).
#define PZ_CHECKED(op, suffix, type)                                 \
    static inline bool pz_##op##_##suffix(type a, type b, type *out) \
    {                                                                \
        return !__builtin_##op##_overflow(a, b, out);                \
    }
PZ_CHECKED(add, u64, uint64_t)
PZ_CHECKED(sub, u64, uint64_t)
PZ_CHECKED(mul, u64, uint64_t)
PZ_CHECKED(add, i64, int64_t)
PZ_CHECKED(sub, i64, int64_t)
PZ_CHECKED(mul, i64, int64_t)
PZ_CHECKED(add, size, size_t)
PZ_CHECKED(mul, size, size_t)
#undef PZ_CHECKED

// Little-endian is the order of files and chunks; big-endian that of LMDB keys.
static inline uint16_t
pz_load_le16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}
static inline uint32_t
pz_load_le32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}
static inline uint64_t
pz_load_le64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}
static inline void
pz_store_le16(void *p, uint16_t v)
{
    memcpy(p, &v, 2);
}
static inline void
pz_store_le32(void *p, uint32_t v)
{
    memcpy(p, &v, 4);
}
static inline void
pz_store_le64(void *p, uint64_t v)
{
    memcpy(p, &v, 8);
}
static inline uint32_t
pz_load_be32(const void *p)
{
    return __builtin_bswap32(pz_load_le32(p));
}
static inline uint64_t
pz_load_be64(const void *p)
{
    return __builtin_bswap64(pz_load_le64(p));
}
static inline void
pz_store_be32(void *p, uint32_t v)
{
    pz_store_le32(p, __builtin_bswap32(v));
}
static inline void
pz_store_be64(void *p, uint64_t v)
{
    pz_store_le64(p, __builtin_bswap64(v));
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "plaza's files are little-endian");

// Number as text; `out` must have room for PZ_NUM_TEXT_MAX bytes; returns the length, no NUL.
#define PZ_NUM_TEXT_MAX 48
uint32_t pz_format_i64(int64_t value, char *out);
uint32_t pz_format_u64(uint64_t value, char *out);
// The shortest text that reads back as the same double, as PostgreSQL writes it: 0.1, 1e+300,
// -0, Infinity, -Infinity, NaN; integral values without a fraction (3).
uint32_t pz_format_double(double value, char *out);

// Whole text or false. Decimal digits with optional sign.
bool pz_parse_i64(struct pz_str text, int64_t *out);
bool pz_parse_u64(struct pz_str text, uint64_t *out);
// Decimal or exponent form, correctly rounded, no spaces, no hexadecimal; "Infinity", "NaN" and
// their short forms in any case are accepted. Overflow to infinity gives false.
bool pz_parse_double(struct pz_str text, double *out);

// A sum of doubles that does not depend on their order: Neal's small superaccumulator
// (R. M. Neal, Fast exact summation using small and large superaccumulators, 2015).
// Zero-initialised is the empty sum.
struct pz_exact_sum {
    int64_t chunk[67];
    uint32_t adds_left; // before carries must be propagated; 0 = initialise
    uint32_t inf_positive, inf_negative, nan;
};
void pz_exact_sum_add(struct pz_exact_sum *sum, double value);
void pz_exact_sum_merge(struct pz_exact_sum *into, struct pz_exact_sum *from); // may normalise from
double pz_exact_sum_round(struct pz_exact_sum *sum); // nearest double; 0 for the empty sum

#endif
