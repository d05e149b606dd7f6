// SPDX-License-Identifier: Apache-2.0
// Loads: many rows become segments on the side and enter by one commit.
//
// Rows gather in memory up to a segment's worth, are sorted, encoded and published as files that
// no catalog row names yet; the commit names them all. What an abort or a crash leaves behind are
// orphans. Views of a load reach the feed's counters as a layer: counts per message, computed
// here, off the writer.
#include "storage/upkeep/upkeep.h"

#include "base/clock.h"
#include "base/log.h"
#include "storage/catalog/builtin.h"
#include "storage/catalog/records.h"

#include <stdlib.h>

#define SEGMENT_ROWS (32u * PZ_BLOCK_ROWS)
#define DENSE_RANGE_MAX (UINT64_C(1) << 26)

struct loaded_segment {
    struct pz_segment_info info;
    struct pz_segment *segment;
    struct pz_feed_layer *layer; // views only
};

struct pz_load {
    struct pz_store *store;
    const struct pz_table_def *def;
    struct pz_batch rows; // not yet in a segment
    struct loaded_segment *segments;
    uint32_t segment_count;
    uint64_t row_count;
};

// ---- view counts ----------------------------------------------------------------------------

static int
compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

struct tally {
    int64_t *ids; // the values to count, then the distinct ones
    size_t count;
};

// Counts by an array over the range of ids.
static enum pz_status
count_dense(const int64_t *ids, size_t count, int64_t min, int64_t max, struct tally *out,
            uint32_t **counts_out, struct pz_error *err)
{
    size_t range = (size_t)(max - min) + 1;
    uint32_t *slots = calloc(range, sizeof *slots);
    size_t distinct = 0;
    if (slots == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory to count views");
    }
    for (size_t i = 0; i < count; i++) {
        distinct += slots[ids[i] - min]++ == 0;
    }
    out->ids = malloc((distinct + 1) * sizeof *out->ids);
    *counts_out = malloc((distinct + 1) * sizeof **counts_out);
    if (out->ids == NULL || *counts_out == NULL) {
        free(slots);
        return pz_fail(err, PZ_NO_MEMORY, "no memory to count views");
    }
    for (size_t slot = 0; slot < range; slot++) {
        if (slots[slot] != 0) {
            out->ids[out->count] = min + (int64_t)slot;
            (*counts_out)[out->count++] = slots[slot];
        }
    }
    free(slots);
    return PZ_OK;
}

static enum pz_status
count_sorted(const int64_t *ids, size_t count, struct tally *out, uint32_t **counts_out,
             struct pz_error *err)
{
    out->ids = malloc(count * sizeof *out->ids);
    *counts_out = malloc(count * sizeof **counts_out);
    if (out->ids == NULL || *counts_out == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory to count views");
    }
    memcpy(out->ids, ids, count * sizeof *ids);
    qsort(out->ids, count, sizeof *out->ids, compare_ids);
    for (size_t i = 0; i < count; i++) {
        if (out->count > 0 && out->ids[out->count - 1] == out->ids[i]) {
            (*counts_out)[out->count - 1]++;
        } else {
            (*counts_out)[out->count] = 1;
            out->ids[out->count++] = out->ids[i];
        }
    }
    return PZ_OK;
}

static enum pz_status
make_layer(const int64_t *ids, size_t count, uint64_t segment_id, struct pz_feed_layer **layer_out,
           struct pz_error *err)
{
    struct tally tally = {NULL, 0};
    uint32_t *counts = NULL;
    int64_t min = ids[0];
    int64_t max = ids[0];
    for (size_t i = 1; i < count; i++) {
        min = ids[i] < min ? ids[i] : min;
        max = ids[i] > max ? ids[i] : max;
    }
    enum pz_status status = (uint64_t)max - (uint64_t)min < DENSE_RANGE_MAX
                                ? count_dense(ids, count, min, max, &tally, &counts, err)
                                : count_sorted(ids, count, &tally, &counts, err);
    if (status != PZ_OK) {
        free(tally.ids);
        free(counts);
        return status;
    }
    *layer_out = pz_feed_layer_create(segment_id, tally.ids, counts, tally.count);
    return PZ_OK;
}

// View counts per message, of rows about to become a segment.
static enum pz_status
layer_of_rows(const struct pz_batch *rows, uint64_t segment_id, struct pz_feed_layer **layer_out,
              struct pz_error *err)
{
    return make_layer(rows->columns[PZ_VIEWS_MESSAGE].ints, rows->row_count, segment_id, layer_out,
                      err);
}

enum pz_status
pz__view_layer_of_segment(struct pz_segment *segment, struct pz_feed_layer **layer_out,
                          struct pz_error *err)
{
    const struct pz_segment_info *info = pz_segment_info(segment);
    struct pz_page_scratch scratch = {0};
    size_t count = 0;
    int64_t *ids = malloc((size_t)info->row_count * sizeof *ids);
    enum pz_status status =
        ids == NULL ? pz_fail(err, PZ_NO_MEMORY, "no memory to count views") : PZ_OK;
    for (uint32_t b = 0; b < pz_segment_block_count(segment) && status == PZ_OK; b++) {
        struct pz_slice slice;
        status = pz_segment_read(segment, b, PZ_VIEWS_MESSAGE, &scratch, &slice, err);
        if (status == PZ_OK && count + slice.row_count <= info->row_count) {
            memcpy(ids + count, slice.data, slice.row_count * sizeof *ids);
            count += slice.row_count;
        }
    }
    pz_page_scratch_fini(&scratch);
    if (status == PZ_OK) {
        status = make_layer(ids, count, info->segment_id, layer_out, err);
    }
    free(ids);
    return status;
}

// ---- gathering ------------------------------------------------------------------------------

bool
pz_load_is_possible(const struct pz_table_def *def)
{
    return def->id != PZ_TABLE_MESSAGES && def->id != PZ_TABLE_LIKES;
}

enum pz_status
pz_load_begin(struct pz_store *store, const struct pz_table_def *def, struct pz_load **load_out,
              struct pz_error *err)
{
    *load_out = NULL;
    PZ_ASSERT(pz_load_is_possible(def));
    struct pz_load *load = pz_xcalloc(1, sizeof *load);
    load->store = store;
    load->def = def;
    enum pz_status status = pz_batch_init(&load->rows, def, err);
    if (status != PZ_OK) {
        free(load);
        return status;
    }
    *load_out = load;
    return PZ_OK;
}

static enum pz_status
write_segment(struct pz_load *load, struct pz_error *err)
{
    if (load->segment_count == 0) {
        pz_log(PZ_LOG_DEBUG, "load begins: table %s", load->def->name);
    }
    uint32_t *order = NULL;
    bool is_sorted = false;
    struct loaded_segment made = {.segment = NULL};
    enum pz_status status = pz_segment_sort_order(&load->rows, &order, &is_sorted, err);
    if (status == PZ_OK && !is_sorted) {
        status = pz_batch_permute(&load->rows, order, err);
    }
    free(order);
    PZ_TRY(status);
    PZ_TRY(pz__segment_publish(load->store, &load->rows, &made.info, &made.segment, err));
    if (load->def->id == PZ_TABLE_VIEWS) {
        status = layer_of_rows(&load->rows, made.info.segment_id, &made.layer, err);
    }
    load->segments =
        pz_xrealloc(load->segments, (load->segment_count + 1) * sizeof *load->segments);
    load->segments[load->segment_count++] = made;
    pz_batch_clear(&load->rows);
    return status;
}

static enum pz_status
check_nulls(const struct pz_table_def *def, struct pz_batch *batch, uint32_t c, int64_t now_us,
            struct pz_error *err)
{
    struct pz_column *column = &batch->columns[c];
    bool is_filled = pz_feed_rule(def->id, c).is_filled; // with a time: no other is in views
    for (size_t row = 0; row < batch->row_count && column->null_count > 0; row++) {
        if (!def->columns[c].is_not_null || !pz_column_is_null(column, row)) {
            continue;
        }
        if (!is_filled) {
            return pz_fail(err, PZ_UNACCEPTABLE, "column \"%s\" must not be null",
                           def->columns[c].name);
        }
        pz_column_set_int(column, row, now_us);
    }
    return PZ_OK;
}

// What the writer's rules would fill or refuse.
static enum pz_status
check(struct pz_load *load, struct pz_batch *batch, struct pz_error *err)
{
    int64_t now_us = pz_clock_wall_us();
    size_t count = batch->row_count;
    char why[PZ_RULE_TEXT_MAX];
    for (uint32_t c = 0; c < load->def->column_count; c++) {
        PZ_TRY(check_nulls(load->def, batch, c, now_us, err));
        if (pz__feed_find_bad_value(load->store, batch, c, 0, count, why) < count) {
            return pz_fail(err, PZ_UNACCEPTABLE, "%s %s", load->def->columns[c].name, why);
        }
    }
    return PZ_OK;
}

enum pz_status
pz_load_add(struct pz_load *load, struct pz_batch *batch, struct pz_error *err)
{
    PZ_ASSERT(batch->def == load->def);
    PZ_TRY(check(load, batch, err));
    for (size_t first = 0; first < batch->row_count;) {
        size_t space = SEGMENT_ROWS - load->rows.row_count;
        size_t count = batch->row_count - first < space ? batch->row_count - first : space;
        PZ_TRY(pz_batch_append_rows(&load->rows, batch, first, count, err));
        first += count;
        load->row_count += count;
        if (load->rows.row_count == SEGMENT_ROWS) {
            PZ_TRY(write_segment(load, err));
        }
    }
    pz_batch_clear(batch);
    return PZ_OK;
}

static void
release(struct pz_load *load, bool is_committed)
{
    // After a failed commit the catalog may name them or not: the next start tells.
    bool is_waste = !is_committed && !pz__store_is_failed(load->store);
    for (uint32_t i = 0; i < load->segment_count; i++) {
        struct loaded_segment *made = &load->segments[i];
        if (is_waste && made->segment != NULL) {
            pz_segment_unlink_on_release(made->segment);
        }
        pz_segment_release(made->segment);
        if (made->layer != NULL) {
            pz_feed_layer_destroy(made->layer);
        }
    }
    if (load->segment_count > 0) {
        pz_log(PZ_LOG_DEBUG, "load ends: %s", is_committed ? "committed" : "nothing stored");
    }
    free(load->segments);
    pz_batch_fini(&load->rows);
    free(load);
}

void
pz_load_abort(struct pz_load *load)
{
    if (load != NULL) {
        release(load, false);
    }
}

// ---- commit ---------------------------------------------------------------------------------

enum pz_status
pz_load_commit(struct pz_load *load, struct pz_batch *letters, struct pz_write *answer,
               struct pz_error *err)
{
    struct pz_batch batches[2];
    enum pz_status status = PZ_OK;
    bool is_tail = load->segment_count == 0 && load->rows.row_count < PZ_BLOCK_ROWS;
    if (!is_tail && load->rows.row_count > 0) {
        status = write_segment(load, err);
    }
    if (status != PZ_OK) {
        release(load, false);
        return status;
    }
    answer->kind = PZ_WRITE_LOAD;
    answer->load = load;
    answer->batches = batches;
    answer->batch_count = 0;
    if (load->rows.row_count > 0) {
        batches[answer->batch_count++] = load->rows;
    }
    if (letters != NULL && letters->row_count > 0) {
        batches[answer->batch_count++] = *letters;
    }
    status = pz_store_submit_wait(load->store, answer, err);
    answer->batches = NULL;
    answer->batch_count = 0;
    answer->load = NULL;
    release(load, status == PZ_OK);
    return status;
}

enum pz_status
pz__group_load(struct pz_group *group, struct pz_write *write, struct pz_error *err)
{
    struct pz_load *load = write->load;
    struct pz_table *table = pz__store_find_table(group->store, load->def->id);
    if (table == NULL || table->state.def != load->def) {
        return pz_fail(err, PZ_NOT_FOUND, "there is no table \"%s\" any more", load->def->name);
    }
    PZ_TRY(pz__group_rows(group, write, err));
    write->accepted = load->rows.row_count; // all of them; the letters do not count
    group->is_fatal = true;                 // LMDB's errors end the transaction
    for (uint32_t i = 0; i < load->segment_count; i++) {
        const struct loaded_segment *made = &load->segments[i];
        PZ_TRY(pz_catalog_put_segment(group->txn, &made->info, err));
        if (made->layer != NULL) {
            PZ_TRY(pz_feed_layer_record(made->layer, group->txn, err));
        }
        write->accepted += made->info.row_count;
        group->has_changes = true;
        group->load = load;
    }
    if (load->segment_count > 0) {
        PZ_TRY(pz_catalog_put_fact(group->txn, "next_segment_id",
                                   atomic_load(&group->store->next_segment_id), err));
    }
    group->is_fatal = false;
    return PZ_OK;
}

void
pz__group_load_committed(struct pz_group *group)
{
    struct pz_load *load = group->load;
    if (load == NULL) {
        return;
    }
    struct pz_table *table = pz__store_find_table(group->store, load->def->id);
    for (uint32_t i = 0; i < load->segment_count; i++) {
        struct loaded_segment *made = &load->segments[i];
        struct pz_segment_list *list =
            pz__segment_list_copy(table->state.segments, pz_segment_acquire(made->segment));
        pz__segment_list_release(table->state.segments);
        table->state.segments = list;
        if (made->layer != NULL) {
            pz_feed_group_add_layer(group->store->feed, made->layer);
            made->layer = NULL;
        }
    }
}
