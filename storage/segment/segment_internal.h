// SPDX-License-Identifier: Apache-2.0
// What the files of this room share: the footer in memory, statistics, cached pages.
#ifndef PZ_STORAGE_SEGMENT_INTERNAL_H
#define PZ_STORAGE_SEGMENT_INTERNAL_H

#include "base/file.h"
#include "storage/codec/codec.h"
#include "storage/segment/format.h"
#include "storage/segment/segment.h"

// ---- footer ------------------------------------------------------------------------------------

struct pz__page_ref {
    uint64_t offset;
    uint64_t bytes;
    uint64_t checksum;
    uint8_t codec; // enum pz_page_codec, for those who inspect files
};

// The footer in memory; everything lies in its arena.
struct pz__footer {
    struct pz_arena arena;
    struct pz_segment_info info; // but file_bytes and footer_checksum
    uint32_t column_count, block_count, run_count, time_column;
    struct pz_column_def *columns;
    uint32_t *block_rows;
    uint32_t *run_first;          // [block_count + 1]: of the block, among all runs
    struct pz_day_run *runs;      // [run_count]
    struct pz__page_ref *pages;   // [column * block_count + block]
    struct pz_stats *block_stats; // [column * block_count + block]
    struct pz_stats *run_stats;   // [column * run_count + run]
};
void pz__footer_fini(struct pz__footer *footer); // also of a zeroed one

// Allocates the arrays whose sizes the counts give. False when out of memory.
bool pz__footer_alloc_blocks(struct pz__footer *footer); // columns to pages and block_stats
bool pz__footer_alloc_runs(struct pz__footer *footer);   // runs and run_stats

PZ_MUST_USE enum pz_status pz__footer_encode(const struct pz__footer *footer,
                                             struct pz_codec_work *work, struct pz_buffer *out,
                                             struct pz_error *err);
// `bytes` must be 8-byte aligned. pages_end is the offset of the first byte that is not of a page.
PZ_MUST_USE enum pz_status pz__footer_decode(struct pz_codec_work *work, const uint8_t *bytes,
                                             size_t len, uint64_t pages_end,
                                             struct pz__footer *footer, struct pz_error *err);

// Header and trailer; both buffers are 64 bytes.
struct pz__trailer {
    uint64_t footer_offset, footer_bytes, footer_checksum, segment_id, file_bytes;
};
void pz__header_encode(const struct pz__footer *footer, uint8_t *out);
PZ_MUST_USE enum pz_status pz__header_check(const uint8_t *bytes, const struct pz__footer *footer,
                                            struct pz_error *err);
void pz__trailer_encode(const struct pz__trailer *trailer, uint8_t *out);
PZ_MUST_USE enum pz_status pz__trailer_decode(const uint8_t *bytes, uint64_t file_bytes,
                                              struct pz__trailer *trailer, struct pz_error *err);

// ---- statistics
// ----------------------------------------------------------------------------------

void pz__stats_compute(const struct pz_column *column, size_t first, uint32_t count,
                       struct pz_stats *out);
// Adds the statistics of further rows of a column of that layout.
void pz__stats_merge(enum pz_layout layout, struct pz_stats *into, const struct pz_stats *from);

// Splits rows [first, first + count), sorted by `time`, into runs of one day (row_first counts from
// `first`). Returns their number, or 0 when there are more than `runs_max`.
uint32_t pz__stats_split_days(const struct pz_column *time, size_t first, uint32_t count,
                              struct pz_day_run *runs, uint32_t runs_max);

// ---- verification
// --------------------------------------------------------------------------------

// Opens the segment from its file, compares every page with the rows it was made of, and the
// statistics with those of `footer`.
PZ_MUST_USE enum pz_status pz__segment_verify(const char *path, const struct pz_segment_info *info,
                                              const struct pz_batch *rows,
                                              const struct pz__footer *footer,
                                              struct pz_error *err);
const struct pz__footer *pz__segment_footer(const struct pz_segment *segment);

// ---- cached pages
// --------------------------------------------------------------------------------

struct pz_page {
    struct pz_page *chain;       // next of the hash bucket
    struct pz_page *prev, *next; // ring of the clock
    uint64_t owner;              // of the segment
    uint64_t index;              // of the page in it
    uint32_t pins;
    bool is_cached;     // in its shard; otherwise it goes with its last pin
    bool is_referenced; // since the hand last passed
    size_t len;
    uint8_t *bytes; // 64-byte aligned
};
// One memory block for page and bytes; pins is 1. NULL when out of memory.
struct pz_page *pz__page_create(uint64_t owner, uint64_t index, size_t len);

// A number no other segment of this cache has.
uint64_t pz__page_cache_new_owner(struct pz_page_cache *cache);
// The page, pinned, or NULL. Counts a hit or a miss.
struct pz_page *pz__page_cache_find(struct pz_page_cache *cache, uint64_t owner, uint64_t index);
// Offers a page just read and pinned by the caller; returns the one to use (another thread may
// have been quicker, then `page` is freed).
struct pz_page *pz__page_cache_offer(struct pz_page_cache *cache, struct pz_page *page);
// `cache` may be NULL for a page that was never offered.
void pz__page_unpin(struct pz_page_cache *cache, struct pz_page *page);
void pz__page_cache_forget(struct pz_page_cache *cache, uint64_t owner);

#endif
