// SPDX-License-Identifier: Apache-2.0
// Values of records into columns: one conversion for each type, from each of the shapes a value has
// in a record (JSON string, JSON number, CSV field). What does not fit exactly is refused, never
// rounded or cut.
#include "ingest/row.h"

#include "base/clock.h"
#include "ingest/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// Rows room is made for at a time, at most; fewer while a batch is small.
#define RESERVE_ROWS_MAX 16384u

// Bytes of an offending value shown in a message.
#define SHOWN_BYTES 40u

static struct pz__symbol_cache *
cache_of_domain(struct pz__row *row, uint32_t domain_id)
{
    for (uint32_t i = 0; i < row->cache_count; i++) {
        if (row->caches[i].domain_id == domain_id) {
            return &row->caches[i];
        }
    }
    pz__symbol_cache_init(&row->caches[row->cache_count], domain_id);
    return &row->caches[row->cache_count++];
}

enum pz_status
pz__row_init(struct pz__row *row, struct pz_store *store, const struct pz__field_table *fields,
             struct pz_error *err)
{
    const struct pz_table_def *def = fields->def;
    *row = (struct pz__row){.store = store, .fields = fields, .def = def};
    row->columns = calloc((size_t)def->column_count + 1, sizeof(*row->columns));
    row->caches = calloc((size_t)def->column_count + 1, sizeof(*row->caches));
    if (row->columns == NULL || row->caches == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory to load into table %s", def->name);
    }
    for (uint32_t i = 0; i < def->column_count; i++) {
        struct pz__row_column *column = &row->columns[i];
        column->type = def->columns[i].type;
        struct pz_feed_rule rule = pz_feed_rule(def->id, i);
        column->is_required = def->columns[i].is_not_null && !rule.is_filled;
        column->rule = rule.rule;
        if (column->type == PZ_TYPE_SYMBOL) {
            column->symbols = cache_of_domain(row, def->columns[i].domain_id);
        }
    }
    return PZ_OK;
}

void
pz__row_fini(struct pz__row *row)
{
    for (uint32_t i = 0; i < row->cache_count; i++) {
        pz__symbol_cache_fini(&row->caches[i]);
    }
    free(row->caches);
    free(row->columns);
    *row = (struct pz__row){0};
}

bool
pz__row_fail(struct pz__row *row, uint32_t column, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    uint32_t shown = len < 0 ? 0 : (uint32_t)len;
    shown = shown < sizeof(message) - 1 ? shown : (uint32_t)sizeof(message) - 1;
    struct pz_str text =
        pz_str_cut_utf8((struct pz_str){message, shown}, sizeof(row->fault.message) - 1);
    memcpy(row->fault.message, text.data, text.len);
    row->fault.message[text.len] = '\0';
    row->fault.column = column;
    return false;
}

bool
pz__row_fail_unknown(struct pz__row *row, struct pz_str field)
{
    struct pz_str shown = pz_str_cut_utf8(field, PZ_NAME_LEN_MAX);
    struct pz_str meant = pz__field_suggest(row->fields, field);
    if (meant.len > 0) {
        return pz__row_fail(row, PZ_NO_COLUMN,
                            "table %s has no column \"%.*s\"; did you mean \"%.*s\"?",
                            row->def->name, PZ_STR_ARG(shown), PZ_STR_ARG(meant));
    }
    return pz__row_fail(row, PZ_NO_COLUMN,
                        "table %s has no column \"%.*s\"; use map to rename it or ignore_unknown",
                        row->def->name, PZ_STR_ARG(shown));
}

// Something other than the record is at fault.
static bool
give_up(struct pz__row *row, const struct pz_error *err)
{
    row->failure = *err;
    return false;
}

bool
pz__row_begin(struct pz__row *row)
{
    struct pz_batch *batch = row->batch;
    const struct pz_column *first = &batch->columns[0];
    if (batch->def->column_count > 0 && first->row_capacity == first->row_count) {
        size_t more = first->row_count < 64 ? 64 : first->row_count;
        more = more < RESERVE_ROWS_MAX ? more : RESERVE_ROWS_MAX;
        struct pz_error err = {0};
        if (pz_batch_reserve(batch, more, &err) != PZ_OK) {
            return give_up(row, &err);
        }
    }
    row->set_count = 0;
    if (++row->stamp == 0) { // after four billion rows, old stamps would look new
        for (uint32_t i = 0; i < row->def->column_count; i++) {
            row->columns[i].stamp = 0;
        }
        row->stamp = 1;
    }
    return true;
}

static bool
fail_missing(struct pz__row *row, uint32_t column)
{
    struct pz_str field = row->fields->fields[column].name;
    if (pz_str_equal(field, pz_str_from(row->def->columns[column].name))) {
        return pz__row_fail(row, column, "%s is missing", row->def->columns[column].name);
    }
    struct pz_str shown = pz_str_cut_utf8(field, PZ_NAME_LEN_MAX);
    return pz__row_fail(row, column, "field \"%.*s\", which fills %s, is missing",
                        PZ_STR_ARG(shown), row->def->columns[column].name);
}

bool
pz__row_end(struct pz__row *row, bool keep_line, uint64_t line)
{
    if (row->set_count < row->def->column_count) {
        for (uint32_t i = 0; i < row->def->column_count; i++) {
            if (row->columns[i].stamp == row->stamp) {
                continue;
            }
            if (row->columns[i].is_required) {
                return fail_missing(row, i);
            }
            pz_column_append_null(&row->batch->columns[i]);
        }
    }
    struct pz_error err = {0};
    if (pz_batch_end_row(row->batch, keep_line, line, &err) != PZ_OK) {
        return give_up(row, &err);
    }
    return true;
}

void
pz__row_undo(struct pz__row *row)
{
    pz_batch_undo_row(row->batch);
}

bool
pz__row_claim(struct pz__row *row, uint32_t column)
{
    if (row->columns[column].stamp == row->stamp) {
        struct pz_str field = pz_str_cut_utf8(row->fields->fields[column].name, PZ_NAME_LEN_MAX);
        return pz__row_fail(row, column, "field \"%.*s\" appears twice", PZ_STR_ARG(field));
    }
    row->columns[column].stamp = row->stamp;
    row->set_count++;
    return true;
}

bool
pz__row_set_null(struct pz__row *row, uint32_t column)
{
    if (row->columns[column].is_required) {
        return pz__row_fail(row, column, "%s must not be null", row->def->columns[column].name);
    }
    pz_column_append_null(&row->batch->columns[column]);
    return true;
}

// What a value of the column should have been.
static const char *
wanted(enum pz_type type)
{
    switch (type) {
    case PZ_TYPE_BOOLEAN:
        return "true or false";
    case PZ_TYPE_BIGINT:
        return "a whole number";
    case PZ_TYPE_DOUBLE:
        return "a number";
    case PZ_TYPE_TIMESTAMP:
        return "a time such as \"2026-11-20T09:00:00Z\"";
    case PZ_TYPE_DATE:
        return "a date such as \"2026-11-20\"";
    case PZ_TYPE_TEXT:
    case PZ_TYPE_SYMBOL:
        return "a string";
    case PZ_TYPE_NULL:
    case PZ_TYPE_INTERVAL:
        break;
    }
    PZ_UNREACHABLE("not a type of a column");
}

static bool
fail_text(struct pz__row *row, uint32_t column, struct pz_str text)
{
    struct pz_str shown = pz_str_cut_utf8(text, SHOWN_BYTES);
    return pz__row_fail(row, column, "expected %s, found \"%.*s\"%s",
                        wanted(row->columns[column].type), PZ_STR_ARG(shown),
                        shown.len < text.len ? "…" : "");
}

static bool
append_int(struct pz__row *row, uint32_t column, int64_t value)
{
    char why[PZ_RULE_TEXT_MAX];
    enum pz_value_rule rule = row->columns[column].rule;
    if (rule != PZ_RULE_NONE && !pz_rule_takes_int(rule, value, why)) {
        return pz__row_fail(row, column, "%s %s", row->def->columns[column].name, why);
    }
    pz_column_append_int(&row->batch->columns[column], value);
    return true;
}

bool
pz__row_set_boolean(struct pz__row *row, uint32_t column, bool value)
{
    if (row->columns[column].type != PZ_TYPE_BOOLEAN) {
        return pz__row_fail(row, column, "expected %s, found %s", wanted(row->columns[column].type),
                            value ? "true" : "false");
    }
    pz_column_append_byte(&row->batch->columns[column], value);
    return true;
}

static bool
set_bigint(struct pz__row *row, uint32_t column, struct pz_str text)
{
    int64_t value;
    enum pz__int_fault fault = pz__number_to_int(text, &value);
    if (fault == PZ__INT_OK) {
        return append_int(row, column, value);
    }
    if (fault == PZ__INT_NOT_A_NUMBER) {
        return fail_text(row, column, text);
    }
    struct pz_str shown = pz_str_cut_utf8(text, SHOWN_BYTES);
    return fault == PZ__INT_FRACTION
               ? pz__row_fail(row, column, "expected a whole number, found %.*s", PZ_STR_ARG(shown))
               : pz__row_fail(row, column, "%.*s is out of the range of BIGINT", PZ_STR_ARG(shown));
}

static bool
set_double(struct pz__row *row, uint32_t column, struct pz_str text, bool allow_words)
{
    double value;
    if (!pz__number_to_real(text, allow_words, &value)) {
        struct pz_str shown = pz_str_cut_utf8(text, SHOWN_BYTES);
        return pz__number_is_decimal(text)
                   ? pz__row_fail(row, column, "%.*s is out of the range of DOUBLE",
                                  PZ_STR_ARG(shown))
                   : fail_text(row, column, text);
    }
    pz_column_append_real(&row->batch->columns[column], value);
    return true;
}

// The two digits at p, or a value over 99.
static inline uint32_t
two_digits(const char *p)
{
    uint32_t tens = (uint32_t)(unsigned char)p[0] - '0';
    uint32_t ones = (uint32_t)(unsigned char)p[1] - '0';
    return tens > 9 || ones > 9 ? 1000 : tens * 10 + ones;
}

// "YYYY-MM-DD?HH:MM:SS.ffffffZ", the form most programs send, when its day is the one met last.
static bool
read_common_form(const struct pz__row_column *column, struct pz_str text, int64_t *us_out)
{
    const char *p = text.data;
    if (text.len != PZ_TIMESTAMP_TEXT_LEN || memcmp(p, column->day_text, PZ_DATE_TEXT_LEN) != 0 ||
        (p[10] != 'T' && p[10] != ' ') || p[13] != ':' || p[16] != ':' || p[19] != '.' ||
        p[26] != 'Z') {
        return false;
    }
    uint32_t hour = two_digits(p + 11);
    uint32_t minute = two_digits(p + 14);
    uint32_t second = two_digits(p + 17);
    uint32_t high = two_digits(p + 20);
    uint32_t middle = two_digits(p + 22);
    uint32_t low = two_digits(p + 24);
    if (hour > 23 || minute > 59 || second > 59 || high > 99 || middle > 99 || low > 99) {
        return false;
    }
    *us_out = column->day_us + (int64_t)(hour * 3600 + minute * 60 + second) * PZ_US_PER_SECOND +
              (int64_t)(high * 10000 + middle * 100 + low);
    return true;
}

static bool
set_timestamp(struct pz__row *row, uint32_t column, struct pz_str text)
{
    struct pz__row_column *state = &row->columns[column];
    int64_t us;
    int64_t day;
    if (read_common_form(state, text, &us)) {
        pz_column_append_int(&row->batch->columns[column], us);
        return true;
    }
    if (!pz_ingest_parse_timestamp(text, &us)) {
        return fail_text(row, column, text);
    }
    if (text.len >= PZ_DATE_TEXT_LEN &&
        pz_parse_date((struct pz_str){text.data, PZ_DATE_TEXT_LEN}, &day)) {
        memcpy(state->day_text, text.data, PZ_DATE_TEXT_LEN);
        state->day_us = day * PZ_US_PER_DAY;
    }
    pz_column_append_int(&row->batch->columns[column], us);
    return true;
}

static bool
set_timestamp_number(struct pz__row *row, uint32_t column, struct pz_str text)
{
    int64_t number;
    int64_t us;
    double real;
    bool is_good = pz_parse_i64(text, &number) ? pz_ingest_timestamp_from_int(number, &us)
                                               : pz__number_to_real(text, false, &real) &&
                                                     pz_ingest_timestamp_from_real(real, &us);
    if (!is_good) {
        struct pz_str shown = pz_str_cut_utf8(text, SHOWN_BYTES);
        return pz__row_fail(row, column, "%.*s is no time between the years 1 and 9999",
                            PZ_STR_ARG(shown));
    }
    pz_column_append_int(&row->batch->columns[column], us);
    return true;
}

static bool
set_date(struct pz__row *row, uint32_t column, struct pz_str text)
{
    int64_t days;
    if (!pz_parse_date(text, &days)) {
        return fail_text(row, column, text);
    }
    pz_column_append_int(&row->batch->columns[column], days);
    return true;
}

static bool
has_nul(struct pz_str text)
{
    return text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
}

static bool
set_text(struct pz__row *row, uint32_t column, struct pz_str text)
{
    struct pz_error err = {0};
    if (has_nul(text)) {
        return pz__row_fail(row, column, "the character U+0000 is not allowed in text");
    }
    if (text.len > PZ_TEXT_LEN_MAX) {
        return pz__row_fail(row, column, "the text has %u bytes, at most %u are allowed",
                            (unsigned)text.len, PZ_TEXT_LEN_MAX);
    }
    if (pz_column_append_text(&row->batch->columns[column], text, &err) != PZ_OK) {
        return give_up(row, &err);
    }
    return true;
}

// A symbol that was not met lately. Those in the cache obey the column's rule: a rule holds for all
// columns of one table that share a domain.
static bool
look_up_symbol(struct pz__row *row, uint32_t column, struct pz_str text, uint32_t *code_out)
{
    struct pz__symbol_cache *cache = row->columns[column].symbols;
    struct pz_error err = {0};
    char why[PZ_RULE_TEXT_MAX];
    if (!pz_rule_takes_text(row->columns[column].rule, text, why)) {
        return pz__row_fail(row, column, "%s %s", row->def->columns[column].name, why);
    }
    if (has_nul(text)) {
        return pz__row_fail(row, column, "the character U+0000 is not allowed in text");
    }
    if (text.len > PZ_SYMBOL_LEN_MAX) {
        return pz__row_fail(row, column, "the value has %u bytes, at most %u are allowed",
                            (unsigned)text.len, PZ_SYMBOL_LEN_MAX);
    }
    enum pz_status status = pz_symbol_intern(row->store, cache->domain_id, text, code_out, &err);
    if (status == PZ_UNACCEPTABLE || status == PZ_INVALID) {
        return pz__row_fail(row, column, "%s", err.message);
    }
    if (status != PZ_OK) {
        err.status = status;
        return give_up(row, &err);
    }
    pz__symbol_cache_put(cache, text, *code_out);
    return true;
}

static bool
set_symbol(struct pz__row *row, uint32_t column, struct pz_str text)
{
    uint32_t code;
    if (!pz__symbol_cache_find(row->columns[column].symbols, text, &code) &&
        !look_up_symbol(row, column, text, &code)) {
        return false;
    }
    pz_column_append_code(&row->batch->columns[column], code);
    return true;
}

bool
pz__row_set_number(struct pz__row *row, uint32_t column, struct pz_str text)
{
    struct pz_str shown;
    switch (row->columns[column].type) {
    case PZ_TYPE_BIGINT:
        return set_bigint(row, column, text);
    case PZ_TYPE_DOUBLE:
        return set_double(row, column, text, false);
    case PZ_TYPE_TIMESTAMP:
        return set_timestamp_number(row, column, text);
    case PZ_TYPE_BOOLEAN:
    case PZ_TYPE_DATE:
    case PZ_TYPE_TEXT:
    case PZ_TYPE_SYMBOL:
        shown = pz_str_cut_utf8(text, SHOWN_BYTES);
        return pz__row_fail(row, column, "expected %s, found the number %.*s",
                            wanted(row->columns[column].type), PZ_STR_ARG(shown));
    case PZ_TYPE_NULL:
    case PZ_TYPE_INTERVAL:
        break;
    }
    PZ_UNREACHABLE("not a type of a column");
}

bool
pz__row_set_string(struct pz__row *row, uint32_t column, struct pz_str text)
{
    switch (row->columns[column].type) {
    case PZ_TYPE_SYMBOL:
        return set_symbol(row, column, text);
    case PZ_TYPE_TEXT:
        return set_text(row, column, text);
    case PZ_TYPE_TIMESTAMP:
        return set_timestamp(row, column, text);
    case PZ_TYPE_BIGINT:
        return set_bigint(row, column, text);
    case PZ_TYPE_DOUBLE:
        return set_double(row, column, text, true);
    case PZ_TYPE_DATE:
        return set_date(row, column, text);
    case PZ_TYPE_BOOLEAN:
        return fail_text(row, column, text);
    case PZ_TYPE_NULL:
    case PZ_TYPE_INTERVAL:
        break;
    }
    PZ_UNREACHABLE("not a type of a column");
}

static bool
parse_boolean(struct pz_str text, bool *out)
{
    static const char *const names[2][4] = {{"false", "f", "no", "0"}, {"true", "t", "yes", "1"}};
    for (int value = 0; value < 2; value++) {
        for (int i = 0; i < 4; i++) {
            if (pz_str_equal_nocase(text, pz_str_from(names[value][i]))) {
                *out = value == 1;
                return true;
            }
        }
    }
    return false;
}

bool
pz__row_set_untyped(struct pz__row *row, uint32_t column, struct pz_str text)
{
    bool value;
    if (row->columns[column].type != PZ_TYPE_BOOLEAN) {
        return pz__row_set_string(row, column, text);
    }
    return parse_boolean(text, &value) ? pz__row_set_boolean(row, column, value)
                                       : fail_text(row, column, text);
}
