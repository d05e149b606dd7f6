// SPDX-License-Identifier: Apache-2.0
// Which command runs, and how its write is answered.
#include "query/statement/statement_internal.h"

#include <stdlib.h>

struct payload {
    struct pz_str sql;
    struct pz_ast_statement ast;
};

static enum pz_status
run(const struct pz_statement *statement, struct pz_session *session,
    const struct pz_result_sink *sink, struct pz_error *err)
{
    const struct payload *payload = statement->payload;
    struct pz_command command = {session, payload->sql, &payload->ast, sink};
    switch (payload->ast.kind) {
    case PZ_AST_INSERT:
        return pz__command_insert(&command, err);
    case PZ_AST_DELETE:
        return pz__command_delete(&command, err);
    case PZ_AST_CREATE_TABLE:
        return pz__command_create(&command, err);
    case PZ_AST_DROP_TABLE:
        return pz__command_drop(&command, err);
    case PZ_AST_SHOW_TABLES:
        return pz__command_show_tables(&command, err);
    case PZ_AST_DESCRIBE:
        return pz__command_describe(&command, err);
    case PZ_AST_SELECT:
    case PZ_AST_EXPLAIN:
        break;
    }
    PZ_UNREACHABLE("plans are not commands");
}

enum pz_status
pz__command_prepare(struct pz_session *session, struct pz_str sql,
                    const struct pz_ast_statement *ast, struct pz_statement *statement_out,
                    struct pz_error *err)
{
    struct payload *payload = pz_arena_alloc(session->arena, sizeof *payload);
    if (payload == NULL) {
        return pz_session_fail_memory(session, "the statement", err);
    }
    *payload = (struct payload){sql, *ast};
    *statement_out = (struct pz_statement){.kind = PZ_STATEMENT_COMMAND,
                                           .is_write = ast->kind != PZ_AST_SHOW_TABLES &&
                                                       ast->kind != PZ_AST_DESCRIBE,
                                           .payload = payload,
                                           .run = run};
    return PZ_OK;
}

enum pz_status
pz__command_no_memory(struct pz_command *command, struct pz_error *err)
{
    return pz_session_fail_memory(command->session, "the statement", err);
}

// ---- answers -------------------------------------------------------------------------------

static enum pz_status
answer(struct pz_command *command, uint64_t affected, uint64_t commit, struct pz_error *err)
{
    struct pz_query_stats *stats = command->session->stats;
    stats->is_write = true;
    stats->affected = affected;
    stats->commit = commit;
    return command->sink->begin(command->sink->payload, NULL, 0, err);
}

enum pz_status
pz__command_nothing(struct pz_command *command, struct pz_error *err)
{
    return answer(command, 0, pz_version_commit(command->session->version), err);
}

// The SQLSTATE of a write that the store refused.
static const char *
sqlstate_of(const struct pz_write *write)
{
    bool is_ddl = write->kind == PZ_WRITE_CREATE_TABLE || write->kind == PZ_WRITE_DROP_TABLE;
    switch (write->status) {
    case PZ_EXISTS:
        return is_ddl ? "42P07" : "23505";
    case PZ_NOT_FOUND:
        return is_ddl || write->kind == PZ_WRITE_DELETE_ROWS ? "42P01" : "23503";
    case PZ_UNACCEPTABLE:
    case PZ_INVALID:
        return "23514";
    case PZ_OK:
    case PZ_TOO_LARGE:
    case PZ_UNSUPPORTED_MEDIA:
    case PZ_UNSUPPORTED:
    case PZ_CANCELED:
    case PZ_TIMEOUT:
    case PZ_BUSY:
    case PZ_NO_MEMORY:
    case PZ_FULL:
    case PZ_IO:
    case PZ_CORRUPT:
    case PZ_INTERNAL:
        break;
    }
    return pz_query_sqlstate(write->status);
}

// A rule of SQL that was broken is the statement's fault: status INVALID, with a place.
static enum pz_status
refuse(const struct pz_write *write, uint32_t offset, struct pz_error *err)
{
    const char *sqlstate = sqlstate_of(write);
    bool is_fault = sqlstate[0] == '2' || sqlstate[0] == '4';
    enum pz_status status = is_fault ? PZ_INVALID : write->status;
    if (err == NULL) {
        return status;
    }
    if (err->sqlstate[0] == '\0') {
        memcpy(err->sqlstate, sqlstate, 6);
    }
    if (is_fault && err->sql_offset == 0) {
        err->sql_offset = offset + 1;
    }
    err->status = status;
    return status;
}

enum pz_status
pz__command_write(struct pz_command *command, struct pz_write *write, uint32_t offset,
                  struct pz_error *err)
{
    struct pz_error own;
    err = err != NULL ? err : &own;
    *err = (struct pz_error){0};
    enum pz_status status = pz_store_submit_wait(command->session->store, write, err);
    if (status != PZ_OK) {
        write->status = status;
        return refuse(write, offset, err);
    }
    return answer(command, write->accepted, write->commit, err);
}
