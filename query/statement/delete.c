// SPDX-License-Identifier: Apache-2.0
// DELETE: finds the rows in the newest version, while their places cannot change, and hides them.
#include "query/statement/statement_internal.h"

#include "query/exec/exec.h"

// What happened stays in the record: counters are sums over these tables.
static enum pz_status
refuse_history(const struct pz_table_def *table, uint32_t offset, struct pz_error *err)
{
    if (table->id != PZ_TABLE_LIKES && table->id != PZ_TABLE_VIEWS &&
        table->id != PZ_TABLE_MESSAGE_DELETIONS) {
        return PZ_OK;
    }
    enum pz_status status = pz_fail_sql(
        err, "0A000", offset, "rows of \"%s\" are history and cannot be deleted", table->name);
    if (table->id == PZ_TABLE_LIKES) {
        pz_error_hint(err, "to take a like back, INSERT a row with delta -1");
    } else {
        pz_error_hint(err, "leave them out with WHERE when you query");
    }
    return status;
}

// Under the layout lock, in a session whose version is the newest.
static enum pz_status
delete_rows(struct pz_command *command, struct pz_error *err)
{
    const struct pz_ast_delete *ast = &command->ast->delete;
    struct pz_binder binder = {.session = command->session, .sql = command->sql};
    const struct pz_table_def *table;
    PZ_TRY(pz_bind_table(&binder, &ast->table, &table, err));
    PZ_TRY(refuse_history(table, ast->table.offset, err));
    struct pz_expr *filter = NULL;
    if (ast->where != NULL) {
        PZ_TRY(pz_bind_table_filter(&binder, table, ast->alias, ast->where, &filter, err));
    }
    struct pz_row_selection selection = {0};
    uint64_t count = 0;
    PZ_TRY(pz_exec_select_rows(command->session, table, filter, &selection, &count, err));
    if (count == 0) {
        return pz__command_nothing(command, err);
    }
    struct pz_write write = {.kind = PZ_WRITE_DELETE_ROWS, .selection = &selection};
    return pz__command_write(command, &write, ast->table.offset, err);
}

enum pz_status
pz__command_delete(struct pz_command *command, struct pz_error *err)
{
    struct pz_session session = *command->session;
    struct pz_command newest = *command;
    newest.session = &session;
    pz_layout_lock(session.store);
    session.version = pz_version_acquire(session.store);
    enum pz_status status = delete_rows(&newest, err);
    pz_version_release(session.version);
    pz_layout_unlock(session.store);
    return status;
}
