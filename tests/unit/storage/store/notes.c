// SPDX-License-Identifier: Apache-2.0
// The table of notes. See notes.h.
#include "tests/unit/storage/store/notes.h"

#include "base/file.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

enum pz_status
notes_try_open(const char *dir, struct pz_store **store_out, struct pz_error *err)
{
    const struct pz_store_options options = {.create = true,
                                             .is_manual = true,
                                             .is_ephemeral = true,
                                             .cache_bytes = 4u << 20,
                                             .map_bytes = 1u << 30};
    return pz_store_open(dir, &options, store_out, err);
}

struct pz_store *
notes_open(const char *dir)
{
    struct pz_store *store = NULL;
    struct pz_error err = {0};
    PZ_REQUIRE_OK(notes_try_open(dir, &store, &err), &err);
    return store;
}

enum pz_status
notes_try_create(struct pz_store *store, const char *name, struct pz_error *err)
{
    struct pz_column_def columns[] = {
        {.name = "n", .type = PZ_TYPE_BIGINT, .is_not_null = true},
        {.name = "at", .type = PZ_TYPE_TIMESTAMP},
        {.name = "tag", .type = PZ_TYPE_SYMBOL},
        {.name = "text", .type = PZ_TYPE_TEXT},
    };
    struct pz_table_def def = {.time_column = 1, .column_count = 4, .columns = columns};
    (void)snprintf(def.name, sizeof def.name, "%s", name);
    struct pz_write write = {.kind = PZ_WRITE_CREATE_TABLE, .table = &def};
    return pz_store_submit_wait(store, &write, err);
}

void
notes_create(struct pz_store *store, const char *name)
{
    struct pz_error err = {0};
    PZ_REQUIRE_OK(notes_try_create(store, name, &err), &err);
}

const struct pz_table_def *
notes_table(struct pz_store *store, const char *name)
{
    struct pz_version *version = pz_version_acquire(store);
    const struct pz_table_def *def = pz_version_find_table(version, pz_str_from(name));
    pz_version_release(version); // definitions live as long as the store
    PZ_REQUIRE(def != NULL);
    return def;
}

uint32_t
notes_symbol(struct pz_store *store, uint32_t domain_id, const char *name)
{
    uint32_t code = 0;
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_symbol_intern(store, domain_id, pz_str_from(name), &code, &err), &err);
    return code;
}

void
notes_fill(struct pz_store *store, struct pz_batch *batch, const struct pz_table_def *def,
           int64_t first, size_t count)
{
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_batch_init(batch, def, &err), &err);
    PZ_REQUIRE_OK(pz_batch_reserve(batch, count, &err), &err);
    for (int64_t n = first; n < first + (int64_t)count; n++) {
        char text[40];
        pz_column_append_int(&batch->columns[0], n);
        if (n % 13 == 12) {
            pz_column_append_null(&batch->columns[1]);
        } else {
            pz_column_append_int(&batch->columns[1], n);
        }
        (void)snprintf(text, sizeof text, "tag %lld", (long long)n / 10);
        pz_column_append_code(&batch->columns[2],
                              notes_symbol(store, def->columns[2].domain_id, text));
        (void)snprintf(text, sizeof text, "note %lld", (long long)n);
        PZ_REQUIRE_OK(pz_column_append_text(&batch->columns[3], pz_str_from(text), &err), &err);
        PZ_REQUIRE_OK(pz_batch_end_row(batch, false, 0, &err), &err);
    }
}

void
notes_add(struct pz_store *store, const char *name, int64_t first, size_t count)
{
    struct pz_batch batch;
    struct pz_error err = {0};
    struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
    notes_fill(store, &batch, notes_table(store, name), first, count);
    PZ_CHECK_OK(pz_store_submit_wait(store, &write, &err), &err);
    PZ_CHECK_EQ_U64(write.accepted, count);
    pz_batch_fini(&batch);
}

uint64_t
notes_delete(struct pz_store *store, const char *name, int64_t modulus)
{
    struct pz_error err = {0};
    struct pz_table_rows rows;
    struct pz_page_scratch *scratch = pz_page_scratch_create();
    pz_layout_lock(store);
    struct pz_version *version = pz_version_acquire(store);
    const struct pz_table_def *def = pz_version_find_table(version, pz_str_from(name));
    pz_version_rows(version, def, &rows);
    uint64_t **blocks = pz_xcalloc(rows.block_count + 1, sizeof *blocks);
    for (uint32_t b = 0; b < rows.block_count; b++) {
        struct pz_block block;
        struct pz_slice slice;
        pz_table_block(&rows, b, &block);
        PZ_REQUIRE_OK(pz_block_read(&block, 0, scratch, &slice, &err), &err);
        blocks[b] = pz_xcalloc(PZ_BLOCK_ROWS / 64, sizeof(uint64_t));
        for (uint32_t row = 0; row < block.row_count; row++) {
            if (((const int64_t *)slice.data)[row] % modulus == 0) {
                pz_bit_set(blocks[b], row);
            }
        }
    }
    struct pz_row_selection selection = {
        .def = def, .version = version, .block_count = rows.block_count, .blocks = blocks};
    struct pz_write write = {.kind = PZ_WRITE_DELETE_ROWS, .selection = &selection};
    PZ_CHECK_OK(pz_store_submit_wait(store, &write, &err), &err);
    pz_layout_unlock(store);
    for (uint32_t b = 0; b < rows.block_count; b++) {
        free(blocks[b]);
    }
    free((void *)blocks);
    pz_version_release(version);
    pz_page_scratch_destroy(scratch);
    return write.accepted;
}

uint64_t
notes_count(struct pz_store *store, const char *name)
{
    struct pz_table_rows rows;
    struct pz_version *version = pz_version_acquire(store);
    pz_version_rows(version, pz_version_find_table(version, pz_str_from(name)), &rows);
    uint64_t count = rows.row_count;
    pz_version_release(version);
    return count;
}

static bool
is_right(struct pz_store *store, const struct pz_table_def *def, const struct pz_slice *slices,
         uint32_t row)
{
    char text[40];
    char tag[40];
    int64_t n = ((const int64_t *)slices[0].data)[row];
    uint32_t code = ((const uint32_t *)slices[2].data)[row];
    (void)snprintf(text, sizeof text, "note %lld", (long long)n);
    (void)snprintf(tag, sizeof tag, "tag %lld", (long long)n / 10);
    return pz_slice_is_null(&slices[1], row) == (n % 13 == 12) &&
           (n % 13 == 12 || ((const int64_t *)slices[1].data)[row] == n) &&
           pz_str_equal(pz_symbol_name(store, def->columns[2].domain_id, code), pz_str_from(tag)) &&
           pz_str_equal(((const struct pz_str *)slices[3].data)[row], pz_str_from(text));
}

static void
count_block(struct pz_store *store, const struct pz_block *block,
            struct pz_page_scratch **scratches, int64_t first, uint8_t *seen, size_t count)
{
    struct pz_slice slices[4];
    struct pz_error err = {0};
    for (uint32_t c = 0; c < 4; c++) {
        PZ_REQUIRE_OK(pz_block_read(block, c, scratches[c], &slices[c], &err), &err);
    }
    for (uint32_t row = 0; row < block->row_count; row++) {
        int64_t n = ((const int64_t *)slices[0].data)[row];
        PZ_REQUIRE(n >= first && n < first + (int64_t)count);
        if (block->deleted == NULL || !pz_bit_get(block->deleted, row)) {
            seen[n - first]++;
            PZ_CHECK_MSG(is_right(store, block->def, slices, row), "note %lld", (long long)n);
        }
    }
}

void
notes_check(struct pz_store *store, const char *name, int64_t first, size_t count, int64_t deleted)
{
    struct pz_page_scratch *scratches[4];
    struct pz_table_rows rows;
    struct pz_version *version = pz_version_acquire(store);
    uint8_t *seen = pz_xcalloc(count + 1, 1);
    for (int c = 0; c < 4; c++) {
        scratches[c] = pz_page_scratch_create();
    }
    pz_version_rows(version, pz_version_find_table(version, pz_str_from(name)), &rows);
    for (uint32_t b = 0; b < rows.block_count; b++) {
        struct pz_block block;
        pz_table_block(&rows, b, &block);
        count_block(store, &block, scratches, first, seen, count);
    }
    for (size_t i = 0; i < count; i++) {
        int64_t n = first + (int64_t)i;
        unsigned wanted = deleted == 0 || n % deleted != 0;
        PZ_CHECK_MSG(seen[i] == wanted, "note %lld is there %u times, not %u", (long long)n,
                     seen[i], wanted);
    }
    for (int c = 0; c < 4; c++) {
        pz_page_scratch_destroy(scratches[c]);
    }
    free(seen);
    pz_version_release(version);
}

void
notes_check_store(struct pz_store *store)
{
    struct pz_buffer report = {0};
    struct pz_error err = {0};
    uint64_t problems = 0;
    PZ_CHECK_OK(pz_store_check(store, &report, &problems, &err), &err);
    PZ_CHECK_MSG(problems == 0, "%s", report.data == NULL ? "" : report.data);
    pz_buffer_fini(&report);
}

static enum pz_status
count_file(void *payload, const char *name, struct pz_error *err)
{
    (void)name;
    (void)err;
    (*(unsigned *)payload)++;
    return PZ_OK;
}

unsigned
notes_file_count(const char *dir, uint32_t table_id)
{
    char path[512];
    unsigned count = 0;
    struct pz_error err = {0};
    (void)snprintf(path, sizeof path, "%s/segments/%u", dir, table_id);
    PZ_CHECK_OK(pz_dir_each(path, count_file, &count, &err), &err);
    return count;
}
