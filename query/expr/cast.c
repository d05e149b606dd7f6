// SPDX-License-Identifier: Apache-2.0
// Conversions of single values. Messages are PostgreSQL's.
#include "query/expr/cast.h"

#include "base/clock.h"
#include "base/num.h"
#include "query/expr/interval.h"

#include <math.h>

static struct pz_str
trim_blanks(struct pz_str text)
{
    while (text.len > 0 &&
           (text.data[0] == ' ' || (text.data[0] >= '\t' && text.data[0] <= '\r'))) {
        text.data++;
        text.len--;
    }
    while (text.len > 0) {
        char last = text.data[text.len - 1];
        if (last != ' ' && !(last >= '\t' && last <= '\r')) {
            break;
        }
        text.len--;
    }
    return text;
}

const char *
pz_type_word(enum pz_type type)
{
    switch (type) {
    case PZ_TYPE_NULL:
        return "unknown";
    case PZ_TYPE_BOOLEAN:
        return "boolean";
    case PZ_TYPE_BIGINT:
        return "bigint";
    case PZ_TYPE_DOUBLE:
        return "double precision";
    case PZ_TYPE_TEXT:
    case PZ_TYPE_SYMBOL:
        return "text";
    case PZ_TYPE_TIMESTAMP:
        return "timestamp";
    case PZ_TYPE_DATE:
        return "date";
    case PZ_TYPE_INTERVAL:
        return "interval";
    }
    PZ_UNREACHABLE("all types are above");
}

static enum pz_status
fail_input(struct pz_str text, enum pz_type to, uint32_t offset, struct pz_error *err)
{
    bool is_time = to == PZ_TYPE_TIMESTAMP || to == PZ_TYPE_DATE;
    enum pz_status status = pz_fail_sql(err, is_time ? "22007" : "22P02", offset,
                                        "invalid input syntax for type %s: \"%.*s\"",
                                        pz_type_word(to), PZ_STR_ARG(pz_str_cut_utf8(text, 80)));
    if (is_time) {
        pz_error_hint(err, "write it as 2026-11-20%s",
                      to == PZ_TYPE_DATE ? "" : " or 2026-11-20 09:30:00");
    }
    return status;
}

static bool
parse_boolean(struct pz_str text, bool *out)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    if (text.len == 0) {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        struct pz_str full = pz_str_from(yes[i]);
        bool is_o = i == 2; // "o" alone is neither on nor off
        if (text.len <= full.len && (!is_o || text.len == 2) &&
            pz_str_equal_nocase(text, (struct pz_str){full.data, text.len})) {
            *out = true;
            return true;
        }
        full = pz_str_from(no[i]);
        if (text.len <= full.len && (!is_o || text.len >= 2) &&
            pz_str_equal_nocase(text, (struct pz_str){full.data, text.len})) {
            *out = false;
            return true;
        }
    }
    return false;
}

// "2026-13-40" has the shape of a date but is none: PostgreSQL tells the two apart.
static bool
has_date_shape(struct pz_str text)
{
    if (text.len < 10 || text.data[4] != '-' || text.data[7] != '-') {
        return false;
    }
    for (uint32_t i = 0; i < 10; i++) {
        if (i != 4 && i != 7 && (text.data[i] < '0' || text.data[i] > '9')) {
            return false;
        }
    }
    return true;
}

static enum pz_status
fail_time(struct pz_str text, enum pz_type to, uint32_t offset, struct pz_error *err)
{
    if (has_date_shape(text) && (text.len == 10 || to == PZ_TYPE_TIMESTAMP)) {
        int64_t days;
        if (!pz_parse_date((struct pz_str){text.data, 10}, &days)) {
            return pz_fail_sql(err, "22008", offset, "date/time field value out of range: \"%.*s\"",
                               PZ_STR_ARG(pz_str_cut_utf8(text, 80)));
        }
    }
    return fail_input(text, to, offset, err);
}

static bool
is_integer_text(struct pz_str text)
{
    uint32_t i = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    if (i == text.len) {
        return false;
    }
    for (; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return true;
}

static uint32_t
skip_digits(struct pz_str text, uint32_t at)
{
    while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9') {
        at++;
    }
    return at;
}

// Whether the text has the shape of a number, and be it one that no DOUBLE can hold.
static bool
is_decimal_text(struct pz_str text)
{
    uint32_t begin = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    uint32_t at = skip_digits(text, begin);
    uint32_t digits = at - begin;
    if (at < text.len && text.data[at] == '.') {
        uint32_t end = skip_digits(text, at + 1);
        digits += end - at - 1;
        at = end;
    }
    if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        at += at < text.len && (text.data[at] == '-' || text.data[at] == '+') ? 1 : 0;
        uint32_t end = skip_digits(text, at);
        if (end == at) {
            return false;
        }
        at = end;
    }
    return digits > 0 && at == text.len;
}

static enum pz_status
parse_text(struct pz_str raw, enum pz_type to, uint32_t offset, struct pz_value *out,
           struct pz_error *err)
{
    struct pz_str text = trim_blanks(raw);
    *out = (struct pz_value){.type = to};
    switch (to) {
    case PZ_TYPE_BOOLEAN:
        return parse_boolean(text, &out->boolean) ? PZ_OK : fail_input(raw, to, offset, err);
    case PZ_TYPE_BIGINT:
        if (pz_parse_i64(text, &out->integer)) {
            return PZ_OK;
        }
        if (is_integer_text(text)) {
            return pz_fail_sql(err, "22003", offset,
                               "value \"%.*s\" is out of range for type bigint",
                               PZ_STR_ARG(pz_str_cut_utf8(text, 80)));
        }
        return fail_input(raw, to, offset, err);
    case PZ_TYPE_DOUBLE:
        if (pz_parse_double(text, &out->real)) {
            return PZ_OK;
        }
        if (is_decimal_text(text)) {
            return pz_fail_sql(err, "22003", offset,
                               "\"%.*s\" is out of range for type double precision",
                               PZ_STR_ARG(pz_str_cut_utf8(text, 80)));
        }
        return fail_input(raw, to, offset, err);
    case PZ_TYPE_TIMESTAMP:
        return pz_parse_timestamp(text, &out->integer) ? PZ_OK : fail_time(text, to, offset, err);
    case PZ_TYPE_DATE: {
        int64_t us;
        if (pz_parse_date(text, &out->integer)) {
            return PZ_OK;
        }
        if (pz_parse_timestamp(text, &us)) { // PostgreSQL takes the day of a timestamp
            out->integer = pz_floor_div(us, PZ_US_PER_DAY);
            return PZ_OK;
        }
        return fail_time(text, to, offset, err);
    }
    case PZ_TYPE_INTERVAL:
        return pz_interval_parse(text, (struct pz_str){NULL, 0}, offset, &out->interval, err);
    case PZ_TYPE_TEXT:
    case PZ_TYPE_SYMBOL:
    case PZ_TYPE_NULL:
        *out = pz_value_text(raw);
        return PZ_OK;
    }
    PZ_UNREACHABLE("all types are above");
}

bool
pz_cast_is_possible(enum pz_type from, enum pz_type to)
{
    from = from == PZ_TYPE_SYMBOL ? PZ_TYPE_TEXT : from;
    to = to == PZ_TYPE_SYMBOL ? PZ_TYPE_TEXT : to;
    if (from == to || from == PZ_TYPE_NULL || from == PZ_TYPE_TEXT || to == PZ_TYPE_TEXT) {
        return true;
    }
    switch (from) {
    case PZ_TYPE_BOOLEAN:
        return to == PZ_TYPE_BIGINT;
    case PZ_TYPE_BIGINT:
        return to == PZ_TYPE_DOUBLE || to == PZ_TYPE_BOOLEAN;
    case PZ_TYPE_DOUBLE:
        return to == PZ_TYPE_BIGINT;
    case PZ_TYPE_TIMESTAMP:
        return to == PZ_TYPE_DATE;
    case PZ_TYPE_DATE:
        return to == PZ_TYPE_TIMESTAMP;
    case PZ_TYPE_INTERVAL:
    case PZ_TYPE_NULL:
    case PZ_TYPE_TEXT:
    case PZ_TYPE_SYMBOL:
        return false;
    }
    PZ_UNREACHABLE("all types are above");
}

bool
pz_cast_double_to_bigint(double value, int64_t *out)
{
    double rounded = round(value);
    if (!(rounded >= -0x1p63 && rounded < 0x1p63)) {
        return false;
    }
    *out = (int64_t)rounded;
    return true;
}

// The timestamp as PostgreSQL writes it: a blank in the middle, no zone, no needless digits.
static uint32_t
write_timestamp(int64_t us, char *out)
{
    uint32_t len = pz_format_timestamp(us, out) - 1;
    out[10] = ' ';
    while (out[len - 1] == '0') {
        len--;
    }
    return out[len - 1] == '.' ? len - 1 : len;
}

uint32_t
pz_cast_write(const struct pz_value *value, char *out)
{
    switch (value->type) {
    case PZ_TYPE_BOOLEAN: {
        struct pz_str word = value->boolean ? PZ_STR("true") : PZ_STR("false");
        memcpy(out, word.data, word.len);
        return word.len;
    }
    case PZ_TYPE_BIGINT:
        return pz_format_i64(value->integer, out);
    case PZ_TYPE_DOUBLE:
        return pz_format_double(value->real, out);
    case PZ_TYPE_TIMESTAMP:
        return write_timestamp(value->integer, out);
    case PZ_TYPE_DATE:
        return pz_format_date(value->integer, out);
    case PZ_TYPE_INTERVAL:
        return pz_interval_format(&value->interval, out);
    case PZ_TYPE_TEXT:
    case PZ_TYPE_SYMBOL:
    case PZ_TYPE_NULL:
        break;
    }
    PZ_UNREACHABLE("text needs no writing");
}

static enum pz_status
write_text(const struct pz_value *from, struct pz_arena *arena, struct pz_value *out,
           struct pz_error *err)
{
    char text[PZ_CAST_TEXT_MAX];
    uint32_t len = pz_cast_write(from, text);
    struct pz_str copy = pz_arena_copy(arena, (struct pz_str){text, len});
    if (copy.data == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for a text");
    }
    *out = pz_value_text(copy);
    return PZ_OK;
}

enum pz_status
pz_value_cast(const struct pz_value *from, enum pz_type to, uint32_t offset, struct pz_arena *arena,
              struct pz_value *out, struct pz_error *err)
{
    if (!pz_cast_is_possible(from->type, to)) {
        return pz_fail_sql(err, "42846", offset, "cannot cast type %s to %s",
                           pz_type_word(from->type), pz_type_word(to));
    }
    if (from->is_null) {
        *out = pz_value_null(to);
        return PZ_OK;
    }
    if (from->type == to) {
        *out = *from;
        return PZ_OK;
    }
    if (from->type == PZ_TYPE_NULL || from->type == PZ_TYPE_TEXT) {
        return parse_text(from->text, to, offset, out, err);
    }
    if (to == PZ_TYPE_TEXT) {
        return write_text(from, arena, out, err);
    }
    *out = (struct pz_value){.type = to};
    if (from->type == PZ_TYPE_BOOLEAN) {
        out->integer = from->boolean;
    } else if (from->type == PZ_TYPE_TIMESTAMP) {
        out->integer = pz_floor_div(from->integer, PZ_US_PER_DAY);
    } else if (from->type == PZ_TYPE_DATE) {
        out->integer = from->integer * PZ_US_PER_DAY;
    } else if (from->type == PZ_TYPE_DOUBLE) {
        if (!pz_cast_double_to_bigint(from->real, &out->integer)) {
            return pz_fail_sql(err, "22003", offset, "bigint out of range");
        }
    } else if (to == PZ_TYPE_DOUBLE) {
        out->real = (double)from->integer;
    } else {
        out->boolean = from->integer != 0;
    }
    return PZ_OK;
}
