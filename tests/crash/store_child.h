// SPDX-License-Identifier: Apache-2.0
// The process that dies: workers write to a store and report every operation through a pipe before
// it begins and after it was answered, while a keeper seals and folds.
#ifndef PZ_TESTS_CRASH_STORE_CHILD_H
#define PZ_TESTS_CRASH_STORE_CHILD_H

#include "tests/crash/store_ledger.h"

#include <stdatomic.h>

// How a child ended, other than by a signal.
enum { EXIT_OPEN_FAILED = 10, EXIT_WRONG = 11 };

extern const struct pz_store_options child_options;

// What goes through the pipe: small enough to be written in one piece.
struct report {
    uint64_t number;
    uint64_t commit; // 0 when there is none
    struct op op;
};

struct child {
    struct ledger *ledger;
    struct pz_store *store;
    const char *dir;
    uint32_t steps; // of each worker
    bool is_slow;   // loads as well
    bool is_alone;  // one worker, which begins with loads, and no keeper: every commit is known
    uint64_t seed;
    int pipe;
    _Atomic bool is_failed; // a commit failed
    _Atomic bool is_done;
};

// Works on the store in a process of its own, from opening to exit.
PZ_NORETURN void run_child(struct child *child);

#endif
