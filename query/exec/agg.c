// SPDX-License-Identifier: Apache-2.0
// The states of aggregates: room, merging, results. Taking vectors in is agg_update.c.
#include "query/exec/agg_internal.h"

#include <math.h>

static size_t
main_size(const struct pz_agg_spec *spec)
{
    switch (spec->kind) {
    case PZ_AGG_ROWS:
    case PZ_AGG_VALUES:
        return 0;
    case PZ_AGG_SUM_INT:
    case PZ_AGG_MEAN_INT:
        return sizeof(int64_t);
    case PZ_AGG_SUM_REAL:
    case PZ_AGG_MEAN_REAL:
        return sizeof(struct pz_real_sum);
    case PZ_AGG_LEAST:
    case PZ_AGG_MOST:
        switch (spec->arg_type) {
        case PZ_TYPE_SYMBOL:
            return sizeof(uint32_t);
        case PZ_TYPE_TEXT:
            return sizeof(struct pz__best_text);
        case PZ_TYPE_INTERVAL:
            return sizeof(struct pz_interval);
        default:
            return sizeof(int64_t);
        }
    }
    PZ_UNREACHABLE("all kinds are above");
}

static bool
has_seen(const struct pz_agg_spec *spec)
{
    return spec->kind == PZ_AGG_LEAST || spec->kind == PZ_AGG_MOST;
}

size_t
pz_agg_group_bytes(const struct pz_agg_spec *specs, uint32_t agg_count)
{
    size_t bytes = sizeof(uint64_t);
    for (uint32_t i = 0; i < agg_count; i++) {
        bytes += main_size(&specs[i]) + has_seen(&specs[i]) +
                 (specs[i].is_distinct ? sizeof(uint64_t) : 0);
    }
    return bytes;
}

bool
pz_agg_init(struct pz_agg_table *table, struct pz_session *session, struct pz_arena *arena,
            const struct pz_agg_spec *specs, uint32_t agg_count)
{
    *table = (struct pz_agg_table){
        .session = session, .arena = arena, .agg_count = agg_count, .specs = specs};
    table->states = pz_arena_alloc_zero(arena, agg_count * sizeof(*table->states));
    return table->states != NULL;
}

void
pz_agg_fini(struct pz_agg_table *table)
{
    struct pz_budget *budget = table->session->budget;
    for (uint32_t i = 0; i < table->agg_count; i++) {
        struct pz_agg_state *state = &table->states[i];
        pz_array_free(&state->nulls, budget);
        pz_array_free(&state->main, budget);
        pz_array_free(&state->wraps, budget);
        pz_array_free(&state->seen, budget);
    }
    pz_array_free(&table->rows, budget);
}

bool
pz_agg_reserve(struct pz_agg_table *table, uint32_t groups)
{
    if (groups <= table->capacity) {
        return true;
    }
    struct pz_budget *budget = table->session->budget;
    size_t n = groups;
    for (uint32_t i = 0; i < table->agg_count; i++) {
        struct pz_agg_state *state = &table->states[i];
        const struct pz_agg_spec *spec = &table->specs[i];
        bool has_nulls = spec->is_distinct || state->nulls.bytes > 0;
        if (!pz_array_grow(&state->main, budget, n * main_size(spec)) ||
            (has_seen(spec) && !pz_array_grow(&state->seen, budget, n)) ||
            (has_nulls && !pz_array_grow(&state->nulls, budget, n * sizeof(uint64_t))) ||
            (state->wraps.bytes > 0 &&
             !pz_array_grow(&state->wraps, budget, n * sizeof(int64_t)))) {
            return false;
        }
    }
    if (!pz_array_grow(&table->rows, budget, n * sizeof(uint64_t))) {
        return false;
    }
    table->capacity = groups;
    return true;
}

// ---- statistics ----------------------------------------------------------------------------

bool
pz_agg_takes_stats(const struct pz_agg_spec *spec, const struct pz_stats *stats)
{
    if (spec->kind == PZ_AGG_ROWS) {
        return true;
    }
    if (stats == NULL || (spec->is_distinct && !has_seen(spec))) {
        return false;
    }
    bool all_null = stats->null_count == stats->row_count;
    switch (spec->kind) {
    case PZ_AGG_VALUES:
        return true;
    case PZ_AGG_SUM_INT:
    case PZ_AGG_MEAN_INT:
        return stats->has_sum || all_null;
    case PZ_AGG_LEAST:
    case PZ_AGG_MOST:
        return (stats->has_range || all_null) && spec->arg_type != PZ_TYPE_SYMBOL &&
               spec->arg_type != PZ_TYPE_TEXT;
    case PZ_AGG_SUM_REAL:
    case PZ_AGG_MEAN_REAL:
    case PZ_AGG_ROWS:
        break;
    }
    return false;
}

static bool
add_best(struct pz_agg_table *table, uint32_t agg, uint32_t group, const struct pz_stats *stats)
{
    const struct pz_agg_spec *spec = &table->specs[agg];
    bool is_least = spec->kind == PZ_AGG_LEAST;
    struct pz_vector best = {.type = spec->arg_type, .is_const = true};
    int64_t value = is_least ? stats->min : stats->max;
    uint8_t byte = value != 0;
    best.data = spec->arg_type == PZ_TYPE_BOOLEAN ? (const void *)&byte : &value;
    if (spec->arg_type == PZ_TYPE_DOUBLE) {
        best.data = is_least ? &stats->real_min : &stats->real_max;
    }
    struct pz_agg_groups groups = {NULL, group};
    struct pz_rows rows = {1, 1, NULL};
    return pz_agg_update(table, agg, &groups, &best, &rows);
}

bool
pz_agg_add_stats(struct pz_agg_table *table, uint32_t agg, uint32_t group,
                 const struct pz_stats *stats)
{
    struct pz_agg_state *state = &table->states[agg];
    const struct pz_agg_spec *spec = &table->specs[agg];
    if (spec->kind == PZ_AGG_ROWS) {
        return true;
    }
    if (stats->null_count > 0 && !spec->is_distinct) {
        if (!pz__agg_need_nulls(table, state)) {
            return false;
        }
        ((uint64_t *)state->nulls.data)[group] += stats->null_count;
    }
    if (stats->null_count == stats->row_count || spec->kind == PZ_AGG_VALUES) {
        return true;
    }
    if (has_seen(spec)) {
        return add_best(table, agg, group, stats);
    }
    return pz__agg_add_sum(table, state, group, stats->sum);
}

bool
pz__agg_need_nulls(struct pz_agg_table *table, struct pz_agg_state *state)
{
    return pz_array_grow(&state->nulls, table->session->budget, table->capacity * sizeof(uint64_t));
}

bool
pz__agg_add_wrap(struct pz_agg_table *table, struct pz_agg_state *state, uint32_t group,
                 int64_t wraps)
{
    if (!pz_array_grow(&state->wraps, table->session->budget, table->capacity * sizeof(int64_t))) {
        return false;
    }
    ((int64_t *)state->wraps.data)[group] += wraps;
    return true;
}

static pz_i128
sum_of(const struct pz_agg_state *state, uint32_t group)
{
    pz_i128 sum = ((const int64_t *)state->main.data)[group];
    if (state->wraps.data != NULL) {
        sum += (pz_i128)((const int64_t *)state->wraps.data)[group] * ((pz_i128)1 << 64);
    }
    return sum;
}

bool
pz__agg_add_sum(struct pz_agg_table *table, struct pz_agg_state *state, uint32_t group,
                pz_i128 value)
{
    pz_i128 sum = sum_of(state, group) + value;
    int64_t low = (int64_t)(uint64_t)sum;
    int64_t wraps = (int64_t)((sum - low) >> 64);
    int64_t before = state->wraps.data != NULL ? ((int64_t *)state->wraps.data)[group] : 0;
    ((int64_t *)state->main.data)[group] = low;
    return wraps == before || pz__agg_add_wrap(table, state, group, wraps - before);
}

// ---- merging -------------------------------------------------------------------------------

struct merge {
    struct pz_agg_table *table;
    struct pz_agg_table *other;
    const uint32_t *to;
    const uint32_t *from;
    uint32_t first;
    uint32_t count;
};

static inline uint32_t
merge_to(const struct merge *m, uint32_t i)
{
    return m->to != NULL ? m->to[i] : m->first + i;
}
static inline uint32_t
merge_from(const struct merge *m, uint32_t i)
{
    return m->from != NULL ? m->from[i] : m->first + i;
}

static void
merge_counts(const struct merge *m, uint64_t *into, const uint64_t *from)
{
    if (m->to == NULL && m->from == NULL) {
        into += m->first;
        from += m->first;
        for (uint32_t i = 0; i < m->count; i++) {
            into[i] += from[i];
        }
        return;
    }
    for (uint32_t i = 0; i < m->count; i++) {
        into[merge_to(m, i)] += from[merge_from(m, i)];
    }
}

static bool
merge_sums(const struct merge *m, struct pz_agg_state *into, const struct pz_agg_state *from)
{
    for (uint32_t i = 0; i < m->count; i++) {
        pz_i128 sum = sum_of(from, merge_from(m, i));
        if (sum != 0 && !pz__agg_add_sum(m->table, into, merge_to(m, i), sum)) {
            return false;
        }
    }
    return true;
}

static bool
merge_real_sums(const struct merge *m, struct pz_agg_state *into, struct pz_agg_state *from)
{
    struct pz_real_sum *to_sums = into->main.data;
    struct pz_real_sum *from_sums = from->main.data;
    for (uint32_t i = 0; i < m->count; i++) {
        if (!pz_real_sum_merge(&to_sums[merge_to(m, i)], &from_sums[merge_from(m, i)],
                               m->table->arena)) {
            return false;
        }
    }
    return true;
}

// The best of the other table goes in like any value.
static bool
merge_best(const struct merge *m, uint32_t agg, const struct pz_agg_state *from)
{
    const struct pz_agg_spec *spec = &m->table->specs[agg];
    const uint8_t *seen = from->seen.data;
    struct pz_rows rows = {1, 1, NULL};
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t group = merge_from(m, i);
        if (!seen[group]) {
            continue;
        }
        struct pz__best best;
        struct pz_vector value = pz__agg_best(spec, from, group, &best);
        struct pz_agg_groups groups = {NULL, merge_to(m, i)};
        if (!pz_agg_update(m->table, agg, &groups, &value, &rows)) {
            return false;
        }
    }
    return true;
}

bool
pz_agg_merge(struct pz_agg_table *table, const uint32_t *to, struct pz_agg_table *other,
             const uint32_t *from, uint32_t first, uint32_t count)
{
    struct merge m = {table, other, to, from, first, count};
    merge_counts(&m, table->rows.data, other->rows.data);
    for (uint32_t agg = 0; agg < table->agg_count; agg++) {
        struct pz_agg_state *into = &table->states[agg];
        struct pz_agg_state *part = &other->states[agg];
        if (part->nulls.data != NULL) {
            if (!pz__agg_need_nulls(table, into)) {
                return false;
            }
            merge_counts(&m, into->nulls.data, part->nulls.data);
        }
        bool done = true;
        switch (table->specs[agg].kind) {
        case PZ_AGG_ROWS:
        case PZ_AGG_VALUES:
            break;
        case PZ_AGG_SUM_INT:
        case PZ_AGG_MEAN_INT:
            done = merge_sums(&m, into, part);
            break;
        case PZ_AGG_SUM_REAL:
        case PZ_AGG_MEAN_REAL:
            done = merge_real_sums(&m, into, part);
            break;
        case PZ_AGG_LEAST:
        case PZ_AGG_MOST:
            done = merge_best(&m, agg, part);
            break;
        }
        if (!done) {
            return false;
        }
    }
    return true;
}

// ---- results -------------------------------------------------------------------------------

static unsigned
bit_length(pz_u128 value)
{
    uint64_t high = (uint64_t)(value >> 64);
    uint64_t low = (uint64_t)value;
    if (high != 0) {
        return 128 - (unsigned)__builtin_clzll(high);
    }
    return low == 0 ? 0 : 64 - (unsigned)__builtin_clzll(low);
}

double
pz_mean_of_int(pz_i128 sum, uint64_t count)
{
    PZ_ASSERT(count > 0);
    pz_u128 size = sum < 0 ? -(pz_u128)sum : (pz_u128)sum;
    // The quotient gets at least 55 bits; what lies below them only matters as "something".
    unsigned have = bit_length(size);
    unsigned want = bit_length(count) + 55;
    unsigned shift = have < want ? want - have : 0;
    if (size == 0) {
        return 0;
    }
    pz_u128 scaled = size << shift;
    pz_u128 quotient = scaled / count;
    bool is_sticky = scaled % count != 0;
    unsigned bits = bit_length(quotient);
    unsigned drop = bits - 54; // one bit more than a double has decides the rounding
    uint64_t top = (uint64_t)(quotient >> drop);
    is_sticky |= (quotient & (((pz_u128)1 << drop) - 1)) != 0;
    uint64_t mantissa = top >> 1;
    if ((top & 1) && (is_sticky || (mantissa & 1))) {
        mantissa++;
    }
    double result = ldexp((double)mantissa, (int)drop + 1 - (int)shift);
    return sum < 0 ? -result : result;
}

static uint64_t
value_count(const struct pz_agg_table *table, uint32_t agg, uint32_t group)
{
    const uint64_t *nulls = table->states[agg].nulls.data;
    if (table->specs[agg].is_distinct) {
        return nulls[group];
    }
    return pz_agg_rows(table)[group] - (nulls != NULL ? nulls[group] : 0);
}

static enum pz_status
finish_sum_real(struct pz_agg_table *table, uint32_t agg, uint32_t group, double *out,
                struct pz_error *err)
{
    const struct pz_agg_spec *spec = &table->specs[agg];
    struct pz_real_sum *sum = &((struct pz_real_sum *)table->states[agg].main.data)[group];
    *out = pz_real_sum_round(sum);
    bool had_inf = sum->big != NULL && (sum->big->inf_positive > 0 || sum->big->inf_negative > 0);
    if (isinf(*out) && !had_inf) {
        return pz_fail_sql(err, "22003", spec->sql_offset, "value out of range: overflow");
    }
    if (spec->kind == PZ_AGG_MEAN_REAL) {
        *out /= (double)value_count(table, agg, group);
    }
    return PZ_OK;
}

static enum pz_status
finish_group(struct pz_agg_table *table, uint32_t agg, uint32_t group, void *out,
             struct pz_error *err)
{
    const struct pz_agg_spec *spec = &table->specs[agg];
    const struct pz_agg_state *state = &table->states[agg];
    switch (spec->kind) {
    case PZ_AGG_ROWS:
    case PZ_AGG_VALUES:
        break;
    case PZ_AGG_SUM_INT: {
        pz_i128 sum = sum_of(state, group);
        if (sum != (int64_t)sum) {
            enum pz_status status =
                pz_fail_sql(err, "22003", spec->sql_offset, "bigint out of range");
            pz_error_hint(err, "sum a DOUBLE instead: sum(CAST(x AS DOUBLE))");
            return status;
        }
        *(int64_t *)out = (int64_t)sum;
        return PZ_OK;
    }
    case PZ_AGG_MEAN_INT:
        *(double *)out = pz_mean_of_int(sum_of(state, group), value_count(table, agg, group));
        return PZ_OK;
    case PZ_AGG_SUM_REAL:
    case PZ_AGG_MEAN_REAL:
        return finish_sum_real(table, agg, group, out, err);
    case PZ_AGG_LEAST:
    case PZ_AGG_MOST: {
        struct pz__best best;
        struct pz_vector value = pz__agg_best(spec, state, group, &best);
        memcpy(out, value.data, pz_value_size(value.type));
        if (value.type == PZ_TYPE_DOUBLE && *(double *)out == 0) {
            *(double *)out = 0; // which of 0 and -0 came first must not show
        }
        return PZ_OK;
    }
    }
    PZ_UNREACHABLE("counts are never NULL and have their own loop");
}

static void
finish_counts(const struct pz_agg_table *table, uint32_t agg, const uint32_t *groups,
              uint32_t count, int64_t *out)
{
    const uint64_t *rows = pz_agg_rows(table);
    bool is_plain = !table->specs[agg].is_distinct && table->states[agg].nulls.data == NULL;
    for (uint32_t i = 0; i < count; i++) {
        out[i] = (int64_t)(is_plain ? rows[groups[i]] : value_count(table, agg, groups[i]));
    }
}

enum pz_status
pz_agg_finish(struct pz_agg_table *table, uint32_t agg, const uint32_t *groups, uint32_t count,
              struct pz_vector *out, struct pz_error *err)
{
    enum pz_agg_kind kind = table->specs[agg].kind;
    char *data = (char *)(uintptr_t)out->data; // the caller's room
    uint64_t *valid = (uint64_t *)(uintptr_t)out->valid;
    if (kind == PZ_AGG_ROWS || kind == PZ_AGG_VALUES) {
        finish_counts(table, agg, groups, count, (int64_t *)(void *)data);
        out->valid = NULL;
        return PZ_OK;
    }
    size_t size = pz_value_size(out->type);
    bool has_null = false;
    memset(valid, 0xff, PZ_BIT_WORDS(count) * sizeof(uint64_t));
    for (uint32_t i = 0; i < count; i++) {
        if (value_count(table, agg, groups[i]) == 0) {
            pz_bit_clear(valid, i);
            memset(data + i * size, 0, size);
            has_null = true;
        } else {
            PZ_TRY(finish_group(table, agg, groups[i], data + i * size, err));
        }
    }
    out->valid = has_null ? valid : NULL;
    return PZ_OK;
}
