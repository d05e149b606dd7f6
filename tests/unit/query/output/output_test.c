// SPDX-License-Identifier: Apache-2.0
// Holds each format to its bytes: every type, NULL, and texts that need escapes.
#include "query/output/output.h"

#include "tests/support/test.h"

#include <math.h>

#define ROWS 3

// Three rows of every type: plain values, awkward values, NULLs.
static const uint8_t booleans[ROWS] = {1, 0, 0};
static const int64_t bigints[ROWS] = {1, INT64_MIN, 0};
static const double doubles[ROWS] = {0.1, INFINITY, 0};
static const struct pz_str texts[ROWS] = {{"plain", 5}, {"a\"b\\c,\n\x01\xC3\xA9", 10}, {"", 0}};
static const int64_t timestamps[ROWS] = {0, 1763629200000001, 0};
static const int64_t dates[ROWS] = {0, -1, 0};
static const struct pz_interval intervals[ROWS] = {{0, 1, 0}, {14, -3, 3723500000}, {0, 0, 0}};
static const uint64_t valid[1] = {3};

static const struct pz_result_column columns[] = {
    {"b", PZ_TYPE_BOOLEAN},    {"n", PZ_TYPE_BIGINT},     {"d", PZ_TYPE_DOUBLE},
    {"t \"x\"", PZ_TYPE_TEXT}, {"at", PZ_TYPE_TIMESTAMP}, {"day", PZ_TYPE_DATE},
    {"i", PZ_TYPE_INTERVAL}};
#define COLUMNS 7

// How a JSON result ends whose statement cost nothing.
#define STATS                                                                                    \
    ",\"stats\":{\"elapsed_ms\":0,\"rows_scanned\":0,\"blocks_scanned\":0,\"blocks_skipped\":0," \
    "\"blocks_from_stats\":0,\"memory_peak_bytes\":0,\"commit\":0},\"complete\":true}\n"

static void
fill(struct pz_slice *slices)
{
    const void *data[COLUMNS] = {booleans, bigints, doubles, texts, timestamps, dates, intervals};
    for (int i = 0; i < COLUMNS; i++) {
        slices[i] = (struct pz_slice){columns[i].type, ROWS, valid, data[i]};
    }
}

static void
check(enum pz_format format, const char *expected)
{
    struct pz_buffer buffer = {0};
    struct pz_output output;
    struct pz_error err = {0};
    const struct pz_query_stats stats = {0};
    struct pz_slice slices[COLUMNS];
    fill(slices);
    pz_output_init(&output, format, &buffer);
    PZ_CHECK_OK(pz_output_begin(&output, columns, COLUMNS, &err), &err);
    PZ_CHECK_OK(pz_output_rows(&output, slices, ROWS, &err), &err);
    PZ_CHECK_OK(pz_output_end(&output, &stats, &err), &err);
    PZ_CHECK_EQ_STR(buffer.data, expected);
    pz_output_fini(&output);
    pz_buffer_fini(&buffer);
}

PZ_TEST(json)
{
    check(
        PZ_FORMAT_JSON,
        "{\"columns\":[{\"name\":\"b\",\"type\":\"BOOLEAN\"},{\"name\":\"n\",\"type\":\"BIGINT\"},"
        "{\"name\":\"d\",\"type\":\"DOUBLE\"},{\"name\":\"t \\\"x\\\"\",\"type\":\"TEXT\"},"
        "{\"name\":\"at\",\"type\":\"TIMESTAMP\"},{\"name\":\"day\",\"type\":\"DATE\"},"
        "{\"name\":\"i\",\"type\":\"INTERVAL\"}],\"rows\":["
        "[true,1,0.1,\"plain\",\"1970-01-01T00:00:00.000000Z\",\"1970-01-01\",\"1 day\"],"
        "[false,-9223372036854775808,null,\"a\\\"b\\\\c,\\n\\u0001é\","
        "\"2025-11-20T09:00:00.000001Z\",\"1969-12-31\",\"1 year 2 mons -3 days +01:02:03.5\"],"
        "[null,null,null,null,null,null,null]],\"row_count\":3" STATS);
}

PZ_TEST(ndjson)
{
    check(PZ_FORMAT_NDJSON,
          "{\"b\":true,\"n\":1,\"d\":0.1,\"t \\\"x\\\"\":\"plain\","
          "\"at\":\"1970-01-01T00:00:00.000000Z\",\"day\":\"1970-01-01\",\"i\":\"1 day\"}\n"
          "{\"b\":false,\"n\":-9223372036854775808,\"d\":null,"
          "\"t \\\"x\\\"\":\"a\\\"b\\\\c,\\n\\u0001é\",\"at\":\"2025-11-20T09:00:00.000001Z\","
          "\"day\":\"1969-12-31\",\"i\":\"1 year 2 mons -3 days +01:02:03.5\"}\n"
          "{\"b\":null,\"n\":null,\"d\":null,\"t \\\"x\\\"\":null,\"at\":null,\"day\":null,"
          "\"i\":null}\n");
}

PZ_TEST(csv)
{
    check(PZ_FORMAT_CSV, "b,n,d,\"t \"\"x\"\"\",at,day,i\r\n"
                         "true,1,0.1,plain,1970-01-01T00:00:00.000000Z,1970-01-01,1 day\r\n"
                         "false,-9223372036854775808,Infinity,\"a\"\"b\\c,\n\x01é\","
                         "2025-11-20T09:00:00.000001Z,1969-12-31,"
                         "1 year 2 mons -3 days +01:02:03.5\r\n"
                         ",,,,,,\r\n");
}

PZ_TEST(csv_tells_null_from_the_empty_string)
{
    struct pz_buffer buffer = {0};
    struct pz_output output;
    struct pz_error err = {0};
    const struct pz_query_stats stats = {0};
    static const struct pz_str two[2] = {{"", 0}, {" x", 2}};
    struct pz_slice slice = {PZ_TYPE_TEXT, 2, NULL, two};
    pz_output_init(&output, PZ_FORMAT_CSV, &buffer);
    PZ_CHECK_OK(pz_output_begin(&output, (struct pz_result_column[]){{"t", PZ_TYPE_TEXT}}, 1, &err),
                &err);
    PZ_CHECK_OK(pz_output_rows(&output, &slice, 2, &err), &err);
    PZ_CHECK_OK(pz_output_end(&output, &stats, &err), &err);
    PZ_CHECK_EQ_STR(buffer.data, "t\r\n\"\"\r\n\" x\"\r\n");
    pz_output_fini(&output);
    pz_buffer_fini(&buffer);
}

PZ_TEST(table_is_aligned_by_what_is_seen)
{
    struct pz_buffer buffer = {0};
    struct pz_output output;
    struct pz_error err = {0};
    const struct pz_query_stats stats = {0};
    static const struct pz_str names[4] = {
        {"ab\n\x1b[2J", 7}, {"h\xC3\xA9", 3}, {"\xE6\x97\xA5\xE6\x9C\xAC", 6}, {NULL, 0}};
    static const int64_t numbers[4] = {1, -23, 4567, 0};
    static const uint64_t some[1] = {7};
    struct pz_slice slices[2] = {{PZ_TYPE_TEXT, 4, some, names},
                                 {PZ_TYPE_BIGINT, 4, NULL, numbers}};
    pz_output_init(&output, PZ_FORMAT_TEXT, &buffer);
    PZ_CHECK_OK(
        pz_output_begin(&output,
                        (struct pz_result_column[]){{"name", PZ_TYPE_TEXT}, {"n", PZ_TYPE_BIGINT}},
                        2, &err),
        &err);
    PZ_CHECK_OK(pz_output_rows(&output, slices, 4, &err), &err);
    PZ_CHECK_OK(pz_output_end(&output, &stats, &err), &err);
    PZ_CHECK_EQ_STR(buffer.data, " name        |    n\n"
                                 "-------------+------\n"
                                 " ab\\n\\x1B[2J |    1\n"
                                 " hé          |  -23\n"
                                 " 日本        | 4567\n"
                                 " NULL        |    0\n"
                                 "(4 rows)\n");
    pz_output_fini(&output);
    pz_buffer_fini(&buffer);
}

PZ_TEST(many_batches_are_one_result)
{
    struct pz_buffer buffer = {0};
    struct pz_output output;
    struct pz_error err = {0};
    const struct pz_query_stats stats = {0};
    static const int64_t one[1] = {7};
    struct pz_slice slice = {PZ_TYPE_BIGINT, 1, NULL, one};
    pz_output_init(&output, PZ_FORMAT_JSON, &buffer);
    PZ_CHECK_OK(
        pz_output_begin(&output, (struct pz_result_column[]){{"n", PZ_TYPE_BIGINT}}, 1, &err),
        &err);
    for (int i = 0; i < 3; i++) {
        PZ_CHECK_OK(pz_output_rows(&output, &slice, 1, &err), &err);
    }
    PZ_CHECK_OK(pz_output_end(&output, &stats, &err), &err);
    PZ_CHECK_EQ_STR(buffer.data, "{\"columns\":[{\"name\":\"n\",\"type\":\"BIGINT\"}],\"rows\":[[7]"
                                 ",[7],[7]],\"row_count\":3" STATS);
    PZ_CHECK_EQ_U64(output.row_count, 3);
    pz_output_fini(&output);
    pz_buffer_fini(&buffer);
}

PZ_TEST(a_full_buffer_is_an_error)
{
    struct pz_buffer buffer = {.limit_bytes = 50};
    struct pz_output output;
    struct pz_error err = {0};
    struct pz_slice slices[COLUMNS];
    fill(slices);
    pz_output_init(&output, PZ_FORMAT_CSV, &buffer);
    PZ_CHECK_OK(pz_output_begin(&output, columns, COLUMNS, &err), &err);
    PZ_CHECK_STATUS(pz_output_rows(&output, slices, ROWS, &err), PZ_TOO_LARGE, &err);
    pz_output_fini(&output);
    pz_buffer_fini(&buffer);
}

PZ_TEST(no_columns)
{
    static const char *const expected[] = {"{\"columns\":[],\"rows\":[],\"row_count\":0" STATS, "",
                                           "", ""};
    for (int format = 0; format < 4; format++) {
        struct pz_buffer buffer = {0};
        struct pz_output output;
        struct pz_error err = {0};
        const struct pz_query_stats stats = {0};
        pz_output_init(&output, (enum pz_format)format, &buffer);
        PZ_CHECK_OK(pz_output_begin(&output, NULL, 0, &err), &err);
        PZ_CHECK_OK(pz_output_end(&output, &stats, &err), &err);
        PZ_CHECK_EQ_STR(buffer.data != NULL ? buffer.data : "", expected[format]);
        pz_output_fini(&output);
        pz_buffer_fini(&buffer);
    }
}

PZ_TEST(a_write_answers_with_a_count)
{
    static const char *const expected[] = {
        [PZ_FORMAT_JSON] = "{\"columns\":[],\"rows\":[],\"row_count\":0,\"affected\":1234"
                           ",\"stats\":{\"elapsed_ms\":1.5,\"rows_scanned\":1,"
                           "\"blocks_scanned\":2,\"blocks_skipped\":3,\"blocks_from_stats\":4,"
                           "\"memory_peak_bytes\":5,\"commit\":18446744073709551615},"
                           "\"complete\":true}\n",
        [PZ_FORMAT_NDJSON] = "{\"affected\":1234}\n",
        [PZ_FORMAT_CSV] = "affected\r\n1234\r\n",
        [PZ_FORMAT_TEXT] = "1234 rows\n"};
    const struct pz_query_stats stats = {.is_write = true,
                                         .affected = 1234,
                                         .elapsed_us = 1500,
                                         .rows_scanned = 1,
                                         .blocks_scanned = 2,
                                         .blocks_skipped = 3,
                                         .blocks_from_stats = 4,
                                         .memory_peak_bytes = 5,
                                         .commit = UINT64_MAX};
    for (int format = 0; format < 4; format++) {
        struct pz_buffer buffer = {0};
        struct pz_output output;
        struct pz_error err = {0};
        pz_output_init(&output, (enum pz_format)format, &buffer);
        PZ_CHECK_OK(pz_output_begin(&output, NULL, 0, &err), &err);
        PZ_CHECK_OK(pz_output_end(&output, &stats, &err), &err);
        PZ_CHECK_EQ_STR(buffer.data, expected[format]);
        pz_output_fini(&output);
        pz_buffer_fini(&buffer);
    }
}

PZ_TEST(members_of_an_object_have_different_names)
{
    struct pz_buffer buffer = {0};
    struct pz_output output;
    struct pz_error err = {0};
    static const int64_t one[1] = {1};
    struct pz_slice slice = {PZ_TYPE_BIGINT, 1, NULL, one};
    struct pz_slice slices[4] = {slice, slice, slice, slice};
    static const struct pz_result_column same[] = {{"n", PZ_TYPE_BIGINT},
                                                   {"n", PZ_TYPE_BIGINT},
                                                   {"n_2", PZ_TYPE_BIGINT},
                                                   {"n", PZ_TYPE_BIGINT}};
    pz_output_init(&output, PZ_FORMAT_NDJSON, &buffer);
    PZ_CHECK_OK(pz_output_begin(&output, same, 4, &err), &err);
    PZ_CHECK_OK(pz_output_rows(&output, slices, 1, &err), &err);
    PZ_CHECK_EQ_STR(buffer.data, "{\"n\":1,\"n_3\":1,\"n_2\":1,\"n_4\":1}\n");
    pz_output_fini(&output);
    pz_buffer_fini(&buffer);
}
