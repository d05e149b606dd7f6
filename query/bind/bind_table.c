// SPDX-License-Identifier: Apache-2.0
// Expressions that belong to one table: the condition of a DELETE, the values of an INSERT.
#include "query/bind/bind_internal.h"

enum pz_status
pz_bind_table_filter(struct pz_binder *binder, const struct pz_table_def *table,
                     struct pz_str alias, const struct pz_ast *condition,
                     struct pz_expr **filter_out, struct pz_error *err)
{
    struct pz_plan_column *columns =
        pz_arena_alloc_array(binder->session->arena, table->column_count, sizeof *columns);
    if (columns == NULL) {
        return pz__bind_no_memory(err);
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct pz_column_def *column = &table->columns[i];
        columns[i] = (struct pz_plan_column){.name = pz_str_from(column->name),
                                             .type = column->type,
                                             .domain_id = column->domain_id};
    }
    struct pz_scope scope = {.qualifier = alias.data != NULL ? alias : pz_str_from(table->name),
                             .column_count = table->column_count,
                             .columns = columns,
                             .has_from = true,
                             .clause = "WHERE"};
    PZ_TRY(pz__bind_expr(binder, &scope, condition, filter_out, err));
    return pz__coerce_boolean(binder, filter_out, condition, "WHERE", err);
}

// Whether PostgreSQL converts the one to the other on assignment.
static bool
is_assignable(enum pz_type from, enum pz_type to)
{
    enum pz_type common;
    if (to == PZ_TYPE_TEXT || pz__common_type(from, to, &common)) {
        return true; // numbers of both kinds and times of both kinds included
    }
    return false;
}

enum pz_status
pz_bind_assignment(struct pz_binder *binder, const struct pz_ast *ast, enum pz_type type,
                   const char *column, struct pz_expr **expr_out, struct pz_error *err)
{
    struct pz_scope scope = {.clause = "VALUES"};
    PZ_TRY(pz__bind_expr(binder, &scope, ast, expr_out, err));
    enum pz_type to = type == PZ_TYPE_SYMBOL ? PZ_TYPE_TEXT : type;
    enum pz_type from = (*expr_out)->type;
    if (!is_assignable(from, to)) {
        enum pz_status status = pz_fail_sql(
            err, "42804", ast->begin, "column \"%s\" is of type %s but expression is of type %s",
            column, pz_type_word(to), pz_type_word(from));
        pz_error_hint(err, "convert it with CAST(… AS %s)", pz_type_word(to));
        return status;
    }
    return pz__coerce(binder, expr_out, to, err);
}
