// SPDX-License-Identifier: Apache-2.0
// Giving groups out: ranges of the merged tables are the morsels of the next pipeline.
#include "query/exec/aggregate_internal.h"

#define MORSEL_GROUPS 65536u

struct group_source {
    struct pz_group_by *group_by;
    struct pz_group_table **parts;
    uint32_t part_count;
    uint32_t *first_morsels; // per part, and one more: the count
};

struct source_worker {
    uint32_t *ids;
    uint64_t *numbers;         // of the layout of dense or packed keys
    struct pz_vector *columns; // room
    struct pz_vector *vectors; // what is pushed
};

static enum pz_status
source_open(struct pz_source *source, struct pz_worker *worker, struct pz_error *err)
{
    const struct group_source *groups = source->payload;
    const struct pz_plan *plan = groups->group_by->plan;
    struct pz_arena *arena = worker->arena;
    uint32_t rows = worker->exec->session->vector_rows;
    struct source_worker *state = pz_arena_alloc_zero(arena, sizeof(*state));
    if (state == NULL) {
        return pz__group_fail_memory(groups->group_by, err);
    }
    state->ids = pz_arena_alloc_array(arena, rows, sizeof(uint32_t));
    state->numbers = pz_arena_alloc_array(arena, rows, sizeof(uint64_t));
    state->columns = pz_arena_alloc_zero(arena, plan->column_count * sizeof(*state->columns));
    state->vectors = pz_arena_alloc_zero(arena, plan->column_count * sizeof(*state->vectors));
    bool is_ready = state->ids != NULL && state->numbers != NULL && state->columns != NULL &&
                    state->vectors != NULL;
    for (uint32_t i = 0; is_ready && i < plan->column_count; i++) {
        struct pz_vector *column = &state->columns[i];
        column->type = plan->columns[i].type;
        column->domain_id = plan->columns[i].domain_id;
        column->data = pz_arena_alloc_zero(arena, rows * pz_value_size(column->type));
        column->valid = pz_arena_alloc(arena, PZ_BIT_WORDS(rows) * sizeof(uint64_t));
        is_ready = column->data != NULL && column->valid != NULL;
        state->vectors[i] = *column;
        state->vectors[i].valid = NULL;
    }
    worker->source_state = state;
    return is_ready ? PZ_OK : pz__group_fail_memory(groups->group_by, err);
}

static enum pz_status
push_groups(const struct group_source *groups, struct pz_group_table *table,
            struct pz_worker *worker, uint32_t count, struct pz_error *err)
{
    struct source_worker *state = worker->source_state;
    struct pz_group_by *group_by = groups->group_by;
    const struct pz_plan *plan = group_by->plan;
    const uint64_t *words = group_by->is_packed ? table->hash.keys[0].values.data : NULL;
    for (uint32_t i = 0; i < count; i++) {
        state->numbers[i] = words != NULL ? words[state->ids[i]] : state->ids[i];
    }
    pz_arena_reset(&worker->texts);
    for (uint32_t i = 0; i < plan->column_count; i++) {
        if (plan->is_unused != NULL && plan->is_unused[i]) {
            continue;
        }
        state->vectors[i] = state->columns[i];
        if (i >= group_by->key_count) {
            PZ_TRY(pz_agg_finish(&table->aggs, i - group_by->key_count, state->ids, count,
                                 &state->vectors[i], err));
        } else if (group_by->is_dense || group_by->is_packed) {
            pz_dense_key_values(&group_by->dense, i, state->numbers, count, &state->vectors[i]);
        } else {
            pz_hash_key_values(&table->hash, i, state->ids, count, &state->vectors[i]);
        }
    }
    atomic_fetch_add_explicit(&group_by->stats->rows, count, memory_order_relaxed);
    struct pz_portion portion = {{count, count, NULL}, plan->column_count, state->vectors};
    return pz_worker_push(worker, &portion, err);
}

static enum pz_status
source_run(struct pz_source *source, struct pz_worker *worker, uint32_t morsel,
           struct pz_error *err)
{
    const struct group_source *groups = source->payload;
    struct source_worker *state = worker->source_state;
    const struct pz_group_by *group_by = groups->group_by;
    uint32_t part = 0;
    while (groups->first_morsels[part + 1] <= morsel) {
        part++;
    }
    struct pz_group_table *table = groups->parts[part];
    uint32_t begin = (morsel - groups->first_morsels[part]) * MORSEL_GROUPS;
    uint32_t left = pz__group_count(table) - begin;
    uint32_t end = begin + (left < MORSEL_GROUPS ? left : MORSEL_GROUPS);
    uint32_t vector_rows = worker->exec->session->vector_rows;
    const uint64_t *rows = pz_agg_rows(&table->aggs);
    // Slots nobody came to are no groups; the one group of an aggregate without keys always is.
    bool all_exist = !group_by->is_dense || group_by->key_count == 0;
    uint32_t count = 0;
    for (uint32_t group = begin; group < end && !worker->is_morsel_done; group++) {
        state->ids[count] = group;
        count += all_exist || rows[group] > 0;
        if (count == vector_rows) {
            PZ_TRY(push_groups(groups, table, worker, count, err));
            count = 0;
        }
    }
    return count > 0 && !worker->is_morsel_done ? push_groups(groups, table, worker, count, err)
                                                : PZ_OK;
}

enum pz_status
pz__group_source(struct pz_group_by *group_by, struct pz_group_table **parts, uint32_t part_count,
                 struct pz_source *source_out, struct pz_error *err)
{
    struct pz_arena *arena = group_by->exec->session->arena;
    struct group_source *groups = pz_arena_alloc(arena, sizeof(*groups));
    uint32_t *first_morsels = pz_arena_alloc_array(arena, part_count + 1, sizeof(uint32_t));
    if (groups == NULL || first_morsels == NULL) {
        return pz__group_fail_memory(group_by, err);
    }
    *groups = (struct group_source){group_by, parts, part_count, first_morsels};
    uint64_t total = 0;
    first_morsels[0] = 0;
    for (uint32_t i = 0; i < part_count; i++) {
        uint32_t count = pz__group_count(parts[i]);
        total += count;
        first_morsels[i + 1] = first_morsels[i] + (count + MORSEL_GROUPS - 1) / MORSEL_GROUPS;
    }
    *source_out = (struct pz_source){.payload = groups,
                                     .morsel_count = first_morsels[part_count],
                                     .open = source_open,
                                     .run = source_run,
                                     .row_estimate = total};
    return PZ_OK;
}
