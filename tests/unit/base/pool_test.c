// SPDX-License-Identifier: Apache-2.0
// Parallel loops: all work is done, numbers are right, callers do not disturb each other.
#include "base/clock.h"
#include "base/thread.h"

#include "tests/support/test.h"

enum { ITEMS = 10000, WORKERS_MAX = 16 };

struct loop {
    _Atomic unsigned next;
    _Atomic unsigned done[ITEMS];
    _Atomic unsigned begun[WORKERS_MAX];
    unsigned width;
};

static void
work(void *payload, unsigned worker)
{
    struct loop *loop = payload;
    PZ_ASSERT(worker < loop->width);
    atomic_fetch_add(&loop->begun[worker], 1);
    for (;;) {
        unsigned item = atomic_fetch_add(&loop->next, 1);
        if (item >= ITEMS) {
            return;
        }
        atomic_fetch_add(&loop->done[item], 1);
    }
}

static void
run_loop(struct pz_pool *pool, unsigned width)
{
    static _Thread_local struct loop loop;
    memset(&loop, 0, sizeof loop);
    loop.width = width;
    pz_pool_run(pool, width, work, &loop);
    unsigned wrong = 0;
    for (unsigned i = 0; i < ITEMS; i++) {
        wrong += loop.done[i] != 1;
    }
    PZ_CHECK_EQ_I64(wrong, 0);
    PZ_CHECK_EQ_I64(loop.begun[0], 1);
    bool has_ended = false;
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        PZ_CHECK(loop.begun[i] <= 1);
        PZ_CHECK(!(has_ended && loop.begun[i] == 1)); // no gaps
        has_ended |= loop.begun[i] == 0;
    }
}

PZ_TEST(every_width_does_all_the_work)
{
    for (unsigned threads = 1; threads <= 5; threads++) {
        struct pz_pool *pool = pz_pool_create(threads, 0);
        for (unsigned width = 1; width <= 8; width++) {
            for (int round = 0; round < 20; round++) {
                run_loop(pool, width);
            }
        }
        pz_pool_destroy(pool);
    }
}

static void *
many_loops(void *payload)
{
    for (int i = 0; i < 200; i++) {
        run_loop(payload, 3);
    }
    return NULL;
}

PZ_TEST(callers_share_the_workers)
{
    struct pz_pool *pool = pz_pool_create(3, 5);
    struct pz_thread callers[4];
    for (int i = 0; i < 4; i++) {
        pz_thread_start(&callers[i], "caller", many_loops, pool);
    }
    for (int i = 0; i < 4; i++) {
        pz_thread_join(&callers[i]);
    }
    pz_pool_destroy(pool);
}

static void
sleep_in_each(void *payload, unsigned worker)
{
    _Atomic unsigned *begun = payload;
    (void)worker;
    atomic_fetch_add(begun, 1);
    pz_clock_sleep_us(50000);
}

PZ_TEST(workers_do_take_part)
{
    struct pz_pool *pool = pz_pool_create(3, 0);
    _Atomic unsigned begun = 0;
    pz_pool_run(pool, 3, sleep_in_each, &begun);
    PZ_CHECK_EQ_I64(begun, 3);
    pz_pool_destroy(pool);
    pz_pool_destroy(NULL);
}
