// SPDX-License-Identifier: Apache-2.0
// Writes segment files: pages column by column, the statistics gathered on the way, then footer
// and trailer; makes them durable; and reads everything back before anybody may rely on it.
#include "base/hash.h"
#include "base/log.h"
#include "storage/segment/segment_internal.h"

#define FLUSH_BYTES (1u << 20)

struct writer {
    const char *path;
    const struct pz_batch *rows;
    struct pz_file file;
    struct pz_codec_work *work;
    struct pz_buffer out; // not yet in the file
    uint64_t written;     // bytes in the file
    struct pz__footer footer;
    uint64_t footer_checksum;
    struct pz_error *err;
};

static enum pz_status
no_memory(struct writer *writer)
{
    return pz_fail(writer->err, PZ_NO_MEMORY, "no memory to write segment %s", writer->path);
}

static enum pz_status
flush(struct writer *writer)
{
    if (writer->out.is_failed) {
        return no_memory(writer);
    }
    if (writer->out.len > 0) {
        PZ_TRY(pz_file_write(&writer->file, writer->out.data, writer->out.len, writer->path,
                             writer->err));
    }
    writer->written += writer->out.len;
    pz_buffer_clear(&writer->out);
    return PZ_OK;
}

static uint64_t
offset_now(const struct writer *writer)
{
    return writer->written + writer->out.len;
}

static void
align(struct writer *writer)
{
    static const char zero[PZ__SEGMENT_ALIGNMENT] = {0};
    uint64_t past = offset_now(writer) % PZ__SEGMENT_ALIGNMENT;
    if (past != 0) {
        pz_buffer_append(&writer->out, zero, (size_t)(PZ__SEGMENT_ALIGNMENT - past));
    }
}

// ---- the footer's skeleton
// -----------------------------------------------------------------------

static const struct pz_column *
time_column(const struct pz_batch *rows)
{
    return rows->def->time_column == PZ_NO_COLUMN ? NULL : &rows->columns[rows->def->time_column];
}

static uint32_t
rows_of_block(const struct pz_batch *rows, uint32_t block)
{
    size_t left = rows->row_count - (size_t)block * PZ_BLOCK_ROWS;
    return (uint32_t)(left < PZ_BLOCK_ROWS ? left : PZ_BLOCK_ROWS);
}

// Splits all blocks into runs. Called twice: to count with runs == NULL, then to fill.
static bool
split_blocks(struct pz__footer *footer, const struct pz_batch *rows, struct pz_day_run *runs)
{
    const struct pz_column *time = time_column(rows);
    bool has_days = time != NULL && (time->type == PZ_TYPE_TIMESTAMP || time->type == PZ_TYPE_DATE);
    uint32_t runs_max = PZ__SEGMENT_RUN_STATS_MAX / footer->column_count;
    struct pz_day_run *block_runs =
        pz_arena_alloc_array(&footer->arena, PZ__SEGMENT_BLOCK_RUNS_MAX, sizeof(*block_runs));
    if (block_runs == NULL) {
        return false;
    }
    footer->run_count = 0;
    for (uint32_t block = 0; block < footer->block_count; block++) {
        uint32_t count = 0;
        if (has_days) {
            count =
                pz__stats_split_days(time, (size_t)block * PZ_BLOCK_ROWS, footer->block_rows[block],
                                     block_runs, PZ__SEGMENT_BLOCK_RUNS_MAX);
        }
        count = count > runs_max - footer->run_count ? 0 : count;
        if (runs != NULL && count > 0) {
            memcpy(runs + footer->run_count, block_runs, count * sizeof(*runs));
        }
        footer->run_first[block] = footer->run_count;
        footer->run_count += count;
    }
    footer->run_first[footer->block_count] = footer->run_count;
    return true;
}

static enum pz_status
begin_footer(struct writer *writer, uint64_t segment_id)
{
    struct pz__footer *footer = &writer->footer;
    const struct pz_batch *rows = writer->rows;
    pz_arena_init(&footer->arena, NULL);
    footer->info.segment_id = segment_id;
    footer->info.table_id = rows->def->id;
    footer->info.row_count = rows->row_count;
    footer->column_count = rows->def->column_count;
    footer->block_count = (uint32_t)((rows->row_count + PZ_BLOCK_ROWS - 1) / PZ_BLOCK_ROWS);
    footer->time_column = rows->def->time_column;
    if (!pz__footer_alloc_blocks(footer)) {
        return no_memory(writer);
    }
    memcpy(footer->columns, rows->def->columns, footer->column_count * sizeof(*footer->columns));
    for (uint32_t block = 0; block < footer->block_count; block++) {
        footer->block_rows[block] = rows_of_block(rows, block);
    }
    if (!split_blocks(footer, rows, NULL) || !pz__footer_alloc_runs(footer) ||
        !split_blocks(footer, rows, footer->runs)) {
        return no_memory(writer);
    }
    return PZ_OK;
}

// ---- pages and their statistics
// ------------------------------------------------------------------

// Statistics of a block are those of its runs added up, or its own when it has none.
static void
gather_stats(struct pz__footer *footer, const struct pz_column *data, uint32_t column,
             uint32_t block)
{
    size_t first = (size_t)block * PZ_BLOCK_ROWS;
    struct pz_stats *stats = &footer->block_stats[(size_t)column * footer->block_count + block];
    uint32_t run_first = footer->run_first[block];
    uint32_t run_end = footer->run_first[block + 1];
    if (run_first == run_end) {
        pz__stats_compute(data, first, footer->block_rows[block], stats);
        return;
    }
    for (uint32_t run = run_first; run < run_end; run++) {
        struct pz_stats *part = &footer->run_stats[(size_t)column * footer->run_count + run];
        pz__stats_compute(data, first + footer->runs[run].row_first, footer->runs[run].row_count,
                          part);
        if (run == run_first) {
            *stats = *part;
        } else {
            pz__stats_merge(pz_type_layout(data->type), stats, part);
        }
    }
}

static enum pz_status
write_page(struct writer *writer, uint32_t column, uint32_t block)
{
    struct pz__footer *footer = &writer->footer;
    const struct pz_column *data = &writer->rows->columns[column];
    struct pz__page_ref *ref = &footer->pages[(size_t)column * footer->block_count + block];
    align(writer);
    size_t begin = writer->out.len;
    ref->offset = offset_now(writer);
    PZ_TRY(pz_codec_encode_page(writer->work, data, (size_t)block * PZ_BLOCK_ROWS,
                                footer->block_rows[block], &writer->out, writer->err));
    const uint8_t *page = (const uint8_t *)writer->out.data + begin;
    ref->bytes = writer->out.len - begin;
    ref->checksum = pz_codec_page_checksum(page);
    ref->codec = pz_codec_page_codec(page);
    gather_stats(footer, data, column, block);
    return writer->out.len >= FLUSH_BYTES ? flush(writer) : PZ_OK;
}

static enum pz_status
write_pages(struct writer *writer)
{
    uint8_t header[PZ__SEGMENT_HEADER_BYTES];
    pz__header_encode(&writer->footer, header);
    pz_buffer_append(&writer->out, header, sizeof(header));
    for (uint32_t column = 0; column < writer->footer.column_count; column++) {
        for (uint32_t block = 0; block < writer->footer.block_count; block++) {
            PZ_TRY(write_page(writer, column, block));
        }
    }
    align(writer);
    return flush(writer);
}

// Rows are sorted by time with NULLs last: the first block has the minimum if any has one, and the
// last that has one has the maximum.
static void
set_time_range(struct pz__footer *footer)
{
    if (footer->time_column == PZ_NO_COLUMN) {
        return;
    }
    const struct pz_stats *stats =
        footer->block_stats + (size_t)footer->time_column * footer->block_count;
    if (stats[0].has_range) {
        footer->info.time_min = stats[0].min;
    }
    for (uint32_t block = 0; block < footer->block_count; block++) {
        if (stats[block].has_range) {
            PZ_ASSERT(block == 0 || stats[block].min >= stats[block - 1].max);
            footer->info.time_max = stats[block].max;
        }
    }
}

static enum pz_status
write_end(struct writer *writer)
{
    struct pz__trailer trailer = {.footer_offset = writer->written,
                                  .segment_id = writer->footer.info.segment_id};
    set_time_range(&writer->footer);
    PZ_TRY(pz__footer_encode(&writer->footer, writer->work, &writer->out, writer->err));
    trailer.footer_bytes = writer->out.len;
    if (trailer.footer_bytes > PZ__SEGMENT_FOOTER_BYTES_MAX) {
        return pz_fail(writer->err, PZ_TOO_LARGE, "segment %s: footer of %llu bytes", writer->path,
                       (unsigned long long)trailer.footer_bytes);
    }
    trailer.footer_checksum = pz_hash_bytes(writer->out.data, writer->out.len);
    writer->footer_checksum = trailer.footer_checksum;
    trailer.file_bytes = trailer.footer_offset + trailer.footer_bytes + PZ__SEGMENT_TRAILER_BYTES;
    uint8_t bytes[PZ__SEGMENT_TRAILER_BYTES];
    pz__trailer_encode(&trailer, bytes);
    pz_buffer_append(&writer->out, bytes, sizeof(bytes));
    PZ_TRY(flush(writer));
    PZ_ASSERT(writer->written == trailer.file_bytes);
    return pz_file_sync(&writer->file, writer->path, writer->err);
}

static enum pz_status
write_file(struct writer *writer, uint64_t segment_id)
{
    PZ_TRY(begin_footer(writer, segment_id));
    PZ_TRY(write_pages(writer));
    return write_end(writer);
}

static void
writer_fini(struct writer *writer)
{
    pz__footer_fini(&writer->footer);
    pz_buffer_fini(&writer->out);
    pz_codec_work_destroy(writer->work);
}

enum pz_status
pz_segment_write(const char *path, uint64_t segment_id, const struct pz_batch *rows,
                 struct pz_segment_info *info_out, struct pz_error *err)
{
    PZ_ASSERT(rows->row_count >= 1);
    PZ_ASSERT(rows->row_count <= (size_t)PZ_SEGMENT_BLOCKS_MAX * PZ_BLOCK_ROWS);
    PZ_ASSERT(rows->def->column_count >= 1 && rows->def->column_count <= PZ_COLUMNS_MAX);
    struct writer writer = {.path = path, .rows = rows, .file = {-1}, .err = err};
    writer.work = pz_codec_work_create();
    if (writer.work == NULL) {
        return no_memory(&writer);
    }
    enum pz_status status = pz_file_open(path, PZ_FILE_CREATE_NEW, &writer.file, err);
    if (status != PZ_OK) {
        writer_fini(&writer);
        return status;
    }
    status = write_file(&writer, segment_id);
    struct pz_segment_info info = writer.footer.info;
    info.file_bytes = writer.written;
    info.footer_checksum = writer.footer_checksum;
    // After a failure closing is only tidying up, and the first failure is the one to tell.
    enum pz_status closed = pz_file_close(&writer.file, path, status == PZ_OK ? err : NULL);
    status = status == PZ_OK ? closed : status;
    if (status == PZ_OK) {
        status = pz__segment_verify(path, &info, rows, &writer.footer, err);
    }
    writer_fini(&writer);
    if (status == PZ_OK) {
        *info_out = info;
        return PZ_OK;
    }
    struct pz_error unlinking = {0};
    if (pz_file_unlink(path, &unlinking) != PZ_OK) {
        pz_log_error(&unlinking, "a segment that failed to be written stays as a file");
    }
    return status;
}
