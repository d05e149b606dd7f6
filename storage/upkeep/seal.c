// SPDX-License-Identifier: Apache-2.0
// Sealing: tail rows become a segment.
//
//   1. rotate   on the writer: rows from here on go to a new mirror block
//   2. gather   the rows that are not hidden, sorted by time           upkeep thread
//   3. publish  the file, durable under its final name                 upkeep thread
//   4. commit   on the writer: the catalog names the segment, rows hidden since 1 are hidden in
//               it, the tail's blocks leave the mirror
//   5. trim     chunks that are sealed and folded leave LMDB, a few hundred a commit
//
// Between 1 and 4 the rows are still the tail's; a crash at any point loses nothing.
#include "storage/upkeep/upkeep.h"

#include "base/fault.h"
#include "base/log.h"
#include "storage/catalog/records.h"
#include "storage/tail/chunk.h"

#include <stdio.h>
#include <stdlib.h>

#define TRIM_CHUNKS 256u
#define NOWHERE UINT32_MAX

struct seal {
    struct pz_store *store;
    uint32_t table_id;
    const struct pz_table_def *def;
    struct pz_tail_layout *layout; // the blocks being sealed, as they were at the rotation
    uint32_t entry_count;
    uint64_t end_row;
    uint32_t *positions; // per row of the layout's blocks: its row in the segment, or NOWHERE
    struct pz_batch rows;
    struct pz_segment_info info;
    struct pz_segment *segment; // NULL when every row was hidden
    bool is_committed;
};

// ---- 1: rotate ------------------------------------------------------------------------------

static enum pz_status
rotate(struct pz_write *write, void *context, struct pz_error *err)
{
    struct seal *seal = context;
    struct pz_table *table = pz__store_find_table(seal->store, seal->table_id);
    (void)write;
    (void)err;
    if (table == NULL || table->state.layout->block_count == 0) {
        return PZ_OK;
    }
    struct pz_tail_layout *layout = table->state.layout;
    seal->def = table->state.def;
    seal->layout = pz_tail_layout_acquire(layout);
    seal->entry_count =
        layout->block_count < PZ_SEGMENT_BLOCKS_MAX ? layout->block_count : PZ_SEGMENT_BLOCKS_MAX;
    seal->end_row = seal->entry_count < layout->block_count
                        ? layout->entries[seal->entry_count].block->first_row
                        : table->state.end_row;
    table->seal_end = seal->end_row;
    return PZ_OK;
}

// ---- 2: gather ------------------------------------------------------------------------------

static uint32_t
entry_rows(const struct seal *seal, uint32_t entry)
{
    uint64_t end = entry + 1 < seal->entry_count ? seal->layout->entries[entry + 1].block->first_row
                                                 : seal->end_row;
    return (uint32_t)(end - seal->layout->entries[entry].block->first_row);
}

static enum pz_status
append_value(struct pz_column *to, const struct pz_slice *from, uint32_t row, struct pz_error *err)
{
    if (pz_slice_is_null(from, row)) {
        pz_column_append_null(to);
        return PZ_OK;
    }
    switch (pz_type_layout(from->type)) {
    case PZ_LAYOUT_BYTE:
        pz_column_append_byte(to, ((const uint8_t *)from->data)[row]);
        return PZ_OK;
    case PZ_LAYOUT_CODE:
        pz_column_append_code(to, ((const uint32_t *)from->data)[row]);
        return PZ_OK;
    case PZ_LAYOUT_INT:
        pz_column_append_int(to, ((const int64_t *)from->data)[row]);
        return PZ_OK;
    case PZ_LAYOUT_REAL:
        pz_column_append_real(to, ((const double *)from->data)[row]);
        return PZ_OK;
    case PZ_LAYOUT_STRING:
        return pz_column_append_text(to, ((const struct pz_str *)from->data)[row], err);
    }
    PZ_UNREACHABLE("every layout is listed");
}

static enum pz_status
gather_entry(struct seal *seal, uint32_t entry, struct pz_error *err)
{
    uint64_t valid_space[PZ_BLOCK_ROWS / 64];
    const struct pz_tail_entry *from = &seal->layout->entries[entry];
    uint32_t row_count = entry_rows(seal, entry);
    uint32_t *positions =
        seal->positions + (from->block->first_row - seal->layout->entries[0].block->first_row);
    PZ_TRY(pz_batch_reserve(&seal->rows, row_count, err));
    size_t next = seal->rows.row_count;
    for (uint32_t row = 0; row < row_count; row++) {
        bool is_hidden = from->hidden != NULL && pz_bit_get(from->hidden->bits, row);
        positions[row] = is_hidden ? NOWHERE : (uint32_t)next++;
    }
    for (uint32_t c = 0; c < seal->def->column_count; c++) {
        struct pz_slice slice;
        pz_mirror_read(from->block, c, row_count, valid_space, &slice);
        for (uint32_t row = 0; row < row_count; row++) {
            if (positions[row] != NOWHERE) {
                PZ_TRY(append_value(&seal->rows.columns[c], &slice, row, err));
            }
        }
    }
    seal->rows.row_count = next;
    return PZ_OK;
}

// Sorts the gathered rows by time and lets `positions` follow.
static enum pz_status
sort_rows(struct seal *seal, size_t position_count, struct pz_error *err)
{
    uint32_t *order = NULL;
    uint32_t *inverse = NULL;
    bool is_sorted = false;
    enum pz_status status = pz_segment_sort_order(&seal->rows, &order, &is_sorted, err);
    if (status != PZ_OK || is_sorted) {
        goto out;
    }
    inverse = malloc(seal->rows.row_count * sizeof *inverse);
    if (inverse == NULL) {
        status = pz_fail(err, PZ_NO_MEMORY, "no memory to seal table %s", seal->def->name);
        goto out;
    }
    for (size_t i = 0; i < seal->rows.row_count; i++) {
        inverse[order[i]] = (uint32_t)i;
    }
    for (size_t i = 0; i < position_count; i++) {
        if (seal->positions[i] != NOWHERE) {
            seal->positions[i] = inverse[seal->positions[i]];
        }
    }
    status = pz_batch_permute(&seal->rows, order, err);
out:
    free(inverse);
    free(order);
    return status;
}

static enum pz_status
gather(struct seal *seal, struct pz_error *err)
{
    size_t count = (size_t)(seal->end_row - seal->layout->entries[0].block->first_row);
    seal->positions = malloc(count * sizeof *seal->positions);
    if (seal->positions == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory to seal table %s", seal->def->name);
    }
    PZ_TRY(pz_batch_init(&seal->rows, seal->def, err));
    for (uint32_t entry = 0; entry < seal->entry_count; entry++) {
        PZ_TRY(gather_entry(seal, entry, err));
    }
    return seal->rows.row_count == 0 ? PZ_OK : sort_rows(seal, count, err);
}

// ---- 4: commit ------------------------------------------------------------------------------

// Rows hidden since the rotation, as hidden rows of the new segment (the last of the list).
static enum pz_status
carry_hidden(const struct seal *seal, const struct pz_table *table, struct pz_segment_list *list,
             struct pz_kv_txn *txn, struct pz_error *err)
{
    struct pz_hidden *bits[PZ_SEGMENT_BLOCKS_MAX] = {NULL};
    uint64_t first = seal->layout->entries[0].block->first_row;
    enum pz_status status = PZ_OK;
    for (uint32_t e = 0; e < seal->entry_count; e++) {
        const struct pz_hidden *now = table->state.layout->entries[e].hidden;
        const struct pz_hidden *then = seal->layout->entries[e].hidden;
        uint64_t offset = seal->layout->entries[e].block->first_row - first;
        for (uint32_t row = 0; now != then && row < entry_rows(seal, e); row++) {
            uint32_t position = seal->positions[offset + row];
            if (!pz_bit_get(now->bits, row) || position == NOWHERE) {
                continue;
            }
            uint32_t block = position / PZ_BLOCK_ROWS;
            if (bits[block] == NULL) {
                bits[block] = pz_hidden_copy(NULL);
            }
            (void)pz_hidden_add(bits[block], position % PZ_BLOCK_ROWS);
        }
    }
    for (uint32_t block = 0; block < PZ_SEGMENT_BLOCKS_MAX; block++) {
        if (bits[block] == NULL) {
            continue;
        }
        if (status == PZ_OK) {
            status = pz_catalog_put_deleted(txn, seal->table_id, seal->info.segment_id, block,
                                            bits[block]->bits, err);
        }
        pz__segment_list_hide(list, list->count - 1, block, bits[block]);
    }
    return status;
}

static enum pz_status
put_seal(const struct seal *seal, struct pz_table *table, struct pz_segment_list *list,
         struct pz_kv_txn *txn, struct pz_error *err)
{
    char fact[40];
    (void)snprintf(fact, sizeof fact, "sealed/%u", seal->table_id);
    PZ_TRY(pz_catalog_put_fact(txn, fact, seal->end_row, err));
    PZ_TRY(pz_catalog_trim_deleted_tail(txn, seal->table_id, seal->end_row, err));
    if (seal->segment == NULL) {
        return PZ_OK;
    }
    PZ_TRY(pz_catalog_put_fact(txn, "next_segment_id", atomic_load(&seal->store->next_segment_id),
                               err));
    PZ_TRY(pz_catalog_put_segment(txn, &seal->info, err));
    return carry_hidden(seal, table, list, txn, err);
}

static enum pz_status
commit(struct pz_write *write, void *context, struct pz_error *err)
{
    struct seal *seal = context;
    struct pz_store *store = seal->store;
    struct pz_table *table = pz__store_find_table(store, seal->table_id);
    struct pz_kv_txn *txn = NULL;
    (void)write;
    if (table == NULL) {
        return PZ_OK; // dropped meanwhile
    }
    struct pz_segment_list *list = pz__segment_list_copy(
        table->state.segments, seal->segment == NULL ? NULL : pz_segment_acquire(seal->segment));
    enum pz_status status = pz_kv_begin_write(store->kv, &txn, err);
    if (status == PZ_OK) {
        status = put_seal(seal, table, list, txn, err);
        if (status == PZ_OK) {
            status = pz__store_commit(store, txn, err);
        } else {
            pz_kv_abort(txn);
        }
    }
    if (status != PZ_OK) {
        pz__segment_list_release(list);
        return status;
    }
    seal->is_committed = true;
    (void)pz_fault_visit(PZ_FAULT_seal_after_commit);
    struct pz_tail_layout *layout = pz_tail_layout_copy(table->state.layout, seal->entry_count, 0);
    pz_tail_layout_release(table->state.layout);
    pz__segment_list_release(table->state.segments);
    table->state.layout = layout;
    table->state.segments = list;
    table->sealed_row = seal->end_row;
    pz__version_publish(store);
    atomic_fetch_add_explicit(&store->counters.seals, 1, memory_order_relaxed);
    return PZ_OK;
}

// ---- 5: trim --------------------------------------------------------------------------------

struct trim {
    struct pz_store *store;
    uint32_t table_id;
    bool is_begun; // there was something to trim
    bool more;
};

static enum pz_status
trim_some(struct pz_write *write, void *context, struct pz_error *err)
{
    struct trim *trim = context;
    struct pz_store *store = trim->store;
    struct pz_table *table = pz__store_find_table(store, trim->table_id);
    struct pz_kv_txn *txn = NULL;
    enum pz_feed_kind kind;
    (void)write;
    trim->more = false;
    if (table == NULL) {
        return PZ_OK;
    }
    uint64_t end_row = table->sealed_row;
    if (pz__feed_kind_of(trim->table_id, &kind) && pz_feed_folded(store->feed, kind) < end_row) {
        end_row = pz_feed_folded(store->feed, kind);
    }
    if (end_row <= table->trimmed_row) {
        return PZ_OK;
    }
    if (!trim->is_begun) {
        trim->is_begun = true;
        pz_log(PZ_LOG_DEBUG, "trim begins: table %s", table->state.def->name);
    }
    PZ_TRY(pz_kv_begin_write(store->kv, &txn, err));
    enum pz_status status =
        pz_chunk_trim(txn, trim->table_id, end_row, TRIM_CHUNKS, &trim->more, err);
    if (status != PZ_OK) {
        pz_kv_abort(txn);
        return status;
    }
    status = pz__store_commit(store, txn, err);
    if (status == PZ_OK && !trim->more) {
        table->trimmed_row = end_row;
    }
    return status;
}

enum pz_status
pz__trim_table(struct pz_store *store, uint32_t table_id, struct pz_error *err)
{
    struct trim trim = {.store = store, .table_id = table_id, .more = true};
    while (trim.more) {
        PZ_TRY(pz__store_run_internal(store, trim_some, &trim, err));
    }
    if (trim.is_begun) {
        pz_log(PZ_LOG_DEBUG, "trim ends");
    }
    return PZ_OK;
}

// ---- all ------------------------------------------------------------------------------------

static enum pz_status
seal_rotated(struct seal *seal, struct pz_error *err)
{
    struct pz_store *store = seal->store;
    PZ_TRY(gather(seal, err));
    if (seal->rows.row_count > 0) {
        PZ_TRY(pz__segment_publish(store, &seal->rows, &seal->info, &seal->segment, err));
    }
    pz_layout_lock(store);
    enum pz_status status = pz__store_run_internal(store, commit, seal, err);
    pz_layout_unlock(store);
    return status;
}

enum pz_status
pz__seal_table(struct pz_store *store, uint32_t table_id, struct pz_error *err)
{
    struct seal seal = {.store = store, .table_id = table_id};
    enum pz_status status = pz__store_run_internal(store, rotate, &seal, err);
    if (status == PZ_OK && seal.layout != NULL) {
        pz_log(PZ_LOG_DEBUG, "seal begins: table %s", seal.def->name);
        status = seal_rotated(&seal, err);
        pz_log(PZ_LOG_DEBUG, "seal ends: %s", pz_status_name(status));
    }
    // Of a dropped table, or refused before the commit; after a failed commit it may be named.
    if (seal.segment != NULL && !seal.is_committed && !pz__store_is_failed(store)) {
        pz_segment_unlink_on_release(seal.segment);
    }
    pz_segment_release(seal.segment);
    if (seal.rows.def != NULL) {
        pz_batch_fini(&seal.rows);
    }
    free(seal.positions);
    pz_tail_layout_release(seal.layout);
    return status == PZ_OK ? pz__trim_table(store, table_id, err) : status;
}
