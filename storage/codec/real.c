// SPDX-License-Identifier: Apache-2.0
// The choice for a page of doubles: their bits as integers (equal and few distinct values),
// decimals, or byte planes; the smallest.
#include "storage/codec/codec_internal.h"

enum pz_status
pz__real_encode(struct pz_codec_work *work, const uint64_t *bits, uint32_t count,
                struct pz_buffer *out, enum pz_page_codec *codec_out, struct pz_error *err)
{
    const struct pz__int_plan *plan;
    PZ_TRY(pz__int_plan(&work->arena, bits, count, PZ__INT_ALL, &plan, err));
    struct pz__reals reals = {.bits = bits, .count = count, .best_bytes = plan->bytes};
    size_t begin = out->len;
    PZ_TRY(pz__decimal_encode(work, &reals, out, err));
    size_t decimal_bytes = out->len - begin;
    if (decimal_bytes != 0) {
        reals.best_bytes = decimal_bytes;
        *codec_out = PZ_PAGE_DECIMAL;
    }
    PZ_TRY(pz__byte_split_encode(work, &reals, out, err));
    size_t split_bytes = out->len - begin - decimal_bytes;
    if (split_bytes != 0) {
        memmove(out->data + begin, out->data + begin + decimal_bytes, split_bytes);
        out->len = begin + split_bytes;
        *codec_out = PZ_PAGE_BYTE_SPLIT;
    }
    if (out->len == begin) {
        *codec_out = PZ_PAGE_INTEGERS;
        return pz__int_append(plan, out, err);
    }
    return PZ_OK;
}
