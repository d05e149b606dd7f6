// SPDX-License-Identifier: Apache-2.0
// What one statement runs in: handed down to all who work for it, from the binder to the kernels.
#ifndef PZ_QUERY_SESSION_H
#define PZ_QUERY_SESSION_H

#include "base/arena.h"
#include "query/query.h"

#define PZ_WORKERS_MAX 64u // threads at work on one statement

// Everything one statement runs in. Lives in pz_query_run's frame.
struct pz_session {
    struct pz_store *store;
    struct pz_version *version; // what it reads; held until the statement ends
    struct pz_arena *arena;     // lives as long as the statement; draws on the budget
    struct pz_budget *budget;   // all memory of the statement
    struct pz_pool *pool;
    unsigned threads;         // 1 .. PZ_WORKERS_MAX, the calling one included
    unsigned vector_rows;     // 1 .. PZ_VECTOR_ROWS: at most so many rows are in one vector
    int64_t now_us;           // of the statement: now(), current_date
    int64_t deadline_mono_us; // pz_clock_mono_us when it times out
    int64_t timeout_us;       // for the message
    _Atomic bool *cancel;     // or NULL
    bool is_read_only;
    struct pz_query_stats *stats; // filled on the way
};

// PZ_TIMEOUT or PZ_CANCELED (both 57014) when the statement has to stop. Cheap: a clock read.
PZ_MUST_USE enum pz_status pz_session_check(const struct pz_session *session, struct pz_error *err);

// Work done for a statement since it was last asked whether to stop. A step is about a nanosecond.
struct pz_work {
    const struct pz_session *session;
    uint64_t steps;
};
#define PZ_WORK_STEPS (1u << 20) // between two questions
// Begins to count anew, and asks. For pz_work_add.
PZ_MUST_USE enum pz_status pz__work_ask(struct pz_work *work, struct pz_error *err);
// Notes steps. Fails as pz_session_check when the statement has to stop. Inline: loops over rows
// call it.
PZ_MUST_USE static inline enum pz_status
pz_work_add(struct pz_work *work, uint64_t steps, struct pz_error *err)
{
    work->steps += steps;
    return work->steps < PZ_WORK_STEPS ? PZ_OK : pz__work_ask(work, err);
}

// 53200, naming what ran out: "GROUP BY needs more memory than the statement's limit of 64 MiB".
enum pz_status pz_session_fail_memory(const struct pz_session *session, const char *what,
                                      struct pz_error *err);

#endif
