// SPDX-License-Identifier: Apache-2.0
// Start-up: the catalog into memory, segments opened, the tail's chunks into mirrors and into the
// feed's overlay. Nothing is written, so a crash in the middle needs no care.
#include "base/clock.h"
#include "base/log.h"
#include "storage/catalog/builtin.h"
#include "storage/catalog/records.h"
#include "storage/catalog/symbols.h"
#include "storage/store_internal.h"
#include "storage/tail/chunk.h"

#include <stdio.h>
#include <stdlib.h>

struct recovery {
    struct pz_store *store;
    struct pz_kv_txn *txn;
    struct pz_table *table; // whose chunks are being read
    uint64_t folded;        // rows below are in the feed's base; UINT64_MAX: none of the feed's
};

// ---- catalog --------------------------------------------------------------------------------

static enum pz_status
recover_domain(void *payload, uint32_t domain_id, struct pz_str name, struct pz_error *err)
{
    struct recovery *recovery = payload;
    struct pz_store *store = recovery->store;
    if (domain_id >= PZ_DOMAINS_MAX || name.len > PZ_NAME_LEN_MAX) {
        return pz_fail(err, PZ_CORRUPT, "catalog: domain %u does not parse", domain_id);
    }
    if (domain_id >= store->next_domain_id) {
        store->next_domain_id = domain_id + 1;
    }
    if (domain_id >= PZ_DOMAIN_ID_FIRST_USER) {
        pz__store_name_domain(store, domain_id, name);
    }
    return pz_domain_load(pz__store_add_domain(store, domain_id), recovery->txn, err);
}

static enum pz_status
recover_table(void *payload, struct pz_table_def *def, struct pz_error *err)
{
    struct recovery *recovery = payload;
    for (uint32_t c = 0; c < def->column_count; c++) {
        if (def->columns[c].type == PZ_TYPE_SYMBOL &&
            (def->columns[c].domain_id >= PZ_DOMAINS_MAX ||
             pz__store_domain(recovery->store, def->columns[c].domain_id) == NULL)) {
            enum pz_status status =
                pz_fail(err, PZ_CORRUPT, "catalog: the domain of %s.%s is missing", def->name,
                        def->columns[c].name);
            free(def);
            return status;
        }
    }
    pz__tables_insert(recovery->store, pz__table_create(def));
    return PZ_OK;
}

static enum pz_status
recover_segment(void *payload, const struct pz_segment_info *info, struct pz_error *err)
{
    struct pz_store *store = ((struct recovery *)payload)->store;
    struct pz_table *table = pz__store_find_table(store, info->table_id);
    char path[4400];
    if (table == NULL) {
        return pz_fail(err, PZ_CORRUPT, "catalog: segment %llu belongs to no table",
                       (unsigned long long)info->segment_id);
    }
    pz__segment_path(store, info->table_id, info->segment_id, false, path, sizeof path);
    struct pz_segment *segment = NULL;
    enum pz_status status =
        pz_segment_open(path, table->state.def, info, store->cache, &segment, err);
    if (status == PZ_NOT_FOUND) {
        status = pz_fail(err, PZ_CORRUPT, "segment file %s of table %s is missing", path,
                         table->state.def->name);
        pz_error_hint(err, "restore the file from a backup; nothing was changed");
    }
    PZ_TRY(status);
    struct pz_segment_list *list = pz__segment_list_copy(table->state.segments, segment);
    pz__segment_list_release(table->state.segments);
    table->state.segments = list;
    return PZ_OK;
}

static enum pz_status
recover_deleted(void *payload, uint32_t table_id, uint64_t segment_id, uint32_t block,
                const uint64_t *bits, struct pz_error *err)
{
    struct pz_table *table = pz__store_find_table(((struct recovery *)payload)->store, table_id);
    for (uint32_t i = 0; table != NULL && i < table->state.segments->count; i++) {
        struct pz_segment *segment = table->state.segments->entries[i].segment;
        if (pz_segment_info(segment)->segment_id != segment_id ||
            block >= pz_segment_block_count(segment)) {
            continue;
        }
        struct pz_hidden *hidden = pz_hidden_copy(NULL);
        for (uint32_t row = 0; row < pz_segment_block_rows(segment, block); row++) {
            if (pz_bit_get(bits, row)) {
                (void)pz_hidden_add(hidden, row);
            }
        }
        pz__segment_list_hide(table->state.segments, i, block, hidden);
        return PZ_OK;
    }
    return pz_fail(err, PZ_CORRUPT, "catalog: deleted rows of unknown segment %llu",
                   (unsigned long long)segment_id);
}

// ---- tail -----------------------------------------------------------------------------------

// Appends rows that are not sealed to the mirror.
static enum pz_status
recover_rows(struct pz_table *table, uint64_t first_row, const struct pz_batch *rows,
             struct pz_error *err)
{
    struct pz_table_state *state = &table->state;
    if (first_row != state->end_row) {
        return pz_fail(err, PZ_CORRUPT, "tail of table %s: rows %llu to %llu are missing",
                       state->def->name, (unsigned long long)state->end_row,
                       (unsigned long long)first_row);
    }
    for (size_t done = 0; done < rows->row_count;) {
        struct pz_tail_layout *layout = state->layout;
        struct pz_mirror_block *block =
            layout->block_count == 0 ? NULL : layout->entries[layout->block_count - 1].block;
        if (block == NULL || block->row_count == PZ_BLOCK_ROWS) {
            block = pz_mirror_create(state->def, state->end_row, err);
            if (block == NULL) {
                return PZ_NO_MEMORY;
            }
            struct pz_tail_layout *longer = pz_tail_layout_copy(layout, 0, 1);
            longer->entries[longer->block_count++].block = block;
            pz_tail_layout_release(layout);
            state->layout = longer;
        }
        size_t space = PZ_BLOCK_ROWS - block->row_count;
        size_t count = rows->row_count - done < space ? rows->row_count - done : space;
        PZ_TRY(pz_mirror_append(block, rows, done, count, err));
        state->end_row += count;
        done += count;
    }
    return PZ_OK;
}

static enum pz_status
recover_chunk(void *payload, uint64_t first_row, const struct pz_batch *rows, struct pz_error *err)
{
    struct recovery *recovery = payload;
    struct pz_table *table = recovery->table;
    for (size_t i = 0; i < rows->row_count && recovery->folded != UINT64_MAX; i++) {
        struct pz_feed_row row;
        if (first_row + i >= recovery->folded && pz__feed_row_of(rows, i, first_row + i, &row)) {
            PZ_TRY(pz_feed_recover_row(recovery->store->feed, &row, err));
        }
    }
    if (first_row + rows->row_count <= table->sealed_row) {
        return PZ_OK;
    }
    // Seals end between commits, and chunks lie within one.
    return recover_rows(table, first_row, rows, err);
}

bool
pz__feed_kind_of(uint32_t table_id, enum pz_feed_kind *kind_out)
{
    switch (table_id) {
    case PZ_TABLE_MESSAGES:
        *kind_out = PZ_FEED_MESSAGE;
        return true;
    case PZ_TABLE_LIKES:
        *kind_out = PZ_FEED_LIKE;
        return true;
    case PZ_TABLE_VIEWS:
        *kind_out = PZ_FEED_VIEW;
        return true;
    case PZ_TABLE_MESSAGE_DELETIONS:
        *kind_out = PZ_FEED_DELETION;
        return true;
    default:
        return false;
    }
}

static enum pz_status
recover_tail(struct recovery *recovery, struct pz_table *table, struct pz_error *err)
{
    char fact[40];
    enum pz_feed_kind kind;
    (void)snprintf(fact, sizeof fact, "sealed/%u", table->state.def->id);
    PZ_TRY(pz_catalog_get_fact(recovery->txn, fact, &table->sealed_row, err));
    table->state.end_row = table->sealed_row;
    table->seal_end = table->sealed_row;
    recovery->table = table;
    recovery->folded = pz__feed_kind_of(table->state.def->id, &kind)
                           ? pz_feed_folded(recovery->store->feed, kind)
                           : UINT64_MAX;
    uint64_t from = recovery->folded < table->sealed_row ? recovery->folded : table->sealed_row;
    return pz_chunk_each(recovery->txn, table->state.def, from, recover_chunk, recovery, err);
}

static enum pz_status
recover_deleted_tail(void *payload, uint32_t table_id, uint64_t row_number, struct pz_error *err)
{
    struct pz_table *table = pz__store_find_table(((struct recovery *)payload)->store, table_id);
    (void)err;
    if (table == NULL || row_number < table->sealed_row || row_number >= table->state.end_row) {
        return PZ_OK;
    }
    struct pz_tail_layout *layout = table->state.layout;
    uint32_t entry = layout->block_count - 1;
    while (layout->entries[entry].block->first_row > row_number) {
        entry--;
    }
    if (layout->entries[entry].hidden == NULL) {
        layout->entries[entry].hidden = pz_hidden_copy(NULL);
    }
    layout->hidden_count +=
        pz_hidden_add(layout->entries[entry].hidden,
                      (uint32_t)(row_number - layout->entries[entry].block->first_row));
    return PZ_OK;
}

// ---- the feed -------------------------------------------------------------------------------

static enum pz_status
recover_feed_tails(struct recovery *recovery, struct pz_error *err)
{
    static const uint32_t in_order[PZ_FEED_KIND_COUNT] = {
        [PZ_FEED_MESSAGE] = PZ_TABLE_MESSAGES,
        [PZ_FEED_LIKE] = PZ_TABLE_LIKES,
        [PZ_FEED_VIEW] = PZ_TABLE_VIEWS,
        [PZ_FEED_DELETION] = PZ_TABLE_MESSAGE_DELETIONS,
    };
    for (int kind = 0; kind < PZ_FEED_KIND_COUNT; kind++) {
        struct pz_table *table = pz__store_find_table(recovery->store, in_order[kind]);
        if (table == NULL) {
            return pz_fail(err, PZ_CORRUPT, "catalog: built-in table %u is missing",
                           in_order[kind]);
        }
        PZ_TRY(recover_tail(recovery, table, err));
    }
    return pz_feed_recover_end(recovery->store->feed, err);
}

static struct pz_segment *
find_segment(struct pz_store *store, uint64_t segment_id)
{
    struct pz_table *views = pz__store_find_table(store, PZ_TABLE_VIEWS);
    const struct pz_segment_list *list = views->state.segments;
    for (uint32_t i = 0; i < list->count; i++) {
        if (pz_segment_info(list->entries[i].segment)->segment_id == segment_id) {
            return list->entries[i].segment;
        }
    }
    return NULL;
}

static enum pz_status
recover_layers(struct recovery *recovery, struct pz_error *err)
{
    uint64_t *ids = NULL;
    size_t count = 0;
    enum pz_status status = pz_feed_layers_waiting(recovery->store->feed, &ids, &count, err);
    for (size_t i = 0; i < count && status == PZ_OK; i++) {
        struct pz_segment *segment = find_segment(recovery->store, ids[i]);
        struct pz_feed_layer *layer = NULL;
        if (segment == NULL) {
            status = pz_fail(err, PZ_CORRUPT, "segment %llu waits to be folded but is missing",
                             (unsigned long long)ids[i]);
            break;
        }
        status = pz__view_layer_of_segment(segment, &layer, err);
        if (status == PZ_OK) {
            pz_feed_layer_add(recovery->store->feed, layer);
        }
    }
    free(ids);
    return status;
}

// ---- all ------------------------------------------------------------------------------------

static enum pz_status
recover_all(struct recovery *recovery, struct pz_error *err)
{
    struct pz_store *store = recovery->store;
    const struct pz_catalog_visitor catalog = {.payload = recovery,
                                               .domain = recover_domain,
                                               .table = recover_table,
                                               .segment = recover_segment,
                                               .deleted = recover_deleted};
    const struct pz_catalog_visitor hidden = {.payload = recovery,
                                              .deleted_tail = recover_deleted_tail};
    uint64_t next_table_id = 0;
    store->next_domain_id = PZ_DOMAIN_ID_FIRST_USER;
    PZ_TRY(pz_catalog_get_fact(recovery->txn, "commit", &store->commit, err));
    PZ_TRY(pz_catalog_get_fact(recovery->txn, "next_table_id", &next_table_id, err));
    uint64_t next_segment_id = 0;
    PZ_TRY(pz_catalog_get_fact(recovery->txn, "next_segment_id", &next_segment_id, err));
    store->next_table_id =
        next_table_id < PZ_TABLE_ID_FIRST_USER ? PZ_TABLE_ID_FIRST_USER : (uint32_t)next_table_id;
    PZ_TRY(pz_catalog_walk(recovery->txn, &catalog, err));
    for (uint32_t i = 0; i < store->table_count; i++) {
        const struct pz_segment_list *list = store->tables[i]->state.segments;
        for (uint32_t s = 0; s < list->count; s++) {
            uint64_t id = pz_segment_info(list->entries[s].segment)->segment_id;
            next_segment_id = id >= next_segment_id ? id + 1 : next_segment_id;
        }
    }
    atomic_store(&store->next_segment_id, next_segment_id == 0 ? 1 : next_segment_id);
    PZ_TRY(recover_feed_tails(recovery, err));
    for (uint32_t i = 0; i < store->table_count; i++) {
        enum pz_feed_kind kind;
        if (!pz__feed_kind_of(store->tables[i]->state.def->id, &kind)) {
            PZ_TRY(recover_tail(recovery, store->tables[i], err));
        }
    }
    PZ_TRY(pz_catalog_walk(recovery->txn, &hidden, err));
    return recover_layers(recovery, err);
}

enum pz_status
pz__store_recover(struct pz_store *store, struct pz_error *err)
{
    struct recovery recovery = {.store = store};
    int64_t start_us = pz_clock_mono_us();
    PZ_TRY(pz_kv_begin_read(store->kv, &recovery.txn, err));
    enum pz_status status = recover_all(&recovery, err);
    pz_kv_abort(recovery.txn);
    PZ_TRY(status);
    PZ_TRY(pz__data_dir_set_orphans_aside(store, err));
    pz_log(PZ_LOG_DEBUG, "recovered commit %llu in %lld us", (unsigned long long)store->commit,
           (long long)(pz_clock_mono_us() - start_us));
    return PZ_OK;
}
