// SPDX-License-Identifier: Apache-2.0
// Workers behind a bounded queue.
#include "server/jobs.h"

#include "base/clock.h"
#include "tests/support/test.h"

struct work {
    struct pz_job job;
    _Atomic bool *gate;
    _Atomic int *done;
};

static void
run_work(struct pz_job *job)
{
    struct work *work = (struct work *)job;
    while (!atomic_load(work->gate)) {
        pz_clock_sleep_us(100);
    }
    atomic_fetch_add(work->done, 1);
}

PZ_TEST(the_queue_is_bounded_and_everything_taken_is_run)
{
    _Atomic bool gate = false;
    _Atomic int done = 0;
    struct work work[10];
    struct pz_jobs *jobs = pz_jobs_create("test", 2, 3, 0);
    int taken = 0;
    for (int i = 0; i < 10; i++) {
        work[i] = (struct work){.job.run = run_work, .gate = &gate, .done = &done};
        taken += pz_jobs_submit(jobs, &work[i].job);
    }
    PZ_CHECK_EQ_I64(taken, 5); // two at work, three waiting
    PZ_CHECK_EQ_U64(pz_jobs_waiting(jobs) + pz_jobs_running(jobs), 5);
    atomic_store(&gate, true);
    pz_jobs_destroy(jobs);
    PZ_CHECK_EQ_I64(atomic_load(&done), 5);
}
