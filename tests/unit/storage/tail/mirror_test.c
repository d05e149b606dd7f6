// SPDX-License-Identifier: Apache-2.0
// The tail in memory: what is appended is read, NULLs and texts included, and what versions show
// does not change when more is appended, hidden or dropped.
#include "storage/tail/mirror.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

static struct pz_column_def columns[] = {
    {.name = "n", .type = PZ_TYPE_BIGINT, .is_not_null = true},
    {.name = "text", .type = PZ_TYPE_TEXT},
    {.name = "flag", .type = PZ_TYPE_BOOLEAN},
};
static const struct pz_table_def def = {
    .id = 300, .name = "t", .time_column = PZ_NO_COLUMN, .column_count = 3, .columns = columns};

// Row n: n, "row <n>" (NULL when n % 5 == 4), n % 2 (NULL from 1000 on when n % 3 == 0).
static void
fill(struct pz_batch *batch, uint64_t first, size_t count)
{
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_batch_init(batch, &def, &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(batch, count, &err), &err);
    for (uint64_t n = first; n < first + count; n++) {
        char text[32];
        int len = snprintf(text, sizeof text, "row %llu", (unsigned long long)n);
        pz_column_append_int(&batch->columns[0], (int64_t)n);
        if (n % 5 == 4) {
            pz_column_append_null(&batch->columns[1]);
        } else {
            PZ_REQUIRE_OK(pz_column_append_text(&batch->columns[1],
                                                (struct pz_str){text, (uint32_t)len}, &err),
                          &err);
        }
        if (n >= 1000 && n % 3 == 0) {
            pz_column_append_null(&batch->columns[2]);
        } else {
            pz_column_append_byte(&batch->columns[2], n % 2);
        }
        PZ_REQUIRE_OK(pz_batch_end_row(batch, false, 0, &err), &err);
    }
}

static void
append(struct pz_mirror_block *block, uint64_t first, size_t count)
{
    struct pz_batch batch;
    struct pz_error err = {0};
    fill(&batch, first - 1, count + 2); // the middle of a batch
    PZ_REQUIRE_OK(pz_mirror_append(block, &batch, 1, count, &err), &err);
    pz_batch_fini(&batch);
}

static void
check_rows(const struct pz_mirror_block *block, uint32_t count)
{
    static uint64_t valid[3][PZ_BLOCK_ROWS / 64];
    struct pz_slice slices[3];
    for (uint32_t c = 0; c < 3; c++) {
        pz_mirror_read(block, c, count, valid[c], &slices[c]);
        PZ_CHECK_EQ_U64(slices[c].row_count, count);
    }
    PZ_CHECK(slices[0].valid == NULL);
    for (uint32_t row = 0; row < count; row++) {
        char text[32];
        uint64_t n = block->first_row + row;
        (void)snprintf(text, sizeof text, "row %llu", (unsigned long long)n);
        bool holds = ((const int64_t *)slices[0].data)[row] == (int64_t)n &&
                     pz_slice_is_null(&slices[1], row) == (n % 5 == 4) &&
                     pz_slice_is_null(&slices[2], row) == (n >= 1000 && n % 3 == 0);
        holds = holds && (n % 5 == 4 || pz_str_equal(((const struct pz_str *)slices[1].data)[row],
                                                     pz_str_from(text)));
        holds =
            holds && ((n >= 1000 && n % 3 == 0) || ((const uint8_t *)slices[2].data)[row] == n % 2);
        PZ_REQUIRE(holds);
    }
}

PZ_TEST(what_is_appended_is_read)
{
    struct pz_error err = {0};
    struct pz_rng rng;
    struct pz_mirror_block *block = pz_mirror_create(&def, 1, &err);
    uint32_t count = 0;
    pz_rng_init(&rng, pz_test_seed());
    while (count < PZ_BLOCK_ROWS) {
        uint32_t more = 1 + (uint32_t)pz_rng_below(&rng, 3000);
        more = more < PZ_BLOCK_ROWS - count ? more : PZ_BLOCK_ROWS - count;
        append(block, 1 + count, more);
        count += more;
        check_rows(block, (uint32_t)pz_rng_below(&rng, count + 1));
    }
    check_rows(block, PZ_BLOCK_ROWS);
    pz_mirror_release(block);
}

// Rows that a version does not count are overwritten by the next group when theirs is not
// committed, NULLs included.
PZ_TEST(rows_taken_back_leave_nothing)
{
    struct pz_error err = {0};
    struct pz_mirror_block *block = pz_mirror_create(&def, 1, &err);
    append(block, 1, 900);
    append(block, 1903, 700); // other values and NULLs in the places of 901 …
    block->row_count = 900;
    check_rows(block, 900);
    append(block, 901, 800);
    check_rows(block, 1700);
    pz_mirror_release(block);
}

PZ_TEST(no_null_means_no_bits)
{
    struct pz_error err = {0};
    struct pz_slice slice;
    uint64_t valid[PZ_BLOCK_ROWS / 64];
    struct pz_mirror_block *block = pz_mirror_create(&def, 1, &err);
    append(block, 1, 900);
    pz_mirror_read(block, 2, 900, valid, &slice);
    PZ_CHECK(slice.valid == NULL);
    pz_mirror_read(block, 1, 0, valid, &slice);
    PZ_CHECK_EQ_U64(slice.row_count, 0);
    pz_mirror_release(block);
}

PZ_TEST(hidden_rows_are_counted_once)
{
    struct pz_hidden *hidden = pz_hidden_copy(NULL);
    PZ_CHECK(pz_hidden_add(hidden, 0));
    PZ_CHECK(pz_hidden_add(hidden, PZ_BLOCK_ROWS - 1));
    PZ_CHECK(!pz_hidden_add(hidden, 0));
    PZ_CHECK_EQ_U64(hidden->count, 2);
    struct pz_hidden *more = pz_hidden_copy(hidden);
    PZ_CHECK(pz_hidden_add(more, 7));
    PZ_CHECK_EQ_U64(hidden->count, 2);
    PZ_CHECK(!pz_bit_get(hidden->bits, 7));
    PZ_CHECK_EQ_U64(more->count, 3);
    pz_hidden_release(more);
    pz_hidden_release(hidden);
    pz_hidden_release(NULL);
}

PZ_TEST(layouts_keep_what_they_show)
{
    struct pz_error err = {0};
    struct pz_tail_layout *empty = pz_tail_layout_copy(NULL, 0, 2);
    for (uint64_t i = 0; i < 2; i++) {
        struct pz_mirror_block *block = pz_mirror_create(&def, 1 + i * 100, &err);
        append(block, 1 + i * 100, 100);
        empty->entries[empty->block_count++].block = block;
    }
    empty->entries[0].hidden = pz_hidden_copy(NULL);
    (void)pz_hidden_add(empty->entries[0].hidden, 5);
    empty->hidden_count = 1;
    PZ_CHECK_EQ_U64(pz_tail_entry_rows(empty, 0, 150), 100);
    PZ_CHECK_EQ_U64(pz_tail_entry_rows(empty, 1, 150), 49);

    struct pz_tail_layout *all = pz_tail_layout_copy(empty, 0, 1);
    struct pz_tail_layout *rest = pz_tail_layout_copy(empty, 1, 0);
    PZ_CHECK_EQ_U64(all->block_count, 2);
    PZ_CHECK_EQ_U64(all->hidden_count, 1);
    PZ_CHECK_EQ_U64(rest->block_count, 1);
    PZ_CHECK_EQ_U64(rest->hidden_count, 0);
    pz_tail_layout_release(empty);
    struct pz_tail_layout *held = pz_tail_layout_acquire(all);
    pz_tail_layout_release(all);
    check_rows(held->entries[0].block, 100);
    PZ_CHECK(pz_bit_get(held->entries[0].hidden->bits, 5));
    pz_tail_layout_release(held);
    check_rows(rest->entries[0].block, 100); // the last that holds the block
    pz_tail_layout_release(rest);
    pz_tail_layout_release(NULL);
}
