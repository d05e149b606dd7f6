// SPDX-License-Identifier: Apache-2.0
// A few worker threads behind a bounded queue: where requests that take long are worked on, so
// that no HTTP thread ever waits.
#ifndef PZ_SERVER_JOBS_H
#define PZ_SERVER_JOBS_H

#include "base/thread.h"

// One piece of work. Owned by whoever submits it, until `run` is called, which may free it.
struct pz_job {
    void (*run)(struct pz_job *job);
    struct pz_job *next;  // internal
    int64_t submitted_us; // monotonic; set by submit
};

struct pz_jobs;
// `name` is the threads' name, at most 15 bytes; `nice` how far they step back for other threads.
struct pz_jobs *pz_jobs_create(const char *name, unsigned thread_count, unsigned queue_max,
                               int nice);
// Runs what is queued, then stops the threads.
void pz_jobs_destroy(struct pz_jobs *jobs);
// False when all threads are busy and the queue is full; `run` will not be called then.
bool pz_jobs_submit(struct pz_jobs *jobs, struct pz_job *job);
// Waiting and running, for metrics.
unsigned pz_jobs_waiting(struct pz_jobs *jobs);
unsigned pz_jobs_running(struct pz_jobs *jobs);

#endif
