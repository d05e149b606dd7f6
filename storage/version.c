// SPDX-License-Identifier: Apache-2.0
// Versions: what a query holds. A version is a copy of every table's lists as of one commit; the
// lists themselves are immutable and counted, so making one costs a few increments a table.
#include "storage/store_internal.h"

#include <stdlib.h>

static void
count_entry(struct pz_segment_list *list, const struct pz_sealed_entry *entry)
{
    list->block_count += pz_segment_block_count(entry->segment);
    list->row_count += pz_segment_info(entry->segment)->row_count;
}

struct pz_segment_list *
pz__segment_list_copy(const struct pz_segment_list *from, struct pz_segment *added)
{
    uint32_t kept = from == NULL ? 0 : from->count;
    struct pz_segment_list *list =
        pz_xcalloc(1, sizeof *list + (kept + 1) * sizeof(struct pz_sealed_entry));
    atomic_init(&list->ref_count, 1);
    for (uint32_t i = 0; i < kept; i++) {
        const struct pz_sealed_entry *old = &from->entries[i];
        struct pz_sealed_entry *entry = &list->entries[list->count++];
        entry->segment = pz_segment_acquire(old->segment);
        entry->first_block = list->block_count;
        count_entry(list, entry);
        if (old->hidden == NULL) {
            continue;
        }
        uint32_t blocks = pz_segment_block_count(entry->segment);
        entry->hidden = pz_xcalloc(blocks, sizeof(struct pz_hidden *));
        for (uint32_t b = 0; b < blocks; b++) {
            entry->hidden[b] = pz_hidden_acquire(old->hidden[b]);
            list->hidden_count += old->hidden[b] == NULL ? 0 : old->hidden[b]->count;
        }
    }
    if (added != NULL) {
        struct pz_sealed_entry *entry = &list->entries[list->count++];
        entry->segment = added;
        entry->first_block = list->block_count;
        count_entry(list, entry);
    }
    return list;
}

struct pz_segment_list *
pz__segment_list_extend(struct pz_segment_list *list, struct pz_segment *added)
{
    PZ_ASSERT(atomic_load_explicit(&list->ref_count, memory_order_relaxed) == 1);
    list = pz_xrealloc(list, sizeof *list + (list->count + 1) * sizeof(struct pz_sealed_entry));
    struct pz_sealed_entry *entry = &list->entries[list->count++];
    *entry = (struct pz_sealed_entry){.segment = added, .first_block = list->block_count};
    count_entry(list, entry);
    return list;
}

void
pz__segment_list_hide(struct pz_segment_list *list, uint32_t index, uint32_t block,
                      struct pz_hidden *hidden)
{
    PZ_ASSERT(index < list->count && hidden != NULL);
    struct pz_sealed_entry *entry = &list->entries[index];
    uint32_t blocks = pz_segment_block_count(entry->segment);
    PZ_ASSERT(block < blocks);
    if (entry->hidden == NULL) {
        entry->hidden = pz_xcalloc(blocks, sizeof(struct pz_hidden *));
    }
    if (entry->hidden[block] != NULL) {
        list->hidden_count -= entry->hidden[block]->count;
        pz_hidden_release(entry->hidden[block]);
    }
    entry->hidden[block] = hidden;
    list->hidden_count += hidden->count;
}

struct pz_segment_list *
pz__segment_list_acquire(struct pz_segment_list *list)
{
    atomic_fetch_add_explicit(&list->ref_count, 1, memory_order_relaxed);
    return list;
}

void
pz__segment_list_release(struct pz_segment_list *list)
{
    if (list == NULL || atomic_fetch_sub_explicit(&list->ref_count, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        struct pz_sealed_entry *entry = &list->entries[i];
        if (entry->hidden != NULL) {
            uint32_t blocks = pz_segment_block_count(entry->segment);
            for (uint32_t b = 0; b < blocks; b++) {
                pz_hidden_release(entry->hidden[b]);
            }
            free((void *)entry->hidden);
        }
        pz_segment_release(entry->segment);
    }
    free(list);
}

static void
destroy(struct pz_version *version)
{
    for (uint32_t i = 0; i < version->table_count; i++) {
        pz__segment_list_release(version->tables[i].segments);
        pz_tail_layout_release(version->tables[i].layout);
    }
    free(version);
}

struct pz_version *
pz__version_exchange(struct pz_store *store, struct pz_version *version)
{
    pz_mutex_lock(&store->version_mutex);
    struct pz_version *old = store->version;
    store->version = version;
    pz_mutex_unlock(&store->version_mutex);
    return old;
}

struct pz_version *
pz__version_create(struct pz_store *store)
{
    struct pz_version *version =
        pz_xcalloc(1, sizeof *version + store->table_count * sizeof(struct pz_table_state));
    atomic_init(&version->ref_count, 1);
    version->store = store;
    version->commit = store->commit;
    version->table_count = store->table_count;
    for (uint32_t i = 0; i < store->table_count; i++) {
        version->tables[i] = store->tables[i]->state;
        (void)pz__segment_list_acquire(version->tables[i].segments);
        (void)pz_tail_layout_acquire(version->tables[i].layout);
    }
    return version;
}

void
pz__version_publish(struct pz_store *store)
{
    pz_version_release(pz__version_exchange(store, pz__version_create(store)));
}

void
pz__version_retire(struct pz_store *store)
{
    pz_version_release(pz__version_exchange(store, NULL));
}

struct pz_version *
pz_version_acquire(struct pz_store *store)
{
    pz_mutex_lock(&store->version_mutex);
    struct pz_version *version = store->version;
    atomic_fetch_add_explicit(&version->ref_count, 1, memory_order_relaxed);
    pz_mutex_unlock(&store->version_mutex);
    return version;
}

void
pz_version_release(struct pz_version *version)
{
    if (version != NULL &&
        atomic_fetch_sub_explicit(&version->ref_count, 1, memory_order_acq_rel) == 1) {
        destroy(version);
    }
}

uint64_t
pz_version_commit(const struct pz_version *version)
{
    return version->commit;
}

uint32_t
pz_version_table_count(const struct pz_version *version)
{
    return version->table_count;
}

const struct pz_table_def *
pz_version_table_at(const struct pz_version *version, uint32_t index)
{
    PZ_ASSERT(index < version->table_count);
    return version->tables[index].def;
}

const struct pz_table_def *
pz_version_find_table(const struct pz_version *version, struct pz_str name)
{
    for (uint32_t i = 0; i < version->table_count; i++) {
        if (pz_str_equal_nocase(pz_str_from(version->tables[i].def->name), name)) {
            return version->tables[i].def;
        }
    }
    return NULL;
}

void
pz_version_rows(const struct pz_version *version, const struct pz_table_def *def,
                struct pz_table_rows *rows_out)
{
    for (uint32_t i = 0; i < version->table_count; i++) {
        const struct pz_table_state *state = &version->tables[i];
        if (state->def != def) {
            continue;
        }
        uint64_t tail_rows = 0;
        for (uint32_t b = 0; b < state->layout->block_count; b++) {
            tail_rows += pz_tail_entry_rows(state->layout, b, state->end_row);
        }
        *rows_out = (struct pz_table_rows){
            .version = version,
            .def = def,
            .block_count = state->segments->block_count + state->layout->block_count,
            .sealed_block_count = state->segments->block_count,
            .row_count = state->segments->row_count - state->segments->hidden_count + tail_rows -
                         state->layout->hidden_count,
            .state = state,
        };
        return;
    }
    PZ_UNREACHABLE("the table is one of the version's");
}

static void
sealed_block(const struct pz_segment_list *list, uint32_t index, struct pz_block *block)
{
    uint32_t low = 0;
    for (uint32_t high = list->count; high - low > 1;) {
        uint32_t middle = low + (high - low) / 2;
        if (list->entries[middle].first_block <= index) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const struct pz_sealed_entry *entry = &list->entries[low];
    uint32_t within = index - entry->first_block;
    const struct pz_hidden *hidden = entry->hidden == NULL ? NULL : entry->hidden[within];
    block->is_sealed = true;
    block->segment = entry->segment;
    block->segment_block = within;
    block->row_count = pz_segment_block_rows(entry->segment, within);
    block->deleted = hidden == NULL ? NULL : hidden->bits;
    block->deleted_count = hidden == NULL ? 0 : hidden->count;
}

void
pz_table_block(const struct pz_table_rows *rows, uint32_t index, struct pz_block *block_out)
{
    PZ_ASSERT(index < rows->block_count);
    *block_out = (struct pz_block){.def = rows->def};
    if (index < rows->sealed_block_count) {
        sealed_block(rows->state->segments, index, block_out);
        return;
    }
    const struct pz_tail_layout *layout = rows->state->layout;
    uint32_t within = index - rows->sealed_block_count;
    const struct pz_hidden *hidden = layout->entries[within].hidden;
    block_out->mirror = layout->entries[within].block;
    block_out->row_count = pz_tail_entry_rows(layout, within, rows->state->end_row);
    block_out->deleted = hidden == NULL ? NULL : hidden->bits;
    block_out->deleted_count = hidden == NULL ? 0 : hidden->count;
}

const struct pz_stats *
pz_block_stats(const struct pz_block *block, uint32_t column)
{
    return block->is_sealed ? pz_segment_block_stats(block->segment, block->segment_block, column)
                            : NULL;
}

const struct pz_day_run *
pz_block_day_runs(const struct pz_block *block, uint32_t *count_out)
{
    if (!block->is_sealed) {
        *count_out = 0;
        return NULL;
    }
    return pz_segment_day_runs(block->segment, block->segment_block, count_out);
}

const struct pz_stats *
pz_block_run_stats(const struct pz_block *block, uint32_t run, uint32_t column)
{
    PZ_ASSERT(block->is_sealed);
    return pz_segment_run_stats(block->segment, block->segment_block, run, column);
}

struct pz_page_scratch *
pz_page_scratch_create(void)
{
    return pz_xcalloc(1, sizeof(struct pz_page_scratch));
}

void
pz_page_scratch_destroy(struct pz_page_scratch *scratch)
{
    if (scratch != NULL) {
        pz_page_scratch_fini(scratch);
        free(scratch);
    }
}

enum pz_status
pz_block_read(const struct pz_block *block, uint32_t column, struct pz_page_scratch *scratch,
              struct pz_slice *slice_out, struct pz_error *err)
{
    if (block->is_sealed) {
        return pz_segment_read(block->segment, block->segment_block, column, scratch, slice_out,
                               err);
    }
    if (scratch->valid_words < PZ_BLOCK_ROWS / 64) {
        free(scratch->valid);
        scratch->valid = malloc(PZ_BLOCK_ROWS / 8);
        scratch->valid_words = scratch->valid == NULL ? 0 : PZ_BLOCK_ROWS / 64;
        if (scratch->valid == NULL) {
            return pz_fail(err, PZ_NO_MEMORY, "no memory to read table %s", block->def->name);
        }
    }
    pz_mirror_read(block->mirror, column, block->row_count, scratch->valid, slice_out);
    return PZ_OK;
}
