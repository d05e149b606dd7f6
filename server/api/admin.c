// SPDX-License-Identifier: Apache-2.0
// Calls for those who run the server: health, metrics, the list of tables, help on problems.
#include "server/api/api.h"

#include "server/http/problem.h"
#include "server/server.h"

#include <inttypes.h>

#define TEXT_TYPE "text/plain; charset=utf-8"

void
pz_api_livez(struct pz_request *request)
{
    // That this runs is the answer.
    pz_reply_begin(request, 200, TEXT_TYPE);
    pz_buffer_append_c(&request->reply.body, "ok\n");
}

void
pz_api_readyz(struct pz_request *request)
{
    struct pz_store_stats stats;
    pz_store_read_stats(request->server->store, &stats);
    if (stats.is_failed) {
        struct pz_error err;
        (void)pz_fail(&err, PZ_BUSY, "a failed commit stopped all writing");
        pz_error_hint(&err, "look at the log, mend the disk, and restart");
        pz_problem_reply(request, &err);
        return;
    }
    if (stats.is_full) {
        struct pz_error err;
        (void)pz_fail(&err, PZ_BUSY, "the disk is full: nothing is written");
        pz_error_hint(&err, "free some disk space: plaza goes on by itself");
        pz_problem_reply(request, &err);
        return;
    }
    pz_reply_begin(request, 200, TEXT_TYPE);
    pz_buffer_printf(&request->reply.body, "ready\ncommit %" PRIu64 "\n", stats.commit);
}

void
pz_api_metrics(struct pz_request *request)
{
    pz_reply_begin(request, 200, "text/plain; version=0.0.4; charset=utf-8");
    pz_metrics_write(request->server, &request->reply.body);
}

static void
append_table(struct pz_buffer *body, const struct pz_version *version,
             const struct pz_table_def *def)
{
    struct pz_table_rows rows;
    pz_version_rows(version, def, &rows);
    pz_buffer_append_c(body, "{\"name\":");
    pz_buffer_append_json_string(body, pz_str_from(def->name));
    pz_buffer_printf(body, ",\"row_count\":%" PRIu64 ",\"columns\":[", rows.row_count);
    for (uint32_t i = 0; i < def->column_count; i++) {
        const struct pz_column_def *column = &def->columns[i];
        pz_buffer_append_c(body, i == 0 ? "{\"name\":" : ",{\"name\":");
        pz_buffer_append_json_string(body, pz_str_from(column->name));
        pz_buffer_printf(body, ",\"type\":\"%s\",\"nullable\":%s}", pz_type_name(column->type),
                         column->is_not_null ? "false" : "true");
    }
    pz_buffer_append_c(body, "]}");
}

void
pz_api_list_tables(struct pz_request *request)
{
    struct pz_version *version = pz_version_acquire(request->server->store);
    pz_reply_begin(request, 200, PZ_JSON_TYPE);
    struct pz_buffer *body = &request->reply.body;
    pz_buffer_append_c(body, "{\"tables\":[");
    bool is_first = true;
    for (uint32_t i = 0; i < pz_version_table_count(version); i++) {
        const struct pz_table_def *def = pz_version_table_at(version, i);
        if (!def->is_internal) {
            if (!is_first) {
                pz_buffer_append_char(body, ',');
            }
            is_first = false;
            append_table(body, version, def);
        }
    }
    pz_buffer_printf(body, "],\"commit\":%" PRIu64 "}\n", pz_version_commit(version));
    pz_version_release(version);
}

void
pz_api_problem_page(struct pz_request *request)
{
    const struct pz_problem_row *row = pz_problem_find(request->path.segments[1]);
    if (row == NULL) {
        pz_problem_say(request, PZ_NOT_FOUND, "there is no such problem");
        return;
    }
    pz_reply_begin(request, 200, TEXT_TYPE);
    pz_buffer_printf(&request->reply.body,
                     "%s\n\nHTTP status %u. The \"detail\" of the problem document says what it "
                     "was about,\n\"hint\" what to do next, and \"position\", \"line\" and "
                     "\"column\" where in a statement.\n",
                     row->title, row->http_status);
}
