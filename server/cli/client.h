// SPDX-License-Identifier: Apache-2.0
// A client of plaza's HTTP interface, for the commands that talk to a running server.
//
// client.c is the only file that sees libcurl.
#ifndef PZ_SERVER_CLI_CLIENT_H
#define PZ_SERVER_CLI_CLIENT_H

#include "base/arena.h"
#include "base/status.h"

struct pz_client;
// `url` is http://HOST:PORT, with a path before /v1 if the server lies behind one. PZ_INVALID when
// it is no such URL.
PZ_MUST_USE enum pz_status pz_client_create(const char *url, struct pz_client **client_out,
                                            struct pz_error *err);
void pz_client_destroy(struct pz_client *client); // NULL is ignored

// A request, over a connection that is kept. Calls of one client come from one thread.
struct pz_client_request {
    const char *path; // from /v1 on, with its query
    const char *content_type;
    const char *accept;           // or NULL
    const char *content_encoding; // or NULL
    const void *body;
    size_t body_len;
    // Gets the body of a 200 as it arrives, in place of the answer; false breaks the transfer off.
    // NULL: every body is collected in the answer.
    bool (*take)(void *payload, const char *data, size_t len);
    void *take_payload;
};
struct pz_client_answer {
    long http_status;
    struct pz_buffer body; // of the last request, but for what `take` got; at most 64 MiB
};
void pz_client_answer_fini(struct pz_client_answer *answer);
// Any HTTP status is PZ_OK. PZ_IO: no server there, or the connection broke (then nobody knows
// whether the request was carried out; http_status is 0 if it broke before an answer began).
// PZ_CANCELED: Ctrl-C.
PZ_MUST_USE enum pz_status pz_client_post(struct pz_client *client,
                                          const struct pz_client_request *request,
                                          struct pz_client_answer *answer_out,
                                          struct pz_error *err);
// Whether the last failure was that no connection came about.
bool pz_client_is_unreachable(const struct pz_client *client);

// Fills *err with the status and the words of a problem document.
enum pz_status pz_client_fail_problem(const struct pz_client_answer *answer, struct pz_error *err);

// The answer of a bulk load (POST /v1/tables/{table}/rows), or the same members of a problem.
struct pz_client_load {
    uint64_t accepted, rejected, ignored, commit;
};
PZ_MUST_USE enum pz_status pz_client_read_load(const struct pz_client_answer *answer,
                                               struct pz_client_load *load_out,
                                               struct pz_error *err);
// Calls each(payload, error) for the rows it refused; `error` lives for the call.
struct pz_client_row_error {
    uint64_t line;
    struct pz_str column, message, snippet;
};
void pz_client_each_row_error(const struct pz_client_answer *answer,
                              void (*each)(void *payload, const struct pz_client_row_error *error),
                              void *payload);

#endif
