// SPDX-License-Identifier: Apache-2.0
// Byte split: doubles that are no decimals still share signs, exponents and leading digits. Byte 0
// of all values, then byte 1, ... byte 7: each plane on its own under zstd, or as it is.
// Body: u32 stored length of each of the 8 planes, the planes, filled up to 8 bytes.
#include "storage/codec/codec_internal.h"

#define PLANES 8u
#define TABLE_BYTES (PLANES * sizeof(uint32_t))

enum pz_status
pz__byte_split_encode(struct pz_codec_work *work, const struct pz__reals *reals,
                      struct pz_buffer *out, struct pz_error *err)
{
    uint8_t *plane = pz_arena_alloc(&work->arena, reals->count);
    if (plane == NULL) {
        return pz__codec_no_memory(err);
    }
    pz_buffer_clear(&work->frames);
    uint8_t table[TABLE_BYTES];
    for (unsigned byte = 0; byte < PLANES; byte++) {
        for (uint32_t i = 0; i < reals->count; i++) {
            plane[i] = (uint8_t)(reals->bits[i] >> (8 * byte));
        }
        size_t stored;
        PZ_TRY(pz__frame_append(work, plane, reals->count, &stored, err));
        pz_store_le32(table + byte * sizeof(uint32_t), (uint32_t)stored);
    }
    size_t bytes = TABLE_BYTES + pz__round8(work->frames.len);
    if (bytes >= reals->best_bytes) {
        return PZ_OK;
    }
    uint8_t *at = pz__append_zero(out, bytes);
    if (at == NULL) {
        return pz__codec_no_memory(err);
    }
    memcpy(at, table, TABLE_BYTES);
    memcpy(at + TABLE_BYTES, work->frames.data, work->frames.len);
    return PZ_OK;
}

enum pz_status
pz__byte_split_decode(struct pz_codec_work *work, const struct pz__body *body, uint64_t *out,
                      struct pz_error *err)
{
    uint8_t *plane = pz_arena_alloc(&work->arena, body->count);
    if (plane == NULL) {
        return pz__codec_no_memory(err);
    }
    size_t at = TABLE_BYTES;
    for (unsigned byte = 0; byte < PLANES; byte++) {
        size_t stored = body->len >= TABLE_BYTES ? pz_load_le32(body->bytes + byte * 4) : 0;
        if (body->len < at || stored > body->len - at || stored > body->count) {
            return pz_fail(err, PZ_CORRUPT, "byte plane %u has %zu bytes", byte, stored);
        }
        PZ_TRY(pz__frame_read(work, body->bytes + at, stored, plane, body->count, err));
        at += stored;
        for (uint32_t i = 0; i < body->count; i++) {
            uint64_t low = byte == 0 ? 0 : out[i];
            out[i] = low | (uint64_t)plane[i] << (8 * byte);
        }
    }
    return PZ_OK;
}
