// SPDX-License-Identifier: Apache-2.0
// Results as CSV (RFC 4180). NULL is an empty field and the empty string "", so that both come
// back as they were.
#include "query/output/output_internal.h"

static bool
needs_quotes(struct pz_str text)
{
    if (text.len == 0) {
        return true;
    }
    for (uint32_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '"' || c == ',' || c == '\n' || c == '\r') {
            return true;
        }
    }
    // Readers that trim would lose them.
    return text.data[0] == ' ' || text.data[text.len - 1] == ' ';
}

static void
append_text(struct pz_buffer *buffer, struct pz_str text)
{
    if (!needs_quotes(text)) {
        pz_buffer_append_str(buffer, text);
        return;
    }
    pz_buffer_append_char(buffer, '"');
    uint32_t begin = 0;
    for (uint32_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"') {
            pz_buffer_append(buffer, text.data + begin, i + 1 - begin);
            begin = i; // the quote once more, with what follows
        }
    }
    if (begin < text.len) {
        pz_buffer_append(buffer, text.data + begin, text.len - begin);
    }
    pz_buffer_append_char(buffer, '"');
}

void
pz__output_csv_begin(struct pz_output *output)
{
    for (uint32_t i = 0; i < output->column_count; i++) {
        if (i > 0) {
            pz_buffer_append_char(output->buffer, ',');
        }
        append_text(output->buffer, pz_str_from(output->columns[i].name));
    }
    if (output->column_count > 0) {
        pz_buffer_append(output->buffer, "\r\n", 2);
    }
}

void
pz__output_csv_rows(struct pz_output *output, const struct pz_slice *columns, uint32_t row_count)
{
    struct pz_buffer *buffer = output->buffer;
    char room[PZ_CELL_TEXT_MAX];
    for (uint32_t row = 0; row < row_count; row++) {
        for (uint32_t i = 0; i < output->column_count; i++) {
            if (i > 0) {
                pz_buffer_append_char(buffer, ',');
            }
            if (pz_slice_is_null(&columns[i], row)) {
                continue;
            }
            struct pz_str text = pz__output_cell(&columns[i], row, room);
            if (columns[i].type == PZ_TYPE_TEXT) {
                append_text(buffer, text);
            } else {
                pz_buffer_append_str(buffer, text);
            }
        }
        pz_buffer_append(buffer, "\r\n", 2);
    }
}
