// SPDX-License-Identifier: Apache-2.0
// Segment files: written, opened and read by several threads; statistics and day runs against a
// naive count; damage and mix-ups refused.
#include "base/file.h"
#include "base/thread.h"
#include "storage/segment/segment_internal.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ID, USER, AT, BODY, SCORE, SEEN, ON, COLUMNS };
#define DAY INT64_C(86400000000)
#define START INT64_C(1790000000000000)

static struct pz_column_def columns[COLUMNS] = {
    {.name = "id", .type = PZ_TYPE_BIGINT},
    {.name = "user", .type = PZ_TYPE_SYMBOL, .domain_id = 3, .domain_name = "user"},
    {.name = "at", .type = PZ_TYPE_TIMESTAMP},
    {.name = "body", .type = PZ_TYPE_TEXT},
    {.name = "score", .type = PZ_TYPE_DOUBLE},
    {.name = "seen", .type = PZ_TYPE_BOOLEAN},
    {.name = "on_day", .type = PZ_TYPE_DATE},
};
static const struct pz_table_def def = {
    .id = 100, .name = "t", .time_column = AT, .column_count = COLUMNS, .columns = columns};

// Rows in order of time over `days` days, the last `null_times` of them without a time.
static void
fill(struct pz_batch *batch, size_t rows, double days, size_t null_times)
{
    struct pz_rng rng;
    struct pz_error err;
    pz_rng_init(&rng, pz_test_seed());
    PZ_REQUIRE_OK(pz_batch_init(batch, &def, &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(batch, rows, &err), &err);
    for (size_t i = 0; i < rows; i++) {
        struct pz_column *c = batch->columns;
        char body[64];
        int len = snprintf(body, sizeof(body), "row %zu of %zu", i, rows);
        int64_t at = START + (int64_t)((double)DAY * days * (double)i / (double)rows);
        pz_column_append_int(&c[ID], (int64_t)i * 3 - 1000);
        pz_column_append_code(&c[USER], (uint32_t)pz_rng_below(&rng, 5000));
        if (i + null_times < rows) {
            pz_column_append_int(&c[AT], at);
        } else {
            pz_column_append_null(&c[AT]);
        }
        PZ_REQUIRE_OK(pz_column_append_text(&c[BODY], (struct pz_str){body, (uint32_t)len}, &err),
                      &err);
        if (pz_rng_chance(&rng, 0.2)) {
            pz_column_append_null(&c[SCORE]);
        } else {
            pz_column_append_real(&c[SCORE], (double)pz_rng_range(&rng, -100, 100) / 10);
        }
        pz_column_append_byte(&c[SEEN], pz_rng_chance(&rng, 0.5));
        if (pz_rng_chance(&rng, 0.9)) {
            pz_column_append_null(&c[ON]);
        } else {
            pz_column_append_int(&c[ON], (int64_t)pz_rng_below(&rng, 20000));
        }
        PZ_REQUIRE_OK(pz_batch_end_row(batch, false, 0, &err), &err);
    }
}

static bool
is_same_row(const struct pz_column *column, size_t row, const struct pz_slice *slice, uint32_t i)
{
    if (pz_column_is_null(column, row) || pz_slice_is_null(slice, i)) {
        return pz_column_is_null(column, row) == pz_slice_is_null(slice, i);
    }
    if (column->type == PZ_TYPE_TEXT) {
        return pz_str_equal(pz_column_text(column, row), ((const struct pz_str *)slice->data)[i]);
    }
    size_t size = pz_layout_size(pz_type_layout(column->type));
    return memcmp((const char *)column->data + row * size, (const char *)slice->data + i * size,
                  size) == 0;
}

static void
check_page(struct pz_segment *segment, const struct pz_batch *batch, uint32_t block,
           uint32_t column, struct pz_page_scratch *scratch)
{
    struct pz_error err;
    struct pz_slice slice;
    PZ_CHECK_OK(pz_segment_read(segment, block, column, scratch, &slice, &err), &err);
    PZ_CHECK_EQ_I64(slice.type, columns[column].type);
    PZ_CHECK_EQ_U64(slice.row_count, pz_segment_block_rows(segment, block));
    uint32_t different = 0;
    for (uint32_t i = 0; i < slice.row_count; i++) {
        different +=
            !is_same_row(&batch->columns[column], (size_t)block * PZ_BLOCK_ROWS + i, &slice, i);
    }
    PZ_CHECK_MSG(different == 0, "%u rows of column %s, block %u", different, columns[column].name,
                 block);
}

static void
check_all_pages(struct pz_segment *segment, const struct pz_batch *batch)
{
    struct pz_page_scratch scratch = {0};
    for (uint32_t block = 0; block < pz_segment_block_count(segment); block++) {
        for (uint32_t column = 0; column < COLUMNS; column++) {
            check_page(segment, batch, block, column, &scratch);
        }
    }
    pz_page_scratch_fini(&scratch);
}

// ---- statistics, counted naively
// -------------------------------------------------------------------

static int64_t
int_of(const struct pz_column *column, size_t row)
{
    switch (pz_type_layout(column->type)) {
    case PZ_LAYOUT_BYTE:
        return column->bytes[row];
    case PZ_LAYOUT_CODE:
        return column->codes[row];
    default:
        return column->ints[row];
    }
}

static void
check_stats(const struct pz_stats *stats, const struct pz_column *column, size_t first,
            uint32_t count)
{
    enum pz_layout layout = pz_type_layout(column->type);
    uint32_t nulls = 0;
    int64_t min = INT64_MAX;
    int64_t max = INT64_MIN;
    double real_min = INFINITY;
    double real_max = -INFINITY;
    pz_i128 sum = 0;
    for (size_t row = first; row < first + count; row++) {
        if (pz_column_is_null(column, row)) {
            nulls++;
        } else if (layout == PZ_LAYOUT_REAL) {
            real_min = fmin(real_min, column->reals[row]);
            real_max = fmax(real_max, column->reals[row]);
        } else if (layout != PZ_LAYOUT_STRING) {
            int64_t value = int_of(column, row);
            min = value < min ? value : min;
            max = value > max ? value : max;
            sum += value;
        }
    }
    bool has_range = nulls < count && layout != PZ_LAYOUT_STRING;
    PZ_CHECK_EQ_U64(stats->row_count, count);
    PZ_CHECK_EQ_U64(stats->null_count, nulls);
    PZ_CHECK(stats->has_range == has_range);
    PZ_CHECK(stats->has_sum == (layout == PZ_LAYOUT_BYTE || layout == PZ_LAYOUT_INT));
    PZ_CHECK(!stats->has_sum || stats->sum == sum);
    if (has_range && layout == PZ_LAYOUT_REAL) {
        PZ_CHECK_EQ_DOUBLE(stats->real_min, real_min);
        PZ_CHECK_EQ_DOUBLE(stats->real_max, real_max);
    } else if (has_range) {
        PZ_CHECK_EQ_I64(stats->min, min);
        PZ_CHECK_EQ_I64(stats->max, max);
    }
}

static void
check_runs(struct pz_segment *segment, const struct pz_batch *batch, uint32_t block)
{
    uint32_t run_count;
    const struct pz_day_run *runs = pz_segment_day_runs(segment, block, &run_count);
    size_t base = (size_t)block * PZ_BLOCK_ROWS;
    uint32_t row = 0;
    for (uint32_t run = 0; run < run_count; run++) {
        PZ_CHECK_EQ_U64(runs[run].row_first, row);
        for (uint32_t i = 0; i < runs[run].row_count; i++) {
            size_t at = base + row + i;
            bool is_null = pz_column_is_null(&batch->columns[AT], at);
            if (is_null != runs[run].is_null_day ||
                (!is_null && batch->columns[AT].ints[at] / DAY != runs[run].day)) {
                PZ_CHECK_MSG(false, "row %zu is not of day %lld", at, (long long)runs[run].day);
                return;
            }
        }
        for (uint32_t column = 0; column < COLUMNS; column++) {
            check_stats(pz_segment_run_stats(segment, block, run, column), &batch->columns[column],
                        base + row, runs[run].row_count);
        }
        row += runs[run].row_count;
    }
    PZ_CHECK(run_count == 0 || row == pz_segment_block_rows(segment, block));
}

static void
check_all_stats(struct pz_segment *segment, const struct pz_batch *batch)
{
    for (uint32_t block = 0; block < pz_segment_block_count(segment); block++) {
        for (uint32_t column = 0; column < COLUMNS; column++) {
            check_stats(pz_segment_block_stats(segment, block, column), &batch->columns[column],
                        (size_t)block * PZ_BLOCK_ROWS, pz_segment_block_rows(segment, block));
        }
        check_runs(segment, batch, block);
    }
}

// ---- tests
// -------------------------------------------------------------------------------------------

static void
write_and_check(size_t rows, double days, size_t null_times)
{
    struct pz_batch batch;
    struct pz_error err;
    struct pz_segment_info info;
    struct pz_segment *segment;
    const char *path = pz_test_path("1.seg");
    struct pz_page_cache *cache = pz_page_cache_create(64u << 20);
    fill(&batch, rows, days, null_times);
    PZ_REQUIRE_OK(pz_segment_write(path, 1, &batch, &info, &err), &err);
    PZ_CHECK_EQ_U64(info.row_count, rows);
    PZ_CHECK_EQ_U64(info.table_id, 100);
    if (null_times < rows) {
        PZ_CHECK_EQ_I64(info.time_min, batch.columns[AT].ints[0]);
        PZ_CHECK_EQ_I64(info.time_max, batch.columns[AT].ints[rows - null_times - 1]);
    } else {
        PZ_CHECK(info.time_min == 0 && info.time_max == 0);
    }
    PZ_REQUIRE_OK(pz_segment_open(path, &def, &info, cache, &segment, &err), &err);
    PZ_CHECK_EQ_U64(pz_segment_block_count(segment), (rows + PZ_BLOCK_ROWS - 1) / PZ_BLOCK_ROWS);
    check_all_pages(segment, &batch);
    check_all_pages(segment, &batch); // now from the cache
    check_all_stats(segment, &batch);
    struct pz_page_cache_stats stats;
    pz_page_cache_read_stats(cache, &stats);
    PZ_CHECK_EQ_U64(stats.misses, (uint64_t)pz_segment_block_count(segment) * COLUMNS);
    PZ_CHECK_EQ_U64(stats.hits, stats.misses);
    pz_segment_release(segment);
    pz_page_cache_read_stats(cache, &stats);
    PZ_CHECK_EQ_U64(stats.bytes, 0);
    pz_page_cache_destroy(cache);
    pz_batch_fini(&batch);
    PZ_CHECK_OK(pz_file_unlink(path, &err), &err);
}

PZ_TEST(one_row)
{
    write_and_check(1, 1, 0);
    write_and_check(1, 1, 1);
}

PZ_TEST(several_blocks_and_days_and_null_times)
{
    write_and_check(150000, 9.7, 1234);
}

PZ_TEST(a_whole_block_of_null_times)
{
    write_and_check(2 * PZ_BLOCK_ROWS, 3, PZ_BLOCK_ROWS + 10);
}

PZ_TEST(more_days_than_a_block_keeps_have_no_runs)
{
    struct pz_batch batch;
    struct pz_error err;
    struct pz_segment_info info;
    struct pz_segment *segment;
    uint32_t run_count;
    fill(&batch, 3000, 3000, 0);
    const char *path = pz_test_path("many.seg");
    PZ_REQUIRE_OK(pz_segment_write(path, 1, &batch, &info, &err), &err);
    PZ_REQUIRE_OK(pz_segment_open(path, &def, &info, NULL, &segment, &err), &err);
    (void)pz_segment_day_runs(segment, 0, &run_count);
    PZ_CHECK_EQ_U64(run_count, 0);
    check_all_stats(segment, &batch);
    check_all_pages(segment, &batch);
    pz_segment_release(segment);
    pz_batch_fini(&batch);
    write_and_check(3000, 1000, 0); // just within
}

struct reading {
    struct pz_segment *segment;
    const struct pz_batch *batch;
};

static void *
read_at_random(void *payload)
{
    struct reading *reading = payload;
    struct pz_page_scratch scratch = {0};
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed() + (uint64_t)(uintptr_t)&scratch);
    struct pz_segment *segment = pz_segment_acquire(reading->segment);
    for (int i = 0; i < 60; i++) {
        uint32_t block = (uint32_t)pz_rng_below(&rng, pz_segment_block_count(segment));
        check_page(segment, reading->batch, block, (uint32_t)pz_rng_below(&rng, COLUMNS), &scratch);
    }
    pz_page_scratch_fini(&scratch);
    pz_segment_release(segment);
    return NULL;
}

PZ_TEST(threads_read_through_a_cache_smaller_than_the_data)
{
    struct pz_batch batch;
    struct pz_error err;
    struct pz_segment_info info;
    struct reading reading = {.batch = &batch};
    struct pz_thread threads[4];
    struct pz_page_cache_stats stats;
    fill(&batch, 300000, 5, 0);
    const char *path = pz_test_path("shared.seg");
    PZ_REQUIRE_OK(pz_segment_write(path, 1, &batch, &info, &err), &err);
    struct pz_page_cache *cache = pz_page_cache_create((size_t)info.file_bytes / 4);
    PZ_REQUIRE_OK(pz_segment_open(path, &def, &info, cache, &reading.segment, &err), &err);
    for (int i = 0; i < 4; i++) {
        pz_thread_start(&threads[i], "reader", read_at_random, &reading);
    }
    for (int i = 0; i < 4; i++) {
        pz_thread_join(&threads[i]);
    }
    pz_page_cache_read_stats(cache, &stats);
    PZ_CHECK(stats.evictions > 0 && stats.bytes <= info.file_bytes / 4);
    pz_segment_unlink_on_release(reading.segment);
    PZ_CHECK(pz_path_exists(path));
    pz_segment_release(reading.segment);
    PZ_CHECK(!pz_path_exists(path));
    pz_page_cache_destroy(cache);
    pz_batch_fini(&batch);
}

static void
check_refused(const char *path, const struct pz_table_def *wanted_def,
              const struct pz_segment_info *info, const char *why)
{
    struct pz_error err = {0};
    struct pz_segment *segment;
    PZ_CHECK_STATUS(pz_segment_open(path, wanted_def, info, NULL, &segment, &err), PZ_CORRUPT,
                    &err);
    PZ_CHECK(segment == NULL);
    PZ_CHECK_CONTAINS(err.message, path);
    PZ_CHECK_CONTAINS(err.message, why);
}

PZ_TEST(a_file_other_than_the_catalog_says_is_refused)
{
    struct pz_batch batch;
    struct pz_error err;
    struct pz_segment_info info;
    struct pz_segment_info other;
    struct pz_segment *segment;
    fill(&batch, 1000, 2, 0);
    const char *path = pz_test_path("1.seg");
    PZ_REQUIRE_OK(pz_segment_write(path, 1, &batch, &info, &err), &err);
    PZ_CHECK_STATUS(pz_segment_write(path, 1, &batch, &other, &err), PZ_EXISTS, &err);
    PZ_CHECK(pz_path_exists(path)); // the one there is not touched

    other = info;
    other.segment_id = 2;
    check_refused(path, &def, &other, "segment 1");
    other = info;
    other.row_count++;
    check_refused(path, &def, &other, "1000 rows");
    other = info;
    other.footer_checksum ^= 1;
    check_refused(path, &def, &other, "another footer");

    struct pz_column_def changed[COLUMNS];
    memcpy(changed, columns, sizeof(changed));
    struct pz_table_def other_def = def;
    other_def.columns = changed;
    changed[ID].type = PZ_TYPE_TIMESTAMP;
    check_refused(path, &other_def, &info, "BIGINT");
    changed[ID].type = PZ_TYPE_BIGINT;
    changed[USER].domain_id = 4;
    check_refused(path, &other_def, &info, "domain 3");

    PZ_CHECK_STATUS(pz_segment_open(pz_test_path("none.seg"), &def, &info, NULL, &segment, &err),
                    PZ_NOT_FOUND, &err);
    PZ_REQUIRE_OK(pz_segment_open(path, &def, NULL, NULL, &segment, &err), &err);
    PZ_CHECK_EQ_U64(pz_segment_info(segment)->footer_checksum, info.footer_checksum);
    pz_segment_release(segment);
    pz_batch_fini(&batch);
}

PZ_TEST(every_flipped_byte_is_found)
{
    struct pz_batch batch;
    struct pz_error err = {0};
    struct pz_segment_info info;
    struct pz_buffer bytes = {0};
    fill(&batch, 500, 2, 3);
    PZ_REQUIRE_OK(pz_segment_write(pz_test_path("good.seg"), 1, &batch, &info, &err), &err);
    PZ_REQUIRE_OK(pz_file_read_all(pz_test_path("good.seg"), 1u << 20, &bytes, &err), &err);
    const char *path = pz_test_path("bad.seg");
    uint32_t unnoticed = 0;
    for (size_t at = 0; at < bytes.len; at += 7) {
        struct pz_segment *segment = NULL;
        struct pz_page_scratch scratch = {0};
        struct pz_slice slice;
        bytes.data[at] = (char)(bytes.data[at] ^ 0x10);
        PZ_REQUIRE_OK(pz_file_write_all(path, bytes.data, bytes.len, &err), &err);
        enum pz_status status = pz_segment_open(path, &def, &info, NULL, &segment, &err);
        for (uint32_t column = 0; status == PZ_OK && column < COLUMNS; column++) {
            status = pz_segment_read(segment, 0, column, &scratch, &slice, &err);
        }
        // Only the filling between pages may go unseen.
        unnoticed += status == PZ_OK;
        PZ_CHECK(status == PZ_OK || status == PZ_CORRUPT || status == PZ_UNSUPPORTED);
        pz_page_scratch_fini(&scratch);
        pz_segment_release(segment);
        bytes.data[at] = (char)(bytes.data[at] ^ 0x10);
        PZ_REQUIRE_OK(pz_file_unlink(path, &err), &err);
    }
    PZ_CHECK_MSG(unnoticed <= COLUMNS * 64 / 7 + 8, "%u flips went unnoticed", unnoticed);
    pz_buffer_fini(&bytes);
    pz_batch_fini(&batch);
}

// Arms `point` to fail with `action` on its visit `visit` and writes; true when that went well.
static bool
write_with_fault(const struct pz_batch *batch, const char *point, const char *action, int visit)
{
    char fault[64];
    struct pz_error err = {0};
    struct pz_segment_info info;
    const char *path = pz_test_path("fault.seg");
    (void)snprintf(fault, sizeof(fault), "%s=%s@%d", point, action, visit);
    pz_test_arm_faults(fault);
    enum pz_status status = pz_segment_write(path, 1, batch, &info, &err);
    pz_test_arm_faults(NULL);
    PZ_CHECK(pz_path_exists(path) == (status == PZ_OK));
    if (status == PZ_OK) {
        PZ_CHECK_OK(pz_file_unlink(path, &err), &err);
        return true;
    }
    PZ_CHECK_CONTAINS(err.message, "fault.seg");
    PZ_CHECK(status == (strcmp(action, "eio") == 0 ? PZ_IO : PZ_FULL));
    return false;
}

PZ_TEST(a_disk_that_fails_leaves_no_file)
{
    struct pz_batch batch;
    fill(&batch, 200000, 3, 0); // some megabytes: several writes
    int failures = 0;
    for (int visit = 1; !write_with_fault(&batch, "file_write", "enospc", visit); visit++) {
        failures++;
        PZ_REQUIRE(visit < 100);
    }
    PZ_CHECK(failures >= 2);
    PZ_CHECK(!write_with_fault(&batch, "file_sync", "eio", 1));
    pz_batch_fini(&batch);
}
