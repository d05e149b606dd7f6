// SPDX-License-Identifier: Apache-2.0
// The table of calls, and what holds for all of them: who may ask, which methods and parameters
// there are, and which media types a body may have.
#include "server/api/route.h"

#include "base/suggest.h"
#include "server/api/api.h"
#include "server/http/problem.h"
#include "server/json.h"
#include "server/server.h"

#include <stdio.h>

#define SQL_BODY_MAX (1024u * 1024)

// Likes first: they are asked for most, and the list is walked from the top.
static const struct pz_route routes[] = {
    {.method = PZ_METHOD_PUT,
     .segments = {"v1", "messages", "*", "likes", "*"},
     .handle = pz_api_put_like},
    {.method = PZ_METHOD_DELETE,
     .segments = {"v1", "messages", "*", "likes", "*"},
     .handle = pz_api_delete_like},
    {.method = PZ_METHOD_POST,
     .segments = {"v1", "messages", "*", "views"},
     .body_mode = PZ_BODY_COLLECT,
     .body_bytes_max = PZ_JSON_BODY_MAX,
     .takes_json = true,
     .handle = pz_api_post_view},
    {.method = PZ_METHOD_GET,
     .segments = {"v1", "messages"},
     .params = {"limit", "cursor", "user_id"},
     .handle = pz_api_list_messages},
    {.method = PZ_METHOD_POST,
     .segments = {"v1", "messages"},
     .body_mode = PZ_BODY_COLLECT,
     .body_bytes_max = PZ_JSON_BODY_MAX,
     .takes_json = true,
     .handle = pz_api_post_message},
    {.method = PZ_METHOD_GET, .segments = {"v1", "messages", "*"}, .handle = pz_api_get_message},
    {.method = PZ_METHOD_DELETE,
     .segments = {"v1", "messages", "*"},
     .handle = pz_api_delete_message},
    {.method = PZ_METHOD_POST,
     .segments = {"v1", "sql"},
     .body_mode = PZ_BODY_COLLECT,
     .body_bytes_max = SQL_BODY_MAX,
     .begin = pz_api_sql_begin,
     .handle = pz_api_sql},
    {.method = PZ_METHOD_POST,
     .segments = {"v1", "tables", "*", "rows"},
     .params = {"on_error", "map", "ignore_unknown", "source", "lines_before"},
     .begin = pz_api_rows_begin,
     .handle = pz_api_rows},
    {.method = PZ_METHOD_GET, .segments = {"v1", "tables"}, .handle = pz_api_list_tables},
    {.method = PZ_METHOD_GET, .segments = {"livez"}, .handle = pz_api_livez},
    {.method = PZ_METHOD_GET, .segments = {"readyz"}, .handle = pz_api_readyz},
    {.method = PZ_METHOD_GET, .segments = {"metrics"}, .handle = pz_api_metrics},
    {.method = PZ_METHOD_GET, .segments = {"problems", "*"}, .handle = pz_api_problem_page},
    {.method = PZ_METHOD_GET, .segments = {NULL}, .handle = pz_api_console},
    {.method = PZ_METHOD_GET, .segments = {"console", "*"}, .handle = pz_api_console_file},
};
enum { ROUTE_COUNT = sizeof routes / sizeof routes[0] };

static bool
matches(const struct pz_route *route, const struct pz_path *path)
{
    uint32_t i = 0;
    for (; i < PZ_ROUTE_SEGMENTS_MAX && route->segments[i] != NULL; i++) {
        if (i == path->count) {
            return false;
        }
        const char *wanted = route->segments[i];
        bool is_any = wanted[0] == '*';
        if (!is_any && !pz_str_equal(path->segments[i], pz_str_from(wanted))) {
            return false;
        }
    }
    return i == path->count;
}

// The methods that the path has, for Allow; "" when there is no such path.
static const char *
allowed_methods(struct pz_request *request)
{
    char list[64] = "";
    size_t len = 0;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        if (matches(&routes[i], &request->path)) {
            const char *name =
                routes[i].method == PZ_METHOD_GET ? "GET, HEAD" : pz_method_name(routes[i].method);
            len += (size_t)snprintf(list + len, sizeof list - len, "%s, ", name);
        }
    }
    if (len == 0) {
        return "";
    }
    const char *allow = pz_arena_printf(&request->arena, "%sOPTIONS", list);
    return allow != NULL ? allow : "OPTIONS";
}

// Answers what has no route; or finds it.
static const struct pz_route *
find_route(struct pz_request *request)
{
    for (int i = 0; i < ROUTE_COUNT; i++) {
        if (routes[i].method == request->method && matches(&routes[i], &request->path)) {
            return &routes[i];
        }
    }
    const char *allow = allowed_methods(request);
    struct pz_error err;
    if (allow[0] == '\0') {
        (void)pz_fail(&err, PZ_NOT_FOUND, "there is nothing at this path");
        pz_problem_reply(request, &err);
    } else if (request->method == PZ_METHOD_OPTIONS) {
        pz_reply_empty(request, 204);
        pz_reply_header(request, "Allow", allow);
    } else {
        (void)pz_fail(&err, PZ_INVALID, "this path takes %s", allow);
        pz_problem_reply_status(request, 405, &err);
        pz_reply_header(request, "Allow", allow);
    }
    return NULL;
}

// Whether the Host header is one of --host-names.
static bool
is_named_host(const struct pz_server *server, struct pz_str host)
{
    struct pz_str name = pz_host_name(host);
    const char *at = server->config.host_names;
    while (*at != '\0') {
        size_t len = strcspn(at, ",");
        if (pz_str_equal_nocase(name, (struct pz_str){at, (uint32_t)len})) {
            return true;
        }
        at += len + (at[len] == ',');
    }
    return false;
}

// A page in a browser may be foreign although the request comes from this machine: its host name
// was made to point here, or it posts across origins.
static bool
is_foreign(struct pz_request *request)
{
    struct pz_error err;
    const struct pz_gate *gate = &request->gate;
    if (request->server->is_loopback && gate->host_count > 0 &&
        !pz_gate_is_local_host(gate->host) && !is_named_host(request->server, gate->host)) {
        (void)pz_fail(&err, PZ_INVALID, "the Host header does not name this server");
        pz_error_hint(&err, "use http://127.0.0.1, or start it with --host-names NAME");
        pz_problem_reply_status(request, 403, &err);
        return true;
    }
    bool is_read = request->method == PZ_METHOD_GET || request->method == PZ_METHOD_OPTIONS;
    if (!is_read && gate->origin.len > 0 && !pz_gate_is_same_origin(gate->origin, gate->host)) {
        (void)pz_fail(&err, PZ_INVALID, "the Origin header names another site");
        pz_error_hint(&err,
                      "pages write to plaza from its own address: serve both behind one proxy, "
                      "or call plaza from the page's server");
        pz_problem_reply_status(request, 403, &err);
        return true;
    }
    return false;
}

// ---- parameters ---------------------------------------------------------------------------------

static void
say_unknown_param(struct pz_request *request, struct pz_str name)
{
    const struct pz_route *route = request->route;
    struct pz_error err;
    struct pz_str shown =
        pz_utf8_is_valid(name.data, name.len, NULL) ? pz_str_cut_utf8(name, 60) : PZ_STR("?");
    (void)pz_fail(&err, PZ_INVALID, "there is no parameter \"%.*s\" here", PZ_STR_ARG(shown));
    struct pz_suggestion suggestion;
    pz_suggest_begin(&suggestion, name);
    struct pz_buffer list = {0};
    for (int i = 0; i < PZ_ROUTE_PARAMS_MAX && route->params[i] != NULL; i++) {
        (void)pz_suggest_offer(&suggestion, pz_str_from(route->params[i]));
        pz_buffer_printf(&list, "%s%s", i == 0 ? "" : ", ", route->params[i]);
    }
    if (!pz_suggest_hint(&suggestion, &err)) {
        pz_error_hint(&err, "%s%.*s",
                      list.len == 0 ? "this call takes none" : "those that this call takes are ",
                      (int)list.len, list.len == 0 ? "" : list.data);
    }
    pz_buffer_fini(&list);
    pz_problem_reply(request, &err);
}

static bool
takes_param(const struct pz_route *route, struct pz_str name)
{
    for (int i = 0; i < PZ_ROUTE_PARAMS_MAX && route->params[i] != NULL; i++) {
        if (pz_str_equal(name, pz_str_from(route->params[i]))) {
            return true;
        }
    }
    return false;
}

// A parameter that is misspelt, or given twice, would otherwise be passed over: the call would do
// something else than was asked.
static bool
has_wrong_param(struct pz_request *request)
{
    for (uint32_t i = 0; i < request->param_count; i++) {
        struct pz_str name = request->params[i].name;
        if (name.len == 0 && request->params[i].value.len == 0) {
            continue; // nothing between two ampersands
        }
        if (!takes_param(request->route, name)) {
            say_unknown_param(request, name);
            return true;
        }
        for (uint32_t before = 0; before < i; before++) {
            if (pz_str_equal(request->params[before].name, name)) {
                pz_problem_say(request, PZ_INVALID, "the parameter \"%.*s\" is given twice",
                               PZ_STR_ARG(name));
                return true;
            }
        }
    }
    return false;
}

static bool
has_wrong_type(struct pz_request *request)
{
    const struct pz_gate *gate = &request->gate;
    struct pz_str encoding = gate->content_encoding;
    if (encoding.len > 0 && !pz_str_equal_nocase(encoding, PZ_STR("identity"))) {
        pz_problem_say(request, PZ_UNSUPPORTED_MEDIA, "compressed bodies are not taken here");
        return true;
    }
    bool has_body = gate->is_chunked || gate->content_length > 0;
    if (has_body && !pz_str_equal_nocase(pz_media_type(gate->content_type), PZ_STR(PZ_JSON_TYPE))) {
        pz_problem_say(request, PZ_UNSUPPORTED_MEDIA,
                       "the body must have the Content-Type application/json");
        return true;
    }
    return false;
}

void
pz_route_begin(struct pz_request *request)
{
    if (atomic_load_explicit(&request->server->is_stopping, memory_order_relaxed)) {
        request->closes = true;
        pz_problem_say(request, PZ_BUSY, "the server is stopping");
        return;
    }
    if (is_foreign(request)) {
        return;
    }
    request->route = find_route(request);
    if (request->route == NULL || has_wrong_param(request) ||
        (request->route->takes_json && has_wrong_type(request))) {
        return;
    }
    request->body_mode = request->route->body_mode;
    request->body.limit_bytes = request->route->body_bytes_max;
    if (request->route->begin != NULL) {
        request->route->begin(request);
    }
}

void
pz_route_handle(struct pz_request *request)
{
    request->route->handle(request);
}

void
pz_route_answered(struct pz_request *request)
{
    struct pz_metrics *metrics = &request->server->metrics;
    unsigned status = request->reply.status;
    pz_metric_add(&metrics->http_requests_total, 1);
    if (request->body_bytes > 0) {
        pz_metric_add(&metrics->http_body_bytes_total, request->body_bytes);
    }
    if (status >= 500) {
        pz_metric_add(&metrics->http_errors_5xx_total, 1);
    } else if (status >= 400) {
        pz_metric_add(&metrics->http_errors_4xx_total, 1);
    }
}
