// SPDX-License-Identifier: Apache-2.0
// POST /v1/tables/{table}/rows: a body of records streams through a pipe to a worker, which
// decodes and commits it as a whole.
#include "server/api/api.h"

#include "ingest/ingest.h"
#include "server/http/problem.h"
#include "server/server.h"

#include <inttypes.h>

#define PIPE_BYTES (4u * 1024 * 1024)

struct load {
    struct pz_job job; // first: the job is the load
    struct pz_request *request;
    struct pz_str table;
    struct pz_loader_options options;
    struct pz_field_map map;
    struct pz_pipe pipe;
    bool has_pipe;
    // What it came to: the worker's until it abandons the pipe, the HTTP thread's afterwards.
    struct pz_loader *loader;
    struct pz_load_answer answer;
    enum pz_status status;
    struct pz_error err;
};

// ---- the head -----------------------------------------------------------------------------------

static bool
read_media(struct pz_request *request, struct load *load)
{
    struct pz_str type = pz_media_type(request->gate.content_type);
    struct pz_str encoding = request->gate.content_encoding;
    if (pz_str_equal_nocase(type, PZ_STR("application/x-ndjson")) ||
        pz_str_equal_nocase(type, PZ_STR("application/jsonl"))) {
        load->options.format = PZ_RECORDS_NDJSON;
    } else if (pz_str_equal_nocase(type, PZ_STR("text/csv"))) {
        load->options.format = PZ_RECORDS_CSV;
    } else if (pz_str_equal_nocase(type, PZ_STR(PZ_JSON_TYPE))) {
        load->options.format = PZ_RECORDS_JSON_ARRAY;
    } else {
        pz_problem_say(request, PZ_UNSUPPORTED_MEDIA,
                       "rows are sent as application/x-ndjson, text/csv or application/json");
        return false;
    }
    if (encoding.len == 0 || pz_str_equal_nocase(encoding, PZ_STR("identity"))) {
        load->options.encoding = PZ_ENCODING_PLAIN;
    } else if (pz_str_equal_nocase(encoding, PZ_STR("gzip")) ||
               pz_str_equal_nocase(encoding, PZ_STR("x-gzip"))) {
        load->options.encoding = PZ_ENCODING_GZIP;
    } else if (pz_str_equal_nocase(encoding, PZ_STR("zstd"))) {
        load->options.encoding = PZ_ENCODING_ZSTD;
    } else {
        pz_problem_say(request, PZ_UNSUPPORTED_MEDIA, "a body may be plain, gzip or zstd");
        return false;
    }
    return true;
}

static bool
read_params(struct pz_request *request, struct load *load)
{
    struct pz_str text;
    struct pz_error err;
    if (pz_request_param(request, PZ_STR("on_error"), &text)) {
        if (pz_str_equal(text, PZ_STR("dead_letter"))) {
            load->options.on_error = PZ_ON_ERROR_DEAD_LETTER;
        } else if (!pz_str_equal(text, PZ_STR("abort"))) {
            pz_problem_say(request, PZ_INVALID, "on_error must be abort or dead_letter");
            return false;
        }
    }
    if (pz_request_param(request, PZ_STR("ignore_unknown"), &text)) {
        load->options.ignore_unknown =
            pz_str_equal(text, PZ_STR("1")) || pz_str_equal(text, PZ_STR("true"));
        if (!load->options.ignore_unknown && !pz_str_equal(text, PZ_STR("0")) &&
            !pz_str_equal(text, PZ_STR("false"))) {
            pz_problem_say(request, PZ_INVALID, "ignore_unknown must be 1 or 0");
            return false;
        }
    }
    if (pz_request_param(request, PZ_STR("lines_before"), &text) &&
        (!pz_parse_u64(text, &load->options.lines_before) ||
         load->options.lines_before > INT64_MAX / 2)) {
        pz_problem_say(request, PZ_INVALID, "lines_before must be a number of lines");
        return false;
    }
    if (pz_request_param(request, PZ_STR("source"), &text)) {
        if (!pz_utf8_is_valid(text.data, text.len, NULL)) {
            pz_problem_say(request, PZ_INVALID, "source is not valid UTF-8");
            return false;
        }
        load->options.source = pz_arena_copy(&request->arena, pz_str_cut_utf8(text, 200)).data;
    }
    if (pz_request_param(request, PZ_STR("map"), &text)) {
        if (pz_field_map_parse(text, &request->arena, &load->map, &err) != PZ_OK) {
            pz_problem_reply(request, &err);
            return false;
        }
        load->options.map = &load->map;
    }
    return true;
}

static bool
is_too_large(struct pz_request *request, const struct load *load)
{
    uint64_t limit = request->server->config.bulk_body_max;
    int64_t length = request->gate.content_length;
    if (load->options.encoding != PZ_ENCODING_PLAIN || length <= 0 || (uint64_t)length <= limit) {
        return false;
    }
    struct pz_error err;
    (void)pz_fail(&err, PZ_TOO_LARGE, "the body is larger than the limit of %" PRIu64 " bytes",
                  limit);
    pz_error_hint(&err, "send it in pieces, or raise --bulk-body-max");
    pz_problem_reply(request, &err);
    return true;
}

// ---- the worker ---------------------------------------------------------------------------------

static enum pz_status
feed_body(struct load *load)
{
    const char *data;
    size_t len;
    for (;;) {
        if (!pz_pipe_read(&load->pipe, &data, &len)) {
            return pz_fail(&load->err, PZ_BUSY, "the load was broken off, nothing is stored");
        }
        if (len == 0) {
            return PZ_OK;
        }
        PZ_TRY(pz_loader_feed(load->loader, data, len, &load->err));
        pz_pipe_consume(&load->pipe, len);
    }
}

static void
run_load(struct pz_job *job)
{
    struct load *load = (struct load *)job;
    struct pz_request *request = load->request;
    load->status = pz_loader_create(request->server->store, load->table, &load->options,
                                    &load->loader, &load->err);
    if (load->status == PZ_OK) {
        load->status = feed_body(load);
    }
    if (load->status == PZ_OK) {
        load->status = pz_loader_finish(load->loader, &load->answer, &load->err);
    }
    pz_pipe_abandon(&load->pipe);
    pz_request_release(request);
}

// ---- the answer ---------------------------------------------------------------------------------

static void
append_errors(struct pz_buffer *body, const struct load *load)
{
    pz_buffer_append_c(body, ",\"errors\":[");
    for (uint32_t i = 0; i < load->answer.error_count; i++) {
        const struct pz_row_error *error = &load->answer.errors[i];
        pz_buffer_printf(body, "%s{\"line\":%" PRIu64 ",\"column\":", i == 0 ? "" : ",",
                         error->line);
        if (error->column[0] == '\0') {
            pz_buffer_append_c(body, "null");
        } else {
            pz_buffer_append_json_string(body, pz_str_from(error->column));
        }
        pz_buffer_append_c(body, ",\"message\":");
        pz_buffer_append_json_string(body, pz_str_from(error->message));
        pz_buffer_append_c(body, ",\"snippet\":");
        pz_buffer_append_json_string(body, pz_str_from(error->snippet));
        pz_buffer_append_char(body, '}');
    }
    pz_buffer_append_char(body, ']');
}

static void
reply_refused(struct pz_request *request, const struct load *load)
{
    // Bad records are the body's fault, whichever rule they broke; a disk that fails is not.
    const struct pz_load_answer *answer = &load->answer;
    unsigned status = answer->is_refused ? 400 : (unsigned)pz_status_http(load->err.status);
    pz_problem_log(request, status, &load->err);
    pz_problem_begin(request, status, answer->is_refused ? "rows-refused" : NULL, &load->err);
    struct pz_buffer *body = &request->reply.body;
    pz_buffer_printf(body, ",\"accepted\":%s,\"rejected\":%" PRIu64,
                     answer->is_outcome_unknown ? "null" : "0", answer->rejected);
    append_errors(body, load);
    pz_problem_end(request);
}

static void
reply_load(struct pz_request *request)
{
    const struct load *load = request->work;
    const struct pz_load_answer *answer = &load->answer;
    struct pz_metrics *metrics = &request->server->metrics;
    pz_metric_add(&metrics->rows_loaded_total, answer->accepted);
    pz_metric_add(&metrics->rows_rejected_total, answer->rejected);
    if (load->status != PZ_OK) {
        reply_refused(request, load);
        return;
    }
    uint64_t commit = answer->commit;
    if (commit == 0) { // nothing to store: what there is, is stored
        struct pz_version *version = pz_version_acquire(request->server->store);
        commit = pz_version_commit(version);
        pz_version_release(version);
    }
    pz_reply_begin(request, 200, PZ_JSON_TYPE);
    struct pz_buffer *body = &request->reply.body;
    pz_buffer_printf(body,
                     "{\"accepted\":%" PRIu64 ",\"rejected\":%" PRIu64 ",\"ignored\":%" PRIu64,
                     answer->accepted, answer->rejected, answer->ignored);
    append_errors(body, load);
    pz_buffer_printf(body, ",\"commit\":%" PRIu64 "}\n", commit);
    pz_reply_commit(request, commit);
}

// The pipe also wakes the HTTP side when there is room again: then it waits on.
static void
reply_when_done(struct pz_request *request)
{
    struct load *load = request->work;
    if (!pz_pipe_hold_until_abandoned(&load->pipe)) {
        reply_load(request);
    }
}

// ---- the request --------------------------------------------------------------------------------

static void
release_load(struct pz_request *request)
{
    struct load *load = request->work;
    pz_loader_destroy(load->loader);
    if (load->has_pipe) {
        pz_pipe_fini(&load->pipe);
    }
}

// The client left, or the server stops: what has not arrived will not be waited for.
static void
cancel_load(struct pz_request *request)
{
    struct load *load = request->work;
    pz_pipe_fail(&load->pipe);
}

static void
suspend_request(void *payload)
{
    pz_request_suspend(payload);
}

static void
wake_request(void *payload)
{
    pz_request_resume(payload);
}

static bool
open_pipe(struct pz_request *request, struct load *load)
{
    request->work = load;
    request->on_release = release_load;
    load->has_pipe = true;
    if (!pz_pipe_init(&load->pipe, PIPE_BYTES)) {
        pz_problem_say(request, PZ_NO_MEMORY, "no memory for the load");
        return false;
    }
    load->pipe.suspend = suspend_request;
    load->pipe.wake = wake_request;
    load->pipe.payload = request;
    return true;
}

void
pz_api_rows_begin(struct pz_request *request)
{
    struct load *load = pz_arena_alloc_zero(&request->arena, sizeof *load);
    if (load == NULL) {
        pz_problem_say(request, PZ_NO_MEMORY, "no memory for the load");
        return;
    }
    load->request = request;
    load->table = request->path.segments[2];
    load->options.source = "http";
    load->options.is_atomic = true;
    load->options.body_bytes_max = request->server->config.bulk_body_max;
    if (!read_media(request, load) || !read_params(request, load) || is_too_large(request, load) ||
        !open_pipe(request, load)) {
        return;
    }
    load->job.run = run_load;
    request->upload = &load->pipe;
    pz_request_retain(request); // the worker's
    if (!pz_jobs_submit(request->server->loads, &load->job)) {
        pz_request_release(request);
        pz_problem_say(request, PZ_BUSY, "too many loads are waiting");
        return;
    }
    request->body_mode = PZ_BODY_STREAM;
    request->on_cancel = cancel_load;
    request->on_resume = reply_when_done;
    pz_request_watch(request);
}

void
pz_api_rows(struct pz_request *request)
{
    struct load *load = request->work;
    pz_pipe_end(&load->pipe);
    reply_when_done(request);
}
