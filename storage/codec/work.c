// SPDX-License-Identifier: Apache-2.0
// What one thread keeps between pages: an arena and the buffers and contexts of zstd.
#include "storage/codec/codec_internal.h"

#include <stdlib.h>
#include <zstd.h>

struct pz_codec_work *
pz_codec_work_create(void)
{
    struct pz_codec_work *work = calloc(1, sizeof(*work));
    if (work != NULL) {
        pz_arena_init(&work->arena, NULL);
    }
    return work;
}

void
pz_codec_work_destroy(struct pz_codec_work *work)
{
    if (work == NULL) {
        return;
    }
    pz_arena_fini(&work->arena);
    pz_buffer_fini(&work->frames);
    (void)ZSTD_freeCCtx(work->compressor);
    (void)ZSTD_freeDCtx(work->decompressor);
    free(work);
}

enum pz_status
pz__codec_no_memory(struct pz_error *err)
{
    return pz_fail(err, PZ_NO_MEMORY, "no memory for a page");
}

uint8_t *
pz__append_zero(struct pz_buffer *out, size_t len)
{
    if (!pz_buffer_reserve(out, len)) {
        return NULL;
    }
    uint8_t *at = (uint8_t *)out->data + out->len;
    memset(at, 0, len);
    out->len += len;
    return at;
}
