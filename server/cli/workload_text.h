// SPDX-License-Identifier: Apache-2.0
// The words of the workload: bodies of messages, and names of provinces.
#ifndef PZ_SERVER_CLI_WORKLOAD_TEXT_H
#define PZ_SERVER_CLI_WORKLOAD_TEXT_H

#include <stddef.h>
#include <stdint.h>

// A stream of random numbers (splitmix64).
struct pz_workload_rng {
    uint64_t state;
};
static inline uint64_t
pz_workload_draw(struct pz_workload_rng *rng)
{
    uint64_t x = rng->state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}
// [0, limit), for limits far below 2^32 and 32 bits of a draw.
static inline uint32_t
pz_workload_below(uint32_t bits, uint32_t limit)
{
    return (uint32_t)((uint64_t)bits * limit >> 32);
}

// Writes a body of 20 to 200 bytes, safe inside a JSON string; returns its length.
#define PZ_WORKLOAD_BODY_MAX 200u
size_t pz_workload_body(struct pz_workload_rng *rng, char *out);

// The 50 provinces of Spain with their inhabitants in thousands.
#define PZ_WORKLOAD_PROVINCES 50u
struct pz_workload_province {
    const char *name;
    uint32_t weight;
};
extern const struct pz_workload_province pz_workload_provinces[PZ_WORKLOAD_PROVINCES];

#endif
