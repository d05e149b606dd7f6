// SPDX-License-Identifier: Apache-2.0
// Chunks to bytes and back. The format is drawn in chunk.h.
#include "storage/tail/chunk.h"

#include "base/bytes.h"

#define CHUNK_VERSION 1u
#define CHUNK_BYTES_TARGET (60u * 1024)
#define CHUNK_ROWS_MAX 8192u

static void
make_key(uint32_t table_id, uint64_t first_row, char key[12])
{
    pz_store_be32(key, table_id);
    pz_store_be64(key + 4, first_row);
}

static size_t
row_bytes(const struct pz_batch *rows, size_t row)
{
    size_t bytes = 0;
    for (uint32_t c = 0; c < rows->def->column_count; c++) {
        enum pz_layout layout = pz_type_layout(rows->columns[c].type);
        bytes += layout == PZ_LAYOUT_STRING ? 4 + pz_column_text(&rows->columns[c], row).len
                                            : pz_layout_size(layout);
    }
    return bytes;
}

// How many rows from `first` on make a value of about the target size; at least one.
static size_t
rows_that_fit(const struct pz_batch *rows, size_t first)
{
    size_t bytes = 0;
    size_t end = first;
    while (end < rows->row_count && end - first < CHUNK_ROWS_MAX && bytes < CHUNK_BYTES_TARGET) {
        bytes += row_bytes(rows, end++);
    }
    return end - first;
}

static void
put_validity(struct pz_buffer *out, const struct pz_column *column, size_t first, size_t count)
{
    bool has_nulls = false;
    for (size_t i = 0; i < count && !has_nulls; i++) {
        has_nulls = pz_column_is_null(column, first + i);
    }
    pz_put_u8(out, has_nulls);
    if (!has_nulls) {
        return;
    }
    for (size_t word = 0; word < PZ_BIT_WORDS(count); word++) {
        uint64_t bits = 0;
        for (size_t i = word * 64; i < count && i < word * 64 + 64; i++) {
            bits |= (uint64_t)!pz_column_is_null(column, first + i) << (i & 63);
        }
        pz_put_u64(out, bits);
    }
}

static void
put_column(struct pz_buffer *out, const struct pz_column *column, size_t first, size_t count)
{
    pz_put_u8(out, (uint8_t)column->type);
    put_validity(out, column, first, count);
    enum pz_layout layout = pz_type_layout(column->type);
    if (layout != PZ_LAYOUT_STRING) {
        size_t size = pz_layout_size(layout);
        pz_buffer_append(out, column->bytes + first * size, count * size);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        pz_put_u32(out, pz_column_text(column, first + i).len);
    }
    uint64_t begin = first == 0 ? 0 : column->ends[first - 1];
    pz_buffer_append(out, column->text.data == NULL ? "" : column->text.data + begin,
                     column->ends[first + count - 1] - begin);
}

enum pz_status
pz_chunk_put_rows(struct pz_kv_txn *txn, const struct pz_batch *rows, uint64_t first_row,
                  struct pz_error *err)
{
    struct pz_buffer value = {0};
    enum pz_status status = PZ_OK;
    for (size_t first = 0; first < rows->row_count && status == PZ_OK;) {
        size_t count = rows_that_fit(rows, first);
        pz_buffer_clear(&value);
        pz_put_u8(&value, CHUNK_VERSION);
        pz_put_u32(&value, (uint32_t)count);
        pz_put_u32(&value, rows->def->column_count);
        for (uint32_t c = 0; c < rows->def->column_count; c++) {
            put_column(&value, &rows->columns[c], first, count);
        }
        if (value.is_failed) {
            status =
                pz_fail(err, PZ_NO_MEMORY, "no memory for a chunk of table %s", rows->def->name);
            break;
        }
        char key[12];
        make_key(rows->def->id, first_row + first, key);
        status = pz_kv_put(txn, PZ_KV_TAIL, PZ_KV_PUT, (struct pz_bytes){key, sizeof key},
                           (struct pz_bytes){value.data, value.len}, err);
        first += count;
    }
    pz_buffer_fini(&value);
    return status;
}

static enum pz_status
damaged(const struct pz_table_def *def, uint64_t first_row, struct pz_error *err)
{
    pz_fail(err, PZ_CORRUPT, "tail of table %s: the chunk at row %llu does not parse", def->name,
            (unsigned long long)first_row);
    pz_error_hint(err, "restore the data directory from a backup");
    return PZ_CORRUPT;
}

static bool
append_value(struct pz_column *column, enum pz_layout layout, const char *bytes)
{
    switch (layout) {
    case PZ_LAYOUT_BYTE:
        pz_column_append_byte(column, (uint8_t)*bytes);
        return true;
    case PZ_LAYOUT_CODE:
        pz_column_append_code(column, pz_load_le32(bytes));
        return true;
    case PZ_LAYOUT_INT:
        pz_column_append_int(column, (int64_t)pz_load_le64(bytes));
        return true;
    case PZ_LAYOUT_REAL: {
        double value;
        memcpy(&value, bytes, sizeof value);
        pz_column_append_real(column, value);
        return true;
    }
    case PZ_LAYOUT_STRING:
        break;
    }
    return false;
}

// Appends `count` stored values to the column; false when the bytes do not parse.
static bool
get_column(struct pz_reader *reader, struct pz_column *column, uint32_t count)
{
    uint8_t type = pz_get_u8(reader);
    bool has_nulls = pz_get_u8(reader) != 0;
    const char *valid = has_nulls ? pz_get_bytes(reader, PZ_BIT_WORDS(count) * 8) : NULL;
    enum pz_layout layout = pz_type_layout(column->type);
    bool is_string = layout == PZ_LAYOUT_STRING;
    size_t size = is_string ? 4 : pz_layout_size(layout);
    const char *values = pz_get_bytes(reader, (size_t)count * size);
    if (reader->has_failed || type != column->type) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *at = values + (size_t)i * size;
        struct pz_str text = {NULL, 0};
        if (is_string) {
            text.len = pz_load_le32(at);
            text.data = pz_get_bytes(reader, text.len);
            if (reader->has_failed) {
                return false;
            }
        }
        if (valid != NULL && ((pz_load_le64(valid + (i / 64) * 8) >> (i & 63)) & 1) == 0) {
            pz_column_append_null(column);
        } else if (is_string) {
            if (pz_column_append_text(column, text, NULL) != PZ_OK) {
                return false;
            }
        } else if (!append_value(column, layout, at)) {
            return false;
        }
    }
    return true;
}

static enum pz_status
decode(struct pz_bytes value, uint64_t first_row, struct pz_batch *rows, struct pz_error *err)
{
    struct pz_reader reader = pz_reader_of(value.data, value.len);
    uint8_t version = pz_get_u8(&reader);
    uint32_t row_count = pz_get_u32(&reader);
    uint32_t column_count = pz_get_u32(&reader);
    if (reader.has_failed || version != CHUNK_VERSION || row_count == 0 ||
        row_count > CHUNK_ROWS_MAX || column_count != rows->def->column_count) {
        return damaged(rows->def, first_row, err);
    }
    pz_batch_clear(rows);
    PZ_TRY(pz_batch_reserve(rows, row_count, err));
    for (uint32_t c = 0; c < column_count; c++) {
        if (!get_column(&reader, &rows->columns[c], row_count)) {
            return damaged(rows->def, first_row, err);
        }
    }
    rows->row_count = row_count;
    return reader.left == 0 ? PZ_OK : damaged(rows->def, first_row, err);
}

// Stands the cursor on the chunk that holds `from_row`, or the first after it.
static enum pz_status
seek_row(struct pz_kv_cursor *cursor, uint32_t table_id, uint64_t from_row, struct pz_bytes *key,
         struct pz_bytes *value, struct pz_error *err)
{
    char space[12];
    make_key(table_id, from_row + 1, space);
    struct pz_bytes at = {space, sizeof space};
    enum pz_status status = pz_kv_cursor_move(cursor, PZ_KV_BEFORE, at, key, value, err);
    if (status == PZ_OK && pz_load_be32(key->data) == table_id) {
        return PZ_OK; // it may end before from_row: the caller compares row numbers anyway
    }
    if (status != PZ_OK && status != PZ_NOT_FOUND) {
        return status;
    }
    make_key(table_id, from_row, space);
    return pz_kv_cursor_move(cursor, PZ_KV_AT_OR_AFTER, at, key, value, err);
}

enum pz_status
pz_chunk_each(struct pz_kv_txn *txn, const struct pz_table_def *def, uint64_t from_row,
              enum pz_status (*each)(void *payload, uint64_t first_row, const struct pz_batch *rows,
                                     struct pz_error *err),
              void *payload, struct pz_error *err)
{
    struct pz_kv_cursor *cursor = NULL;
    struct pz_batch rows = {0};
    struct pz_bytes key;
    struct pz_bytes value;
    enum pz_status status = pz_batch_init(&rows, def, err);
    if (status != PZ_OK) {
        goto out;
    }
    status = pz_kv_cursor_open(txn, PZ_KV_TAIL, &cursor, err);
    if (status != PZ_OK) {
        goto out;
    }
    status = seek_row(cursor, def->id, from_row, &key, &value, err);
    while (status == PZ_OK && key.len == 12 && pz_load_be32(key.data) == def->id) {
        uint64_t first_row = pz_load_be64((const char *)key.data + 4);
        status = decode(value, first_row, &rows, err);
        if (status == PZ_OK && first_row + rows.row_count > from_row) {
            status = each(payload, first_row, &rows, err);
        }
        if (status == PZ_OK) {
            status = pz_kv_cursor_move(cursor, PZ_KV_NEXT, key, &key, &value, err);
        }
    }
out:
    pz_kv_cursor_close(cursor);
    pz_batch_fini(&rows);
    return status == PZ_NOT_FOUND ? PZ_OK : status;
}

// The number of rows is read from the value's head: all rows of the chunk must be below end_row.
static bool
ends_by(struct pz_bytes key, struct pz_bytes value, uint64_t end_row)
{
    struct pz_reader reader = pz_reader_of(value.data, value.len);
    (void)pz_get_u8(&reader);
    return pz_load_be64((const char *)key.data + 4) + pz_get_u32(&reader) <= end_row;
}

enum pz_status
pz_chunk_trim(struct pz_kv_txn *txn, uint32_t table_id, uint64_t end_row, uint32_t count_max,
              bool *more_out, struct pz_error *err)
{
    char space[12];
    make_key(table_id, 0, space);
    struct pz_bytes key = {space, sizeof space};
    struct pz_bytes value;
    struct pz_kv_cursor *cursor = NULL;
    *more_out = false;
    PZ_TRY(pz_kv_cursor_open(txn, PZ_KV_TAIL, &cursor, err));
    uint32_t count = 0;
    enum pz_status status = pz_kv_cursor_move(cursor, PZ_KV_AT_OR_AFTER, key, &key, &value, err);
    while (status == PZ_OK && key.len == 12 && pz_load_be32(key.data) == table_id &&
           ends_by(key, value, end_row)) {
        if (count++ == count_max) {
            *more_out = true;
            break;
        }
        status = pz_kv_cursor_delete(cursor, err);
        if (status == PZ_OK) {
            status = pz_kv_cursor_move(cursor, PZ_KV_NEXT, key, &key, &value, err);
        }
    }
    pz_kv_cursor_close(cursor);
    return status == PZ_NOT_FOUND ? PZ_OK : status;
}
