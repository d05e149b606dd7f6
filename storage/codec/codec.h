// SPDX-License-Identifier: Apache-2.0
// Pages: one column of one block as bytes and back.
//
// A page chooses its own encoding: every codec that can express the values says exactly how many
// bytes it would take, and the smallest wins. Decoding takes bytes nobody has vouched for: counts,
// lengths, widths and ids are range-checked, and damage is PZ_CORRUPT, never an assertion.
// The layout of pages is drawn in docs/file-format.md.
#ifndef PZ_STORAGE_CODEC_CODEC_H
#define PZ_STORAGE_CODEC_CODEC_H

#include "storage/column/batch.h"

// Memory and zstd contexts for encoding and decoding, kept from page to page.
// One thread at a time.
struct pz_codec_work;
struct pz_codec_work *pz_codec_work_create(void); // NULL when out of memory
void pz_codec_work_destroy(struct pz_codec_work *work);

// ---- pages -----------------------------------------------------------------------------------

// How the values of a page are encoded. The number is stored on disk: never renumber.
enum pz_page_codec {
    PZ_PAGE_NONE = 0,     // all rows are NULL
    PZ_PAGE_INTEGERS = 1, // one integer array; booleans, codes, integers, and doubles by their bits
    PZ_PAGE_DECIMAL = 2,  // doubles that are integers over a power of ten
    PZ_PAGE_BYTE_SPLIT = 3, // doubles by byte planes, each under zstd where that helps
    PZ_PAGE_TEXT = 4,       // lengths, and zstd frames of bytes
    PZ_PAGE_DICTIONARY = 5, // sorted distinct texts, and codes into them
};

// Appends the page of rows [first, first + count) of `column` to `out`; count is 1 to
// PZ_BLOCK_ROWS. The page's length is a multiple of 8.
PZ_MUST_USE enum pz_status pz_codec_encode_page(struct pz_codec_work *work,
                                                const struct pz_column *column, size_t first,
                                                uint32_t count, struct pz_buffer *out,
                                                struct pz_error *err);

// A page as its header describes it: what decoding will need.
struct pz_page_view {
    const uint8_t *bytes; // borrowed, 8-byte aligned
    size_t len;
    enum pz_layout layout;
    uint8_t codec; // enum pz_page_codec
    uint8_t null_form;
    uint32_t row_count, null_count;
    uint32_t null_bytes;
    uint64_t text_bytes; // of the decoded texts, PZ_LAYOUT_STRING only
};

// Checks the checksum of a page. Decoding does not do it again.
PZ_MUST_USE enum pz_status pz_codec_verify_page(const uint8_t *bytes, size_t len,
                                                struct pz_error *err);
// As the header of a page states them.
uint64_t pz_codec_page_checksum(const uint8_t *bytes);
uint8_t pz_codec_page_codec(const uint8_t *bytes); // enum pz_page_codec, unchecked

// Reads the header of a page that should hold row_count rows of `layout`.
PZ_MUST_USE enum pz_status pz_codec_open_page(const uint8_t *bytes, size_t len,
                                              enum pz_layout layout, uint32_t row_count,
                                              struct pz_page_view *page_out, struct pz_error *err);

// Where a page is decoded to; all the caller's memory.
struct pz_page_target {
    void *data;      // row_count values of the layout; 16-byte aligned
    uint64_t *valid; // PZ_BIT_WORDS(row_count) words, written when the page has NULLs
    char *text;      // text_bytes; values point into it
};
PZ_MUST_USE enum pz_status pz_codec_decode_page(struct pz_codec_work *work,
                                                const struct pz_page_view *page,
                                                const struct pz_page_target *target,
                                                struct pz_error *err);

// ---- integer arrays on their own (the footer's) ------------------------------------------------

#define PZ_CODEC_ARRAY_MAX 65536u

// Appends 1 to PZ_CODEC_ARRAY_MAX integers, encoded.
PZ_MUST_USE enum pz_status pz_codec_encode_array(struct pz_codec_work *work, const uint64_t *values,
                                                 uint32_t count, struct pz_buffer *out,
                                                 struct pz_error *err);
// Reads them back from the head of `bytes`; *used_out is how many bytes they took.
PZ_MUST_USE enum pz_status pz_codec_decode_array(struct pz_codec_work *work, const uint8_t *bytes,
                                                 size_t len, uint32_t count, uint64_t *values_out,
                                                 size_t *used_out, struct pz_error *err);

#endif
