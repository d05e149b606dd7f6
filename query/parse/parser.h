// SPDX-License-Identifier: Apache-2.0
// SQL text to the tree of one statement.
#ifndef PZ_QUERY_PARSE_PARSER_H
#define PZ_QUERY_PARSE_PARSER_H

#include "base/arena.h"
#include "query/parse/ast.h"

// Parses exactly one statement; one semicolon may follow it. The text must outlive the tree, which
// lives in `arena`.
//
// PZ_INVALID      42601 and other class 42, 22, 54 states, with a position
// PZ_UNSUPPORTED  0A000: PostgreSQL knows the form, plaza does not do it; the hint names what to
//                 write instead
// PZ_TOO_LARGE    54000
//
// Stack  bounded by PZ_SQL_DEPTH_MAX, whatever the text.
PZ_MUST_USE enum pz_status pz_parse(struct pz_str text, struct pz_arena *arena,
                                    struct pz_ast_statement *statement_out, struct pz_error *err);

#endif
