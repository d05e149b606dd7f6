// SPDX-License-Identifier: Apache-2.0
// Results as JSON: one document, or one object a row.
#include "query/output/output_internal.h"

#include <inttypes.h>

static void
append_value(struct pz_buffer *buffer, const struct pz_slice *slice, uint32_t row)
{
    if (pz_slice_is_null(slice, row) || pz__output_is_not_finite(slice, row)) {
        pz_buffer_append(buffer, "null", 4);
        return;
    }
    char room[PZ_CELL_TEXT_MAX];
    struct pz_str text = pz__output_cell(slice, row, room);
    if (slice->type == PZ_TYPE_TEXT) {
        pz_buffer_append_json_string(buffer, text);
    } else if (pz__output_is_number(slice->type) || slice->type == PZ_TYPE_BOOLEAN) {
        pz_buffer_append_str(buffer, text);
    } else {
        pz_buffer_append_char(buffer, '"');
        pz_buffer_append_str(buffer, text);
        pz_buffer_append_char(buffer, '"');
    }
}

void
pz__output_json_begin(struct pz_output *output)
{
    struct pz_buffer *buffer = output->buffer;
    pz_buffer_append_c(buffer, "{\"columns\":[");
    for (uint32_t i = 0; i < output->column_count; i++) {
        pz_buffer_append_c(buffer, i == 0 ? "{\"name\":" : ",{\"name\":");
        pz_buffer_append_json_string(buffer, pz_str_from(output->columns[i].name));
        pz_buffer_append_c(buffer, ",\"type\":\"");
        pz_buffer_append_c(buffer, pz_type_name(output->columns[i].type));
        pz_buffer_append_c(buffer, "\"}");
    }
    pz_buffer_append_c(buffer, "],\"rows\":[");
}

void
pz__output_json_rows(struct pz_output *output, const struct pz_slice *columns, uint32_t row_count)
{
    struct pz_buffer *buffer = output->buffer;
    for (uint32_t row = 0; row < row_count; row++) {
        pz_buffer_append_c(buffer, output->row_count + row == 0 ? "[" : ",[");
        for (uint32_t i = 0; i < output->column_count; i++) {
            if (i > 0) {
                pz_buffer_append_char(buffer, ',');
            }
            append_value(buffer, &columns[i], row);
        }
        pz_buffer_append_char(buffer, ']');
    }
}

void
pz__output_json_end(struct pz_output *output, const struct pz_query_stats *stats)
{
    struct pz_buffer *buffer = output->buffer;
    char elapsed[PZ_NUM_TEXT_MAX];
    uint32_t len = pz_format_double((double)stats->elapsed_us / 1000, elapsed);
    pz_buffer_printf(buffer, "],\"row_count\":%" PRIu64, output->row_count);
    if (stats->is_write) {
        pz_buffer_printf(buffer, ",\"affected\":%" PRIu64, stats->affected);
    }
    pz_buffer_printf(buffer,
                     ",\"stats\":{\"elapsed_ms\":%.*s,\"rows_scanned\":%" PRIu64
                     ",\"blocks_scanned\":%" PRIu64 ",\"blocks_skipped\":%" PRIu64
                     ",\"blocks_from_stats\":%" PRIu64 ",\"memory_peak_bytes\":%zu"
                     ",\"commit\":%" PRIu64 "},\"complete\":true}\n",
                     (int)len, elapsed, stats->rows_scanned, stats->blocks_scanned,
                     stats->blocks_skipped, stats->blocks_from_stats, stats->memory_peak_bytes,
                     stats->commit);
}

void
pz__output_ndjson_rows(struct pz_output *output, const struct pz_slice *columns, uint32_t row_count)
{
    struct pz_buffer *buffer = output->buffer;
    for (uint32_t row = 0; row < row_count; row++) {
        for (uint32_t i = 0; i < output->column_count; i++) {
            pz_buffer_append_char(buffer, i == 0 ? '{' : ',');
            pz_buffer_append_json_string(buffer, pz_str_from(output->columns[i].name));
            pz_buffer_append_char(buffer, ':');
            append_value(buffer, &columns[i], row);
        }
        pz_buffer_append_c(buffer, output->column_count == 0 ? "{}\n" : "}\n");
    }
}
