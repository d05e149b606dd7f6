// SPDX-License-Identifier: Apache-2.0
// Calls: functions of the registry, the aggregates among them, and the forms the binder knows
// itself (coalesce, nullif).
#include "query/bind/bind_internal.h"

#include "base/suggest.h"

// ---- errors --------------------------------------------------------------------------------

// Functions of other databases, and what plaza calls them.
static const char *
other_spelling(struct pz_str name)
{
    static const struct {
        const char *name;
        const char *hint;
    } others[] = {
        {"ifnull", "use coalesce"},
        {"nvl", "use coalesce"},
        {"isnull", "write x IS NULL, or use coalesce"},
        {"if", "write CASE WHEN … THEN … ELSE … END"},
        {"iif", "write CASE WHEN … THEN … ELSE … END"},
        {"len", "use length"},
        {"instr", "use strpos"},
        {"year", "write extract(year FROM x)"},
        {"month", "write extract(month FROM x)"},
        {"day", "write extract(day FROM x)"},
        {"hour", "write extract(hour FROM x)"},
        {"minute", "write extract(minute FROM x)"},
        {"datediff", "subtract the dates: a - b is the number of days"},
        {"date_diff", "subtract the dates: a - b is the number of days"},
        {"date_format", "use date_trunc or extract"},
        {"strftime", "use date_trunc or extract"},
        {"to_char", "use date_trunc, extract or CAST(… AS TEXT)"},
        {"to_date", "write CAST(x AS DATE)"},
        {"to_timestamp", "write CAST(x AS TIMESTAMP)"},
        {"date", "write CAST(x AS DATE)"},
        {"today", "use current_date"},
        {"getdate", "use now()"},
        {"sysdate", "use now()"},
        {"row_number", "window functions are not supported: ORDER BY and LIMIT"},
        {"rank", "window functions are not supported: ORDER BY and LIMIT"},
        {"lag", "window functions are not supported"},
        {"lead", "window functions are not supported"},
        {"count_if", "write sum(CASE WHEN … THEN 1 ELSE 0 END)"},
        {"countif", "write sum(CASE WHEN … THEN 1 ELSE 0 END)"},
        {"mean", "use avg"},
        {"average", "use avg"},
        {"uniq", "write count(DISTINCT x)"},
        {"approx_count_distinct", "write count(DISTINCT x)"},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (pz_str_equal(name, pz_str_from(others[i].name))) {
            return others[i].hint;
        }
    }
    return NULL;
}

static void
hint_function(struct pz_str name, struct pz_error *err)
{
    const char *spelling = other_spelling(name);
    if (spelling != NULL) {
        pz_error_hint(err, "%s", spelling);
        return;
    }
    struct pz_suggestion suggestion;
    pz_suggest_begin(&suggestion, name);
    for (uint32_t i = 0; i < PZ_FUNCTION_COUNT; i++) {
        const char *candidate = pz_function_name(i);
        if (candidate[0] >= 'a' && candidate[0] <= 'z') {
            (void)pz_suggest_offer(&suggestion, pz_str_from(candidate));
        }
    }
    (void)pz_suggest_offer(&suggestion, PZ_STR("coalesce"));
    (void)pz_suggest_offer(&suggestion, PZ_STR("nullif"));
    (void)pz_suggest_hint(&suggestion, err);
}

// The argument types of each overload: "substring(text, bigint) or substring(text, bigint,
// bigint)".
static void
hint_overloads(struct pz_str name, struct pz_error *err)
{
    char text[160];
    struct pz_buffer list = {.limit_bytes = sizeof text};
    for (uint32_t i = 0; i < PZ_FUNCTION_COUNT; i++) {
        const struct pz_function *function = pz_function_get((enum pz_function_id)i);
        if (!pz_str_equal_nocase(pz_str_from(function->name), name)) {
            continue;
        }
        pz_buffer_printf(&list, "%s%s(", list.len > 0 ? " or " : "", function->name);
        bool is_first = true;
        for (const char *letter = function->arguments; *letter != '\0'; letter++) {
            static const char letters[] = "BDTZSAIEF+";
            static const char *const words[] = {
                "bigint", "double precision", "text",     "boolean", "timestamp",
                "date",   "interval",         "any type", "'unit'",  "more alike"};
            const char *at = strchr(letters, *letter);
            if (at != NULL) {
                pz_buffer_printf(&list, "%s%s", is_first ? "" : ", ", words[at - letters]);
                is_first = false;
            }
        }
        pz_buffer_append_c(&list, ")");
    }
    if (!list.is_failed && list.len > 0) {
        pz_error_hint(err, "there is %s", list.data);
    }
    pz_buffer_fini(&list);
}

static enum pz_status
no_function(const struct pz_ast *ast, struct pz_expr *const *args, uint32_t arg_count,
            struct pz_error *err)
{
    struct pz_buffer types = {.limit_bytes = 200};
    for (uint32_t i = 0; i < arg_count; i++) {
        pz_buffer_printf(&types, "%s%s", i == 0 ? "" : ", ", pz_type_word(args[i]->type));
    }
    struct pz_str shown = pz_str_cut_utf8(ast->text, 100);
    enum pz_status status = pz_fail_sql(err, "42883", ast->offset,
                                        "function %.*s(%s) does not exist", PZ_STR_ARG(shown),
                                        types.is_failed  ? "…"
                                        : types.len == 0 ? ""
                                                         : types.data);
    pz_buffer_fini(&types);
    if (pz_function_find(ast->text) == NULL) {
        hint_function(ast->text, err);
    } else {
        hint_overloads(ast->text, err);
    }
    return status;
}

// ---- fields of time --------------------------------------------------------------------------

static enum pz_status
no_field(const struct pz_expr *unit, enum pz_type type, bool is_known, struct pz_error *err)
{
    struct pz_str shown = pz_str_cut_utf8(unit->value.text, 60);
    enum pz_status status;
    if (is_known) {
        status = pz_fail_sql(err, "0A000", unit->sql_offset,
                             "unit \"%.*s\" is not supported for type %s", PZ_STR_ARG(shown),
                             pz_type_word(type));
    } else {
        status =
            pz_fail_sql(err, "22023", unit->sql_offset, "unit \"%.*s\" not recognized for type %s",
                        PZ_STR_ARG(shown), pz_type_word(type));
        static const char *const names[] = {
            "microsecond", "millisecond", "second",  "minute", "hour",    "day",
            "week",        "month",       "quarter", "year",   "decade",  "century",
            "millennium",  "dow",         "isodow",  "doy",    "isoyear", "epoch"};
        struct pz_suggestion suggestion;
        pz_suggest_begin(&suggestion, shown);
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            (void)pz_suggest_offer(&suggestion, pz_str_from(names[i]));
        }
        (void)pz_suggest_hint(&suggestion, err);
    }
    return status;
}

// The first argument of date_trunc, extract and date_part names a field: a constant, and one that
// the call can take.
static enum pz_status
check_field(const struct pz_ast *ast, const struct pz_expr *unit, enum pz_type type,
            enum pz_time_field *field_out, struct pz_error *err)
{
    bool is_constant = unit->kind == PZ_EXPR_CONST && !unit->value.is_null &&
                       (unit->type == PZ_TYPE_NULL || unit->type == PZ_TYPE_TEXT);
    if (!is_constant) {
        enum pz_status status = pz_fail_sql(err, "0A000", unit->sql_offset,
                                            "a unit that is not a constant is not supported");
        pz_error_hint(err, "write it as a text, e.g. 'day'");
        return status;
    }
    type = type == PZ_TYPE_NULL ? PZ_TYPE_TIMESTAMP : type;
    if (!pz_time_field_find(unit->value.text, field_out)) {
        return no_field(unit, type, false, err);
    }
    bool is_trunc = pz_str_equal(ast->text, PZ_STR("date_trunc"));
    if (is_trunc && *field_out >= PZ_FIELD_DOW) {
        return no_field(unit, type, true, err);
    }
    if (!is_trunc && type == PZ_TYPE_DATE && *field_out <= PZ_FIELD_HOUR) {
        return no_field(unit, type, true, err);
    }
    bool is_calendar = *field_out == PZ_FIELD_WEEK ||
                       (*field_out >= PZ_FIELD_DOW && *field_out <= PZ_FIELD_ISOYEAR);
    if (!is_trunc && type == PZ_TYPE_INTERVAL && is_calendar) {
        return no_field(unit, type, true, err);
    }
    return PZ_OK;
}

// ---- aggregates ----------------------------------------------------------------------------

static enum pz_status
check_aggregate_place(const struct pz_scope *scope, const struct pz_ast *ast, struct pz_error *err)
{
    if (scope->is_in_aggregate) {
        enum pz_status status =
            pz_fail_sql(err, "42803", ast->offset, "aggregate function calls cannot be nested");
        pz_error_hint(err, "aggregate in a subquery in FROM, then aggregate its result");
        return status;
    }
    if (scope->aggregates == NULL) {
        enum pz_status status = pz_fail_sql(
            err, "42803", ast->offset, "aggregate functions are not allowed in %s", scope->clause);
        if (strcmp(scope->clause, "WHERE") == 0) {
            pz_error_hint(err, "conditions on groups go into HAVING");
        }
        return status;
    }
    return PZ_OK;
}

static bool
same_aggregate(const struct pz_aggregate *a, const struct pz_aggregate *b)
{
    if (a->function != b->function || a->is_distinct != b->is_distinct ||
        (a->arg == NULL) != (b->arg == NULL)) {
        return false;
    }
    return a->arg == NULL || pz_expr_equal(a->arg, b->arg);
}

// Keeps the call among the SELECT's aggregates, each different one once.
static enum pz_status
keep_aggregate(struct pz_binder *binder, struct pz_bind_aggregates *list,
               const struct pz_aggregate *aggregate, struct pz_expr **out, struct pz_error *err)
{
    uint32_t index = 0;
    while (index < list->count && !same_aggregate(&list->items[index], aggregate)) {
        index++;
    }
    if (index == list->count) {
        if (list->count == list->capacity) {
            uint32_t capacity = list->capacity == 0 ? 8 : list->capacity * 2;
            struct pz_aggregate *items =
                pz_arena_alloc_array(binder->session->arena, capacity, sizeof *items);
            if (items == NULL) {
                return pz__bind_no_memory(err);
            }
            if (list->count > 0) {
                memcpy(items, list->items, list->count * sizeof *items);
            }
            list->items = items;
            list->capacity = capacity;
        }
        list->items[list->count++] = *aggregate;
    }
    *out = pz__bind_make(binder, PZ_EXPR_COLUMN, aggregate->type, 0, aggregate->sql_offset, err);
    if (*out == NULL) {
        return binder->failure;
    }
    (*out)->column = PZ_BIND_AGGREGATE + index;
    (*out)->domain_id = aggregate->domain_id;
    return PZ_OK;
}

static enum pz_status
bind_aggregate(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
               struct pz_expr **out, struct pz_error *err)
{
    PZ_TRY(check_aggregate_place(scope, ast, err));
    bool is_star = ast->item_count == 1 && ast->items[0]->kind == PZ_AST_STAR;
    if (ast->item_count == 0) {
        return pz_fail_sql(err, "42809", ast->offset,
                           "%.*s(*) must be used to call a parameterless aggregate function",
                           PZ_STR_ARG(ast->text));
    }
    struct pz_expr *arg = NULL;
    if (!is_star) {
        scope->is_in_aggregate = true;
        enum pz_status status = pz__bind_expr(binder, scope, ast->items[0], &arg, err);
        scope->is_in_aggregate = false;
        PZ_TRY(status);
    }
    enum pz_type from = is_star ? PZ_TYPE_NULL : arg->type;
    enum pz_type wanted = PZ_TYPE_NULL;
    struct pz_aggregate aggregate = {.sql_offset = ast->offset};
    uint32_t arg_count = is_star ? 0 : ast->item_count;
    if (arg_count > 1 || !pz_function_resolve(ast->text, &from, arg_count, &wanted,
                                              &aggregate.function, &aggregate.type)) {
        return no_function(ast, &arg, is_star ? 0 : 1, err);
    }
    if (!is_star) {
        PZ_TRY(pz__coerce(binder, &arg, wanted, err));
        aggregate.arg = arg;
        aggregate.domain_id = aggregate.type == PZ_TYPE_SYMBOL ? arg->domain_id : 0;
    }
    // The smallest of different values is the smallest of all.
    enum pz_function_id id = aggregate.function->id;
    aggregate.is_distinct = ast->is_distinct && id != PZ_AGG_MIN && id != PZ_AGG_MAX;
    return keep_aggregate(binder, scope->aggregates, &aggregate, out, err);
}

// ---- functions -----------------------------------------------------------------------------

// concat writes TRUE as t, as PostgreSQL does: CASE WHEN x THEN 't' WHEN NOT x THEN 'f' END.
static enum pz_status
bind_letter(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
            struct pz_expr **expr, struct pz_error *err)
{
    struct pz_expr *node =
        pz__bind_make(binder, PZ_EXPR_CASE, PZ_TYPE_TEXT, 4, (*expr)->sql_offset, err);
    struct pz_expr *negated =
        pz__bind_make(binder, PZ_EXPR_NOT, PZ_TYPE_BOOLEAN, 1, (*expr)->sql_offset, err);
    if (node == NULL || negated == NULL) {
        return binder->failure;
    }
    PZ_TRY(pz__bind_expr(binder, scope, ast, &negated->args[0], err));
    node->args[0] = *expr;
    node->args[1] = pz__bind_const(binder, pz_value_text(PZ_STR("t")), ast->offset, err);
    node->args[2] = negated;
    node->args[3] = pz__bind_const(binder, pz_value_text(PZ_STR("f")), ast->offset, err);
    *expr = node;
    return node->args[1] == NULL || node->args[3] == NULL ? binder->failure : PZ_OK;
}

// What plaza's registry leaves to the binder: concat takes values of any type.
static enum pz_status
prepare_arguments(struct pz_binder *binder, const struct pz_ast *ast, struct pz_expr **args,
                  struct pz_str *name, struct pz_error *err)
{
    *name = ast->text;
    if (pz_str_equal(*name, PZ_STR("concat"))) {
        for (uint32_t i = 0; i < ast->item_count; i++) {
            PZ_TRY(pz__coerce(binder, &args[i], PZ_TYPE_TEXT, err));
        }
    }
    bool has_field = pz_str_equal(*name, PZ_STR("date_trunc")) ||
                     pz_str_equal(*name, PZ_STR("extract")) ||
                     pz_str_equal(*name, PZ_STR("date_part"));
    if (has_field && ast->item_count == 2) {
        enum pz_time_field field;
        PZ_TRY(check_field(ast, args[0], args[1]->type, &field, err));
        if (field == PZ_FIELD_EPOCH && pz_str_equal(*name, PZ_STR("extract"))) {
            *name = PZ_STR("extract_epoch");
        }
    }
    return PZ_OK;
}

static enum pz_status
make_call(struct pz_binder *binder, const struct pz_ast *ast, struct pz_expr **args,
          struct pz_expr **out, struct pz_error *err)
{
    struct pz_str name;
    PZ_TRY(prepare_arguments(binder, ast, args, &name, err));
    uint32_t skip = pz_str_equal(name, PZ_STR("extract_epoch")) ? ast->item_count - 1 : 0;
    uint32_t count = ast->item_count - skip;
    enum pz_type *types =
        pz_arena_alloc_array(binder->session->arena, (size_t)count * 2 + 1, sizeof *types);
    if (types == NULL) {
        return pz__bind_no_memory(err);
    }
    for (uint32_t i = 0; i < count; i++) {
        types[i] = args[skip + i]->type;
    }
    const struct pz_function *function;
    enum pz_type result;
    if (!pz_function_resolve(name, types, count, types + count, &function, &result)) {
        return no_function(ast, args, ast->item_count, err);
    }
    struct pz_expr *call = pz__bind_make(binder, PZ_EXPR_CALL, result, count, ast->offset, err);
    if (call == NULL) {
        return binder->failure;
    }
    call->function = function;
    for (uint32_t i = 0; i < count; i++) {
        call->args[i] = args[skip + i];
        PZ_TRY(pz__coerce(binder, &call->args[i], types[count + i], err));
    }
    *out = call;
    return PZ_OK;
}

enum pz_status
pz__bind_call(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
              struct pz_expr **out, struct pz_error *err)
{
    const struct pz_function *function = pz_function_find(ast->text);
    if (function != NULL && function->is_aggregate) {
        return bind_aggregate(binder, scope, ast, out, err);
    }
    if (ast->is_distinct) {
        return pz_fail_sql(err, "42809", ast->offset,
                           "DISTINCT specified, but %.*s is not an aggregate function",
                           PZ_STR_ARG(pz_str_cut_utf8(ast->text, 100)));
    }
    if (pz_str_equal(ast->text, PZ_STR("coalesce"))) {
        return pz__bind_coalesce(binder, scope, ast, out, err);
    }
    if (pz_str_equal(ast->text, PZ_STR("nullif"))) {
        return pz__bind_nullif(binder, scope, ast, out, err);
    }
    if (ast->item_count == 1 && ast->items[0]->kind == PZ_AST_STAR) {
        return no_function(ast, NULL, 0, err);
    }
    struct pz_expr **args =
        pz_arena_alloc_array(binder->session->arena, (size_t)ast->item_count + 1, sizeof *args);
    if (args == NULL) {
        return pz__bind_no_memory(err);
    }
    bool is_concat = pz_str_equal(ast->text, PZ_STR("concat"));
    for (uint32_t i = 0; i < ast->item_count; i++) {
        PZ_TRY(pz__bind_expr(binder, scope, ast->items[i], &args[i], err));
        if (is_concat && args[i]->type == PZ_TYPE_BOOLEAN) {
            PZ_TRY(bind_letter(binder, scope, ast->items[i], &args[i], err));
        }
    }
    if (function == NULL) {
        return no_function(ast, args, ast->item_count, err);
    }
    return make_call(binder, ast, args, out, err);
}
