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
#include "storage/upkeep/upkeep.h"

#include <stdio.h>
#include <stdlib.h>

struct recovery {
    struct pz_store *store;
    struct pz_kv_txn *txn;
    struct pz_table *table; // whose chunks are being read
    uint64_t next_row;      // number of the row that the next chunk must hold
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

// Built-in tables are read by position and type all over: they must be what this program knows.
static bool
is_as_built_in(const struct pz_table_def *def)
{
    for (uint32_t i = 0; i < PZ_BUILTIN_TABLE_COUNT; i++) {
        const struct pz_table_def *known = &pz_builtin_tables[i];
        if (known->id != def->id) {
            continue;
        }
        bool is_same =
            def->column_count == known->column_count && def->time_column == known->time_column;
        for (uint32_t c = 0; is_same && c < def->column_count; c++) {
            is_same = def->columns[c].type == known->columns[c].type &&
                      def->columns[c].is_not_null == known->columns[c].is_not_null &&
                      def->columns[c].domain_id == known->columns[c].domain_id;
        }
        return is_same;
    }
    return def->id >= PZ_TABLE_ID_FIRST_USER;
}

static enum pz_status
check_table(struct pz_store *store, const struct pz_table_def *def, struct pz_error *err)
{
    if (!is_as_built_in(def)) {
        return pz_fail(err, PZ_CORRUPT, "catalog: table %u (%s) is not the built-in one", def->id,
                       def->name);
    }
    for (uint32_t c = 0; c < def->column_count; c++) {
        if (def->columns[c].type == PZ_TYPE_SYMBOL &&
            (def->columns[c].domain_id >= PZ_DOMAINS_MAX ||
             pz__store_domain(store, def->columns[c].domain_id) == NULL)) {
            return pz_fail(err, PZ_CORRUPT, "catalog: the domain of %s.%s is missing", def->name,
                           def->columns[c].name);
        }
    }
    return PZ_OK;
}

static enum pz_status
recover_table(void *payload, struct pz_table_def *def, struct pz_error *err)
{
    struct pz_store *store = ((struct recovery *)payload)->store;
    enum pz_status status = check_table(store, def, err);
    if (status != PZ_OK) {
        free(def);
        return status;
    }
    if (def->id >= store->next_table_id) {
        store->next_table_id = def->id + 1;
    }
    pz__tables_insert(store, pz__table_create(def));
    return PZ_OK;
}

// A code that no symbol has would end the program where its name is asked for.
static enum pz_status
check_codes(struct pz_store *store, const struct pz_table_def *def,
            const struct pz_segment *segment, struct pz_error *err)
{
    for (uint32_t c = 0; c < def->column_count; c++) {
        if (def->columns[c].type != PZ_TYPE_SYMBOL) {
            continue;
        }
        int64_t count = pz_symbol_count(store, def->columns[c].domain_id);
        for (uint32_t b = 0; b < pz_segment_block_count(segment); b++) {
            const struct pz_stats *stats = pz_segment_block_stats(segment, b, c);
            if (stats->has_range && stats->max >= count) {
                return pz_fail(err, PZ_CORRUPT,
                               "segment %llu of table %s: column %s holds a symbol that the "
                               "catalog does not know",
                               (unsigned long long)pz_segment_info(segment)->segment_id, def->name,
                               def->columns[c].name);
            }
        }
    }
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
    table->state.segments = pz__segment_list_extend(table->state.segments, segment);
    return check_codes(store, table->state.def, segment, err);
}

// Position in the list, which is in order of id while the catalog is walked; its count when absent.
static uint32_t
find_in_list(const struct pz_segment_list *list, uint64_t segment_id)
{
    uint32_t low = 0;
    uint32_t high = list->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (pz_segment_info(list->entries[middle].segment)->segment_id < segment_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_found =
        low < list->count && pz_segment_info(list->entries[low].segment)->segment_id == segment_id;
    return is_found ? low : list->count;
}

static enum pz_status
recover_deleted(void *payload, uint32_t table_id, uint64_t segment_id, uint32_t block,
                const uint64_t *bits, struct pz_error *err)
{
    struct pz_table *table = pz__store_find_table(((struct recovery *)payload)->store, table_id);
    struct pz_segment_list *list = table == NULL ? NULL : table->state.segments;
    uint32_t entry = list == NULL ? 0 : find_in_list(list, segment_id);
    if (list == NULL || entry == list->count ||
        block >= pz_segment_block_count(list->entries[entry].segment)) {
        return pz_fail(err, PZ_CORRUPT, "catalog: deleted rows of unknown segment %llu",
                       (unsigned long long)segment_id);
    }
    uint32_t row_count = pz_segment_block_rows(list->entries[entry].segment, block);
    struct pz_hidden *hidden = pz_hidden_copy(NULL);
    for (uint32_t row = 0; row < row_count; row++) {
        if (pz_bit_get(bits, row)) {
            (void)pz_hidden_add(hidden, row);
        }
    }
    pz__segment_list_hide(list, entry, block, hidden);
    return PZ_OK;
}

// ---- tail -----------------------------------------------------------------------------------

// Appends rows that are not sealed to the mirror.
static enum pz_status
recover_rows(struct pz_table *table, uint64_t first_row, const struct pz_batch *rows,
             struct pz_error *err)
{
    struct pz_table_state *state = &table->state;
    if (first_row != state->end_row) {
        return pz_fail(err, PZ_CORRUPT, "tail of table %s: a chunk begins at row %llu, not %llu",
                       state->def->name, (unsigned long long)first_row,
                       (unsigned long long)state->end_row);
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
missing_rows(const struct recovery *recovery, uint64_t end_row, struct pz_error *err)
{
    pz_fail(err, PZ_CORRUPT, "tail of table %s: rows %llu to %llu are missing",
            recovery->table->state.def->name, (unsigned long long)recovery->next_row,
            (unsigned long long)end_row);
    pz_error_hint(err, "restore the data directory from a backup; nothing was changed");
    return PZ_CORRUPT;
}

static enum pz_status
check_chunk_codes(const struct recovery *recovery, const struct pz_batch *rows,
                  struct pz_error *err)
{
    for (uint32_t c = 0; c < rows->def->column_count; c++) {
        const struct pz_column *column = &rows->columns[c];
        if (column->type != PZ_TYPE_SYMBOL) {
            continue;
        }
        uint32_t count = pz_symbol_count(recovery->store, rows->def->columns[c].domain_id);
        for (size_t row = 0; row < rows->row_count; row++) {
            if (column->codes[row] >= count && !pz_column_is_null(column, row)) {
                return pz_fail(err, PZ_CORRUPT,
                               "tail of table %s: column %s holds a symbol that the catalog does "
                               "not know",
                               rows->def->name, rows->def->columns[c].name);
            }
        }
    }
    return PZ_OK;
}

static enum pz_status
recover_chunk(void *payload, uint64_t first_row, const struct pz_batch *rows, struct pz_error *err)
{
    struct recovery *recovery = payload;
    struct pz_table *table = recovery->table;
    if (first_row > recovery->next_row) {
        return missing_rows(recovery, first_row, err);
    }
    recovery->next_row = first_row + rows->row_count;
    PZ_TRY(check_chunk_codes(recovery, rows, err));
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
    recovery->next_row = from;
    PZ_TRY(pz_chunk_each(recovery->txn, table->state.def, from, recover_chunk, recovery, err));
    // What is not sealed, or sealed but not folded, must be there as chunks.
    uint64_t end = recovery->folded == UINT64_MAX || recovery->folded < table->sealed_row
                       ? table->sealed_row
                       : recovery->folded;
    return recovery->next_row < end ? missing_rows(recovery, end, err) : PZ_OK;
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
    uint32_t entry = find_in_list(list, segment_id);
    return entry == list->count ? NULL : list->entries[entry].segment;
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
            pz_feed_recover_layer(recovery->store->feed, layer);
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
    if (next_table_id < PZ_TABLE_ID_FIRST_USER || next_table_id > UINT32_MAX) {
        return pz_fail(err, PZ_CORRUPT, "catalog: the next table id cannot be %llu",
                       (unsigned long long)next_table_id);
    }
    store->next_table_id = (uint32_t)next_table_id;
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
