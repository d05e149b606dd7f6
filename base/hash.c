// SPDX-License-Identifier: Apache-2.0
// The only place that sees xxhash.h; the functions are compiled in.
#include "base/hash.h"

#include "base/status.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/random.h>

// The library's own warnings are its makers' business.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wundef"
#define XXH_INLINE_ALL
#include <xxhash.h>
#pragma GCC diagnostic pop

uint64_t
pz_hash_bytes(const void *data, size_t len)
{
    return XXH3_64bits(data, len);
}

uint64_t
pz_hash_bytes_seeded(const void *data, size_t len, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, len, seed);
}

uint64_t
pz_hash_process_seed(void)
{
    static _Atomic uint64_t seed; // 0 until drawn
    uint64_t current = atomic_load_explicit(&seed, memory_order_relaxed);
    while (current == 0) {
        uint64_t drawn = 0;
        ssize_t len = getrandom(&drawn, sizeof drawn, 0);
        if (len != (ssize_t)sizeof drawn) {
            if (len < 0 && errno != EINTR) {
                pz_panic(__FILE__, __LINE__, "the kernel gives no random bytes (errno %d)", errno);
            }
            continue;
        }
        drawn |= 1;
        // Whoever comes second takes the first one's.
        if (atomic_compare_exchange_strong_explicit(&seed, &current, drawn, memory_order_relaxed,
                                                    memory_order_relaxed)) {
            current = drawn;
        }
    }
    return current;
}
