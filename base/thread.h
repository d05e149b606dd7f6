// SPDX-License-Identifier: Apache-2.0
// Threads with names, mutexes with ranks, and a pool of workers for one parallel loop at a time
// per caller.
#ifndef PZ_BASE_THREAD_H
#define PZ_BASE_THREAD_H

#include "base/status.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

// Locks are taken in rising rank; debug builds abort when the order is broken.
// One entry per mutex of the program; a thread may not hold two of one rank.
enum pz_rank {
    PZ_RANK_SERVER = 10,  // server bookkeeping
    PZ_RANK_TURN = 13,    // store: one seal or fold at a time
    PZ_RANK_LAYOUT = 15,  // store: SQL DELETE, its scan included, against seal
    PZ_RANK_QUERY = 25,   // one query's shared state
    PZ_RANK_POOL = 30,    // worker pool
    PZ_RANK_QUEUE = 40,   // store: write queue
    PZ_RANK_UPKEEP = 45,  // store: wake-ups of upkeep
    PZ_RANK_FEED = 50,    // feed overlay
    PZ_RANK_VERSION = 60, // store: current version
    PZ_RANK_SYMBOLS = 70, // one domain's table
    PZ_RANK_CACHE = 80,   // page cache shard
    PZ_RANK_LEAF = 90     // anything that takes no further lock
};

struct pz_mutex {
    pthread_mutex_t native;
    const char *name;
    enum pz_rank rank;
    _Atomic uint64_t owner; // thread id while held, 0 otherwise
};
void pz_mutex_init(struct pz_mutex *mutex, enum pz_rank rank, const char *name);
void pz_mutex_fini(struct pz_mutex *mutex);
void pz_mutex_lock(struct pz_mutex *mutex);
void pz_mutex_unlock(struct pz_mutex *mutex);
void pz_mutex_assert_held(const struct pz_mutex *mutex);

struct pz_cond {
    pthread_cond_t native; // on CLOCK_MONOTONIC
};
void pz_cond_init(struct pz_cond *cond);
void pz_cond_fini(struct pz_cond *cond);
void pz_cond_wait(struct pz_cond *cond, struct pz_mutex *mutex);
// Returns false when `mono_us` (pz_clock_mono_us) passed first.
bool pz_cond_wait_until(struct pz_cond *cond, struct pz_mutex *mutex, int64_t mono_us);
void pz_cond_signal(struct pz_cond *cond);
void pz_cond_broadcast(struct pz_cond *cond);

// A thread with a name of at most 15 bytes, visible in `top -H`. Ends the process on failure:
// threads are made at start-up. All signals are blocked in it.
struct pz_thread {
    pthread_t native;
};
void pz_thread_start(struct pz_thread *thread, const char *name, void *(*run)(void *),
                     void *payload);
void pz_thread_join(struct pz_thread *thread);
void pz_thread_set_nice(int nice); // of the calling thread; best effort

// Workers for parallel loops. `pz_pool_run` calls run(payload, worker) once on each of up to
// `width` workers (the caller is worker 0) and returns when all are back. Several threads may call
// it at once: each call gets the workers that are free, at least the caller itself; their numbers
// begin at 0, have no gaps and stay below `width`. Work is divided by the callees with an atomic
// counter, so fewer workers only take longer.
struct pz_pool;
// thread_count includes a caller: one thread less is made, each as nice as said.
struct pz_pool *pz_pool_create(unsigned thread_count, int nice);
void pz_pool_destroy(struct pz_pool *pool);
void pz_pool_run(struct pz_pool *pool, unsigned width, void (*run)(void *payload, unsigned worker),
                 void *payload);

unsigned pz_cpu_count(void); // usable by this process, at least 1

#endif
