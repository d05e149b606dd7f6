// SPDX-License-Identifier: Apache-2.0
// CREATE TABLE and DROP TABLE.
#include "query/statement/statement_internal.h"

#include <stdlib.h>

// ---- names ---------------------------------------------------------------------------------

static enum pz_status
check_length(const struct pz_ast_name *name, struct pz_error *err)
{
    if (name->text.len > PZ_NAME_LEN_MAX) {
        return pz_fail_sql(err, "42622", name->offset, "the name \"%.*s\" is longer than %d bytes",
                           PZ_STR_ARG(pz_str_cut_utf8(name->text, 60)), PZ_NAME_LEN_MAX);
    }
    for (uint32_t i = 0; i < name->text.len; i++) {
        if ((unsigned char)name->text.data[i] < 0x20 || name->text.data[i] == 0x7F) {
            return pz_fail_sql(err, "42602", name->offset, "a name with a control character");
        }
    }
    return PZ_OK;
}

// Names of tables stand in paths of HTTP: letters, digits and _ only, as unquoted names have.
static enum pz_status
check_table_name(const struct pz_ast_name *name, struct pz_error *err)
{
    PZ_TRY(check_length(name, err));
    for (uint32_t i = 0; i < name->text.len; i++) {
        unsigned char c = (unsigned char)name->text.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
        if (!is_letter && !(c >= '0' && c <= '9')) {
            enum pz_status status =
                pz_fail_sql(err, "42602", name->offset, "\"%.*s\" cannot be the name of a table",
                            PZ_STR_ARG(name->text));
            pz_error_hint(err, "use letters, digits and _");
            return status;
        }
    }
    return PZ_OK;
}

// ---- CREATE TABLE --------------------------------------------------------------------------

static enum pz_status
set_domain(const struct pz_ast_column *from, struct pz_column_def *column, struct pz_error *err)
{
    if (from->type != PZ_TYPE_SYMBOL) {
        if (from->domain.text.data != NULL) {
            return pz_fail_sql(err, "42601", from->domain.offset,
                               "only a column of type SYMBOL has a DOMAIN");
        }
        return PZ_OK;
    }
    struct pz_str domain = from->name.text;
    if (from->domain.text.data != NULL) {
        PZ_TRY(check_length(&from->domain, err));
        domain = from->domain.text;
    } else if (pz_str_equal_nocase(domain, PZ_STR("user_id"))) {
        domain = PZ_STR("user"); // that of messages, likes and views
    }
    (void)pz_str_to_c(domain, column->domain_name, sizeof column->domain_name);
    return PZ_OK;
}

static enum pz_status
set_column(const struct pz_ast_create *create, uint32_t index, struct pz_column_def *columns,
           struct pz_error *err)
{
    const struct pz_ast_column *from = &create->columns[index];
    PZ_TRY(check_length(&from->name, err));
    for (uint32_t i = 0; i < index; i++) {
        if (pz_str_equal_nocase(pz_str_from(columns[i].name), from->name.text)) {
            return pz_fail_sql(err, "42701", from->name.offset,
                               "column \"%.*s\" specified more than once",
                               PZ_STR_ARG(from->name.text));
        }
    }
    if (from->type == PZ_TYPE_INTERVAL) {
        enum pz_status status = pz_fail_sql(err, "0A000", from->type_offset,
                                            "a column of type INTERVAL is not supported");
        pz_error_hint(err, "keep a BIGINT of seconds or milliseconds");
        return status;
    }
    struct pz_column_def *column = &columns[index];
    (void)pz_str_to_c(from->name.text, column->name, sizeof column->name);
    column->type = from->type;
    column->is_not_null = from->is_not_null;
    return set_domain(from, column, err);
}

static enum pz_status
set_time_column(const struct pz_ast_create *create, struct pz_table_def *table,
                struct pz_error *err)
{
    table->time_column = PZ_NO_COLUMN;
    if (create->time.text.data == NULL) {
        for (uint32_t i = 0; i < table->column_count; i++) {
            if (table->columns[i].type == PZ_TYPE_TIMESTAMP) {
                table->time_column = i;
                break;
            }
        }
        return PZ_OK;
    }
    uint32_t column = pz_table_def_find(table, create->time.text);
    if (column == PZ_NO_COLUMN) {
        return pz_fail_sql(err, "42703", create->time.offset, "column \"%.*s\" does not exist",
                           PZ_STR_ARG(pz_str_cut_utf8(create->time.text, 100)));
    }
    if (table->columns[column].type != PZ_TYPE_TIMESTAMP) {
        return pz_fail_sql(err, "42804", create->time.offset,
                           "the time column must be of type TIMESTAMP, not %s",
                           pz_type_name(table->columns[column].type));
    }
    table->time_column = column;
    return PZ_OK;
}

enum pz_status
pz__command_create(struct pz_command *command, struct pz_error *err)
{
    const struct pz_ast_create *create = &command->ast->create;
    PZ_TRY(check_table_name(&create->table, err));
    struct pz_table_def table = {.column_count = create->column_count};
    (void)pz_str_to_c(create->table.text, table.name, sizeof table.name);
    table.columns =
        pz_arena_alloc_zero(command->session->arena, create->column_count * sizeof *table.columns);
    if (table.columns == NULL) {
        return pz__command_no_memory(command, err);
    }
    for (uint32_t i = 0; i < create->column_count; i++) {
        PZ_TRY(set_column(create, i, table.columns, err));
    }
    PZ_TRY(set_time_column(create, &table, err));
    struct pz_write write = {
        .kind = PZ_WRITE_CREATE_TABLE, .table = &table, .if_exists = create->if_not_exists};
    return pz__command_write(command, &write, create->table.offset, err);
}

// ---- DROP TABLE ----------------------------------------------------------------------------

enum pz_status
pz__command_drop(struct pz_command *command, struct pz_error *err)
{
    const struct pz_ast_drop *drop = &command->ast->drop;
    struct pz_binder binder = {.session = command->session, .sql = command->sql};
    const struct pz_table_def *found;
    enum pz_status status = pz_bind_table(&binder, &drop->table, &found, err);
    if (status != PZ_OK) {
        return drop->if_exists ? pz__command_nothing(command, err) : status;
    }
    if (found->id < PZ_TABLE_ID_FIRST_USER) {
        return pz_fail_sql(err, "42501", drop->table.offset,
                           "table \"%s\" is built in and cannot be dropped", found->name);
    }
    struct pz_table_def table = *found;
    struct pz_write write = {
        .kind = PZ_WRITE_DROP_TABLE, .table = &table, .if_exists = drop->if_exists};
    return pz__command_write(command, &write, drop->table.offset, err);
}
