// SPDX-License-Identifier: Apache-2.0
// One group of writes: one LMDB transaction, one commit number, one new version.
//
// Each write is applied in turn to what the group has gathered so far: rows go to a batch per
// table, feed rows to the feed's pending overlay. A write that breaks a rule is refused and leaves
// nothing; an error of LMDB ends the whole group. Before the commit the rows are appended to the
// mirrors, where no version counts them yet, so that after the commit nothing can fail.
#include "base/fault.h"
#include "storage/catalog/records.h"
#include "storage/store_internal.h"
#include "storage/tail/chunk.h"
#include "storage/upkeep/upkeep.h"

#include <stdlib.h>

bool
pz__write_is_solo(const struct pz_write *write)
{
    switch (write->kind) {
    case PZ_WRITE_ROWS:
    case PZ_WRITE_LIKE:
    case PZ_WRITE_UNLIKE:
        return false;
    case PZ_WRITE_DELETE_MESSAGE:
    case PZ_WRITE_DELETE_ROWS:
    case PZ_WRITE_CREATE_TABLE:
    case PZ_WRITE_DROP_TABLE:
    case PZ_WRITE_LOAD:
    case PZ_WRITE_INTERNAL:
        return true;
    }
    PZ_UNREACHABLE("every kind of write is listed");
}

static enum pz_status
apply(struct pz_group *group, struct pz_write *write, struct pz_error *err)
{
    switch (write->kind) {
    case PZ_WRITE_ROWS:
        return pz__group_rows(group, write, err);
    case PZ_WRITE_LIKE:
    case PZ_WRITE_UNLIKE:
        return pz__group_like(group, write, err);
    case PZ_WRITE_DELETE_MESSAGE:
        return pz__group_delete_message(group, write, err);
    case PZ_WRITE_DELETE_ROWS:
        return pz__group_delete_rows(group, write, err);
    case PZ_WRITE_CREATE_TABLE:
        return pz__group_create_table(group, write, err);
    case PZ_WRITE_DROP_TABLE:
        return pz__group_drop_table(group, write, err);
    case PZ_WRITE_LOAD:
        return pz__group_load(group, write, err);
    case PZ_WRITE_INTERNAL:
        break;
    }
    PZ_UNREACHABLE("internal jobs run alone");
}

// ---- mirrors --------------------------------------------------------------------------------

// Appends the group's rows of one table behind what versions count.
static enum pz_status
append_to_mirror(struct pz_table *table, struct pz_error *err)
{
    const struct pz_batch *rows = &table->group_rows;
    struct pz_tail_layout *layout = table->state.layout;
    struct pz_mirror_block *block =
        layout->block_count == 0 ? NULL : layout->entries[layout->block_count - 1].block;
    table->saved_rows = block == NULL ? 0 : block->row_count;
    table->has_mirrored = true;
    bool is_open = block != NULL && block->first_row >= table->seal_end;
    uint32_t space = is_open ? PZ_BLOCK_ROWS - block->row_count : 0;
    size_t beyond = rows->row_count > space ? rows->row_count - space : 0;
    if (beyond > 0) {
        uint32_t more = (uint32_t)((beyond + PZ_BLOCK_ROWS - 1) / PZ_BLOCK_ROWS);
        table->new_layout = pz_tail_layout_copy(layout, 0, more);
        layout = table->new_layout;
    }
    for (size_t first = 0; first < rows->row_count;) {
        if (space == 0) {
            block = pz_mirror_create(table->state.def, table->state.end_row + first, err);
            if (block == NULL) {
                return PZ_NO_MEMORY;
            }
            layout->entries[layout->block_count++].block = block;
            space = PZ_BLOCK_ROWS;
        }
        size_t count = rows->row_count - first < space ? rows->row_count - first : space;
        PZ_TRY(pz_mirror_append(block, rows, first, count, err));
        first += count;
        space -= (uint32_t)count;
    }
    return PZ_OK;
}

static void
forget_mirror(struct pz_table *table)
{
    struct pz_tail_layout *layout = table->state.layout;
    if (layout->block_count > 0) {
        layout->entries[layout->block_count - 1].block->row_count = table->saved_rows;
    }
    pz_tail_layout_release(table->new_layout);
    table->new_layout = NULL;
}

// ---- hidden rows ----------------------------------------------------------------------------

static bool
is_same_block(const struct pz_hide *a, const struct pz_hide *b)
{
    return a->is_sealed == b->is_sealed && a->entry == b->entry && a->block == b->block;
}

// A copy of `before` with the run of hides in one block that begins at *index added; *index moves
// behind it.
static struct pz_hidden *
merge_run(const struct pz_hide_list *hides, size_t *index, const struct pz_hidden *before)
{
    const struct pz_hide *first = &hides->items[*index];
    struct pz_hidden *bits = pz_hidden_copy(before);
    while (*index < hides->count && is_same_block(first, &hides->items[*index])) {
        (void)pz_hidden_add(bits, hides->items[(*index)++].row);
    }
    return bits;
}

static const struct pz_hidden *
hidden_of(const struct pz_table_state *state, const struct pz_hide *hide)
{
    if (!hide->is_sealed) {
        return state->layout->entries[hide->entry].hidden;
    }
    struct pz_hidden **hidden = state->segments->entries[hide->entry].hidden;
    return hidden == NULL ? NULL : hidden[hide->block];
}

static enum pz_status
put_hides(struct pz_group *group, struct pz_table *table, struct pz_error *err)
{
    const struct pz_table_state *state = &table->state;
    for (size_t i = 0; i < table->hides.count;) {
        const struct pz_hide *hide = &table->hides.items[i];
        if (!hide->is_sealed) {
            uint64_t row_number = state->layout->entries[hide->entry].block->first_row + hide->row;
            PZ_TRY(pz_catalog_put_deleted_tail(group->txn, state->def->id, row_number, err));
            i++;
            continue;
        }
        const struct pz_segment *segment = state->segments->entries[hide->entry].segment;
        uint32_t block = hide->block;
        struct pz_hidden *bits = merge_run(&table->hides, &i, hidden_of(state, hide));
        enum pz_status status =
            pz_catalog_put_deleted(group->txn, state->def->id, pz_segment_info(segment)->segment_id,
                                   block, bits->bits, err);
        pz_hidden_release(bits);
        PZ_TRY(status);
    }
    return PZ_OK;
}

// Replaces the lists by ones in which the rows are hidden.
static void
apply_hides(struct pz_table *table)
{
    struct pz_table_state *state = &table->state;
    struct pz_segment_list *segments = pz__segment_list_copy(state->segments, NULL);
    struct pz_tail_layout *layout = pz_tail_layout_copy(state->layout, 0, 0);
    for (size_t i = 0; i < table->hides.count;) {
        const struct pz_hide *hide = &table->hides.items[i];
        struct pz_hidden *bits = merge_run(&table->hides, &i, hidden_of(state, hide));
        if (hide->is_sealed) {
            pz__segment_list_hide(segments, hide->entry, hide->block, bits);
        } else {
            struct pz_tail_entry *entry = &layout->entries[hide->entry];
            layout->hidden_count +=
                bits->count - (entry->hidden == NULL ? 0 : entry->hidden->count);
            pz_hidden_release(entry->hidden);
            entry->hidden = bits;
        }
    }
    pz__segment_list_release(state->segments);
    pz_tail_layout_release(state->layout);
    state->segments = segments;
    state->layout = layout;
}

// ---- the transaction ------------------------------------------------------------------------

static enum pz_status
put_rows(struct pz_group *group, struct pz_error *err)
{
    struct pz_store *store = group->store;
    for (uint32_t i = 0; i < store->table_count; i++) {
        struct pz_table *table = store->tables[i];
        if (table->group_rows.row_count > 0) {
            PZ_TRY(pz_chunk_put_rows(group->txn, &table->group_rows, table->state.end_row, err));
            PZ_TRY(append_to_mirror(table, err));
        }
        if (table->hides.count > 0) {
            PZ_TRY(put_hides(group, table, err));
        }
    }
    return pz__store_put_commit(store, group->txn, store->commit + 1, err);
}

static void
forget_rows(struct pz_store *store)
{
    for (uint32_t i = 0; i < store->table_count; i++) {
        struct pz_table *table = store->tables[i];
        if (table->group_rows.row_count > 0) {
            pz_batch_clear(&table->group_rows);
        }
        table->hides.count = 0;
    }
}

static void
forget_mirrors(struct pz_store *store)
{
    for (uint32_t i = 0; i < store->table_count; i++) {
        struct pz_table *table = store->tables[i];
        if (table->has_mirrored) {
            forget_mirror(table);
            table->has_mirrored = false;
        }
    }
}

// After the commit: the writer's tables follow, and a new version shows them.
static void
follow(struct pz_store *store)
{
    uint64_t rows_written = 0;
    for (uint32_t i = 0; i < store->table_count; i++) {
        struct pz_table *table = store->tables[i];
        if (table->hides.count > 0) {
            PZ_ASSERT(table->new_layout == NULL); // it would lack the hidden rows
            apply_hides(table);
        }
        if (table->group_rows.row_count > 0) {
            if (table->new_layout != NULL) {
                pz_tail_layout_release(table->state.layout);
                table->state.layout = table->new_layout;
                table->new_layout = NULL;
            }
            table->has_mirrored = false;
            table->state.end_row += table->group_rows.row_count;
            rows_written += table->group_rows.row_count;
        }
    }
    forget_rows(store);
    store->commit++;
    atomic_fetch_add_explicit(&store->counters.rows_written, rows_written, memory_order_relaxed);
}

static enum pz_status
run(struct pz_group *group, struct pz_write *writes, struct pz_error *err)
{
    for (struct pz_write *write = writes; write != NULL; write = write->next) {
        write->error = (struct pz_error){0};
        write->status = apply(group, write, &write->error);
        if (group->is_fatal) {
            *err = write->error;
            return write->status;
        }
    }
    return group->has_changes ? put_rows(group, err) : PZ_OK;
}

static void
answer(struct pz_store *store, struct pz_write *writes, enum pz_status status,
       const struct pz_error *err)
{
    (void)pz_fault_visit(PZ_FAULT_answer_before);
    for (struct pz_write *next; writes != NULL; writes = next) {
        next = writes->next;
        if (status != PZ_OK) {
            writes->status = status;
            writes->error = *err;
        }
        writes->commit = store->commit;
        writes->done(writes);
    }
}

static bool
needs_upkeep(const struct pz_store *store)
{
    uint64_t seal_rows = store->options.seal_rows;
    for (uint32_t i = 0; i < store->table_count; i++) {
        if (store->tables[i]->state.end_row - store->tables[i]->sealed_row >= seal_rows) {
            return true;
        }
    }
    return false;
}

// Deleting goes on when the disk is full: it may make room.
static enum pz_status
check_space(struct pz_store *store, const struct pz_write *writes, struct pz_error *err)
{
    uint64_t bytes = 0;
    bool is_growth = false;
    for (const struct pz_write *write = writes; write != NULL; write = write->next) {
        bytes += pz__write_bytes(write);
        is_growth |= write->kind != PZ_WRITE_DELETE_MESSAGE &&
                     write->kind != PZ_WRITE_DELETE_ROWS && write->kind != PZ_WRITE_DROP_TABLE;
    }
    // Pages are written anew as a whole, so count rows twice.
    return is_growth ? pz__store_check_space(store, 2 * bytes, err) : PZ_OK;
}

struct publication {
    struct pz_store *store;
    struct pz_version *version; // the new one, then the one before
};

static void
publish_version(void *payload)
{
    struct publication *publication = payload;
    (void)pz_fault_visit(PZ_FAULT_publish_before_version);
    publication->version = pz__version_exchange(publication->store, publication->version);
}

// Shows the group to SQL and feed at one instant.
static void
publish(struct pz_store *store)
{
    struct publication publication = {store, pz__version_create(store)};
    pz_feed_group_commit(store->feed, publish_version, &publication);
    pz_version_release(publication.version); // may free much, or unlink files
}

void
pz__group_commit(struct pz_store *store, struct pz_write *writes)
{
    struct pz_error err = {0};
    struct pz_group group = {.store = store};
    enum pz_status status = check_space(store, writes, &err);
    if (status == PZ_OK) {
        status = pz_kv_begin_write(store->kv, &group.txn, &err);
    }
    if (status != PZ_OK) {
        answer(store, writes, status, &err);
        return;
    }
    pz_feed_group_begin(store->feed, group.txn);
    status = run(&group, writes, &err);
    bool is_committed = false;
    if (status == PZ_OK && group.has_changes) {
        status = pz__store_commit(store, group.txn, &err);
        is_committed = status == PZ_OK;
    } else {
        pz_kv_abort(group.txn);
    }
    if (is_committed) {
        pz__store_symbols_persisted(store);
        follow(store);
        pz__group_ddl_committed(&group);
        pz__group_load_committed(&group);
        publish(store);
        if (needs_upkeep(store)) {
            pz__upkeep_wake(store);
        }
    } else {
        forget_mirrors(store);
        forget_rows(store);
        pz__group_ddl_aborted(&group);
        pz_feed_group_abort(store->feed);
    }
    answer(store, writes, status, &err);
}
