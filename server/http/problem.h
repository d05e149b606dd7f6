// SPDX-License-Identifier: Apache-2.0
// Errors as HTTP answers: RFC 9457 problem documents with plaza's members.
//
// type, title, status, detail, code, and where they are known: hint, position, line, column (SQL),
// errors[] {pointer, detail} (JSON bodies). `code` is the SQLSTATE of an SQL error, else "PLZ"
// and the status.
#ifndef PZ_SERVER_HTTP_PROBLEM_H
#define PZ_SERVER_HTTP_PROBLEM_H

#include "server/http/request.h"

#define PZ_PROBLEM_TYPE "application/problem+json"

// A problem being written. Begin, add members, end; in between the caller may append members of
// its own to request->reply.body, each with a leading comma.
void pz_problem_begin(struct pz_request *request, unsigned http_status, const char *slug,
                      const struct pz_error *err);
void pz_problem_end(struct pz_request *request);

// Writes a failure on our side (5xx but not 503) to the log; a full disk at most every 10 s. The
// replies below do so themselves.
void pz_problem_log(struct pz_request *request, unsigned http_status, const struct pz_error *err);

// The whole answer for a failure; the HTTP status is the one of err->status.
void pz_problem_reply(struct pz_request *request, const struct pz_error *err);
// With another HTTP status than the one err->status has.
void pz_problem_reply_status(struct pz_request *request, unsigned http_status,
                             const struct pz_error *err);
// A failed statement, with its SQLSTATE and pointing into its text.
void pz_problem_reply_sql(struct pz_request *request, struct pz_str sql,
                          const struct pz_error *err);
// A short cut for failures that need no error object.
void pz_problem_say(struct pz_request *request, enum pz_status status, const char *format, ...)
    PZ_PRINTF(3, 4);

// The problems' table, for GET /problems/{slug}.
struct pz_problem_row {
    const char *slug;
    unsigned http_status;
    const char *title;
};
const struct pz_problem_row *pz_problem_find(struct pz_str slug); // NULL when there is none

#endif
