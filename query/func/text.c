// SPDX-License-Identifier: Apache-2.0
// Texts are valid UTF-8 throughout. Results that are part of an argument borrow its bytes; only
// new texts take memory.
#include "query/func/text.h"

#include "base/num.h"
#include "query/func/search.h"

// ---- characters ----------------------------------------------------------------------------

static uint32_t
char_bytes(unsigned char lead)
{
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static bool
is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

// Byte position of character `chars` (from 0), or the length when there are fewer.
static uint32_t
skip_chars(struct pz_str text, uint64_t chars)
{
    uint32_t at = 0;
    while (chars > 0 && at < text.len) {
        at += char_bytes((unsigned char)text.data[at]);
        chars--;
    }
    return at < text.len ? at : text.len;
}

static uint32_t
decode_char(const char *at, uint32_t *bytes_out)
{
    const unsigned char *p = (const unsigned char *)at;
    *bytes_out = char_bytes(p[0]);
    switch (*bytes_out) {
    case 1:
        return p[0];
    case 2:
        return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    case 3:
        return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    default:
        return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
    }
}

// ---- case ----------------------------------------------------------------------------------

struct case_range {
    uint32_t first, last, stride;
    int32_t delta;
};
static const struct case_range lower_ranges[] = {
#define TO_LOWER(first, last, stride, delta) {first, last, stride, delta},
#define TO_UPPER(first, last, stride, delta)
#include "query/func/unicode_case.def"
#undef TO_LOWER
#undef TO_UPPER
};
static const struct case_range upper_ranges[] = {
#define TO_LOWER(first, last, stride, delta)
#define TO_UPPER(first, last, stride, delta) {first, last, stride, delta},
#include "query/func/unicode_case.def"
#undef TO_LOWER
#undef TO_UPPER
};

static uint32_t
map_case(uint32_t code_point, const struct case_range *ranges, size_t count)
{
    size_t low = 0;
    while (count > 0) {
        size_t half = count / 2;
        if (ranges[low + half].last < code_point) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    const struct case_range *range = &ranges[low];
    bool is_past = low == 0 && range->last < code_point;
    if (is_past || code_point < range->first || (code_point - range->first) % range->stride != 0) {
        return code_point;
    }
    return (uint32_t)((int64_t)code_point + range->delta);
}

#define RANGES(table) table, sizeof table / sizeof *table

// Simple case mapping of one code point.
static uint32_t
lower_of(uint32_t c)
{
    if (c < 0x80) {
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    }
    return c > lower_ranges[sizeof lower_ranges / sizeof *lower_ranges - 1].last
               ? c
               : map_case(c, RANGES(lower_ranges));
}

static uint32_t
upper_of(uint32_t c)
{
    if (c < 0x80) {
        return c >= 'a' && c <= 'z' ? c - 32 : c;
    }
    return c > upper_ranges[sizeof upper_ranges / sizeof *upper_ranges - 1].last
               ? c
               : map_case(c, RANGES(upper_ranges));
}

// Characters changed before the statement may stop.
#define CASE_STRETCH_BYTES (64u << 10)

static enum pz_status
change_case(struct pz_call *call, struct pz_str text, uint32_t (*change)(uint32_t),
            struct pz_arena *arena, struct pz_str *result, struct pz_error *err)
{
    // A mapping may be longer in UTF-8, by at most one byte for each two (U+0250 to U+2C6F).
    char *out = pz_arena_alloc(arena, (size_t)text.len + text.len / 2 + 4);
    if (out == NULL) {
        return pz_call_fail_memory(call, err);
    }
    uint32_t len = 0;
    for (uint32_t at = 0; at < text.len;) {
        uint32_t left = text.len - at;
        uint32_t end = at + (left < CASE_STRETCH_BYTES ? left : CASE_STRETCH_BYTES);
        PZ_TRY(pz_work_add(call->work, 8 * (uint64_t)(end - at), err));
        while (at < end) {
            uint32_t bytes;
            uint32_t code_point = decode_char(text.data + at, &bytes);
            len += pz_utf8_encode(change(code_point), out + len);
            at += bytes;
        }
    }
    *result = (struct pz_str){out, len};
    return PZ_OK;
}

enum pz_status
pz_text_lower(struct pz_call *call, struct pz_str text, struct pz_arena *arena, struct pz_str *out,
              struct pz_error *err)
{
    return change_case(call, text, lower_of, arena, out, err);
}

static enum pz_status
case_kernel(struct pz_call *call, uint32_t (*change)(uint32_t), struct pz_error *err)
{
    struct pz_str *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        struct pz_str text = pz_vector_str(&call->args[0], row);
        PZ_TRY(change_case(call, text, change, call->arena, &out[row], err));
    }
    return PZ_OK;
}

enum pz_status
pz_fn_lower(struct pz_call *call, struct pz_error *err)
{
    return case_kernel(call, lower_of, err);
}

enum pz_status
pz_fn_upper(struct pz_call *call, struct pz_error *err)
{
    return case_kernel(call, upper_of, err);
}

// ---- joining -------------------------------------------------------------------------------

static enum pz_status
fail_length(const struct pz_call *call, struct pz_error *err)
{
    return pz_fail_sql(err, "54000", call->sql_offset, "a text would be longer than %u bytes",
                       PZ_TEXT_LEN_MAX);
}

static enum pz_status
make_text(struct pz_call *call, uint64_t len, char **out, struct pz_error *err)
{
    if (len > PZ_TEXT_LEN_MAX) {
        return fail_length(call, err);
    }
    PZ_TRY(pz_work_add(call->work, len, err));
    *out = pz_arena_alloc(call->arena, len);
    return *out != NULL ? PZ_OK : pz_call_fail_memory(call, err);
}

static void
put(char **at, struct pz_str text)
{
    if (text.len > 0) {
        memcpy(*at, text.data, text.len);
        *at += text.len;
    }
}

// One after the other; NULL arguments are empty.
static enum pz_status
join_row(struct pz_call *call, uint32_t row, struct pz_error *err)
{
    uint64_t len = 0;
    for (uint32_t a = 0; a < call->arg_count; a++) {
        len += pz_vector_is_null(&call->args[a], row) ? 0 : pz_vector_str(&call->args[a], row).len;
    }
    char *text;
    PZ_TRY(make_text(call, len, &text, err));
    ((struct pz_str *)call->out)[row] = (struct pz_str){text, (uint32_t)len};
    for (uint32_t a = 0; a < call->arg_count; a++) {
        if (!pz_vector_is_null(&call->args[a], row)) {
            put(&text, pz_vector_str(&call->args[a], row));
        }
    }
    return PZ_OK;
}

enum pz_status
pz_fn_concat_operator(struct pz_call *call, struct pz_error *err)
{
    PZ_CALL_EACH(call, row)
    {
        PZ_TRY(join_row(call, row, err));
    }
    return PZ_OK;
}

enum pz_status
pz_fn_concat(struct pz_call *call, struct pz_error *err)
{
    call->out_valid = NULL;
    return pz_fn_concat_operator(call, err);
}

// ---- measuring and cutting -----------------------------------------------------------------

enum pz_status
pz_fn_length(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    int64_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        struct pz_str text = pz_vector_str(&call->args[0], row);
        out[row] = (int64_t)pz_utf8_length(text.data, text.len);
    }
    return PZ_OK;
}

enum pz_status
pz_fn_octet_length(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    int64_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        out[row] = pz_vector_str(&call->args[0], row).len;
    }
    return PZ_OK;
}

// `first` counts from 1 and may lie before the text; the part before it counts into `count`.
static struct pz_str
substring(struct pz_str text, int64_t first, bool has_count, int64_t count)
{
    int64_t end = INT64_MAX; // the character after the last one
    if (has_count && !pz_add_i64(first, count, &end)) {
        end = INT64_MAX;
    }
    int64_t from = first < 1 ? 1 : first;
    uint32_t begin_byte = skip_chars(text, (uint64_t)(from - 1));
    struct pz_str rest = {text.data + begin_byte, text.len - begin_byte};
    if (end <= from) {
        rest.len = 0;
    } else if (end != INT64_MAX) {
        rest.len = skip_chars(rest, (uint64_t)(end - from));
    }
    return rest;
}

enum pz_status
pz_fn_substring(struct pz_call *call, struct pz_error *err)
{
    struct pz_str *out = call->out;
    bool has_count = call->arg_count == 3;
    PZ_CALL_EACH(call, row)
    {
        int64_t count = has_count ? pz_vector_int(&call->args[2], row) : 0;
        if (count < 0) {
            return pz_fail_sql(err, "22011", call->sql_offset,
                               "negative substring length not allowed");
        }
        out[row] = substring(pz_vector_str(&call->args[0], row), pz_vector_int(&call->args[1], row),
                             has_count, count);
    }
    return PZ_OK;
}

// How many characters from the start `left(text, n)` keeps.
static uint64_t
chars_kept(struct pz_str text, int64_t n)
{
    if (n >= 0) {
        return (uint64_t)n;
    }
    uint64_t length = pz_utf8_length(text.data, text.len);
    uint64_t dropped = -(uint64_t)n;
    return dropped < length ? length - dropped : 0;
}

enum pz_status
pz_fn_left(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    struct pz_str *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        struct pz_str text = pz_vector_str(&call->args[0], row);
        text.len = skip_chars(text, chars_kept(text, pz_vector_int(&call->args[1], row)));
        out[row] = text;
    }
    return PZ_OK;
}

enum pz_status
pz_fn_right(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    struct pz_str *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        struct pz_str text = pz_vector_str(&call->args[0], row);
        int64_t n = pz_vector_int(&call->args[1], row);
        uint64_t length = pz_utf8_length(text.data, text.len);
        uint64_t skipped = n < 0 ? -(uint64_t)n : (uint64_t)n < length ? length - (uint64_t)n : 0;
        uint32_t begin = skip_chars(text, skipped);
        out[row] = (struct pz_str){text.data + begin, text.len - begin};
    }
    return PZ_OK;
}

// A set of characters as trim takes it. A long one is kept as bits, one for every character there
// is.
#define SHORT_SET_BYTES 16u
#define CODE_POINTS 0x110000u

struct char_set {
    struct pz_str chars;
    uint64_t *bits; // NULL until a set is long
};

static enum pz_status
set_chars(struct pz_call *call, struct char_set *set, struct pz_str chars, struct pz_error *err)
{
    set->chars = chars;
    if (chars.len <= SHORT_SET_BYTES ||
        (set->bits != NULL && call->expr->args[1]->kind == PZ_EXPR_CONST)) {
        return PZ_OK;
    }
    size_t bytes = PZ_BIT_WORDS(CODE_POINTS) * sizeof(uint64_t);
    if (set->bits == NULL) {
        set->bits = pz_arena_alloc(call->state_arena, bytes);
        if (set->bits == NULL) {
            return pz_call_fail_memory(call, err);
        }
    }
    memset(set->bits, 0, bytes);
    for (uint32_t at = 0; at < chars.len;) {
        uint32_t char_len;
        pz_bit_set(set->bits, decode_char(chars.data + at, &char_len));
        at += char_len;
    }
    return pz_work_add(call->work, bytes / 8 + chars.len, err);
}

static bool
has_char(const struct char_set *set, const char *at, uint32_t bytes)
{
    struct pz_str chars = set->chars;
    if (chars.len > SHORT_SET_BYTES) {
        return pz_bit_get(set->bits, decode_char(at, &bytes));
    }
    for (uint32_t i = 0; i + bytes <= chars.len; i += char_bytes((unsigned char)chars.data[i])) {
        if (memcmp(chars.data + i, at, bytes) == 0) {
            return true;
        }
    }
    return false;
}

static struct pz_str
trim(struct pz_str text, const struct char_set *set, bool at_start, bool at_end)
{
    while (at_start && text.len > 0) {
        uint32_t bytes = char_bytes((unsigned char)text.data[0]);
        if (!has_char(set, text.data, bytes)) {
            break;
        }
        text.data += bytes;
        text.len -= bytes;
    }
    while (at_end && text.len > 0) {
        uint32_t begin = text.len - 1;
        while (begin > 0 && is_continuation(text.data[begin])) {
            begin--;
        }
        if (!has_char(set, text.data + begin, text.len - begin)) {
            break;
        }
        text.len = begin;
    }
    return text;
}

static enum pz_status
trim_kernel(struct pz_call *call, bool at_start, bool at_end, struct pz_error *err)
{
    if (*call->state == NULL &&
        (*call->state = pz_arena_alloc_zero(call->state_arena, sizeof(struct char_set))) == NULL) {
        return pz_call_fail_memory(call, err);
    }
    struct char_set *set = *call->state;
    struct pz_str *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        struct pz_str chars =
            call->arg_count > 1 ? pz_vector_str(&call->args[1], row) : PZ_STR(" ");
        PZ_TRY(set_chars(call, set, chars, err));
        out[row] = trim(pz_vector_str(&call->args[0], row), set, at_start, at_end);
    }
    return PZ_OK;
}

enum pz_status
pz_fn_trim(struct pz_call *call, struct pz_error *err)
{
    return trim_kernel(call, true, true, err);
}

enum pz_status
pz_fn_ltrim(struct pz_call *call, struct pz_error *err)
{
    return trim_kernel(call, true, false, err);
}

enum pz_status
pz_fn_rtrim(struct pz_call *call, struct pz_error *err)
{
    return trim_kernel(call, false, true, err);
}

// ---- searching -----------------------------------------------------------------------------

static enum pz_status
count_places(struct pz_call *call, struct pz_str text, struct pz_str needle, uint64_t *count_out,
             struct pz_error *err)
{
    *count_out = 0;
    for (uint32_t at = 0; needle.len > 0; at += needle.len) {
        PZ_TRY(pz_search(text, needle, at, call->work, &at, err));
        if (at == PZ_SEARCH_NOWHERE) {
            break;
        }
        ++*count_out;
    }
    return PZ_OK;
}

static enum pz_status
replace_row(struct pz_call *call, uint32_t row, struct pz_error *err)
{
    struct pz_str text = pz_vector_str(&call->args[0], row);
    struct pz_str from = pz_vector_str(&call->args[1], row);
    struct pz_str to = pz_vector_str(&call->args[2], row);
    struct pz_str *out = &((struct pz_str *)call->out)[row];
    uint64_t count;
    PZ_TRY(count_places(call, text, from, &count, err));
    if (count == 0) {
        *out = text;
        return PZ_OK;
    }
    uint64_t len = text.len - count * from.len + count * to.len;
    char *copy;
    PZ_TRY(make_text(call, len, &copy, err));
    *out = (struct pz_str){copy, (uint32_t)len};
    uint32_t done = 0;
    for (; count > 0; count--) {
        uint32_t at;
        PZ_TRY(pz_search(text, from, done, call->work, &at, err));
        put(&copy, (struct pz_str){text.data + done, at - done});
        put(&copy, to);
        done = at + from.len;
    }
    put(&copy, (struct pz_str){text.data + done, text.len - done});
    return PZ_OK;
}

enum pz_status
pz_fn_replace(struct pz_call *call, struct pz_error *err)
{
    PZ_CALL_EACH(call, row)
    {
        PZ_TRY(replace_row(call, row, err));
    }
    return PZ_OK;
}

enum pz_status
pz_fn_reverse(struct pz_call *call, struct pz_error *err)
{
    struct pz_str *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        struct pz_str text = pz_vector_str(&call->args[0], row);
        char *copy;
        PZ_TRY(make_text(call, text.len, &copy, err));
        for (uint32_t at = 0; at < text.len;) {
            uint32_t bytes = char_bytes((unsigned char)text.data[at]);
            memcpy(copy + (text.len - at - bytes), text.data + at, bytes);
            at += bytes;
        }
        out[row] = (struct pz_str){copy, text.len};
    }
    return PZ_OK;
}

static enum pz_status
position_kernel(struct pz_call *call, uint32_t text_arg, struct pz_error *err)
{
    int64_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        struct pz_str text = pz_vector_str(&call->args[text_arg], row);
        struct pz_str needle = pz_vector_str(&call->args[1 - text_arg], row);
        uint32_t at = 0;
        if (needle.len > 0) {
            PZ_TRY(pz_search(text, needle, 0, call->work, &at, err));
        }
        out[row] = at == PZ_SEARCH_NOWHERE ? 0 : (int64_t)pz_utf8_length(text.data, at) + 1;
    }
    return PZ_OK;
}

enum pz_status
pz_fn_strpos(struct pz_call *call, struct pz_error *err)
{
    return position_kernel(call, 0, err);
}

enum pz_status
pz_fn_position(struct pz_call *call, struct pz_error *err)
{
    return position_kernel(call, 1, err);
}

enum pz_status
pz_fn_starts_with(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    uint8_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        struct pz_str text = pz_vector_str(&call->args[0], row);
        struct pz_str prefix = pz_vector_str(&call->args[1], row);
        text.len = text.len < prefix.len ? text.len : prefix.len;
        out[row] = pz_str_equal(text, prefix);
    }
    return PZ_OK;
}
