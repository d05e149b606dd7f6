// SPDX-License-Identifier: Apache-2.0
// One execution of one plan: what it owns beside the session, and what is counted of its nodes.
#ifndef PZ_QUERY_EXEC_EXECUTION_H
#define PZ_QUERY_EXEC_EXECUTION_H

#include "query/eval/symbol_map.h"
#include "query/plan/plan.h"

#define PZ_STRATEGY_LEN 160

// What EXPLAIN ANALYZE says of a plan node.
struct pz_node_stats {
    _Atomic uint64_t rows;
    _Atomic uint64_t blocks_scanned, blocks_skipped, blocks_from_stats, rows_scanned;
    int64_t elapsed_us; // of the pipeline that ends here, finish included
    size_t memory_bytes;
    bool was_run;
    char strategy[PZ_STRATEGY_LEN];
};

// One execution of one plan.
struct pz_exec {
    struct pz_session *session;
    struct pz_symbol_maps maps;
    uint32_t node_count;
    struct pz_node_stats *nodes; // by plan->node_id
    struct pz_exec_arena *arenas;
    _Atomic(struct pz_exec_cleanup *) cleanups;
};
void pz_exec_init(struct pz_exec *exec, struct pz_session *session);
void pz_exec_fini(struct pz_exec *exec);

// Something to release when the execution ends. Any thread; `cleanup` is the caller's memory.
struct pz_exec_cleanup {
    void (*run)(void *payload);
    void *payload;
    struct pz_exec_cleanup *next;
};
void pz_exec_add_cleanup(struct pz_exec *exec, struct pz_exec_cleanup *cleanup);
// An arena on the query's budget that lives until the execution ends. NULL when out of memory.
// Only before workers run, or on the calling thread.
struct pz_arena *pz_exec_arena_make(struct pz_exec *exec);

// Numbers the nodes of the plan and makes room for their statistics: before any of it runs.
PZ_MUST_USE enum pz_status pz_exec_prepare_nodes(struct pz_exec *exec, struct pz_plan *plan,
                                                 struct pz_error *err);
// The statistics of a node of that plan.
struct pz_node_stats *pz_exec_node(const struct pz_exec *exec, const struct pz_plan *plan);
// Adds what the nodes counted to session->stats.
void pz_exec_add_totals(const struct pz_exec *exec);
// pz_session_fail_memory of the execution's session.
enum pz_status pz_exec_fail_memory(const struct pz_exec *exec, const char *what,
                                   struct pz_error *err);

#endif
