// SPDX-License-Identifier: Apache-2.0
// Folding: the feed's overlay goes to LMDB in slices, each a transaction of its own between two
// groups. Their size, and the pauses between them, are those of pace.c.
#include "storage/upkeep/upkeep.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

static void
row_ends(struct pz_store *store, uint64_t ends[PZ_FEED_KIND_COUNT])
{
    for (uint32_t i = 0; i < store->table_count; i++) {
        enum pz_feed_kind kind;
        if (pz__feed_kind_of(store->tables[i]->state.def->id, &kind)) {
            ends[kind] = store->tables[i]->state.end_row;
        }
    }
}

struct slice {
    struct pz_store *store;
    bool is_first;
    bool starts; // a fold of what is there now has yet to begin
    uint32_t message_count;
    int64_t elapsed_us; // of the transaction
    bool more;
};

static enum pz_status
fold_slice(struct pz_write *write, void *context, struct pz_error *err)
{
    struct slice *slice = context;
    struct pz_store *store = slice->store;
    struct pz_kv_txn *txn = NULL;
    uint64_t ends[PZ_FEED_KIND_COUNT] = {0};
    (void)write;
    bool is_folding = pz_feed_is_folding(store->feed);
    if (slice->starts && (slice->is_first || !is_folding)) {
        row_ends(store, ends);
        pz_feed_fold_start(store->feed, ends); // nothing when rows are being folded already
        slice->starts = is_folding;
    }
    slice->is_first = false;
    int64_t start_us = pz_clock_mono_us();
    PZ_TRY(pz_kv_begin_write(store->kv, &txn, err));
    enum pz_status status = pz_feed_fold_slice(store->feed, txn, slice->message_count, err);
    if (status != PZ_OK) {
        pz_kv_abort(txn);
        pz_feed_fold_slice_aborted(store->feed);
        return status;
    }
    if (pz_fault_visit(PZ_FAULT_fold_before_slice) != 0) {
        pz_kv_abort(txn);
        pz_feed_fold_slice_aborted(store->feed);
        return pz_fail(err, PZ_IO, "fault point fold_before_slice");
    }
    status = pz__store_commit(store, txn, err);
    if (status != PZ_OK) {
        pz_feed_fold_slice_aborted(store->feed);
        return status;
    }
    slice->elapsed_us = pz_clock_mono_us() - start_us;
    (void)pz_fault_visit(PZ_FAULT_fold_after_slice);
    pz_feed_fold_slice_committed(store->feed);
    atomic_fetch_add_explicit(&store->counters.fold_slices, 1, memory_order_relaxed);
    slice->more = slice->starts || pz_feed_is_folding(store->feed);
    return PZ_OK;
}

static bool
has_waiting_writes(struct pz_store *store)
{
    pz_mutex_lock(&store->queue_mutex);
    bool is_waiting = store->queue_head != NULL || store->is_writing;
    pz_mutex_unlock(&store->queue_mutex);
    return is_waiting;
}

static uint64_t
rows_written(struct pz_store *store)
{
    return atomic_load_explicit(&store->counters.rows_written, memory_order_relaxed);
}

enum pz_status
pz__fold_all(struct pz_store *store, bool is_urgent,
             void (*between)(struct pz_store *store, void *payload), void *payload,
             struct pz_error *err)
{
    static const uint32_t feed_tables[PZ_FEED_KIND_COUNT] = {
        PZ_TABLE_MESSAGES, PZ_TABLE_LIKES, PZ_TABLE_VIEWS, PZ_TABLE_MESSAGE_DELETIONS};
    struct slice slice = {.store = store, .is_first = true, .starts = true, .more = true};
    struct pz_fold_pace pace;
    pz__fold_pace_init(&pace, is_urgent, rows_written(store));
    pz_log(PZ_LOG_DEBUG, "fold begins: %llu entries",
           (unsigned long long)pz_feed_unfolded(store->feed));
    while (slice.more && !pz__upkeep_is_stopping(store)) {
        PZ_TRY(pz__store_check_space(store, 0, err));
        slice.message_count = pace.message_count;
        PZ_TRY(pz__store_run_internal(store, fold_slice, &slice, err));
        pz__fold_pace_follow(&pace, slice.elapsed_us, has_waiting_writes(store),
                             rows_written(store));
        if (slice.more) {
            pz_clock_sleep_us(pace.pause_us);
        }
        if (slice.more && between != NULL) {
            between(store, payload);
        }
    }
    pz_log(PZ_LOG_DEBUG, "fold ends");
    atomic_fetch_add_explicit(&store->counters.folds, 1, memory_order_relaxed);
    for (int i = 0; i < PZ_FEED_KIND_COUNT; i++) {
        PZ_TRY(pz__trim_table(store, feed_tables[i], err));
    }
    return PZ_OK;
}
