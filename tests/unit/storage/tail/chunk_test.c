// SPDX-License-Identifier: Apache-2.0
// Chunks: rows of every type go in and come out, cut into values of bounded size; and bytes that
// were changed, checksum and all, are an error and never a crash.
#include "storage/tail/chunk.h"
#include "tests/support/test.h"
#include "tests/unit/storage/kv/scratch_env.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS 7u

static struct pz_column_def columns[COLUMNS] = {
    {.name = "b", .type = PZ_TYPE_BOOLEAN}, {.name = "i", .type = PZ_TYPE_BIGINT},
    {.name = "r", .type = PZ_TYPE_DOUBLE},  {.name = "t", .type = PZ_TYPE_TEXT},
    {.name = "s", .type = PZ_TYPE_SYMBOL},  {.name = "at", .type = PZ_TYPE_TIMESTAMP},
    {.name = "d", .type = PZ_TYPE_DATE},
};
static const struct pz_table_def def = {
    .id = 300, .name = "all", .time_column = 5, .column_count = COLUMNS, .columns = columns};
static const struct pz_table_def before = {
    .id = 299, .name = "before", .time_column = 5, .column_count = COLUMNS, .columns = columns};
static const struct pz_table_def after = {
    .id = 301, .name = "after", .time_column = 5, .column_count = COLUMNS, .columns = columns};

static char long_text[200000];

static void
append_value(struct pz_column *column, struct pz_rng *rng, size_t text_max)
{
    struct pz_error err = {0};
    switch (pz_type_layout(column->type)) {
    case PZ_LAYOUT_BYTE:
        pz_column_append_byte(column, pz_rng_chance(rng, 0.5));
        break;
    case PZ_LAYOUT_CODE:
        pz_column_append_code(column, (uint32_t)pz_rng_u64(rng));
        break;
    case PZ_LAYOUT_INT:
        pz_column_append_int(column, (int64_t)pz_rng_u64(rng));
        break;
    case PZ_LAYOUT_REAL:
        pz_column_append_real(column, pz_rng_any_double(rng));
        break;
    case PZ_LAYOUT_STRING: {
        size_t len = (size_t)pz_rng_below(rng, text_max + 1);
        struct pz_str text = {long_text + pz_rng_below(rng, sizeof long_text - len + 1),
                              (uint32_t)len};
        PZ_REQUIRE_OK(pz_column_append_text(column, text, &err), &err);
        break;
    }
    }
}

static void
fill(struct pz_batch *batch, const struct pz_table_def *of, size_t rows, struct pz_rng *rng,
     size_t text_max)
{
    struct pz_error err = {0};
    double nulls = pz_rng_chance(rng, 0.3) ? 0 : pz_rng_unit(rng);
    pz_rng_bytes(rng, long_text, sizeof long_text);
    PZ_REQUIRE_OK(pz_batch_init(batch, of, &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(batch, rows, &err), &err);
    for (size_t row = 0; row < rows; row++) {
        for (uint32_t c = 0; c < COLUMNS; c++) {
            if (pz_rng_chance(rng, nulls)) {
                pz_column_append_null(&batch->columns[c]);
            } else {
                append_value(&batch->columns[c], rng, text_max);
            }
        }
        PZ_REQUIRE_OK(pz_batch_end_row(batch, false, 0, &err), &err);
    }
}

static void
put(struct pz_kv_txn *txn, const struct pz_batch *rows, uint64_t first_row)
{
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_chunk_put_rows(txn, rows, first_row, &err), &err);
}

// ---- round trips ----------------------------------------------------------------------------

struct expected {
    const struct pz_batch *rows;
    uint64_t first_row; // number of rows' row 0
    uint64_t next_row;  // that must come next
    uint32_t chunk_count;
};

static void
compare_value(const struct pz_column *actual, size_t a, const struct pz_column *wanted, size_t w)
{
    PZ_CHECK_EQ_I64(pz_column_is_null(actual, a), pz_column_is_null(wanted, w));
    if (pz_column_is_null(wanted, w) || pz_column_is_null(actual, a)) {
        return;
    }
    if (pz_type_layout(wanted->type) == PZ_LAYOUT_STRING) {
        PZ_CHECK(pz_str_equal(pz_column_text(actual, a), pz_column_text(wanted, w)));
        return;
    }
    size_t size = pz_layout_size(pz_type_layout(wanted->type));
    PZ_CHECK_EQ_BYTES(actual->bytes + a * size, wanted->bytes + w * size, size);
}

static enum pz_status
compare_chunk(void *payload, uint64_t first_row, const struct pz_batch *rows, struct pz_error *err)
{
    struct expected *expected = payload;
    (void)err;
    if (expected->chunk_count++ > 0) {
        PZ_CHECK_EQ_U64(first_row, expected->next_row);
    } else {
        PZ_CHECK(first_row <= expected->next_row &&
                 first_row + rows->row_count > expected->next_row);
    }
    expected->next_row = first_row + rows->row_count;
    for (size_t row = 0; row < rows->row_count; row++) {
        size_t at = (size_t)(first_row - expected->first_row) + row;
        for (uint32_t c = 0; c < COLUMNS && at < expected->rows->row_count; c++) {
            compare_value(&rows->columns[c], row, &expected->rows->columns[c], at);
        }
    }
    return PZ_OK;
}

static void
check_from(struct pz_kv_txn *txn, const struct pz_batch *rows, uint64_t first_row, uint64_t from)
{
    struct pz_error err = {0};
    struct expected expected = {.rows = rows, .first_row = first_row, .next_row = from};
    PZ_CHECK_OK(pz_chunk_each(txn, rows->def, from, compare_chunk, &expected, &err), &err);
    PZ_CHECK_EQ_U64(expected.next_row, first_row + rows->row_count);
}

static void
round_trip(struct pz_kv_env *env, size_t row_count, size_t text_max, struct pz_rng *rng)
{
    struct pz_batch rows[3];
    const struct pz_table_def *defs[3] = {&before, &def, &after};
    struct pz_kv_txn *txn = scratch_env_begin(env);
    uint64_t first_row = pz_rng_below(rng, 1u << 30);
    for (int t = 0; t < 3; t++) {
        fill(&rows[t], defs[t], t == 1 ? row_count : 10, rng, text_max);
        put(txn, &rows[t], first_row);
    }
    check_from(txn, &rows[1], first_row, first_row);
    for (int i = 0; i < 5; i++) {
        check_from(txn, &rows[1], first_row, first_row + pz_rng_below(rng, row_count));
    }
    pz_kv_abort(txn);
    for (int t = 0; t < 3; t++) {
        pz_batch_fini(&rows[t]);
    }
}

PZ_TEST(rows_go_in_and_come_out)
{
    struct pz_kv_env *env = scratch_env_open(256u << 20);
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (size_t rows = 1; rows < 200; rows += 1 + rows / 8) {
        round_trip(env, rows, 30, &rng);
    }
    round_trip(env, 20000, 10, &rng);  // bounded by rows
    round_trip(env, 3000, 400, &rng);  // bounded by bytes
    round_trip(env, 20, 150000, &rng); // rows larger than the bound
    pz_kv_close(env);
}

PZ_TEST(values_are_of_bounded_size)
{
    struct pz_kv_env *env = scratch_env_open(256u << 20);
    struct pz_kv_txn *txn = scratch_env_begin(env);
    struct pz_rng rng;
    struct pz_batch rows;
    struct pz_kv_cursor *cursor = NULL;
    struct pz_bytes key;
    struct pz_bytes value;
    struct pz_error err = {0};
    unsigned count = 0;
    pz_rng_init(&rng, pz_test_seed());
    fill(&rows, &def, 10000, &rng, 300);
    put(txn, &rows, 0);
    PZ_REQUIRE_OK(pz_kv_cursor_open(txn, PZ_KV_TAIL, &cursor, &err), &err);
    enum pz_kv_seek seek = PZ_KV_FIRST;
    while (pz_kv_cursor_move(cursor, seek, key, &key, &value, &err) == PZ_OK) {
        PZ_CHECK(value.len < 63u * 1024);
        seek = PZ_KV_NEXT;
        count++;
    }
    PZ_CHECK(count > 5);
    pz_kv_cursor_close(cursor);
    pz_kv_abort(txn);
    pz_batch_fini(&rows);
    pz_kv_close(env);
}

PZ_TEST(a_table_without_rows_gives_none)
{
    struct pz_kv_env *env = scratch_env_open(256u << 20);
    struct pz_kv_txn *txn = scratch_env_begin(env);
    struct pz_rng rng;
    struct pz_batch rows;
    struct pz_error err = {0};
    pz_rng_init(&rng, pz_test_seed());
    fill(&rows, &before, 100, &rng, 30);
    struct expected expected = {.rows = &rows};
    PZ_CHECK_OK(pz_chunk_each(txn, &def, 0, compare_chunk, &expected, &err), &err);
    put(txn, &rows, 5);
    PZ_CHECK_OK(pz_chunk_each(txn, &def, 0, compare_chunk, &expected, &err), &err);
    PZ_CHECK_OK(pz_chunk_each(txn, &before, 105, compare_chunk, &expected, &err), &err);
    PZ_CHECK_EQ_U64(expected.chunk_count, 0);
    pz_kv_abort(txn);
    pz_batch_fini(&rows);
    pz_kv_close(env);
}

// ---- trimming -------------------------------------------------------------------------------

static enum pz_status
note_first(void *payload, uint64_t first_row, const struct pz_batch *rows, struct pz_error *err)
{
    uint64_t *first = payload;
    (void)rows;
    (void)err;
    *first = first_row < *first ? first_row : *first;
    return PZ_OK;
}

static uint64_t
first_chunk(struct pz_kv_txn *txn, const struct pz_table_def *of)
{
    uint64_t first = UINT64_MAX;
    struct pz_error err = {0};
    PZ_CHECK_OK(pz_chunk_each(txn, of, 0, note_first, &first, &err), &err);
    return first;
}

PZ_TEST(trim_keeps_chunks_that_end_later)
{
    struct pz_kv_env *env = scratch_env_open(256u << 20);
    struct pz_kv_txn *txn = scratch_env_begin(env);
    struct pz_rng rng;
    struct pz_error err = {0};
    bool more = true;
    pz_rng_init(&rng, pz_test_seed());
    for (uint64_t first = 0; first < 100; first += 10) { // ten chunks of ten rows
        struct pz_batch rows;
        fill(&rows, &def, 10, &rng, 30);
        put(txn, &rows, first);
        rows.def = &before;
        put(txn, &rows, first);
        rows.def = &after;
        put(txn, &rows, first);
        pz_batch_fini(&rows);
    }
    PZ_CHECK_OK(pz_chunk_trim(txn, def.id, 9, 100, &more, &err), &err);
    PZ_CHECK_EQ_U64(first_chunk(txn, &def), 0);
    PZ_CHECK_OK(pz_chunk_trim(txn, def.id, 35, 100, &more, &err), &err);
    PZ_CHECK(!more);
    PZ_CHECK_EQ_U64(first_chunk(txn, &def), 30);
    PZ_CHECK_OK(pz_chunk_trim(txn, def.id, 100, 2, &more, &err), &err);
    PZ_CHECK(more);
    PZ_CHECK_EQ_U64(first_chunk(txn, &def), 50);
    PZ_CHECK_OK(pz_chunk_trim(txn, def.id, UINT64_MAX, 5, &more, &err), &err);
    PZ_CHECK(!more);
    PZ_CHECK_EQ_U64(first_chunk(txn, &def), UINT64_MAX);
    PZ_CHECK_OK(pz_chunk_trim(txn, def.id, UINT64_MAX, 5, &more, &err), &err);
    PZ_CHECK_EQ_U64(first_chunk(txn, &before), 0);
    PZ_CHECK_EQ_U64(first_chunk(txn, &after), 0);
    pz_kv_abort(txn);
    pz_kv_close(env);
}

// ---- damage ---------------------------------------------------------------------------------

static void
mutate(struct pz_rng *rng, char *value, size_t *len)
{
    static const uint32_t interesting[] = {0, 1, 0x7fffffff, 0x80000000, UINT32_MAX, 65536, 8193};
    switch (pz_rng_below(rng, 4)) {
    case 0:
        *len = (size_t)pz_rng_below(rng, *len);
        break;
    case 1: {
        size_t bit = (size_t)pz_rng_below(rng, *len * 8);
        value[bit / 8] = (char)(value[bit / 8] ^ 1 << bit % 8);
        break;
    }
    case 2: {
        size_t at = (size_t)pz_rng_below(rng, *len < 8 ? 1 : *len - 4);
        memcpy(value + at, &interesting[pz_rng_below(rng, 7)], *len < 8 ? 1 : 4);
        break;
    }
    default:
        value[(*len)++] = (char)pz_rng_u64(rng);
    }
}

static enum pz_status
touch(void *payload, uint64_t first_row, const struct pz_batch *rows, struct pz_error *err)
{
    uint64_t *sum = payload;
    (void)err;
    *sum += first_row;
    for (uint32_t c = 0; c < COLUMNS; c++) {
        PZ_CHECK_EQ_U64(rows->columns[c].row_count, rows->row_count);
        for (size_t row = 0; row < rows->row_count; row++) {
            bool is_text = rows->columns[c].type == PZ_TYPE_TEXT;
            struct pz_str text = is_text ? pz_column_text(&rows->columns[c], row)
                                         : (struct pz_str){rows->columns[c].data, 1};
            *sum += text.len > 0 ? (uint64_t)text.data[text.len - 1] : 0;
        }
    }
    return PZ_OK;
}

PZ_TEST(changed_bytes_are_an_error_and_never_a_crash)
{
    struct pz_kv_env *env = scratch_env_open(256u << 20);
    struct pz_rng rng;
    struct pz_batch rows;
    struct pz_error err = {0};
    static char value[100000];
    unsigned refused = 0;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 4000; i++) {
        struct pz_kv_txn *txn = scratch_env_begin(env);
        char key[12] = {0, 0, 1, 44}; // table 300, row 0
        struct pz_bytes stored;
        uint64_t sum = 0;
        fill(&rows, &def, 1 + (size_t)pz_rng_below(&rng, 20), &rng, 20);
        put(txn, &rows, 0);
        PZ_REQUIRE_OK(pz_kv_get(txn, PZ_KV_TAIL, key, sizeof key, &stored, &err), &err);
        size_t len = stored.len;
        memcpy(value, stored.data, len);
        for (uint64_t changes = 1 + pz_rng_below(&rng, 3); changes > 0 && len > 0; changes--) {
            mutate(&rng, value, &len);
        }
        PZ_REQUIRE_OK(pz_kv_put(txn, PZ_KV_TAIL, PZ_KV_PUT, (struct pz_bytes){key, sizeof key},
                                (struct pz_bytes){value, len}, &err),
                      &err);
        enum pz_status status = pz_chunk_each(txn, &def, 0, touch, &sum, &err);
        PZ_CHECK_MSG(status == PZ_OK || status == PZ_CORRUPT, "%s", err.message);
        refused += status == PZ_CORRUPT;
        pz_kv_abort(txn);
        pz_batch_fini(&rows);
    }
    PZ_CHECK(refused > 2000);
    pz_kv_close(env);
}
