// SPDX-License-Identifier: Apache-2.0
// Bit packing: packs of 1,024 values in 32 interleaved lanes, and a plain bit order for the rest.
//
// Each width has its own unpacker in which every shift is a constant; its one loop goes over the
// lanes, whose words are neighbours, so the compiler turns it into vector code for any machine.
#include "storage/codec/codec_internal.h"

#define LANES PZ__PACK_LANES
#define MASK(W) ((W) == 32 ? UINT32_MAX : (UINT32_C(1) << ((W)&31)) - 1)
#define WORD(W, R) ((R) * (W) / 32)
#define SHIFT(W, R) ((R) * (W) % 32)
// Row R of one lane: within a word, or across two.
#define FIELD(W, R)                                                                           \
    (SHIFT(W, R) + (W) <= 32                                                                  \
         ? in[WORD(W, R) * LANES + lane] >> SHIFT(W, R)                                       \
         : in[WORD(W, R) * LANES + lane] >> SHIFT(W, R) | in[(WORD(W, R) + 1) * LANES + lane] \
                                                              << ((32 - SHIFT(W, R)) & 31))
#define ROW(W, R) out[(R)*LANES + lane] = base + (FIELD(W, R) & MASK(W));
#define ROWS4(W, R) ROW(W, R) ROW(W, R + 1) ROW(W, R + 2) ROW(W, R + 3)
#define ROWS16(W, R) ROWS4(W, R) ROWS4(W, R + 4) ROWS4(W, R + 8) ROWS4(W, R + 12)

#define UNPACKER(W)                                                                            \
    static void unpack_##W(const uint32_t *restrict in, uint32_t base, uint32_t *restrict out) \
    {                                                                                          \
        for (unsigned lane = 0; lane < LANES; lane++) {                                        \
            ROWS16(W, 0)                                                                       \
            ROWS16(W, 16)                                                                      \
        }                                                                                      \
    }

static void
unpack_0(const uint32_t *restrict in, uint32_t base, uint32_t *restrict out)
{
    (void)in;
    for (unsigned i = 0; i < PZ__PACK_ROWS; i++) {
        out[i] = base;
    }
}

#define EACH_WIDTH(X) \
    X(1)              \
    X(2)              \
    X(3)              \
    X(4)              \
    X(5)              \
    X(6)              \
    X(7)              \
    X(8)              \
    X(9)              \
    X(10)             \
    X(11)             \
    X(12)             \
    X(13)             \
    X(14)             \
    X(15)             \
    X(16)             \
    X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32)
EACH_WIDTH(UNPACKER)

void
pz__unpack(const uint32_t *in, unsigned width, uint32_t base, uint32_t *out)
{
    static void (*const unpackers[33])(const uint32_t *restrict, uint32_t,
                                       uint32_t *restrict) = {unpack_0,
#define ENTRY(W) unpack_##W,
                                                              EACH_WIDTH(ENTRY)
#undef ENTRY
    };
    PZ_ASSERT(width <= 32);
    unpackers[width](in, base, out);
}

void
pz__pack(const uint32_t *values, unsigned width, uint32_t *out)
{
    PZ_ASSERT(width <= 32);
    memset(out, 0, (size_t)width * LANES * sizeof(uint32_t));
    for (unsigned row = 0; row < PZ__PACK_ROWS / LANES && width > 0; row++) {
        const uint32_t *restrict from = values + row * LANES;
        uint32_t *restrict word = out + row * width / 32 * LANES;
        unsigned shift = row * width % 32;
        for (unsigned lane = 0; lane < LANES; lane++) {
            word[lane] |= from[lane] << shift;
        }
        if (shift + width > 32) {
            for (unsigned lane = 0; lane < LANES; lane++) {
                word[LANES + lane] = from[lane] >> (32 - shift);
            }
        }
    }
}

void
pz__bits_put(uint8_t *bytes, size_t idx, unsigned width, uint64_t value)
{
    size_t bit = idx * width;
    for (unsigned done = 0; done < width;) {
        unsigned shift = (unsigned)(bit % 8);
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] | (value >> done) << shift);
        done += 8 - shift;
        bit += 8 - shift;
    }
}

uint64_t
pz__bits_get(const uint8_t *bytes, size_t len, size_t idx, unsigned width)
{
    size_t bit = idx * width;
    size_t at = bit / 8;
    unsigned shift = (unsigned)(bit % 8);
    uint64_t low = 0;
    uint64_t high = 0;
    if (len - at >= 9) {
        low = pz_load_le64(bytes + at);
        high = bytes[at + 8];
    } else {
        uint8_t padded[16] = {0};
        memcpy(padded, bytes + at, len - at);
        low = pz_load_le64(padded);
        high = padded[8];
    }
    uint64_t value = low >> shift | (shift == 0 ? 0 : high << (64 - shift));
    return value & pz__low_bits(width);
}
