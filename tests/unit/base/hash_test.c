// SPDX-License-Identifier: Apache-2.0
// Hashes: stored checksums must stay what they are, for files depend on them.
#include "base/hash.h"

#include "tests/support/test.h"

// Values of XXH3_64bits that the algorithm's specification fixes for good.
PZ_TEST(stored_checksums_do_not_change)
{
    PZ_CHECK_EQ_U64(pz_hash_bytes("", 0), UINT64_C(0x2d06800538d394c2));
    PZ_CHECK_EQ_U64(pz_hash_bytes_seeded("", 0, 0), UINT64_C(0x2d06800538d394c2));
    PZ_CHECK_EQ_U64(pz_hash_bytes("a", 1), UINT64_C(0xe6c632b61e964e1f));
    PZ_CHECK_EQ_U64(pz_hash_bytes("abc", 3), UINT64_C(0x78af5f94892f3950));
}

PZ_TEST(every_bit_counts)
{
    unsigned char data[300];
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    pz_rng_bytes(&rng, data, sizeof data);
    for (size_t len = 1; len <= sizeof data; len += 7) {
        uint64_t whole = pz_hash_bytes(data, len);
        for (size_t bit = 0; bit < len * 8; bit++) {
            data[bit / 8] ^= (unsigned char)(1u << bit % 8);
            PZ_CHECK(pz_hash_bytes(data, len) != whole);
            data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        PZ_CHECK(pz_hash_bytes_seeded(data, len, 1) != whole);
    }
}

PZ_TEST(word_hash_spreads_small_keys)
{
    unsigned counts[64] = {0};
    for (uint64_t i = 0; i < 64000; i++) {
        counts[pz_hash_u64(i) >> 58]++;
    }
    for (int i = 0; i < 64; i++) {
        PZ_CHECK_MSG(counts[i] > 800 && counts[i] < 1200, "bucket %d has %u of 1000", i, counts[i]);
    }
}

PZ_TEST(process_seed_is_one)
{
    PZ_CHECK(pz_hash_process_seed() != 0);
    PZ_CHECK_EQ_U64(pz_hash_process_seed(), pz_hash_process_seed());
}
