// SPDX-License-Identifier: Apache-2.0
// Streaming decompression of bodies and files: plain, gzip, zstd.
#ifndef PZ_BASE_INFLATE_H
#define PZ_BASE_INFLATE_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

enum pz_encoding { PZ_ENCODING_PLAIN, PZ_ENCODING_GZIP, PZ_ENCODING_ZSTD };

// By the first bytes (4 are enough): gzip and zstd magic numbers, else plain.
enum pz_encoding pz_encoding_detect(const void *head, size_t len);

// Concatenated gzip members and zstd frames are one stream. zstd windows may be up to 8 MiB.
struct pz_inflate;
// NULL when the machine has no memory.
struct pz_inflate *pz_inflate_create(enum pz_encoding encoding);
void pz_inflate_destroy(struct pz_inflate *inflate);

// Consumes some of `in` and fills some of `out`. Call until *in_used is the whole input and
// *out_len is 0. PZ_INVALID when the stream is damaged, with the byte offset in the message.
PZ_MUST_USE enum pz_status pz_inflate_step(struct pz_inflate *inflate, const void *in,
                                           size_t in_len, size_t *in_used, void *out,
                                           size_t out_capacity, size_t *out_len,
                                           struct pz_error *err);
// At the end of the input: PZ_INVALID "… is cut off" when a frame or member is not complete.
PZ_MUST_USE enum pz_status pz_inflate_finish(struct pz_inflate *inflate, struct pz_error *err);

#endif
