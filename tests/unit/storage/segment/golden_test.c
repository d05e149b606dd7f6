// SPDX-License-Identifier: Apache-2.0
// Files of released formats are read for ever: tests/data/segments/format-1.seg was written by the
// first plaza, from rows that formulas give, and holds every codec.
//
// PLAZA_WRITE_GOLDEN=<path> writes such a file anew, for a new format.
#include "storage/segment/segment_internal.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS 1100u // a full pack and a partial one
#define COLUMNS 15u

static struct pz_column_def columns[COLUMNS] = {
    {.name = "constant", .type = PZ_TYPE_BIGINT, .is_not_null = true},
    {.name = "sequence", .type = PZ_TYPE_BIGINT},
    {.name = "runs", .type = PZ_TYPE_BIGINT},
    {.name = "patched", .type = PZ_TYPE_BIGINT},
    {.name = "time", .type = PZ_TYPE_TIMESTAMP},
    {.name = "few", .type = PZ_TYPE_BIGINT},
    {.name = "wide", .type = PZ_TYPE_BIGINT},
    {.name = "flag", .type = PZ_TYPE_BOOLEAN},
    {.name = "code", .type = PZ_TYPE_SYMBOL, .domain_id = 2, .domain_name = "user"},
    {.name = "decimal", .type = PZ_TYPE_DOUBLE},
    {.name = "real", .type = PZ_TYPE_DOUBLE},
    {.name = "text", .type = PZ_TYPE_TEXT},
    {.name = "word", .type = PZ_TYPE_TEXT},
    {.name = "all_null", .type = PZ_TYPE_TEXT},
    {.name = "day", .type = PZ_TYPE_DATE},
};
static const struct pz_table_def def = {
    .id = 100, .name = "golden", .time_column = 4, .column_count = COLUMNS, .columns = columns};

// Values that no codec finds simple, without a generator that might change.
static uint64_t
mix(uint64_t x)
{
    x = (x + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x ^= x >> 29;
    return x * UINT64_C(0xbf58476d1ce4e5b9);
}

static void
append_numbers(struct pz_column *c, uint32_t i)
{
    pz_column_append_int(&c[0], -7);
    pz_column_append_int(&c[1], 100 - 3 * (int64_t)i);
    pz_column_append_int(&c[2], (int64_t)(mix(i / 90) >> 20));
    pz_column_append_int(&c[3], i % 200 == 150 ? INT64_MAX : (int64_t)(mix(i) >> 57));
    pz_column_append_int(&c[4], INT64_C(1163000000000000) + 400000000 * (int64_t)i +
                                    (int64_t)(mix(i) >> 45));
    pz_column_append_int(&c[5], (int64_t)mix(mix(i) >> 62));
    pz_column_append_int(&c[6], (int64_t)(mix(i) >> 20));
    pz_column_append_byte(&c[7], (uint8_t)(mix(i) >> 63));
    pz_column_append_code(&c[8], (uint32_t)(mix(i) >> 55));
    pz_column_append_real(&c[9], i % 100 == 7 ? -0.0 : (double)(mix(i) >> 52) / 100);
    pz_column_append_real(&c[10], ldexp((double)(mix(i) >> 11), (int)(i % 40) - 20));
}

static void
append_rest(struct pz_column *c, uint32_t i)
{
    static const char *const words[] = {"like", "view", "post", ""};
    char text[64];
    struct pz_error err;
    int len =
        snprintf(text, sizeof(text), "text %u says %llu", i, (unsigned long long)(mix(i) >> 40));
    PZ_CHECK_OK(pz_column_append_text(&c[11], (struct pz_str){text, (uint32_t)len}, &err), &err);
    PZ_CHECK_OK(pz_column_append_text(&c[12], pz_str_from(words[mix(i) >> 62]), &err), &err);
    pz_column_append_null(&c[13]);
    if (i % 50 == 3 || i >= 1000) {
        pz_column_append_null(&c[14]);
    } else {
        pz_column_append_int(&c[14], 13000 + i / 7);
    }
}

static void
fill(struct pz_batch *batch)
{
    struct pz_error err;
    PZ_REQUIRE_OK(pz_batch_init(batch, &def, &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(batch, ROWS, &err), &err);
    for (uint32_t i = 0; i < ROWS; i++) {
        append_numbers(batch->columns, i);
        append_rest(batch->columns, i);
        PZ_REQUIRE_OK(pz_batch_end_row(batch, false, 0, &err), &err);
    }
}

PZ_TEST(format_1_reads_as_it_was_written)
{
    struct pz_batch batch;
    struct pz_error err = {0};
    struct pz_segment_info info;
    struct pz_segment *segment;
    const char *path = PZ_TEST_DATA "/segments/format-1.seg";
    const char *write_path = getenv("PLAZA_WRITE_GOLDEN");
    fill(&batch);
    if (write_path != NULL) {
        PZ_REQUIRE_OK(pz_segment_write(write_path, 77, &batch, &info, &err), &err);
    }
    PZ_REQUIRE_OK(pz_segment_open(path, &def, NULL, NULL, &segment, &err), &err);
    info = *pz_segment_info(segment);
    PZ_CHECK_EQ_U64(info.segment_id, 77);
    PZ_CHECK_EQ_U64(info.row_count, ROWS);
    PZ_CHECK_EQ_I64(info.time_min, batch.columns[4].ints[0]);
    PZ_CHECK_EQ_I64(info.time_max, batch.columns[4].ints[ROWS - 1]);
    // The check that new files pass: all values, all statistics, all runs.
    struct pz__footer footer = *pz__segment_footer(segment);
    PZ_CHECK_OK(pz__segment_verify(path, &info, &batch, &footer, &err), &err);
    PZ_CHECK_EQ_U64(footer.run_count, 6);
    struct pz_stats stats;
    pz__stats_compute(&batch.columns[6], 0, ROWS, &stats);
    PZ_CHECK(pz_segment_block_stats(segment, 0, 6)->sum == stats.sum);
    pz_segment_release(segment);
    pz_batch_fini(&batch);
}

PZ_TEST(format_1_holds_every_codec_of_pages)
{
    struct pz_error err = {0};
    struct pz_segment *segment;
    unsigned seen = 0;
    PZ_REQUIRE_OK(
        pz_segment_open(PZ_TEST_DATA "/segments/format-1.seg", &def, NULL, NULL, &segment, &err),
        &err);
    for (uint32_t i = 0; i < COLUMNS; i++) {
        seen |= 1u << pz__segment_footer(segment)->pages[i].codec;
    }
    PZ_CHECK_EQ_U64(seen, 0x3f);
    pz_segment_release(segment);
}
