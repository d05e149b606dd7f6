// SPDX-License-Identifier: Apache-2.0
// Mutexes that know their rank, condition variables on the monotonic clock, named threads.
//
// Debug builds keep, per thread, the list of mutexes held. A lock whose rank is not above all of
// them stops the process with both names: the order of ranks is what rules out deadlock.
#include "base/thread.h"

#include "base/arena.h"
#include "base/clock.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t
thread_id(void)
{
    static _Thread_local uint64_t id;
    if (id == 0) {
        id = (uint64_t)gettid();
    }
    return id;
}

#ifndef NDEBUG
enum { HELD_MAX = 16 };
static _Thread_local const struct pz_mutex *held[HELD_MAX];
static _Thread_local unsigned held_count;

static void
held_push(const struct pz_mutex *mutex)
{
    for (unsigned i = 0; i < held_count; i++) {
        if (held[i]->rank >= mutex->rank) {
            pz_panic(__FILE__, __LINE__,
                     "lock order: \"%s\" (rank %d) is taken under \"%s\" (rank %d)", mutex->name,
                     (int)mutex->rank, held[i]->name, (int)held[i]->rank);
        }
    }
    PZ_ASSERT(held_count < HELD_MAX);
    held[held_count++] = mutex;
}

static void
held_pop(const struct pz_mutex *mutex)
{
    unsigned i = 0;
    while (i < held_count && held[i] != mutex) {
        i++;
    }
    PZ_ASSERT(i < held_count);
    held[i] = held[--held_count];
}
#else
static void
held_push(const struct pz_mutex *mutex)
{
    (void)mutex;
}

static void
held_pop(const struct pz_mutex *mutex)
{
    (void)mutex;
}
#endif

void
pz_mutex_init(struct pz_mutex *mutex, enum pz_rank rank, const char *name)
{
    int failed = pthread_mutex_init(&mutex->native, NULL);
    PZ_ASSERT(failed == 0);
    mutex->name = name;
    mutex->rank = rank;
    atomic_init(&mutex->owner, 0);
}

void
pz_mutex_fini(struct pz_mutex *mutex)
{
    PZ_ASSERT(atomic_load_explicit(&mutex->owner, memory_order_relaxed) == 0);
    int failed = pthread_mutex_destroy(&mutex->native);
    PZ_ASSERT(failed == 0);
}

void
pz_mutex_lock(struct pz_mutex *mutex)
{
    held_push(mutex); // before waiting, so that a wrong order shows even when it does not deadlock
    int failed = pthread_mutex_lock(&mutex->native);
    PZ_ASSERT(failed == 0);
    atomic_store_explicit(&mutex->owner, thread_id(), memory_order_relaxed);
}

void
pz_mutex_unlock(struct pz_mutex *mutex)
{
    pz_mutex_assert_held(mutex);
    held_pop(mutex);
    atomic_store_explicit(&mutex->owner, 0, memory_order_relaxed);
    int failed = pthread_mutex_unlock(&mutex->native);
    PZ_ASSERT(failed == 0);
}

void
pz_mutex_assert_held(const struct pz_mutex *mutex)
{
    if (atomic_load_explicit(&mutex->owner, memory_order_relaxed) != thread_id()) {
        pz_panic(__FILE__, __LINE__, "mutex \"%s\" is not held by this thread", mutex->name);
    }
}

void
pz_cond_init(struct pz_cond *cond)
{
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    failed |= pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    failed |= pthread_cond_init(&cond->native, &attributes);
    failed |= pthread_condattr_destroy(&attributes);
    PZ_ASSERT(failed == 0);
}

void
pz_cond_fini(struct pz_cond *cond)
{
    int failed = pthread_cond_destroy(&cond->native);
    PZ_ASSERT(failed == 0);
}

// A wait gives the mutex up and takes it again; the bookkeeping follows.
static void
before_wait(struct pz_mutex *mutex)
{
    pz_mutex_assert_held(mutex);
    held_pop(mutex);
    atomic_store_explicit(&mutex->owner, 0, memory_order_relaxed);
}

static void
after_wait(struct pz_mutex *mutex)
{
    held_push(mutex);
    atomic_store_explicit(&mutex->owner, thread_id(), memory_order_relaxed);
}

void
pz_cond_wait(struct pz_cond *cond, struct pz_mutex *mutex)
{
    before_wait(mutex);
    int failed = pthread_cond_wait(&cond->native, &mutex->native);
    PZ_ASSERT(failed == 0);
    after_wait(mutex);
}

bool
pz_cond_wait_until(struct pz_cond *cond, struct pz_mutex *mutex, int64_t mono_us)
{
    int64_t until_us = mono_us < 0 ? 0 : mono_us;
    struct timespec until = {.tv_sec = until_us / PZ_US_PER_SECOND,
                             .tv_nsec = until_us % PZ_US_PER_SECOND * 1000};
    before_wait(mutex);
    int failed = pthread_cond_timedwait(&cond->native, &mutex->native, &until);
    PZ_ASSERT(failed == 0 || failed == ETIMEDOUT);
    after_wait(mutex);
    return failed == 0;
}

void
pz_cond_signal(struct pz_cond *cond)
{
    int failed = pthread_cond_signal(&cond->native);
    PZ_ASSERT(failed == 0);
}

void
pz_cond_broadcast(struct pz_cond *cond)
{
    int failed = pthread_cond_broadcast(&cond->native);
    PZ_ASSERT(failed == 0);
}

struct thread_start {
    char name[16];
    void *(*run)(void *);
    void *payload;
};

static void *
thread_main(void *argument)
{
    struct thread_start start = *(struct thread_start *)argument;
    free(argument);
    (void)pthread_setname_np(pthread_self(), start.name); // only for people who look
    return start.run(start.payload);
}

void
pz_thread_start(struct pz_thread *thread, const char *name, void *(*run)(void *), void *payload)
{
    struct thread_start *start = pz_xcalloc(1, sizeof *start);
    PZ_ASSERT(strlen(name) < sizeof start->name);
    memcpy(start->name, name, strlen(name) + 1);
    start->run = run;
    start->payload = payload;
    // A new thread inherits the mask, so it never runs with signals open.
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    int mask_failed = pthread_sigmask(SIG_SETMASK, &all, &before);
    PZ_ASSERT(mask_failed == 0);
    int failed = pthread_create(&thread->native, NULL, thread_main, start);
    mask_failed = pthread_sigmask(SIG_SETMASK, &before, NULL);
    PZ_ASSERT(mask_failed == 0);
    if (failed != 0) {
        char text[96];
        (void)fprintf(stderr, "plaza: cannot start thread %s: %s\n", name,
                      strerror_r(failed, text, sizeof text));
        exit(EXIT_FAILURE);
    }
}

void
pz_thread_join(struct pz_thread *thread)
{
    int failed = pthread_join(thread->native, NULL);
    PZ_ASSERT(failed == 0);
}

void
pz_thread_set_nice(int nice)
{
    // On Linux PRIO_PROCESS with a thread id is that thread alone.
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), nice);
}

unsigned
pz_cpu_count(void)
{
    cpu_set_t usable;
    CPU_ZERO(&usable);
    if (sched_getaffinity(0, sizeof usable, &usable) == 0 && CPU_COUNT(&usable) > 0) {
        return (unsigned)CPU_COUNT(&usable);
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}
