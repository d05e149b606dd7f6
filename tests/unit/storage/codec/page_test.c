// SPDX-License-Identifier: Apache-2.0
// Pages of every layout: encoding and decoding is the identity, bit by bit, whatever the values,
// the number of rows and the NULLs.
#include "storage/codec/codec_internal.h"
#include "tests/support/test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const uint32_t counts[] = {1, 2, 63, 64, 65, 1000, 2049, 65536};
#define COUNTS (sizeof(counts) / sizeof(counts[0]))
enum null_pattern { NO_NULLS, ALL_NULL, FEW_NULLS, MANY_NULLS, FIRST_NULL, LAST_NULL, PATTERNS };

static bool
is_null_at(enum null_pattern pattern, struct pz_rng *rng, uint32_t i, uint32_t count)
{
    switch (pattern) {
    case NO_NULLS:
        return false;
    case ALL_NULL:
        return true;
    case FEW_NULLS:
        return pz_rng_chance(rng, 0.01);
    case MANY_NULLS:
        return pz_rng_chance(rng, 0.6);
    case FIRST_NULL:
        return i < count / 2;
    case LAST_NULL:
        return i >= count / 2;
    case PATTERNS:
        break;
    }
    return false;
}

// ---- building one column
// ---------------------------------------------------------------------------

struct one_column {
    struct pz_column_def column_def;
    struct pz_table_def def;
    struct pz_batch batch;
};

static struct one_column *
create(enum pz_type type, uint32_t rows)
{
    struct pz_error err;
    struct one_column *one = calloc(1, sizeof(*one));
    one->column_def = (struct pz_column_def){.name = "c", .type = type};
    one->def = (struct pz_table_def){.id = 100,
                                     .name = "t",
                                     .time_column = PZ_NO_COLUMN,
                                     .column_count = 1,
                                     .columns = &one->column_def};
    PZ_CHECK_OK(pz_batch_init(&one->batch, &one->def, &err), &err);
    PZ_CHECK_OK(pz_batch_reserve(&one->batch, rows, &err), &err);
    return one;
}

static void
destroy(struct one_column *one)
{
    pz_batch_fini(&one->batch);
    free(one);
}

// ---- there and back
// ----------------------------------------------------------------------------------

struct round_trip {
    struct pz_codec_work *work;
    struct pz_buffer out;
    uint8_t *page; // exactly as long as it says, so that the sanitizer watches its end
    struct pz_page_view view;
    struct pz_page_target target;
};

static void
encode(struct round_trip *trip, const struct pz_column *column, size_t first, uint32_t count)
{
    struct pz_error err = {0};
    pz_buffer_clear(&trip->out);
    PZ_REQUIRE_OK(pz_codec_encode_page(trip->work, column, first, count, &trip->out, &err), &err);
    size_t len = trip->out.len;
    trip->page = malloc(len);
    memcpy(trip->page, trip->out.data, len);
    PZ_CHECK_OK(pz_codec_verify_page(trip->page, len, &err), &err);
    PZ_REQUIRE_OK(
        pz_codec_open_page(trip->page, len, pz_type_layout(column->type), count, &trip->view, &err),
        &err);
    trip->target.data = malloc(count * pz_layout_size(trip->view.layout));
    trip->target.valid = malloc(PZ_BIT_WORDS(count) * sizeof(uint64_t));
    trip->target.text = malloc(trip->view.text_bytes + 1);
    PZ_CHECK_OK(pz_codec_decode_page(trip->work, &trip->view, &trip->target, &err), &err);
}

static void
forget(struct round_trip *trip)
{
    free(trip->page);
    free(trip->target.data);
    free(trip->target.valid);
    free(trip->target.text);
    trip->page = NULL;
}

static bool
is_same_row(const struct pz_column *column, size_t row, const struct round_trip *trip, uint32_t i)
{
    struct pz_slice slice = {.valid = trip->view.null_count > 0 ? trip->target.valid : NULL};
    if (pz_column_is_null(column, row) != pz_slice_is_null(&slice, i)) {
        return false;
    }
    if (pz_column_is_null(column, row)) {
        return true;
    }
    if (trip->view.layout == PZ_LAYOUT_STRING) {
        return pz_str_equal(pz_column_text(column, row),
                            ((const struct pz_str *)trip->target.data)[i]);
    }
    size_t size = pz_layout_size(trip->view.layout);
    return memcmp((const char *)column->data + row * size,
                  (const char *)trip->target.data + i * size, size) == 0;
}

static uint8_t
check_column(struct round_trip *trip, const struct one_column *one, size_t first, const char *what)
{
    const struct pz_column *column = &one->batch.columns[0];
    uint32_t count = (uint32_t)(column->row_count - first);
    encode(trip, column, first, count);
    uint32_t different = 0;
    for (uint32_t i = 0; i < count; i++) {
        different += !is_same_row(column, first + i, trip, i);
    }
    PZ_CHECK_MSG(different == 0, "%s: %u of %u rows differ", what, different, count);
    if (trip->view.null_count > 0 && count % 64 != 0) {
        PZ_CHECK_EQ_U64(trip->target.valid[count / 64] >> (count % 64), 0); // no stray bits
    }
    uint8_t codec = trip->view.codec;
    forget(trip);
    return codec;
}

static void
trip_init(struct round_trip *trip)
{
    *trip = (struct round_trip){.work = pz_codec_work_create()};
    PZ_REQUIRE(trip->work != NULL);
}

static void
trip_fini(struct round_trip *trip)
{
    pz_buffer_fini(&trip->out);
    pz_codec_work_destroy(trip->work);
}

PZ_TEST(booleans_codes_and_integers)
{
    static const enum pz_type types[] = {PZ_TYPE_BOOLEAN, PZ_TYPE_SYMBOL, PZ_TYPE_BIGINT};
    struct round_trip trip;
    struct pz_rng rng;
    trip_init(&trip);
    pz_rng_init(&rng, pz_test_seed());
    for (size_t c = 0; c < 3 * COUNTS * PATTERNS; c++) {
        enum pz_type type = types[c / COUNTS / PATTERNS];
        uint32_t count = counts[c / PATTERNS % COUNTS];
        struct one_column *one = create(type, count);
        struct pz_column *column = &one->batch.columns[0];
        for (uint32_t i = 0; i < count; i++) {
            if (is_null_at((enum null_pattern)(c % PATTERNS), &rng, i, count)) {
                pz_column_append_null(column);
            } else if (type == PZ_TYPE_BOOLEAN) {
                pz_column_append_byte(column, pz_rng_chance(&rng, 0.3));
            } else if (type == PZ_TYPE_SYMBOL) {
                pz_column_append_code(column, (uint32_t)pz_rng_u64(&rng) >> pz_rng_below(&rng, 9));
            } else {
                pz_column_append_int(column, (int64_t)pz_rng_u64(&rng) >> pz_rng_below(&rng, 64));
            }
        }
        (void)check_column(&trip, one, 0, pz_type_name(type));
        if (count > 100) {
            (void)check_column(&trip, one, 37, pz_type_name(type));
        }
        destroy(one);
    }
    trip_fini(&trip);
}

// ---- doubles
// ---------------------------------------------------------------------------------------

static double
odd_double(struct pz_rng *rng)
{
    static const double odd[] = {
        0.0,      -0.0,   NAN,   -NAN, INFINITY, -INFINITY,          DBL_MIN, DBL_MAX,
        -DBL_MAX, 5e-324, 1e308, 0.1,  1e15,     9007199254740993.0, -1e-15};
    return odd[pz_rng_below(rng, sizeof(odd) / sizeof(odd[0]))];
}

static double
make_double(unsigned shape, struct pz_rng *rng)
{
    switch (shape) {
    case 0: // money
        return (double)pz_rng_range(rng, -100000, 100000) / 100;
    case 1: // money, a few odd ones
        return pz_rng_chance(rng, 0.02) ? odd_double(rng)
                                        : (double)pz_rng_range(rng, -100000, 100000) / 100;
    case 2: // all odd
        return odd_double(rng);
    case 3: // any bits
        return pz_rng_any_double(rng);
    case 4: // measurements
        return 20 + pz_rng_unit(rng);
    case 5: // scores with up to 4 decimals
        return (double)pz_rng_range(rng, -10000, 10000) / 10000;
    case 6: // one value
        return NAN;
    default: // mostly 2 decimals, some 9
        return pz_rng_chance(rng, 0.05) ? (double)pz_rng_below(rng, 1000000000) / 1e9
                                        : (double)pz_rng_below(rng, 1000) / 100;
    }
}

PZ_TEST(doubles_bit_by_bit)
{
    struct round_trip trip;
    struct pz_rng rng;
    trip_init(&trip);
    pz_rng_init(&rng, pz_test_seed());
    for (size_t c = 0; c < 8 * COUNTS * PATTERNS; c++) {
        unsigned shape = (unsigned)(c / COUNTS / PATTERNS);
        uint32_t count = counts[c / PATTERNS % COUNTS];
        struct one_column *one = create(PZ_TYPE_DOUBLE, count);
        for (uint32_t i = 0; i < count; i++) {
            if (is_null_at((enum null_pattern)(c % PATTERNS), &rng, i, count)) {
                pz_column_append_null(&one->batch.columns[0]);
            } else {
                pz_column_append_real(&one->batch.columns[0], make_double(shape, &rng));
            }
        }
        uint8_t codec = check_column(&trip, one, 0, "doubles");
        if (count == 65536 && c % PATTERNS == NO_NULLS) {
            static const uint8_t wanted[] = {
                PZ_PAGE_DECIMAL,    PZ_PAGE_DECIMAL, PZ_PAGE_INTEGERS, PZ_PAGE_BYTE_SPLIT,
                PZ_PAGE_BYTE_SPLIT, PZ_PAGE_DECIMAL, PZ_PAGE_INTEGERS, PZ_PAGE_DECIMAL};
            // Where all bits vary, planes and packed bits come out alike.
            PZ_CHECK_MSG(codec == wanted[shape] || shape == 3 || shape == 4,
                         "shape %u got codec %u", shape, codec);
        }
        destroy(one);
    }
    trip_fini(&trip);
}

// ---- texts
// -----------------------------------------------------------------------------------------

#define LONG_TEXT (300u << 10)

static struct pz_str
make_text(unsigned shape, struct pz_rng *rng, char *room)
{
    static const char *const words[] = {"", "yes", "no", "maybe", "maybe not", "ask again later"};
    switch (shape) {
    case 0: // few distinct
        return pz_str_from(words[pz_rng_below(rng, 6)]);
    case 1: // all empty
        return PZ_STR("");
    case 2: { // sentences
        int len = snprintf(room, 200, "message %llu says %s and then %s, again and again",
                           (unsigned long long)pz_rng_below(rng, 1000000),
                           words[pz_rng_below(rng, 6)], words[pz_rng_below(rng, 6)]);
        return (struct pz_str){room, (uint32_t)len};
    }
    case 3: { // noise that no compressor shortens
        uint32_t len = (uint32_t)pz_rng_below(rng, 30);
        pz_rng_bytes(rng, room, len);
        return (struct pz_str){room, len};
    }
    default: { // now and then one longer than a frame
        uint32_t len = pz_rng_chance(rng, 0.001) ? LONG_TEXT : (uint32_t)pz_rng_below(rng, 10);
        for (uint32_t i = 0; i < len; i += 8) {
            uint64_t bytes = pz_rng_u64(rng) & UINT64_C(0x0f0f0f0f0f0f0f0f);
            memcpy(room + i, &bytes, 8);
        }
        return (struct pz_str){room, len};
    }
    }
}

PZ_TEST(texts_of_any_length)
{
    struct round_trip trip;
    struct pz_rng rng;
    struct pz_error err;
    char *room = malloc(LONG_TEXT + 8);
    trip_init(&trip);
    pz_rng_init(&rng, pz_test_seed());
    for (size_t c = 0; c < 5 * COUNTS * PATTERNS; c++) {
        unsigned shape = (unsigned)(c / COUNTS / PATTERNS);
        uint32_t count = counts[c / PATTERNS % COUNTS];
        struct one_column *one = create(PZ_TYPE_TEXT, count);
        for (uint32_t i = 0; i < count; i++) {
            if (is_null_at((enum null_pattern)(c % PATTERNS), &rng, i, count)) {
                pz_column_append_null(&one->batch.columns[0]);
            } else {
                struct pz_str text = make_text(shape, &rng, room);
                PZ_CHECK_OK(pz_column_append_text(&one->batch.columns[0], text, &err), &err);
            }
        }
        uint8_t codec = check_column(&trip, one, 0, "texts");
        if (count == 65536 && c % PATTERNS == NO_NULLS) {
            PZ_CHECK_EQ_U64(codec, shape == 0 ? PZ_PAGE_DICTIONARY : PZ_PAGE_TEXT);
        }
        destroy(one);
    }
    free(room);
    trip_fini(&trip);
}

PZ_TEST(few_distinct_texts_take_few_bits)
{
    struct round_trip trip;
    struct pz_rng rng;
    struct pz_error err;
    trip_init(&trip);
    pz_rng_init(&rng, pz_test_seed());
    struct one_column *one = create(PZ_TYPE_TEXT, 65536);
    for (uint32_t i = 0; i < 65536; i++) {
        struct pz_str text = make_text(0, &rng, NULL);
        PZ_CHECK_OK(pz_column_append_text(&one->batch.columns[0], text, &err), &err);
    }
    encode(&trip, &one->batch.columns[0], 0, 65536);
    PZ_CHECK(trip.view.len < 65536 * 3 / 8 + 400);
    forget(&trip);
    destroy(one);
    trip_fini(&trip);
}

// ---- damage
// ----------------------------------------------------------------------------------------

static void
check_header_refused(struct round_trip *trip, size_t at, uint8_t value)
{
    struct pz_error err = {0};
    struct pz_page_view view;
    uint8_t old = trip->page[at];
    trip->page[at] = value;
    PZ_CHECK_MSG(pz_codec_open_page(trip->page, trip->view.len, trip->view.layout,
                                    trip->view.row_count, &view, &err) == PZ_CORRUPT,
                 "byte %zu = %u was believed", at, value);
    trip->page[at] = old;
}

PZ_TEST(headers_that_lie_are_refused)
{
    struct round_trip trip;
    struct pz_error err = {0};
    struct pz_page_view view;
    trip_init(&trip);
    struct one_column *one = create(PZ_TYPE_BIGINT, 100);
    for (uint32_t i = 0; i < 100; i++) {
        if (i == 50) {
            pz_column_append_null(&one->batch.columns[0]);
        } else {
            pz_column_append_int(&one->batch.columns[0], i * i);
        }
    }
    encode(&trip, &one->batch.columns[0], 0, 100);
    check_header_refused(&trip, 8, PZ_LAYOUT_REAL); // layout
    check_header_refused(&trip, 9, PZ_PAGE_TEXT);   // codec of another layout
    check_header_refused(&trip, 9, PZ_PAGE_NONE);   // but not all are NULL
    check_header_refused(&trip, 9, 99);             // no codec
    check_header_refused(&trip, 10, 0);             // NULLs in no form
    check_header_refused(&trip, 10, 7);
    check_header_refused(&trip, 12, 99);  // rows
    check_header_refused(&trip, 16, 101); // more NULLs than rows
    check_header_refused(&trip, 16, 40);  // NULLs that would need another form
    check_header_refused(&trip, 20, 200); // bytes of the NULLs
    check_header_refused(&trip, 24, 1);   // text in a page of integers
    PZ_CHECK_STATUS(pz_codec_open_page(trip.page, 24, PZ_LAYOUT_INT, 100, &view, &err), PZ_CORRUPT,
                    &err);
    trip.page[40] ^= 1;
    PZ_CHECK_STATUS(pz_codec_verify_page(trip.page, trip.view.len, &err), PZ_CORRUPT, &err);
    forget(&trip);
    destroy(one);
    trip_fini(&trip);
}
