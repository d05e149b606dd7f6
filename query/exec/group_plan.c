// SPDX-License-Identifier: Apache-2.0
// The strategy of a GROUP BY: what the aggregates compute, whether the keys are dense, and whether
// statistics can stand for rows.
#include "query/exec/aggregate_internal.h"

#include "base/clock.h"
#include "query/exec/scan.h"
#include "query/func/time.h"

#include <stdio.h>

// ---- aggregates ----------------------------------------------------------------------------

static enum pz_agg_kind
kind_of(enum pz_function_id id)
{
    switch (id) {
    case PZ_AGG_COUNT_STAR:
        return PZ_AGG_ROWS;
    case PZ_AGG_COUNT:
        return PZ_AGG_VALUES;
    case PZ_AGG_SUM_BIGINT:
        return PZ_AGG_SUM_INT;
    case PZ_AGG_SUM_DOUBLE:
        return PZ_AGG_SUM_REAL;
    case PZ_AGG_AVG_BIGINT:
        return PZ_AGG_MEAN_INT;
    case PZ_AGG_AVG_DOUBLE:
        return PZ_AGG_MEAN_REAL;
    case PZ_AGG_MIN:
    case PZ_AGG_BOOL_AND: // false is smaller than true
    case PZ_AGG_EVERY:
        return PZ_AGG_LEAST;
    case PZ_AGG_MAX:
    case PZ_AGG_BOOL_OR:
        return PZ_AGG_MOST;
    default:
        PZ_UNREACHABLE("not an aggregate");
    }
}

static void
plan_aggregate(struct pz_group_by *group_by, uint32_t i)
{
    const struct pz_aggregate *aggregate = &group_by->plan->aggregates[i];
    struct pz_agg_spec *spec = &group_by->specs[i];
    spec->kind = kind_of(aggregate->function->id);
    spec->sql_offset = aggregate->sql_offset;
    group_by->arg_results[i] = 0;
    if (aggregate->arg == NULL) {
        return;
    }
    spec->arg_type = aggregate->arg->type;
    spec->domain_id = aggregate->arg->domain_id;
    bool is_best = spec->kind == PZ_AGG_LEAST || spec->kind == PZ_AGG_MOST;
    spec->is_distinct = aggregate->is_distinct && !is_best; // repeats change neither
    if (is_best && spec->arg_type == PZ_TYPE_SYMBOL) {
        spec->ranks = pz_symbol_ranks_make(group_by->exec->session, spec->domain_id,
                                           group_by->input->source.row_estimate);
    }
    group_by->arg_results[i] = group_by->expr_count;
    group_by->exprs[group_by->expr_count++] = aggregate->arg;
}

static bool
make_lists(struct pz_group_by *group_by)
{
    struct pz_arena *arena = group_by->exec->session->arena;
    const struct pz_plan *plan = group_by->plan;
    uint32_t keys = plan->group_count;
    uint32_t aggs = plan->aggregate_count;
    group_by->key_count = keys;
    group_by->agg_count = aggs;
    group_by->key_types = pz_arena_alloc_array(arena, keys, sizeof(enum pz_type));
    group_by->key_domains = pz_arena_alloc_array(arena, keys, sizeof(uint32_t));
    group_by->specs = pz_arena_alloc_zero(arena, aggs * sizeof(*group_by->specs));
    group_by->distincts = pz_arena_alloc_zero(arena, aggs * sizeof(*group_by->distincts));
    group_by->arg_results = pz_arena_alloc_array(arena, aggs, sizeof(uint32_t));
    group_by->exprs = pz_arena_alloc_array(arena, keys + aggs, sizeof(struct pz_expr *));
    group_by->dense.keys = pz_arena_alloc_zero(arena, keys * sizeof(*group_by->dense.keys));
    return group_by->key_types != NULL && group_by->key_domains != NULL &&
           group_by->specs != NULL && group_by->distincts != NULL &&
           group_by->arg_results != NULL && group_by->exprs != NULL && group_by->dense.keys != NULL;
}

// ---- ranges --------------------------------------------------------------------------------

static const struct {
    enum pz_time_field field;
    int64_t low;
    uint32_t width;
} field_ranges[] = {
    {PZ_FIELD_SECOND, 0, 60}, {PZ_FIELD_MINUTE, 0, 60}, {PZ_FIELD_HOUR, 0, 24},
    {PZ_FIELD_DAY, 1, 31},    {PZ_FIELD_WEEK, 1, 53},   {PZ_FIELD_MONTH, 1, 12},
    {PZ_FIELD_QUARTER, 1, 4}, {PZ_FIELD_DOW, 0, 7},     {PZ_FIELD_ISODOW, 1, 7},
    {PZ_FIELD_DOY, 1, 366},
};

static bool
field_range(const struct pz_expr *expr, int64_t *low, uint32_t *width)
{
    enum pz_time_field field;
    if (expr->kind != PZ_EXPR_CALL || expr->function->id != PZ_FN_EXTRACT ||
        expr->args[0]->kind != PZ_EXPR_CONST ||
        !pz_time_field_find(expr->args[0]->value.text, &field)) {
        return false;
    }
    for (size_t i = 0; i < sizeof field_ranges / sizeof *field_ranges; i++) {
        if (field_ranges[i].field == field) {
            *low = field_ranges[i].low;
            *width = field_ranges[i].width;
            return true;
        }
    }
    return false;
}

// Whether positions in the expressions are still those of a scan.
static bool
is_over_scan(const struct pz_group_by *group_by)
{
    const struct pz_pipeline *input = group_by->input;
    for (uint32_t i = 0; i < input->op_count; i++) {
        if (input->ops[i].plan->kind != PZ_PLAN_FILTER) {
            return false;
        }
    }
    return input->source.is_scan;
}

#define WIDTH_MAX (UINT32_C(1) << 31)
static bool
expr_range(struct pz_group_by *group_by, const struct pz_expr *expr, int64_t *low, uint32_t *width)
{
    *low = 0;
    if (expr->type == PZ_TYPE_SYMBOL) {
        *width = pz_symbol_count(group_by->exec->session->store, expr->domain_id);
        return *width < WIDTH_MAX;
    }
    if (expr->type == PZ_TYPE_BOOLEAN) {
        *width = 2;
        return true;
    }
    if (field_range(expr, low, width)) {
        return true;
    }
    int64_t high;
    bool is_int = expr->type == PZ_TYPE_BIGINT || expr->type == PZ_TYPE_DATE;
    if (!is_int || expr->kind != PZ_EXPR_COLUMN || !is_over_scan(group_by) ||
        !pz_scan_range(&group_by->input->source, expr->column, low, &high) ||
        (uint64_t)high - (uint64_t)*low >= WIDTH_MAX) {
        return false;
    }
    *width = (uint32_t)((uint64_t)high - (uint64_t)*low) + 1;
    return true;
}

// date_trunc(unit, day of the time column): starts of units, as multiples of a day.
static bool
trunc_range(struct pz_group_by *group_by, const struct pz_expr *expr, struct pz_dense_key *key)
{
    enum pz_time_field unit;
    int64_t first_day;
    int64_t last_day;
    int64_t first;
    int64_t last;
    if (expr->kind != PZ_EXPR_CALL || expr->function->id != PZ_FN_DATE_TRUNC ||
        expr->args[0]->kind != PZ_EXPR_CONST || !is_over_scan(group_by) ||
        !pz_time_field_find(expr->args[0]->value.text, &unit) || !pz_time_is_days(unit)) {
        return false;
    }
    const struct pz_expr *midnight = expr->args[1];
    if (midnight->kind != PZ_EXPR_CAST || midnight->args[0]->kind != PZ_EXPR_COLUMN ||
        midnight->args[0]->type != PZ_TYPE_DATE ||
        !pz_scan_range(&group_by->input->source, midnight->args[0]->column, &first_day,
                       &last_day) ||
        !pz_time_trunc(unit, first_day * PZ_US_PER_DAY, &first) ||
        !pz_time_trunc(unit, last_day * PZ_US_PER_DAY, &last)) {
        return false;
    }
    key->low = first;
    key->scale = unit == PZ_FIELD_WEEK ? 7 * PZ_US_PER_DAY : PZ_US_PER_DAY;
    key->width = (uint32_t)((last - first) / key->scale) + 1;
    return true;
}

// ---- strategy ------------------------------------------------------------------------------

static bool
find_ranges(struct pz_group_by *group_by)
{
    struct pz_dense *dense = &group_by->dense;
    dense->key_count = group_by->key_count;
    for (uint32_t i = 0; i < group_by->key_count; i++) {
        struct pz_dense_key *key = &dense->keys[i];
        const struct pz_expr *expr = group_by->plan->groups[i];
        key->type = group_by->key_types[i];
        key->domain_id = group_by->key_domains[i];
        key->scale = 1;
        if (!expr_range(group_by, expr, &key->low, &key->width) &&
            !trunc_range(group_by, expr, key)) {
            return false;
        }
    }
    return true;
}

// Packed numbers stay clear of the sign.
#define PACKED_SLOTS_MAX (UINT64_C(1) << 62)

static void
choose_grouper(struct pz_group_by *group_by)
{
    const struct pz_session *session = group_by->exec->session;
    if (!find_ranges(group_by)) {
        return;
    }
    // Arrays may be a little sparse, but have to be small against the query's memory.
    uint64_t limit = session->budget->limit_bytes != 0 ? session->budget->limit_bytes : SIZE_MAX;
    uint64_t per_slot = pz_agg_group_bytes(group_by->specs, group_by->agg_count) * session->threads;
    uint64_t by_memory = limit / 4 / per_slot;
    uint64_t by_rows = group_by->input->source.row_estimate;
    by_rows = by_rows > UINT32_MAX / 16 ? UINT32_MAX / 4 : by_rows * 4 + 4096;
    uint64_t slots_max = by_memory < by_rows ? by_memory : by_rows;
    group_by->is_dense = group_by->key_count == 0 || pz_dense_layout(&group_by->dense, slots_max);
    if (group_by->key_count == 0) {
        group_by->dense.slot_count = 1;
    }
    group_by->is_packed = !group_by->is_dense && group_by->key_count > 1 &&
                          pz_dense_layout(&group_by->dense, PACKED_SLOTS_MAX);
}

static void
choose_distinct(struct pz_group_by *group_by, uint32_t i)
{
    struct pz_distinct_spec *distinct = &group_by->distincts[i];
    const struct pz_agg_spec *spec = &group_by->specs[i];
    if (!spec->is_distinct) {
        return;
    }
    const struct pz_session *session = group_by->exec->session;
    group_by->has_distinct = true;
    distinct->kind = PZ_DISTINCT_SET;
    distinct->type = spec->arg_type;
    distinct->domain_id = spec->domain_id;
    if (!group_by->is_dense || spec->kind != PZ_AGG_VALUES ||
        !expr_range(group_by, group_by->plan->aggregates[i].arg, &distinct->low,
                    &distinct->width)) {
        return;
    }
    distinct->words = PZ_BIT_WORDS(distinct->width);
    uint64_t limit = session->budget->limit_bytes != 0 ? session->budget->limit_bytes : SIZE_MAX;
    uint64_t bytes = (uint64_t)distinct->words * sizeof(uint64_t) * group_by->dense.slot_count;
    uint64_t rows = group_by->input->source.row_estimate;
    if (bytes <= limit / 8 / session->threads && bytes <= rows * 16 + 65536) {
        distinct->kind = PZ_DISTINCT_BITS;
    }
}

// Whether the expression reads nothing but the day output.
static bool
is_of_day(const struct pz_group_by *group_by, const struct pz_expr *expr)
{
    if (expr->kind == PZ_EXPR_COLUMN || expr->kind == PZ_EXPR_SYMBOL_MAP) {
        return pz_scan_table_column(&group_by->input->source, expr->column) == PZ_SCAN_DAY;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (!is_of_day(group_by, expr->args[i])) {
            return false;
        }
    }
    return true;
}

static void
choose_stats(struct pz_group_by *group_by)
{
    const struct pz_plan *plan = group_by->plan;
    if (!group_by->input->source.is_scan || group_by->input->op_count > 0) {
        return;
    }
    for (uint32_t i = 0; i < group_by->agg_count; i++) {
        const struct pz_expr *arg = plan->aggregates[i].arg;
        bool is_plain = arg == NULL || (arg->kind == PZ_EXPR_COLUMN &&
                                        pz_scan_table_column(&group_by->input->source,
                                                             arg->column) != PZ_SCAN_DAY);
        if (!is_plain || group_by->specs[i].is_distinct) {
            return;
        }
    }
    for (uint32_t i = 0; i < group_by->key_count; i++) {
        if (!is_of_day(group_by, plan->groups[i])) {
            return;
        }
    }
    group_by->stats_mode = group_by->key_count == 0 ? PZ_STATS_TOTAL : PZ_STATS_BY_DAY;
}

static void
describe(struct pz_group_by *group_by)
{
    char *text = group_by->stats->strategy;
    const char *stats = group_by->stats_mode == PZ_STATS_TOTAL    ? ", statistics of blocks"
                        : group_by->stats_mode == PZ_STATS_BY_DAY ? ", statistics of day runs"
                                                                  : "";
    if (group_by->key_count == 0) {
        (void)snprintf(text, PZ_STRATEGY_LEN, "one group%s", stats);
    } else if (group_by->is_dense) {
        (void)snprintf(text, PZ_STRATEGY_LEN, "dense arrays of %u slots%s",
                       (unsigned)group_by->dense.slot_count, stats);
    } else if (group_by->is_packed) {
        (void)snprintf(text, PZ_STRATEGY_LEN, "hash table of packed keys%s", stats);
    } else {
        (void)snprintf(text, PZ_STRATEGY_LEN, "hash table%s", stats);
    }
    for (uint32_t i = 0; i < group_by->agg_count; i++) {
        enum pz_distinct_kind kind = group_by->distincts[i].kind;
        if (kind != PZ_DISTINCT_NONE) {
            size_t len = strlen(text);
            (void)snprintf(text + len, PZ_STRATEGY_LEN - len, ", distinct values in %s",
                           kind == PZ_DISTINCT_BITS ? "bitmaps" : "a hash table");
            return;
        }
    }
}

enum pz_status
pz__group_plan(struct pz_group_by *group_by, struct pz_error *err)
{
    const struct pz_plan *plan = group_by->plan;
    if (!make_lists(group_by)) {
        return pz__group_fail_memory(group_by, err);
    }
    for (uint32_t i = 0; i < plan->group_count; i++) {
        group_by->key_types[i] = plan->groups[i]->type;
        group_by->key_domains[i] = plan->groups[i]->domain_id;
        group_by->exprs[group_by->expr_count++] = plan->groups[i];
    }
    for (uint32_t i = 0; i < plan->aggregate_count; i++) {
        plan_aggregate(group_by, i);
    }
    choose_grouper(group_by);
    for (uint32_t i = 0; i < plan->aggregate_count; i++) {
        choose_distinct(group_by, i);
    }
    choose_stats(group_by);
    describe(group_by);
    return PZ_OK;
}
