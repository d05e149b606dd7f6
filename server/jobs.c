// SPDX-License-Identifier: Apache-2.0
// Worker threads behind a bounded queue; see jobs.h.
#include "server/jobs.h"

#include "base/arena.h"
#include "base/clock.h"

#include <stdlib.h>

struct pz_jobs {
    struct pz_mutex mutex; // guards everything below
    struct pz_cond wake;
    struct pz_job *first, *last;
    unsigned waiting, running, queue_max;
    bool is_stopping;
    unsigned thread_count;
    int nice;
    struct pz_thread threads[];
};

static void *
work(void *payload)
{
    struct pz_jobs *jobs = payload;
    pz_thread_set_nice(jobs->nice);
    pz_mutex_lock(&jobs->mutex);
    for (;;) {
        while (jobs->first == NULL && !jobs->is_stopping) {
            pz_cond_wait(&jobs->wake, &jobs->mutex);
        }
        struct pz_job *job = jobs->first;
        if (job == NULL) {
            break;
        }
        jobs->first = job->next;
        jobs->last = jobs->first == NULL ? NULL : jobs->last;
        jobs->waiting--;
        jobs->running++;
        pz_mutex_unlock(&jobs->mutex);
        job->run(job);
        pz_mutex_lock(&jobs->mutex);
        jobs->running--;
    }
    pz_mutex_unlock(&jobs->mutex);
    return NULL;
}

struct pz_jobs *
pz_jobs_create(const char *name, unsigned thread_count, unsigned queue_max, int nice)
{
    PZ_ASSERT(thread_count > 0);
    struct pz_jobs *jobs = pz_xcalloc(1, sizeof *jobs + thread_count * sizeof(struct pz_thread));
    pz_mutex_init(&jobs->mutex, PZ_RANK_SERVER, name);
    pz_cond_init(&jobs->wake);
    jobs->queue_max = queue_max;
    jobs->nice = nice;
    jobs->thread_count = thread_count;
    for (unsigned i = 0; i < thread_count; i++) {
        pz_thread_start(&jobs->threads[i], name, work, jobs);
    }
    return jobs;
}

void
pz_jobs_destroy(struct pz_jobs *jobs)
{
    if (jobs == NULL) {
        return;
    }
    pz_mutex_lock(&jobs->mutex);
    jobs->is_stopping = true;
    pz_cond_broadcast(&jobs->wake);
    pz_mutex_unlock(&jobs->mutex);
    for (unsigned i = 0; i < jobs->thread_count; i++) {
        pz_thread_join(&jobs->threads[i]);
    }
    pz_cond_fini(&jobs->wake);
    pz_mutex_fini(&jobs->mutex);
    free(jobs);
}

bool
pz_jobs_submit(struct pz_jobs *jobs, struct pz_job *job)
{
    job->next = NULL;
    job->submitted_us = pz_clock_mono_us();
    pz_mutex_lock(&jobs->mutex);
    // A job may wait when a thread is free for it or the queue has room.
    bool has_room = jobs->running + jobs->waiting < jobs->thread_count + jobs->queue_max;
    bool is_taken = has_room && !jobs->is_stopping;
    if (is_taken) {
        if (jobs->last == NULL) {
            jobs->first = job;
        } else {
            jobs->last->next = job;
        }
        jobs->last = job;
        jobs->waiting++;
        pz_cond_signal(&jobs->wake);
    }
    pz_mutex_unlock(&jobs->mutex);
    return is_taken;
}

unsigned
pz_jobs_waiting(struct pz_jobs *jobs)
{
    pz_mutex_lock(&jobs->mutex);
    unsigned waiting = jobs->waiting;
    pz_mutex_unlock(&jobs->mutex);
    return waiting;
}

unsigned
pz_jobs_running(struct pz_jobs *jobs)
{
    pz_mutex_lock(&jobs->mutex);
    unsigned running = jobs->running;
    pz_mutex_unlock(&jobs->mutex);
    return running;
}
