// SPDX-License-Identifier: Apache-2.0
// The tail in memory: rows not yet sealed, as contiguous column vectors that queries scan.
//
// A table's tail is a list of mirror blocks of up to PZ_BLOCK_ROWS rows. The writer appends behind
// the rows that versions show and never touches those; a version knows how many rows it may see.
// A layout is an immutable list of blocks with their hidden rows; it is replaced when a block is
// added or dropped or a row is hidden, and lives as long as a version refers to it.
//
// Threads: appends and new layouts by the writer only; reads by all.
#ifndef PZ_STORAGE_TAIL_MIRROR_H
#define PZ_STORAGE_TAIL_MIRROR_H

#include "storage/column/batch.h"

#include <stdatomic.h>

struct pz_mirror_column {
    void *data;              // PZ_BLOCK_ROWS values
    _Atomic uint64_t *valid; // bit set; NULL for NOT NULL columns
    _Atomic bool has_nulls;  // some row is NULL
};

struct pz_mirror_block {
    _Atomic uint32_t ref_count;
    const struct pz_table_def *def;
    uint64_t first_row; // number of row 0
    uint32_t row_count; // writer only
    struct pz_arena text;
    struct pz_mirror_column columns[];
};

struct pz_mirror_block *pz_mirror_create(const struct pz_table_def *def, uint64_t first_row,
                                         struct pz_error *err);
struct pz_mirror_block *pz_mirror_acquire(struct pz_mirror_block *block);
void pz_mirror_release(struct pz_mirror_block *block); // NULL is ignored

// Appends rows [first, first + count) of the batch; there must be room. Values already appended
// stay unseen until a version counts them, so a failure (PZ_NO_MEMORY for text) needs no undo.
PZ_MUST_USE enum pz_status pz_mirror_append(struct pz_mirror_block *block,
                                            const struct pz_batch *rows, size_t first, size_t count,
                                            struct pz_error *err);

// The first `row_count` rows of a column. `valid_space` has PZ_BLOCK_ROWS / 64 words, used when
// there are NULLs. Data is borrowed from the block.
void pz_mirror_read(const struct pz_mirror_block *block, uint32_t column, uint32_t row_count,
                    uint64_t *valid_space, struct pz_slice *slice_out);

// Bits of hidden rows of one block, sealed or not. Immutable once shared.
struct pz_hidden {
    _Atomic uint32_t ref_count;
    uint32_t count; // bits that are set
    uint64_t bits[PZ_BLOCK_ROWS / 64];
};
struct pz_hidden *pz_hidden_copy(const struct pz_hidden *from); // NULL = none hidden
struct pz_hidden *pz_hidden_acquire(struct pz_hidden *hidden);  // NULL stays NULL
void pz_hidden_release(struct pz_hidden *hidden);
bool pz_hidden_add(struct pz_hidden *hidden, uint32_t row); // false when it was hidden already

struct pz_tail_layout {
    _Atomic uint32_t ref_count;
    uint32_t block_count;
    uint64_t hidden_count;
    struct pz_tail_entry {
        struct pz_mirror_block *block;
        struct pz_hidden *hidden; // or NULL
    } entries[];
};
// A layout of the entries [skip, block_count) of `from` (NULL = none) and room for `more`. Takes
// references.
struct pz_tail_layout *pz_tail_layout_copy(const struct pz_tail_layout *from, uint32_t skip,
                                           uint32_t more);
struct pz_tail_layout *pz_tail_layout_acquire(struct pz_tail_layout *layout);
void pz_tail_layout_release(struct pz_tail_layout *layout); // NULL is ignored

// Rows of entry `index` when the table's rows end at `end_row`.
uint32_t pz_tail_entry_rows(const struct pz_tail_layout *layout, uint32_t index, uint64_t end_row);

#endif
