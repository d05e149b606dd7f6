// SPDX-License-Identifier: Apache-2.0
// A store that dies: a child process works on it and is killed at each named fault point, visit by
// visit, or at any moment; or one call of the disk fails under it. Each time the store is opened
// again and held to what it acknowledged (store_ledger.h).
//
// The child is forked before a store is open, and ends by exit when the fault was not met.
#include "tests/crash/store_child.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void
enter(struct ledger *ledger, const struct report *report)
{
    struct op *target = &ledger->ops[report->op.target];
    bool takes = report->op.kind == OP_DELETE_POST || report->op.kind == OP_DELETE_NOTES ||
                 report->op.kind == OP_DROP;
    uint64_t seen = ledger->ops[report->number].seen;
    ledger->ops[report->number] = report->op;
    ledger->ops[report->number].seen = seen;
    if (takes) {
        target->open_taker = report->op.state == OP_OPEN ? report->number : 0;
    }
    ledger_settle(ledger, report->number);
    if (report->commit > ledger->commit) {
        ledger->commit = report->commit;
    }
    if (report->number >= ledger->next_number) {
        ledger->next_number = (report->number / WORKERS + 1) * WORKERS;
    }
}

// Reads reports until the pipe's end, which is the child's; kills it after `kill_us` (0: never).
static void
follow(struct ledger *ledger, int from, pid_t pid, int64_t kill_us)
{
    int64_t until_us = pz_clock_mono_us() + kill_us;
    for (;;) {
        struct report report;
        struct pollfd wait = {.fd = from, .events = POLLIN};
        int64_t left_us = until_us - pz_clock_mono_us();
        if (kill_us > 0 && left_us <= 0) {
            (void)kill(pid, SIGKILL);
            kill_us = 0;
        }
        if (kill_us > 0 && poll(&wait, 1, (int)(left_us / 1000)) == 0) {
            continue;
        }
        ssize_t got = read(from, &report, sizeof report);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got != (ssize_t)sizeof report) {
            return;
        }
        enter(ledger, &report);
    }
}

struct plan {
    const char *dir;
    const char *fault; // for PLAZA_FAULT; NULL = none
    int64_t kill_us;   // 0 = not
    uint32_t steps;
    bool is_slow;
    bool is_alone;
    uint64_t seed;
};

// Returns the child's exit status, or minus its signal.
static int
run(struct ledger *ledger, const struct plan *plan)
{
    int ends[2];
    PZ_REQUIRE(pipe(ends) == 0);
    (void)fflush(NULL);
    pid_t pid = fork();
    PZ_REQUIRE(pid >= 0);
    if (pid == 0) {
        static struct child child;
        (void)close(ends[0]);
        child = (struct child){.ledger = ledger,
                               .dir = plan->dir,
                               .steps = plan->steps,
                               .is_slow = plan->is_slow,
                               .is_alone = plan->is_alone,
                               .seed = plan->seed,
                               .pipe = ends[1]};
        if (plan->fault != NULL) {
            (void)setenv("PLAZA_FAULT", plan->fault, 1);
            pz_fault_init();
        }
        run_child(&child);
    }
    (void)close(ends[1]);
    follow(ledger, ends[0], pid, plan->kill_us);
    (void)close(ends[0]);
    int how = 0;
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(how) ? -WTERMSIG(how) : WEXITSTATUS(how);
}

// Opens what the child left behind and compares; every other time folds and seals it all first.
static void
reopen_and_verify(struct ledger *ledger, const char *dir, uint64_t seed)
{
    struct pz_store_options manual = child_options;
    struct pz_store *store = NULL;
    struct pz_error err = {0};
    manual.is_manual = true;
    PZ_REQUIRE_OK(pz_store_open(dir, &manual, &store, &err), &err);
    if (seed % 2 == 1) {
        PZ_CHECK_OK(pz_store_fold_now(store, &err), &err);
        PZ_CHECK_OK(pz_store_seal_now(store, 0, &err), &err);
    }
    ledger_verify(ledger, store);
    pz_store_close(store);
}

static const char *const point_names[PZ_FAULT_COUNT] = {
#define X(name, help) #name,
#include "base/fault_points.def"
#undef X
};

// A killed process leaves its writes with the kernel, wherever they go to: memory will do, and is
// many times faster.
static void
prepare(void)
{
    pz_log_set_level(PZ_LOG_ERROR);
    if (pz_disk_free_bytes("/dev/shm") > (512u << 20)) {
        (void)setenv("TMPDIR", "/dev/shm", 0);
    }
}

PZ_TEST(killed_at_every_fault_point)
{
    prepare();
    for (int point = 0; point < PZ_FAULT_COUNT; point++) {
        struct ledger *ledger = ledger_create();
        const char *dir = pz_test_path(point_names[point]);
        unsigned killed = 0;
        for (unsigned visit = 1; visit <= 8; visit++) {
            char fault[80];
            struct plan plan = {.dir = dir,
                                .fault = fault,
                                .steps = 150,
                                .is_slow = visit % 3 == 0,
                                .seed = pz_test_seed() * 1000 + visit};
            (void)snprintf(fault, sizeof fault, "%s=kill@%u", point_names[point], visit);
            int how = run(ledger, &plan);
            PZ_CHECK_MSG(how == -SIGKILL || how == 0, "%s: the child ended with %d", fault, how);
            killed += how == -SIGKILL;
            reopen_and_verify(ledger, dir, visit);
        }
        struct pz_error err;
        PZ_CHECK_OK(pz_test_remove_tree(dir, &err), &err);
        PZ_CHECK_MSG(killed >= 4, "%s was met by %u children only", point_names[point], killed);
        free(ledger);
    }
}

PZ_TEST(killed_at_any_moment)
{
    prepare();
    struct ledger *ledger = ledger_create();
    const char *dir = pz_test_path("store");
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (unsigned i = 1; i <= 40; i++) {
        struct plan plan = {.dir = dir,
                            .kill_us = 1000 + (int64_t)pz_rng_below(&rng, 120000),
                            .steps = 100,
                            .is_slow = i % 5 == 0,
                            .seed = pz_test_seed() * 1000 + i};
        int how = run(ledger, &plan);
        PZ_CHECK_MSG(how == -SIGKILL || how == 0, "the child ended with %d", how);
        reopen_and_verify(ledger, dir, i);
    }
    free(ledger);
}

// One call fails, or that one and all after it.
static void
fail_calls(const char *point, unsigned visits, bool is_alone)
{
    prepare();
    for (unsigned visit = 1; visit <= visits; visit++) {
        struct ledger *ledger = ledger_create();
        char name[80];
        char fault[80];
        (void)snprintf(name, sizeof name, "%s-%u", point, visit);
        (void)snprintf(fault, sizeof fault, "%s=%s@%u%s", point, visit % 2 == 0 ? "eio" : "enospc",
                       visit, visit % 4 == 3 ? "+" : "");
        struct plan plan = {.dir = pz_test_path(name),
                            .fault = fault,
                            .steps = 30,
                            .is_slow = !is_alone,
                            .is_alone = is_alone,
                            .seed = pz_test_seed() * 1000 + visit};
        int how = run(ledger, &plan);
        PZ_CHECK_MSG(how == 0 || how == EXIT_OPEN_FAILED, "%s: the child ended with %d", fault,
                     how);
        reopen_and_verify(ledger, plan.dir, visit);
        struct pz_error err;
        PZ_CHECK_OK(pz_test_remove_tree(plan.dir, &err), &err);
        free(ledger);
    }
}

PZ_TEST(writes_that_fail)
{
    fail_calls("file_write", 40, false);
}

PZ_TEST(syncs_that_fail)
{
    fail_calls("file_sync", 40, false);
}

PZ_TEST(renames_that_fail)
{
    fail_calls("file_rename", 24, false);
}

PZ_TEST(directory_syncs_that_fail)
{
    fail_calls("dir_sync", 40, false);
}

PZ_TEST(commits_that_fail)
{
    fail_calls("kv_commit_before", 16, false);
}

PZ_TEST(commits_that_fail_after_they_are_made)
{
    fail_calls("kv_commit_after", 16, false);
}

PZ_TEST(loads_whose_commit_fails)
{
    fail_calls("kv_commit_before", 8, true);
}

PZ_TEST(loads_whose_commit_fails_after_it_is_made)
{
    fail_calls("kv_commit_after", 8, true);
}
