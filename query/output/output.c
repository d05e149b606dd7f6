// SPDX-License-Identifier: Apache-2.0
// Result batches to bytes: which format does what.
#include "query/output/output_internal.h"

#include <inttypes.h>

void
pz_output_init(struct pz_output *output, enum pz_format format, struct pz_buffer *buffer)
{
    *output = (struct pz_output){.format = format, .buffer = buffer};
    pz_arena_init(&output->arena, NULL);
}

void
pz_output_fini(struct pz_output *output)
{
    pz_buffer_fini(&output->text_rows);
    pz_arena_fini(&output->arena);
}

static enum pz_status
check_buffer(const struct pz_output *output, struct pz_error *err)
{
    if (!output->buffer->is_failed) {
        return PZ_OK;
    }
    if (output->buffer->limit_bytes != 0) {
        enum pz_status status = pz_fail(err, PZ_TOO_LARGE, "the result is larger than %zu bytes",
                                        output->buffer->limit_bytes);
        pz_error_hint(err, "use LIMIT, or aggregate");
        return status;
    }
    return pz_fail(err, PZ_NO_MEMORY, "no memory for the result");
}

static bool
is_taken(const struct pz_result_column *columns, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(columns[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

// The members of an object need different names: a second n in column 5 becomes n_5. Names that
// occur once stay as they are.
static enum pz_status
make_keys(struct pz_output *output, struct pz_result_column *columns, uint32_t count,
          struct pz_error *err)
{
    for (uint32_t i = 1; i < count; i++) {
        const char *name = columns[i].name;
        const char *key = name;
        for (unsigned n = 2;
             is_taken(columns, i, key) || (key != name && is_taken(columns + i, count - i, key));
             n++) {
            key = pz_arena_printf(&output->arena, "%s_%u", name, n);
            if (key == NULL) {
                return pz_fail(err, PZ_NO_MEMORY, "no memory for the result");
            }
        }
        columns[i].name = key;
    }
    return PZ_OK;
}

enum pz_status
pz_output_begin(struct pz_output *output, const struct pz_result_column *columns,
                uint32_t column_count, struct pz_error *err)
{
    struct pz_result_column *copies =
        pz_arena_alloc_array(&output->arena, column_count, sizeof *copies);
    if (copies == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for the result");
    }
    for (uint32_t i = 0; i < column_count; i++) {
        struct pz_str name = pz_arena_copy(&output->arena, pz_str_from(columns[i].name));
        if (name.data == NULL) {
            return pz_fail(err, PZ_NO_MEMORY, "no memory for the result");
        }
        copies[i] = (struct pz_result_column){name.data, columns[i].type};
    }
    if (output->format == PZ_FORMAT_NDJSON) {
        PZ_TRY(make_keys(output, copies, column_count, err));
    }
    output->columns = copies;
    output->column_count = column_count;
    switch (output->format) {
    case PZ_FORMAT_JSON:
        pz__output_json_begin(output);
        break;
    case PZ_FORMAT_CSV:
        pz__output_csv_begin(output);
        break;
    case PZ_FORMAT_NDJSON:
    case PZ_FORMAT_TEXT:
        break;
    }
    return check_buffer(output, err);
}

enum pz_status
pz_output_rows(struct pz_output *output, const struct pz_slice *columns, uint32_t row_count,
               struct pz_error *err)
{
    switch (output->format) {
    case PZ_FORMAT_JSON:
        pz__output_json_rows(output, columns, row_count);
        break;
    case PZ_FORMAT_NDJSON:
        pz__output_ndjson_rows(output, columns, row_count);
        break;
    case PZ_FORMAT_CSV:
        pz__output_csv_rows(output, columns, row_count);
        break;
    case PZ_FORMAT_TEXT:
        PZ_TRY(pz__output_table_rows(output, columns, row_count, err));
        break;
    }
    output->row_count += row_count;
    return check_buffer(output, err);
}

// INSERT, DELETE and DDL answer with a count instead of rows.
static void
append_affected(struct pz_output *output, uint64_t affected)
{
    switch (output->format) {
    case PZ_FORMAT_JSON:
        break; // a member of the whole
    case PZ_FORMAT_NDJSON:
        pz_buffer_printf(output->buffer, "{\"affected\":%" PRIu64 "}\n", affected);
        break;
    case PZ_FORMAT_CSV:
        pz_buffer_printf(output->buffer, "affected\r\n%" PRIu64 "\r\n", affected);
        break;
    case PZ_FORMAT_TEXT:
        pz_buffer_printf(output->buffer, "%" PRIu64 " %s\n", affected,
                         affected == 1 ? "row" : "rows");
        break;
    }
}

enum pz_status
pz_output_end(struct pz_output *output, const struct pz_query_stats *stats, struct pz_error *err)
{
    if (stats->is_write) {
        PZ_ASSERT(output->column_count == 0);
        append_affected(output, stats->affected);
    } else if (output->format == PZ_FORMAT_TEXT) {
        PZ_TRY(pz__output_table_end(output, err));
    }
    if (output->format == PZ_FORMAT_JSON) {
        pz__output_json_end(output, stats);
    }
    return check_buffer(output, err);
}
