// SPDX-License-Identifier: Apache-2.0
// Bringing the workers' tables together. Dense tables have the same numbers and are added up. Hash
// tables are merged one into the other when small; else the groups are divided by their hash, and
// each part is merged by one worker.
#include "query/exec/aggregate_internal.h"

// Merging fewer groups than this is not worth dividing.
#define DIVIDE_FROM_GROUPS 32768u

// ---- dense ---------------------------------------------------------------------------------

static enum pz_status
merge_dense(struct pz_group_by *group_by, struct pz_group_table **tables, uint32_t count,
            struct pz_error *err)
{
    struct pz_group_table *into = tables[0];
    for (uint32_t i = 1; i < count; i++) {
        if (!pz_agg_merge(&into->aggs, NULL, &tables[i]->aggs, NULL, 0, pz__group_count(into))) {
            return pz__group_fail_memory(group_by, err);
        }
        for (uint32_t a = 0; a < group_by->agg_count; a++) {
            if (group_by->distincts[a].kind != PZ_DISTINCT_NONE &&
                !pz__distinct_merge(into, a, tables[i], NULL)) {
                return pz__group_fail_memory(group_by, err);
            }
        }
        PZ_TRY(pz_session_check(group_by->exec->session, err));
    }
    return PZ_OK;
}

// ---- hash ----------------------------------------------------------------------------------

// Groups go to parts by bits that neither the directory nor the salt depend on alone.
static inline uint32_t
part_of(uint64_t hash, uint32_t part_mask)
{
    return (uint32_t)(hash >> 40) & part_mask;
}

// One vector of another table's groups on their way.
struct batch {
    struct pz_vector *keys;
    uint32_t *ids;  // groups of the other table
    uint32_t *into; // groups here
    uint32_t *map;  // of the whole other table; only with DISTINCT aggregates
};

static bool
make_batch(struct pz_group_table *table, const struct pz_group_table *other, struct batch *batch)
{
    const struct pz_group_by *group_by = table->group_by;
    const struct pz_hash *hash = &table->hash;
    uint32_t rows = hash->vector_rows;
    struct pz_arena *arena = table->arena;
    batch->keys = pz_arena_alloc_zero(arena, hash->key_count * sizeof(*batch->keys));
    batch->ids = pz_arena_alloc_array(arena, rows, sizeof(uint32_t));
    batch->into = pz_arena_alloc_array(arena, rows, sizeof(uint32_t));
    batch->map = NULL;
    if (batch->keys == NULL || batch->ids == NULL || batch->into == NULL) {
        return false;
    }
    for (uint32_t k = 0; k < hash->key_count; k++) {
        batch->keys[k].type = hash->keys[k].type;
        batch->keys[k].domain_id = hash->keys[k].domain_id;
        batch->keys[k].data = pz_arena_alloc_array(arena, rows, pz_value_size(hash->keys[k].type));
        batch->keys[k].valid = pz_arena_alloc(arena, PZ_BIT_WORDS(rows) * sizeof(uint64_t));
        if (batch->keys[k].data == NULL || batch->keys[k].valid == NULL) {
            return false;
        }
    }
    if (group_by->has_distinct) {
        batch->map = pz_arena_alloc_array(arena, other->hash.group_count, sizeof(uint32_t));
        if (batch->map == NULL) {
            return false;
        }
        memset(batch->map, 0xff, other->hash.group_count * sizeof(uint32_t));
    }
    return true;
}

static bool
merge_batch(struct pz_group_table *table, struct pz_group_table *other, struct batch *batch,
            uint32_t count)
{
    struct pz_vector keys[PZ_GROUP_KEYS_MAX];
    for (uint32_t k = 0; k < table->hash.key_count; k++) {
        keys[k] = batch->keys[k]; // writing the values may drop `valid`
        pz_hash_key_values(&other->hash, k, batch->ids, count, &keys[k]);
    }
    struct pz_rows rows = {count, count, NULL};
    if (!pz_hash_find(&table->hash, keys, &rows, batch->into) ||
        !pz_agg_reserve(&table->aggs, table->hash.capacity)) {
        return false;
    }
    for (uint32_t i = 0; batch->map != NULL && i < count; i++) {
        batch->map[batch->ids[i]] = batch->into[i];
    }
    return pz_agg_merge(&table->aggs, batch->into, &other->aggs, batch->ids, 0, count);
}

// Adds the other table's groups of one part (part_mask 0: all of them).
static bool
merge_part(struct pz_group_table *table, struct pz_group_table *other, uint32_t part,
           uint32_t part_mask)
{
    struct batch batch;
    uint32_t count = 0;
    if (!make_batch(table, other, &batch)) {
        return false;
    }
    for (uint32_t group = 0; group < other->hash.group_count; group++) {
        if (part_of(pz_hash_of_group(&other->hash, group), part_mask) != part) {
            continue;
        }
        batch.ids[count++] = group;
        if (count == table->hash.vector_rows) {
            if (!merge_batch(table, other, &batch, count)) {
                return false;
            }
            count = 0;
        }
    }
    if (count > 0 && !merge_batch(table, other, &batch, count)) {
        return false;
    }
    for (uint32_t a = 0; a < table->group_by->agg_count; a++) {
        if (table->group_by->distincts[a].kind != PZ_DISTINCT_NONE &&
            !pz__distinct_merge(table, a, other, batch.map)) {
            return false;
        }
    }
    return true;
}

static enum pz_status
merge_small(struct pz_group_by *group_by, struct pz_group_table **tables, uint32_t count,
            struct pz_error *err)
{
    for (uint32_t i = 1; i < count; i++) {
        if (!merge_part(tables[0], tables[i], 0, 0)) {
            return pz__group_fail_memory(group_by, err);
        }
    }
    return PZ_OK;
}

struct division {
    struct pz_group_by *group_by;
    struct pz_group_table **tables;
    uint32_t table_count;
    struct pz_group_table **parts;
    uint32_t part_count;
};

static enum pz_status
run_part(void *payload, uint32_t worker, uint32_t part, struct pz_error *err)
{
    const struct division *division = payload;
    struct pz_group_by *group_by = division->group_by;
    (void)worker;
    for (uint32_t i = 0; i < division->table_count; i++) {
        PZ_TRY(pz_session_check(group_by->exec->session, err));
        if (!merge_part(division->parts[part], division->tables[i], part,
                        division->part_count - 1)) {
            return pz__group_fail_memory(group_by, err);
        }
    }
    return PZ_OK;
}

static enum pz_status
merge_divided(struct pz_group_by *group_by, struct pz_group_table **tables, uint32_t count,
              struct pz_group_table **parts, uint32_t *part_count_out, struct pz_error *err)
{
    uint32_t part_count = 4;
    while (part_count < group_by->exec->session->threads * 4 && part_count < PZ_GROUP_PARTS_MAX) {
        part_count *= 2;
    }
    for (uint32_t i = 0; i < count; i++) {
        pz_hash_end_finding(&tables[i]->hash);
    }
    for (uint32_t p = 0; p < part_count; p++) {
        struct pz_arena *arena = pz_exec_arena_make(group_by->exec);
        parts[p] = arena != NULL ? pz__group_table_create(group_by, arena) : NULL;
        if (parts[p] == NULL) {
            return pz__group_fail_memory(group_by, err);
        }
    }
    struct division division = {group_by, tables, count, parts, part_count};
    PZ_TRY(pz_exec_each(group_by->exec, part_count, run_part, &division, err));
    // The workers' tables have been taken over: their memory is free for what comes next.
    for (uint32_t i = 0; i < count; i++) {
        tables[i]->cleanup.run(tables[i]);
        tables[i]->hash.key_count = 0;
    }
    *part_count_out = part_count;
    return PZ_OK;
}

enum pz_status
pz__group_merge(struct pz_group_by *group_by, struct pz_group_table **tables, uint32_t table_count,
                struct pz_group_table **parts_out, uint32_t *part_count_out, struct pz_error *err)
{
    uint64_t groups = 0;
    parts_out[0] = tables[0];
    *part_count_out = 1;
    if (group_by->is_dense) {
        return merge_dense(group_by, tables, table_count, err);
    }
    for (uint32_t i = 0; i < table_count; i++) {
        groups += tables[i]->hash.group_count;
    }
    if (table_count == 1 || groups < DIVIDE_FROM_GROUPS) {
        return merge_small(group_by, tables, table_count, err);
    }
    return merge_divided(group_by, tables, table_count, parts_out, part_count_out, err);
}
