// SPDX-License-Identifier: Apache-2.0
// Which rows of a page are NULL: none, all, a bit set of the rows that are not, or the u16
// positions of those that are, rising; whichever is shortest.
#include "storage/codec/codec_internal.h"

uint32_t
pz__nulls_count(const struct pz_column *column, size_t first, uint32_t count)
{
    uint32_t nulls = 0;
    for (uint32_t i = 0; column->valid != NULL && i < count; i++) {
        nulls += !pz_bit_get(column->valid, first + i);
    }
    return nulls;
}

enum pz__null_form
pz__nulls_form(uint32_t null_count, uint32_t row_count, uint32_t *bytes_out)
{
    size_t sparse = pz__round8((size_t)null_count * sizeof(uint16_t));
    size_t bitmap = PZ_BIT_WORDS(row_count) * sizeof(uint64_t);
    *bytes_out = 0;
    if (null_count == 0) {
        return PZ__NULLS_NONE;
    }
    if (null_count == row_count) {
        return PZ__NULLS_ALL;
    }
    *bytes_out = (uint32_t)(sparse < bitmap ? sparse : bitmap);
    return sparse < bitmap ? PZ__NULLS_SPARSE : PZ__NULLS_BITMAP;
}

void
pz__nulls_emit(enum pz__null_form form, const struct pz_column *column, size_t first,
               uint32_t count, uint8_t *out)
{
    uint32_t position = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_valid = !pz_column_is_null(column, first + i);
        if (form == PZ__NULLS_BITMAP) {
            out[i / 8] = (uint8_t)(out[i / 8] | is_valid << (i % 8));
        } else if (form == PZ__NULLS_SPARSE && !is_valid) {
            pz_store_le16(out + position * sizeof(uint16_t), (uint16_t)i);
            position++;
        }
    }
}

static void
fill(uint64_t *valid, uint32_t rows, uint64_t word)
{
    for (size_t i = 0; i < PZ_BIT_WORDS(rows); i++) {
        valid[i] = word;
    }
    if (rows % 64 != 0) {
        valid[rows / 64] &= pz__low_bits(rows % 64);
    }
}

static enum pz_status
read_bitmap(const struct pz_page_view *page, const uint8_t *bytes, uint64_t *valid,
            struct pz_error *err)
{
    size_t words = PZ_BIT_WORDS(page->row_count);
    memcpy(valid, bytes, words * sizeof(uint64_t));
    uint32_t set = 0;
    for (size_t i = 0; i < words; i++) {
        set += (uint32_t)__builtin_popcountll(valid[i]);
    }
    uint32_t rest = page->row_count % 64;
    bool has_stray = rest != 0 && valid[words - 1] >> rest != 0;
    if (has_stray || set != page->row_count - page->null_count) {
        return pz_fail(err, PZ_CORRUPT, "bit set of %u rows for %u", set,
                       page->row_count - page->null_count);
    }
    return PZ_OK;
}

static enum pz_status
read_sparse(const struct pz_page_view *page, const uint8_t *bytes, uint64_t *valid,
            struct pz_error *err)
{
    fill(valid, page->row_count, UINT64_MAX);
    uint32_t previous = 0;
    for (uint32_t i = 0; i < page->null_count; i++) {
        uint32_t position = pz_load_le16(bytes + (size_t)i * sizeof(uint16_t));
        if (position >= page->row_count || (i > 0 && position <= previous)) {
            return pz_fail(err, PZ_CORRUPT, "NULL %u stands at %u of %u rows", i, position,
                           page->row_count);
        }
        previous = position;
        pz_bit_clear(valid, position);
    }
    return PZ_OK;
}

enum pz_status
pz__nulls_read(const struct pz_page_view *page, const uint8_t *bytes, uint64_t *valid,
               struct pz_error *err)
{
    switch ((enum pz__null_form)page->null_form) {
    case PZ__NULLS_NONE:
        return PZ_OK;
    case PZ__NULLS_ALL:
        fill(valid, page->row_count, 0);
        return PZ_OK;
    case PZ__NULLS_BITMAP:
        return read_bitmap(page, bytes, valid, err);
    case PZ__NULLS_SPARSE:
        return read_sparse(page, bytes, valid, err);
    }
    PZ_UNREACHABLE("the form of NULLs was checked with the header");
}
