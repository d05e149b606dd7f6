// SPDX-License-Identifier: Apache-2.0
// Finding the ends of records. Lines end at line feeds, CSV records at line feeds outside quotes,
// elements of a JSON array where their brackets close. What is inside a record is the decoders'
// business; a bad one does not keep the next from being found.
#include "ingest/split.h"

#include "ingest/scan.h"

// States of the CSV reader.
enum { CSV_FIELD_START, CSV_PLAIN, CSV_QUOTED, CSV_AFTER_QUOTE };

// States of the reader of arrays.
enum {
    ARRAY_START,       // before the bracket
    ARRAY_FIRST,       // an element or the closing bracket
    ARRAY_NEXT,        // an element
    ARRAY_IN_SCALAR,   // inside a number or a word
    ARRAY_IN_NESTED,   // inside brackets, outside strings
    ARRAY_IN_STRING,   // inside a string, nested or not
    ARRAY_AFTER,       // a comma or the closing bracket
    ARRAY_DONE,        // only space may follow
    ARRAY_SINGLE,      // as ARRAY_IN_NESTED: the body is one object
    ARRAY_SINGLE_TEXT, // as ARRAY_IN_STRING
};

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void
pz__splitter_init(struct pz__splitter *splitter, enum pz_record_format format, uint64_t line)
{
    *splitter = (struct pz__splitter){.format = format, .line = line};
}

// What a window had is used up to `used`.
static void
use(struct pz__splitter *splitter, size_t used, uint64_t lines)
{
    splitter->offset += used;
    splitter->line += lines;
    splitter->scanned = 0;
    splitter->lines_seen = 0;
}

// Skips a byte order mark. False: the window is too short to tell.
static bool
skip_mark(struct pz__splitter *splitter, struct pz__record *window, bool is_last, size_t *used)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t len = window->len < 3 ? window->len : 3;
    if (memcmp(window->data, mark, len) == 0) {
        if (len < 3 && !is_last) {
            return false;
        }
        if (len == 3) {
            window->data += 3;
            window->len -= 3;
            *used += 3;
            splitter->offset += 3;
        }
    }
    splitter->is_started = true;
    return true;
}

static struct pz__record
record_of(const struct pz__record *window, size_t start, size_t end, uint64_t line)
{
    return (struct pz__record){window->data + start, end - start, window->readable_end, line};
}

static bool
trim_line(struct pz__record *record)
{
    while (record->len > 0 && is_space(record->data[0])) {
        record->data++;
        record->len--;
    }
    while (record->len > 0 && is_space(record->data[record->len - 1])) {
        record->len--;
    }
    return record->len > 0;
}

static enum pz__split
next_line(struct pz__splitter *splitter, const struct pz__record *window, bool is_last,
          struct pz__record *record_out, size_t *used)
{
    size_t start = 0;
    for (;;) {
        size_t from = start + splitter->scanned;
        const char *found = memchr(window->data + from, '\n', window->len - from);
        if (found == NULL && !is_last) {
            splitter->scanned = window->len - start;
            *used += start;
            return PZ__SPLIT_MORE;
        }
        size_t end = found == NULL ? window->len : (size_t)(found - window->data);
        *record_out = record_of(window, start, end, splitter->line);
        size_t next = found == NULL ? end : end + 1;
        use(splitter, next - start, 1);
        start = next;
        if (trim_line(record_out)) {
            *used += start;
            return PZ__SPLIT_RECORD;
        }
        if (start == window->len) {
            *used += start;
            return PZ__SPLIT_MORE;
        }
    }
}

// The state after one byte of a CSV record.
static int
csv_step(int state, char c)
{
    switch (state) {
    case CSV_FIELD_START:
        return c == '"' ? CSV_QUOTED : c == ',' ? CSV_FIELD_START : CSV_PLAIN;
    case CSV_PLAIN:
        return c == ',' ? CSV_FIELD_START : CSV_PLAIN;
    case CSV_QUOTED:
        return c == '"' ? CSV_AFTER_QUOTE : CSV_QUOTED;
    default: // a doubled quote goes on, everything but a comma is an error the decoder reports
        return c == '"' ? CSV_QUOTED : c == ',' ? CSV_FIELD_START : CSV_PLAIN;
    }
}

// The offset of the line feed that ends the record at `start`, or the window's length. Goes on
// where the last look ended.
static size_t
csv_record_end(struct pz__splitter *splitter, const struct pz__record *window, size_t start)
{
    size_t at = start + splitter->scanned;
    if (splitter->scanned == 0) {
        splitter->state = CSV_FIELD_START;
        const char *found = memchr(window->data + at, '\n', window->len - at);
        if (found != NULL &&
            memchr(window->data + at, '"', (size_t)(found - window->data) - at) == NULL) {
            return (size_t)(found - window->data);
        }
    }
    for (; at < window->len; at++) {
        char c = window->data[at];
        if (c == '\n') {
            if (splitter->state != CSV_QUOTED) {
                return at;
            }
            splitter->lines_seen++;
        }
        splitter->state = csv_step(splitter->state, c);
    }
    splitter->scanned = at - start;
    return at;
}

static enum pz__split
next_csv(struct pz__splitter *splitter, const struct pz__record *window, bool is_last,
         struct pz__record *record_out, size_t *used)
{
    size_t start = 0;
    while (start < window->len) {
        size_t end = csv_record_end(splitter, window, start);
        if (end == window->len && !is_last) {
            *used += start;
            return PZ__SPLIT_MORE;
        }
        size_t next = end == window->len ? end : end + 1;
        *record_out = record_of(window, start, end, splitter->line);
        use(splitter, next - start, splitter->lines_seen + 1);
        start = next;
        if (record_out->len > 0 && record_out->data[record_out->len - 1] == '\r') {
            record_out->len--;
        }
        if (record_out->len > 0) {
            *used += start;
            return PZ__SPLIT_RECORD;
        }
    }
    *used += start;
    return PZ__SPLIT_MORE;
}

size_t
pz_record_cut(struct pz_record_cutter *cutter, const char *data, size_t len)
{
    PZ_ASSERT(cutter->format != PZ_RECORDS_JSON_ARRAY);
    if (cutter->format == PZ_RECORDS_NDJSON) {
        const char *feed = memrchr(data, '\n', len);
        return feed == NULL ? 0 : (size_t)(feed - data) + 1;
    }
    size_t end = 0;
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n' && cutter->state != CSV_QUOTED) {
            cutter->state = CSV_FIELD_START;
            end = i + 1;
        } else {
            cutter->state = csv_step(cutter->state, data[i]);
        }
    }
    return end;
}

static bool
is_scalar_end(char c)
{
    return c == ',' || c == ']' || c == '}' || is_space(c);
}

// Moves over a begun element; true when it ends before `*at`.
static bool
array_element_ends(struct pz__splitter *splitter, const struct pz__record *window, size_t *at)
{
    const char *end = window->data + window->len;
    bool is_single = splitter->state == ARRAY_SINGLE || splitter->state == ARRAY_SINGLE_TEXT;
    int nested = is_single ? ARRAY_SINGLE : ARRAY_IN_NESTED;
    int string = is_single ? ARRAY_SINGLE_TEXT : ARRAY_IN_STRING;
    size_t i = *at;
    for (; i < window->len; i++) {
        char c = window->data[i];
        if (splitter->state == ARRAY_IN_SCALAR) {
            if (is_scalar_end(c)) {
                *at = i;
                return true;
            }
        } else if (splitter->state == string) {
            if (splitter->is_escaped) {
                splitter->is_escaped = false;
            } else if (c == '\\') {
                splitter->is_escaped = true;
            } else if (c == '"') {
                splitter->state = nested;
            } else {
                const char *next = pz__scan_string(window->data + i + 1, end, window->readable_end);
                i = (size_t)(next - window->data) - 1;
            }
        } else if (c == '"') {
            splitter->state = string;
        } else if (c == '{' || c == '[') {
            splitter->depth++;
        } else if (c == '}' || c == ']') {
            splitter->depth--;
        }
        if (splitter->state == nested && splitter->depth == 0) {
            *at = i + 1;
            return true;
        }
    }
    *at = i;
    return false;
}

static enum pz__split
fail_array(const struct pz__splitter *splitter, size_t at, const char *what, struct pz_error *err)
{
    pz_fail(err, PZ_INVALID, "byte %llu of the body: %s",
            (unsigned long long)(splitter->offset + at + 1), what);
    return PZ__SPLIT_FAILED;
}

// One byte between elements, not a space. Returns the next state, or -1 where it has no place.
static int
array_between(int state, char c)
{
    switch (state) {
    case ARRAY_START:
        return c == '[' ? ARRAY_FIRST : c == '{' ? ARRAY_SINGLE : -1;
    case ARRAY_FIRST:
    case ARRAY_NEXT:
        if (c == ']' && state == ARRAY_FIRST) {
            return ARRAY_DONE;
        }
        if (c == '"') {
            return ARRAY_IN_STRING;
        }
        if (c == '{' || c == '[') {
            return ARRAY_IN_NESTED;
        }
        return is_scalar_end(c) ? -1 : ARRAY_IN_SCALAR;
    case ARRAY_AFTER:
        return c == ',' ? ARRAY_NEXT : c == ']' ? ARRAY_DONE : -1;
    default:
        return -1;
    }
}

static const char *
array_wanted(int state)
{
    switch (state) {
    case ARRAY_START:
        return "expected a JSON array of objects";
    case ARRAY_FIRST:
    case ARRAY_NEXT:
        return "expected an object";
    case ARRAY_AFTER:
        return "expected a comma or the end of the array";
    default:
        return "expected nothing after the end of the array";
    }
}

static bool
is_in_element(int state)
{
    return (state >= ARRAY_IN_SCALAR && state <= ARRAY_IN_STRING) || state == ARRAY_SINGLE ||
           state == ARRAY_SINGLE_TEXT;
}

static enum pz__split
end_of_array(const struct pz__splitter *splitter, const struct pz__record *window, size_t at,
             size_t *used, struct pz_error *err)
{
    if (splitter->state == ARRAY_DONE) {
        *used += window->len;
        return PZ__SPLIT_MORE;
    }
    return fail_array(splitter, at,
                      splitter->state == ARRAY_START ? "expected a JSON array of objects"
                                                     : "the array is cut off before its end",
                      err);
}

static enum pz__split
next_element(struct pz__splitter *splitter, const struct pz__record *window, bool is_last,
             struct pz__record *record_out, size_t *used, struct pz_error *err)
{
    size_t at = splitter->scanned;
    while (at < window->len) {
        if (is_in_element(splitter->state)) {
            bool is_single =
                splitter->state == ARRAY_SINGLE || splitter->state == ARRAY_SINGLE_TEXT;
            if (!array_element_ends(splitter, window, &at)) {
                break;
            }
            splitter->element++;
            *record_out = record_of(window, splitter->element_start, at, splitter->element);
            splitter->state = is_single ? ARRAY_DONE : ARRAY_AFTER;
            use(splitter, at, 0);
            *used += at;
            return PZ__SPLIT_RECORD;
        }
        char c = window->data[at];
        if (is_space(c)) {
            at++;
            continue;
        }
        int state = array_between(splitter->state, c);
        if (state < 0) {
            return fail_array(splitter, at, array_wanted(splitter->state), err);
        }
        splitter->state = state;
        if (is_in_element(state)) {
            splitter->element_start = at;
            splitter->depth = c == '{' || c == '[';
            splitter->is_escaped = false;
        }
        at++;
    }
    if (is_last) {
        return end_of_array(splitter, window, at, used, err);
    }
    if (is_in_element(splitter->state)) {
        size_t start = splitter->element_start;
        use(splitter, start, 0);
        *used += start;
        splitter->scanned = at - start;
        splitter->element_start = 0;
    } else {
        use(splitter, at, 0);
        *used += at;
    }
    return PZ__SPLIT_MORE;
}

enum pz__split
pz__split_next(struct pz__splitter *splitter, struct pz__record window, bool is_last,
               struct pz__record *record_out, size_t *used_out, struct pz_error *err)
{
    *used_out = 0;
    if (window.len > 0 && !splitter->is_started &&
        !skip_mark(splitter, &window, is_last, used_out)) {
        return PZ__SPLIT_MORE;
    }
    if (splitter->format == PZ_RECORDS_JSON_ARRAY) {
        return next_element(splitter, &window, is_last, record_out, used_out, err);
    }
    if (window.len == 0) {
        return PZ__SPLIT_MORE;
    }
    return splitter->format == PZ_RECORDS_CSV
               ? next_csv(splitter, &window, is_last, record_out, used_out)
               : next_line(splitter, &window, is_last, record_out, used_out);
}
