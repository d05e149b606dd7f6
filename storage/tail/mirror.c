// SPDX-License-Identifier: Apache-2.0
// Mirror blocks and layouts. Column memory is taken at full block size but touched only as rows
// arrive, so a small table costs little.
#include "storage/tail/mirror.h"

#include <stdlib.h>

static void
destroy(struct pz_mirror_block *block)
{
    for (uint32_t c = 0; c < block->def->column_count; c++) {
        free(block->columns[c].data);
        free((void *)block->columns[c].valid);
    }
    pz_arena_fini(&block->text);
    free(block);
}

struct pz_mirror_block *
pz_mirror_create(const struct pz_table_def *def, uint64_t first_row, struct pz_error *err)
{
    struct pz_mirror_block *block =
        calloc(1, sizeof *block + def->column_count * sizeof(struct pz_mirror_column));
    if (block == NULL) {
        (void)pz_fail(err, PZ_NO_MEMORY, "no memory for the tail of table %s", def->name);
        return NULL;
    }
    atomic_init(&block->ref_count, 1);
    block->def = def;
    block->first_row = first_row;
    pz_arena_init(&block->text, NULL);
    for (uint32_t c = 0; c < def->column_count; c++) {
        struct pz_mirror_column *column = &block->columns[c];
        size_t size = pz_layout_size(pz_type_layout(def->columns[c].type));
        column->data = malloc(PZ_BLOCK_ROWS * size);
        if (!def->columns[c].is_not_null) {
            column->valid = calloc(PZ_BLOCK_ROWS / 64, sizeof *column->valid);
        }
        if (column->data == NULL || (!def->columns[c].is_not_null && column->valid == NULL)) {
            destroy(block);
            (void)pz_fail(err, PZ_NO_MEMORY, "no memory for the tail of table %s", def->name);
            return NULL;
        }
    }
    return block;
}

struct pz_mirror_block *
pz_mirror_acquire(struct pz_mirror_block *block)
{
    atomic_fetch_add_explicit(&block->ref_count, 1, memory_order_relaxed);
    return block;
}

void
pz_mirror_release(struct pz_mirror_block *block)
{
    if (block != NULL &&
        atomic_fetch_sub_explicit(&block->ref_count, 1, memory_order_acq_rel) == 1) {
        destroy(block);
    }
}

static void
append_validity(struct pz_mirror_column *to, uint32_t at, const struct pz_column *from,
                size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t row = at + i;
        uint64_t bit = UINT64_C(1) << (row & 63);
        uint64_t word = atomic_load_explicit(&to->valid[row >> 6], memory_order_relaxed);
        if (pz_column_is_null(from, first + i)) {
            atomic_store_explicit(&to->has_nulls, true, memory_order_relaxed);
            word &= ~bit;
        } else {
            word |= bit;
        }
        atomic_store_explicit(&to->valid[row >> 6], word, memory_order_relaxed);
    }
}

static enum pz_status
append_text(struct pz_mirror_block *block, struct pz_str *to, const struct pz_column *from,
            size_t first, size_t count, struct pz_error *err)
{
    uint64_t begin = first == 0 ? 0 : from->ends[first - 1];
    uint64_t bytes = from->ends[first + count - 1] - begin;
    char *text = pz_arena_alloc(&block->text, (size_t)bytes);
    if (text == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for the tail of table %s", block->def->name);
    }
    if (bytes > 0) {
        memcpy(text, from->text.data + begin, (size_t)bytes);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t len = pz_column_text(from, first + i).len;
        to[i] = (struct pz_str){text, len};
        text += len;
    }
    return PZ_OK;
}

enum pz_status
pz_mirror_append(struct pz_mirror_block *block, const struct pz_batch *rows, size_t first,
                 size_t count, struct pz_error *err)
{
    uint32_t at = block->row_count;
    PZ_ASSERT(count > 0 && at + count <= PZ_BLOCK_ROWS && first + count <= rows->row_count);
    for (uint32_t c = 0; c < block->def->column_count; c++) {
        struct pz_mirror_column *to = &block->columns[c];
        const struct pz_column *from = &rows->columns[c];
        enum pz_layout layout = pz_type_layout(from->type);
        size_t size = pz_layout_size(layout);
        if (to->valid != NULL) {
            append_validity(to, at, from, first, count);
        }
        if (layout == PZ_LAYOUT_STRING) {
            PZ_TRY(append_text(block, (struct pz_str *)to->data + at, from, first, count, err));
        } else {
            memcpy((char *)to->data + at * size, from->bytes + first * size, count * size);
        }
    }
    block->row_count = at + (uint32_t)count;
    return PZ_OK;
}

void
pz_mirror_read(const struct pz_mirror_block *block, uint32_t column, uint32_t row_count,
               uint64_t *valid_space, struct pz_slice *slice_out)
{
    const struct pz_mirror_column *from = &block->columns[column];
    *slice_out = (struct pz_slice){
        .type = block->def->columns[column].type, .row_count = row_count, .data = from->data};
    if (from->valid == NULL || !atomic_load_explicit(&from->has_nulls, memory_order_relaxed)) {
        return;
    }
    // The last word may be changing for rows that this reader does not see.
    for (size_t word = 0; word < PZ_BIT_WORDS(row_count); word++) {
        valid_space[word] = atomic_load_explicit(&from->valid[word], memory_order_relaxed);
    }
    slice_out->valid = valid_space;
}

struct pz_hidden *
pz_hidden_copy(const struct pz_hidden *from)
{
    struct pz_hidden *copy = pz_xcalloc(1, sizeof *copy);
    if (from != NULL) {
        copy->count = from->count;
        memcpy(copy->bits, from->bits, sizeof copy->bits);
    }
    atomic_init(&copy->ref_count, 1);
    return copy;
}

struct pz_hidden *
pz_hidden_acquire(struct pz_hidden *hidden)
{
    if (hidden != NULL) {
        atomic_fetch_add_explicit(&hidden->ref_count, 1, memory_order_relaxed);
    }
    return hidden;
}

void
pz_hidden_release(struct pz_hidden *hidden)
{
    if (hidden != NULL &&
        atomic_fetch_sub_explicit(&hidden->ref_count, 1, memory_order_acq_rel) == 1) {
        free(hidden);
    }
}

bool
pz_hidden_add(struct pz_hidden *hidden, uint32_t row)
{
    PZ_ASSERT(row < PZ_BLOCK_ROWS);
    if (pz_bit_get(hidden->bits, row)) {
        return false;
    }
    pz_bit_set(hidden->bits, row);
    hidden->count++;
    return true;
}

struct pz_tail_layout *
pz_tail_layout_copy(const struct pz_tail_layout *from, uint32_t skip, uint32_t more)
{
    uint32_t kept = from == NULL ? 0 : from->block_count - skip;
    struct pz_tail_layout *copy =
        pz_xcalloc(1, sizeof *copy + (kept + more) * sizeof(struct pz_tail_entry));
    atomic_init(&copy->ref_count, 1);
    copy->block_count = kept;
    for (uint32_t i = 0; i < kept; i++) {
        copy->entries[i].block = pz_mirror_acquire(from->entries[skip + i].block);
        copy->entries[i].hidden = pz_hidden_acquire(from->entries[skip + i].hidden);
        copy->hidden_count += copy->entries[i].hidden == NULL ? 0 : copy->entries[i].hidden->count;
    }
    return copy;
}

struct pz_tail_layout *
pz_tail_layout_acquire(struct pz_tail_layout *layout)
{
    atomic_fetch_add_explicit(&layout->ref_count, 1, memory_order_relaxed);
    return layout;
}

void
pz_tail_layout_release(struct pz_tail_layout *layout)
{
    if (layout == NULL ||
        atomic_fetch_sub_explicit(&layout->ref_count, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (uint32_t i = 0; i < layout->block_count; i++) {
        pz_mirror_release(layout->entries[i].block);
        pz_hidden_release(layout->entries[i].hidden);
    }
    free(layout);
}

uint32_t
pz_tail_entry_rows(const struct pz_tail_layout *layout, uint32_t index, uint64_t end_row)
{
    uint64_t first = layout->entries[index].block->first_row;
    uint64_t end =
        index + 1 < layout->block_count ? layout->entries[index + 1].block->first_row : end_row;
    PZ_ASSERT(end >= first && end - first <= PZ_BLOCK_ROWS);
    return (uint32_t)(end - first);
}
