// SPDX-License-Identifier: Apache-2.0
// The one room that sees libmicrohttpd: connections in, requests to the routes, replies out.
//
// The library's threads run an epoll loop each and must never block. It calls on_request once when
// a head is complete, again for every piece of the body, again at its end, and again after each
// resume; a small state in struct pz_request tells these apart. The library's own paths arrive
// unescaped by an identity callback and are taken apart by uri.c. Replies are queued on the HTTP
// thread only.
#include "server/http/http.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/http/problem.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Per connection: the head, and the library's buffers.
#define CONNECTION_MEMORY (32u * 1024)
#define STREAM_BLOCK (32u * 1024)
// An unwanted body is read and dropped up to this size, so that a client that sends first and
// reads later gets its answer; beyond it the connection is closed.
#define SWALLOW_BYTES_MAX (256 * 1024 * 1024)
#define FULL_LOG_INTERVAL_US (10 * PZ_US_PER_SECOND)

struct pz_http {
    struct pz_http_options options;
    struct MHD_Daemon *daemon;
    struct pz_connections *connections;
    _Atomic uint32_t active;      // requests begun and not completed
    _Atomic bool is_quiesced;     // new connections are closed at once
    _Atomic int64_t full_told_us; // monotonic, when the log last told of a full disk; 0 = never
    char address[PZ_HTTP_ADDRESS_MAX];
};

static enum MHD_Result send_reply(struct pz_request *request);

// ---- waiting ------------------------------------------------------------------------------------

void
pz_request_suspend(struct pz_request *request)
{
    request->is_waiting = true;
    atomic_store(&request->connection->is_held, true);
    atomic_store(&request->is_suspended, true);
    MHD_suspend_connection(request->native);
}

void
pz_request_resume(struct pz_request *request)
{
    struct MHD_Connection *native = request->native;
    atomic_store(&request->connection->is_held, false);
    atomic_store(&request->is_suspended, false);
    MHD_resume_connection(native); // from here on the request may be gone
}

void
pz_request_watch(struct pz_request *request)
{
    if (!request->is_watched) {
        request->is_watched = true;
        pz_connections_watch(request->http->connections, request->connection, request);
    }
}

// ---- the head -----------------------------------------------------------------------------------

static enum pz_method
method_from(const char *name)
{
    struct pz_str text = pz_str_from(name);
    if (pz_str_equal(text, PZ_STR("GET")) || pz_str_equal(text, PZ_STR("HEAD"))) {
        return PZ_METHOD_GET;
    }
    if (pz_str_equal(text, PZ_STR("PUT"))) {
        return PZ_METHOD_PUT;
    }
    if (pz_str_equal(text, PZ_STR("POST"))) {
        return PZ_METHOD_POST;
    }
    if (pz_str_equal(text, PZ_STR("DELETE"))) {
        return PZ_METHOD_DELETE;
    }
    return pz_str_equal(text, PZ_STR("OPTIONS")) ? PZ_METHOD_OPTIONS : PZ_METHOD_OTHER;
}

static struct pz_str
text_of(const char *data, size_t len)
{
    return (struct pz_str){data, data == NULL ? 0 : (uint32_t)len};
}

static enum MHD_Result
take_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len,
            const char *value, size_t value_len)
{
    (void)kind;
    pz_gate_header(cls, text_of(name, name_len), text_of(value, value_len));
    return MHD_YES;
}

// Copies and decodes one query parameter; too many, or a bad escape, end the walk.
static enum MHD_Result
take_param(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
           size_t value_len)
{
    (void)kind;
    struct pz_request *request = cls;
    if (request->param_count == PZ_PARAMS_MAX) {
        return MHD_NO;
    }
    struct pz_str copies[2] = {pz_arena_copy(&request->arena, text_of(name, name_len)),
                               pz_arena_copy(&request->arena, text_of(value, value_len))};
    for (int i = 0; i < 2; i++) {
        // The copy is ours to write to.
        if (copies[i].data == NULL || !pz_uri_decode((char *)copies[i].data, &copies[i].len)) {
            return MHD_NO;
        }
    }
    request->params[request->param_count++] = (struct pz_param){copies[0], copies[1]};
    return MHD_YES;
}

static struct pz_request *
request_create(struct pz_http *http, struct MHD_Connection *native, const char *url)
{
    struct pz_request *request = calloc(1, sizeof *request + strlen(url) + 1);
    if (request == NULL) {
        return NULL;
    }
    request->http = http;
    request->server = http->options.server;
    request->native = native;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(native, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    request->connection = info->socket_context;
    atomic_init(&request->references, 1);
    pz_arena_init(&request->arena, NULL);
    return request;
}

// "http://host/path", as a proxy may write it, names the path when the host is the Host header's.
static const char *
path_of(const char *url, struct pz_str host)
{
    static const char scheme[] = "http://";
    const size_t len = sizeof scheme - 1;
    if (strncmp(url, scheme, len) != 0) {
        return url;
    }
    size_t host_len = strcspn(url + len, "/");
    struct pz_str named = {url + len, (uint32_t)host_len};
    bool is_ours = url[len + host_len] == '/' && pz_str_equal_nocase(named, host);
    return is_ours ? url + len + host_len : url;
}

// Fills in what was asked. PZ_INVALID closes the connection.
static enum pz_status
read_head(struct pz_request *request, const char *url, const char *method, const char *version,
          struct pz_error *err)
{
    struct MHD_Connection *native = request->native;
    request->method = method_from(method);
    (void)MHD_get_connection_values_n(native, MHD_HEADER_KIND, take_header, &request->gate);
    PZ_TRY(pz_gate_check(&request->gate, url, version, err));
    const char *path = path_of(url, request->gate.host);
    PZ_TRY(pz_path_parse(path, request->path_room, &request->path, err));
    int param_count =
        MHD_get_connection_values_n(native, MHD_GET_ARGUMENT_KIND, take_param, request);
    if (param_count != (int)request->param_count) {
        return pz_fail(err, PZ_INVALID, "the query holds a bad escape or more than %d parameters",
                       PZ_PARAMS_MAX);
    }
    return PZ_OK;
}

static bool
has_body(const struct pz_request *request)
{
    return request->gate.is_chunked || request->gate.content_length > 0;
}

static void
refuse_large(struct pz_request *request)
{
    pz_problem_say(request, PZ_TOO_LARGE, "the body is larger than the limit of %zu bytes",
                   request->body.limit_bytes);
    request->body_mode = PZ_BODY_SWALLOW;
}

static enum MHD_Result
begin_request(struct pz_http *http, struct MHD_Connection *native, const char *const head[3],
              void **context)
{
    struct pz_request *request = request_create(http, native, head[0]);
    if (request == NULL) {
        return MHD_NO;
    }
    *context = request;
    atomic_fetch_add(&http->active, 1);
    struct pz_error err;
    enum pz_status status = read_head(request, head[0], head[1], head[2], &err);
    if (status == PZ_INVALID) {
        // Nothing after this head can be trusted to be a request.
        request->closes = true;
        pz_problem_reply(request, &err);
        return send_reply(request);
    }
    pz_connection_enter(request->connection, has_body(request) ? PZ_PHASE_BODY : PZ_PHASE_REPLY);
    if (status != PZ_OK) {
        pz_problem_reply(request, &err);
    } else {
        http->options.begin(request);
    }
    int64_t length = request->gate.content_length;
    if (request->reply.status == 0 && request->body_mode == PZ_BODY_COLLECT && length > 0 &&
        (uint64_t)length > request->body.limit_bytes) {
        refuse_large(request);
    }
    if (request->reply.status != 0 && has_body(request)) {
        request->body_mode = PZ_BODY_SWALLOW;
        if (request->gate.expects_continue || length > SWALLOW_BYTES_MAX) {
            request->closes = true;
            return send_reply(request);
        }
    }
    return MHD_YES;
}

// ---- the body -----------------------------------------------------------------------------------

static enum MHD_Result
take_body(struct pz_request *request, const char *data, size_t *len)
{
    request->body_bytes += *len;
    atomic_fetch_add_explicit(&request->connection->body_bytes, *len, memory_order_relaxed);
    switch (request->body_mode) {
    case PZ_BODY_SWALLOW:
        *len = 0;
        return request->body_bytes <= SWALLOW_BYTES_MAX ? MHD_YES : MHD_NO;
    case PZ_BODY_COLLECT:
        pz_buffer_append(&request->body, data, *len);
        *len = 0;
        if (request->body.is_failed) {
            refuse_large(request);
        }
        return MHD_YES;
    case PZ_BODY_STREAM:
        while (*len > 0) {
            size_t taken = pz_pipe_offer(request->upload, data, *len);
            if (taken == 0) {
                request->body_bytes -= *len; // they will be offered again
                break;
            }
            data += taken;
            *len -= taken;
        }
        return MHD_YES;
    }
    PZ_UNREACHABLE("a body mode");
}

// ---- the answer ---------------------------------------------------------------------------------

static ssize_t
read_stream(void *cls, uint64_t position, char *out, size_t capacity)
{
    (void)position;
    struct pz_request *request = cls;
    size_t len = 0;
    switch (pz_pipe_poll(request->reply.stream, out, capacity, &len)) {
    case PZ_PIPE_DATA:
        return (ssize_t)len;
    case PZ_PIPE_SUSPENDED:
        return 0;
    case PZ_PIPE_END:
        return MHD_CONTENT_READER_END_OF_STREAM;
    case PZ_PIPE_FAILED:
        break;
    }
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *
make_response(struct pz_request *request)
{
    struct pz_reply *reply = &request->reply;
    if (reply->stream != NULL) {
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
                                                 request, NULL);
    }
    if (reply->fixed_body != NULL) {
        // The library takes a pointer to non-const and only reads.
        return MHD_create_response_from_buffer(
            reply->fixed_len, (void *)(uintptr_t)reply->fixed_body, MHD_RESPMEM_PERSISTENT);
    }
    if (reply->body.is_failed) {
        // Not 503, which would say that nothing was done: the work behind the answer may be.
        reply->status = 500;
        reply->content_type = NULL;
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    }
    if (reply->body.len == 0) {
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.len, reply->body.data, MHD_RESPMEM_MUST_FREE);
    if (response != NULL) {
        reply->body = (struct pz_buffer){0}; // the library's now
    }
    return response;
}

static bool
add_headers(struct MHD_Response *response, const struct pz_request *request)
{
    const struct pz_reply *reply = &request->reply;
    bool is_good = true;
    if (reply->content_type != NULL) {
        is_good = MHD_add_response_header(response, "Content-Type", reply->content_type) == MHD_YES;
    }
    if (reply->has_commit) {
        char text[PZ_NUM_TEXT_MAX + 1];
        text[pz_format_u64(reply->commit, text)] = '\0';
        is_good = is_good && MHD_add_response_header(response, "Plaza-Commit", text) == MHD_YES;
    }
    is_good = is_good &&
              MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_YES;
    if (!reply->is_cacheable) {
        is_good =
            is_good && MHD_add_response_header(response, "Cache-Control", "no-store") == MHD_YES;
    }
    for (uint32_t i = 0; i < reply->header_count; i++) {
        is_good = is_good && MHD_add_response_header(response, reply->headers[i].name,
                                                     reply->headers[i].value) == MHD_YES;
    }
    if (request->closes) {
        is_good = is_good && MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    }
    return is_good;
}

static enum MHD_Result
send_reply(struct pz_request *request)
{
    if (request->is_queued) {
        return MHD_YES;
    }
    struct MHD_Response *response = make_response(request);
    if (response == NULL) {
        return MHD_NO;
    }
    enum MHD_Result result = MHD_NO;
    if (add_headers(response, request)) {
        result = MHD_queue_response(request->native, request->reply.status, response);
    }
    MHD_destroy_response(response);
    request->is_queued = result == MHD_YES;
    if (request->is_queued && request->http->options.answered != NULL) {
        request->http->options.answered(request);
    }
    return result;
}

// The body is complete, or the request was resumed.
static enum MHD_Result
advance(struct pz_request *request)
{
    request->is_waiting = false;
    if (!request->is_body_complete) {
        request->is_body_complete = true;
        pz_connection_enter(request->connection, PZ_PHASE_REPLY);
    }
    if (request->reply.status == 0 && !request->is_handled) {
        request->is_handled = true;
        request->http->options.handle(request);
    } else if (request->reply.status == 0 && request->on_resume != NULL) {
        request->on_resume(request);
    }
    if (request->is_waiting) {
        return MHD_YES; // another thread may be at the reply: hands off
    }
    if (request->reply.status == 0) {
        pz_problem_say(request, PZ_INTERNAL, "the request was left without an answer");
    }
    return send_reply(request);
}

// ---- what the library calls ---------------------------------------------------------------------

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *native, const char *url, const char *method,
           const char *version, const char *upload, size_t *upload_len, void **context)
{
    struct pz_request *request = *context;
    if (request == NULL) {
        const char *head[3] = {url == NULL ? "" : url, method, version};
        return begin_request(cls, native, head, context);
    }
    if (atomic_load(&request->is_suspended)) {
        return MHD_YES; // called without a resume: takes nothing
    }
    if (*upload_len > 0) {
        return take_body(request, upload, upload_len);
    }
    return advance(request);
}

static void
on_completed(void *cls, struct MHD_Connection *native, void **context,
             enum MHD_RequestTerminationCode code)
{
    (void)native;
    struct pz_http *http = cls;
    struct pz_request *request = *context;
    *context = NULL;
    if (request == NULL) {
        return;
    }
    if (request->is_watched) {
        pz_connections_unwatch(http->connections, request->connection);
    }
    if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        pz_request_cancel(request, PZ_CANCEL_CLIENT_LEFT);
    }
    if (request->reply.stream != NULL) {
        pz_pipe_abandon(request->reply.stream);
    }
    pz_connection_enter(request->connection, PZ_PHASE_HEAD);
    pz_request_release(request);
    atomic_fetch_sub(&http->active, 1);
}

static void
on_connection(void *cls, struct MHD_Connection *native, void **socket_context,
              enum MHD_ConnectionNotificationCode code)
{
    struct pz_http *http = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(native, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = pz_connections_open(http->connections, info->connect_fd);
    } else if (*socket_context != NULL) {
        pz_connections_close(http->connections, *socket_context);
        *socket_context = NULL;
    }
}

static size_t
keep_escaped(void *cls, struct MHD_Connection *native, char *text)
{
    (void)cls;
    (void)native;
    return strlen(text);
}

static void PZ_PRINTF(2, 0) log_library(void *cls, const char *format, va_list arguments)
{
    (void)cls;
    char text[400];
    (void)vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\r\n")] = '\0';
    pz_log(PZ_LOG_DEBUG, "http library: %s", text);
}

// ---- the listener -------------------------------------------------------------------------------

static enum MHD_Result
may_connect(void *cls, const struct sockaddr *address, socklen_t len)
{
    (void)address;
    (void)len;
    struct pz_http *http = cls;
    return atomic_load(&http->is_quiesced) ? MHD_NO : MHD_YES;
}

static void
read_address(struct pz_http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_LISTEN_FD);
    struct sockaddr_storage address = http->options.address;
    socklen_t len = sizeof address;
    if (info != NULL) {
        (void)getsockname(info->listen_fd, (struct sockaddr *)&address, &len);
    }
    pz_http_format_address(&address, http->address);
}

static struct MHD_Daemon *
start_daemon(struct pz_http *http)
{
    const struct pz_http_options *o = &http->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    // Not H16's strictness 1: it answers a head without Host itself, with a second head in place of
    // the body. The gate checks all that this strictness would.
    int strictness = 0;
    // Everybody on this machine has the same address: no limit by address there.
    unsigned per_address_max =
        pz_http_is_loopback(&o->address) ? o->connection_max : (o->connection_max + 9) / 10;
    return MHD_start_daemon(
        flags, 0, may_connect, http, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, log_library,
        NULL, MHD_OPTION_LISTEN_SOCKET, o->listener, MHD_OPTION_THREAD_POOL_SIZE, o->thread_count,
        MHD_OPTION_CONNECTION_LIMIT, o->connection_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        per_address_max, MHD_OPTION_CONNECTION_TIMEOUT, o->idle_timeout_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT,
        strictness, MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, NULL, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
}

enum pz_status
pz_http_start(const struct pz_http_options *options, struct pz_http **http_out,
              struct pz_error *err)
{
    *http_out = NULL;
    enum pz_status status = pz__http_listen(options, err);
    if (status != PZ_OK) {
        (void)close(options->listener);
        return status;
    }
    struct pz_http *http = pz_xcalloc(1, sizeof *http);
    http->options = *options;
    http->connections = pz_connections_create();
    errno = 0;
    http->daemon = start_daemon(http); // has the socket from here on
    if (http->daemon == NULL) {
        int number = errno;
        pz_connections_destroy(http->connections);
        free(http);
        errno = number;
        return pz_fail_sys(err, "cannot start the HTTP library");
    }
    read_address(http);
    *http_out = http;
    return PZ_OK;
}

const char *
pz_http_address(const struct pz_http *http)
{
    return http->address;
}

uint32_t
pz_http_connection_count(struct pz_http *http)
{
    return pz_connections_count(http->connections);
}

bool
pz_http_tells_full(struct pz_http *http)
{
    int64_t now_us = pz_clock_mono_us();
    int64_t last_us = atomic_load(&http->full_told_us);
    return (last_us == 0 || now_us - last_us > FULL_LOG_INTERVAL_US) &&
           atomic_compare_exchange_strong(&http->full_told_us, &last_us, now_us);
}

void
pz_http_quiesce(struct pz_http *http)
{
    // Not MHD_quiesce_daemon: it takes the listener out of each worker's epoll set, as a worker
    // that wakes up at that moment does too, and the library ends the process when one comes
    // second.
    atomic_store(&http->is_quiesced, true);
    pz_connections_cancel_all(http->connections);
}

bool
pz_http_wait_idle(struct pz_http *http, int64_t timeout_us)
{
    int64_t until_us = pz_clock_mono_us() + timeout_us;
    while (atomic_load(&http->active) > 0) {
        if (pz_clock_mono_us() > until_us) {
            return false;
        }
        pz_clock_sleep_us(2000);
        pz_connections_cancel_all(http->connections); // what came in meanwhile
    }
    return true;
}

void
pz_http_stop(struct pz_http *http)
{
    if (http == NULL) {
        return;
    }
    MHD_stop_daemon(http->daemon);
    pz_connections_destroy(http->connections);
    free(http);
}
