// SPDX-License-Identifier: Apache-2.0
// The handlers behind the routes; one file for each room.
#ifndef PZ_SERVER_API_API_H
#define PZ_SERVER_API_API_H

#include "server/http/request.h"

// feed.c
void pz_api_post_message(struct pz_request *request);
void pz_api_list_messages(struct pz_request *request);
void pz_api_get_message(struct pz_request *request);
void pz_api_delete_message(struct pz_request *request);

// reaction.c
void pz_api_put_like(struct pz_request *request);
void pz_api_delete_like(struct pz_request *request);
void pz_api_post_view(struct pz_request *request);

// query.c
void pz_api_sql_begin(struct pz_request *request);
void pz_api_sql(struct pz_request *request);

// ingest.c
void pz_api_rows_begin(struct pz_request *request);
void pz_api_rows(struct pz_request *request);

// admin.c
void pz_api_livez(struct pz_request *request);
void pz_api_readyz(struct pz_request *request);
void pz_api_metrics(struct pz_request *request);
void pz_api_list_tables(struct pz_request *request);
void pz_api_problem_page(struct pz_request *request);

// console.c
void pz_api_console(struct pz_request *request);
void pz_api_console_file(struct pz_request *request);

// The message id in a path's segment. Answers 400 when it is no number, 404 when no message can
// have it.
bool pz_api_path_id(struct pz_request *request, uint32_t segment, int64_t *id_out);

// write.c: one write on behalf of a request.

// A row on its way into a built-in table. Freed with the request.
struct pz_api_row {
    struct pz_version *version; // keeps batch.def alive
    struct pz_batch batch;
};
// Makes the row, empty, with room for its values, and points request->work at it. Answers a failure
// and returns NULL.
struct pz_api_row *pz_api_row_create(struct pz_request *request, struct pz_str table);
// Appends the symbol to a column. Answers a failure.
bool pz_api_row_symbol(struct pz_request *request, uint32_t column, struct pz_str name);
// Submits the row as request->write.
void pz_api_row_submit(struct pz_request *request);

// Suspends, submits request->write, and calls on_resume once it is durable or refused.
void pz_api_submit(struct pz_request *request);

// Whether the write succeeded. Else answers; what is well formed but refused is a 422.
bool pz_api_write_succeeded(struct pz_request *request);

#endif
