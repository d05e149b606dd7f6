// SPDX-License-Identifier: Apache-2.0
// The only place that calls zstd: bytes into frames that are kept only when they are shorter.
// The decompressed length comes from the page, never from the frame, and both must agree; the
// page's checksum was verified before.
#include "storage/codec/codec_internal.h"

#include <zstd.h>

#define LEVEL 3
#define WINDOW_LOG_MAX 23

enum pz_status
pz__frame_append(struct pz_codec_work *work, const void *data, size_t len, size_t *stored_out,
                 struct pz_error *err)
{
    if (work->compressor == NULL) {
        work->compressor = ZSTD_createCCtx();
    }
    size_t bound = ZSTD_compressBound(len);
    if (work->compressor == NULL || ZSTD_isError(bound) ||
        !pz_buffer_reserve(&work->frames, bound)) {
        return pz__codec_no_memory(err);
    }
    char *at = work->frames.data + work->frames.len;
    size_t stored = ZSTD_compressCCtx(work->compressor, at, bound, data, len, LEVEL);
    if (ZSTD_isError(stored)) {
        return pz_fail(err, PZ_INTERNAL, "compress %zu bytes: %s", len, ZSTD_getErrorName(stored));
    }
    if (stored >= len) {
        memcpy(at, data, len);
        stored = len;
    }
    work->frames.len += stored;
    *stored_out = stored;
    return PZ_OK;
}

enum pz_status
pz__frame_read(struct pz_codec_work *work, const uint8_t *bytes, size_t stored, void *out,
               size_t len, struct pz_error *err)
{
    if (stored == len) {
        memcpy(out, bytes, len);
        return PZ_OK;
    }
    if (work->decompressor == NULL) {
        work->decompressor = ZSTD_createDCtx();
        if (work->decompressor == NULL ||
            ZSTD_isError(
                ZSTD_DCtx_setParameter(work->decompressor, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
            return pz__codec_no_memory(err);
        }
    }
    size_t read = ZSTD_decompressDCtx(work->decompressor, out, len, bytes, stored);
    if (ZSTD_isError(read)) {
        return pz_fail(err, PZ_CORRUPT, "decompress %zu bytes: %s", stored,
                       ZSTD_getErrorName(read));
    }
    if (read != len) {
        return pz_fail(err, PZ_CORRUPT, "frame of %zu bytes where %zu belong", read, len);
    }
    return PZ_OK;
}
