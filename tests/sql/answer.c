// SPDX-License-Identifier: Apache-2.0
// Collects a statement's result as lines of text.
#include "tests/sql/answer.h"

#include "base/clock.h"
#include "base/num.h"
#include "query/expr/interval.h"

#include <stdlib.h>
#include <string.h>

char
pz_answer_type_letter(enum pz_type type)
{
    static const char letters[] = {
        [PZ_TYPE_NULL] = '?',      [PZ_TYPE_BOOLEAN] = 'B', [PZ_TYPE_BIGINT] = 'I',
        [PZ_TYPE_DOUBLE] = 'R',    [PZ_TYPE_TEXT] = 'T',    [PZ_TYPE_SYMBOL] = '!',
        [PZ_TYPE_TIMESTAMP] = 'S', [PZ_TYPE_DATE] = 'D',    [PZ_TYPE_INTERVAL] = 'V'};
    return letters[type];
}

static void
append_text(struct pz_buffer *line, struct pz_str text)
{
    if (text.len == 0) {
        pz_buffer_append_c(line, "(empty)");
    }
    for (uint32_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '\n' || c == '\t' || c == '\\') {
            pz_buffer_append_char(line, '\\');
            pz_buffer_append_char(line, c == '\n' ? 'n' : c == '\t' ? 't' : '\\');
        } else if (c < 0x20 || c == 0x7F) {
            pz_buffer_printf(line, "\\x%02x", c);
        } else {
            pz_buffer_append_char(line, (char)c);
        }
    }
}

static void
append_value(struct pz_buffer *line, const struct pz_slice *slice, uint32_t row)
{
    char room[PZ_INTERVAL_TEXT_MAX > PZ_NUM_TEXT_MAX ? PZ_INTERVAL_TEXT_MAX : PZ_NUM_TEXT_MAX];
    uint32_t len = 0;
    if (pz_slice_is_null(slice, row)) {
        pz_buffer_append_c(line, "NULL");
        return;
    }
    switch (slice->type) {
    case PZ_TYPE_BOOLEAN:
        pz_buffer_append_c(line, ((const uint8_t *)slice->data)[row] != 0 ? "true" : "false");
        return;
    case PZ_TYPE_BIGINT:
        len = pz_format_i64(((const int64_t *)slice->data)[row], room);
        break;
    case PZ_TYPE_DOUBLE:
        len = pz_format_double(((const double *)slice->data)[row], room);
        break;
    case PZ_TYPE_TEXT:
        append_text(line, ((const struct pz_str *)slice->data)[row]);
        return;
    case PZ_TYPE_TIMESTAMP:
        len = pz_format_timestamp(((const int64_t *)slice->data)[row], room);
        break;
    case PZ_TYPE_DATE:
        len = pz_format_date(((const int64_t *)slice->data)[row], room);
        break;
    case PZ_TYPE_INTERVAL:
        len = pz_interval_format(&((const struct pz_interval *)slice->data)[row], room);
        break;
    case PZ_TYPE_NULL:
    case PZ_TYPE_SYMBOL:
        PZ_UNREACHABLE("results have neither NULL nor SYMBOL as type");
    }
    pz_buffer_append(line, room, len);
}

static struct pz_str
keep(struct pz_answer *answer, struct pz_str text)
{
    struct pz_str copy = pz_arena_copy(&answer->arena, text);
    PZ_ASSERT(copy.data != NULL);
    return copy;
}

static enum pz_status
begin(void *payload, const struct pz_result_column *columns, uint32_t column_count,
      struct pz_error *err)
{
    struct pz_answer *answer = payload;
    (void)err;
    PZ_ASSERT(answer->names == NULL);
    answer->column_count = column_count;
    answer->types = pz_xcalloc((size_t)column_count + 1, 1);
    answer->names = pz_xcalloc((size_t)column_count + 1, sizeof *answer->names);
    for (uint32_t i = 0; i < column_count; i++) {
        answer->types[i] = pz_answer_type_letter(columns[i].type);
        answer->names[i] = keep(answer, pz_str_from(columns[i].name));
    }
    return PZ_OK;
}

static enum pz_status
rows(void *payload, const struct pz_slice *columns, uint32_t column_count, uint32_t row_count,
     struct pz_error *err)
{
    struct pz_answer *answer = payload;
    (void)err;
    PZ_ASSERT(column_count == answer->column_count);
    for (uint32_t row = 0; row < row_count; row++) {
        pz_buffer_clear(&answer->line);
        for (uint32_t i = 0; i < column_count; i++) {
            if (i > 0) {
                pz_buffer_append_char(&answer->line, '\t');
            }
            append_value(&answer->line, &columns[i], row);
        }
        if (answer->line_count == answer->line_capacity) {
            answer->line_capacity = answer->line_capacity == 0 ? 64 : answer->line_capacity * 2;
            answer->lines =
                pz_xrealloc(answer->lines, answer->line_capacity * sizeof *answer->lines);
        }
        PZ_ASSERT(!answer->line.is_failed);
        answer->lines[answer->line_count++] =
            keep(answer, (struct pz_str){answer->line.data, (uint32_t)answer->line.len});
    }
    return PZ_OK;
}

void
pz_answer_run(struct pz_answer *answer, struct pz_engine *engine, struct pz_str sql)
{
    *answer = (struct pz_answer){0};
    pz_arena_init(&answer->arena, NULL);
    struct pz_query_options options = {.timeout_us = 120 * PZ_US_PER_SECOND};
    struct pz_result_sink sink = {.payload = answer, .begin = begin, .rows = rows};
    answer->status = pz_query_run(engine, sql, &options, &sink, &answer->stats, &answer->error);
}

void
pz_answer_fini(struct pz_answer *answer)
{
    free(answer->types);
    free(answer->names);
    free(answer->lines);
    pz_buffer_fini(&answer->line);
    pz_arena_fini(&answer->arena);
}

static int
compare_lines(const void *a, const void *b)
{
    return pz_str_compare(*(const struct pz_str *)a, *(const struct pz_str *)b);
}

void
pz_answer_sort(struct pz_answer *answer)
{
    if (answer->line_count > 1) {
        qsort(answer->lines, answer->line_count, sizeof *answer->lines, compare_lines);
    }
}
