// SPDX-License-Identifier: Apache-2.0
// Reads a segment just written back from its file and compares it with the rows it was made of: a
// codec's bug, or a disk's, must show while the rows still exist elsewhere.
#include "storage/segment/segment_internal.h"

static bool
is_same_text(const struct pz_column *column, size_t first, const struct pz_slice *slice)
{
    const struct pz_str *texts = slice->data;
    for (uint32_t i = 0; i < slice->row_count; i++) {
        if (!pz_column_is_null(column, first + i) &&
            !pz_str_equal(pz_column_text(column, first + i), texts[i])) {
            return false;
        }
    }
    return true;
}

// Doubles by their bits, as all others.
static bool
is_same_value(const struct pz_column *column, size_t first, const struct pz_slice *slice)
{
    size_t size = pz_layout_size(pz_type_layout(column->type));
    const char *wanted = (const char *)column->data + first * size;
    const char *found = slice->data;
    if (slice->valid == NULL) {
        return memcmp(wanted, found, slice->row_count * size) == 0;
    }
    for (uint32_t i = 0; i < slice->row_count; i++) {
        if (!pz_column_is_null(column, first + i) &&
            memcmp(wanted + i * size, found + i * size, size) != 0) {
            return false;
        }
    }
    return true;
}

static bool
is_same_validity(const struct pz_column *column, size_t first, const struct pz_slice *slice)
{
    if (column->valid == NULL && slice->valid == NULL) {
        return true;
    }
    for (uint32_t i = 0; i < slice->row_count; i++) {
        if (pz_column_is_null(column, first + i) != pz_slice_is_null(slice, i)) {
            return false;
        }
    }
    return true;
}

static enum pz_status
verify_page(struct pz_segment *segment, const struct pz_batch *rows, uint32_t block,
            uint32_t column, struct pz_page_scratch *scratch, struct pz_error *err)
{
    const struct pz_column *data = &rows->columns[column];
    size_t first = (size_t)block * PZ_BLOCK_ROWS;
    struct pz_slice slice;
    PZ_TRY(pz_segment_read(segment, block, column, scratch, &slice, err));
    bool is_same =
        is_same_validity(data, first, &slice) &&
        (pz_type_layout(data->type) == PZ_LAYOUT_STRING ? is_same_text(data, first, &slice)
                                                        : is_same_value(data, first, &slice));
    if (!is_same) {
        return pz_fail(err, PZ_INTERNAL,
                       "column %s of block %u reads back other than it was written",
                       rows->def->columns[column].name, block);
    }
    return PZ_OK;
}

static bool
is_same_stats(const struct pz_stats *a, const struct pz_stats *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (a[i].row_count != b[i].row_count || a[i].null_count != b[i].null_count ||
            a[i].has_range != b[i].has_range || a[i].has_sum != b[i].has_sum ||
            a[i].min != b[i].min || a[i].max != b[i].max || a[i].sum != b[i].sum ||
            memcmp(&a[i].real_min, &b[i].real_min, sizeof(double)) != 0 ||
            memcmp(&a[i].real_max, &b[i].real_max, sizeof(double)) != 0) {
            return false;
        }
    }
    return true;
}

static enum pz_status
verify_footer(const struct pz__footer *found, const struct pz__footer *wanted, struct pz_error *err)
{
    bool is_same = found->block_count == wanted->block_count &&
                   found->column_count == wanted->column_count &&
                   found->run_count == wanted->run_count;
    for (uint32_t i = 0; is_same && i < wanted->run_count; i++) {
        is_same = found->runs[i].day == wanted->runs[i].day &&
                  found->runs[i].is_null_day == wanted->runs[i].is_null_day &&
                  found->runs[i].row_first == wanted->runs[i].row_first &&
                  found->runs[i].row_count == wanted->runs[i].row_count;
    }
    size_t columns = wanted->column_count;
    if (!is_same ||
        !is_same_stats(found->block_stats, wanted->block_stats, columns * wanted->block_count) ||
        !is_same_stats(found->run_stats, wanted->run_stats, columns * wanted->run_count)) {
        return pz_fail(err, PZ_INTERNAL, "the footer reads back other than it was written");
    }
    return PZ_OK;
}

enum pz_status
pz__segment_verify(const char *path, const struct pz_segment_info *info,
                   const struct pz_batch *rows, const struct pz__footer *footer,
                   struct pz_error *err)
{
    struct pz_page_scratch scratch = {0};
    struct pz_segment *segment = NULL;
    enum pz_status status = pz_segment_open(path, rows->def, info, NULL, &segment, err);
    if (status != PZ_OK) {
        return status;
    }
    uint32_t blocks = footer->block_count;
    status = verify_footer(pz__segment_footer(segment), footer, err);
    for (uint32_t page = 0; page < blocks * footer->column_count && status == PZ_OK; page++) {
        status = verify_page(segment, rows, page % blocks, page / blocks, &scratch, err);
    }
    pz_page_scratch_fini(&scratch);
    pz_segment_release(segment);
    return status;
}
