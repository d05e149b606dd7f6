// SPDX-License-Identifier: Apache-2.0
// Reads files of SQL with expected answers.
#include "tests/sql/script.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>

struct reader {
    struct pz_script *script;
    struct pz_str rest;
    unsigned line; // number of the one read last
    size_t capacity;
};

static bool
next_line(struct reader *reader, struct pz_str *line)
{
    if (reader->rest.len == 0) {
        return false;
    }
    uint32_t len = 0;
    while (len < reader->rest.len && reader->rest.data[len] != '\n') {
        len++;
    }
    *line = (struct pz_str){reader->rest.data, len};
    uint32_t skip = len < reader->rest.len ? len + 1 : len;
    reader->rest.data += skip;
    reader->rest.len -= skip;
    reader->line++;
    return true;
}

PZ_NORETURN static void
refuse(const struct reader *reader, const char *why)
{
    (void)fprintf(stderr, "%s:%u: %s\n", reader->script->path, reader->line, why);
    exit(2);
}

struct pz_str
pz_script_word(struct pz_str *head)
{
    while (head->len > 0 && head->data[0] == ' ') {
        head->data++;
        head->len--;
    }
    uint32_t len = 0;
    while (len < head->len && head->data[len] != ' ') {
        len++;
    }
    struct pz_str word = {head->data, len};
    head->data += len;
    head->len -= len;
    return word;
}

static struct pz_record *
add_record(struct reader *reader)
{
    struct pz_script *script = reader->script;
    if (script->record_count == reader->capacity) {
        reader->capacity = reader->capacity == 0 ? 64 : reader->capacity * 2;
        script->records = pz_xrealloc(script->records, reader->capacity * sizeof *script->records);
    }
    struct pz_record *record = &script->records[script->record_count++];
    *record = (struct pz_record){.line = reader->line};
    return record;
}

// The statement's lines, up to an empty one, the end, or the line of dashes (then true).
static bool
read_sql(struct reader *reader, struct pz_record *record)
{
    struct pz_str line;
    const char *begin = reader->rest.data;
    const char *end = begin;
    bool has_dashes = false;
    while (next_line(reader, &line) && line.len > 0) {
        has_dashes = pz_str_equal(line, PZ_STR("----"));
        if (has_dashes) {
            break;
        }
        end = line.data + line.len;
    }
    record->sql = (struct pz_str){begin, (uint32_t)(end - begin)};
    if (record->sql.len == 0) {
        refuse(reader, "a statement is missing");
    }
    return has_dashes;
}

static void
read_expected(struct reader *reader, struct pz_record *record)
{
    struct pz_str line;
    size_t capacity = 0;
    while (next_line(reader, &line) && line.len > 0) {
        if (record->expected_count == capacity) {
            capacity = capacity == 0 ? 16 : capacity * 2;
            record->expected = pz_xrealloc(record->expected, capacity * sizeof *record->expected);
        }
        record->expected[record->expected_count++] = line;
    }
}

static void
read_record(struct reader *reader, struct pz_str head)
{
    struct pz_record *record = add_record(reader);
    struct pz_str word = pz_script_word(&head);
    if (pz_str_equal(word, PZ_STR("generate"))) {
        record->kind = PZ_RECORD_GENERATE;
        record->head = head;
        return;
    }
    if (pz_str_equal(word, PZ_STR("query"))) {
        record->kind = PZ_RECORD_QUERY;
        record->head = head;
        if (!read_sql(reader, record)) {
            refuse(reader, "a query needs ---- and the expected rows");
        }
        read_expected(reader, record);
        return;
    }
    if (!pz_str_equal(word, PZ_STR("statement"))) {
        refuse(reader, "expected statement, query or generate");
    }
    word = pz_script_word(&head);
    if (pz_str_equal(word, PZ_STR("error"))) {
        record->kind = PZ_RECORD_ERROR;
    } else if (!pz_str_equal(word, PZ_STR("ok"))) {
        refuse(reader, "expected statement ok or statement error");
    }
    record->head = head;
    if (read_sql(reader, record)) {
        refuse(reader, "a statement has no rows");
    }
}

void
pz_script_read(struct pz_script *script, const char *path)
{
    struct pz_error err = {0};
    *script = (struct pz_script){.path = path};
    if (pz_file_read_all(path, (size_t)16 << 20, &script->text, &err) != PZ_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        exit(2);
    }
    struct reader reader = {.script = script,
                            .rest = {script->text.data, (uint32_t)script->text.len}};
    struct pz_str line;
    while (next_line(&reader, &line)) {
        if (line.len > 0 && line.data[0] != '#') {
            read_record(&reader, line);
        }
    }
}

void
pz_script_fini(struct pz_script *script)
{
    for (size_t i = 0; i < script->record_count; i++) {
        free(script->records[i].expected);
    }
    free(script->records);
    pz_buffer_fini(&script->text);
}
