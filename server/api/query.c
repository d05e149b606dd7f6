// SPDX-License-Identifier: Apache-2.0
// POST /v1/sql: a statement runs on a query thread, its result is formatted there.
//
// A result that stays small is kept and sent with its length. A larger one goes through a pipe
// while it is being made: the query waits when the client reads slowly, and when the statement
// fails half way the connection is broken off, so a client never takes a part for the whole.
#include "server/api/api.h"

#include "base/clock.h"
#include "base/log.h"
#include "query/output/output.h"
#include "server/api/fields.h"
#include "server/http/problem.h"
#include "server/server.h"

#include <inttypes.h>

#define KEEP_BYTES_MAX (256u * 1024)
#define PIPE_BYTES (1024u * 1024)
#define QUEUE_WAIT_US_MAX (5 * PZ_US_PER_SECOND)
#define TIMEOUT_MS_MAX (300 * 1000)
#define SLOW_US PZ_US_PER_SECOND

struct query {
    struct pz_job job; // first: the job is the query
    struct pz_request *request;
    struct pz_str sql; // in the body or the request's arena
    struct pz_query_options options;
    enum pz_format format;
    struct pz_output output;
    struct pz_buffer buffer; // formatted, not yet sent
    struct pz_query_stats stats;
    struct pz_pipe pipe;
    bool has_pipe;
    _Atomic bool is_streaming; // the pipe is there and the answer has begun
};

static const struct {
    const char *accept;
    const char *content_type;
    enum pz_format format;
} formats[] = {
    {"application/json", PZ_JSON_TYPE, PZ_FORMAT_JSON},
    {"application/x-ndjson", "application/x-ndjson", PZ_FORMAT_NDJSON},
    {"text/csv", "text/csv; charset=utf-8; header=present", PZ_FORMAT_CSV},
    {"text/plain", "text/plain; charset=utf-8", PZ_FORMAT_TEXT},
};
enum { FORMAT_COUNT = sizeof formats / sizeof formats[0] };

static const char *
content_type(enum pz_format format)
{
    for (int i = 0; i < FORMAT_COUNT; i++) {
        if (formats[i].format == format) {
            return formats[i].content_type;
        }
    }
    PZ_UNREACHABLE("a format without a media type");
}

// ---- the request --------------------------------------------------------------------------------

static void
release_query(struct pz_request *request)
{
    struct query *query = request->work;
    pz_output_fini(&query->output);
    pz_buffer_fini(&query->buffer);
    if (query->has_pipe) {
        pz_pipe_fini(&query->pipe);
    }
}

void
pz_api_sql_begin(struct pz_request *request)
{
    struct pz_str type = pz_media_type(request->gate.content_type);
    bool is_known = type.len == 0 || pz_str_equal_nocase(type, PZ_STR("application/sql")) ||
                    pz_str_equal_nocase(type, PZ_STR("text/plain")) ||
                    pz_str_equal_nocase(type, PZ_STR(PZ_JSON_TYPE));
    struct pz_str encoding = request->gate.content_encoding;
    if (!is_known || (encoding.len > 0 && !pz_str_equal_nocase(encoding, PZ_STR("identity")))) {
        struct pz_error err;
        (void)pz_fail(&err, PZ_UNSUPPORTED_MEDIA,
                      "a statement is sent as application/sql, text/plain or application/json");
        pz_error_hint(&err, "add the header Content-Type: application/sql");
        pz_problem_reply(request, &err);
        return;
    }
    struct query *query = pz_arena_alloc_zero(&request->arena, sizeof *query);
    if (query == NULL) {
        pz_problem_say(request, PZ_NO_MEMORY, "no memory for the request");
        return;
    }
    unsigned best = 0;
    for (int i = 0; i < FORMAT_COUNT; i++) {
        unsigned quality = pz_accept_quality(request->gate.accept, pz_str_from(formats[i].accept));
        if (quality > best) {
            best = quality;
            query->format = formats[i].format;
        }
    }
    if (best == 0) {
        struct pz_error err;
        (void)pz_fail(&err, PZ_INVALID,
                      "results are application/json, application/x-ndjson, "
                      "text/csv or text/plain");
        pz_problem_reply_status(request, 406, &err);
        return;
    }
    query->request = request;
    pz_output_init(&query->output, query->format, &query->buffer);
    request->work = query;
    request->on_release = release_query;
}

enum { FIELD_SQL, FIELD_TIMEOUT, FIELD_COUNT };
static const struct pz_field sql_fields[FIELD_COUNT] = {
    [FIELD_SQL] = {"sql", PZ_FIELD_BODY, true, 0, PZ_JSON_BODY_MAX},
    [FIELD_TIMEOUT] = {"timeout_ms", PZ_FIELD_INTEGER, false, 1, TIMEOUT_MS_MAX},
};

// Finds the statement in the body, which is SQL or JSON.
static bool
read_statement(struct pz_request *request, struct query *query)
{
    query->options.timeout_us = (int64_t)request->server->config.query_timeout;
    query->options.cancel = &request->is_canceled;
    query->sql = (struct pz_str){request->body.data, (uint32_t)request->body.len};
    struct pz_str type = pz_media_type(request->gate.content_type);
    if (!pz_str_equal_nocase(type, PZ_STR(PZ_JSON_TYPE))) {
        size_t bad;
        if (!pz_utf8_is_valid(query->sql.data, query->sql.len, &bad)) {
            struct pz_error err;
            // The text before the place is good, so the place itself can be named.
            (void)pz_fail_sql(&err, "22021", (uint32_t)bad, "the statement is not valid UTF-8");
            query->sql.len = (uint32_t)bad;
            pz_problem_reply_sql(request, query->sql, &err);
            return false;
        }
        return true;
    }
    struct pz_field_value values[FIELD_COUNT];
    struct pz_json *json = NULL;
    bool is_good = pz_fields_read_body(request, sql_fields, FIELD_COUNT, values, &json);
    if (is_good) {
        query->sql = pz_arena_copy(&request->arena, values[FIELD_SQL].text);
        if (values[FIELD_TIMEOUT].is_set) {
            query->options.timeout_us = values[FIELD_TIMEOUT].number * 1000;
        }
        is_good = query->sql.data != NULL;
        if (!is_good) {
            pz_problem_say(request, PZ_NO_MEMORY, "no memory for the statement");
        }
    }
    pz_json_free(json);
    return is_good;
}

// ---- the result, on the query thread ------------------------------------------------------------

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

// A slow reader must not keep a canceled statement waiting for room.
static void
cancel_query(struct pz_request *request)
{
    struct query *query = request->work;
    if (atomic_load(&query->is_streaming)) {
        pz_pipe_abandon(&query->pipe);
    }
}

// The answer begins before the result is complete.
static enum pz_status
start_stream(struct query *query, struct pz_error *err)
{
    struct pz_request *request = query->request;
    query->has_pipe = true;
    if (!pz_pipe_init(&query->pipe, PIPE_BYTES)) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for the result's buffer");
    }
    query->pipe.suspend = suspend_request;
    query->pipe.wake = wake_request;
    query->pipe.payload = request;
    pz_reply_begin(request, 200, content_type(query->format));
    request->reply.stream = &query->pipe;
    atomic_store(&query->is_streaming, true);
    if (atomic_load(&request->is_canceled)) {
        pz_pipe_abandon(&query->pipe); // cancel_query may have come too early to do so
    }
    pz_request_resume(request);
    return PZ_OK;
}

static enum pz_status
flush(struct query *query, struct pz_error *err)
{
    if (query->buffer.is_failed) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory to format the result");
    }
    if (!query->is_streaming) {
        if (query->buffer.len <= KEEP_BYTES_MAX) {
            return PZ_OK;
        }
        PZ_TRY(start_stream(query, err));
    }
    if (!pz_pipe_write(&query->pipe, query->buffer.data, query->buffer.len)) {
        return pz_fail(err, PZ_CANCELED, "the client left");
    }
    pz_buffer_clear(&query->buffer);
    return PZ_OK;
}

static enum pz_status
take_begin(void *payload, const struct pz_result_column *columns, uint32_t column_count,
           struct pz_error *err)
{
    struct query *query = payload;
    return pz_output_begin(&query->output, columns, column_count, err);
}

static enum pz_status
take_rows(void *payload, const struct pz_slice *columns, uint32_t column_count, uint32_t row_count,
          struct pz_error *err)
{
    (void)column_count;
    struct query *query = payload;
    PZ_TRY(pz_output_rows(&query->output, columns, row_count, err));
    return flush(query, err);
}

static enum pz_status
finish_result(struct query *query, struct pz_error *err)
{
    PZ_TRY(pz_output_end(&query->output, &query->stats, err));
    return flush(query, err);
}

// A cancellation says why.
static void
explain_stop(struct pz_request *request, struct pz_error *err)
{
    if (err->status == PZ_CANCELED && atomic_load(&request->cancel_reason) == PZ_CANCEL_STOPPING) {
        (void)pz_fail(err, PZ_BUSY, "the server is stopping");
        memcpy(err->sqlstate, "57P01", 6);
    }
}

static void
count_query(struct pz_server *server, const struct query *query, enum pz_status status)
{
    const struct pz_query_stats *stats = &query->stats;
    pz_metric_add(&server->metrics.queries_total, 1);
    pz_metric_add(&server->metrics.query_errors_total, status != PZ_OK);
    pz_metric_add(&server->metrics.query_rows_total, stats->row_count);
    pz_metric_add(&server->metrics.query_microseconds_total, (uint64_t)stats->elapsed_us);
    if (stats->elapsed_us > SLOW_US) {
        pz_log(PZ_LOG_INFO,
               "slow query: %" PRId64 " ms, %" PRIu64 " rows scanned, %" PRIu64
               " rows returned, %zu bytes of memory",
               stats->elapsed_us / 1000, stats->rows_scanned, stats->row_count,
               stats->memory_peak_bytes);
    }
}

static enum pz_status
run_statement(struct query *query, struct pz_error *err)
{
    struct pz_server *server = query->request->server;
    if (pz_clock_mono_us() - query->job.submitted_us > QUEUE_WAIT_US_MAX) {
        return pz_fail(err, PZ_BUSY, "too many statements are running");
    }
    if (atomic_load(&query->request->is_canceled)) {
        return pz_fail(err, PZ_CANCELED, "canceled while it waited for its turn");
    }
    const struct pz_result_sink sink = {.payload = query, .begin = take_begin, .rows = take_rows};
    enum pz_status status =
        pz_query_run(server->engine, query->sql, &query->options, &sink, &query->stats, err);
    count_query(server, query, status);
    return status == PZ_OK ? finish_result(query, err) : status;
}

// The client sees a broken connection; why is only told here.
static void
log_broken(const struct pz_error *err)
{
    if (pz_status_http(err->status) >= 500) {
        pz_log_error(err, "a result was broken off after it began");
    } else if (err->status != PZ_CANCELED) {
        pz_log(PZ_LOG_INFO, "a result was broken off after it began: %s", err->message);
    }
}

static void
run_query(struct pz_job *job)
{
    struct query *query = (struct query *)job;
    struct pz_request *request = query->request;
    struct pz_error err;
    enum pz_status status = run_statement(query, &err);
    if (query->is_streaming) {
        if (status == PZ_OK) {
            pz_pipe_end(&query->pipe);
        } else {
            log_broken(&err);
            pz_pipe_fail(&query->pipe);
        }
    } else {
        if (status == PZ_OK) {
            pz_reply_begin(request, 200, content_type(query->format));
            request->reply.body = query->buffer;
            query->buffer = (struct pz_buffer){0};
            pz_reply_commit(request, query->stats.commit);
        } else {
            explain_stop(request, &err);
            pz_problem_reply_sql(request, query->sql, &err);
        }
        pz_request_resume(request);
    }
    pz_request_release(request);
}

void
pz_api_sql(struct pz_request *request)
{
    struct query *query = request->work;
    if (!read_statement(request, query)) {
        return;
    }
    query->job.run = run_query;
    request->on_cancel = cancel_query;
    pz_request_watch(request);
    pz_request_retain(request); // the query thread's
    pz_request_suspend(request);
    if (!pz_jobs_submit(request->server->queries, &query->job)) {
        struct pz_error err;
        (void)pz_fail(&err, PZ_BUSY, "too many statements are waiting");
        pz_problem_reply_sql(request, query->sql, &err);
        pz_request_resume(request);
        pz_request_release(request);
    }
}
