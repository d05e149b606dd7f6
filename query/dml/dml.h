// SPDX-License-Identifier: Apache-2.0
// The statements that are not plans: INSERT, DELETE, CREATE TABLE, DROP TABLE, SHOW TABLES,
// DESCRIBE.
#ifndef PZ_QUERY_DML_DML_H
#define PZ_QUERY_DML_DML_H

#include "query/parse/ast.h"
#include "query/plan/statement.h"

// A statement of kind PZ_STATEMENT_COMMAND. Names are looked up when it runs: DELETE reads a
// version of its own. `sql` and what `ast` points to must outlive the statement.
PZ_MUST_USE enum pz_status pz_dml_prepare(struct pz_session *session, struct pz_str sql,
                                          const struct pz_ast_statement *ast,
                                          struct pz_statement *statement_out, struct pz_error *err);

#endif
