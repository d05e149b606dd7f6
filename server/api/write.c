// SPDX-License-Identifier: Apache-2.0
// One write on behalf of a request: suspended, submitted, resumed by the writer once durable.
#include "server/api/api.h"
#include "server/http/problem.h"
#include "server/server.h"

static void
release_row(struct pz_request *request)
{
    struct pz_api_row *row = request->work;
    pz_batch_fini(&row->batch);
    pz_version_release(row->version);
}

struct pz_api_row *
pz_api_row_create(struct pz_request *request, struct pz_str table)
{
    struct pz_error err;
    struct pz_api_row *row = pz_arena_alloc_zero(&request->arena, sizeof *row);
    if (row == NULL) {
        pz_problem_say(request, PZ_NO_MEMORY, "no memory for the request");
        return NULL;
    }
    row->version = pz_version_acquire(request->server->store);
    request->work = row;
    request->on_release = release_row;
    const struct pz_table_def *def = pz_version_find_table(row->version, table);
    PZ_ASSERT(def != NULL); // built in
    if (pz_batch_init(&row->batch, def, &err) != PZ_OK ||
        pz_batch_reserve(&row->batch, 1, &err) != PZ_OK) {
        pz_problem_reply(request, &err);
        return NULL;
    }
    return row;
}

bool
pz_api_row_symbol(struct pz_request *request, uint32_t column, struct pz_str name)
{
    struct pz_api_row *row = request->work;
    struct pz_error err;
    uint32_t code;
    if (pz_symbol_intern(request->server->store, row->batch.def->columns[column].domain_id, name,
                         &code, &err) != PZ_OK) {
        pz_problem_reply(request, &err);
        return false;
    }
    pz_column_append_code(&row->batch.columns[column], code);
    return true;
}

void
pz_api_row_submit(struct pz_request *request)
{
    struct pz_api_row *row = request->work;
    struct pz_error err;
    if (pz_batch_end_row(&row->batch, false, 0, &err) != PZ_OK) {
        pz_problem_reply(request, &err);
        return;
    }
    struct pz_write *write = &request->write;
    write->kind = PZ_WRITE_ROWS;
    write->batches = &row->batch;
    write->batch_count = 1;
    write->on_error = PZ_ON_ERROR_ABORT;
    pz_api_submit(request);
}

// On the writer thread.
static void
write_done(struct pz_write *write)
{
    pz_request_resume(write->payload);
}

void
pz_api_submit(struct pz_request *request)
{
    struct pz_error err;
    struct pz_write *write = &request->write;
    write->done = write_done;
    write->payload = request;
    pz_request_suspend(request);
    if (pz_store_submit(request->server->store, write, &err) != PZ_OK) {
        pz_problem_reply(request, &err);
        pz_request_resume(request);
    }
}

bool
pz_api_write_succeeded(struct pz_request *request)
{
    struct pz_write *write = &request->write;
    if (write->status == PZ_OK) {
        return true;
    }
    struct pz_error err = write->error;
    err.status = write->status;
    if (write->row_error_count > 0) {
        (void)pz_fail(&err, write->status, "%s", write->row_errors[0].message);
    }
    // The call was understood; it is its content that is not taken.
    bool is_refused = write->status == PZ_EXISTS || write->status == PZ_INVALID ||
                      write->status == PZ_UNACCEPTABLE;
    pz_problem_reply_status(request, is_refused ? 422 : (unsigned)pz_status_http(write->status),
                            &err);
    return false;
}
