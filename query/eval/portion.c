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
