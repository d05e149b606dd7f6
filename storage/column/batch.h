// SPDX-License-Identifier: Apache-2.0
// Column data in memory: slices (borrowed, read-only) and batches (owned, growing).
#ifndef PZ_STORAGE_COLUMN_BATCH_H
#define PZ_STORAGE_COLUMN_BATCH_H

#include "base/arena.h"
#include "storage/column/schema.h"

#define PZ_VECTOR_ROWS 2048u
#define PZ_BLOCK_ROWS 65536u

// One column of some rows: borrowed and read-only.
//
// Shape      row_count values in the type's layout. `valid` is a bit set (bit i of word i/64 set =
//            row i is not NULL); NULL means that no row is NULL. Data under an unset bit is
//            arbitrary but readable (a string has readable bytes or length 0).
struct pz_slice {
    enum pz_type type;
    uint32_t row_count;
    const uint64_t *valid;
    const void *data;
};

static inline bool
pz_bit_get(const uint64_t *bits, size_t i)
{
    return (bits[i >> 6] >> (i & 63)) & 1;
}
static inline void
pz_bit_set(uint64_t *bits, size_t i)
{
    bits[i >> 6] |= UINT64_C(1) << (i & 63);
}
static inline void
pz_bit_clear(uint64_t *bits, size_t i)
{
    bits[i >> 6] &= ~(UINT64_C(1) << (i & 63));
}
static inline bool
pz_slice_is_null(const struct pz_slice *slice, size_t row)
{
    return slice->valid != NULL && !pz_bit_get(slice->valid, row);
}
#define PZ_BIT_WORDS(rows) (((size_t)(rows) + 63) / 64)

// One column being built. Strings keep their bytes in `text`: string i is
// text.data[ends[i - 1] .. ends[i]).
struct pz_column {
    enum pz_type type;
    size_t row_count;
    size_t row_capacity;
    size_t null_count;
    uint64_t *valid;      // NULL until the first NULL is appended; unset past row_count
    uint64_t *valid_room; // what `valid` becomes then: room for row_capacity bits
    union {
        uint8_t *bytes;
        uint32_t *codes;
        int64_t *ints;
        double *reals;
        uint64_t *ends;
        void *data;
    };
    struct pz_buffer text; // PZ_LAYOUT_STRING only
};

// Rows on their way in, for one table, column by column.
//
// Ownership  the batch owns its memory; `def` is borrowed and must outlive it.
// Threads    one at a time.
struct pz_batch {
    const struct pz_table_def *def;
    size_t row_count;          // complete rows; columns may hold one unfinished row more
    struct pz_column *columns; // def->column_count of them
    // Where each row came from, for messages about rows that break a rule: its line (or record)
    // number from 1. NULL when not kept.
    uint64_t *lines;
    size_t line_capacity;
};

PZ_MUST_USE enum pz_status pz_batch_init(struct pz_batch *batch, const struct pz_table_def *def,
                                         struct pz_error *err);
void pz_batch_fini(struct pz_batch *batch);          // also of a zeroed batch
void pz_batch_clear(struct pz_batch *batch);         // no rows; keeps the memory
size_t pz_batch_bytes(const struct pz_batch *batch); // of the values, about

// Makes room for `more` rows in every column, so that the appends below cannot fail (but for text).
PZ_MUST_USE enum pz_status pz_batch_reserve(struct pz_batch *batch, size_t more,
                                            struct pz_error *err);

// Appends to one column. Room must have been reserved; the type must fit the layout.
void pz_column_append_null(struct pz_column *column);
static inline void
pz_column__mark_valid(struct pz_column *column)
{
    if (column->valid != NULL) {
        pz_bit_set(column->valid, column->row_count);
    }
    column->row_count++;
}
static inline void
pz_column_append_int(struct pz_column *column, int64_t value)
{
    column->ints[column->row_count] = value;
    pz_column__mark_valid(column);
}
static inline void
pz_column_append_real(struct pz_column *column, double value)
{
    column->reals[column->row_count] = value;
    pz_column__mark_valid(column);
}
static inline void
pz_column_append_byte(struct pz_column *column, uint8_t value)
{
    column->bytes[column->row_count] = value;
    pz_column__mark_valid(column);
}
static inline void
pz_column_append_code(struct pz_column *column, uint32_t code)
{
    column->codes[column->row_count] = code;
    pz_column__mark_valid(column);
}
PZ_MUST_USE enum pz_status pz_column_append_text(struct pz_column *column, struct pz_str text,
                                                 struct pz_error *err);

// Counts the row whose values were all appended. `line` is kept when `keep_line`.
PZ_MUST_USE enum pz_status pz_batch_end_row(struct pz_batch *batch, bool keep_line, uint64_t line,
                                            struct pz_error *err);
// Drops what was appended to columns since the last complete row.
void pz_batch_undo_row(struct pz_batch *batch);
// Drops the rows from `row_count` on.
void pz_batch_truncate(struct pz_batch *batch, size_t row_count);

// Reading a column back.
static inline bool
pz_column_is_null(const struct pz_column *column, size_t row)
{
    return column->valid != NULL && !pz_bit_get(column->valid, row);
}
static inline struct pz_str
pz_column_text(const struct pz_column *column, size_t row)
{
    uint64_t begin = row == 0 ? 0 : column->ends[row - 1];
    return (struct pz_str){column->text.data + begin, (uint32_t)(column->ends[row] - begin)};
}

// Overwrites a value in place (not for text); the row becomes not NULL.
void pz_column_set_int(struct pz_column *column, size_t row, int64_t value);

// Appends rows [first, first + count) of `from` (same def) to `into`.
PZ_MUST_USE enum pz_status pz_batch_append_rows(struct pz_batch *into, const struct pz_batch *from,
                                                size_t first, size_t count, struct pz_error *err);

// Reorders all columns: new row i is old row order[i]. Strings too. `order` has row_count entries.
// When it fails the batch is only good for pz_batch_clear and pz_batch_fini.
PZ_MUST_USE enum pz_status pz_batch_permute(struct pz_batch *batch, const uint32_t *order,
                                            struct pz_error *err);

#endif
