// SPDX-License-Identifier: Apache-2.0
// What a statement is once prepared, and what it runs in: the seam between the front end (parse,
// bind, dml) and execution.
#ifndef PZ_QUERY_PLAN_STATEMENT_H
#define PZ_QUERY_PLAN_STATEMENT_H

#include "query/plan/plan.h"

// Everything one statement runs in. Lives in pz_query_run's frame.
struct pz_session {
    struct pz_engine *engine;
    struct pz_store *store;
    struct pz_version *version; // what it reads; held until the statement ends
    struct pz_arena *arena;     // lives as long as the statement; draws on the budget
    struct pz_budget *budget;   // all memory of the statement
    struct pz_pool *pool;
    unsigned threads;
    unsigned vector_rows;
    int64_t now_us;           // of the statement: now(), current_date
    int64_t deadline_mono_us; // pz_clock_mono_us when it times out
    int64_t timeout_us;       // for the message
    _Atomic bool *cancel;     // or NULL
    bool is_read_only;
    struct pz_query_stats *stats; // filled on the way
};

// PZ_TIMEOUT or PZ_CANCELED (both 57014) when the statement has to stop. Cheap: a clock read.
PZ_MUST_USE enum pz_status pz_session_check(const struct pz_session *session, struct pz_error *err);
// 53200, naming the operator: "group by needs more memory than the query's limit of 1 GiB".
enum pz_status pz_session_fail_memory(const struct pz_session *session, const char *what,
                                      struct pz_error *err);

enum pz_statement_kind {
    PZ_STATEMENT_SELECT,  // plan
    PZ_STATEMENT_EXPLAIN, // plan, is_analyze
    PZ_STATEMENT_COMMAND, // run: everything that is not a plan
};

struct pz_statement {
    enum pz_statement_kind kind;
    struct pz_plan *plan;
    bool is_analyze;
    bool is_write; // COMMAND: answers with `affected`; refused in a read-only session (25006)
    void *payload; // COMMAND: the front end's
    enum pz_status (*run)(const struct pz_statement *statement, struct pz_session *session,
                          const struct pz_result_sink *sink, struct pz_error *err);
};

// Made by the front end (query/bind/prepare.c): text to statement. Nothing is executed yet.
PZ_MUST_USE enum pz_status pz_statement_prepare(struct pz_session *session, struct pz_str sql,
                                                struct pz_statement *statement_out,
                                                struct pz_error *err);

#endif
