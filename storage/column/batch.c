// SPDX-License-Identifier: Apache-2.0
// Rows on their way in. Room is made for whole rows beforehand, so that the appends themselves are
// a store and a count; only the bytes of texts can still run out of memory.
#include "storage/column/batch.h"

#include "base/num.h"

#include <stdlib.h>

// Also the memory of a batch that was cleared and waits for the next rows.
#define ROW_CAPACITY_MIN 64u

static enum pz_status
fail_memory(struct pz_error *err, size_t rows)
{
    return pz_fail(err, PZ_NO_MEMORY, "no memory for a batch of %zu rows", rows);
}

// The size of a value in a column under construction, where strings are their ends.
static size_t
value_size(const struct pz_column *column)
{
    enum pz_layout layout = pz_type_layout(column->type);
    return layout == PZ_LAYOUT_STRING ? sizeof(uint64_t) : pz_layout_size(layout);
}

enum pz_status
pz_batch_init(struct pz_batch *batch, const struct pz_table_def *def, struct pz_error *err)
{
    *batch = (struct pz_batch){.def = def};
    batch->columns = calloc(def->column_count > 0 ? def->column_count : 1, sizeof(*batch->columns));
    if (batch->columns == NULL) {
        return fail_memory(err, 0);
    }
    for (uint32_t i = 0; i < def->column_count; i++) {
        batch->columns[i].type = def->columns[i].type;
    }
    return PZ_OK;
}

void
pz_batch_fini(struct pz_batch *batch)
{
    for (uint32_t i = 0; batch->columns != NULL && i < batch->def->column_count; i++) {
        struct pz_column *column = &batch->columns[i];
        free(column->valid_room);
        free(column->data);
        pz_buffer_fini(&column->text);
    }
    free(batch->columns);
    free(batch->lines);
    *batch = (struct pz_batch){0};
}

void
pz_batch_clear(struct pz_batch *batch)
{
    for (uint32_t i = 0; i < batch->def->column_count; i++) {
        struct pz_column *column = &batch->columns[i];
        column->row_count = 0;
        column->null_count = 0;
        column->valid = NULL;
        pz_buffer_clear(&column->text);
    }
    batch->row_count = 0;
    free(batch->lines);
    batch->lines = NULL;
    batch->line_capacity = 0;
}

size_t
pz_batch_bytes(const struct pz_batch *batch)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < batch->def->column_count; i++) {
        const struct pz_column *column = &batch->columns[i];
        bytes += column->row_count * value_size(column) + column->text.len;
        if (column->valid != NULL) {
            bytes += PZ_BIT_WORDS(column->row_count) * sizeof(uint64_t);
        }
    }
    return bytes;
}

static bool
column_grow(struct pz_column *column, size_t capacity)
{
    size_t bytes;
    if (!pz_mul_size(capacity, value_size(column), &bytes)) {
        return false;
    }
    void *data = realloc(column->data, bytes);
    if (data == NULL) {
        return false;
    }
    column->data = data;
    uint64_t *valid = realloc(column->valid_room, PZ_BIT_WORDS(capacity) * sizeof(uint64_t));
    if (valid == NULL) {
        return false;
    }
    column->valid_room = valid;
    if (column->valid != NULL) {
        size_t used = PZ_BIT_WORDS(column->row_capacity);
        memset(valid + used, 0, (PZ_BIT_WORDS(capacity) - used) * sizeof(uint64_t));
        column->valid = valid;
    }
    column->row_capacity = capacity;
    return true;
}

enum pz_status
pz_batch_reserve(struct pz_batch *batch, size_t more, struct pz_error *err)
{
    for (uint32_t i = 0; i < batch->def->column_count; i++) {
        struct pz_column *column = &batch->columns[i];
        if (column->row_capacity - column->row_count >= more) {
            continue;
        }
        size_t needed;
        if (!pz_add_size(column->row_count, more, &needed)) {
            return fail_memory(err, more);
        }
        size_t capacity = column->row_capacity + column->row_capacity / 2;
        capacity = capacity < ROW_CAPACITY_MIN ? ROW_CAPACITY_MIN : capacity;
        if (!column_grow(column, capacity < needed ? needed : capacity)) {
            return fail_memory(err, needed);
        }
    }
    return PZ_OK;
}

// Starts to keep validity: every row so far is valid.
static void
column_begin_nulls(struct pz_column *column)
{
    size_t rows = column->row_count;
    uint64_t *valid = column->valid_room;
    memset(valid, 0, PZ_BIT_WORDS(column->row_capacity) * sizeof(uint64_t));
    memset(valid, 0xff, rows / 64 * sizeof(uint64_t));
    if (rows % 64 != 0) {
        valid[rows / 64] = (UINT64_C(1) << (rows % 64)) - 1;
    }
    column->valid = valid;
}

void
pz_column_append_null(struct pz_column *column)
{
    size_t row = column->row_count;
    PZ_ASSERT(row < column->row_capacity);
    if (column->valid == NULL) {
        column_begin_nulls(column);
    }
    pz_bit_clear(column->valid, row);
    switch (pz_type_layout(column->type)) {
    case PZ_LAYOUT_BYTE:
        column->bytes[row] = 0;
        break;
    case PZ_LAYOUT_CODE:
        column->codes[row] = 0;
        break;
    case PZ_LAYOUT_INT:
        column->ints[row] = 0;
        break;
    case PZ_LAYOUT_REAL:
        column->reals[row] = 0;
        break;
    case PZ_LAYOUT_STRING:
        column->ends[row] = column->text.len;
        break;
    }
    column->null_count++;
    column->row_count++;
}

enum pz_status
pz_column_append_text(struct pz_column *column, struct pz_str text, struct pz_error *err)
{
    PZ_ASSERT(column->row_count < column->row_capacity);
    pz_buffer_append(&column->text, text.data, text.len);
    if (column->text.is_failed) {
        column->text.is_failed = false; // the content is as it was; the batch stays usable
        return pz_fail(err, PZ_NO_MEMORY, "no memory for %u bytes of text", (unsigned)text.len);
    }
    column->ends[column->row_count] = column->text.len;
    pz_column__mark_valid(column);
    return PZ_OK;
}

static bool
lines_reserve(struct pz_batch *batch, size_t rows)
{
    if (rows <= batch->line_capacity) {
        return true;
    }
    size_t capacity = batch->line_capacity + batch->line_capacity / 2;
    capacity = capacity < ROW_CAPACITY_MIN ? ROW_CAPACITY_MIN : capacity;
    capacity = capacity < rows ? rows : capacity;
    size_t bytes;
    if (!pz_mul_size(capacity, sizeof(uint64_t), &bytes)) {
        return false;
    }
    uint64_t *lines = realloc(batch->lines, bytes);
    if (lines == NULL) {
        return false;
    }
    if (batch->lines == NULL) {
        memset(lines, 0, batch->row_count * sizeof(uint64_t));
    }
    batch->lines = lines;
    batch->line_capacity = capacity;
    return true;
}

enum pz_status
pz_batch_end_row(struct pz_batch *batch, bool keep_line, uint64_t line, struct pz_error *err)
{
    for (uint32_t i = 0; i < batch->def->column_count; i++) {
        PZ_ASSERT(batch->columns[i].row_count == batch->row_count + 1);
    }
    if (keep_line || batch->lines != NULL) {
        if (!lines_reserve(batch, batch->row_count + 1)) {
            return fail_memory(err, batch->row_count + 1);
        }
        batch->lines[batch->row_count] = keep_line ? line : 0;
    }
    batch->row_count++;
    return PZ_OK;
}

static void
column_drop_last(struct pz_column *column)
{
    column->row_count--;
    if (pz_column_is_null(column, column->row_count)) {
        column->null_count--;
    } else if (column->valid != NULL) {
        pz_bit_clear(column->valid, column->row_count);
    }
}

void
pz_batch_truncate(struct pz_batch *batch, size_t row_count)
{
    PZ_ASSERT(row_count <= batch->row_count);
    batch->row_count = row_count;
    for (uint32_t i = 0; i < batch->def->column_count; i++) {
        struct pz_column *column = &batch->columns[i];
        while (column->row_count > row_count) {
            column_drop_last(column);
        }
        if (pz_type_layout(column->type) == PZ_LAYOUT_STRING) {
            column->text.len = row_count == 0 ? 0 : column->ends[row_count - 1];
        }
    }
}

void
pz_batch_undo_row(struct pz_batch *batch)
{
    pz_batch_truncate(batch, batch->row_count);
}

void
pz_column_set_int(struct pz_column *column, size_t row, int64_t value)
{
    PZ_ASSERT(row < column->row_count && pz_type_layout(column->type) == PZ_LAYOUT_INT);
    if (pz_column_is_null(column, row)) {
        pz_bit_set(column->valid, row);
        column->null_count--;
    }
    column->ints[row] = value;
}

// ORs `count` bits of `from`, starting at bit `first`, into `into` at bit `at`, where all are
// unset.
static void
bits_append(uint64_t *into, size_t at, const uint64_t *from, size_t first, size_t count)
{
    while (count > 0) {
        size_t take = 64 - (at % 64 > first % 64 ? at % 64 : first % 64);
        take = take < count ? take : count;
        uint64_t mask = take == 64 ? UINT64_MAX : (UINT64_C(1) << take) - 1;
        into[at / 64] |= (from[first / 64] >> (first % 64) & mask) << (at % 64);
        at += take;
        first += take;
        count -= take;
    }
}

static void
valid_append(struct pz_column *into, const struct pz_column *from, size_t first, size_t count)
{
    static const uint64_t ones[2] = {UINT64_MAX, UINT64_MAX};
    if (from->valid != NULL && into->valid == NULL) {
        column_begin_nulls(into);
    }
    if (from->valid != NULL) {
        bits_append(into->valid, into->row_count, from->valid, first, count);
        for (size_t i = 0; i < count; i++) {
            into->null_count += !pz_bit_get(from->valid, first + i);
        }
        return;
    }
    for (size_t done = 0; into->valid != NULL && done < count;) {
        size_t part = count - done < 64 ? count - done : 64;
        bits_append(into->valid, into->row_count + done, ones, 0, part);
        done += part;
    }
}

static uint64_t
text_begin(const struct pz_column *column, size_t row)
{
    return row == 0 ? 0 : column->ends[row - 1];
}

// Room for rows and the bytes of their texts, so that the copying cannot fail half-way.
static enum pz_status
reserve_for_copy(struct pz_batch *into, const struct pz_batch *from, size_t first, size_t count,
                 struct pz_error *err)
{
    PZ_TRY(pz_batch_reserve(into, count, err));
    for (uint32_t i = 0; i < into->def->column_count; i++) {
        const struct pz_column *source = &from->columns[i];
        if (pz_type_layout(source->type) != PZ_LAYOUT_STRING) {
            continue;
        }
        size_t bytes = text_begin(source, first + count) - text_begin(source, first);
        if (!pz_buffer_reserve(&into->columns[i].text, bytes)) {
            into->columns[i].text.is_failed = false;
            return pz_fail(err, PZ_NO_MEMORY, "no memory for %zu bytes of text", bytes);
        }
    }
    if ((from->lines != NULL || into->lines != NULL) &&
        !lines_reserve(into, into->row_count + count)) {
        return fail_memory(err, into->row_count + count);
    }
    return PZ_OK;
}

static void
column_append_rows(struct pz_column *into, const struct pz_column *from, size_t first, size_t count)
{
    valid_append(into, from, first, count);
    size_t size = value_size(into);
    size_t at = into->row_count;
    if (pz_type_layout(into->type) == PZ_LAYOUT_STRING) {
        uint64_t begin = text_begin(from, first);
        uint64_t base = into->text.len;
        for (size_t i = 0; i < count; i++) {
            into->ends[at + i] = from->ends[first + i] - begin + base;
        }
        if (text_begin(from, first + count) > begin) {
            pz_buffer_append(&into->text, from->text.data + begin,
                             text_begin(from, first + count) - begin);
        }
        PZ_ASSERT(!into->text.is_failed);
    } else {
        memcpy((char *)into->data + at * size, (const char *)from->data + first * size,
               count * size);
    }
    into->row_count += count;
}

enum pz_status
pz_batch_append_rows(struct pz_batch *into, const struct pz_batch *from, size_t first, size_t count,
                     struct pz_error *err)
{
    PZ_ASSERT(into->def->column_count == from->def->column_count && into != from);
    PZ_ASSERT(first <= from->row_count && count <= from->row_count - first);
    if (count == 0) {
        return PZ_OK;
    }
    PZ_TRY(reserve_for_copy(into, from, first, count, err));
    for (uint32_t i = 0; i < into->def->column_count; i++) {
        PZ_ASSERT(into->columns[i].row_count == into->row_count);
        column_append_rows(&into->columns[i], &from->columns[i], first, count);
    }
    for (size_t i = 0; into->lines != NULL && i < count; i++) {
        into->lines[into->row_count + i] = from->lines != NULL ? from->lines[first + i] : 0;
    }
    into->row_count += count;
    return PZ_OK;
}

// new[i] = old[order[i]] for values of each size.
static void
gather(void *new_data, const void *old_data, const uint32_t *order, size_t rows, size_t size)
{
    if (size == sizeof(uint8_t)) {
        for (size_t i = 0; i < rows; i++) {
            ((uint8_t *)new_data)[i] = ((const uint8_t *)old_data)[order[i]];
        }
    } else if (size == sizeof(uint32_t)) {
        for (size_t i = 0; i < rows; i++) {
            ((uint32_t *)new_data)[i] = ((const uint32_t *)old_data)[order[i]];
        }
    } else {
        PZ_ASSERT(size == sizeof(uint64_t));
        for (size_t i = 0; i < rows; i++) {
            ((uint64_t *)new_data)[i] = ((const uint64_t *)old_data)[order[i]];
        }
    }
}

// New ends and bytes of a text column in the new order.
static bool
gather_text(struct pz_column *column, const uint32_t *order, uint64_t *new_ends)
{
    struct pz_buffer text = {0};
    if (!pz_buffer_reserve(&text, column->text.len)) {
        return false;
    }
    for (size_t i = 0; i < column->row_count; i++) {
        struct pz_str value = pz_column_text(column, order[i]);
        pz_buffer_append(&text, value.data, value.len);
        new_ends[i] = text.len;
    }
    PZ_ASSERT(!text.is_failed);
    pz_buffer_fini(&column->text);
    column->text = text;
    return true;
}

static bool
column_permute(struct pz_column *column, const uint32_t *order)
{
    size_t size = value_size(column);
    size_t rows = column->row_count;
    void *data = malloc(column->row_capacity * size);
    uint64_t *valid = calloc(PZ_BIT_WORDS(column->row_capacity), sizeof(uint64_t));
    bool is_ok = data != NULL && valid != NULL;
    if (is_ok && pz_type_layout(column->type) == PZ_LAYOUT_STRING) {
        is_ok = gather_text(column, order, data);
    } else if (is_ok) {
        gather(data, column->data, order, rows, size);
    }
    if (!is_ok) {
        free(data);
        free(valid);
        return false;
    }
    if (column->valid != NULL) {
        for (size_t i = 0; i < rows; i++) {
            valid[i / 64] |= (uint64_t)pz_bit_get(column->valid, order[i]) << (i % 64);
        }
        column->valid = valid;
    }
    free(column->valid_room);
    free(column->data);
    column->valid_room = valid;
    column->data = data;
    return true;
}

enum pz_status
pz_batch_permute(struct pz_batch *batch, const uint32_t *order, struct pz_error *err)
{
    if (batch->row_count == 0) {
        return PZ_OK;
    }
    for (uint32_t i = 0; i < batch->def->column_count; i++) {
        PZ_ASSERT(batch->columns[i].row_count == batch->row_count);
        if (!column_permute(&batch->columns[i], order)) {
            return fail_memory(err, batch->row_count);
        }
    }
    if (batch->lines != NULL) {
        uint64_t *lines = malloc(batch->line_capacity * sizeof(uint64_t));
        if (lines == NULL) {
            return fail_memory(err, batch->row_count);
        }
        gather(lines, batch->lines, order, batch->row_count, sizeof(uint64_t));
        free(batch->lines);
        batch->lines = lines;
    }
    return PZ_OK;
}
