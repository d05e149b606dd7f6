// SPDX-License-Identifier: Apache-2.0
// Likes and views. Likes are the hottest path of the server: nothing is allocated besides the
// request and its answer.
#include "server/api/api.h"

#include "base/clock.h"
#include "server/api/fields.h"
#include "server/http/problem.h"
#include "server/server.h"

#include <inttypes.h>

static void
say_no_message(struct pz_request *request, int64_t id)
{
    pz_problem_say(request, PZ_NOT_FOUND, "there is no message %" PRId64, id);
}

// ---- likes --------------------------------------------------------------------------------------

// Message and user of the path. Answers what cannot be.
static bool
read_like_path(struct pz_request *request, struct pz_str *user_out)
{
    *user_out = request->path.segments[4];
    if (!pz_api_path_id(request, 2, &request->write.message_id)) {
        return false;
    }
    if (!pz_utf8_is_valid(user_out->data, user_out->len, NULL)) {
        pz_problem_say(request, PZ_INVALID, "the user id is not valid UTF-8");
        return false;
    }
    char why[PZ_RULE_TEXT_MAX];
    if (!pz_rule_takes_text(PZ_RULE_NAME, *user_out, why)) {
        pz_problem_say(request, PZ_UNACCEPTABLE, "the user id %s", why);
        return false;
    }
    return true;
}

static void
like_changed(struct pz_request *request)
{
    const struct pz_write *write = &request->write;
    if (write->status == PZ_NOT_FOUND) {
        say_no_message(request, write->message_id);
        return;
    }
    if (!pz_api_write_succeeded(request)) {
        return;
    }
    if (write->kind == PZ_WRITE_UNLIKE) {
        pz_reply_empty(request, 204);
    } else {
        pz_reply_begin(request, write->was_changed ? 201 : 200, PZ_JSON_TYPE);
        pz_buffer_printf(&request->reply.body,
                         "{\"message_id\":\"%" PRId64 "\",\"likes\":%" PRId64 "}\n",
                         write->message_id, write->likes);
    }
    pz_reply_commit(request, write->commit);
    if (write->was_changed) {
        pz_metric_add(&request->server->metrics.likes_changed_total, 1);
    }
}

static void
submit_like(struct pz_request *request, enum pz_write_kind kind, uint32_t user)
{
    struct pz_write *write = &request->write;
    write->kind = kind;
    write->user = user;
    write->at_us = pz_clock_wall_us();
    request->on_resume = like_changed;
    pz_api_submit(request);
}

void
pz_api_put_like(struct pz_request *request)
{
    struct pz_str user;
    uint32_t code;
    struct pz_error err;
    struct pz_server *server = request->server;
    if (!read_like_path(request, &user)) {
        return;
    }
    if (!pz_symbol_find(server->store, server->user_domain, user, &code) &&
        pz_symbol_intern(server->store, server->user_domain, user, &code, &err) != PZ_OK) {
        pz_problem_reply(request, &err);
        return;
    }
    submit_like(request, PZ_WRITE_LIKE, code);
}

void
pz_api_delete_like(struct pz_request *request)
{
    struct pz_str user;
    uint32_t code;
    struct pz_error err;
    struct pz_message message;
    struct pz_server *server = request->server;
    if (!read_like_path(request, &user)) {
        return;
    }
    if (pz_symbol_find(server->store, server->user_domain, user, &code)) {
        submit_like(request, PZ_WRITE_UNLIKE, code);
        return;
    }
    // A user nobody has heard of likes nothing; that leaves whether the message is there.
    enum pz_status status = pz_feed_get_message(server->store, request->write.message_id,
                                                &request->arena, &message, &err);
    if (status == PZ_NOT_FOUND) {
        say_no_message(request, request->write.message_id);
    } else if (status != PZ_OK) {
        pz_problem_reply(request, &err);
    } else {
        struct pz_version *version = pz_version_acquire(server->store);
        pz_reply_empty(request, 204);
        pz_reply_commit(request, pz_version_commit(version));
        pz_version_release(version);
    }
}

// ---- views --------------------------------------------------------------------------------------

enum { FIELD_USER, FIELD_DEVICE, FIELD_GEO, FIELD_WATCH, FIELD_VIEWED_AT, FIELD_COUNT };
static const struct pz_field view_fields[FIELD_COUNT] = {
    [FIELD_USER] = {"user_id", PZ_FIELD_NAME, true, 0, 0},
    [FIELD_DEVICE] = {"device", PZ_FIELD_NAME, true, 0, 0},
    [FIELD_GEO] = {"geo", PZ_FIELD_NAME, true, 0, 0},
    [FIELD_WATCH] = {"watch_ms", PZ_FIELD_DURATION, true, 0, 0},
    [FIELD_VIEWED_AT] = {"viewed_at", PZ_FIELD_TIMESTAMP, false, 0, 0},
};

static void
append_member(struct pz_request *request, const char *name, uint32_t column)
{
    const struct pz_api_row *row = request->work;
    uint32_t domain = row->batch.def->columns[column].domain_id;
    uint32_t code = row->batch.columns[column].codes[0];
    pz_buffer_printf(&request->reply.body, ",\"%s\":", name);
    pz_buffer_append_json_string(&request->reply.body,
                                 pz_symbol_name(request->server->store, domain, code));
}

static void
view_posted(struct pz_request *request)
{
    if (request->write.status == PZ_NOT_FOUND) {
        say_no_message(request, request->write.message_id);
        return;
    }
    if (!pz_api_write_succeeded(request)) {
        return;
    }
    const struct pz_api_row *row = request->work;
    const struct pz_column *columns = row->batch.columns;
    struct pz_buffer *body = &request->reply.body;
    char time[PZ_TIMESTAMP_TEXT_LEN];
    pz_reply_begin(request, 201, PZ_JSON_TYPE);
    pz_buffer_printf(body, "{\"message_id\":\"%" PRId64 "\"", request->write.message_id);
    append_member(request, "user_id", PZ_VIEWS_USER);
    uint32_t len = pz_format_timestamp(columns[PZ_VIEWS_VIEWED_AT].ints[0], time);
    pz_buffer_printf(body, ",\"viewed_at\":\"%.*s\"", (int)len, time);
    append_member(request, "device", PZ_VIEWS_DEVICE);
    append_member(request, "geo", PZ_VIEWS_GEO);
    pz_buffer_printf(body, ",\"watch_ms\":%" PRId64 "}\n", columns[PZ_VIEWS_WATCH_MS].ints[0]);
    pz_reply_commit(request, request->write.commit);
    pz_metric_add(&request->server->metrics.views_posted_total, 1);
}

static bool
fill_view(struct pz_request *request, const struct pz_field_value *values)
{
    struct pz_api_row *row = pz_api_row_create(request, PZ_STR("views"));
    if (row == NULL) {
        return false;
    }
    struct pz_column *columns = row->batch.columns;
    pz_column_append_int(&columns[PZ_VIEWS_MESSAGE], request->write.message_id);
    pz_column_append_int(&columns[PZ_VIEWS_WATCH_MS], values[FIELD_WATCH].number);
    if (values[FIELD_VIEWED_AT].is_set) {
        pz_column_append_int(&columns[PZ_VIEWS_VIEWED_AT], values[FIELD_VIEWED_AT].number);
    } else {
        pz_column_append_null(&columns[PZ_VIEWS_VIEWED_AT]);
    }
    return pz_api_row_symbol(request, PZ_VIEWS_USER, values[FIELD_USER].text) &&
           pz_api_row_symbol(request, PZ_VIEWS_DEVICE, values[FIELD_DEVICE].text) &&
           pz_api_row_symbol(request, PZ_VIEWS_GEO, values[FIELD_GEO].text);
}

void
pz_api_post_view(struct pz_request *request)
{
    struct pz_field_value values[FIELD_COUNT];
    struct pz_json *json = NULL;
    if (!pz_api_path_id(request, 2, &request->write.message_id)) {
        return;
    }
    bool is_good = pz_fields_read_body(request, view_fields, FIELD_COUNT, values, &json) &&
                   fill_view(request, values);
    pz_json_free(json);
    if (is_good) {
        request->write.needs_message = true;
        request->on_resume = view_posted;
        pz_api_row_submit(request);
    }
}
