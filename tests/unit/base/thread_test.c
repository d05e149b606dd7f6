// SPDX-License-Identifier: Apache-2.0
// Mutexes, their ranks, condition variables, threads.
#include "base/thread.h"

#include "base/clock.h"

#include "tests/support/test.h"

#include <signal.h>
#include <string.h>

struct counter {
    struct pz_mutex mutex;
    struct pz_cond changed;
    int value;
};

static void *
count_up(void *payload)
{
    struct counter *counter = payload;
    for (int i = 0; i < 5000; i++) {
        pz_mutex_lock(&counter->mutex);
        pz_mutex_assert_held(&counter->mutex);
        counter->value++;
        pz_cond_signal(&counter->changed);
        pz_mutex_unlock(&counter->mutex);
    }
    return NULL;
}

PZ_TEST(mutex_and_condition)
{
    struct counter counter = {.value = 0};
    pz_mutex_init(&counter.mutex, PZ_RANK_LEAF, "counter");
    pz_cond_init(&counter.changed);
    struct pz_thread threads[4];
    for (int i = 0; i < 4; i++) {
        pz_thread_start(&threads[i], "counter", count_up, &counter);
    }
    pz_mutex_lock(&counter.mutex);
    while (counter.value < 20000) {
        pz_cond_wait(&counter.changed, &counter.mutex);
    }
    pz_mutex_unlock(&counter.mutex);
    for (int i = 0; i < 4; i++) {
        pz_thread_join(&threads[i]);
    }
    PZ_CHECK_EQ_I64(counter.value, 20000);
    pz_cond_fini(&counter.changed);
    pz_mutex_fini(&counter.mutex);
}

PZ_TEST(waiting_ends_at_the_time)
{
    struct pz_mutex mutex;
    struct pz_cond cond;
    pz_mutex_init(&mutex, PZ_RANK_LEAF, "waiting");
    pz_cond_init(&cond);
    pz_mutex_lock(&mutex);
    int64_t until_us = pz_clock_mono_us() + 3000;
    while (pz_cond_wait_until(&cond, &mutex, until_us)) {
    }
    PZ_CHECK(pz_clock_mono_us() >= until_us);
    PZ_CHECK(!pz_cond_wait_until(&cond, &mutex, -1));
    pz_mutex_assert_held(&mutex);
    pz_mutex_unlock(&mutex);
    pz_cond_fini(&cond);
    pz_mutex_fini(&mutex);
}

static void
lock_downwards(void *payload)
{
    (void)payload;
    struct pz_mutex low;
    struct pz_mutex high;
    pz_mutex_init(&low, PZ_RANK_QUEUE, "the low one");
    pz_mutex_init(&high, PZ_RANK_VERSION, "the high one");
    pz_mutex_lock(&high);
    pz_mutex_lock(&low);
}

static void
lock_twice(void *payload)
{
    (void)payload;
    struct pz_mutex a;
    struct pz_mutex b;
    pz_mutex_init(&a, PZ_RANK_LEAF, "first leaf");
    pz_mutex_init(&b, PZ_RANK_LEAF, "second leaf");
    pz_mutex_lock(&a);
    pz_mutex_lock(&b);
}

static void
unlock_unheld(void *payload)
{
    (void)payload;
    struct pz_mutex mutex;
    pz_mutex_init(&mutex, PZ_RANK_LEAF, "not mine");
    pz_mutex_unlock(&mutex);
}

PZ_TEST(wrong_order_stops_debug_builds)
{
    char output[2000];
#ifndef NDEBUG
    PZ_CHECK_EQ_I64(pz_test_in_child(lock_downwards, NULL, output, sizeof output), -SIGABRT);
    PZ_CHECK_CONTAINS(output, "the low one");
    PZ_CHECK_CONTAINS(output, "the high one");
    PZ_CHECK_EQ_I64(pz_test_in_child(lock_twice, NULL, output, sizeof output), -SIGABRT);
    PZ_CHECK_CONTAINS(output, "second leaf");
#else
    PZ_CHECK_EQ_I64(pz_test_in_child(lock_downwards, NULL, output, sizeof output), 0);
    PZ_CHECK_EQ_I64(pz_test_in_child(lock_twice, NULL, output, sizeof output), 0);
#endif
    PZ_CHECK_EQ_I64(pz_test_in_child(unlock_unheld, NULL, output, sizeof output), -SIGABRT);
    PZ_CHECK_CONTAINS(output, "not mine");
}

PZ_TEST(rising_order_and_any_order_of_release)
{
    struct pz_mutex low;
    struct pz_mutex middle;
    struct pz_mutex high;
    pz_mutex_init(&low, PZ_RANK_SERVER, "low");
    pz_mutex_init(&middle, PZ_RANK_QUEUE, "middle");
    pz_mutex_init(&high, PZ_RANK_LEAF, "high");
    for (int i = 0; i < 100; i++) {
        pz_mutex_lock(&low);
        pz_mutex_lock(&middle);
        pz_mutex_unlock(&low);
        pz_mutex_lock(&high);
        pz_mutex_unlock(&middle);
        pz_mutex_unlock(&high);
    }
    pz_mutex_fini(&low);
    pz_mutex_fini(&middle);
    pz_mutex_fini(&high);
}

struct seen {
    char name[32];
    bool blocks_term;
};

static void *
look_around(void *payload)
{
    struct seen *seen = payload;
    sigset_t mask;
    (void)pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    seen->blocks_term = sigismember(&mask, SIGTERM) == 1;
    return NULL;
}

PZ_TEST(threads_have_names_and_no_signals)
{
    struct seen seen = {.name = ""};
    struct pz_thread thread;
    pz_thread_start(&thread, "fifteen-letters", look_around, &seen);
    pz_thread_join(&thread);
    PZ_CHECK_EQ_STR(seen.name, "fifteen-letters");
    PZ_CHECK(seen.blocks_term);
    sigset_t mask;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    PZ_CHECK(sigismember(&mask, SIGTERM) == 0);
}

PZ_TEST(there_is_a_cpu)
{
    PZ_CHECK(pz_cpu_count() >= 1);
}
