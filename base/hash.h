// SPDX-License-Identifier: Apache-2.0
// XXH3 (github.com/Cyan4973/xxHash): checksums of stored bytes and keys of hash tables.
#ifndef PZ_BASE_HASH_H
#define PZ_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t pz_hash_bytes(const void *data, size_t len);
uint64_t pz_hash_bytes_seeded(const void *data, size_t len, uint64_t seed);

// A bijective mix of one word, for tables keyed by integers.
static inline uint64_t
pz_hash_u64(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    return x;
}

// A seed drawn once per process from the kernel, for tables keyed by bytes from outside.
uint64_t pz_hash_process_seed(void);

#endif
