// SPDX-License-Identifier: Apache-2.0
// SELECT to a plan: FROM, then the clauses in the order in which they mean something, and at last
// the nodes on top of each other.
#include "query/bind/bind_internal.h"

#include "query/eval/constant.h"

// One output column, before grouping is worked in.
struct output {
    const struct pz_ast *ast; // NULL when it comes from a star
    uint32_t column;          // of the input, when it does
    struct pz_str name;
    struct pz_expr *expr;
};

// A SELECT on its way to a plan.
struct selection {
    struct pz_binder *binder;
    const struct pz_ast_select *ast;
    struct pz_scope scope;
    struct pz_bind_aggregates aggregates;
    struct pz_plan *plan; // so far
    struct output *outputs;
    uint32_t output_count; // with those only sorted by
    uint32_t visible_count;
    uint32_t output_capacity;
    struct pz_expr **groups;
    uint32_t group_count;
    struct pz_expr *having;
    struct pz_sort_key *keys;
};

static void *
alloc(struct selection *selection, size_t count, size_t size)
{
    return pz_arena_alloc_array(selection->binder->session->arena, count, size);
}

// ---- FROM ----------------------------------------------------------------------------------

static enum pz_status
bind_scan(struct selection *selection, struct pz_error *err)
{
    const struct pz_ast_from *from = &selection->ast->from;
    const struct pz_table_def *table;
    PZ_TRY(pz_bind_table(selection->binder, &from->table, &table, err));
    struct pz_plan *scan =
        pz_plan_make(selection->binder->session->arena, PZ_PLAN_SCAN, NULL, table->column_count);
    if (scan == NULL) {
        return pz__bind_no_memory(err);
    }
    scan->table = table;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct pz_column_def *column = &table->columns[i];
        scan->columns[i] = (struct pz_plan_column){.name = pz_str_from(column->name),
                                                   .type = column->type,
                                                   .domain_id = column->domain_id};
    }
    selection->plan = scan;
    selection->scope.qualifier = pz_str_from(table->name);
    return PZ_OK;
}

// AS t(a, b): new names for the first columns.
static enum pz_status
rename_columns(struct selection *selection, struct pz_error *err)
{
    const struct pz_ast_from *from = &selection->ast->from;
    uint32_t count = selection->plan->column_count;
    if (from->column_alias_count == 0) {
        return PZ_OK;
    }
    if (from->column_alias_count > count) {
        return pz_fail_sql(err, "42P10", from->column_aliases[count].offset,
                           "table \"%.*s\" has %u columns available but %u columns specified",
                           PZ_STR_ARG(pz_str_cut_utf8(from->alias, 100)), count,
                           from->column_alias_count);
    }
    struct pz_plan_column *columns = alloc(selection, count, sizeof *columns);
    if (columns == NULL) {
        return pz__bind_no_memory(err);
    }
    memcpy(columns, selection->plan->columns, count * sizeof *columns);
    for (uint32_t i = 0; i < from->column_alias_count; i++) {
        columns[i].name = from->column_aliases[i].text;
    }
    selection->scope.columns = columns;
    return PZ_OK;
}

static enum pz_status
bind_from(struct selection *selection, struct pz_error *err)
{
    const struct pz_ast_from *from = &selection->ast->from;
    switch (from->kind) {
    case PZ_AST_FROM_NOTHING:
        selection->plan = pz_plan_make(selection->binder->session->arena, PZ_PLAN_ONE_ROW, NULL, 0);
        return selection->plan == NULL ? pz__bind_no_memory(err) : PZ_OK;
    case PZ_AST_FROM_TABLE:
        PZ_TRY(bind_scan(selection, err));
        break;
    case PZ_AST_FROM_SUBQUERY:
        PZ_TRY(pz_bind_select(selection->binder, from->subquery, &selection->plan, err));
        break;
    }
    if (from->alias.data != NULL) {
        selection->scope.qualifier = from->alias;
    }
    selection->scope.has_from = true;
    selection->scope.column_count = selection->plan->column_count;
    selection->scope.columns = selection->plan->columns;
    return rename_columns(selection, err);
}

static enum pz_status
bind_where(struct selection *selection, struct pz_error *err)
{
    const struct pz_ast *where = selection->ast->where;
    if (where == NULL) {
        return PZ_OK;
    }
    struct pz_scope scope = selection->scope;
    scope.clause = "WHERE";
    struct pz_expr *filter;
    PZ_TRY(pz__bind_expr(selection->binder, &scope, where, &filter, err));
    PZ_TRY(pz__coerce_boolean(selection->binder, &filter, where, "WHERE", err));
    selection->plan =
        pz_plan_make_like(selection->binder->session->arena, PZ_PLAN_FILTER, selection->plan);
    if (selection->plan == NULL) {
        return pz__bind_no_memory(err);
    }
    selection->plan->filter = filter;
    return PZ_OK;
}

// ---- the select list -----------------------------------------------------------------------

static enum pz_status
add_output(struct selection *selection, const struct output *output, uint32_t offset,
           struct pz_error *err)
{
    if (selection->output_count == selection->output_capacity) {
        uint32_t capacity = selection->output_capacity == 0 ? 16 : selection->output_capacity * 2;
        struct output *outputs = alloc(selection, capacity, sizeof *outputs);
        if (outputs == NULL) {
            return pz__bind_no_memory(err);
        }
        if (selection->output_count > 0) {
            memcpy(outputs, selection->outputs, selection->output_count * sizeof *outputs);
        }
        selection->outputs = outputs;
        selection->output_capacity = capacity;
    }
    // Sort keys may come on top of a full list.
    if (selection->output_count >= 2 * PZ_COLUMNS_MAX ||
        (output->expr == NULL && selection->output_count >= PZ_COLUMNS_MAX)) {
        return pz_fail_sql(err, "54011", offset, "the select list has more than %u entries",
                           PZ_COLUMNS_MAX);
    }
    selection->outputs[selection->output_count++] = *output;
    return PZ_OK;
}

static enum pz_status
expand_star(struct selection *selection, const struct pz_ast *star, struct pz_error *err)
{
    const struct pz_scope *scope = &selection->scope;
    if (!scope->has_from) {
        return pz_fail_sql(err, "42601", star->offset,
                           "SELECT * with no tables specified is not valid");
    }
    if (star->qualifier.len > 0 && !pz__scope_is_qualifier(scope, star->qualifier)) {
        return pz__scope_no_qualifier(scope, star->qualifier, star->offset, err);
    }
    for (uint32_t i = 0; i < scope->column_count; i++) {
        struct output output = {.column = i, .name = scope->columns[i].name};
        PZ_TRY(add_output(selection, &output, star->offset, err));
    }
    return PZ_OK;
}

// Lists the output columns; their expressions are bound later, since GROUP BY may name them.
static enum pz_status
list_outputs(struct selection *selection, struct pz_error *err)
{
    for (uint32_t i = 0; i < selection->ast->item_count; i++) {
        const struct pz_ast_item *item = &selection->ast->items[i];
        if (item->expr->kind == PZ_AST_STAR) {
            PZ_TRY(expand_star(selection, item->expr, err));
            continue;
        }
        struct output output = {.ast = item->expr,
                                .name =
                                    item->alias.data != NULL ? item->alias : pz__label(item->expr)};
        PZ_TRY(add_output(selection, &output, item->expr->begin, err));
    }
    selection->visible_count = selection->output_count;
    return PZ_OK;
}

// Binds the expression of an output column in a scope.
static enum pz_status
bind_output(struct selection *selection, const struct output *output, struct pz_scope *scope,
            struct pz_expr **out, struct pz_error *err)
{
    struct pz_binder *binder = selection->binder;
    if (output->ast != NULL) {
        PZ_TRY(pz__bind_expr(binder, scope, output->ast, out, err));
        return pz__is_untyped(*out) ? pz__coerce(binder, out, PZ_TYPE_TEXT, err) : PZ_OK;
    }
    const struct pz_plan_column *column = &scope->columns[output->column];
    *out = pz__bind_make(binder, PZ_EXPR_COLUMN, column->type, 0, selection->ast->offset, err);
    if (*out == NULL) {
        return binder->failure;
    }
    (*out)->column = output->column;
    (*out)->domain_id = column->domain_id;
    return PZ_OK;
}

static enum pz_status
bind_outputs(struct selection *selection, struct pz_error *err)
{
    struct pz_scope scope = selection->scope;
    scope.clause = "SELECT";
    scope.aggregates = &selection->aggregates;
    for (uint32_t i = 0; i < selection->output_count; i++) {
        struct output *output = &selection->outputs[i];
        PZ_TRY(bind_output(selection, output, &scope, &output->expr, err));
    }
    return PZ_OK;
}

// ---- names and positions of output columns -------------------------------------------------

// A number with a minus before it is a constant, too.
static bool
is_constant(const struct pz_ast *ast)
{
    if (ast->kind == PZ_AST_NEGATE) {
        return ast->items[0]->kind == PZ_AST_DOUBLE;
    }
    return ast->kind == PZ_AST_STRING || ast->kind == PZ_AST_DOUBLE || ast->kind == PZ_AST_NULL ||
           ast->kind == PZ_AST_BOOLEAN;
}

static bool
is_ordinal(const struct pz_ast *ast)
{
    return ast->kind == PZ_AST_INTEGER ||
           (ast->kind == PZ_AST_NEGATE && ast->items[0]->kind == PZ_AST_INTEGER);
}

// GROUP BY 2, ORDER BY 2; -2 is no position.
static enum pz_status
find_ordinal(const struct selection *selection, const struct pz_ast *ast, const char *clause,
             uint32_t *output_out, struct pz_error *err)
{
    int64_t position = ast->kind == PZ_AST_NEGATE ? -ast->items[0]->integer : ast->integer;
    if (position < 1 || position > (int64_t)selection->visible_count) {
        enum pz_status status =
            pz_fail_sql(err, "42P10", ast->offset, "%s position %lld is not in select list", clause,
                        (long long)position);
        pz_error_hint(err, "the select list has %u %s", selection->visible_count,
                      selection->visible_count == 1 ? "column" : "columns");
        return status;
    }
    *output_out = (uint32_t)position - 1;
    return PZ_OK;
}

static bool
same_source(const struct output *a, const struct output *b)
{
    if (a->expr != NULL && b->expr != NULL) {
        return pz_expr_equal(a->expr, b->expr);
    }
    return a->ast == b->ast && a->column == b->column;
}

// The output column of a name; *found_out is false when there is none.
static enum pz_status
find_output_name(const struct selection *selection, const struct pz_ast *name, const char *clause,
                 uint32_t *output_out, bool *found_out, struct pz_error *err)
{
    *found_out = false;
    for (uint32_t i = 0; i < selection->visible_count; i++) {
        const struct output *output = &selection->outputs[i];
        if (!pz_str_equal_nocase(output->name, name->text)) {
            continue;
        }
        if (*found_out && !same_source(&selection->outputs[*output_out], output)) {
            return pz_fail_sql(err, "42702", name->offset, "%s \"%.*s\" is ambiguous", clause,
                               PZ_STR_ARG(pz_str_cut_utf8(name->text, 100)));
        }
        if (!*found_out) {
            *output_out = i;
            *found_out = true;
        }
    }
    return PZ_OK;
}

// ---- GROUP BY and HAVING -------------------------------------------------------------------

static enum pz_status
bind_group(struct selection *selection, const struct pz_ast *ast, struct pz_expr **out,
           struct pz_error *err)
{
    struct pz_scope scope = selection->scope;
    scope.clause = "GROUP BY";
    uint32_t output = 0;
    bool is_output = false;
    if (is_ordinal(ast)) {
        PZ_TRY(find_ordinal(selection, ast, "GROUP BY", &output, err));
        is_output = true;
    } else if (is_constant(ast)) {
        return pz_fail_sql(err, "42601", ast->offset, "non-integer constant in GROUP BY");
    } else if (ast->kind == PZ_AST_COLUMN && ast->qualifier.len == 0 &&
               !pz__scope_has(&scope, ast->text)) {
        PZ_TRY(find_output_name(selection, ast, "GROUP BY", &output, &is_output, err));
    }
    if (is_output) {
        return bind_output(selection, &selection->outputs[output], &scope, out, err);
    }
    PZ_TRY(pz__bind_expr(selection->binder, &scope, ast, out, err));
    return pz__is_untyped(*out) ? pz__coerce(selection->binder, out, PZ_TYPE_TEXT, err) : PZ_OK;
}

static enum pz_status
bind_groups(struct selection *selection, struct pz_error *err)
{
    uint32_t count = selection->ast->group_count;
    selection->groups = alloc(selection, (size_t)count + 1, sizeof(struct pz_expr *));
    if (selection->groups == NULL) {
        return pz__bind_no_memory(err);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct pz_expr *group;
        PZ_TRY(bind_group(selection, selection->ast->groups[i], &group, err));
        uint32_t same = 0;
        while (same < selection->group_count && !pz_expr_equal(selection->groups[same], group)) {
            same++;
        }
        if (same == selection->group_count) {
            selection->groups[selection->group_count++] = group;
        }
    }
    return PZ_OK;
}

static enum pz_status
bind_having(struct selection *selection, struct pz_error *err)
{
    const struct pz_ast *having = selection->ast->having;
    if (having == NULL) {
        return PZ_OK;
    }
    struct pz_scope scope = selection->scope;
    scope.clause = "HAVING";
    scope.aggregates = &selection->aggregates;
    PZ_TRY(pz__bind_expr(selection->binder, &scope, having, &selection->having, err));
    return pz__coerce_boolean(selection->binder, &selection->having, having, "HAVING", err);
}

// ---- ORDER BY ------------------------------------------------------------------------------

// Sorting by an expression: one of the outputs, or one more output that is dropped afterwards.
static enum pz_status
find_or_add_output(struct selection *selection, const struct pz_ast *ast, uint32_t *output_out,
                   struct pz_error *err)
{
    struct pz_scope scope = selection->scope;
    scope.clause = "ORDER BY";
    scope.aggregates = &selection->aggregates;
    struct output output = {.ast = ast, .name = PZ_STR("")};
    PZ_TRY(bind_output(selection, &output, &scope, &output.expr, err));
    for (uint32_t i = 0; i < selection->output_count; i++) {
        if (pz_expr_equal(selection->outputs[i].expr, output.expr)) {
            *output_out = i;
            return PZ_OK;
        }
    }
    if (selection->ast->is_distinct) {
        return pz_fail_sql(err, "42P10", ast->begin,
                           "for SELECT DISTINCT, ORDER BY expressions must appear in select list");
    }
    *output_out = selection->output_count;
    return add_output(selection, &output, ast->begin, err);
}

static enum pz_status
bind_order_item(struct selection *selection, const struct pz_ast *ast, uint32_t *output_out,
                struct pz_error *err)
{
    if (is_ordinal(ast)) {
        return find_ordinal(selection, ast, "ORDER BY", output_out, err);
    }
    if (is_constant(ast)) {
        return pz_fail_sql(err, "42601", ast->offset, "non-integer constant in ORDER BY");
    }
    if (ast->kind == PZ_AST_COLUMN && ast->qualifier.len == 0) {
        bool is_found;
        PZ_TRY(find_output_name(selection, ast, "ORDER BY", output_out, &is_found, err));
        if (is_found) {
            return PZ_OK;
        }
    }
    return find_or_add_output(selection, ast, output_out, err);
}

static enum pz_status
bind_order(struct selection *selection, struct pz_error *err)
{
    uint32_t count = selection->ast->order_count;
    selection->keys = alloc(selection, (size_t)count + 1, sizeof *selection->keys);
    if (selection->keys == NULL) {
        return pz__bind_no_memory(err);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct pz_ast_order *order = &selection->ast->orders[i];
        struct pz_sort_key *key = &selection->keys[i];
        *key = (struct pz_sort_key){.is_descending = order->is_descending};
        // As in PostgreSQL, NULL counts as larger than everything.
        key->nulls_first = order->nulls == PZ_AST_NULLS_DEFAULT
                               ? order->is_descending
                               : order->nulls == PZ_AST_NULLS_FIRST;
        PZ_TRY(bind_order_item(selection, order->expr, &key->column, err));
    }
    return PZ_OK;
}

// ---- LIMIT ---------------------------------------------------------------------------------

// *is_given_out is false for NULL, which is no limit.
static enum pz_status
bind_limit(struct pz_binder *binder, const struct pz_ast *ast, bool is_limit, uint64_t *out,
           bool *is_given_out, struct pz_error *err)
{
    const char *clause = is_limit ? "LIMIT" : "OFFSET";
    struct pz_scope scope = {.clause = clause};
    struct pz_expr *expr;
    PZ_TRY(pz__bind_expr(binder, &scope, ast, &expr, err));
    if (expr->type != PZ_TYPE_BIGINT && expr->type != PZ_TYPE_DOUBLE && !pz__is_untyped(expr)) {
        return pz_fail_sql(err, "42804", ast->begin,
                           "argument of %s must be type bigint, not type %s", clause,
                           pz_type_word(expr->type));
    }
    PZ_TRY(pz__coerce(binder, &expr, PZ_TYPE_BIGINT, err));
    struct pz_value value = expr->value;
    if (expr->kind != PZ_EXPR_CONST) {
        PZ_TRY(pz_eval_constant(binder->session, expr, &value, err));
    }
    *is_given_out = !value.is_null;
    *out = 0;
    if (!value.is_null && value.integer < 0) {
        return pz_fail_sql(err, is_limit ? "2201W" : "2201X", ast->begin, "%s must not be negative",
                           clause);
    }
    if (!value.is_null) {
        *out = (uint64_t)value.integer;
    }
    return PZ_OK;
}

static enum pz_status
add_limit(struct selection *selection, struct pz_error *err)
{
    const struct pz_ast_select *ast = selection->ast;
    if (ast->limit == NULL && ast->offset_rows == NULL) {
        return PZ_OK;
    }
    struct pz_plan *node =
        pz_plan_make_like(selection->binder->session->arena, PZ_PLAN_LIMIT, selection->plan);
    if (node == NULL) {
        return pz__bind_no_memory(err);
    }
    bool has_offset = false;
    if (ast->limit != NULL) {
        PZ_TRY(
            bind_limit(selection->binder, ast->limit, true, &node->limit, &node->has_limit, err));
    }
    if (ast->offset_rows != NULL) {
        PZ_TRY(bind_limit(selection->binder, ast->offset_rows, false, &node->offset, &has_offset,
                          err));
    }
    selection->plan = node;
    return PZ_OK;
}

// ---- nodes on top of each other --------------------------------------------------------------

static enum pz_status
add_aggregate(struct selection *selection, struct pz_error *err)
{
    uint32_t group_count = selection->group_count;
    uint32_t aggregate_count = selection->aggregates.count;
    struct pz_plan *node = pz_plan_make(selection->binder->session->arena, PZ_PLAN_AGGREGATE,
                                        selection->plan, group_count + aggregate_count);
    if (node == NULL) {
        return pz__bind_no_memory(err);
    }
    node->group_count = group_count;
    node->groups = selection->groups;
    node->aggregate_count = aggregate_count;
    node->aggregates = selection->aggregates.items;
    for (uint32_t i = 0; i < group_count; i++) {
        node->columns[i] = (struct pz_plan_column){.name = PZ_STR("group"),
                                                   .type = selection->groups[i]->type,
                                                   .domain_id = selection->groups[i]->domain_id};
    }
    for (uint32_t i = 0; i < aggregate_count; i++) {
        const struct pz_aggregate *aggregate = &selection->aggregates.items[i];
        node->columns[group_count + i] =
            (struct pz_plan_column){.name = pz_str_from(aggregate->function->name),
                                    .type = aggregate->type,
                                    .domain_id = aggregate->domain_id};
    }
    selection->plan = node;
    struct pz_bind_groups groups = {selection->groups, group_count, &selection->scope};
    for (uint32_t i = 0; i < selection->output_count; i++) {
        PZ_TRY(pz__bind_over_groups(selection->binder, &groups, &selection->outputs[i].expr, err));
    }
    if (selection->having == NULL) {
        return PZ_OK;
    }
    PZ_TRY(pz__bind_over_groups(selection->binder, &groups, &selection->having, err));
    node = pz_plan_make_like(selection->binder->session->arena, PZ_PLAN_FILTER, selection->plan);
    if (node == NULL) {
        return pz__bind_no_memory(err);
    }
    node->filter = selection->having;
    selection->plan = node;
    return PZ_OK;
}

static enum pz_status
add_project(struct selection *selection, struct pz_error *err)
{
    uint32_t count = selection->output_count;
    struct pz_arena *arena = selection->binder->session->arena;
    struct pz_plan *node = pz_plan_make(arena, PZ_PLAN_PROJECT, selection->plan, count);
    struct pz_expr **exprs = alloc(selection, (size_t)count + 1, sizeof *exprs);
    if (node == NULL || exprs == NULL) {
        return pz__bind_no_memory(err);
    }
    node->exprs = exprs;
    for (uint32_t i = 0; i < count; i++) {
        const struct output *output = &selection->outputs[i];
        exprs[i] = output->expr;
        struct pz_str name = pz_arena_copy(arena, output->name);
        if (name.data == NULL) {
            return pz__bind_no_memory(err);
        }
        node->columns[i] = (struct pz_plan_column){
            .name = name, .type = output->expr->type, .domain_id = output->expr->domain_id};
    }
    selection->plan = node;
    return PZ_OK;
}

// Drops what was only sorted by.
static enum pz_status
drop_hidden(struct selection *selection, struct pz_error *err)
{
    uint32_t count = selection->visible_count;
    if (count == selection->output_count) {
        return PZ_OK;
    }
    struct pz_plan *child = selection->plan;
    struct pz_plan *node =
        pz_plan_make(selection->binder->session->arena, PZ_PLAN_PROJECT, child, count);
    struct pz_expr **exprs = alloc(selection, (size_t)count + 1, sizeof *exprs);
    if (node == NULL || exprs == NULL) {
        return pz__bind_no_memory(err);
    }
    node->exprs = exprs;
    for (uint32_t i = 0; i < count; i++) {
        node->columns[i] = child->columns[i];
        exprs[i] = pz__bind_make(selection->binder, PZ_EXPR_COLUMN, child->columns[i].type, 0,
                                 selection->ast->offset, err);
        if (exprs[i] == NULL) {
            return selection->binder->failure;
        }
        exprs[i]->column = i;
        exprs[i]->domain_id = child->columns[i].domain_id;
    }
    selection->plan = node;
    return PZ_OK;
}

static enum pz_status
build_plan(struct selection *selection, struct pz_error *err)
{
    struct pz_arena *arena = selection->binder->session->arena;
    const struct pz_ast_select *ast = selection->ast;
    if (selection->group_count > 0 || selection->aggregates.count > 0 || ast->having != NULL) {
        PZ_TRY(add_aggregate(selection, err));
    }
    PZ_TRY(add_project(selection, err));
    if (ast->is_distinct) {
        selection->plan = pz_plan_make_like(arena, PZ_PLAN_DISTINCT, selection->plan);
        if (selection->plan == NULL) {
            return pz__bind_no_memory(err);
        }
    }
    if (ast->order_count > 0) {
        selection->plan = pz_plan_make_like(arena, PZ_PLAN_SORT, selection->plan);
        if (selection->plan == NULL) {
            return pz__bind_no_memory(err);
        }
        selection->plan->keys = selection->keys;
        selection->plan->key_count = ast->order_count;
    }
    PZ_TRY(drop_hidden(selection, err));
    return add_limit(selection, err);
}

enum pz_status
pz_bind_select(struct pz_binder *binder, const struct pz_ast_select *select,
               struct pz_plan **plan_out, struct pz_error *err)
{
    struct selection selection = {.binder = binder, .ast = select};
    PZ_TRY(bind_from(&selection, err));
    selection.scope.select = select;
    PZ_TRY(list_outputs(&selection, err));
    PZ_TRY(bind_where(&selection, err));
    PZ_TRY(bind_groups(&selection, err));
    PZ_TRY(bind_outputs(&selection, err));
    PZ_TRY(bind_having(&selection, err));
    PZ_TRY(bind_order(&selection, err));
    PZ_TRY(build_plan(&selection, err));
    *plan_out = selection.plan;
    return PZ_OK;
}
