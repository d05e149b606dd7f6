// SPDX-License-Identifier: Apache-2.0
// Hostile segment files and pages: valid ones are damaged with a seed, then opened and read to the
// end. Whatever happens must be an answer or an error: no crash, no read past the end (run it with
// the sanitizers), no endless loop.
//
// Damage comes in four kinds: bytes of the file as it is; bytes of the footer or of a page with all
// checksums computed anew, so that the decoders see it; and pages given to the decoder directly, in
// memory that ends where they do. PLAZA_FUZZ_CASES sets how many cases of each kind are tried.
#include "base/file.h"
#include "base/hash.h"
#include "storage/segment/segment_internal.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
// A length out of thin air must come back as "no memory", not end the process.
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=4096";
}
#endif

#define COLUMNS 16u

// One column for each codec.
static struct pz_column_def columns[COLUMNS] = {
    {.name = "constant", .type = PZ_TYPE_BIGINT},  {.name = "sequence", .type = PZ_TYPE_BIGINT},
    {.name = "runs", .type = PZ_TYPE_BIGINT},      {.name = "patched", .type = PZ_TYPE_BIGINT},
    {.name = "time", .type = PZ_TYPE_TIMESTAMP},   {.name = "few", .type = PZ_TYPE_BIGINT},
    {.name = "wide", .type = PZ_TYPE_BIGINT},      {.name = "flag", .type = PZ_TYPE_BOOLEAN},
    {.name = "code", .type = PZ_TYPE_SYMBOL},      {.name = "decimal", .type = PZ_TYPE_DOUBLE},
    {.name = "real", .type = PZ_TYPE_DOUBLE},      {.name = "text", .type = PZ_TYPE_TEXT},
    {.name = "word", .type = PZ_TYPE_TEXT},        {.name = "all_null", .type = PZ_TYPE_TEXT},
    {.name = "some_null", .type = PZ_TYPE_BIGINT}, {.name = "few_null", .type = PZ_TYPE_DOUBLE},
};
static const struct pz_table_def def = {
    .id = 100, .name = "t", .time_column = 4, .column_count = COLUMNS, .columns = columns};

static void
append_numbers(struct pz_column *c, struct pz_rng *rng, int64_t i)
{
    pz_column_append_int(&c[0], 42);
    pz_column_append_int(&c[1], 10 * i);
    pz_column_append_int(&c[2], i / 100 * 77777);
    pz_column_append_int(&c[3], pz_rng_chance(rng, 0.01) ? INT64_MAX : pz_rng_range(rng, 0, 99));
    pz_column_append_int(&c[4], INT64_C(1790000000000000) + i * 40000000 + pz_rng_range(rng, 0, 9));
    pz_column_append_int(&c[5],
                         (int64_t)(pz_rng_below(rng, 5) * UINT64_C(0xd6e8feb86659fd93) >> 1));
    pz_column_append_int(&c[6], (int64_t)(pz_rng_u64(rng) >> 10));
    pz_column_append_byte(&c[7], pz_rng_chance(rng, 0.5));
    pz_column_append_code(&c[8], (uint32_t)pz_rng_below(rng, 300));
    pz_column_append_real(&c[9], i % 50 == 0 ? NAN : (double)pz_rng_range(rng, -999, 999) / 100);
    pz_column_append_real(&c[10], exp(10 * pz_rng_unit(rng)) * M_PI);
}

static void
append_rest(struct pz_column *c, struct pz_rng *rng, size_t i)
{
    static const char *const words[] = {"alpha", "beta", "gamma", ""};
    struct pz_error err;
    char text[80];
    int len = snprintf(text, sizeof(text), "the %zu-th text, with %llu", i,
                       (unsigned long long)pz_rng_below(rng, 100000));
    PZ_CHECK_OK(pz_column_append_text(&c[11], (struct pz_str){text, (uint32_t)len}, &err), &err);
    PZ_CHECK_OK(pz_column_append_text(&c[12], pz_str_from(words[pz_rng_below(rng, 4)]), &err),
                &err);
    pz_column_append_null(&c[13]);
    if (pz_rng_chance(rng, 0.5)) {
        pz_column_append_null(&c[14]);
    } else {
        pz_column_append_int(&c[14], pz_rng_range(rng, 0, 1000));
    }
    if (i % 97 == 5) {
        pz_column_append_null(&c[15]);
    } else {
        pz_column_append_real(&c[15], 0.5);
    }
}

// ---- valid segments to start from
// --------------------------------------------------------------------

static const uint32_t seed_rows[] = {1, 90, 3000, 70000};
#define SEEDS (sizeof(seed_rows) / sizeof(seed_rows[0]))

struct seed {
    struct pz_buffer bytes;
    struct pz__page_ref pages[COLUMNS]; // of block 0
    uint32_t rows;                      // of block 0
    uint64_t footer_offset, footer_bytes;
};

static void
make_seed(uint32_t rows, struct seed *seed)
{
    struct pz_rng rng;
    struct pz_error err;
    struct pz_batch batch;
    struct pz_segment_info info;
    struct pz_segment *segment;
    const char *path = pz_test_path("seed.seg");
    *seed = (struct seed){.rows = rows < PZ_BLOCK_ROWS ? rows : PZ_BLOCK_ROWS};
    pz_rng_init(&rng, 7);
    PZ_REQUIRE_OK(pz_batch_init(&batch, &def, &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(&batch, rows, &err), &err);
    for (uint32_t i = 0; i < rows; i++) {
        append_numbers(batch.columns, &rng, i);
        append_rest(batch.columns, &rng, i);
        PZ_REQUIRE_OK(pz_batch_end_row(&batch, false, 0, &err), &err);
    }
    PZ_REQUIRE_OK(pz_segment_write(path, 9, &batch, &info, &err), &err);
    PZ_REQUIRE_OK(pz_file_read_all(path, 64u << 20, &seed->bytes, &err), &err);
    PZ_REQUIRE_OK(pz_segment_open(path, &def, &info, NULL, &segment, &err), &err);
    const struct pz__footer *footer = pz__segment_footer(segment);
    for (uint32_t i = 0; i < COLUMNS; i++) {
        seed->pages[i] = footer->pages[(size_t)i * footer->block_count];
    }
    struct pz__trailer trailer;
    const uint8_t *end = (const uint8_t *)seed->bytes.data + seed->bytes.len;
    PZ_REQUIRE_OK(
        pz__trailer_decode(end - PZ__SEGMENT_TRAILER_BYTES, seed->bytes.len, &trailer, &err), &err);
    seed->footer_offset = trailer.footer_offset;
    seed->footer_bytes = trailer.footer_bytes;
    pz_segment_release(segment);
    pz_batch_fini(&batch);
    PZ_REQUIRE_OK(pz_file_unlink(path, &err), &err);
}

// ---- damage
// ------------------------------------------------------------------------------------------

static void
damage(struct pz_rng *rng, uint8_t *bytes, size_t len)
{
    static const uint64_t odd[] = {
        0,       1,          2,           0xff,        0x100,      0xffff,           0x10000,
        0x10001, 0x7fffffff, 0x80000000u, 0xffffffffu, UINT64_MAX, UINT64_C(1) << 63};
    uint64_t rounds = 1 + pz_rng_below(rng, 4);
    for (uint64_t round = 0; round < rounds; round++) {
        // Headers stand at the beginning: half of the damage goes there.
        size_t reach = pz_rng_chance(rng, 0.5) && len > 160 ? 160 : len;
        size_t at = pz_rng_below(rng, reach);
        uint64_t value = odd[pz_rng_below(rng, sizeof(odd) / sizeof(odd[0]))];
        switch (pz_rng_below(rng, 5)) {
        case 0:
            bytes[at] = (uint8_t)pz_rng_u64(rng);
            break;
        case 1:
            bytes[at] = (uint8_t)(bytes[at] ^ 1u << pz_rng_below(rng, 8));
            break;
        case 2:
            at -= at % 4;
            if (len - at >= 4) {
                pz_store_le32(bytes + at, (uint32_t)value);
            }
            break;
        case 3:
            at -= at % 8;
            if (len - at >= 8) {
                pz_store_le64(bytes + at, value);
            }
            break;
        default: { // a piece from elsewhere
            size_t from = pz_rng_below(rng, len);
            size_t room = len - (from > at ? from : at);
            size_t part = pz_rng_below(rng, room < 64 ? room + 1 : 64);
            memmove(bytes + at, bytes + from, part);
            break;
        }
        }
    }
}

static void
fix_checksums(const struct seed *seed, uint8_t *bytes)
{
    uint8_t *trailer = bytes + seed->bytes.len - PZ__SEGMENT_TRAILER_BYTES;
    struct pz__trailer fixed = {.footer_offset = seed->footer_offset,
                                .footer_bytes = seed->footer_bytes,
                                .footer_checksum =
                                    pz_hash_bytes(bytes + seed->footer_offset, seed->footer_bytes),
                                .segment_id = 9,
                                .file_bytes = seed->bytes.len};
    pz__trailer_encode(&fixed, trailer);
}

// Damages page `column` of block 0 and lets page, footer and trailer agree about it. With one block
// the footer states the page's checksum as it is; otherwise the damage stays visible.
static void
damage_page(struct pz_rng *rng, const struct seed *seed, uint8_t *bytes, uint32_t column)
{
    const struct pz__page_ref *ref = &seed->pages[column];
    uint8_t *page = bytes + ref->offset;
    damage(rng, page + 8, (size_t)ref->bytes - 8);
    uint64_t checksum = pz_hash_bytes(page + 8, (size_t)ref->bytes - 8);
    pz_store_le64(page, checksum);
    uint8_t *footer = bytes + seed->footer_offset;
    for (uint64_t at = 0; at + 8 <= seed->footer_bytes; at++) {
        if (pz_load_le64(footer + at) == ref->checksum) {
            pz_store_le64(footer + at, checksum);
            break;
        }
    }
    fix_checksums(seed, bytes);
}

// ---- reading to the end
// ------------------------------------------------------------------------------

// Keeps the compiler from leaving out what is read.
static volatile uint64_t sink;

static uint64_t
touch(const struct pz_slice *slice)
{
    uint64_t sum = 0;
    const unsigned char *data = slice->data;
    for (uint32_t i = 0; i < slice->row_count; i++) {
        if (slice->type == PZ_TYPE_TEXT) {
            struct pz_str text = ((const struct pz_str *)slice->data)[i];
            sum += text.len > 0 ? (unsigned char)text.data[0] : 0;
            sum += text.len > 0 ? (unsigned char)text.data[text.len - 1] : 0;
        } else {
            sum += data[i * pz_layout_size(pz_type_layout(slice->type))];
        }
        sum += pz_slice_is_null(slice, i);
    }
    return sum;
}

static bool
is_an_answer(enum pz_status status)
{
    return status == PZ_OK || status == PZ_CORRUPT || status == PZ_UNSUPPORTED ||
           status == PZ_NO_MEMORY;
}

// Returns how many pages could be read.
static uint32_t
read_all(const char *path)
{
    struct pz_error err = {0};
    struct pz_segment *segment = NULL;
    struct pz_page_scratch scratch = {0};
    uint32_t readable = 0;
    uint64_t sum = 0;
    enum pz_status status = pz_segment_open(path, &def, NULL, NULL, &segment, &err);
    PZ_CHECK_MSG(is_an_answer(status), "open: %s", err.message);
    if (status != PZ_OK) {
        return 0;
    }
    for (uint32_t block = 0; block < pz_segment_block_count(segment); block++) {
        uint32_t runs;
        const struct pz_day_run *run = pz_segment_day_runs(segment, block, &runs);
        for (uint32_t column = 0; column < COLUMNS; column++) {
            struct pz_slice slice;
            status = pz_segment_read(segment, block, column, &scratch, &slice, &err);
            PZ_CHECK_MSG(is_an_answer(status), "read: %s", err.message);
            if (status == PZ_OK) {
                readable++;
                sum += touch(&slice);
            }
            sum += pz_segment_block_stats(segment, block, column)->null_count;
            for (uint32_t i = 0; i < runs; i++) {
                sum += run[i].row_count;
                sum += pz_segment_run_stats(segment, block, i, column)->null_count;
            }
        }
    }
    sink = sum;
    pz_page_scratch_fini(&scratch);
    pz_segment_release(segment);
    return readable;
}

static void
write_case(const char *path, const uint8_t *bytes, size_t len)
{
    struct pz_file file;
    struct pz_error err;
    PZ_REQUIRE_OK(pz_file_open(path, PZ_FILE_CREATE_OR_TRUNCATE, &file, &err), &err);
    PZ_CHECK_OK(pz_file_write(&file, bytes, len, path, &err), &err);
    PZ_CHECK_OK(pz_file_close(&file, path, &err), &err);
}

static uint64_t
case_count(void)
{
    uint64_t cases = 1200;
    const char *text = getenv("PLAZA_FUZZ_CASES");
    PZ_CHECK(text == NULL || pz_parse_u64(pz_str_from(text), &cases));
    return cases;
}

enum damage_kind { ANYWHERE, FOOTER, PAGE };

static void
fuzz_files(enum damage_kind kind)
{
    struct seed seeds[SEEDS];
    struct pz_rng rng;
    uint64_t readable = 0;
    const char *path = pz_test_path("case.seg");
    pz_rng_init(&rng, pz_test_seed() + kind);
    for (size_t i = 0; i < SEEDS; i++) {
        make_seed(seed_rows[i], &seeds[i]);
    }
    uint64_t cases = case_count();
    for (uint64_t i = 0; i < cases; i++) {
        // Now and then the one of two blocks, which takes longer.
        struct seed *seed = &seeds[i % 32 == 0 ? SEEDS - 1 : i % (SEEDS - 1)];
        size_t len = seed->bytes.len;
        uint8_t *bytes = malloc(len);
        memcpy(bytes, seed->bytes.data, len);
        if (kind == ANYWHERE && pz_rng_chance(&rng, 0.3)) {
            len = pz_rng_below(&rng, len);
        } else if (kind == ANYWHERE) {
            damage(&rng, bytes, len);
        } else if (kind == FOOTER) {
            damage(&rng, bytes + seed->footer_offset, seed->footer_bytes);
            fix_checksums(seed, bytes);
        } else {
            damage_page(&rng, seed, bytes, (uint32_t)pz_rng_below(&rng, COLUMNS));
        }
        write_case(path, bytes, len);
        readable += read_all(path);
        free(bytes);
    }
    // The checksums were right: most pages must have been reached.
    PZ_CHECK_MSG(kind != PAGE || readable > cases * (COLUMNS - 2), "only %llu pages were readable",
                 (unsigned long long)readable);
    for (size_t i = 0; i < SEEDS; i++) {
        pz_buffer_fini(&seeds[i].bytes);
    }
}

PZ_TEST(files_damaged_anywhere)
{
    fuzz_files(ANYWHERE);
}

PZ_TEST(footers_damaged_under_right_checksums)
{
    fuzz_files(FOOTER);
}

PZ_TEST(pages_damaged_under_right_checksums)
{
    fuzz_files(PAGE);
}

// ---- pages by themselves
// -----------------------------------------------------------------------------

static enum pz_status
decode_alone(struct pz_codec_work *work, const uint8_t *bytes, size_t len, enum pz_type type,
             uint32_t rows)
{
    struct pz_error err = {0};
    struct pz_page_view view;
    enum pz_status status = pz_codec_open_page(bytes, len, pz_type_layout(type), rows, &view, &err);
    if (status != PZ_OK || view.text_bytes > (256u << 20)) {
        return PZ_CORRUPT;
    }
    struct pz_page_target target = {
        .data = malloc(rows * pz_layout_size(view.layout)),
        .valid = malloc(PZ_BIT_WORDS(rows) * sizeof(uint64_t)),
        .text = malloc((size_t)view.text_bytes + 1),
    };
    status = pz_codec_decode_page(work, &view, &target, &err);
    if (status == PZ_OK) {
        struct pz_slice slice = {.type = type,
                                 .row_count = rows,
                                 .valid = view.null_count > 0 ? target.valid : NULL,
                                 .data = target.data};
        sink = touch(&slice);
    }
    free(target.data);
    free(target.valid);
    free(target.text);
    return status;
}

PZ_TEST(pages_damaged_and_cut_in_memory)
{
    struct pz_rng rng;
    struct pz_codec_work *work = pz_codec_work_create();
    uint64_t refused = 0;
    pz_rng_init(&rng, pz_test_seed());
    uint64_t cases = case_count();
    for (size_t s = 0; s < SEEDS - 1; s++) {
        struct seed seed;
        make_seed(seed_rows[s], &seed);
        for (uint64_t i = 0; i < cases; i++) {
            uint32_t column = (uint32_t)pz_rng_below(&rng, COLUMNS);
            const struct pz__page_ref *ref = &seed.pages[column];
            size_t len = (size_t)ref->bytes;
            if (pz_rng_chance(&rng, 0.2)) {
                len = pz_rng_below(&rng, len / 8 + 1) * 8;
            }
            uint8_t *bytes = malloc(len > 0 ? len : 1);
            memcpy(bytes, seed.bytes.data + ref->offset, len);
            if (len > 0) {
                damage(&rng, bytes, len);
            }
            enum pz_status status = decode_alone(work, bytes, len, columns[column].type, seed.rows);
            PZ_CHECK(is_an_answer(status));
            refused += status != PZ_OK;
            free(bytes);
        }
        pz_buffer_fini(&seed.bytes);
    }
    PZ_CHECK(refused > cases / 4);
    pz_codec_work_destroy(work);
}
