// SPDX-License-Identifier: Apache-2.0
// Taking vectors into the states of aggregates: the hot loops of GROUP BY.
#include "query/exec/agg_internal.h"

#include "query/func/arithmetic.h"

// The i-th selected row.
static inline uint32_t
row_at(const struct pz_rows *rows, uint32_t i)
{
    return rows->rows != NULL ? rows->rows[i] : i;
}
static inline uint32_t
group_at(const struct pz_agg_groups *groups, uint32_t i)
{
    return groups->groups != NULL ? groups->groups[i] : groups->all;
}

// Adding to one of few counters again and again, each addition waits for the one before. With few
// groups rows are spread over several copies of the counters, which are added up at the end.
#define BANKS 4u
#define BANK_GROUPS_MAX 64u
#define BANK_ROWS_MIN 256u

static bool
uses_banks(const struct pz_agg_table *table, uint32_t count)
{
    return table->capacity <= BANK_GROUPS_MAX && count >= BANK_ROWS_MIN;
}

static void
count_in_banks(uint64_t *rows, uint32_t groups, const uint32_t *list, uint32_t count)
{
    uint32_t banks[BANKS][BANK_GROUPS_MAX] = {0};
    uint32_t i = 0;
    for (; i + BANKS <= count; i += BANKS) {
        banks[0][list[i]]++;
        banks[1][list[i + 1]]++;
        banks[2][list[i + 2]]++;
        banks[3][list[i + 3]]++;
    }
    for (; i < count; i++) {
        banks[0][list[i]]++;
    }
    for (uint32_t group = 0; group < groups; group++) {
        rows[group] +=
            (uint64_t)banks[0][group] + banks[1][group] + banks[2][group] + banks[3][group];
    }
}

void
pz_agg_count_rows(struct pz_agg_table *table, const struct pz_agg_groups *groups, uint32_t count)
{
    uint64_t *rows = table->rows.data;
    const uint32_t *list = groups->groups;
    if (list == NULL) {
        rows[groups->all] += count;
        return;
    }
    if (uses_banks(table, count)) {
        count_in_banks(rows, table->capacity, list, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        rows[list[i]]++;
    }
}

static bool
count_nulls(struct pz_agg_table *table, struct pz_agg_state *state,
            const struct pz_agg_groups *groups, const struct pz_vector *arg,
            const struct pz_rows *rows)
{
    if (arg->valid == NULL) {
        return true;
    }
    uint64_t *nulls = state->nulls.data;
    for (uint32_t i = 0; i < rows->count; i++) {
        if (!pz_vector_is_null(arg, row_at(rows, i))) {
            continue;
        }
        if (nulls == NULL) {
            if (!pz__agg_need_nulls(table, state)) {
                return false;
            }
            nulls = state->nulls.data;
        }
        nulls[group_at(groups, i)]++;
    }
    return true;
}

// DISTINCT: each value comes once, and is not NULL.
static void
count_values(struct pz_agg_state *state, const struct pz_agg_groups *groups, uint32_t count)
{
    uint64_t *values = state->nulls.data;
    for (uint32_t i = 0; i < count; i++) {
        values[group_at(groups, i)]++;
    }
}

// ---- sums ----------------------------------------------------------------------------------

// The exact sum of a dense run of at most 2,048 values: the halves cannot overflow.
static pz_i128
sum_run(const int64_t *values, uint32_t count)
{
    uint64_t low = 0;
    int64_t high = 0;
    for (uint32_t i = 0; i < count; i++) {
        low += (uint32_t)values[i];
        high += values[i] >> 32;
    }
    return (pz_i128)high * ((pz_i128)1 << 32) + (pz_i128)low;
}

static bool
sum_one_group(struct pz_agg_table *table, struct pz_agg_state *state, uint32_t group,
              const struct pz_vector *arg, const struct pz_rows *rows)
{
    const int64_t *values = arg->data;
    pz_i128 sum = 0;
    if (arg->is_const) {
        sum = pz_vector_is_null(arg, 0) ? 0 : (pz_i128)values[0] * rows->count;
    } else if (rows->rows == NULL && arg->valid == NULL) {
        sum = sum_run(values, rows->count);
    } else {
        for (uint32_t i = 0; i < rows->count; i++) {
            uint32_t row = row_at(rows, i);
            sum += pz_vector_is_null(arg, row) ? 0 : values[row];
        }
    }
    return pz__agg_add_sum(table, state, group, sum);
}

static bool
sum_wrapped(struct pz_agg_table *table, struct pz_agg_state *state, uint32_t group, int64_t value)
{
    // Called after the word wrapped: upwards when the value is positive.
    return pz__agg_add_wrap(table, state, group, value > 0 ? 1 : -1);
}

// All rows, no NULLs, few groups: halves that cannot overflow within a vector.
static bool
sum_in_banks(struct pz_agg_table *table, struct pz_agg_state *state, const uint32_t *list,
             const int64_t *values, uint32_t count)
{
    uint64_t low[BANKS][BANK_GROUPS_MAX] = {0};
    int64_t high[BANKS][BANK_GROUPS_MAX] = {0};
    for (uint32_t i = 0; i < count; i++) {
        low[i % BANKS][list[i]] += (uint32_t)values[i];
        high[i % BANKS][list[i]] += values[i] >> 32;
    }
    for (uint32_t group = 0; group < table->capacity; group++) {
        pz_i128 sum = 0;
        for (uint32_t bank = 0; bank < BANKS; bank++) {
            sum += (pz_i128)high[bank][group] * ((pz_i128)1 << 32) + (pz_i128)low[bank][group];
        }
        if (sum != 0 && !pz__agg_add_sum(table, state, group, sum)) {
            return false;
        }
    }
    return true;
}

static bool
sum_ints(struct pz_agg_table *table, struct pz_agg_state *state, const struct pz_agg_groups *groups,
         const struct pz_vector *arg, const struct pz_rows *rows)
{
    if (groups->groups == NULL) {
        return sum_one_group(table, state, groups->all, arg, rows);
    }
    int64_t *sums = state->main.data;
    const uint32_t *list = groups->groups;
    const int64_t *values = arg->data;
    if (rows->rows == NULL && arg->valid == NULL && !arg->is_const) {
        if (uses_banks(table, rows->count)) {
            return sum_in_banks(table, state, list, values, rows->count);
        }
        for (uint32_t i = 0; i < rows->count; i++) {
            int64_t *sum = &sums[list[i]];
            if (__builtin_add_overflow(*sum, values[i], sum) &&
                !sum_wrapped(table, state, list[i], values[i])) {
                return false;
            }
        }
        return true;
    }
    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t row = row_at(rows, i);
        if (pz_vector_is_null(arg, row)) {
            continue;
        }
        int64_t value = pz_vector_int(arg, row);
        int64_t *sum = &sums[list[i]];
        if (__builtin_add_overflow(*sum, value, sum) &&
            !sum_wrapped(table, state, list[i], value)) {
            return false;
        }
    }
    return true;
}

static bool
sum_reals(struct pz_agg_table *table, struct pz_agg_state *state,
          const struct pz_agg_groups *groups, const struct pz_vector *arg,
          const struct pz_rows *rows)
{
    struct pz_real_sum *sums = state->main.data;
    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t row = row_at(rows, i);
        if (!pz_vector_is_null(arg, row) &&
            !pz_real_sum_add(&sums[group_at(groups, i)], pz_vector_real(arg, row), table->arena)) {
            return false;
        }
    }
    return true;
}

// ---- smallest and largest ------------------------------------------------------------------

struct pz_vector
pz__agg_best(const struct pz_agg_spec *spec, const struct pz_agg_state *state, uint32_t group,
             struct pz__best *room)
{
    struct pz_vector value = {
        .type = spec->arg_type, .domain_id = spec->domain_id, .is_const = true};
    switch (spec->arg_type) {
    case PZ_TYPE_TEXT: {
        const struct pz__best_text *text = &((const struct pz__best_text *)state->main.data)[group];
        room->text = (struct pz_str){text->data, text->len};
        value.data = &room->text;
        return value;
    }
    case PZ_TYPE_BOOLEAN:
        room->byte = ((const int64_t *)state->main.data)[group] != 0;
        value.data = &room->byte;
        return value;
    case PZ_TYPE_SYMBOL:
        value.data = &((const uint32_t *)state->main.data)[group];
        return value;
    case PZ_TYPE_INTERVAL:
        value.data = &((const struct pz_interval *)state->main.data)[group];
        return value;
    default:
        value.data = &((const int64_t *)state->main.data)[group];
        return value;
    }
}

static bool
set_text(struct pz_agg_table *table, struct pz__best_text *best, struct pz_str text)
{
    if (best->data == NULL || text.len > best->capacity) {
        uint32_t capacity = text.len < 16 ? 16 : text.len + text.len / 2;
        char *data = pz_arena_alloc(table->arena, capacity);
        if (data == NULL) {
            return false;
        }
        best->data = data;
        best->capacity = capacity;
    }
    if (text.len > 0) {
        memmove(best->data, text.data, text.len);
    }
    best->len = text.len;
    return true;
}

static int
order_codes(const struct pz_agg_table *table, const struct pz_agg_spec *spec, uint32_t a,
            uint32_t b)
{
    if (a == b) {
        return 0;
    }
    const struct pz_symbol_ranks *ranks = spec->ranks;
    if (ranks != NULL && a < ranks->count && b < ranks->count) {
        return ranks->ranks[a] < ranks->ranks[b] ? -1 : 1;
    }
    struct pz_store *store = table->session->store;
    return pz_str_compare(pz_symbol_name(store, spec->domain_id, a),
                          pz_symbol_name(store, spec->domain_id, b));
}

// The loop of one type: `better` tells whether x is to replace the group's value y.
#define BEST_LOOP(type, value_of, better, store)         \
    for (uint32_t i = 0; i < rows->count; i++) {         \
        uint32_t row = row_at(rows, i);                  \
        if (pz_vector_is_null(arg, row)) {               \
            continue;                                    \
        }                                                \
        uint32_t group = group_at(groups, i);            \
        type *best = &((type *)state->main.data)[group]; \
        type x = value_of;                               \
        if (!seen[group] || (better)) {                  \
            seen[group] = 1;                             \
            store;                                       \
        }                                                \
    }

static bool
best_texts(struct pz_agg_table *table, struct pz_agg_state *state, int sign,
           const struct pz_agg_groups *groups, const struct pz_vector *arg,
           const struct pz_rows *rows)
{
    uint8_t *seen = state->seen.data;
    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t row = row_at(rows, i);
        if (pz_vector_is_null(arg, row)) {
            continue;
        }
        uint32_t group = group_at(groups, i);
        struct pz__best_text *best = &((struct pz__best_text *)state->main.data)[group];
        struct pz_str text = pz_vector_str(arg, row);
        if (seen[group] &&
            pz_str_compare(text, (struct pz_str){best->data, best->len}) * sign <= 0) {
            continue;
        }
        seen[group] = 1;
        if (!set_text(table, best, text)) {
            return false;
        }
    }
    return true;
}

// sign 1 = largest, -1 = smallest.
static bool
best_values(struct pz_agg_table *table, uint32_t agg, int sign, const struct pz_agg_groups *groups,
            const struct pz_vector *arg, const struct pz_rows *rows)
{
    const struct pz_agg_spec *spec = &table->specs[agg];
    struct pz_agg_state *state = &table->states[agg];
    uint8_t *seen = state->seen.data;
    switch (spec->arg_type) {
    case PZ_TYPE_TEXT:
        return best_texts(table, state, sign, groups, arg, rows);
    case PZ_TYPE_SYMBOL:
        BEST_LOOP(uint32_t, pz_vector_code(arg, row), order_codes(table, spec, x, *best) * sign > 0,
                  *best = x)
        return true;
    case PZ_TYPE_DOUBLE:
        BEST_LOOP(double, pz_vector_real(arg, row), pz_order_real(x, *best) * sign > 0, *best = x)
        return true;
    case PZ_TYPE_BOOLEAN:
        BEST_LOOP(int64_t, pz_vector_byte(arg, row), sign > 0 ? x > *best : x < *best, *best = x)
        return true;
    case PZ_TYPE_INTERVAL:
        BEST_LOOP(struct pz_interval, pz_vector_interval(arg, row),
                  pz_order_interval(x, *best) * sign > 0, *best = x)
        return true;
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE:
        BEST_LOOP(int64_t, pz_vector_int(arg, row), sign > 0 ? x > *best : x < *best, *best = x)
        return true;
    case PZ_TYPE_NULL:
        break;
    }
    PZ_UNREACHABLE("bound values have a type");
}

// ---- dispatch ------------------------------------------------------------------------------

bool
pz_agg_update(struct pz_agg_table *table, uint32_t agg, const struct pz_agg_groups *groups,
              const struct pz_vector *arg, const struct pz_rows *rows)
{
    struct pz_agg_state *state = &table->states[agg];
    const struct pz_agg_spec *spec = &table->specs[agg];
    if (spec->kind == PZ_AGG_ROWS) {
        return true;
    }
    if (spec->is_distinct) {
        count_values(state, groups, rows->count);
    } else if (!count_nulls(table, state, groups, arg, rows)) {
        return false;
    }
    switch (spec->kind) {
    case PZ_AGG_ROWS:
    case PZ_AGG_VALUES:
        return true;
    case PZ_AGG_SUM_INT:
    case PZ_AGG_MEAN_INT:
        return sum_ints(table, state, groups, arg, rows);
    case PZ_AGG_SUM_REAL:
    case PZ_AGG_MEAN_REAL:
        return sum_reals(table, state, groups, arg, rows);
    case PZ_AGG_LEAST:
        return best_values(table, agg, -1, groups, arg, rows);
    case PZ_AGG_MOST:
        return best_values(table, agg, 1, groups, arg, rows);
    }
    PZ_UNREACHABLE("all kinds are above");
}
