// SPDX-License-Identifier: Apache-2.0
// INSERT … VALUES: constant expressions to a batch, the batch to the writer.
#include "query/statement/statement_internal.h"

#include "query/eval/constant.h"

#include <stdlib.h>

struct insertion {
    struct pz_command *command;
    struct pz_binder binder;
    const struct pz_table_def *table;
    const struct pz_ast_insert *ast;
    uint32_t *position; // per column of the table: which value of a row, or PZ_NO_COLUMN
    struct pz_batch batch;
};

static enum pz_status
map_columns(struct insertion *insertion, struct pz_error *err)
{
    const struct pz_table_def *table = insertion->table;
    const struct pz_ast_insert *ast = insertion->ast;
    insertion->position = pz_arena_alloc_array(insertion->command->session->arena,
                                               table->column_count, sizeof(uint32_t));
    if (insertion->position == NULL) {
        return pz__command_no_memory(insertion->command, err);
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        // Without a list of columns the values are those of the first columns.
        bool is_given = ast->column_count == 0 && i < ast->rows[0].value_count;
        insertion->position[i] = is_given ? i : PZ_NO_COLUMN;
    }
    for (uint32_t i = 0; i < ast->column_count; i++) {
        uint32_t column;
        PZ_TRY(pz_bind_table_column(table, &ast->columns[i], &column, err));
        if (insertion->position[column] != PZ_NO_COLUMN) {
            return pz_fail_sql(err, "42701", ast->columns[i].offset,
                               "column \"%s\" specified more than once",
                               table->columns[column].name);
        }
        insertion->position[column] = i;
    }
    return PZ_OK;
}

static enum pz_status
check_row_length(const struct insertion *insertion, const struct pz_ast_row *row,
                 struct pz_error *err)
{
    const struct pz_ast_insert *ast = insertion->ast;
    if (row->value_count != ast->rows[0].value_count) {
        return pz_fail_sql(err, "42601", row->offset,
                           "VALUES lists must all be the same length: this one has %u values, the "
                           "first %u",
                           row->value_count, ast->rows[0].value_count);
    }
    uint32_t wanted = ast->column_count > 0 ? ast->column_count : insertion->table->column_count;
    if (row->value_count > wanted) {
        return pz_fail_sql(err, "42601", row->offset,
                           "INSERT has more expressions than target columns: %u values for %u "
                           "columns",
                           row->value_count, wanted);
    }
    if (ast->column_count > 0 && row->value_count < wanted) {
        return pz_fail_sql(err, "42601", row->offset,
                           "INSERT has more target columns than expressions: %u columns for %u "
                           "values",
                           wanted, row->value_count);
    }
    return PZ_OK;
}

static enum pz_status
append_value(struct insertion *insertion, uint32_t column, const struct pz_value *value,
             uint32_t offset, struct pz_error *err)
{
    const struct pz_column_def *def = &insertion->table->columns[column];
    struct pz_column *to = &insertion->batch.columns[column];
    uint32_t code;
    switch (def->type) {
    case PZ_TYPE_BOOLEAN:
        pz_column_append_byte(to, value->boolean);
        return PZ_OK;
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE:
        pz_column_append_int(to, value->integer);
        return PZ_OK;
    case PZ_TYPE_DOUBLE:
        pz_column_append_real(to, value->real);
        return PZ_OK;
    case PZ_TYPE_TEXT:
        return pz_column_append_text(to, value->text, err);
    case PZ_TYPE_SYMBOL:
        if (value->text.len > PZ_SYMBOL_LEN_MAX) {
            return pz_fail_sql(err, "22001", offset,
                               "the value for column \"%s\" has %u bytes; a SYMBOL has at most %u",
                               def->name, value->text.len, PZ_SYMBOL_LEN_MAX);
        }
        PZ_TRY(pz_symbol_intern(insertion->command->session->store, def->domain_id, value->text,
                                &code, err));
        pz_column_append_code(to, code);
        return PZ_OK;
    case PZ_TYPE_NULL:
    case PZ_TYPE_INTERVAL:
        break;
    }
    PZ_UNREACHABLE("NULL and INTERVAL are no types of columns");
}

static enum pz_status
append_null(struct insertion *insertion, uint32_t column, uint32_t offset, struct pz_error *err)
{
    const struct pz_column_def *def = &insertion->table->columns[column];
    if (def->is_not_null && !pz_feed_rule(insertion->table->id, column).is_filled) {
        return pz_fail_sql(err, "23502", offset,
                           "null value in column \"%s\" of relation \"%s\" violates not-null "
                           "constraint",
                           def->name, insertion->table->name);
    }
    pz_column_append_null(&insertion->batch.columns[column]);
    return PZ_OK;
}

static enum pz_status
append_column(struct insertion *insertion, const struct pz_ast_row *row, uint32_t column,
              struct pz_error *err)
{
    const struct pz_column_def *def = &insertion->table->columns[column];
    uint32_t position = insertion->position[column];
    const struct pz_ast *ast = position == PZ_NO_COLUMN ? NULL : row->values[position];
    if (ast == NULL) { // not given, or DEFAULT
        return append_null(insertion, column, row->offset, err);
    }
    struct pz_expr *expr;
    PZ_TRY(pz_bind_assignment(&insertion->binder, ast, def->type, def->name, &expr, err));
    struct pz_value value = expr->value;
    if (expr->kind != PZ_EXPR_CONST) {
        PZ_TRY(pz_eval_constant(insertion->command->session, expr, &value, err));
    }
    if (value.is_null) {
        return append_null(insertion, column, ast->begin, err);
    }
    return append_value(insertion, column, &value, ast->begin, err);
}

static enum pz_status
fill_batch(struct insertion *insertion, struct pz_error *err)
{
    const struct pz_ast_insert *ast = insertion->ast;
    PZ_TRY(pz_batch_reserve(&insertion->batch, ast->row_count, err));
    for (uint32_t i = 0; i < ast->row_count; i++) {
        PZ_TRY(check_row_length(insertion, &ast->rows[i], err));
        for (uint32_t column = 0; column < insertion->table->column_count; column++) {
            PZ_TRY(append_column(insertion, &ast->rows[i], column, err));
        }
        PZ_TRY(pz_batch_end_row(&insertion->batch, true, (uint64_t)i + 1, err));
        if (i % 1024 == 1023) {
            PZ_TRY(pz_session_check(insertion->command->session, err));
        }
    }
    return PZ_OK;
}

// The row a refusal is about, by its number in the batch.
static uint32_t
refused_offset(const struct pz_ast_insert *ast, const struct pz_write *write)
{
    if (write->row_error_count > 0 && write->row_errors[0].line >= 1 &&
        write->row_errors[0].line <= ast->row_count) {
        return ast->rows[write->row_errors[0].line - 1].offset;
    }
    return ast->table.offset;
}

enum pz_status
pz__command_insert(struct pz_command *command, struct pz_error *err)
{
    struct insertion insertion = {.command = command,
                                  .binder = {.session = command->session, .sql = command->sql},
                                  .ast = &command->ast->insert};
    const struct pz_ast_insert *ast = insertion.ast;
    struct pz_write write = {
        .kind = PZ_WRITE_ROWS, .on_error = PZ_ON_ERROR_ABORT, .batch_count = 1};
    PZ_TRY(pz_bind_table(&insertion.binder, &ast->table, &insertion.table, err));
    enum pz_status status = pz_batch_init(&insertion.batch, insertion.table, err);
    if (status != PZ_OK) {
        goto out;
    }
    status = map_columns(&insertion, err);
    if (status != PZ_OK) {
        goto out;
    }
    status = fill_batch(&insertion, err);
    if (status != PZ_OK) {
        goto out;
    }
    write.batches = &insertion.batch;
    status = pz__command_write(command, &write, ast->table.offset, err);
    if (status == PZ_INVALID && err != NULL) {
        err->sql_offset = refused_offset(ast, &write) + 1;
    }
out:
    free(write.row_errors);
    pz_batch_fini(&insertion.batch);
    return status;
}
