// SPDX-License-Identifier: Apache-2.0
// A strict reader of CSV. An empty field without quotes is NULL, "" is the empty string. Quotes
// stand only around whole fields; anything else is more likely a damaged file than a wish.
#include "ingest/decode_csv.h"

#include "ingest/scan.h"

#include <stdlib.h>

void
pz__csv_decoder_init(struct pz__csv_decoder *decoder, const struct pz__field_table *fields,
                     bool ignore_unknown)
{
    *decoder = (struct pz__csv_decoder){.fields = fields, .ignore_unknown = ignore_unknown};
}

void
pz__csv_decoder_fini(struct pz__csv_decoder *decoder)
{
    free(decoder->columns);
    pz_buffer_fini(&decoder->scratch);
    *decoder = (struct pz__csv_decoder){0};
}

// A walk over the fields of one record.
struct walk {
    struct pz__csv_decoder *decoder;
    struct pz__row *row;
    const char *at;
    const char *end;
    uint32_t index; // of the field to come
};

static bool
fail_memory(struct walk *walk)
{
    pz_fail(&walk->row->failure, PZ_NO_MEMORY, "no memory for a field of a record");
    return false;
}

// After the opening quote: up to the closing one.
static bool
take_quoted(struct walk *walk, struct pz_str *out)
{
    struct pz_buffer *scratch = &walk->decoder->scratch;
    const char *start = walk->at;
    const char *quote = memchr(start, '"', (size_t)(walk->end - start));
    bool is_copied = false;
    while (quote != NULL && quote + 1 < walk->end && quote[1] == '"') {
        if (!is_copied) {
            pz_buffer_clear(scratch);
            is_copied = true;
        }
        pz_buffer_append(scratch, start, (size_t)(quote + 1 - start));
        start = quote + 2;
        quote = memchr(start, '"', (size_t)(walk->end - start));
    }
    if (quote == NULL) {
        return pz__row_fail(walk->row, PZ_NO_COLUMN, "field %u: the quote is never closed",
                            (unsigned)walk->index + 1);
    }
    *out = (struct pz_str){start, (uint32_t)(quote - start)};
    if (is_copied) {
        pz_buffer_append(scratch, start, (size_t)(quote - start));
        if (scratch->is_failed) {
            return fail_memory(walk);
        }
        *out = (struct pz_str){scratch->data, (uint32_t)scratch->len};
    }
    walk->at = quote + 1;
    if (walk->at < walk->end && *walk->at != ',') {
        return pz__row_fail(walk->row, PZ_NO_COLUMN,
                            "field %u: expected a comma after the closing quote",
                            (unsigned)walk->index + 1);
    }
    return true;
}

// The next field; the walk then stands at the comma behind it or at the end. Text lives until the
// next field.
static bool
take_field(struct walk *walk, struct pz_str *out, bool *is_quoted_out)
{
    *is_quoted_out = walk->at < walk->end && *walk->at == '"';
    if (*is_quoted_out) {
        walk->at++;
        return take_quoted(walk, out);
    }
    const char *comma = memchr(walk->at, ',', (size_t)(walk->end - walk->at));
    const char *stop = comma == NULL ? walk->end : comma;
    *out = (struct pz_str){walk->at, (uint32_t)(stop - walk->at)};
    if (out->len > 0 && memchr(out->data, '"', out->len) != NULL) {
        return pz__row_fail(walk->row, PZ_NO_COLUMN,
                            "field %u: a quote inside a field that is not quoted",
                            (unsigned)walk->index + 1);
    }
    walk->at = stop;
    return true;
}

static bool
check_utf8(const struct pz__record *record, struct pz__row *row)
{
    size_t bad;
    if (pz__is_ascii(record->data, record->len) ||
        pz_utf8_is_valid(record->data, record->len, &bad)) {
        return true;
    }
    return pz__row_fail(row, PZ_NO_COLUMN, "not valid UTF-8 at byte %zu", bad + 1);
}

// The column of one field of the header; false with a fault when it must not be there.
static bool
add_header_field(struct walk *walk, struct pz_str name)
{
    struct pz__csv_decoder *decoder = walk->decoder;
    uint32_t column = pz__field_find(decoder->fields, name);
    if (column == PZ_NO_COLUMN && !decoder->ignore_unknown) {
        return pz__row_fail_unknown(walk->row, name);
    }
    for (uint32_t i = 0; column != PZ_NO_COLUMN && i < walk->index; i++) {
        if (decoder->columns[i] == column) {
            struct pz_str shown = pz_str_cut_utf8(name, PZ_NAME_LEN_MAX);
            return pz__row_fail(walk->row, column, "field \"%.*s\" appears twice",
                                PZ_STR_ARG(shown));
        }
    }
    if (walk->index == UINT16_MAX) {
        return pz__row_fail(walk->row, PZ_NO_COLUMN, "more than %u fields", (unsigned)UINT16_MAX);
    }
    if ((walk->index & (walk->index + 1)) == 0) { // the room doubles: 1, 3, 7, …
        size_t room = (size_t)walk->index * 2 + 2;
        uint32_t *columns = realloc(decoder->columns, room * sizeof(*columns));
        if (columns == NULL) {
            return fail_memory(walk);
        }
        decoder->columns = columns;
    }
    decoder->columns[walk->index] = column;
    return true;
}

static bool
take_header(struct walk *walk)
{
    for (;;) {
        struct pz_str name;
        bool is_quoted;
        if (!take_field(walk, &name, &is_quoted) || !add_header_field(walk, name)) {
            return false;
        }
        walk->index++;
        if (walk->at == walk->end) {
            walk->decoder->field_count = walk->index;
            return true;
        }
        walk->at++;
    }
}

// Columns that every row needs must be in the header; otherwise each record would say so.
static bool
check_needed(struct pz__csv_decoder *decoder, struct pz__row *row)
{
    for (uint32_t c = 0; c < row->def->column_count; c++) {
        bool is_there = !row->columns[c].is_required;
        for (uint32_t i = 0; !is_there && i < decoder->field_count; i++) {
            is_there = decoder->columns[i] == c;
        }
        if (!is_there) {
            return pz__row_fail(row, c, "no field \"%.*s\", which every row of %s needs",
                                PZ_STR_ARG(decoder->fields->fields[c].name), row->def->name);
        }
    }
    return true;
}

// A header without a comma is mostly one that another sign separates.
static void
hint_separator(const struct pz__record *record, struct pz_error *err)
{
    if (memchr(record->data, ',', record->len) != NULL) {
        return;
    }
    if (memchr(record->data, ';', record->len) != NULL) {
        pz_error_hint(err, "fields are separated by commas, here they seem to be by semicolons");
    } else if (memchr(record->data, '\t', record->len) != NULL) {
        pz_error_hint(err, "fields are separated by commas, here they seem to be by tabs");
    }
}

enum pz_status
pz__csv_read_header(struct pz__csv_decoder *decoder, const struct pz__record *record,
                    struct pz__row *row, struct pz_error *err)
{
    struct walk walk = {
        .decoder = decoder, .row = row, .at = record->data, .end = record->data + record->len};
    decoder->has_header = true;
    if (check_utf8(record, row) && take_header(&walk) && check_needed(decoder, row)) {
        return PZ_OK;
    }
    if (row->failure.status != PZ_OK) {
        return pz_fail(err, row->failure.status, "%s", row->failure.message);
    }
    pz_fail(err, PZ_INVALID, "the header (line %llu): %s", (unsigned long long)record->line,
            row->fault.message);
    hint_separator(record, err);
    return PZ_INVALID;
}

static bool
set_field(struct walk *walk, struct pz_str text, bool is_quoted)
{
    uint32_t column = walk->decoder->columns[walk->index];
    if (column == PZ_NO_COLUMN) {
        return true;
    }
    if (!pz__row_claim(walk->row, column)) {
        return false;
    }
    if (text.len == 0 && !is_quoted) {
        const struct pz__row_column *def = &walk->row->columns[column];
        return def->is_required && def->type == PZ_TYPE_TEXT
                   ? pz__row_fail(walk->row, column,
                                  "%s must not be null; an empty text is written \"\"",
                                  walk->row->def->columns[column].name)
                   : pz__row_set_null(walk->row, column);
    }
    return pz__row_set_untyped(walk->row, column, text);
}

bool
pz__csv_decode(struct pz__csv_decoder *decoder, const struct pz__record *record,
               struct pz__row *row)
{
    struct walk walk = {
        .decoder = decoder, .row = row, .at = record->data, .end = record->data + record->len};
    if (!check_utf8(record, row)) {
        return false;
    }
    for (;;) {
        struct pz_str text;
        bool is_quoted;
        if (!take_field(&walk, &text, &is_quoted)) {
            return false;
        }
        if (walk.index == decoder->field_count) {
            return pz__row_fail(row, PZ_NO_COLUMN,
                                "the record has more than the %u fields of the "
                                "header",
                                (unsigned)decoder->field_count);
        }
        if (!set_field(&walk, text, is_quoted)) {
            return false;
        }
        walk.index++;
        if (walk.at == walk.end) {
            break;
        }
        walk.at++;
    }
    if (walk.index < decoder->field_count) {
        return pz__row_fail(row, PZ_NO_COLUMN, "the record has %u fields, the header has %u",
                            (unsigned)walk.index, (unsigned)decoder->field_count);
    }
    return true;
}
