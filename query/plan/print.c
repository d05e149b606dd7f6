// SPDX-License-Identifier: Apache-2.0
// Plans and expressions as text. Long lists are cut: EXPLAIN is for people.
#include "query/plan/print.h"

#include "query/expr/cast.h"

#include <ctype.h>

#define LIST_MAX 8u
#define TEXT_MAX 40u

static void print(const struct pz_expr *expr, const struct pz_plan *input,
                  struct pz_buffer *buffer);

static void
print_list(struct pz_expr *const *exprs, uint32_t count, const char *between,
           const struct pz_plan *input, struct pz_buffer *buffer)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            pz_buffer_append_c(buffer, between);
        }
        if (i == LIST_MAX && count > LIST_MAX + 1) {
            pz_buffer_printf(buffer, "… %u more", count - i);
            return;
        }
        print(exprs[i], input, buffer);
    }
}

static void
print_value(const struct pz_value *value, struct pz_buffer *buffer)
{
    if (value->is_null) {
        pz_buffer_append_c(buffer, "NULL");
        return;
    }
    if (value->type == PZ_TYPE_TEXT || value->type == PZ_TYPE_NULL) {
        struct pz_str cut = pz_str_cut_utf8(value->text, TEXT_MAX);
        pz_buffer_printf(buffer, "'%.*s%s'", PZ_STR_ARG(cut), cut.len < value->text.len ? "…" : "");
        return;
    }
    char text[PZ_CAST_TEXT_MAX];
    struct pz_value shown = *value;
    if (shown.type == PZ_TYPE_SYMBOL) {
        shown.type = PZ_TYPE_BIGINT;
    }
    uint32_t len = pz_cast_write(&shown, text);
    bool is_quoted = value->type == PZ_TYPE_TIMESTAMP || value->type == PZ_TYPE_DATE ||
                     value->type == PZ_TYPE_INTERVAL;
    const char *quote = is_quoted ? "'" : "";
    pz_buffer_printf(buffer, "%s%.*s%s", quote, (int)len, text, quote);
}

static void
print_bound(enum pz_type type, int64_t bound, struct pz_buffer *buffer)
{
    // Bounds made of others may lie outside the calendar.
    bool is_time = type == PZ_TYPE_TIMESTAMP || type == PZ_TYPE_DATE;
    int64_t low = type == PZ_TYPE_DATE ? PZ_DATE_MIN : PZ_DATE_MIN * INT64_C(86400000000);
    int64_t high =
        type == PZ_TYPE_DATE ? PZ_DATE_MAX : (PZ_DATE_MAX + 1) * INT64_C(86400000000) - 1;
    bool is_writable = !is_time || (bound >= low && bound <= high);
    struct pz_value value = pz_value_int(is_writable ? type : PZ_TYPE_BIGINT, bound);
    print_value(&value, buffer);
}

static void
print_range(const struct pz_expr *expr, const struct pz_plan *input, struct pz_buffer *buffer)
{
    enum pz_type type = expr->args[0]->type;
    print(expr->args[0], input, buffer);
    if (expr->low > expr->high) {
        pz_buffer_append_c(buffer, " in no range");
    } else if (expr->low == expr->high) {
        pz_buffer_append_c(buffer, " = ");
        print_bound(type, expr->low, buffer);
    } else if (expr->low == INT64_MIN) {
        pz_buffer_append_c(buffer, " <= ");
        print_bound(type, expr->high, buffer);
    } else if (expr->high == INT64_MAX) {
        pz_buffer_append_c(buffer, " >= ");
        print_bound(type, expr->low, buffer);
    } else {
        pz_buffer_append_c(buffer, " between ");
        print_bound(type, expr->low, buffer);
        pz_buffer_append_c(buffer, " and ");
        print_bound(type, expr->high, buffer);
    }
}

static void
print_call(const struct pz_expr *expr, const struct pz_plan *input, struct pz_buffer *buffer)
{
    bool is_operator = !isalpha((unsigned char)expr->function->name[0]);
    if (is_operator && expr->arg_count == 2) {
        pz_buffer_append_c(buffer, "(");
        print(expr->args[0], input, buffer);
        pz_buffer_printf(buffer, " %s ", expr->function->name);
        print(expr->args[1], input, buffer);
        pz_buffer_append_c(buffer, ")");
        return;
    }
    pz_buffer_append_c(buffer, expr->function->name);
    pz_buffer_append_c(buffer, "(");
    print_list(expr->args, expr->arg_count, ", ", input, buffer);
    pz_buffer_append_c(buffer, ")");
}

static void
print_case(const struct pz_expr *expr, const struct pz_plan *input, struct pz_buffer *buffer)
{
    pz_buffer_append_c(buffer, "case");
    uint32_t i = 0;
    for (; i + 1 < expr->arg_count && i < LIST_MAX; i += 2) {
        pz_buffer_append_c(buffer, " when ");
        print(expr->args[i], input, buffer);
        pz_buffer_append_c(buffer, " then ");
        print(expr->args[i + 1], input, buffer);
    }
    if (i + 1 < expr->arg_count) {
        pz_buffer_append_c(buffer, " …");
    }
    if (expr->arg_count % 2 == 1) {
        pz_buffer_append_c(buffer, " else ");
        print(expr->args[expr->arg_count - 1], input, buffer);
    }
    pz_buffer_append_c(buffer, " end");
}

static void
print_pair(const struct pz_expr *expr, const char *between, const struct pz_plan *input,
           struct pz_buffer *buffer)
{
    print(expr->args[0], input, buffer);
    pz_buffer_printf(buffer, " %s ", between);
    print(expr->args[1], input, buffer);
}

static void
print(const struct pz_expr *expr, const struct pz_plan *input, struct pz_buffer *buffer)
{
    static const char *const compares[] = {
        "=", "<>", "<", "<=", ">", ">=", "is distinct from", "is not distinct from"};
    static const char *const tests[] = {"is null",     "is not null", "is true",
                                        "is not true", "is false",    "is not false"};
    switch (expr->kind) {
    case PZ_EXPR_CONST:
        print_value(&expr->value, buffer);
        return;
    case PZ_EXPR_COLUMN:
        pz_buffer_append_str(buffer, input->columns[expr->column].name);
        return;
    case PZ_EXPR_CALL:
        print_call(expr, input, buffer);
        return;
    case PZ_EXPR_CAST:
        pz_buffer_append_c(buffer, "cast(");
        print(expr->args[0], input, buffer);
        pz_buffer_printf(buffer, " as %s)", pz_type_name(expr->type));
        return;
    case PZ_EXPR_COMPARE:
        print_pair(expr, compares[expr->compare], input, buffer);
        return;
    case PZ_EXPR_AND:
        print_list(expr->args, expr->arg_count, " and ", input, buffer);
        return;
    case PZ_EXPR_OR:
        pz_buffer_append_c(buffer, "(");
        print_list(expr->args, expr->arg_count, " or ", input, buffer);
        pz_buffer_append_c(buffer, ")");
        return;
    case PZ_EXPR_NOT:
        pz_buffer_append_c(buffer, "not (");
        print(expr->args[0], input, buffer);
        pz_buffer_append_c(buffer, ")");
        return;
    case PZ_EXPR_IS:
        print(expr->args[0], input, buffer);
        pz_buffer_printf(buffer, " %s", tests[expr->is]);
        return;
    case PZ_EXPR_IN:
        print(expr->args[0], input, buffer);
        pz_buffer_append_c(buffer, " in (");
        print_list(expr->args + 1, expr->arg_count - 1, ", ", input, buffer);
        pz_buffer_append_c(buffer, ")");
        return;
    case PZ_EXPR_LIKE:
        print_pair(expr, expr->is_nocase ? "ilike" : "like", input, buffer);
        return;
    case PZ_EXPR_CASE:
        print_case(expr, input, buffer);
        return;
    case PZ_EXPR_COALESCE:
        pz_buffer_append_c(buffer, "coalesce(");
        print_list(expr->args, expr->arg_count, ", ", input, buffer);
        pz_buffer_append_c(buffer, ")");
        return;
    case PZ_EXPR_SYMBOL_MAP:
        pz_buffer_append_c(buffer, "by symbol [");
        print(expr->args[0], input, buffer);
        pz_buffer_append_c(buffer, "]");
        return;
    case PZ_EXPR_RANGE:
        print_range(expr, input, buffer);
        return;
    }
    PZ_UNREACHABLE("all kinds are above");
}

static void
print_scan(const struct pz_plan *plan, struct pz_buffer *buffer)
{
    pz_buffer_printf(buffer, "scan %s (", plan->table->name);
    pz_buffer_append_c(buffer, plan->column_count == 0 ? "no columns" : "");
    for (uint32_t i = 0; i < plan->column_count; i++) {
        if (i > 0) {
            pz_buffer_append_c(buffer, ", ");
        }
        bool is_day = plan->scan_columns != NULL && plan->scan_columns[i] == PZ_SCAN_DAY;
        if (is_day) {
            const struct pz_table_def *table = plan->table;
            pz_buffer_printf(buffer, "day of %s", table->columns[table->time_column].name);
        } else {
            pz_buffer_append_str(buffer, plan->columns[i].name);
        }
    }
    pz_buffer_append_c(buffer, ")");
    if (plan->filter != NULL) {
        pz_buffer_append_c(buffer, " where ");
        print(plan->filter, plan, buffer);
    }
}

static void
print_aggregate(const struct pz_plan *plan, struct pz_buffer *buffer)
{
    pz_buffer_append_c(buffer, plan->aggregate_count == 0 && plan->group_count > 0 ? "distinct "
                                                                                   : "aggregate ");
    for (uint32_t i = 0; i < plan->aggregate_count; i++) {
        const struct pz_aggregate *aggregate = &plan->aggregates[i];
        pz_buffer_printf(buffer, "%s%s(%s", i > 0 ? ", " : "", aggregate->function->name,
                         aggregate->is_distinct ? "distinct " : "");
        if (aggregate->arg == NULL) {
            pz_buffer_append_c(buffer, "*");
        } else {
            print(aggregate->arg, plan->child, buffer);
        }
        pz_buffer_append_c(buffer, ")");
    }
    if (plan->group_count > 0) {
        pz_buffer_append_c(buffer, plan->aggregate_count == 0 ? "" : " group by ");
        print_list(plan->groups, plan->group_count, ", ", plan->child, buffer);
    }
}

static void
print_sort(const struct pz_plan *plan, struct pz_buffer *buffer)
{
    pz_buffer_append_c(buffer, "sort by ");
    for (uint32_t i = 0; i < plan->key_count; i++) {
        const struct pz_sort_key *key = &plan->keys[i];
        struct pz_str name = plan->columns[key->column].name;
        pz_buffer_printf(buffer, "%s%.*s%s%s", i > 0 ? ", " : "", PZ_STR_ARG(name),
                         key->is_descending ? " desc" : "",
                         key->nulls_first == key->is_descending ? ""
                         : key->nulls_first                     ? " nulls first"
                                                                : " nulls last");
    }
}

void
pz_plan_print_node(const struct pz_plan *plan, struct pz_buffer *buffer)
{
    switch (plan->kind) {
    case PZ_PLAN_SCAN:
        print_scan(plan, buffer);
        return;
    case PZ_PLAN_ONE_ROW:
        pz_buffer_append_c(buffer, "one row");
        return;
    case PZ_PLAN_FILTER:
        pz_buffer_append_c(buffer, "filter ");
        print(plan->filter, plan->child, buffer);
        return;
    case PZ_PLAN_PROJECT:
        pz_buffer_append_c(buffer, "project ");
        print_list(plan->exprs, plan->column_count, ", ", plan->child, buffer);
        return;
    case PZ_PLAN_AGGREGATE:
        print_aggregate(plan, buffer);
        return;
    case PZ_PLAN_DISTINCT:
        pz_buffer_append_c(buffer, "distinct");
        return;
    case PZ_PLAN_SORT:
        print_sort(plan, buffer);
        return;
    case PZ_PLAN_LIMIT:
        pz_buffer_append_c(buffer, "limit");
        if (plan->has_limit) {
            pz_buffer_printf(buffer, " %llu", (unsigned long long)plan->limit);
        }
        if (plan->offset > 0) {
            pz_buffer_printf(buffer, " offset %llu", (unsigned long long)plan->offset);
        }
        return;
    }
    PZ_UNREACHABLE("all kinds are above");
}
