// SPDX-License-Identifier: Apache-2.0
// A page: header, NULLs, body.
//
//   byte  0  u64 checksum     XXH3 of all that follows
//         8  u8  layout       enum pz_layout
//         9  u8  codec        enum pz_page_codec
//        10  u8  null form    enum pz__null_form
//        11  u8  zero
//        12  u32 row count
//        16  u32 NULL count
//        20  u32 bytes of the NULLs, a multiple of 8
//        24  u64 bytes of the decoded texts
//        32  NULLs, then the body
//
// A NULL's slot in the body repeats the value before it (the first one after it at the head of
// the page; texts: empty), so that runs and differences survive.
#include "base/hash.h"
#include "storage/codec/codec_internal.h"

#define HEADER_BYTES 32u
#define CHECKSUM_BYTES 8u
// No zstd frame says more: a block of 128 KiB takes at least 4 bytes.
#define INFLATION_MAX 32768u

// ---- writing ---------------------------------------------------------------------------------

struct rows {
    const struct pz_column *column;
    size_t first;
    uint32_t count;
    uint32_t null_count;
};

static void
repeat_over_nulls(const struct rows *rows, uint64_t *values)
{
    uint32_t i = 0;
    while (pz_column_is_null(rows->column, rows->first + i)) {
        i++; // not all are NULL
    }
    uint64_t previous = values[i];
    for (i = 0; i < rows->count; i++) {
        if (pz_column_is_null(rows->column, rows->first + i)) {
            values[i] = previous;
        }
        previous = values[i];
    }
}

// The rows' values as 64-bit words with NULL slots filled; borrowed or in the arena. NULL when out
// of memory.
static const uint64_t *
words_of(struct pz_arena *arena, const struct rows *rows)
{
    const struct pz_column *column = rows->column;
    enum pz_layout layout = pz_type_layout(column->type);
    if (layout == PZ_LAYOUT_INT && rows->null_count == 0) {
        return (const uint64_t *)column->ints + rows->first;
    }
    uint64_t *values = pz_arena_alloc_array(arena, rows->count, sizeof(*values));
    if (values == NULL) {
        return NULL;
    }
    if (layout == PZ_LAYOUT_BYTE) {
        for (uint32_t i = 0; i < rows->count; i++) {
            values[i] = column->bytes[rows->first + i];
        }
    } else if (layout == PZ_LAYOUT_CODE) {
        for (uint32_t i = 0; i < rows->count; i++) {
            values[i] = column->codes[rows->first + i];
        }
    } else {
        memcpy(values, (const uint64_t *)column->data + rows->first, rows->count * sizeof(*values));
    }
    if (rows->null_count > 0) {
        repeat_over_nulls(rows, values);
    }
    return values;
}

static enum pz_status
encode_integers(struct pz_codec_work *work, const struct rows *rows, struct pz_buffer *out,
                struct pz_error *err)
{
    const uint64_t *values = words_of(&work->arena, rows);
    if (values == NULL) {
        return pz__codec_no_memory(err);
    }
    const struct pz__int_plan *plan;
    PZ_TRY(pz__int_plan(&work->arena, values, rows->count, PZ__INT_ALL, &plan, err));
    return pz__int_append(plan, out, err);
}

static enum pz_status
encode_reals(struct pz_codec_work *work, const struct rows *rows, struct pz_buffer *out,
             enum pz_page_codec *codec_out, struct pz_error *err)
{
    const uint64_t *bits = words_of(&work->arena, rows);
    if (bits == NULL) {
        return pz__codec_no_memory(err);
    }
    return pz__real_encode(work, bits, rows->count, out, codec_out, err);
}

// The dictionary is quicker to read: it need not be the smaller by all means.
static bool
dictionary_wins(size_t dictionary_bytes, size_t text_bytes)
{
    return dictionary_bytes <= text_bytes + text_bytes / 16;
}

static enum pz_status
encode_texts(struct pz_codec_work *work, const struct rows *rows, struct pz_buffer *out,
             enum pz_page_codec *codec_out, uint64_t *text_bytes_out, struct pz_error *err)
{
    struct pz_str *texts = pz_arena_alloc_array(&work->arena, rows->count, sizeof(*texts));
    if (texts == NULL) {
        return pz__codec_no_memory(err);
    }
    uint64_t raw_bytes = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        size_t row = rows->first + i;
        texts[i] = pz_column_is_null(rows->column, row) ? (struct pz_str){0}
                                                        : pz_column_text(rows->column, row);
        raw_bytes += texts[i].len;
    }
    size_t begin = out->len;
    uint64_t distinct_bytes = 0;
    PZ_TRY(pz__text_dictionary_encode(work, texts, rows->count, out, &distinct_bytes, err));
    size_t dictionary_bytes = out->len - begin;
    PZ_TRY(pz__text_encode(work, texts, rows->count, out, err));
    size_t text_bytes = out->len - begin - dictionary_bytes;
    if (dictionary_bytes != 0 && dictionary_wins(dictionary_bytes, text_bytes)) {
        out->len = begin + dictionary_bytes;
        *codec_out = PZ_PAGE_DICTIONARY;
        *text_bytes_out = distinct_bytes;
    } else {
        memmove(out->data + begin, out->data + begin + dictionary_bytes, text_bytes);
        out->len = begin + text_bytes;
        *codec_out = PZ_PAGE_TEXT;
        *text_bytes_out = raw_bytes;
    }
    return PZ_OK;
}

static enum pz_status
encode_body(struct pz_codec_work *work, const struct rows *rows, struct pz_buffer *out,
            struct pz_page_view *page, struct pz_error *err)
{
    enum pz_page_codec codec = PZ_PAGE_INTEGERS;
    enum pz_status status = PZ_OK;
    if (rows->null_count == rows->count) {
        codec = PZ_PAGE_NONE;
    } else if (page->layout == PZ_LAYOUT_REAL) {
        status = encode_reals(work, rows, out, &codec, err);
    } else if (page->layout == PZ_LAYOUT_STRING) {
        status = encode_texts(work, rows, out, &codec, &page->text_bytes, err);
    } else {
        status = encode_integers(work, rows, out, err);
    }
    page->codec = (uint8_t)codec;
    return status;
}

enum pz_status
pz_codec_encode_page(struct pz_codec_work *work, const struct pz_column *column, size_t first,
                     uint32_t count, struct pz_buffer *out, struct pz_error *err)
{
    PZ_ASSERT(count >= 1 && count <= PZ_BLOCK_ROWS);
    PZ_ASSERT(first <= column->row_count && count <= column->row_count - first);
    pz_arena_reset(&work->arena);
    struct rows rows = {column, first, count, pz__nulls_count(column, first, count)};
    struct pz_page_view page = {.layout = pz_type_layout(column->type), .row_count = count};
    enum pz__null_form form = pz__nulls_form(rows.null_count, count, &page.null_bytes);
    size_t begin = out->len;
    uint8_t *head = pz__append_zero(out, HEADER_BYTES + page.null_bytes);
    if (head == NULL) {
        return pz__codec_no_memory(err);
    }
    pz__nulls_emit(form, column, first, count, head + HEADER_BYTES);
    PZ_TRY(encode_body(work, &rows, out, &page, err));
    head = (uint8_t *)out->data + begin; // the buffer may have moved
    head[8] = (uint8_t)page.layout;
    head[9] = page.codec;
    head[10] = (uint8_t)form;
    pz_store_le32(head + 12, count);
    pz_store_le32(head + 16, rows.null_count);
    pz_store_le32(head + 20, page.null_bytes);
    pz_store_le64(head + 24, page.text_bytes);
    size_t len = out->len - begin;
    PZ_ASSERT(len % 8 == 0);
    pz_store_le64(head, pz_hash_bytes(head + CHECKSUM_BYTES, len - CHECKSUM_BYTES));
    return PZ_OK;
}

// ---- reading ---------------------------------------------------------------------------------

uint64_t
pz_codec_page_checksum(const uint8_t *bytes)
{
    return pz_load_le64(bytes);
}

uint8_t
pz_codec_page_codec(const uint8_t *bytes)
{
    return bytes[9];
}

enum pz_status
pz_codec_verify_page(const uint8_t *bytes, size_t len, struct pz_error *err)
{
    if (len < HEADER_BYTES) {
        return pz_fail(err, PZ_CORRUPT, "page of %zu bytes", len);
    }
    uint64_t found = pz_hash_bytes(bytes + CHECKSUM_BYTES, len - CHECKSUM_BYTES);
    if (found != pz_load_le64(bytes)) {
        return pz_fail(err, PZ_CORRUPT, "checksum is %016llx, the page says %016llx",
                       (unsigned long long)found, (unsigned long long)pz_load_le64(bytes));
    }
    return PZ_OK;
}

static bool
codec_fits_layout(uint8_t codec, enum pz_layout layout)
{
    switch ((enum pz_page_codec)codec) {
    case PZ_PAGE_NONE:
        return true;
    case PZ_PAGE_INTEGERS:
        return layout != PZ_LAYOUT_STRING;
    case PZ_PAGE_DECIMAL:
    case PZ_PAGE_BYTE_SPLIT:
        return layout == PZ_LAYOUT_REAL;
    case PZ_PAGE_TEXT:
    case PZ_PAGE_DICTIONARY:
        return layout == PZ_LAYOUT_STRING;
    }
    return false;
}

enum pz_status
pz_codec_open_page(const uint8_t *bytes, size_t len, enum pz_layout layout, uint32_t row_count,
                   struct pz_page_view *page_out, struct pz_error *err)
{
    PZ_ASSERT(row_count >= 1 && row_count <= PZ_BLOCK_ROWS);
    if (len < HEADER_BYTES || len % 8 != 0) {
        return pz_fail(err, PZ_CORRUPT, "page of %zu bytes", len);
    }
    struct pz_page_view page = {.bytes = bytes,
                                .len = len,
                                .layout = layout,
                                .codec = bytes[9],
                                .null_form = bytes[10],
                                .row_count = row_count,
                                .null_count = pz_load_le32(bytes + 16),
                                .null_bytes = pz_load_le32(bytes + 20),
                                .text_bytes = pz_load_le64(bytes + 24)};
    if (bytes[8] != layout || pz_load_le32(bytes + 12) != row_count) {
        return pz_fail(err, PZ_CORRUPT, "page of %u rows in layout %u where %u in layout %u belong",
                       pz_load_le32(bytes + 12), bytes[8], row_count, layout);
    }
    if (!codec_fits_layout(page.codec, layout)) {
        return pz_fail(err, PZ_CORRUPT, "codec %u of a page in layout %u", page.codec, layout);
    }
    uint32_t null_bytes = 0;
    if (page.null_count > row_count ||
        page.null_form != pz__nulls_form(page.null_count, row_count, &null_bytes) ||
        page.null_bytes != null_bytes || null_bytes > len - HEADER_BYTES ||
        (page.codec == PZ_PAGE_NONE) != (page.null_count == row_count)) {
        return pz_fail(err, PZ_CORRUPT, "%u NULLs of %u rows in %u bytes, form %u", page.null_count,
                       row_count, page.null_bytes, page.null_form);
    }
    if (page.text_bytes / INFLATION_MAX > len ||
        (page.text_bytes > 0 && (layout != PZ_LAYOUT_STRING || page.codec == PZ_PAGE_NONE))) {
        return pz_fail(err, PZ_CORRUPT, "%llu bytes of text in a page of %zu",
                       (unsigned long long)page.text_bytes, len);
    }
    *page_out = page;
    return PZ_OK;
}

static enum pz_status
decode_integers(struct pz_codec_work *work, enum pz_layout layout, const struct pz__body *body,
                void *data, struct pz_error *err)
{
    struct pz__decoder decoder = {.arena = &work->arena, .err = err};
    struct pz__ints out = {.count = body->count};
    if (layout == PZ_LAYOUT_CODE) {
        out.narrow = data;
    } else if (layout == PZ_LAYOUT_BYTE) {
        out.narrow = pz_arena_alloc_array(&work->arena, body->count, sizeof(uint32_t));
        if (out.narrow == NULL) {
            return pz__codec_no_memory(err);
        }
    } else {
        out.wide = data;
    }
    PZ_TRY(pz__int_decode(&decoder, body->bytes, body->len, &out, NULL));
    if (layout == PZ_LAYOUT_BYTE) {
        uint8_t *bytes = data;
        uint32_t all = 0;
        for (uint32_t i = 0; i < body->count; i++) {
            all |= out.narrow[i];
            bytes[i] = (uint8_t)out.narrow[i];
        }
        if (all > 1) {
            return pz_fail(err, PZ_CORRUPT, "a boolean that is neither 0 nor 1");
        }
    }
    return PZ_OK;
}

static enum pz_status
decode_body(struct pz_codec_work *work, const struct pz_page_view *page,
            const struct pz__body *body, const struct pz_page_target *target, struct pz_error *err)
{
    size_t used;
    switch ((enum pz_page_codec)page->codec) {
    case PZ_PAGE_NONE:
        memset(target->data, 0, page->row_count * pz_layout_size(page->layout));
        return PZ_OK;
    case PZ_PAGE_INTEGERS:
        return decode_integers(work, page->layout, body, target->data, err);
    case PZ_PAGE_DECIMAL:
        return pz__decimal_decode(work, body, target->data, err);
    case PZ_PAGE_BYTE_SPLIT:
        return pz__byte_split_decode(work, body, target->data, err);
    case PZ_PAGE_TEXT:
        return pz__text_decode(work, body, target, &used, err);
    case PZ_PAGE_DICTIONARY:
        return pz__text_dictionary_decode(work, body, target, err);
    }
    PZ_UNREACHABLE("the codec was checked with the header");
}

enum pz_status
pz_codec_decode_page(struct pz_codec_work *work, const struct pz_page_view *page,
                     const struct pz_page_target *target, struct pz_error *err)
{
    pz_arena_reset(&work->arena);
    PZ_TRY(pz__nulls_read(page, page->bytes + HEADER_BYTES, target->valid, err));
    struct pz__body body = {.bytes = page->bytes + HEADER_BYTES + page->null_bytes,
                            .len = page->len - HEADER_BYTES - page->null_bytes,
                            .count = page->row_count,
                            .text_bytes = page->text_bytes};
    return decode_body(work, page, &body, target, err);
}
