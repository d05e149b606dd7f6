// SPDX-License-Identifier: Apache-2.0
// The writer thread: the one commit point.
//
// Writes queue up while a commit is on its way to the disk; the next group takes whatever waits,
// up to 8 MiB, without a timer. Between two groups at most one job of the store's own (a seal, a
// fold slice) runs in its own transaction, so no commit waits for more than one slice. After a
// failed commit nothing is written any more: its outcome is unknown, and only a restart tells.
#include "storage/catalog/records.h"
#include "storage/catalog/symbols.h"
#include "storage/store_internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>

uint64_t
pz__write_bytes(const struct pz_write *write)
{
    uint64_t bytes = sizeof *write;
    for (uint32_t i = 0; write->kind == PZ_WRITE_ROWS && i < write->batch_count; i++) {
        bytes += pz_batch_bytes(&write->batches[i]);
    }
    return bytes;
}

static void
append_to(struct pz_write **head, struct pz_write **tail, struct pz_write *write)
{
    write->next = NULL;
    if (*head == NULL) {
        *head = write;
    } else {
        (*tail)->next = write;
    }
    *tail = write;
}

enum pz_status
pz_store_submit(struct pz_store *store, struct pz_write *write, struct pz_error *err)
{
    enum pz_status status = PZ_OK;
    uint64_t bytes = pz__write_bytes(write);
    write->status = PZ_OK;
    pz_mutex_lock(&store->queue_mutex);
    if (store->is_failed) {
        if (err != NULL) {
            *err = store->failure;
        }
        status = PZ_IO;
    } else if (store->is_draining) {
        status = pz_fail(err, PZ_BUSY, "the store is closing");
    } else if (write->kind != PZ_WRITE_INTERNAL && store->queue_bytes > 0 &&
               store->queue_bytes + bytes > PZ_QUEUE_BYTES_MAX) {
        status = pz_fail(err, PZ_BUSY, "writes of %llu bytes are waiting; try again in a second",
                         (unsigned long long)store->queue_bytes);
    } else if (write->kind == PZ_WRITE_INTERNAL) {
        append_to(&store->internal_head, &store->internal_tail, write);
        pz_cond_signal(&store->queue_cond);
    } else {
        append_to(&store->queue_head, &store->queue_tail, write);
        store->queue_bytes += bytes;
        store->queue_count++;
        pz_cond_signal(&store->queue_cond);
    }
    pz_mutex_unlock(&store->queue_mutex);
    return status;
}

struct waiter {
    struct pz_mutex mutex;
    struct pz_cond cond;
    bool is_done;
};

static void
wake_waiter(struct pz_write *write)
{
    struct waiter *waiter = write->payload;
    pz_mutex_lock(&waiter->mutex);
    waiter->is_done = true;
    pz_cond_signal(&waiter->cond);
    pz_mutex_unlock(&waiter->mutex);
}

enum pz_status
pz_store_submit_wait(struct pz_store *store, struct pz_write *write, struct pz_error *err)
{
    struct waiter waiter = {.is_done = false};
    pz_mutex_init(&waiter.mutex, PZ_RANK_LEAF, "waiter");
    pz_cond_init(&waiter.cond);
    write->done = wake_waiter;
    write->payload = &waiter;
    enum pz_status status = pz_store_submit(store, write, err);
    if (status == PZ_OK) {
        pz_mutex_lock(&waiter.mutex);
        while (!waiter.is_done) {
            pz_cond_wait(&waiter.cond, &waiter.mutex);
        }
        pz_mutex_unlock(&waiter.mutex);
        status = write->status;
        if (status != PZ_OK && err != NULL) {
            *err = write->error;
        }
    }
    pz_cond_fini(&waiter.cond);
    pz_mutex_fini(&waiter.mutex);
    return status;
}

enum pz_status
pz__store_run_internal(struct pz_store *store,
                       enum pz_status (*internal)(struct pz_write *write, void *context,
                                                  struct pz_error *err),
                       void *context, struct pz_error *err)
{
    struct pz_write write = {
        .kind = PZ_WRITE_INTERNAL, .internal = internal, .internal_context = context};
    return pz_store_submit_wait(store, &write, err);
}

void
pz_store_drain(struct pz_store *store)
{
    pz_mutex_lock(&store->queue_mutex);
    store->is_draining = true;
    while (store->queue_head != NULL || store->internal_head != NULL || store->is_writing) {
        pz_cond_wait(&store->idle_cond, &store->queue_mutex);
    }
    pz_mutex_unlock(&store->queue_mutex);
}

// ---- what commits share ---------------------------------------------------------------------

enum pz_status
pz__store_check_space(struct pz_store *store, uint64_t bytes, struct pz_error *err)
{
    uint64_t free_bytes = pz_disk_free_bytes(store->dir);
    if (free_bytes >= PZ_DISK_RESERVE_BYTES && free_bytes - PZ_DISK_RESERVE_BYTES >= bytes) {
        return PZ_OK;
    }
    pz_fail(err, PZ_FULL, "the disk of %s has %llu MiB left, too few to write safely", store->dir,
            (unsigned long long)(free_bytes >> 20));
    pz_error_hint(err, "free some disk space: plaza goes on by itself");
    return PZ_FULL;
}

struct pz_table *
pz__store_find_table(struct pz_store *store, uint32_t table_id)
{
    for (uint32_t i = 0; i < store->table_count; i++) {
        if (store->tables[i]->state.def->id == table_id) {
            return store->tables[i];
        }
    }
    return NULL;
}

int64_t
pz__store_now(struct pz_store *store)
{
    int64_t now = pz_clock_wall_us();
    if (now <= store->last_wall_us) {
        now = store->last_wall_us + 1;
    }
    store->last_wall_us = now;
    return now;
}

enum pz_status
pz__store_put_commit(struct pz_store *store, struct pz_kv_txn *txn, uint64_t commit,
                     struct pz_error *err)
{
    uint32_t end = atomic_load_explicit(&store->domain_end, memory_order_acquire);
    for (uint32_t id = 0; id < end; id++) {
        struct pz_domain *domain = pz__store_domain(store, id);
        bool is_written = false;
        if (domain != NULL) {
            PZ_TRY(pz_domain_persist(domain, txn, &is_written, err));
        }
    }
    return pz_catalog_put_fact(txn, "commit", commit, err);
}

void
pz__store_symbols_persisted(struct pz_store *store)
{
    uint32_t end = atomic_load_explicit(&store->domain_end, memory_order_acquire);
    for (uint32_t id = 0; id < end; id++) {
        struct pz_domain *domain = pz__store_domain(store, id);
        if (domain != NULL) {
            pz_domain_persisted(domain);
        }
    }
}

static void
fail_store(struct pz_store *store, const struct pz_error *failure)
{
    pz_log_error(failure, "a commit failed: no more writes are taken until a restart");
    pz_mutex_lock(&store->queue_mutex);
    store->is_failed = true;
    store->failure = *failure;
    store->failure.status = PZ_IO;
    pz_error_hint(&store->failure, "the outcome of the last commit is unknown; check the disk and "
                                   "restart plaza");
    pz_mutex_unlock(&store->queue_mutex);
}

static void
count_commit(struct pz_store *store, int64_t us)
{
    uint32_t bucket = 0;
    while (bucket < 15 && us >= (INT64_C(100) << bucket)) {
        bucket++;
    }
    atomic_fetch_add_explicit(&store->counters.commit_us_buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&store->counters.commit_us_sum, (uint64_t)us, memory_order_relaxed);
    atomic_fetch_add_explicit(&store->counters.commits, 1, memory_order_relaxed);
}

enum pz_status
pz__store_commit(struct pz_store *store, struct pz_kv_txn *txn, struct pz_error *err)
{
    struct pz_error failure = {0};
    int64_t start_us = pz_clock_mono_us();
    enum pz_status status = pz_kv_commit(txn, &failure);
    count_commit(store, pz_clock_mono_us() - start_us);
    if (status == PZ_FULL) {
        if (err != NULL) {
            *err = failure;
        }
        return status;
    }
    if (status != PZ_OK) {
        fail_store(store, &failure);
        if (err != NULL) {
            *err = store->failure;
        }
        return PZ_IO;
    }
    return PZ_OK;
}

// ---- the loop -------------------------------------------------------------------------------

// Takes the writes of the next group off the queue.
static struct pz_write *
take_group(struct pz_store *store)
{
    pz_mutex_assert_held(&store->queue_mutex);
    struct pz_write *first = store->queue_head;
    struct pz_write *last = NULL;
    uint64_t bytes = 0;
    uint32_t count = 0;
    for (struct pz_write *write = first; write != NULL; write = write->next) {
        uint64_t more = pz__write_bytes(write);
        if (last != NULL && (bytes + more > PZ_GROUP_BYTES_MAX || count == PZ_GROUP_WRITES_MAX ||
                             pz__write_is_solo(write) || pz__write_is_solo(last))) {
            break;
        }
        bytes += more;
        count++;
        last = write;
    }
    if (last != NULL) {
        store->queue_head = last->next;
        last->next = NULL;
        store->queue_bytes -= bytes < store->queue_bytes ? bytes : store->queue_bytes;
        store->queue_count -= count;
    }
    return first;
}

static struct pz_write *
take_internal(struct pz_store *store)
{
    pz_mutex_assert_held(&store->queue_mutex);
    struct pz_write *write = store->internal_head;
    if (write != NULL) {
        store->internal_head = write->next;
        write->next = NULL;
    }
    return write;
}

static void
refuse_all(struct pz_store *store, struct pz_write *writes)
{
    while (writes != NULL) {
        struct pz_write *next = writes->next;
        writes->status = PZ_IO;
        writes->error = store->failure;
        writes->done(writes);
        writes = next;
    }
}

bool
pz__store_is_failed(struct pz_store *store)
{
    pz_mutex_lock(&store->queue_mutex);
    bool is_failed = store->is_failed;
    pz_mutex_unlock(&store->queue_mutex);
    return is_failed;
}

static void
run_internal(struct pz_write *write)
{
    write->error = (struct pz_error){0};
    write->status = write->internal(write, write->internal_context, &write->error);
    write->done(write);
}

// A group and a job of the store's own that was taken together with it.
static void
run_all(struct pz_store *store, struct pz_write *group, struct pz_write *internal)
{
    if (pz__store_is_failed(store)) {
        refuse_all(store, group);
    } else if (group != NULL) {
        pz__group_commit(store, group);
    }
    // Asked again: after the group's failed commit nothing may be written.
    if (pz__store_is_failed(store)) {
        refuse_all(store, internal);
    } else if (internal != NULL) {
        run_internal(internal);
    }
}

void *
pz__writer_run(void *payload)
{
    struct pz_store *store = payload;
    pz_mutex_lock(&store->queue_mutex);
    for (;;) {
        struct pz_write *group = take_group(store);
        struct pz_write *internal = take_internal(store);
        if (group == NULL && internal == NULL) {
            pz_cond_broadcast(&store->idle_cond);
            if (store->is_stopping) {
                break;
            }
            pz_cond_wait(&store->queue_cond, &store->queue_mutex);
            continue;
        }
        store->is_writing = true;
        pz_mutex_unlock(&store->queue_mutex);
        run_all(store, group, internal);
        pz_mutex_lock(&store->queue_mutex);
        store->is_writing = false;
    }
    pz_mutex_unlock(&store->queue_mutex);
    return NULL;
}
