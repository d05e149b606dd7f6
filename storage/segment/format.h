// SPDX-License-Identifier: Apache-2.0
// The bytes of a segment file. Little-endian throughout.
//
//   0                header, 64 bytes
//   64               pages of column 0: block 0, block 1, ...; each begins at a multiple of 64
//                    pages of column 1, ...
//   footer offset    footer, at a multiple of 64
//   size - 64        trailer, 64 bytes
//
// Pages are described in docs/file-format.md. The footer names every page's place and checksum,
// the trailer the footer's, and the catalog repeats that: no byte is believed unless a chain of
// checksums leads to it.
#ifndef PZ_STORAGE_SEGMENT_FORMAT_H
#define PZ_STORAGE_SEGMENT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define PZ__SEGMENT_MAGIC "PLAZASEG"
#define PZ__SEGMENT_MAGIC_BYTES 8u
#define PZ__SEGMENT_MAJOR 1u // another one is refused
#define PZ__SEGMENT_MINOR 0u // a higher one may have more at the end of the footer
#define PZ__SEGMENT_ALIGNMENT 64u
#define PZ__SEGMENT_HEADER_BYTES 64u
#define PZ__SEGMENT_TRAILER_BYTES 64u
#define PZ__SEGMENT_FOOTER_BYTES_MAX (256u << 20)

// More runs of days than this in a block, and the block has none.
#define PZ__SEGMENT_BLOCK_RUNS_MAX 1024u
// Runs x columns of a segment; blocks past this have none.
#define PZ__SEGMENT_RUN_STATS_MAX (1u << 20)

// The structs are never laid over bytes: they fix the offsets that format.c reads and writes.
struct pz__segment_header {
    char magic[8];
    uint16_t major, minor;
    uint32_t table_id;
    uint64_t segment_id;
    uint64_t row_count;
    uint32_t column_count, block_count;
    uint64_t reserved[2]; // zero
    uint64_t checksum;    // XXH3 of the 56 bytes before
};
_Static_assert(sizeof(struct pz__segment_header) == PZ__SEGMENT_HEADER_BYTES, "header");
_Static_assert(offsetof(struct pz__segment_header, row_count) == 24, "header");
_Static_assert(offsetof(struct pz__segment_header, checksum) == 56, "header");

struct pz__segment_trailer {
    uint64_t footer_offset;
    uint64_t footer_bytes;
    uint64_t footer_checksum; // XXH3 of the footer
    uint64_t segment_id;
    uint64_t file_bytes;
    uint64_t checksum; // XXH3 of the 40 bytes before
    uint16_t major, minor;
    uint32_t reserved; // zero
    char magic[8];
};
_Static_assert(sizeof(struct pz__segment_trailer) == PZ__SEGMENT_TRAILER_BYTES, "trailer");
_Static_assert(offsetof(struct pz__segment_trailer, checksum) == 40, "trailer");
_Static_assert(offsetof(struct pz__segment_trailer, magic) == 56, "trailer");

// Footer: this head, then for each column this entry, its name and its domain's name, filled up to
// 8 bytes; then arrays of integers (each as one or more nodes of at most 65,536 values; none when
// it is empty), in this order:
//   rows[block] runs[block] day[run] rows[run] is_null_day[run]
//   for each column: offset[block] bytes[block] checksum[block] codec[block]
//                    statistics[block] statistics[run]
//   statistics: null_count flags min max sum_low sum_high
// `run` counts through all blocks. flags: 1 has a range, 2 has a sum. min and max of doubles are
// their bits.
struct pz__footer_head {
    uint32_t column_count, block_count;
    uint64_t row_count;
    uint32_t time_column, run_count;
    int64_t time_min, time_max;
    uint32_t table_id, reserved;
    uint64_t segment_id;
};
_Static_assert(sizeof(struct pz__footer_head) == 56, "footer head");
_Static_assert(offsetof(struct pz__footer_head, time_min) == 24, "footer head");

struct pz__footer_column {
    uint8_t type, is_not_null, name_len, domain_name_len;
    uint32_t domain_id;
};
_Static_assert(sizeof(struct pz__footer_column) == 8, "footer column");

enum { PZ__STATS_HAS_RANGE = 1, PZ__STATS_HAS_SUM = 2 };

#endif
