// SPDX-License-Identifier: Apache-2.0
// What becomes of a bad record: an entry in the list of the first errors, and a row of the table
// dead_letters that holds the record's bytes as they came. Bytes that are not UTF-8 cannot stand in
// a TEXT column, so they are written in base64 behind a prefix that says so.
#include "ingest/reject.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

static const char base64_prefix[] = "base64:";

// The most bytes whose base64 form, with the prefix, is no longer than a text may be.
#define ENCODABLE_BYTES_MAX ((PZ_TEXT_LEN_MAX - 16) / 4 * 3)

enum pz_status
pz__rejects_init(struct pz__rejects *rejects, struct pz_store *store,
                 const struct pz_table_def *table, const struct pz_table_def *letters_def,
                 struct pz_error *err)
{
    memset(rejects, 0, sizeof(*rejects));
    rejects->store = store;
    rejects->table = table;
    rejects->received_us = pz_clock_wall_us();
    return letters_def == NULL ? PZ_OK : pz_batch_init(&rejects->letters, letters_def, err);
}

void
pz__rejects_fini(struct pz__rejects *rejects)
{
    pz_batch_fini(&rejects->letters);
    pz_buffer_fini(&rejects->text);
}

// The start of a record as valid UTF-8: bytes that are none become question marks.
static void
fill_snippet(const struct pz__record *record, char *out, uint32_t capacity)
{
    uint32_t len = record->len < capacity - 1 ? (uint32_t)record->len : capacity - 1;
    struct pz_str text = {record->data,
                          (uint32_t)(record->len < capacity ? record->len : capacity)};
    text = pz_str_cut_utf8(text, len);
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    size_t at = 0;
    size_t bad;
    while (at < text.len && !pz_utf8_is_valid(out + at, text.len - at, &bad)) {
        out[at + bad] = '?';
        at += bad + 1;
    }
    for (at = 0; at < text.len; at++) {
        out[at] = out[at] == '\0' ? '?' : out[at];
    }
}

static const char *
column_name(const struct pz__rejects *rejects, uint32_t column)
{
    return column == PZ_NO_COLUMN ? "" : rejects->table->columns[column].name;
}

static void
encode_base64(struct pz_buffer *out, const char *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = (const unsigned char *)data;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= left > 2 ? bytes[i + 2] : 0;
        char text[4] = {digits[group >> 18], digits[group >> 12 & 63], digits[group >> 6 & 63],
                        digits[group & 63]};
        text[2] = left > 1 ? text[2] : '=';
        text[3] = left > 2 ? text[3] : '=';
        pz_buffer_append(out, text, 4);
    }
}

// The record's bytes as a text. `*is_cut_out`: only their beginning found room.
static enum pz_status
raw_text(struct pz__rejects *rejects, const struct pz__record *record, struct pz_str *out,
         bool *is_cut_out, struct pz_error *err)
{
    *is_cut_out = false;
    if (record->len <= PZ_TEXT_LEN_MAX && pz_utf8_is_valid(record->data, record->len, NULL) &&
        (record->len == 0 || memchr(record->data, '\0', record->len) == NULL)) {
        *out = (struct pz_str){record->data, (uint32_t)record->len};
        return PZ_OK;
    }
    size_t len = record->len < ENCODABLE_BYTES_MAX ? record->len : ENCODABLE_BYTES_MAX;
    *is_cut_out = len < record->len;
    pz_buffer_clear(&rejects->text);
    pz_buffer_append_c(&rejects->text, base64_prefix);
    encode_base64(&rejects->text, record->data, len);
    if (rejects->text.is_failed) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for a dead letter of %zu bytes", record->len);
    }
    *out = (struct pz_str){rejects->text.data, (uint32_t)rejects->text.len};
    return PZ_OK;
}

// One value of a letter, as text or symbol, whichever the column is. Empty text is NULL.
static enum pz_status
append_word(struct pz__rejects *rejects, uint32_t column, struct pz_str text, struct pz_error *err)
{
    const struct pz_column_def *def = &rejects->letters.def->columns[column];
    struct pz_column *into = &rejects->letters.columns[column];
    uint32_t code;
    if (text.len == 0) {
        pz_column_append_null(into);
        return PZ_OK;
    }
    if (def->type == PZ_TYPE_TEXT) {
        return pz_column_append_text(into, text, err);
    }
    text = pz_str_cut_utf8(text, PZ_SYMBOL_LEN_MAX);
    PZ_TRY(pz_symbol_intern(rejects->store, def->domain_id, text, &code, err));
    pz_column_append_code(into, code);
    return PZ_OK;
}

static enum pz_status
append_letter(struct pz__rejects *rejects, const struct pz__record *record,
              const struct pz__row_fault *fault, struct pz_error *err)
{
    struct pz_batch *letters = &rejects->letters;
    struct pz_str raw;
    bool is_cut;
    char reason[sizeof(fault->message) + 48];
    PZ_TRY(raw_text(rejects, record, &raw, &is_cut, err));
    (void)snprintf(reason, sizeof(reason), "%s%s", fault->message,
                   is_cut ? " (only the start of the record is kept)" : "");
    struct pz_str words[PZ_DEAD_AT] = {
        [PZ_DEAD_SOURCE] = pz_str_from(rejects->source == NULL ? "" : rejects->source),
        [PZ_DEAD_TABLE] = pz_str_from(rejects->table->name),
        [PZ_DEAD_RAW] = raw,
        [PZ_DEAD_REASON] = pz_str_from(reason),
        [PZ_DEAD_PLACE] = pz_str_from(column_name(rejects, fault->column)),
    };
    PZ_ASSERT(letters->def->column_count == PZ_DEAD_AT + 1);
    PZ_TRY(pz_batch_reserve(letters, 1, err));
    for (uint32_t i = 0; i < PZ_DEAD_AT; i++) {
        if (i == PZ_DEAD_POSITION) {
            pz_column_append_int(&letters->columns[i], (int64_t)record->line);
        } else {
            PZ_TRY(append_word(rejects, i, words[i], err));
        }
    }
    pz_column_append_int(&letters->columns[PZ_DEAD_AT], rejects->received_us);
    return pz_batch_end_row(letters, false, 0, err);
}

enum pz_status
pz__rejects_add(struct pz__rejects *rejects, const struct pz__record *record,
                const struct pz__row_fault *fault, struct pz_error *err)
{
    rejects->count++;
    if (rejects->error_count < PZ_ROW_ERRORS_MAX) {
        struct pz_row_error *error = &rejects->errors[rejects->error_count++];
        *error = (struct pz_row_error){.line = record->line};
        (void)snprintf(error->column, sizeof(error->column), "%s",
                       column_name(rejects, fault->column));
        memcpy(error->message, fault->message, sizeof(error->message));
        fill_snippet(record, error->snippet, sizeof(error->snippet));
    }
    return rejects->letters.def == NULL ? PZ_OK : append_letter(rejects, record, fault, err);
}

static int
by_line(const void *a, const void *b)
{
    uint64_t left = ((const struct pz_row_error *)a)->line;
    uint64_t right = ((const struct pz_row_error *)b)->line;
    return (left > right) - (left < right);
}

void
pz__rejects_merge(struct pz__rejects *rejects, const struct pz_row_error *errors,
                  uint32_t error_count, uint64_t count)
{
    struct pz_row_error all[PZ_ROW_ERRORS_MAX * 2];
    uint32_t total = rejects->error_count;
    error_count = error_count < PZ_ROW_ERRORS_MAX ? error_count : PZ_ROW_ERRORS_MAX;
    memcpy(all, rejects->errors, total * sizeof(*all));
    if (error_count > 0) {
        memcpy(all + total, errors, error_count * sizeof(*all));
        total += error_count;
        qsort(all, total, sizeof(*all), by_line);
    }
    rejects->error_count = total < PZ_ROW_ERRORS_MAX ? total : PZ_ROW_ERRORS_MAX;
    memcpy(rejects->errors, all, rejects->error_count * sizeof(*all));
    rejects->count += count;
}
