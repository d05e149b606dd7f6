// SPDX-License-Identifier: Apache-2.0
// What one execution owns: arenas, things to release, and the statistics of its nodes.
#include "query/exec/execution.h"

#include <stdlib.h>

struct pz_exec_arena {
    struct pz_arena arena;
    struct pz_exec_arena *next;
};

void
pz_exec_init(struct pz_exec *exec, struct pz_session *session)
{
    *exec = (struct pz_exec){.session = session};
}

void
pz_exec_fini(struct pz_exec *exec)
{
    struct pz_exec_cleanup *cleanup = atomic_load(&exec->cleanups);
    while (cleanup != NULL) {
        struct pz_exec_cleanup *next = cleanup->next;
        cleanup->run(cleanup->payload);
        cleanup = next;
    }
    while (exec->arenas != NULL) {
        struct pz_exec_arena *next = exec->arenas->next;
        pz_arena_fini(&exec->arenas->arena);
        free(exec->arenas);
        exec->arenas = next;
    }
    *exec = (struct pz_exec){0};
}

struct pz_arena *
pz_exec_arena_make(struct pz_exec *exec)
{
    struct pz_exec_arena *owned = malloc(sizeof(*owned));
    if (owned == NULL) {
        return NULL;
    }
    pz_arena_init(&owned->arena, exec->session->budget);
    owned->next = exec->arenas;
    exec->arenas = owned;
    return &owned->arena;
}

void
pz_exec_add_cleanup(struct pz_exec *exec, struct pz_exec_cleanup *cleanup)
{
    cleanup->next = atomic_load(&exec->cleanups);
    while (!atomic_compare_exchange_weak(&exec->cleanups, &cleanup->next, cleanup)) {
    }
}

struct pz_node_stats *
pz_exec_node(const struct pz_exec *exec, const struct pz_plan *plan)
{
    PZ_ASSERT(plan->node_id < exec->node_count);
    return &exec->nodes[plan->node_id];
}

enum pz_status
pz_exec_fail_memory(const struct pz_exec *exec, const char *what, struct pz_error *err)
{
    return pz_session_fail_memory(exec->session, what, err);
}

static uint32_t
number_nodes(struct pz_plan *plan, uint32_t next)
{
    for (; plan != NULL; plan = plan->child) {
        plan->node_id = next++;
    }
    return next;
}

enum pz_status
pz_exec_prepare_nodes(struct pz_exec *exec, struct pz_plan *plan, struct pz_error *err)
{
    exec->node_count = number_nodes(plan, 0);
    exec->nodes =
        pz_arena_alloc_zero(exec->session->arena, exec->node_count * sizeof(*exec->nodes));
    return exec->nodes != NULL ? PZ_OK : pz_exec_fail_memory(exec, "the plan", err);
}

void
pz_exec_add_totals(const struct pz_exec *exec)
{
    struct pz_query_stats *stats = exec->session->stats;
    for (uint32_t i = 0; stats != NULL && i < exec->node_count; i++) {
        stats->rows_scanned += atomic_load(&exec->nodes[i].rows_scanned);
        stats->blocks_scanned += atomic_load(&exec->nodes[i].blocks_scanned);
        stats->blocks_skipped += atomic_load(&exec->nodes[i].blocks_skipped);
        stats->blocks_from_stats += atomic_load(&exec->nodes[i].blocks_from_stats);
    }
}
