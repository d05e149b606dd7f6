// SPDX-License-Identifier: Apache-2.0
// Streams of all three encodings, in every division, whole and damaged.
#include "base/inflate.h"

#include "base/arena.h"

#include "tests/support/test.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

static void
pack_gzip(const void *data, size_t len, struct pz_buffer *out)
{
    z_stream stream = {.zalloc = NULL};
    PZ_ASSERT(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t bound = deflateBound(&stream, len);
    PZ_ASSERT(pz_buffer_reserve(out, bound));
    stream.next_in = (Bytef *)(uintptr_t)data;
    stream.avail_in = (uInt)len;
    stream.next_out = (Bytef *)out->data + out->len;
    stream.avail_out = (uInt)bound;
    PZ_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out->len += stream.total_out;
    (void)deflateEnd(&stream);
}

static void
pack_zstd(const void *data, size_t len, struct pz_buffer *out)
{
    PZ_ASSERT(pz_buffer_reserve(out, ZSTD_compressBound(len)));
    size_t packed = ZSTD_compress(out->data + out->len, ZSTD_compressBound(len), data, len, 3);
    PZ_ASSERT(!ZSTD_isError(packed));
    out->len += packed;
}

static void
pack(enum pz_encoding encoding, const void *data, size_t len, struct pz_buffer *out)
{
    switch (encoding) {
    case PZ_ENCODING_PLAIN:
        pz_buffer_append(out, data, len);
        break;
    case PZ_ENCODING_GZIP:
        pack_gzip(data, len, out);
        break;
    case PZ_ENCODING_ZSTD:
        pack_zstd(data, len, out);
        break;
    }
}

// Feeds `in` in pieces of at most `step_in` and drains in pieces of `step_out`.
static enum pz_status
unpack(enum pz_encoding encoding, const struct pz_buffer *in, size_t step_in, size_t step_out,
       struct pz_buffer *out, struct pz_error *err)
{
    struct pz_inflate *inflate = pz_inflate_create(encoding);
    PZ_ASSERT(inflate != NULL);
    char *room = pz_xmalloc(step_out);
    enum pz_status status = PZ_OK;
    size_t at = 0;
    size_t out_len = 1;
    while (status == PZ_OK && (at < in->len || out_len > 0)) {
        size_t in_used;
        size_t piece = in->len - at < step_in ? in->len - at : step_in;
        const char *start = in->len > 0 ? in->data + at : "";
        status = pz_inflate_step(inflate, start, piece, &in_used, room, step_out, &out_len, err);
        pz_buffer_append(out, room, out_len);
        at += in_used;
    }
    if (status == PZ_OK) {
        status = pz_inflate_finish(inflate, err);
    }
    free(room);
    pz_inflate_destroy(inflate);
    return status;
}

static void
fill(struct pz_rng *rng, char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        data[i] = (char)('a' + pz_rng_below(rng, 4));
    }
}

PZ_TEST(any_division_gives_the_same_bytes)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    static char data[50000];
    for (int encoding = PZ_ENCODING_PLAIN; encoding <= PZ_ENCODING_ZSTD; encoding++) {
        for (int round = 0; round < 60; round++) {
            size_t len = pz_rng_below(&rng, round < 10 ? 20 : sizeof data);
            fill(&rng, data, len);
            // One to three members one after another.
            struct pz_buffer packed = {.data = NULL};
            struct pz_buffer plain = {.data = NULL};
            size_t members = 1 + pz_rng_below(&rng, 3);
            for (size_t i = 0; i < members; i++) {
                size_t start = len * i / members;
                size_t end = len * (i + 1) / members;
                pack((enum pz_encoding)encoding, data + start, end - start, &packed);
            }
            if (len > 0) {
                PZ_CHECK_EQ_I64(pz_encoding_detect(packed.data, packed.len), encoding);
            }
            struct pz_error err;
            size_t step_in = 1 + pz_rng_below(&rng, round % 3 == 0 ? 5 : 20000);
            size_t step_out = 1 + pz_rng_below(&rng, round % 4 == 0 ? 7 : 20000);
            PZ_CHECK_OK(
                unpack((enum pz_encoding)encoding, &packed, step_in, step_out, &plain, &err), &err);
            PZ_CHECK_EQ_U64(plain.len, len);
            PZ_CHECK(plain.len == len && (len == 0 || memcmp(plain.data, data, len) == 0));
            pz_buffer_fini(&packed);
            pz_buffer_fini(&plain);
        }
    }
}

PZ_TEST(every_cut_is_noticed)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    char data[300];
    fill(&rng, data, sizeof data);
    for (int encoding = PZ_ENCODING_GZIP; encoding <= PZ_ENCODING_ZSTD; encoding++) {
        struct pz_buffer packed = {.data = NULL};
        pack((enum pz_encoding)encoding, data, sizeof data, &packed);
        size_t whole = packed.len;
        for (packed.len = 0; packed.len < whole; packed.len++) {
            struct pz_buffer plain = {.data = NULL};
            struct pz_error err;
            PZ_CHECK_STATUS(unpack((enum pz_encoding)encoding, &packed, 1000, 1000, &plain, &err),
                            PZ_INVALID, &err);
            PZ_CHECK_CONTAINS(err.message, "is cut off");
            pz_buffer_fini(&plain);
        }
        pz_buffer_fini(&packed);
    }
}

PZ_TEST(damage_is_an_error_never_a_crash)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    char data[2000];
    fill(&rng, data, sizeof data);
    for (int encoding = PZ_ENCODING_GZIP; encoding <= PZ_ENCODING_ZSTD; encoding++) {
        struct pz_buffer packed = {.data = NULL};
        pack((enum pz_encoding)encoding, data, sizeof data, &packed);
        for (int round = 0; round < 2000; round++) {
            size_t at = pz_rng_below(&rng, packed.len);
            char before = packed.data[at];
            packed.data[at] = (char)(before ^ (1 << pz_rng_below(&rng, 8)));
            struct pz_buffer plain = {.limit_bytes = 1 << 20};
            struct pz_error err;
            enum pz_status status =
                unpack((enum pz_encoding)encoding, &packed, 100, 1000, &plain, &err);
            PZ_CHECK(status == PZ_OK || status == PZ_INVALID || status == PZ_NO_MEMORY);
            pz_buffer_fini(&plain);
            packed.data[at] = before;
        }
        pz_buffer_fini(&packed);
    }
}

PZ_TEST(garbage_after_the_end_is_damage)
{
    struct pz_buffer packed = {.data = NULL};
    struct pz_buffer plain = {.data = NULL};
    struct pz_error err;
    pack_gzip("abc", 3, &packed);
    pz_buffer_append_c(&packed, "trailing");
    PZ_CHECK_STATUS(unpack(PZ_ENCODING_GZIP, &packed, 100, 100, &plain, &err), PZ_INVALID, &err);
    PZ_CHECK_CONTAINS(err.message, "damaged near byte 2");
    pz_buffer_fini(&packed);
    pz_buffer_fini(&plain);
}

PZ_TEST(detection_needs_the_magic)
{
    PZ_CHECK_EQ_I64(pz_encoding_detect("", 0), PZ_ENCODING_PLAIN);
    PZ_CHECK_EQ_I64(pz_encoding_detect("{\"a\":1}", 7), PZ_ENCODING_PLAIN);
    PZ_CHECK_EQ_I64(pz_encoding_detect("\x1f\x8b", 2), PZ_ENCODING_GZIP);
    PZ_CHECK_EQ_I64(pz_encoding_detect("\x28\xb5\x2f", 3), PZ_ENCODING_PLAIN);
    PZ_CHECK_EQ_I64(pz_encoding_detect("\x28\xb5\x2f\xfd", 4), PZ_ENCODING_ZSTD);
    PZ_CHECK_EQ_I64(pz_encoding_detect("\x5e\x2a\x4d\x18", 4), PZ_ENCODING_ZSTD);
}
