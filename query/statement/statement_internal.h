// SPDX-License-Identifier: Apache-2.0
// Commands, the statements that are not plans: INSERT, DELETE, CREATE TABLE, DROP TABLE, SHOW
// TABLES, DESCRIBE. What their files share.
#ifndef PZ_QUERY_STATEMENT_STATEMENT_INTERNAL_H
#define PZ_QUERY_STATEMENT_STATEMENT_INTERNAL_H

#include "query/bind/bind.h"
#include "query/statement/statement.h"

// A statement of kind PZ_STATEMENT_COMMAND. `sql` and what `ast` points to must outlive it.
PZ_MUST_USE enum pz_status pz__command_prepare(struct pz_session *session, struct pz_str sql,
                                               const struct pz_ast_statement *ast,
                                               struct pz_statement *statement_out,
                                               struct pz_error *err);

// A command while it runs.
struct pz_command {
    struct pz_session *session;
    struct pz_str sql;
    const struct pz_ast_statement *ast;
    const struct pz_result_sink *sink;
};
// Each delivers its answer to the sink (writes: no columns) and fills session->stats.
PZ_MUST_USE enum pz_status pz__command_insert(struct pz_command *command, struct pz_error *err);
PZ_MUST_USE enum pz_status pz__command_delete(struct pz_command *command, struct pz_error *err);
PZ_MUST_USE enum pz_status pz__command_create(struct pz_command *command, struct pz_error *err);
PZ_MUST_USE enum pz_status pz__command_drop(struct pz_command *command, struct pz_error *err);
PZ_MUST_USE enum pz_status pz__command_show_tables(struct pz_command *command,
                                                   struct pz_error *err);
PZ_MUST_USE enum pz_status pz__command_describe(struct pz_command *command, struct pz_error *err);

// Submits the write, waits for it, and answers: affected rows (write->accepted) and the commit.
// A refusal gets a SQLSTATE, and points at byte `offset`.
PZ_MUST_USE enum pz_status pz__command_write(struct pz_command *command, struct pz_write *write,
                                             uint32_t offset, struct pz_error *err);
// Answers a write that changes nothing.
PZ_MUST_USE enum pz_status pz__command_nothing(struct pz_command *command, struct pz_error *err);
enum pz_status pz__command_no_memory(struct pz_command *command, struct pz_error *err);

#endif
