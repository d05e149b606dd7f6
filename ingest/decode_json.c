// SPDX-License-Identifier: Apache-2.0
// A strict reader of JSON (RFC 8259) for records of known columns.
//
// It walks the text once. A key is first compared with the one that stood at this place in the
// record before; only on a miss is it looked up by hash. Values of columns go to the row's setters
// as slices of the record; values nobody wants are checked and passed over, with a bit for each
// level of nesting instead of a stack. Only strings with escapes are copied.
#include "ingest/decode_json.h"

#include "base/hash.h"
#include "ingest/scan.h"

#include <stdlib.h>

struct pz__key_slot {
    uint64_t hash;
    uint32_t offset; // in `names`
    uint32_t len;
    uint32_t stamp;
};

struct parse {
    struct pz__json_decoder *decoder;
    struct pz__row *row;
    const char *begin;
    const char *at;
    const char *end;
    const char *readable_end;
};

enum pz_status
pz__json_decoder_init(struct pz__json_decoder *decoder, const struct pz__field_table *fields,
                      bool ignore_unknown, struct pz_error *err)
{
    *decoder = (struct pz__json_decoder){.fields = fields, .ignore_unknown = ignore_unknown};
    uint32_t count = fields->def->column_count + 1;
    decoder->next = malloc(count * sizeof(*decoder->next));
    if (decoder->next == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory to decode records of table %s",
                       fields->def->name);
    }
    for (uint32_t i = 0; i < count; i++) {
        decoder->next[i] = i < fields->def->column_count ? i : PZ_NO_COLUMN;
    }
    return PZ_OK;
}

void
pz__json_decoder_fini(struct pz__json_decoder *decoder)
{
    free(decoder->next);
    free(decoder->keys.slots);
    pz_buffer_fini(&decoder->keys.names);
    pz_buffer_fini(&decoder->scratch);
    *decoder = (struct pz__json_decoder){0};
}

// ---- faults --------------------------------------------------------------------------------

static bool
fail_syntax(struct parse *parse, const char *wanted)
{
    unsigned long long byte = (unsigned long long)(parse->at - parse->begin) + 1;
    if (parse->at >= parse->end) {
        return pz__row_fail(parse->row, PZ_NO_COLUMN,
                            "malformed JSON: expected %s, the record ends at byte %llu", wanted,
                            byte - 1);
    }
    unsigned char c = (unsigned char)*parse->at;
    if (c < 0x20 || c == 0x7f) {
        return pz__row_fail(parse->row, PZ_NO_COLUMN,
                            "malformed JSON: expected %s at byte %llu, found the byte %02x", wanted,
                            byte, c);
    }
    // The whole sequence of a character outside ASCII; the record is valid UTF-8.
    int len = 1;
    while (parse->at + len < parse->end && ((unsigned char)parse->at[len] & 0xc0) == 0x80) {
        len++;
    }
    return pz__row_fail(parse->row, PZ_NO_COLUMN,
                        "malformed JSON: expected %s at byte %llu, found '%.*s'", wanted, byte, len,
                        parse->at);
}

static bool
give_up(struct parse *parse)
{
    pz_fail(&parse->row->failure, PZ_NO_MEMORY, "no memory for a record of %zu bytes",
            (size_t)(parse->end - parse->begin));
    return false;
}

// ---- tokens --------------------------------------------------------------------------------

static inline void
skip_space(struct parse *parse)
{
    while (parse->at < parse->end &&
           (*parse->at == ' ' || *parse->at == '\t' || *parse->at == '\n' || *parse->at == '\r')) {
        parse->at++;
    }
}

static inline bool
take_char(struct parse *parse, char wanted)
{
    if (parse->at == parse->end || *parse->at != wanted) {
        return false;
    }
    parse->at++;
    return true;
}

// Four hexadecimal digits.
static bool
take_hex(struct parse *parse, uint32_t *out)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        if (parse->at == parse->end) {
            return fail_syntax(parse, "four hexadecimal digits");
        }
        char c = *parse->at;
        uint32_t digit;
        if (c >= '0' && c <= '9') {
            digit = (uint32_t)(c - '0');
        } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
            digit = (uint32_t)((c | 0x20) - 'a') + 10;
        } else {
            return fail_syntax(parse, "four hexadecimal digits");
        }
        value = value * 16 + digit;
        parse->at++;
    }
    *out = value;
    return true;
}

// After "\u": one code point, which may need a second escape.
static bool
take_unicode(struct parse *parse, uint32_t *out)
{
    uint32_t high = 0;
    uint32_t low = 0;
    if (!take_hex(parse, &high)) {
        return false;
    }
    if (high >= 0xdc00 && high <= 0xdfff) {
        parse->at -= 6;
        return fail_syntax(parse, "no second half of a surrogate pair without the first");
    }
    if (high >= 0xd800 && high <= 0xdbff) {
        if (!take_char(parse, '\\') || !take_char(parse, 'u')) {
            return fail_syntax(parse, "the second half of a surrogate pair");
        }
        if (!take_hex(parse, &low)) {
            return false;
        }
        if (low < 0xdc00 || low > 0xdfff) {
            parse->at -= 6;
            return fail_syntax(parse, "the second half of a surrogate pair");
        }
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    *out = high;
    return true;
}

// After a backslash: the bytes the escape stands for.
static bool
take_escape(struct parse *parse, char *out, uint32_t *len_out)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char bytes[] = "\"\\/\b\f\n\r\t";
    if (take_char(parse, 'u')) {
        uint32_t code_point = 0;
        if (!take_unicode(parse, &code_point)) {
            return false;
        }
        *len_out = pz_utf8_encode(code_point, out);
        return true;
    }
    const char *letter = parse->at < parse->end && *parse->at != '\0'
                             ? memchr(letters, *parse->at, sizeof(letters) - 1)
                             : NULL;
    if (letter == NULL) {
        return fail_syntax(parse, "an escape such as \\n or \\u0041");
    }
    parse->at++;
    out[0] = bytes[letter - letters];
    *len_out = 1;
    return true;
}

// The rest of a string with escapes, from its first special character; the text is in `scratch`.
static bool
take_escaped(struct parse *parse, const char *start, struct pz_str *out)
{
    struct pz_buffer *scratch = &parse->decoder->scratch;
    pz_buffer_clear(scratch);
    for (;;) {
        pz_buffer_append(scratch, start, (size_t)(parse->at - start));
        if (parse->at == parse->end) {
            return fail_syntax(parse, "the end of a string");
        }
        if (*parse->at == '"') {
            break;
        }
        if (*parse->at != '\\') {
            return fail_syntax(parse, "control characters in strings to be escaped");
        }
        char bytes[4];
        uint32_t len = 0;
        parse->at++;
        if (!take_escape(parse, bytes, &len)) {
            return false;
        }
        pz_buffer_append(scratch, bytes, len);
        start = parse->at;
        parse->at = pz__scan_string(start, parse->end, parse->readable_end);
    }
    parse->at++;
    if (scratch->is_failed) {
        return give_up(parse);
    }
    *out = (struct pz_str){scratch->data, (uint32_t)scratch->len};
    return true;
}

// After the opening quote. The text lives until the next string.
static inline bool
take_string(struct parse *parse, struct pz_str *out)
{
    const char *start = parse->at;
    parse->at = pz__scan_string(start, parse->end, parse->readable_end);
    if (parse->at < parse->end && *parse->at == '"') {
        *out = (struct pz_str){start, (uint32_t)(parse->at - start)};
        parse->at++;
        return true;
    }
    return take_escaped(parse, start, out);
}

static inline bool
is_digit_at(const struct parse *parse)
{
    return parse->at < parse->end && *parse->at >= '0' && *parse->at <= '9';
}

static inline void
skip_digits(struct parse *parse)
{
    while (is_digit_at(parse)) {
        parse->at++;
    }
}

// -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
static bool
take_number(struct parse *parse, struct pz_str *out)
{
    const char *start = parse->at;
    (void)take_char(parse, '-');
    if (!is_digit_at(parse)) {
        return fail_syntax(parse, "a digit");
    }
    if (!take_char(parse, '0')) {
        skip_digits(parse);
    }
    if (take_char(parse, '.')) {
        if (!is_digit_at(parse)) {
            return fail_syntax(parse, "a digit after the point");
        }
        skip_digits(parse);
    }
    if (take_char(parse, 'e') || take_char(parse, 'E')) {
        if (!take_char(parse, '-')) {
            (void)take_char(parse, '+');
        }
        if (!is_digit_at(parse)) {
            return fail_syntax(parse, "a digit in the exponent");
        }
        skip_digits(parse);
    }
    *out = (struct pz_str){start, (uint32_t)(parse->at - start)};
    return true;
}

static bool
take_word(struct parse *parse, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(parse->end - parse->at) < len || memcmp(parse->at, word, len) != 0) {
        return fail_syntax(parse, "a value");
    }
    parse->at += len;
    return true;
}

// ---- values nobody wants -------------------------------------------------------------------

// A string, number or word.
static bool
skip_scalar(struct parse *parse)
{
    struct pz_str text;
    if (parse->at == parse->end) {
        return fail_syntax(parse, "a value");
    }
    switch (*parse->at) {
    case '"':
        parse->at++;
        return take_string(parse, &text);
    case 't':
        return take_word(parse, "true");
    case 'f':
        return take_word(parse, "false");
    case 'n':
        return take_word(parse, "null");
    default:
        if (*parse->at != '-' && !is_digit_at(parse)) {
            return fail_syntax(parse, "a value");
        }
        return take_number(parse, &text);
    }
}

// A key with its colon, inside an object that is passed over.
static bool
skip_key(struct parse *parse)
{
    struct pz_str text;
    skip_space(parse);
    if (!take_char(parse, '"')) {
        return fail_syntax(parse, "a name in quotes");
    }
    if (!take_string(parse, &text)) {
        return false;
    }
    skip_space(parse);
    return take_char(parse, ':') || fail_syntax(parse, "a colon");
}

// Levels of nesting while a value is passed over: bit i tells whether level i is an object.
struct nesting {
    uint64_t is_object;
    unsigned depth;
};

// Opens a level. `*is_empty_out`: it closed at once.
static bool
open_level(struct parse *parse, struct nesting *nesting, bool *is_empty_out)
{
    bool is_object = *parse->at == '{';
    if (nesting->depth == PZ__JSON_DEPTH_MAX) {
        return pz__row_fail(parse->row, PZ_NO_COLUMN, "the record is nested more than %d levels",
                            PZ__JSON_DEPTH_MAX);
    }
    parse->at++;
    skip_space(parse);
    *is_empty_out = take_char(parse, is_object ? '}' : ']');
    if (*is_empty_out) {
        return true;
    }
    uint64_t bit = UINT64_C(1) << nesting->depth;
    nesting->is_object = is_object ? nesting->is_object | bit : nesting->is_object & ~bit;
    nesting->depth++;
    return !is_object || skip_key(parse);
}

// After a value: closes the levels that end here. `*is_more_out`: another value follows.
static bool
close_levels(struct parse *parse, struct nesting *nesting, bool *is_more_out)
{
    while (nesting->depth > 0) {
        bool is_object = nesting->is_object >> (nesting->depth - 1) & 1;
        skip_space(parse);
        if (take_char(parse, ',')) {
            *is_more_out = true;
            return !is_object || skip_key(parse);
        }
        if (!take_char(parse, is_object ? '}' : ']')) {
            return fail_syntax(parse, is_object ? "a comma or }" : "a comma or ]");
        }
        nesting->depth--;
    }
    *is_more_out = false;
    return true;
}

static bool
skip_value(struct parse *parse)
{
    struct nesting nesting = {0};
    bool is_more = true;
    while (is_more) {
        bool is_complete = true;
        skip_space(parse);
        if (parse->at < parse->end && (*parse->at == '{' || *parse->at == '[')) {
            if (!open_level(parse, &nesting, &is_complete)) {
                return false;
            }
        } else if (!skip_scalar(parse)) {
            return false;
        }
        if (is_complete && !close_levels(parse, &nesting, &is_more)) {
            return false;
        }
    }
    return true;
}

// ---- names nobody wants --------------------------------------------------------------------

static bool
grow_keys(struct pz__key_set *keys)
{
    uint32_t slot_count = keys->slot_count == 0 ? 16 : keys->slot_count * 2;
    struct pz__key_slot *slots = calloc(slot_count, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < keys->slot_count; i++) {
        if (keys->slots[i].stamp != keys->stamp) {
            continue;
        }
        uint64_t at = keys->slots[i].hash;
        while (slots[at & (slot_count - 1)].stamp != 0) {
            at++;
        }
        slots[at & (slot_count - 1)] = keys->slots[i];
    }
    free(keys->slots);
    keys->slots = slots;
    keys->slot_count = slot_count;
    return true;
}

static void
begin_keys(struct pz__key_set *keys)
{
    keys->count = 0;
    pz_buffer_clear(&keys->names);
    if (++keys->stamp == 0) {
        if (keys->slots != NULL) {
            memset(keys->slots, 0, keys->slot_count * sizeof(*keys->slots));
        }
        keys->stamp = 1;
    }
}

// Remembers a name of this record; false when it has it already, or without memory.
static bool
claim_key(struct parse *parse, struct pz_str name)
{
    struct pz__key_set *keys = &parse->decoder->keys;
    if (keys->count * 2 >= keys->slot_count && !grow_keys(keys)) {
        return give_up(parse);
    }
    uint64_t hash = pz_hash_bytes_seeded(name.data, name.len, pz_hash_process_seed());
    uint64_t at = hash;
    struct pz__key_slot *slot = &keys->slots[at & (keys->slot_count - 1)];
    while (slot->stamp == keys->stamp) {
        struct pz_str known = {keys->names.data + slot->offset, slot->len};
        if (slot->hash == hash && pz_str_equal(known, name)) {
            struct pz_str shown = pz_str_cut_utf8(name, PZ_NAME_LEN_MAX);
            return pz__row_fail(parse->row, PZ_NO_COLUMN, "field \"%.*s\" appears twice",
                                PZ_STR_ARG(shown));
        }
        slot = &keys->slots[++at & (keys->slot_count - 1)];
    }
    *slot = (struct pz__key_slot){
        .hash = hash, .offset = (uint32_t)keys->names.len, .len = name.len, .stamp = keys->stamp};
    keys->count++;
    pz_buffer_append_str(&keys->names, name);
    return !keys->names.is_failed || give_up(parse);
}

// ---- the record ----------------------------------------------------------------------------

static bool
set_value(struct parse *parse, uint32_t column)
{
    struct pz__row *row = parse->row;
    struct pz_str text;
    switch (parse->at < parse->end ? *parse->at : '\0') {
    case '"':
        parse->at++;
        return take_string(parse, &text) && pz__row_set_string(row, column, text);
    case 't':
        return take_word(parse, "true") && pz__row_set_boolean(row, column, true);
    case 'f':
        return take_word(parse, "false") && pz__row_set_boolean(row, column, false);
    case 'n':
        return take_word(parse, "null") && pz__row_set_null(row, column);
    case '{':
        return pz__row_fail(row, column, "expected a single value, found an object");
    case '[':
        return pz__row_fail(row, column, "expected a single value, found an array");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return take_number(parse, &text) && pz__row_set_number(row, column, text);
    default:
        return fail_syntax(parse, "a value");
    }
}

// Whether the name's bytes stand at `at`, where at least as many can be read. Most names are 4 to
// 16 bytes long: two words that overlap in the middle.
static inline bool
is_name_at(struct pz_str name, const char *at)
{
    const char *last = name.data + name.len;
    if (name.len >= 8 && name.len <= 16) {
        return ((pz_load_le64(name.data) ^ pz_load_le64(at)) |
                (pz_load_le64(last - 8) ^ pz_load_le64(at + name.len - 8))) == 0;
    }
    if (name.len >= 4 && name.len < 8) {
        return ((pz_load_le32(name.data) ^ pz_load_le32(at)) |
                (pz_load_le32(last - 4) ^ pz_load_le32(at + name.len - 4))) == 0;
    }
    return memcmp(name.data, at, name.len) == 0;
}

// The opening quote of a key was taken. PZ_NO_COLUMN in *column_out: a name no column takes, in
// *name_out. `*previous` is the place in the prediction.
static inline bool
take_key(struct parse *parse, uint32_t *previous, uint32_t *column_out, struct pz_str *name_out)
{
    struct pz__json_decoder *decoder = parse->decoder;
    uint32_t guess = decoder->next[*previous];
    if (guess != PZ_NO_COLUMN) {
        const struct pz__field *field = &decoder->fields->fields[guess];
        if (field->is_plain && (size_t)(parse->end - parse->at) > field->name.len &&
            parse->at[field->name.len] == '"' && is_name_at(field->name, parse->at)) {
            parse->at += field->name.len + 1;
            *previous = guess + 1;
            *column_out = guess;
            return true;
        }
    }
    if (!take_string(parse, name_out)) {
        return false;
    }
    *column_out = pz__field_find(decoder->fields, *name_out);
    if (*column_out != PZ_NO_COLUMN) {
        decoder->next[*previous] = *column_out;
        *previous = *column_out + 1;
    }
    return true;
}

static inline bool
take_member(struct parse *parse, uint32_t *previous)
{
    uint32_t column;
    struct pz_str name;
    if (!take_char(parse, '"')) {
        return fail_syntax(parse, "a name in quotes");
    }
    if (!take_key(parse, previous, &column, &name)) {
        return false;
    }
    if (column != PZ_NO_COLUMN) {
        if (!pz__row_claim(parse->row, column)) {
            return false;
        }
    } else if (!parse->decoder->ignore_unknown) {
        return pz__row_fail_unknown(parse->row, name);
    } else if (!claim_key(parse, name)) {
        return false;
    }
    skip_space(parse);
    if (!take_char(parse, ':')) {
        return fail_syntax(parse, "a colon");
    }
    skip_space(parse);
    return column != PZ_NO_COLUMN ? set_value(parse, column) : skip_value(parse);
}

static bool
decode_object(struct parse *parse)
{
    uint32_t previous = 0;
    skip_space(parse);
    if (!take_char(parse, '{')) {
        return fail_syntax(parse, "an object");
    }
    skip_space(parse);
    if (!take_char(parse, '}')) {
        for (;;) {
            if (!take_member(parse, &previous)) {
                return false;
            }
            skip_space(parse);
            if (take_char(parse, '}')) {
                break;
            }
            if (!take_char(parse, ',')) {
                return fail_syntax(parse, "a comma or }");
            }
            skip_space(parse);
        }
    }
    skip_space(parse);
    return parse->at == parse->end || fail_syntax(parse, "nothing after the object");
}

bool
pz__json_decode(struct pz__json_decoder *decoder, const struct pz__record *record,
                struct pz__row *row)
{
    size_t bad;
    if (!pz__is_ascii(record->data, record->len) &&
        !pz_utf8_is_valid(record->data, record->len, &bad)) {
        return pz__row_fail(row, PZ_NO_COLUMN, "not valid UTF-8 at byte %zu", bad + 1);
    }
    begin_keys(&decoder->keys);
    struct parse parse = {.decoder = decoder,
                          .row = row,
                          .begin = record->data,
                          .at = record->data,
                          .end = record->data + record->len,
                          .readable_end = record->readable_end};
    return decode_object(&parse);
}
