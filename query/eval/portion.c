// SPDX-License-Identifier: Apache-2.0
// Selections of rows.
#include "query/eval/portion.h"

struct pz_rows
pz_rows_narrow(const struct pz_rows *rows, const struct pz_vector *condition, uint16_t *out)
{
    const uint8_t *bytes = condition->data;
    uint32_t count = 0;
    if (condition->is_const) {
        bool is_true = !pz_vector_is_null(condition, 0) && bytes[0] != 0;
        return is_true ? *rows : (struct pz_rows){rows->row_count, 0, NULL};
    }
    if (rows->rows == NULL && condition->valid == NULL) {
        for (uint32_t i = 0; i < rows->row_count; i++) {
            out[count] = (uint16_t)i;
            count += bytes[i] & 1;
        }
        return (struct pz_rows){rows->row_count, count, count == rows->row_count ? NULL : out};
    }
    for (uint32_t i = 0; i < rows->count; i++) {
        uint16_t row = rows->rows != NULL ? rows->rows[i] : (uint16_t)i;
        bool is_valid = condition->valid == NULL || pz_bit_get(condition->valid, row);
        out[count] = row;
        count += (bytes[row] & 1) & is_valid;
    }
    return (struct pz_rows){rows->row_count, count, count == rows->row_count ? NULL : out};
}

static uint64_t
bytes_of_rows(const struct pz_vector *vector, const struct pz_rows *rows)
{
    const struct pz_str *texts = vector->data;
    uint64_t bytes = 0;
    if (vector->is_const) {
        return pz_vector_is_null(vector, 0) ? 0 : (uint64_t)texts[0].len * rows->count;
    }
    if (vector->valid == NULL && rows->rows == NULL) {
        for (uint32_t row = 0; row < rows->count; row++) {
            bytes += texts[row].len;
        }
        return bytes;
    }
    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t row = rows->rows != NULL ? rows->rows[i] : i;
        if (vector->valid == NULL || pz_bit_get(vector->valid, row)) {
            bytes += texts[row].len;
        }
    }
    return bytes;
}

uint64_t
pz_rows_text_bytes(const struct pz_rows *rows, const struct pz_vector *vectors,
                   uint32_t vector_count)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < vector_count; i++) {
        if (vectors[i].type == PZ_TYPE_TEXT) {
            bytes += bytes_of_rows(&vectors[i], rows);
        }
    }
    return bytes;
}

// Those of one row.
static uint64_t
text_bytes(const struct pz_vector *vectors, uint32_t vector_count, uint32_t row)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < vector_count; i++) {
        if (vectors[i].type == PZ_TYPE_TEXT && !pz_vector_is_null(&vectors[i], row)) {
            bytes += pz_vector_str(&vectors[i], row).len;
        }
    }
    return bytes;
}

struct pz_rows
pz_rows_stretch(const struct pz_rows *rows, const struct pz_vector *vectors, uint32_t vector_count,
                uint32_t *at, uint16_t *out, uint64_t *steps_out)
{
    uint32_t first = *at;
    uint64_t bytes = 0;
    if (first == 0) { // most often the texts are short, and all rows are taken at once
        bytes = pz_rows_text_bytes(rows, vectors, vector_count);
        if (bytes < PZ_WORK_STEPS) {
            *at = rows->count;
            *steps_out = bytes;
            return *rows;
        }
        bytes = 0;
    }
    uint32_t i = first;
    for (; i < rows->count && bytes < PZ_WORK_STEPS; i++) {
        uint32_t row = rows->rows != NULL ? rows->rows[i] : i;
        bytes += text_bytes(vectors, vector_count, row);
        out[i - first] = (uint16_t)row;
    }
    *at = i;
    *steps_out = bytes;
    return first == 0 && i == rows->count ? *rows
                                          : (struct pz_rows){rows->row_count, i - first, out};
}
