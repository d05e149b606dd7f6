// SPDX-License-Identifier: Apache-2.0
// Bit packing at every width.
#include "storage/codec/codec_internal.h"
#include "tests/support/test.h"

PZ_TEST(packs_come_back_at_every_width)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (unsigned width = 0; width <= 32; width++) {
        uint32_t values[PZ__PACK_ROWS];
        uint32_t packed[PZ__PACK_ROWS];
        uint32_t out[PZ__PACK_ROWS];
        uint32_t base = (uint32_t)pz_rng_u64(&rng);
        for (unsigned i = 0; i < PZ__PACK_ROWS; i++) {
            values[i] = (uint32_t)(pz_rng_u64(&rng) & pz__low_bits(width));
        }
        values[0] = (uint32_t)pz__low_bits(width);
        memset(packed, 0xee, sizeof(packed));
        pz__pack(values, width, packed);
        if (width < 32) {
            PZ_CHECK_EQ_U64(packed[width * PZ__PACK_LANES], 0xeeeeeeeeu); // nothing past its end
        }
        pz__unpack(packed, width, base, out);
        bool is_same = true;
        for (unsigned i = 0; i < PZ__PACK_ROWS; i++) {
            is_same = is_same && out[i] == values[i] + base;
        }
        PZ_CHECK_MSG(is_same, "width %u", width);
    }
}

PZ_TEST(plain_bits_come_back_at_every_width)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (unsigned width = 0; width <= 64; width++) {
        for (uint32_t count = 1; count < 40; count++) {
            uint8_t bytes[40 * 8] = {0};
            uint64_t values[40];
            size_t len = pz__bits_bytes(count, width);
            for (uint32_t i = 0; i < count; i++) {
                values[i] = pz_rng_u64(&rng) & pz__low_bits(width);
                pz__bits_put(bytes, i, width, values[i]);
            }
            for (uint32_t i = 0; i < count; i++) {
                PZ_CHECK_EQ_U64(pz__bits_get(bytes, len, i, width), values[i]);
            }
        }
    }
}
