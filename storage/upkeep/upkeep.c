// SPDX-License-Identifier: Apache-2.0
// The upkeep thread: seals tables whose tail is long enough, folds the feed when its overlay is
// large or old. A fold may take long, so seals that fall due meanwhile come between two of its
// slices. Failures are logged once and tried again later; the rows stay where they are.
#include "storage/upkeep/upkeep.h"

#include "base/clock.h"
#include "base/log.h"

#define WAKE_EVERY_US 500000
// A fold starts at this many unfolded entries for each of seal_rows. The more at once, the more of
// them share a page.
#define FOLD_ENTRIES_PER_ROW 3u
#define FOLD_ENTRIES_PER_ROW_URGENT 15u // from here on folding pauses less
#define FOLD_AGE_US 3000000             // or after this time, when writes come slowly
#define FOLD_SLOWLY_ENTRIES 2000u       // that is, at most so many entries in one look
#define FOLD_AGE_US_MAX 60000000        // or after this time in any case
#define UPKEEP_NICE 5                   // the feed goes first
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

bool
pz__upkeep_is_stopping(struct pz_store *store)
{
    pz_mutex_lock(&store->upkeep_mutex);
    bool stops = store->upkeep_stopping;
    pz_mutex_unlock(&store->upkeep_mutex);
    return stops;
}

// The row number from which on rows of the version are not sealed.
static uint64_t
unsealed_row(const struct pz_table_state *state)
{
    return state->layout->block_count == 0 ? state->end_row
                                           : state->layout->entries[0].block->first_row;
}

// Goes on to the next table after a failure; the first failure is the one to tell.
static enum pz_status
seal_long_tails(struct pz_store *store, struct pz_error *err)
{
    struct pz_version *version = pz_version_acquire(store);
    enum pz_status first = PZ_OK;
    for (uint32_t i = 0; i < version->table_count && !pz__upkeep_is_stopping(store); i++) {
        const struct pz_table_state *state = &version->tables[i];
        if (state->end_row - unsealed_row(state) < store->options.seal_rows) {
            continue;
        }
        struct pz_error failure = {0};
        enum pz_status status = pz__seal_table(store, state->def->id, &failure);
        if (status != PZ_OK && first == PZ_OK) {
            first = status;
            *err = failure;
        }
    }
    pz_version_release(version);
    return first;
}

struct round {
    int64_t folded_us; // when the feed was last folded
    uint64_t unfolded; // entries at the last look
    enum pz_status sealed;
    struct pz_error seal_failure;
};

static bool
is_fold_due(const struct pz_store *store, const struct round *round, uint64_t unfolded)
{
    int64_t age_us = pz_clock_mono_us() - round->folded_us;
    bool is_slow = unfolded <= round->unfolded + FOLD_SLOWLY_ENTRIES;
    return unfolded / FOLD_ENTRIES_PER_ROW >= store->options.seal_rows ||
           (unfolded > 0 && is_slow && age_us >= FOLD_AGE_US) ||
           (unfolded > 0 && age_us >= FOLD_AGE_US_MAX);
}

// Between two slices of a fold. What failed is not tried again before the next round.
static void
seal_meanwhile(struct pz_store *store, void *payload)
{
    struct round *round = payload;
    if (round->sealed == PZ_OK) {
        round->sealed = seal_long_tails(store, &round->seal_failure);
    }
}

// One round of whatever is due.
static enum pz_status
work(struct pz_store *store, struct round *round, struct pz_error *err)
{
    pz_mutex_lock(&store->turn_mutex);
    round->sealed = seal_long_tails(store, &round->seal_failure);
    uint64_t unfolded = pz_feed_unfolded(store->feed);
    enum pz_status folded = PZ_OK;
    if (is_fold_due(store, round, unfolded)) {
        bool is_urgent = unfolded / FOLD_ENTRIES_PER_ROW_URGENT >= store->options.seal_rows;
        folded = pz__fold_all(store, is_urgent, seal_meanwhile, round, err);
        round->folded_us = pz_clock_mono_us();
    }
    round->unfolded = pz_feed_unfolded(store->feed);
    pz_mutex_unlock(&store->turn_mutex);
    if (round->sealed != PZ_OK) {
        *err = round->seal_failure;
        return round->sealed;
    }
    return folded;
}

void *
pz__upkeep_run(void *payload)
{
    struct pz_store *store = payload;
    pz_thread_set_nice(UPKEEP_NICE);
    struct round round = {.folded_us = pz_clock_mono_us()};
    int64_t retry_us = 0;
    while (wait_for_work(store)) {
        struct pz_error err = {0};
        if (pz_clock_mono_us() < retry_us) {
            continue;
        }
        enum pz_status status = work(store, &round, &err);
        // When the store is drained or has failed, what is left over comes after the next start.
        if (status != PZ_OK && status != PZ_BUSY && !pz__store_is_failed(store)) {
            pz_log_error(&err, "sealing or folding failed; the rows stay in the tail");
            retry_us = pz_clock_mono_us() + RETRY_AFTER_US;
        }
    }
    return NULL;
}

// Seals until the rows of `version` are in segments or the table is gone.
static enum pz_status
seal_all(struct pz_store *store, const struct pz_table_state *wanted, struct pz_error *err)
{
    bool is_done = false;
    while (!is_done) {
        PZ_TRY(pz__seal_table(store, wanted->def->id, err));
        struct pz_version *newest = pz_version_acquire(store);
        is_done = true;
        for (uint32_t i = 0; i < newest->table_count; i++) {
            const struct pz_table_state *state = &newest->tables[i];
            is_done =
                is_done && (state->def != wanted->def || unsealed_row(state) >= wanted->end_row);
        }
        pz_version_release(newest);
    }
    return PZ_OK;
}

enum pz_status
pz_store_seal_now(struct pz_store *store, uint32_t table_id, struct pz_error *err)
{
    struct pz_version *version = pz_version_acquire(store);
    enum pz_status status = PZ_OK;
    pz_mutex_lock(&store->turn_mutex);
    for (uint32_t i = 0; i < version->table_count && status == PZ_OK; i++) {
        if (table_id == 0 || version->tables[i].def->id == table_id) {
            status = seal_all(store, &version->tables[i], err);
        }
    }
    pz_mutex_unlock(&store->turn_mutex);
    pz_version_release(version);
    return status;
}

enum pz_status
pz_store_fold_now(struct pz_store *store, struct pz_error *err)
{
    pz_mutex_lock(&store->turn_mutex);
    enum pz_status status = pz__fold_all(store, true, NULL, NULL, err);
    pz_mutex_unlock(&store->turn_mutex);
    return status;
}
