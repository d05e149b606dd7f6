// SPDX-License-Identifier: Apache-2.0
// The worker pool behind parallel loops.
//
// Idle workers stand on a list, each with a condition variable of its own. A run takes some of
// them, works itself as number 0, and waits for those that have begun. A worker that was asked but
// has not yet woken when the caller is done is sent back unused: by then there is no work left, and
// waiting for it would only add its wake-up time to the answer. Numbers are given at the moment a
// worker begins, so they have no gaps.
#include "base/arena.h"
#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>

struct run {
    void (*call)(void *payload, unsigned worker);
    void *payload;
    unsigned next_worker; // number of the next one to begin
    unsigned active;      // workers in `call`, without the caller
    struct pz_cond is_done;
};

struct worker {
    struct pz_pool *pool;
    struct pz_thread thread;
    struct pz_cond wake;
    struct run *run;          // asked to take part in; NULL = none
    struct worker *next_idle; // list of the pool while idle, list of the run while asked
};

struct pz_pool {
    struct pz_mutex mutex; // guards everything in the pool and its runs
    struct worker *workers;
    unsigned worker_count; // threads, without callers
    int nice;
    struct worker *idle;
    bool is_stopping;
};

static void *
worker_main(void *argument)
{
    struct worker *worker = argument;
    struct pz_pool *pool = worker->pool;
    if (pool->nice != 0) {
        pz_thread_set_nice(pool->nice);
    }
    pz_mutex_lock(&pool->mutex);
    while (!pool->is_stopping) {
        struct run *run = worker->run;
        if (run == NULL) {
            pz_cond_wait(&worker->wake, &pool->mutex);
            continue;
        }
        unsigned number = run->next_worker++;
        run->active++;
        worker->run = NULL;
        pz_mutex_unlock(&pool->mutex);
        run->call(run->payload, number);
        pz_mutex_lock(&pool->mutex);
        worker->next_idle = pool->idle;
        pool->idle = worker;
        if (--run->active == 0) {
            pz_cond_signal(&run->is_done); // under the lock: `run` lives until the caller has it
        }
    }
    pz_mutex_unlock(&pool->mutex);
    return NULL;
}

struct pz_pool *
pz_pool_create(unsigned thread_count, int nice)
{
    PZ_ASSERT(thread_count >= 1);
    struct pz_pool *pool = pz_xcalloc(1, sizeof *pool);
    pz_mutex_init(&pool->mutex, PZ_RANK_POOL, "worker pool");
    pool->worker_count = thread_count - 1;
    pool->nice = nice;
    pool->workers = pz_xcalloc(pool->worker_count, sizeof *pool->workers);
    for (unsigned i = 0; i < pool->worker_count; i++) {
        struct worker *worker = &pool->workers[i];
        worker->pool = pool;
        pz_cond_init(&worker->wake);
        worker->next_idle = pool->idle;
        pool->idle = worker;
    }
    for (unsigned i = 0; i < pool->worker_count; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "worker-%u", (i + 1) % 10000);
        pz_thread_start(&pool->workers[i].thread, name, worker_main, &pool->workers[i]);
    }
    return pool;
}

void
pz_pool_destroy(struct pz_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    pz_mutex_lock(&pool->mutex);
    pool->is_stopping = true;
    for (unsigned i = 0; i < pool->worker_count; i++) {
        PZ_ASSERT(pool->workers[i].run == NULL);
        pz_cond_signal(&pool->workers[i].wake);
    }
    pz_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->worker_count; i++) {
        pz_thread_join(&pool->workers[i].thread);
        pz_cond_fini(&pool->workers[i].wake);
    }
    pz_mutex_fini(&pool->mutex);
    free(pool->workers);
    free(pool);
}

// Sends those of the list back that have not begun. A worker that has begun may be on another
// list by now, so membership is told by its `run` alone.
static void
recall_asked(struct pz_pool *pool, const struct run *run)
{
    for (unsigned i = 0; i < pool->worker_count; i++) {
        struct worker *worker = &pool->workers[i];
        if (worker->run == run) {
            worker->run = NULL;
            worker->next_idle = pool->idle;
            pool->idle = worker;
        }
    }
}

void
pz_pool_run(struct pz_pool *pool, unsigned width, void (*call)(void *payload, unsigned worker),
            void *payload)
{
    struct run run = {.call = call, .payload = payload, .next_worker = 1};
    if (width <= 1 || pool->worker_count == 0) {
        call(payload, 0);
        return;
    }
    pz_cond_init(&run.is_done);
    pz_mutex_lock(&pool->mutex);
    for (unsigned asked = 1; asked < width && pool->idle != NULL; asked++) {
        struct worker *worker = pool->idle;
        pool->idle = worker->next_idle;
        worker->run = &run;
        pz_cond_signal(&worker->wake);
    }
    pz_mutex_unlock(&pool->mutex);
    call(payload, 0);
    pz_mutex_lock(&pool->mutex);
    recall_asked(pool, &run);
    while (run.active > 0) {
        pz_cond_wait(&run.is_done, &pool->mutex);
    }
    pz_mutex_unlock(&pool->mutex);
    pz_cond_fini(&run.is_done);
}
