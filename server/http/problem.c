// SPDX-License-Identifier: Apache-2.0
// Writes problem documents; see problem.h.
#include "server/http/problem.h"

#include "base/log.h"
#include "query/query.h"
#include "server/http/http.h"

#include <stdarg.h>
#include <stdio.h>

static const struct pz_problem_row rows[] = {
#define X(slug, http, title) {slug, http, title},
#include "server/http/problem.def"
#undef X
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

const struct pz_problem_row *
pz_problem_find(struct pz_str slug)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (pz_str_equal(slug, pz_str_from(rows[i].slug))) {
            return &rows[i];
        }
    }
    return NULL;
}

static const struct pz_problem_row *
row_of(unsigned http_status, const char *slug)
{
    if (slug != NULL) {
        const struct pz_problem_row *row = pz_problem_find(pz_str_from(slug));
        PZ_ASSERT(row != NULL);
        return row;
    }
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].http_status == http_status) {
            return &rows[i];
        }
    }
    return row_of(500, "internal");
}

// Whether an answer with this status is worth a line in the log. Being busy is not; a full disk,
// which every write meets, is told now and then, for the log may be on it.
static bool
is_logged(struct pz_request *request, unsigned http_status)
{
    if (http_status == 507) {
        return pz_http_tells_full(request->http);
    }
    return http_status >= 500 && http_status != 503;
}

void
pz_problem_log(struct pz_request *request, unsigned http_status, const struct pz_error *err)
{
    if (is_logged(request, http_status)) {
        pz_log_error(err, "%s %.*s", pz_method_name(request->method),
                     PZ_STR_ARG(request->path.count > 1 ? request->path.segments[1] : PZ_STR("")));
    }
}

static void
append_member(struct pz_buffer *body, const char *name, const char *value)
{
    pz_buffer_printf(body, ",\"%s\":", name);
    pz_buffer_append_json_string(body, pz_str_from(value));
}

void
pz_problem_begin(struct pz_request *request, unsigned http_status, const char *slug,
                 const struct pz_error *err)
{
    const struct pz_problem_row *row = row_of(http_status, slug);
    pz_reply_begin(request, http_status, PZ_PROBLEM_TYPE);
    struct pz_buffer *body = &request->reply.body;
    pz_buffer_printf(body, "{\"type\":\"/problems/%s\"", row->slug);
    append_member(body, "title", row->title);
    pz_buffer_printf(body, ",\"status\":%u", http_status);
    append_member(body, "detail", err->message);
    if (err->sqlstate[0] != '\0') {
        append_member(body, "code", err->sqlstate);
    } else {
        pz_buffer_printf(body, ",\"code\":\"PLZ%u\"", http_status);
    }
    if (err->hint[0] != '\0') {
        append_member(body, "hint", err->hint);
    }
    if (http_status == 503) {
        pz_reply_header(request, "Retry-After", "1");
    }
}

void
pz_problem_end(struct pz_request *request)
{
    pz_buffer_append_c(&request->reply.body, "}\n");
}

void
pz_problem_reply_status(struct pz_request *request, unsigned http_status,
                        const struct pz_error *err)
{
    pz_problem_log(request, http_status, err);
    pz_problem_begin(request, http_status, NULL, err);
    pz_problem_end(request);
}

void
pz_problem_reply(struct pz_request *request, const struct pz_error *err)
{
    pz_problem_reply_status(request, (unsigned)pz_status_http(err->status), err);
}

void
pz_problem_reply_sql(struct pz_request *request, struct pz_str sql, const struct pz_error *err)
{
    struct pz_error named = *err;
    if (named.sqlstate[0] == '\0') {
        memcpy(named.sqlstate, pz_query_sqlstate(err->status), sizeof named.sqlstate);
    }
    unsigned http_status = (unsigned)pz_status_http(err->status);
    bool is_statements = http_status < 500 && http_status != 408 && http_status != 499;
    if (is_statements) {
        http_status = 400; // whatever is wrong with a statement, its SQLSTATE tells
    }
    if (is_logged(request, http_status)) {
        pz_log_error(err, "a statement failed");
    }
    pz_problem_begin(request, http_status, is_statements ? "sql" : NULL, &named);
    if (err->sql_offset > 0 && err->sql_offset - 1 <= sql.len) {
        uint32_t offset = err->sql_offset - 1;
        uint32_t line = 1;
        uint32_t column = 1;
        pz_query_locate(sql, offset, &line, &column);
        pz_buffer_printf(&request->reply.body, ",\"position\":%zu,\"line\":%u,\"column\":%u",
                         pz_utf8_length(sql.data, offset) + 1, line, column);
    }
    pz_problem_end(request);
}

void
pz_problem_say(struct pz_request *request, enum pz_status status, const char *format, ...)
{
    char message[sizeof((struct pz_error *)0)->message];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    struct pz_error err;
    (void)pz_fail(&err, status, "%s", message);
    pz_problem_reply(request, &err);
}
