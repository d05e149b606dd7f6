// SPDX-License-Identifier: Apache-2.0
// The upkeep thread: seals tables whose tail is long enough, folds the feed when its overlay is
// large or old. Failures are logged once and tried again later; the rows stay where they are.
#include "base/clock.h"
#include "base/log.h"
#include "storage/store_internal.h"

#define WAKE_EVERY_US 500000
#define FOLD_ENTRIES 60000u         // a fold starts at this many unfolded entries
#define FOLD_ENTRIES_URGENT 500000u // from here on folding pauses less
#define FOLD_AGE_US 3000000         // or after this time when there is any
#define RETRY_AFTER_US 10000000

void
pz__upkeep_wake(struct pz_store *store)
{
    pz_mutex_lock(&store->upkeep_mutex);
    store->upkeep_wanted = true;
    pz_cond_signal(&store->upkeep_cond);
    pz_mutex_unlock(&store->upkeep_mutex);
}

// Waits for work or the next look; false when the thread must end.
static bool
wait_for_work(struct pz_store *store)
{
    int64_t until_us = pz_clock_mono_us() + WAKE_EVERY_US;
    pz_mutex_lock(&store->upkeep_mutex);
    while (!store->upkeep_wanted && !store->upkeep_stopping) {
        if (!pz_cond_wait_until(&store->upkeep_cond, &store->upkeep_mutex, until_us)) {
            break;
        }
    }
    store->upkeep_wanted = false;
    bool goes_on = !store->upkeep_stopping;
    pz_mutex_unlock(&store->upkeep_mutex);
    return goes_on;
}

static bool
is_stopping(struct pz_store *store)
{
    pz_mutex_lock(&store->upkeep_mutex);
    bool stops = store->upkeep_stopping;
    pz_mutex_unlock(&store->upkeep_mutex);
    return stops;
}

static uint64_t
tail_rows(const struct pz_table_state *state)
{
    return state->layout->block_count == 0
               ? 0
               : state->end_row - state->layout->entries[0].block->first_row;
}

static enum pz_status
seal_long_tails(struct pz_store *store, struct pz_error *err)
{
    struct pz_version *version = pz_version_acquire(store);
    enum pz_status status = PZ_OK;
    for (uint32_t i = 0; i < version->table_count && status == PZ_OK && !is_stopping(store); i++) {
        if (tail_rows(&version->tables[i]) >= store->options.seal_rows) {
            status = pz__seal_table(store, version->tables[i].def->id, err);
        }
    }
    pz_version_release(version);
    return status;
}

void *
pz__upkeep_run(void *payload)
{
    struct pz_store *store = payload;
    int64_t folded_us = pz_clock_mono_us();
    int64_t retry_us = 0;
    while (wait_for_work(store)) {
        struct pz_error err = {0};
        int64_t now_us = pz_clock_mono_us();
        if (now_us < retry_us) {
            continue;
        }
        enum pz_status status = seal_long_tails(store, &err);
        uint64_t unfolded = pz_feed_unfolded(store->feed);
        if (status == PZ_OK && !is_stopping(store) &&
            (unfolded >= FOLD_ENTRIES || (unfolded > 0 && now_us - folded_us >= FOLD_AGE_US))) {
            status = pz__fold_all(store, unfolded >= FOLD_ENTRIES_URGENT, &err);
            folded_us = pz_clock_mono_us();
        }
        if (status != PZ_OK && !is_stopping(store)) {
            pz_log_error(&err, "sealing or folding failed; the rows stay in the tail");
            retry_us = pz_clock_mono_us() + RETRY_AFTER_US;
        }
    }
    return NULL;
}

enum pz_status
pz_store_seal_now(struct pz_store *store, uint32_t table_id, struct pz_error *err)
{
    struct pz_version *version = pz_version_acquire(store);
    enum pz_status status = PZ_OK;
    for (uint32_t i = 0; i < version->table_count && status == PZ_OK; i++) {
        if (table_id == 0 || version->tables[i].def->id == table_id) {
            status = pz__seal_table(store, version->tables[i].def->id, err);
        }
    }
    pz_version_release(version);
    return status;
}

enum pz_status
pz_store_fold_now(struct pz_store *store, struct pz_error *err)
{
    return pz__fold_all(store, true, err);
}
