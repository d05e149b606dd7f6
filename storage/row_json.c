// SPDX-License-Identifier: Apache-2.0
// A row as a JSON object: what a dead letter keeps of a row whose bytes are gone, so that it can be
// mended and sent again.
#include "base/clock.h"
#include "storage/store_internal.h"

static void
append_value(struct pz_store *store, const struct pz_column_def *def,
             const struct pz_column *column, size_t row, struct pz_buffer *out)
{
    char text[PZ_NUM_TEXT_MAX];
    switch (def->type) {
    case PZ_TYPE_BOOLEAN:
        pz_buffer_append_c(out, column->bytes[row] != 0 ? "true" : "false");
        break;
    case PZ_TYPE_BIGINT:
        pz_buffer_append(out, text, pz_format_i64(column->ints[row], text));
        break;
    case PZ_TYPE_DOUBLE:
        pz_buffer_append(out, text, pz_format_double(column->reals[row], text));
        break;
    case PZ_TYPE_TEXT:
        pz_buffer_append_json_string(out, pz_column_text(column, row));
        break;
    case PZ_TYPE_SYMBOL:
        pz_buffer_append_json_string(out,
                                     pz_symbol_name(store, def->domain_id, column->codes[row]));
        break;
    case PZ_TYPE_TIMESTAMP:
        pz_buffer_append_json_string(
            out, (struct pz_str){text, pz_format_timestamp(column->ints[row], text)});
        break;
    case PZ_TYPE_DATE:
        pz_buffer_append_json_string(
            out, (struct pz_str){text, pz_format_date(column->ints[row], text)});
        break;
    case PZ_TYPE_NULL:
    case PZ_TYPE_INTERVAL:
        PZ_UNREACHABLE("no column has this type");
    }
}

void
pz__row_to_json(struct pz_store *store, const struct pz_batch *batch, size_t row,
                struct pz_buffer *out)
{
    pz_buffer_append_char(out, '{');
    const char *separator = "";
    for (uint32_t c = 0; c < batch->def->column_count; c++) {
        if (pz_column_is_null(&batch->columns[c], row)) {
            continue;
        }
        pz_buffer_append_c(out, separator);
        pz_buffer_append_json_string(out, pz_str_from(batch->def->columns[c].name));
        pz_buffer_append_char(out, ':');
        append_value(store, &batch->def->columns[c], &batch->columns[c], row, out);
        separator = ",";
    }
    pz_buffer_append_char(out, '}');
}
