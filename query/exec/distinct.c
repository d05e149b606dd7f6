// SPDX-License-Identifier: Apache-2.0
// The values of DISTINCT aggregates: each (group, value) once, as bits or in a hash grouper. They
// go into the aggregate's state only at the end, when no other table can bring them again.
#include "query/exec/aggregate_internal.h"

bool
pz__distinct_init(struct pz_group_table *table, uint32_t agg)
{
    const struct pz_group_by *group_by = table->group_by;
    const struct pz_distinct_spec *spec = &group_by->distincts[agg];
    struct pz_distinct *distinct = &table->distincts[agg];
    const struct pz_session *session = group_by->exec->session;
    if (spec->kind == PZ_DISTINCT_BITS) {
        return pz_array_grow(&distinct->bits, session->budget,
                             spec->words * sizeof(uint64_t) * group_by->dense.slot_count);
    }
    if (spec->kind == PZ_DISTINCT_SET) {
        enum pz_type types[2] = {PZ_TYPE_BIGINT, spec->type};
        uint32_t domains[2] = {0, spec->domain_id};
        distinct->is_set_ready = true;
        return pz_hash_init(&distinct->set, session->budget, table->arena, types, domains, 2,
                            session->vector_rows);
    }
    return true;
}

void
pz__distinct_fini(struct pz_group_table *table, uint32_t agg)
{
    struct pz_distinct *distinct = &table->distincts[agg];
    pz_array_free(&distinct->bits, table->group_by->exec->session->budget);
    if (distinct->is_set_ready) {
        pz_hash_fini(&distinct->set);
    }
}

// ---- adding --------------------------------------------------------------------------------

// Selected rows that are not NULL, and their groups by row.
static struct pz_rows
keep_values(struct pz_group_table *table, const struct pz_agg_groups *groups,
            const struct pz_vector *arg, const struct pz_rows *rows)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t row = rows->rows != NULL ? rows->rows[i] : i;
        if (!pz_vector_is_null(arg, row)) {
            table->rows[count++] = (uint16_t)row;
            table->group_values[row] = groups->groups != NULL ? groups->groups[i] : groups->all;
        }
    }
    return (struct pz_rows){rows->row_count, count, table->rows};
}

static int64_t
dense_value(const struct pz_vector *arg, uint32_t row)
{
    switch (arg->type) {
    case PZ_TYPE_SYMBOL:
        return pz_vector_code(arg, row);
    case PZ_TYPE_BOOLEAN:
        return pz_vector_byte(arg, row);
    default:
        return pz_vector_int(arg, row);
    }
}

static bool
add_bits(struct pz_group_table *table, uint32_t agg, const struct pz_vector *arg,
         const struct pz_rows *rows)
{
    const struct pz_distinct_spec *spec = &table->group_by->distincts[agg];
    uint64_t *bits = table->distincts[agg].bits.data;
    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t row = rows->rows[i];
        uint64_t at = (uint64_t)dense_value(arg, row) - (uint64_t)spec->low;
        PZ_ASSERT(at < spec->width);
        pz_bit_set(bits + (size_t)table->group_values[row] * spec->words, at);
    }
    return true;
}

bool
pz__distinct_add(struct pz_group_table *table, uint32_t agg, const struct pz_agg_groups *groups,
                 const struct pz_vector *arg, const struct pz_rows *rows)
{
    struct pz_rows kept = keep_values(table, groups, arg, rows);
    if (kept.count == 0) {
        return true;
    }
    if (table->group_by->distincts[agg].kind == PZ_DISTINCT_BITS) {
        return add_bits(table, agg, arg, &kept);
    }
    struct pz_vector keys[2] = {{.type = PZ_TYPE_BIGINT, .data = table->group_values}, *arg};
    // Group numbers of the set are not needed; the table's scratch takes them, and its groups were
    // copied to group_values.
    uint32_t numbers[PZ_VECTOR_ROWS];
    return pz_hash_find(&table->distincts[agg].set, keys, &kept, numbers);
}

// ---- merging -------------------------------------------------------------------------------

// Room for the entries of a set as vectors.
struct entries {
    struct pz_vector keys[2];
    uint64_t room[2][PZ_VECTOR_ROWS * 2];
    uint64_t valid[2][PZ_VECTOR_ROWS / 64];
    uint32_t ids[PZ_VECTOR_ROWS];
    uint16_t rows[PZ_VECTOR_ROWS];
};

static uint32_t
read_entries(const struct pz_hash *set, uint32_t first, struct entries *entries)
{
    uint32_t left = set->group_count - first;
    uint32_t count = left < set->vector_rows ? left : set->vector_rows;
    for (uint32_t i = 0; i < count; i++) {
        entries->ids[i] = first + i;
    }
    for (uint32_t k = 0; k < 2; k++) {
        entries->keys[k] = (struct pz_vector){.type = set->keys[k].type,
                                              .domain_id = set->keys[k].domain_id,
                                              .valid = entries->valid[k],
                                              .data = entries->room[k]};
        pz_hash_key_values(set, k, entries->ids, count, &entries->keys[k]);
    }
    return count;
}

static bool
merge_set(struct pz_hash *set, const struct pz_hash *other, const uint32_t *map,
          struct entries *entries)
{
    for (uint32_t first = 0; first < other->group_count;) {
        uint32_t count = read_entries(other, first, entries);
        int64_t *groups = (int64_t *)(void *)entries->room[0];
        uint32_t kept = 0;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t group = (uint32_t)groups[i];
            group = map != NULL ? map[group] : group;
            groups[i] = group;
            entries->rows[kept] = (uint16_t)i;
            kept += group != UINT32_MAX;
        }
        struct pz_rows rows = {count, kept, entries->rows};
        if (kept > 0 && !pz_hash_find(set, entries->keys, &rows, entries->ids)) {
            return false;
        }
        first += count;
    }
    return true;
}

bool
pz__distinct_merge(struct pz_group_table *table, uint32_t agg, struct pz_group_table *other,
                   const uint32_t *map)
{
    const struct pz_distinct_spec *spec = &table->group_by->distincts[agg];
    if (spec->kind == PZ_DISTINCT_BITS) { // dense: both have the same numbers
        uint64_t *bits = table->distincts[agg].bits.data;
        const uint64_t *more = other->distincts[agg].bits.data;
        size_t words = spec->words * table->group_by->dense.slot_count;
        for (size_t w = 0; w < words; w++) {
            bits[w] |= more[w];
        }
        return true;
    }
    struct entries *entries = pz_arena_alloc(table->arena, sizeof(*entries));
    return entries != NULL &&
           merge_set(&table->distincts[agg].set, &other->distincts[agg].set, map, entries);
}

// ---- results -------------------------------------------------------------------------------

static void
count_bits(struct pz_group_table *table, uint32_t agg)
{
    const struct pz_distinct_spec *spec = &table->group_by->distincts[agg];
    const uint64_t *bits = table->distincts[agg].bits.data;
    uint64_t *values = table->aggs.states[agg].nulls.data;
    for (uint32_t slot = 0; slot < pz__group_count(table); slot++) {
        uint64_t count = 0;
        for (size_t w = 0; w < spec->words; w++) {
            count += (uint64_t)__builtin_popcountll(bits[slot * spec->words + w]);
        }
        values[slot] = count;
    }
}

bool
pz__distinct_finish(struct pz_group_table *table, uint32_t agg)
{
    if (table->group_by->distincts[agg].kind == PZ_DISTINCT_BITS) {
        count_bits(table, agg);
        return true;
    }
    struct entries *entries = pz_arena_alloc(table->arena, sizeof(*entries));
    if (entries == NULL) {
        return false;
    }
    const struct pz_hash *set = &table->distincts[agg].set;
    for (uint32_t first = 0; first < set->group_count;) {
        uint32_t count = read_entries(set, first, entries);
        const int64_t *groups = (const int64_t *)(const void *)entries->room[0];
        for (uint32_t i = 0; i < count; i++) {
            entries->ids[i] = (uint32_t)groups[i];
        }
        struct pz_agg_groups list = {entries->ids, 0};
        struct pz_rows rows = {count, count, NULL};
        if (!pz_agg_update(&table->aggs, agg, &list, &entries->keys[1], &rows)) {
            return false;
        }
        first += count;
    }
    return true;
}
