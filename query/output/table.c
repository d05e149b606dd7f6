// SPDX-License-Identifier: Apache-2.0
// Results as an aligned table for people. All cells are kept until the widths are known.
//
// Kept cells  for each: uint32 bytes (CELL_NULL for NULL), uint32 columns of a terminal, the bytes
#include "base/num.h"
#include "query/output/output_internal.h"

#define CELL_NULL UINT32_MAX
#define ROOM_BYTES_MAX ((size_t)256 << 20)

// Columns a character takes on a terminal: none for marks that combine, two for the wide ones of
// East Asia and for emoji. The ranges are the large blocks, not every character's own entry.
static uint32_t
character_width(uint32_t code)
{
    static const struct {
        uint32_t first, last;
        uint32_t width;
    } ranges[] = {
        {0x0300, 0x036F, 0},   {0x200B, 0x200F, 0},   {0x20D0, 0x20FF, 0},   {0xFE00, 0xFE0F, 0},
        {0xFE20, 0xFE2F, 0},   {0x1100, 0x115F, 2},   {0x2E80, 0x303E, 2},   {0x3041, 0xA4CF, 2},
        {0xAC00, 0xD7A3, 2},   {0xF900, 0xFAFF, 2},   {0xFE30, 0xFE6F, 2},   {0xFF00, 0xFF60, 2},
        {0xFFE0, 0xFFE6, 2},   {0x1F300, 0x1F64F, 2}, {0x1F680, 0x1F6FF, 2}, {0x1F900, 0x1F9FF, 2},
        {0x20000, 0x3FFFD, 2},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return ranges[i].width;
        }
    }
    return 1;
}

// Appends text so that it stays on its line and cannot steer the terminal: control characters are
// written as escapes. Returns the columns it takes.
static uint32_t
append_shown(struct pz_buffer *buffer, struct pz_str text)
{
    uint32_t width = 0;
    for (uint32_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.data[i];
        uint32_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        uint32_t code = c < 0x80 ? c : c & (0xFFu >> (len + 1));
        for (uint32_t k = 1; k < len && i + k < text.len; k++) {
            code = (code << 6) | ((unsigned char)text.data[i + k] & 0x3Fu);
        }
        len = len < text.len - i ? len : text.len - i;
        if (code == '\n' || code == '\t' || code == '\r') {
            pz_buffer_append(buffer, code == '\n' ? "\\n" : code == '\t' ? "\\t" : "\\r", 2);
            width += 2;
        } else if (code < 0x20 || (code >= 0x7F && code < 0xA0)) {
            pz_buffer_printf(buffer, "\\x%02X", code);
            width += 4;
        } else {
            pz_buffer_append(buffer, text.data + i, len);
            width += character_width(code);
        }
        i += len;
    }
    return width;
}

static void
keep_cell(struct pz_buffer *kept, struct pz_str text, bool is_null)
{
    uint32_t head[2] = {CELL_NULL, 0};
    pz_buffer_append(kept, head, sizeof head);
    if (is_null || kept->is_failed) {
        return;
    }
    size_t begin = kept->len;
    head[1] = append_shown(kept, text);
    head[0] = (uint32_t)(kept->len - begin);
    memcpy(kept->data + begin - sizeof head, head, sizeof head);
}

enum pz_status
pz__output_table_rows(struct pz_output *output, const struct pz_slice *columns, uint32_t row_count,
                      struct pz_error *err)
{
    char room[PZ_CELL_TEXT_MAX];
    output->text_rows.limit_bytes = ROOM_BYTES_MAX;
    for (uint32_t row = 0; row < row_count; row++) {
        for (uint32_t i = 0; i < output->column_count; i++) {
            bool is_null = pz_slice_is_null(&columns[i], row);
            struct pz_str text =
                is_null ? (struct pz_str){"", 0} : pz__output_cell(&columns[i], row, room);
            keep_cell(&output->text_rows, text, is_null);
        }
    }
    if (output->text_rows.is_failed) {
        enum pz_status status = pz_fail(err, PZ_TOO_LARGE, "the result is too large for a table");
        pz_error_hint(err, "use LIMIT, or ask for csv or ndjson");
        return status;
    }
    return PZ_OK;
}

// ---- at the end ----------------------------------------------------------------------------

struct cell {
    struct pz_str text;
    uint32_t width;
    bool is_null;
};

static struct cell
read_cell(const struct pz_buffer *kept, size_t *at)
{
    uint32_t head[2];
    memcpy(head, kept->data + *at, sizeof head);
    *at += sizeof head;
    if (head[0] == CELL_NULL) {
        return (struct cell){.text = PZ_STR("NULL"), .width = 4, .is_null = true};
    }
    struct cell cell = {.text = {kept->data + *at, head[0]}, .width = head[1]};
    *at += head[0];
    return cell;
}

static void
append_spaces(struct pz_buffer *buffer, uint32_t count, char c)
{
    for (uint32_t i = 0; i < count; i++) {
        pz_buffer_append_char(buffer, c);
    }
}

static void
append_cell(struct pz_buffer *buffer, const struct cell *cell, uint32_t width, bool is_right,
            bool is_last)
{
    uint32_t padding = width - cell->width;
    pz_buffer_append_char(buffer, ' ');
    append_spaces(buffer, is_right ? padding : 0, ' ');
    pz_buffer_append_str(buffer, cell->text);
    if (!is_last) {
        append_spaces(buffer, is_right ? 0 : padding, ' ');
        pz_buffer_append_c(buffer, " |");
    }
}

static void
append_head(struct pz_output *output, const uint32_t *widths)
{
    struct pz_buffer name = {0};
    for (uint32_t i = 0; i < output->column_count; i++) {
        pz_buffer_clear(&name);
        struct cell cell = {.width = append_shown(&name, pz_str_from(output->columns[i].name))};
        cell.text = (struct pz_str){name.data, (uint32_t)name.len};
        append_cell(output->buffer, &cell, widths[i], pz__output_is_number(output->columns[i].type),
                    i + 1 == output->column_count);
    }
    pz_buffer_append_char(output->buffer, '\n');
    for (uint32_t i = 0; i < output->column_count; i++) {
        append_spaces(output->buffer, widths[i] + 2, '-');
        pz_buffer_append_char(output->buffer, i + 1 == output->column_count ? '\n' : '+');
    }
    pz_buffer_fini(&name);
}

static void
measure(struct pz_output *output, uint32_t *widths)
{
    struct pz_buffer name = {0};
    for (uint32_t i = 0; i < output->column_count; i++) {
        pz_buffer_clear(&name);
        widths[i] = append_shown(&name, pz_str_from(output->columns[i].name));
    }
    pz_buffer_fini(&name);
    size_t at = 0;
    for (uint64_t row = 0; row < output->row_count; row++) {
        for (uint32_t i = 0; i < output->column_count; i++) {
            struct cell cell = read_cell(&output->text_rows, &at);
            widths[i] = cell.width > widths[i] ? cell.width : widths[i];
        }
    }
}

enum pz_status
pz__output_table_end(struct pz_output *output, struct pz_error *err)
{
    if (output->column_count == 0) {
        return PZ_OK;
    }
    uint32_t *widths = pz_arena_alloc_array(&output->arena, output->column_count, sizeof *widths);
    if (widths == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory to lay out a table");
    }
    measure(output, widths);
    append_head(output, widths);
    size_t at = 0;
    for (uint64_t row = 0; row < output->row_count; row++) {
        for (uint32_t i = 0; i < output->column_count; i++) {
            struct cell cell = read_cell(&output->text_rows, &at);
            append_cell(output->buffer, &cell, widths[i],
                        pz__output_is_number(output->columns[i].type),
                        i + 1 == output->column_count);
        }
        pz_buffer_append_char(output->buffer, '\n');
    }
    char digits[PZ_NUM_TEXT_MAX];
    pz_buffer_append_char(output->buffer, '(');
    pz_buffer_append(output->buffer, digits, pz_format_u64(output->row_count, digits));
    pz_buffer_append_c(output->buffer, output->row_count == 1 ? " row)\n" : " rows)\n");
    return PZ_OK;
}
