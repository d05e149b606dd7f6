// SPDX-License-Identifier: Apache-2.0
// Batches against a plain array of rows: appending, NULLs, undoing, copying, permuting.
#include "storage/column/batch.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS 5u

static struct pz_column_def columns[COLUMNS] = {
    {.name = "flag", .type = PZ_TYPE_BOOLEAN}, {.name = "id", .type = PZ_TYPE_BIGINT},
    {.name = "real", .type = PZ_TYPE_DOUBLE},  {.name = "text", .type = PZ_TYPE_TEXT},
    {.name = "code", .type = PZ_TYPE_SYMBOL},
};
static const struct pz_table_def def = {.id = 100,
                                        .name = "t",
                                        .time_column = PZ_NO_COLUMN,
                                        .column_count = COLUMNS,
                                        .columns = columns};

struct row {
    bool is_null[COLUMNS];
    int64_t id;
    char text[16];
};

static struct row
random_row(struct pz_rng *rng, double null_share)
{
    struct row row = {.id = (int64_t)pz_rng_u64(rng)};
    for (uint32_t i = 0; i < COLUMNS; i++) {
        row.is_null[i] = pz_rng_chance(rng, null_share);
    }
    (void)snprintf(row.text, sizeof(row.text), "%.*s", (int)pz_rng_below(rng, 12), "abcdefghijkl");
    return row;
}

static void
append_value(struct pz_batch *batch, const struct row *row, uint32_t column)
{
    struct pz_column *c = &batch->columns[column];
    struct pz_error err;
    if (row->is_null[column]) {
        pz_column_append_null(c);
        return;
    }
    switch (column) {
    case 0:
        pz_column_append_byte(c, row->id & 1);
        break;
    case 1:
        pz_column_append_int(c, row->id);
        break;
    case 2:
        pz_column_append_real(c, (double)row->id / 3);
        break;
    case 3:
        PZ_CHECK_OK(pz_column_append_text(c, pz_str_from(row->text), &err), &err);
        break;
    default:
        pz_column_append_code(c, (uint32_t)row->id);
        break;
    }
}

static void
append_row(struct pz_batch *batch, const struct row *row, uint64_t line)
{
    struct pz_error err;
    PZ_REQUIRE_OK(pz_batch_reserve(batch, 1, &err), &err);
    for (uint32_t i = 0; i < COLUMNS; i++) {
        append_value(batch, row, i);
    }
    PZ_REQUIRE_OK(pz_batch_end_row(batch, line != 0, line, &err), &err);
}

static void
check_row(const struct pz_batch *batch, size_t at, const struct row *row)
{
    for (uint32_t i = 0; i < COLUMNS; i++) {
        PZ_CHECK_MSG(pz_column_is_null(&batch->columns[i], at) == row->is_null[i],
                     "row %zu, column %u", at, i);
    }
    PZ_CHECK(row->is_null[0] || batch->columns[0].bytes[at] == (row->id & 1));
    PZ_CHECK(row->is_null[1] || batch->columns[1].ints[at] == row->id);
    PZ_CHECK(row->is_null[2] || batch->columns[2].reals[at] == (double)row->id / 3);
    PZ_CHECK(row->is_null[3] ||
             pz_str_equal(pz_column_text(&batch->columns[3], at), pz_str_from(row->text)));
    PZ_CHECK(row->is_null[4] || batch->columns[4].codes[at] == (uint32_t)row->id);
}

static void
check_null_counts(const struct pz_batch *batch)
{
    for (uint32_t i = 0; i < COLUMNS; i++) {
        size_t nulls = 0;
        for (size_t row = 0; row < batch->row_count; row++) {
            nulls += pz_column_is_null(&batch->columns[i], row);
        }
        PZ_CHECK_EQ_U64(batch->columns[i].null_count, nulls);
        PZ_CHECK_EQ_U64(batch->columns[i].row_count, batch->row_count);
    }
}

static void
run_model(uint64_t seed, double null_share)
{
    struct pz_rng rng;
    struct pz_error err;
    struct pz_batch batch;
    pz_rng_init(&rng, seed);
    PZ_REQUIRE_OK(pz_batch_init(&batch, &def, &err), &err);
    enum { ROWS = 3000 };
    struct row *rows = calloc(ROWS, sizeof(*rows));
    for (size_t i = 0; i < ROWS; i++) {
        rows[i] = random_row(&rng, i < 200 ? 0 : null_share);
        if (pz_rng_chance(&rng, 0.1)) { // an unfinished row that is taken back
            struct row other = random_row(&rng, 0.5);
            PZ_REQUIRE_OK(pz_batch_reserve(&batch, 1, &err), &err);
            for (uint32_t c = 0; c < pz_rng_below(&rng, COLUMNS + 1); c++) {
                append_value(&batch, &other, c);
            }
            pz_batch_undo_row(&batch);
        }
        append_row(&batch, &rows[i], 0);
    }
    PZ_CHECK_EQ_U64(batch.row_count, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        check_row(&batch, i, &rows[i]);
    }
    check_null_counts(&batch);

    uint32_t order[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) {
        order[i] = i;
    }
    for (uint32_t i = ROWS - 1; i > 0; i--) {
        uint32_t j = (uint32_t)pz_rng_below(&rng, i + 1);
        uint32_t swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    PZ_REQUIRE_OK(pz_batch_permute(&batch, order, &err), &err);
    for (size_t i = 0; i < ROWS; i++) {
        check_row(&batch, i, &rows[order[i]]);
    }
    check_null_counts(&batch);
    free(rows);
    pz_batch_fini(&batch);
}

PZ_TEST(rows_come_back_as_they_went_in)
{
    run_model(pz_test_seed(), 0);
    run_model(pz_test_seed() + 1, 0.3);
    run_model(pz_test_seed() + 2, 1);
}

PZ_TEST(ranges_of_rows_are_appended_at_any_bit)
{
    struct pz_rng rng;
    struct pz_error err;
    struct pz_batch from;
    struct pz_batch into;
    pz_rng_init(&rng, pz_test_seed());
    enum { ROWS = 700 };
    struct row *rows = calloc(ROWS, sizeof(*rows));
    PZ_REQUIRE_OK(pz_batch_init(&from, &def, &err), &err);
    PZ_REQUIRE_OK(pz_batch_init(&into, &def, &err), &err);
    for (size_t i = 0; i < ROWS; i++) {
        rows[i] = random_row(&rng, 0.2);
        append_row(&from, &rows[i], i + 1);
    }
    size_t picked[20000];
    size_t count = 0;
    while (count < 10000) {
        size_t first = pz_rng_below(&rng, ROWS + 1);
        size_t part = pz_rng_below(&rng, ROWS - first + 1);
        PZ_REQUIRE_OK(pz_batch_append_rows(&into, &from, first, part, &err), &err);
        for (size_t i = 0; i < part; i++) {
            picked[count++] = first + i;
        }
    }
    PZ_REQUIRE(into.row_count == count);
    for (size_t i = 0; i < count; i++) {
        check_row(&into, i, &rows[picked[i]]);
        PZ_CHECK_EQ_U64(into.lines[i], picked[i] + 1);
    }
    check_null_counts(&into);
    free(rows);
    pz_batch_fini(&from);
    pz_batch_fini(&into);
}

PZ_TEST(rows_without_nulls_follow_rows_with_them)
{
    struct pz_error err;
    struct pz_batch with;
    struct pz_batch without;
    struct row null_row = {.is_null = {true, true, true, true, true}};
    struct row row = {.id = 7, .text = "seven"};
    PZ_REQUIRE_OK(pz_batch_init(&with, &def, &err), &err);
    PZ_REQUIRE_OK(pz_batch_init(&without, &def, &err), &err);
    append_row(&with, &null_row, 0);
    for (int i = 0; i < 200; i++) {
        append_row(&without, &row, 0);
    }
    PZ_REQUIRE_OK(pz_batch_append_rows(&with, &without, 0, 200, &err), &err);
    check_row(&with, 0, &null_row);
    for (size_t i = 1; i <= 200; i++) {
        check_row(&with, i, &row);
    }
    check_null_counts(&with);
    pz_batch_fini(&with);
    pz_batch_fini(&without);
}

PZ_TEST(a_cleared_batch_starts_anew)
{
    struct pz_error err;
    struct pz_batch batch;
    struct row null_row = {.is_null = {true, true, true, true, true}};
    struct row row = {.id = 1, .text = "one"};
    PZ_REQUIRE_OK(pz_batch_init(&batch, &def, &err), &err);
    append_row(&batch, &null_row, 5);
    pz_batch_clear(&batch);
    PZ_CHECK_EQ_U64(batch.row_count, 0);
    PZ_CHECK(batch.lines == NULL);
    append_row(&batch, &row, 0);
    check_row(&batch, 0, &row);
    PZ_CHECK(batch.columns[1].valid == NULL);
    PZ_CHECK(pz_batch_bytes(&batch) > 0);
    pz_batch_fini(&batch);
    pz_batch_fini(&batch); // of a zeroed batch
}

PZ_TEST(a_value_set_is_no_longer_null)
{
    struct pz_error err;
    struct pz_batch batch;
    struct row null_row = {.is_null = {true, true, true, true, true}};
    PZ_REQUIRE_OK(pz_batch_init(&batch, &def, &err), &err);
    append_row(&batch, &null_row, 0);
    pz_column_set_int(&batch.columns[1], 0, 42);
    PZ_CHECK(!pz_column_is_null(&batch.columns[1], 0));
    PZ_CHECK_EQ_I64(batch.columns[1].ints[0], 42);
    PZ_CHECK_EQ_U64(batch.columns[1].null_count, 0);
    pz_batch_fini(&batch);
}
