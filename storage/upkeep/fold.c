// SPDX-License-Identifier: Apache-2.0
// Folding: the feed's overlay goes to LMDB in slices, each a transaction of its own between two
// groups. Between slices it pauses while writes wait, so that the groups
// keep most of the writer's time.
#include "base/clock.h"
#include "base/fault.h"

#include "storage/store_internal.h"

#define SLICE_MESSAGES 256u       // beside waiting writes: a slice takes a few milliseconds
#define SLICE_MESSAGES_IDLE 4096u // when nothing waits
#define PAUSE_US_MAX 20000

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

enum pz_status
pz__fold_all(struct pz_store *store, bool is_urgent, struct pz_error *err)
{
    static const uint32_t feed_tables[PZ_FEED_KIND_COUNT] = {
        PZ_TABLE_MESSAGES, PZ_TABLE_LIKES, PZ_TABLE_VIEWS, PZ_TABLE_MESSAGE_DELETIONS};
    struct slice slice = {.store = store, .is_first = true, .starts = true, .more = true};
    while (slice.more && !pz__upkeep_is_stopping(store)) {
        PZ_TRY(pz__store_check_space(store, 0, err));
        int64_t start_us = pz_clock_mono_us();
        slice.message_count = has_waiting_writes(store) ? SLICE_MESSAGES : SLICE_MESSAGES_IDLE;
        PZ_TRY(pz__store_run_internal(store, fold_slice, &slice, err));
        int64_t pause_us = (pz_clock_mono_us() - start_us) * (is_urgent ? 1 : 2);
        if (slice.more && has_waiting_writes(store)) {
            pz_clock_sleep_us(pause_us < PAUSE_US_MAX ? pause_us : PAUSE_US_MAX);
        }
    }
    atomic_fetch_add_explicit(&store->counters.folds, 1, memory_order_relaxed);
    for (int i = 0; i < PZ_FEED_KIND_COUNT; i++) {
        PZ_TRY(pz__trim_table(store, feed_tables[i], err));
    }
    return PZ_OK;
}
