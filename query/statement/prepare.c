// SPDX-License-Identifier: Apache-2.0
// Text to a statement that can be run.
#include "query/parse/parser.h"
#include "query/statement/statement_internal.h"

enum pz_status
pz_statement_prepare(struct pz_session *session, struct pz_str sql,
                     struct pz_statement *statement_out, struct pz_error *err)
{
    *statement_out = (struct pz_statement){0};
    struct pz_ast_statement ast;
    PZ_TRY(pz_parse(sql, session->arena, &ast, err));
    if (ast.kind == PZ_AST_SELECT || ast.kind == PZ_AST_EXPLAIN) {
        struct pz_binder binder = {.session = session, .sql = sql};
        statement_out->kind =
            ast.kind == PZ_AST_SELECT ? PZ_STATEMENT_SELECT : PZ_STATEMENT_EXPLAIN;
        statement_out->is_analyze = ast.is_analyze;
        return pz_bind_select(&binder, ast.select, &statement_out->plan, err);
    }
    return pz__command_prepare(session, sql, &ast, statement_out, err);
}
