// SPDX-License-Identifier: Apache-2.0
// Streaming decompression over zlib and zstd. The only place in base that sees their headers.
#include "base/inflate.h"

#include "base/num.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

// 8 MiB: what `zstd -19` writes. Streams from outside must not choose how much memory we use.
enum { ZSTD_WINDOW_LOG_MAX = 23, GZIP_WINDOW_BITS = 15 + 16 };

struct pz_inflate {
    enum pz_encoding encoding;
    bool is_complete; // between members or frames
    uint64_t bytes_in;
    z_stream gzip;
    ZSTD_DCtx *zstd;
};

enum pz_encoding
pz_encoding_detect(const void *head, size_t len)
{
    const unsigned char *bytes = head;
    if (len >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) {
        return PZ_ENCODING_GZIP;
    }
    if (len >= 4) {
        uint32_t magic = pz_load_le32(bytes);
        if (magic == ZSTD_MAGICNUMBER ||
            (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START) {
            return PZ_ENCODING_ZSTD;
        }
    }
    return PZ_ENCODING_PLAIN;
}

struct pz_inflate *
pz_inflate_create(enum pz_encoding encoding)
{
    struct pz_inflate *inflate = calloc(1, sizeof *inflate);
    if (inflate == NULL) {
        return NULL;
    }
    inflate->encoding = encoding;
    bool is_ready = true;
    switch (encoding) {
    case PZ_ENCODING_PLAIN:
        inflate->is_complete = true;
        break;
    case PZ_ENCODING_GZIP:
        is_ready = inflateInit2(&inflate->gzip, GZIP_WINDOW_BITS) == Z_OK;
        break;
    case PZ_ENCODING_ZSTD:
        inflate->zstd = ZSTD_createDCtx();
        is_ready = inflate->zstd != NULL &&
                   !ZSTD_isError(ZSTD_DCtx_setParameter(inflate->zstd, ZSTD_d_windowLogMax,
                                                        ZSTD_WINDOW_LOG_MAX));
        break;
    }
    if (!is_ready) {
        (void)ZSTD_freeDCtx(inflate->zstd);
        free(inflate);
        return NULL;
    }
    return inflate;
}

void
pz_inflate_destroy(struct pz_inflate *inflate)
{
    if (inflate == NULL) {
        return;
    }
    if (inflate->encoding == PZ_ENCODING_GZIP) {
        (void)inflateEnd(&inflate->gzip);
    }
    (void)ZSTD_freeDCtx(inflate->zstd); // accepts NULL
    free(inflate);
}

static void
step_plain(const void *in, size_t in_len, size_t *in_used, void *out, size_t out_capacity,
           size_t *out_len)
{
    size_t len = in_len < out_capacity ? in_len : out_capacity;
    if (len > 0) {
        memcpy(out, in, len);
    }
    *in_used = len;
    *out_len = len;
}

static uInt
as_uint(size_t len)
{
    return len < UINT32_MAX ? (uInt)len : UINT32_MAX;
}

static enum pz_status
fail_damaged(const struct pz_inflate *inflate, const char *format_name, const char *reason,
             struct pz_error *err)
{
    return pz_fail(err, PZ_INVALID, "the %s stream is damaged near byte %llu: %s", format_name,
                   (unsigned long long)inflate->bytes_in, reason);
}

// Apart from step_gzip, where the name `inflate` is taken.
static int
run_zlib(z_stream *gzip)
{
    return inflate(gzip, Z_NO_FLUSH);
}

static enum pz_status
step_gzip(struct pz_inflate *inflate, const void *in, size_t in_len, size_t *in_used, void *out,
          size_t out_capacity, size_t *out_len, struct pz_error *err)
{
    z_stream *gzip = &inflate->gzip;
    if (inflate->is_complete) {
        if (in_len == 0) {
            return PZ_OK;
        }
        (void)inflateReset(gzip); // the next member
        inflate->is_complete = false;
    }
    // zlib's type lacks a const that its documentation promises.
    gzip->next_in = (Bytef *)(uintptr_t)in;
    gzip->avail_in = as_uint(in_len);
    gzip->next_out = out;
    gzip->avail_out = as_uint(out_capacity);
    uInt in_before = gzip->avail_in;
    uInt out_before = gzip->avail_out;
    int result = run_zlib(gzip);
    *in_used = in_before - gzip->avail_in;
    *out_len = out_before - gzip->avail_out;
    inflate->bytes_in += *in_used;
    switch (result) {
    case Z_STREAM_END:
        inflate->is_complete = true;
        return PZ_OK;
    case Z_OK:
    case Z_BUF_ERROR: // no progress for lack of input or room; not an error
        return PZ_OK;
    case Z_MEM_ERROR:
        return pz_fail(err, PZ_NO_MEMORY, "no memory to decompress gzip");
    default:
        return fail_damaged(inflate, "gzip", gzip->msg != NULL ? gzip->msg : "bad data", err);
    }
}

static enum pz_status
step_zstd(struct pz_inflate *inflate, const void *in, size_t in_len, size_t *in_used, void *out,
          size_t out_capacity, size_t *out_len, struct pz_error *err)
{
    ZSTD_inBuffer source = {in, in_len, 0};
    ZSTD_outBuffer target = {out, out_capacity, 0};
    // Asked between two frames without input, the library would begin to wait for a new one.
    if (inflate->is_complete && in_len == 0) {
        return PZ_OK;
    }
    size_t result = ZSTD_decompressStream(inflate->zstd, &target, &source);
    *in_used = source.pos;
    *out_len = target.pos;
    inflate->bytes_in += source.pos;
    if (!ZSTD_isError(result)) {
        inflate->is_complete = result == 0;
        return PZ_OK;
    }
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
        return pz_fail(err, PZ_NO_MEMORY, "no memory to decompress zstd");
    case ZSTD_error_frameParameter_windowTooLarge: {
        enum pz_status status = fail_damaged(inflate, "zstd", "its window is over 8 MiB", err);
        pz_error_hint(err, "compress without --long and with a level of at most 19");
        return status;
    }
    default:
        return fail_damaged(inflate, "zstd", ZSTD_getErrorName(result), err);
    }
}

enum pz_status
pz_inflate_step(struct pz_inflate *inflate, const void *in, size_t in_len, size_t *in_used,
                void *out, size_t out_capacity, size_t *out_len, struct pz_error *err)
{
    *in_used = 0;
    *out_len = 0;
    switch (inflate->encoding) {
    case PZ_ENCODING_PLAIN:
        step_plain(in, in_len, in_used, out, out_capacity, out_len);
        return PZ_OK;
    case PZ_ENCODING_GZIP:
        return step_gzip(inflate, in, in_len, in_used, out, out_capacity, out_len, err);
    case PZ_ENCODING_ZSTD:
        return step_zstd(inflate, in, in_len, in_used, out, out_capacity, out_len, err);
    }
    PZ_UNREACHABLE("every encoding is listed");
}

enum pz_status
pz_inflate_finish(struct pz_inflate *inflate, struct pz_error *err)
{
    if (inflate->is_complete) {
        return PZ_OK;
    }
    return pz_fail(err, PZ_INVALID, "the %s stream is cut off after %llu bytes",
                   inflate->encoding == PZ_ENCODING_GZIP ? "gzip" : "zstd",
                   (unsigned long long)inflate->bytes_in);
}
