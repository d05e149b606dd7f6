// SPDX-License-Identifier: Apache-2.0
// The footer: which columns and blocks there are, where their pages lie, and what is known about
// their rows without reading them.
#include "storage/segment/segment_internal.h"

#define HEAD_AT(member) offsetof(struct pz__footer_head, member)
#define HEAD_BYTES sizeof(struct pz__footer_head)
#define COLUMN_BYTES sizeof(struct pz__footer_column)
#define PAGE_BYTES_MIN 32u

void
pz__footer_fini(struct pz__footer *footer)
{
    pz_arena_fini(&footer->arena);
    *footer = (struct pz__footer){0};
}

bool
pz__footer_alloc_blocks(struct pz__footer *footer)
{
    struct pz_arena *arena = &footer->arena;
    size_t pages = (size_t)footer->column_count * footer->block_count;
    footer->columns = pz_arena_alloc_zero(arena, footer->column_count * sizeof(*footer->columns));
    footer->block_rows = pz_arena_alloc_array(arena, footer->block_count, sizeof(uint32_t));
    footer->run_first = pz_arena_alloc_array(arena, footer->block_count + 1, sizeof(uint32_t));
    footer->pages = pz_arena_alloc_zero(arena, pages * sizeof(*footer->pages));
    footer->block_stats = pz_arena_alloc_zero(arena, pages * sizeof(*footer->block_stats));
    return footer->columns != NULL && footer->block_rows != NULL && footer->run_first != NULL &&
           footer->pages != NULL && footer->block_stats != NULL;
}

bool
pz__footer_alloc_runs(struct pz__footer *footer)
{
    size_t stats = (size_t)footer->column_count * footer->run_count;
    footer->runs = pz_arena_alloc_zero(&footer->arena, footer->run_count * sizeof(*footer->runs));
    footer->run_stats = pz_arena_alloc_zero(&footer->arena, stats * sizeof(*footer->run_stats));
    return footer->runs != NULL && footer->run_stats != NULL;
}

// ---- arrays of one member of an array of structs
// -------------------------------------------------

// One of the footer's arrays of integers on its way out or in.
struct strip {
    struct pz_codec_work *work;
    uint64_t *values;      // room for the longest array
    struct pz_buffer *out; // writing
    const uint8_t *bytes;  // reading: what is left
    size_t len;
    struct pz_error *err;
};

static enum pz_status
put_strip(struct strip *strip, uint32_t count)
{
    for (uint32_t done = 0; done < count; done += PZ_CODEC_ARRAY_MAX) {
        uint32_t part = count - done < PZ_CODEC_ARRAY_MAX ? count - done : PZ_CODEC_ARRAY_MAX;
        PZ_TRY(
            pz_codec_encode_array(strip->work, strip->values + done, part, strip->out, strip->err));
    }
    return PZ_OK;
}

static enum pz_status
get_strip(struct strip *strip, uint32_t count)
{
    for (uint32_t done = 0; done < count; done += PZ_CODEC_ARRAY_MAX) {
        uint32_t part = count - done < PZ_CODEC_ARRAY_MAX ? count - done : PZ_CODEC_ARRAY_MAX;
        size_t used;
        PZ_TRY(pz_codec_decode_array(strip->work, strip->bytes, strip->len, part,
                                     strip->values + done, &used, strip->err));
        strip->bytes += used;
        strip->len -= used;
    }
    return PZ_OK;
}

// Writes or reads `lvalue` (in terms of i) for i = 0 .. count - 1.
#define PUT(strip, count, value)                    \
    do {                                            \
        for (uint32_t i = 0; i < (count); i++) {    \
            (strip)->values[i] = (uint64_t)(value); \
        }                                           \
        PZ_TRY(put_strip((strip), (count)));        \
    } while (0)
#define GET(strip, count, statement)             \
    do {                                         \
        PZ_TRY(get_strip((strip), (count)));     \
        for (uint32_t i = 0; i < (count); i++) { \
            uint64_t value = (strip)->values[i]; \
            statement;                           \
        }                                        \
    } while (0)

static bool
make_strip(struct pz__footer *footer, struct strip *strip)
{
    uint32_t longest =
        footer->run_count > footer->block_count ? footer->run_count : footer->block_count;
    strip->values = pz_arena_alloc_array(&footer->arena, longest, sizeof(uint64_t));
    return strip->values != NULL;
}

static uint64_t
bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static double
real_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

// ---- writing ---------------------------------------------------------------------------------

static enum pz_status
put_stats(struct strip *strip, bool is_real, const struct pz_stats *stats, uint32_t count)
{
    PUT(strip, count, stats[i].null_count);
    PUT(strip, count,
        (stats[i].has_range ? PZ__STATS_HAS_RANGE : 0) |
            (stats[i].has_sum ? PZ__STATS_HAS_SUM : 0));
    PUT(strip, count, is_real ? bits_of(stats[i].real_min) : (uint64_t)stats[i].min);
    PUT(strip, count, is_real ? bits_of(stats[i].real_max) : (uint64_t)stats[i].max);
    PUT(strip, count, stats[i].sum);
    PUT(strip, count, stats[i].sum >> 64);
    return PZ_OK;
}

static void
put_head(const struct pz__footer *footer, struct pz_buffer *out)
{
    uint8_t head[HEAD_BYTES] = {0};
    pz_store_le32(head + HEAD_AT(column_count), footer->column_count);
    pz_store_le32(head + HEAD_AT(block_count), footer->block_count);
    pz_store_le64(head + HEAD_AT(row_count), footer->info.row_count);
    pz_store_le32(head + HEAD_AT(time_column), footer->time_column);
    pz_store_le32(head + HEAD_AT(run_count), footer->run_count);
    pz_store_le64(head + HEAD_AT(time_min), (uint64_t)footer->info.time_min);
    pz_store_le64(head + HEAD_AT(time_max), (uint64_t)footer->info.time_max);
    pz_store_le32(head + HEAD_AT(table_id), footer->info.table_id);
    pz_store_le64(head + HEAD_AT(segment_id), footer->info.segment_id);
    pz_buffer_append(out, head, sizeof(head));
}

static void
put_columns(const struct pz__footer *footer, struct pz_buffer *out)
{
    static const char zero[8] = {0};
    for (uint32_t i = 0; i < footer->column_count; i++) {
        const struct pz_column_def *column = &footer->columns[i];
        struct pz_str name = pz_str_from(column->name);
        struct pz_str domain = pz_str_from(column->domain_name);
        uint8_t entry[COLUMN_BYTES];
        entry[0] = (uint8_t)column->type;
        entry[1] = column->is_not_null;
        entry[2] = (uint8_t)name.len;
        entry[3] = (uint8_t)domain.len;
        pz_store_le32(entry + 4, column->domain_id);
        pz_buffer_append(out, entry, sizeof(entry));
        pz_buffer_append_str(out, name);
        pz_buffer_append_str(out, domain);
        pz_buffer_append(out, zero, (8 - (name.len + domain.len) % 8) % 8);
    }
}

static enum pz_status
put_arrays(const struct pz__footer *footer, struct strip *strip)
{
    uint32_t blocks = footer->block_count;
    uint32_t runs = footer->run_count;
    PUT(strip, blocks, footer->block_rows[i]);
    PUT(strip, blocks, footer->run_first[i + 1] - footer->run_first[i]);
    PUT(strip, runs, footer->runs[i].day);
    PUT(strip, runs, footer->runs[i].row_count);
    PUT(strip, runs, footer->runs[i].is_null_day);
    for (uint32_t column = 0; column < footer->column_count; column++) {
        const struct pz__page_ref *pages = footer->pages + (size_t)column * blocks;
        bool is_real = pz_type_layout(footer->columns[column].type) == PZ_LAYOUT_REAL;
        PUT(strip, blocks, pages[i].offset);
        PUT(strip, blocks, pages[i].bytes);
        PUT(strip, blocks, pages[i].checksum);
        PUT(strip, blocks, pages[i].codec);
        PZ_TRY(put_stats(strip, is_real, footer->block_stats + (size_t)column * blocks, blocks));
        PZ_TRY(put_stats(strip, is_real, footer->run_stats + (size_t)column * runs, runs));
    }
    return PZ_OK;
}

enum pz_status
pz__footer_encode(const struct pz__footer *footer, struct pz_codec_work *work,
                  struct pz_buffer *out, struct pz_error *err)
{
    struct pz__footer copy = *footer; // its arena grows
    struct strip strip = {.work = work, .out = out, .err = err};
    put_head(footer, out);
    put_columns(footer, out);
    pz_arena_init(&copy.arena, NULL);
    enum pz_status status = make_strip(&copy, &strip)
                                ? put_arrays(footer, &strip)
                                : pz_fail(err, PZ_NO_MEMORY, "no memory for a footer");
    pz_arena_fini(&copy.arena);
    if (status == PZ_OK && out->is_failed) {
        status = pz_fail(err, PZ_NO_MEMORY, "no memory for a footer");
    }
    return status;
}

// ---- reading ---------------------------------------------------------------------------------

static enum pz_status
get_head(struct strip *strip, struct pz__footer *footer)
{
    const uint8_t *head = strip->bytes;
    if (strip->len < HEAD_BYTES) {
        return pz_fail(strip->err, PZ_CORRUPT, "footer of %zu bytes", strip->len);
    }
    footer->column_count = pz_load_le32(head + HEAD_AT(column_count));
    footer->block_count = pz_load_le32(head + HEAD_AT(block_count));
    footer->info.row_count = pz_load_le64(head + HEAD_AT(row_count));
    footer->time_column = pz_load_le32(head + HEAD_AT(time_column));
    footer->run_count = pz_load_le32(head + HEAD_AT(run_count));
    footer->info.time_min = (int64_t)pz_load_le64(head + HEAD_AT(time_min));
    footer->info.time_max = (int64_t)pz_load_le64(head + HEAD_AT(time_max));
    footer->info.table_id = pz_load_le32(head + HEAD_AT(table_id));
    footer->info.segment_id = pz_load_le64(head + HEAD_AT(segment_id));
    bool has_time = footer->time_column != PZ_NO_COLUMN;
    if (footer->column_count == 0 || footer->column_count > PZ_COLUMNS_MAX ||
        footer->block_count == 0 || footer->block_count > PZ_SEGMENT_BLOCKS_MAX ||
        (has_time && footer->time_column >= footer->column_count) ||
        (uint64_t)footer->run_count * footer->column_count > PZ__SEGMENT_RUN_STATS_MAX ||
        (!has_time && footer->run_count != 0)) {
        return pz_fail(strip->err, PZ_CORRUPT, "footer of %u columns, %u blocks, %u runs",
                       footer->column_count, footer->block_count, footer->run_count);
    }
    strip->bytes += HEAD_BYTES;
    strip->len -= HEAD_BYTES;
    return PZ_OK;
}

static bool
is_column_type(uint8_t type)
{
    return type >= PZ_TYPE_BOOLEAN && type <= PZ_TYPE_DATE;
}

static enum pz_status
get_columns(struct strip *strip, struct pz__footer *footer)
{
    for (uint32_t i = 0; i < footer->column_count; i++) {
        struct pz_column_def *column = &footer->columns[i];
        const uint8_t *entry = strip->bytes;
        uint32_t name_len = strip->len >= COLUMN_BYTES ? entry[2] : UINT32_MAX;
        uint32_t domain_len = strip->len >= COLUMN_BYTES ? entry[3] : UINT32_MAX;
        if (name_len > PZ_NAME_LEN_MAX || domain_len > PZ_NAME_LEN_MAX ||
            !is_column_type(entry[0])) {
            return pz_fail(strip->err, PZ_CORRUPT, "footer entry of column %u is malformed", i);
        }
        size_t bytes = COLUMN_BYTES + (name_len + domain_len + 7u) / 8 * 8;
        const char *names = (const char *)entry + COLUMN_BYTES;
        if (bytes > strip->len ||
            !pz_str_to_c((struct pz_str){names, name_len}, column->name, sizeof(column->name)) ||
            !pz_str_to_c((struct pz_str){names + name_len, domain_len}, column->domain_name,
                         sizeof(column->domain_name))) {
            return pz_fail(strip->err, PZ_CORRUPT, "footer entry of column %u is malformed", i);
        }
        column->type = (enum pz_type)entry[0];
        column->is_not_null = entry[1] != 0;
        column->domain_id = pz_load_le32(entry + 4);
        strip->bytes += bytes;
        strip->len -= bytes;
    }
    return PZ_OK;
}

static enum pz_status
get_blocks(struct strip *strip, struct pz__footer *footer)
{
    uint64_t rows = 0;
    uint64_t runs = 0;
    GET(strip, footer->block_count, {
        if (value == 0 || value > PZ_BLOCK_ROWS) {
            return pz_fail(strip->err, PZ_CORRUPT, "block %u of %llu rows", i,
                           (unsigned long long)value);
        }
        footer->block_rows[i] = (uint32_t)value;
        rows += value;
    });
    GET(strip, footer->block_count, {
        if (value > PZ__SEGMENT_BLOCK_RUNS_MAX) {
            return pz_fail(strip->err, PZ_CORRUPT, "block %u of %llu runs", i,
                           (unsigned long long)value);
        }
        footer->run_first[i] = (uint32_t)runs;
        runs += value;
    });
    footer->run_first[footer->block_count] = footer->run_count;
    if (rows != footer->info.row_count || runs != footer->run_count) {
        return pz_fail(strip->err, PZ_CORRUPT, "blocks of %llu rows and %llu runs in all",
                       (unsigned long long)rows, (unsigned long long)runs);
    }
    return PZ_OK;
}

// The runs of one block: they cover its rows, days rise, NULL comes last.
static enum pz_status
check_block_runs(const struct pz__footer *footer, uint32_t block, struct pz_error *err)
{
    struct pz_day_run *runs = footer->runs + footer->run_first[block];
    uint32_t count = footer->run_first[block + 1] - footer->run_first[block];
    uint32_t row = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_in_order = i == 0 || (!runs[i - 1].is_null_day &&
                                      (runs[i].is_null_day || runs[i].day > runs[i - 1].day));
        if (!is_in_order || runs[i].row_count == 0 ||
            runs[i].row_count > footer->block_rows[block] - row) {
            return pz_fail(err, PZ_CORRUPT, "run %u of block %u is out of order", i, block);
        }
        runs[i].row_first = row;
        row += runs[i].row_count;
    }
    if (count > 0 && row != footer->block_rows[block]) {
        return pz_fail(err, PZ_CORRUPT, "runs of %u rows in a block of %u", row,
                       footer->block_rows[block]);
    }
    return PZ_OK;
}

static enum pz_status
get_runs(struct strip *strip, struct pz__footer *footer)
{
    struct pz_day_run *runs = footer->runs;
    GET(strip, footer->run_count, runs[i].day = (int64_t)value);
    GET(strip, footer->run_count, runs[i].row_count = value > PZ_BLOCK_ROWS ? 0 : (uint32_t)value);
    GET(strip, footer->run_count, runs[i].is_null_day = value != 0);
    for (uint32_t block = 0; block < footer->block_count; block++) {
        PZ_TRY(check_block_runs(footer, block, strip->err));
    }
    return PZ_OK;
}

// Row counts are set already.
static enum pz_status
get_stats(struct strip *strip, bool is_real, struct pz_stats *stats, uint32_t count)
{
    GET(strip, count, {
        if (value > stats[i].row_count) {
            return pz_fail(strip->err, PZ_CORRUPT, "%llu NULLs in %u rows",
                           (unsigned long long)value, stats[i].row_count);
        }
        stats[i].null_count = (uint32_t)value;
    });
    GET(strip, count, {
        stats[i].has_range = (value & PZ__STATS_HAS_RANGE) != 0;
        stats[i].has_sum = (value & PZ__STATS_HAS_SUM) != 0;
    });
    GET(strip, count, {
        stats[i].min = is_real ? 0 : (int64_t)value;
        stats[i].real_min = is_real ? real_of(value) : 0;
    });
    GET(strip, count, {
        stats[i].max = is_real ? 0 : (int64_t)value;
        stats[i].real_max = is_real ? real_of(value) : 0;
    });
    GET(strip, count, stats[i].sum = (pz_i128)value);
    GET(strip, count, stats[i].sum |= (pz_i128)((pz_u128)value << 64));
    return PZ_OK;
}

static enum pz_status
get_pages(struct strip *strip, const struct pz__footer *footer, struct pz__page_ref *pages,
          uint64_t pages_end)
{
    GET(strip, footer->block_count, pages[i].offset = value);
    GET(strip, footer->block_count, pages[i].bytes = value);
    GET(strip, footer->block_count, pages[i].checksum = value);
    GET(strip, footer->block_count, pages[i].codec = (uint8_t)value);
    for (uint32_t i = 0; i < footer->block_count; i++) {
        if (pages[i].offset % PZ__SEGMENT_ALIGNMENT != 0 ||
            pages[i].offset < PZ__SEGMENT_HEADER_BYTES || pages[i].offset > pages_end ||
            pages[i].bytes > pages_end - pages[i].offset || pages[i].bytes < PAGE_BYTES_MIN) {
            return pz_fail(strip->err, PZ_CORRUPT, "page of %llu bytes at %llu",
                           (unsigned long long)pages[i].bytes, (unsigned long long)pages[i].offset);
        }
    }
    return PZ_OK;
}

static enum pz_status
get_column_arrays(struct strip *strip, struct pz__footer *footer, uint32_t column,
                  uint64_t pages_end)
{
    uint32_t blocks = footer->block_count;
    uint32_t runs = footer->run_count;
    bool is_real = pz_type_layout(footer->columns[column].type) == PZ_LAYOUT_REAL;
    struct pz_stats *block_stats = footer->block_stats + (size_t)column * blocks;
    struct pz_stats *run_stats = footer->run_stats + (size_t)column * runs;
    for (uint32_t i = 0; i < blocks; i++) {
        block_stats[i].row_count = footer->block_rows[i];
    }
    for (uint32_t i = 0; i < runs; i++) {
        run_stats[i].row_count = footer->runs[i].row_count;
    }
    PZ_TRY(get_pages(strip, footer, footer->pages + (size_t)column * blocks, pages_end));
    PZ_TRY(get_stats(strip, is_real, block_stats, blocks));
    return get_stats(strip, is_real, run_stats, runs);
}

enum pz_status
pz__footer_decode(struct pz_codec_work *work, const uint8_t *bytes, size_t len, uint64_t pages_end,
                  struct pz__footer *footer, struct pz_error *err)
{
    struct strip strip = {.work = work, .bytes = bytes, .len = len, .err = err};
    *footer = (struct pz__footer){0};
    pz_arena_init(&footer->arena, NULL);
    PZ_TRY(get_head(&strip, footer));
    if (!pz__footer_alloc_blocks(footer) || !pz__footer_alloc_runs(footer) ||
        !make_strip(footer, &strip)) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for a footer");
    }
    PZ_TRY(get_columns(&strip, footer));
    PZ_TRY(get_blocks(&strip, footer));
    PZ_TRY(get_runs(&strip, footer));
    for (uint32_t column = 0; column < footer->column_count; column++) {
        PZ_TRY(get_column_arrays(&strip, footer, column, pages_end));
    }
    return PZ_OK;
}
