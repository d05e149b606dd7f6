// SPDX-License-Identifier: Apache-2.0
// What a statement is once prepared: a plan for the executor, or a command that runs itself.
#ifndef PZ_QUERY_STATEMENT_STATEMENT_H
#define PZ_QUERY_STATEMENT_STATEMENT_H

#include "query/plan/plan.h"
#include "query/session.h"

enum pz_statement_kind {
    PZ_STATEMENT_SELECT,  // plan
    PZ_STATEMENT_EXPLAIN, // plan, is_analyze
    PZ_STATEMENT_COMMAND, // run: everything that is not a plan
};

struct pz_statement {
    enum pz_statement_kind kind;
    struct pz_plan *plan;
    bool is_analyze;
    bool is_write; // COMMAND: answers with `affected`; refused in a read-only session (25006)
    void *payload; // COMMAND: its own
    enum pz_status (*run)(const struct pz_statement *statement, struct pz_session *session,
                          const struct pz_result_sink *sink, struct pz_error *err);
};

// Text to statement. Nothing is executed yet; names of a SELECT are looked up in
// session->version, those of a command when it runs. Errors as in parse/parser.h and bind/bind.h.
PZ_MUST_USE enum pz_status pz_statement_prepare(struct pz_session *session, struct pz_str sql,
                                                struct pz_statement *statement_out,
                                                struct pz_error *err);

#endif
