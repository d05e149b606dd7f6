// SPDX-License-Identifier: Apache-2.0
// Segments: immutable files of sorted rows, in blocks of 65,536, a page per column and block.
//
// The byte layout is drawn at the head of segment/format.h. Everything read from a file is
// range-checked and its checksum verified before use; damage is PZ_CORRUPT, naming the file,
// column and block.
#ifndef PZ_STORAGE_SEGMENT_SEGMENT_H
#define PZ_STORAGE_SEGMENT_SEGMENT_H

#include "base/num.h"
#include "storage/column/batch.h"
#include "storage/column/stats.h"

#define PZ_SEGMENT_BLOCKS_MAX 256u

struct pz_segment;
struct pz_page_cache;
struct pz_codec_work;

// Facts of a written segment, as the catalog keeps them and opening verifies them.
struct pz_segment_info {
    uint64_t segment_id;
    uint32_t table_id;
    uint64_t row_count;
    uint64_t file_bytes;
    int64_t time_min, time_max; // of the time column; 0 when the table has none or all are NULL
    uint64_t footer_checksum;
};

// ---- writing -------------------------------------------------------------------------------

// Writes rows [0, rows->row_count) as a segment file at `path` (which must not exist) and makes it
// durable (fdatasync). Rows must already be sorted by the time column (NULLs last); at most
// PZ_SEGMENT_BLOCKS_MAX * PZ_BLOCK_ROWS of them, at least one. The file is then read back,
// decoded and compared with the rows (a codec's bug must not lose data). On failure the file is
// removed.
//
// Returns  PZ_OK, PZ_EXISTS, PZ_FULL, PZ_IO, PZ_NO_MEMORY
//          PZ_CORRUPT, PZ_INTERNAL  what was read back is not what was written
// Threads  any; uses `rows` read-only.
PZ_MUST_USE enum pz_status pz_segment_write(const char *path, uint64_t segment_id,
                                            const struct pz_batch *rows,
                                            struct pz_segment_info *info_out, struct pz_error *err);

// The order that sorts `rows` stably by the table's time column, NULLs last (or the identity when
// it has none): order_out[i] = old row of new row i. Caller frees *order_out. *is_sorted_out tells
// that it is the identity.
PZ_MUST_USE enum pz_status pz_segment_sort_order(const struct pz_batch *rows, uint32_t **order_out,
                                                 bool *is_sorted_out, struct pz_error *err);

// ---- reading -------------------------------------------------------------------------------

// Opens the file, checks header, footer and trailer against `expected` (NULL: against each other)
// and `def` (column types and domains). The segment keeps nothing of `def`. `cache` may be NULL:
// every page is then read from the file. One reference belongs to the caller.
//
// Returns  PZ_OK, PZ_NOT_FOUND, PZ_IO, PZ_NO_MEMORY
//          PZ_CORRUPT      not a segment, damaged, or not the one expected
//          PZ_UNSUPPORTED  written by a newer plaza
// Cost: reads the footer, no page.
PZ_MUST_USE enum pz_status pz_segment_open(const char *path, const struct pz_table_def *def,
                                           const struct pz_segment_info *expected,
                                           struct pz_page_cache *cache,
                                           struct pz_segment **segment_out, struct pz_error *err);
struct pz_segment *pz_segment_acquire(struct pz_segment *segment);
void pz_segment_release(struct pz_segment *segment); // closes with the last; NULL is ignored
// Marks the file for removal when the last reference goes.
void pz_segment_unlink_on_release(struct pz_segment *segment);

const struct pz_segment_info *pz_segment_info(const struct pz_segment *segment);
uint32_t pz_segment_block_count(const struct pz_segment *segment);
uint32_t pz_segment_block_rows(const struct pz_segment *segment, uint32_t block);

const struct pz_stats *pz_segment_block_stats(const struct pz_segment *segment, uint32_t block,
                                              uint32_t column);

// The runs of a block. *count_out is 0 when the table has no time column or the block has more than
// the format's limit of runs: scan it then.
const struct pz_day_run *pz_segment_day_runs(const struct pz_segment *segment, uint32_t block,
                                             uint32_t *count_out);
// Statistics of run `run` of a block for one column.
const struct pz_stats *pz_segment_run_stats(const struct pz_segment *segment, uint32_t block,
                                            uint32_t run, uint32_t column);

// Memory for decoded pages, reused from block to block. Zero-initialised is empty.
// One per thread and column in flight.
struct pz_page_scratch {
    void *data;
    size_t data_bytes;
    uint64_t *valid;
    size_t valid_words;
    char *text;
    size_t text_bytes;
    struct pz_codec_work *work; // what decoding itself needs; created when first used
};
void pz_page_scratch_fini(struct pz_page_scratch *scratch);

// Decodes one whole page. The slice borrows from scratch, until the scratch is used again or fini.
PZ_MUST_USE enum pz_status pz_segment_read(struct pz_segment *segment, uint32_t block,
                                           uint32_t column, struct pz_page_scratch *scratch,
                                           struct pz_slice *slice_out, struct pz_error *err);

// ---- page cache ----------------------------------------------------------------------------

// Encoded pages in memory, bounded, shared by all segments of a store. Checksums are verified once,
// when a page is read from its file.
struct pz_page_cache *pz_page_cache_create(size_t limit_bytes);
void pz_page_cache_destroy(struct pz_page_cache *cache); // after all segments are released
struct pz_page_cache_stats {
    uint64_t hits, misses, evictions, bytes;
};
void pz_page_cache_read_stats(struct pz_page_cache *cache, struct pz_page_cache_stats *out);

#endif
