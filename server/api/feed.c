// SPDX-License-Identifier: Apache-2.0
// Messages: post, read, list, delete.
#include "server/api/api.h"

#include "base/clock.h"
#include "server/api/cursor.h"
#include "server/api/fields.h"
#include "server/http/problem.h"
#include "server/server.h"

#include <inttypes.h>
#include <math.h>

#define PAGE_DEFAULT 20
#define PAGE_MAX 100
// Bodies as the feed takes them stay far below this; those of imports may have 16 MiB each.
#define PAGE_BODY_BYTES_MAX (8 * 1024 * 1024)
#define BODY_BYTES_MAX (64 * 1024)

bool
pz_api_path_id(struct pz_request *request, uint32_t segment, int64_t *id_out)
{
    struct pz_str text = request->path.segments[segment];
    uint32_t digits = 0;
    uint32_t sign = text.len > 0 && text.data[0] == '-';
    for (uint32_t i = sign; i < text.len; i++) {
        digits += text.data[i] >= '0' && text.data[i] <= '9';
    }
    if (digits == 0 || digits + sign != text.len) {
        pz_problem_say(request, PZ_INVALID, "the message id must be a positive integer");
        return false;
    }
    if (!pz_parse_i64(text, id_out) || *id_out <= 0) {
        pz_problem_say(request, PZ_NOT_FOUND, "there is no message %.*s",
                       PZ_STR_ARG(pz_str_cut_utf8(text, 40)));
        return false;
    }
    return true;
}

// ---- writing out --------------------------------------------------------------------------------

static void
append_time(struct pz_buffer *body, int64_t us)
{
    char text[PZ_TIMESTAMP_TEXT_LEN];
    pz_buffer_append_char(body, '"');
    pz_buffer_append(body, text, pz_format_timestamp(us, text));
    pz_buffer_append_char(body, '"');
}

static void
append_message(struct pz_server *server, struct pz_buffer *body, const struct pz_message *message)
{
    pz_buffer_printf(body, "{\"message_id\":\"%" PRId64 "\",\"user_id\":", message->message_id);
    pz_buffer_append_json_string(body,
                                 pz_symbol_name(server->store, server->user_domain, message->user));
    pz_buffer_append_c(body, ",\"created_at\":");
    append_time(body, message->created_at);
    pz_buffer_append_c(body, ",\"body\":");
    pz_buffer_append_json_string(body, message->body);
    pz_buffer_printf(body,
                     ",\"likes\":%" PRId64 ",\"views\":%" PRId64 ",\"sentiment\":", message->likes,
                     message->views);
    if (message->has_sentiment && isfinite(message->sentiment)) { // JSON has no other numbers
        char text[PZ_NUM_TEXT_MAX];
        pz_buffer_append(body, text, pz_format_double(message->sentiment, text));
    } else {
        pz_buffer_append_c(body, "null");
    }
    pz_buffer_append_char(body, '}');
}

// ---- post ---------------------------------------------------------------------------------------

enum { FIELD_USER, FIELD_BODY, FIELD_CREATED_AT, FIELD_ID, FIELD_COUNT };
static const struct pz_field message_fields[FIELD_COUNT] = {
    [FIELD_USER] = {"user_id", PZ_FIELD_NAME, true, 0, 0},
    [FIELD_BODY] = {"body", PZ_FIELD_BODY, true, 1, BODY_BYTES_MAX},
    [FIELD_CREATED_AT] = {"created_at", PZ_FIELD_TIMESTAMP, false, 0, 0},
    [FIELD_ID] = {"message_id", PZ_FIELD_ID, false, 0, 0},
};

static void
message_posted(struct pz_request *request)
{
    if (!pz_api_write_succeeded(request)) {
        return;
    }
    // The writer set in place what was not given.
    const struct pz_api_row *row = request->work;
    const struct pz_column *columns = row->batch.columns;
    struct pz_message message = {
        .message_id = columns[PZ_MESSAGES_ID].ints[0],
        .user = columns[PZ_MESSAGES_USER].codes[0],
        .created_at = columns[PZ_MESSAGES_CREATED_AT].ints[0],
        .body = pz_column_text(&columns[PZ_MESSAGES_BODY], 0),
    };
    // Likes and views may have come first: the counters are the id's.
    struct pz_message stored;
    struct pz_error err;
    if (pz_feed_get_message(request->server->store, message.message_id, &request->arena, &stored,
                            &err) == PZ_OK) {
        message.likes = stored.likes;
        message.views = stored.views;
    }
    pz_reply_begin(request, 201, PZ_JSON_TYPE);
    append_message(request->server, &request->reply.body, &message);
    pz_buffer_append_char(&request->reply.body, '\n');
    const char *location =
        pz_arena_printf(&request->arena, "/v1/messages/%" PRId64, message.message_id);
    if (location != NULL) {
        pz_reply_header(request, "Location", location);
    }
    pz_reply_commit(request, request->write.commit);
    pz_metric_add(&request->server->metrics.messages_posted_total, 1);
}

static void
append_int(struct pz_column *column, const struct pz_field_value *value)
{
    if (value->is_set) {
        pz_column_append_int(column, value->number);
    } else {
        pz_column_append_null(column);
    }
}

static bool
fill_message(struct pz_request *request, const struct pz_field_value *values)
{
    struct pz_api_row *row = pz_api_row_create(request, PZ_STR("messages"));
    if (row == NULL) {
        return false;
    }
    struct pz_error err;
    struct pz_column *columns = row->batch.columns;
    append_int(&columns[PZ_MESSAGES_ID], &values[FIELD_ID]);
    append_int(&columns[PZ_MESSAGES_CREATED_AT], &values[FIELD_CREATED_AT]);
    pz_column_append_null(&columns[PZ_MESSAGES_SENTIMENT]);
    if (pz_column_append_text(&columns[PZ_MESSAGES_BODY], values[FIELD_BODY].text, &err) != PZ_OK) {
        pz_problem_reply(request, &err);
        return false;
    }
    return pz_api_row_symbol(request, PZ_MESSAGES_USER, values[FIELD_USER].text);
}

void
pz_api_post_message(struct pz_request *request)
{
    struct pz_field_value values[FIELD_COUNT];
    struct pz_json *json = NULL;
    bool is_good = pz_fields_read_body(request, message_fields, FIELD_COUNT, values, &json) &&
                   fill_message(request, values);
    pz_json_free(json);
    if (is_good) {
        request->on_resume = message_posted;
        pz_api_row_submit(request);
    }
}

// ---- read ---------------------------------------------------------------------------------------

void
pz_api_get_message(struct pz_request *request)
{
    int64_t id;
    struct pz_error err;
    struct pz_message message;
    if (!pz_api_path_id(request, 2, &id)) {
        return;
    }
    enum pz_status status =
        pz_feed_get_message(request->server->store, id, &request->arena, &message, &err);
    if (status == PZ_NOT_FOUND) {
        pz_problem_say(request, PZ_NOT_FOUND, "there is no message %" PRId64, id);
    } else if (status != PZ_OK) {
        pz_problem_reply(request, &err);
    } else {
        pz_reply_begin(request, 200, PZ_JSON_TYPE);
        append_message(request->server, &request->reply.body, &message);
        pz_buffer_append_char(&request->reply.body, '\n');
    }
}

struct page_request {
    struct pz_feed_query query;
    struct pz_str user; // data is NULL without a filter
    bool is_empty;      // the user has never posted, liked or viewed
};

static bool
read_page_params(struct pz_request *request, struct page_request *page)
{
    struct pz_str text;
    struct pz_error err;
    *page =
        (struct page_request){.query.limit = PAGE_DEFAULT, .query.bytes_max = PAGE_BODY_BYTES_MAX};
    if (pz_request_param(request, PZ_STR("limit"), &text)) {
        int64_t limit;
        if (!pz_parse_i64(text, &limit) || limit < 1) {
            pz_problem_say(request, PZ_INVALID, "limit must be a number from 1 to %d", PAGE_MAX);
            return false;
        }
        page->query.limit = limit > PAGE_MAX ? PAGE_MAX : (uint32_t)limit;
    }
    if (pz_request_param(request, PZ_STR("cursor"), &text)) {
        page->query.has_before = true;
        if (pz_cursor_decode(text, &page->query.before_created_at, &page->query.before_message_id,
                             &err) != PZ_OK) {
            pz_problem_reply(request, &err);
            return false;
        }
    }
    if (pz_request_param(request, PZ_STR("user_id"), &page->user)) {
        if (!pz_utf8_is_valid(page->user.data, page->user.len, NULL)) {
            pz_problem_say(request, PZ_INVALID, "the user id is not valid UTF-8");
            return false;
        }
        page->query.has_user = true;
        page->is_empty = !pz_symbol_find(request->server->store, request->server->user_domain,
                                         page->user, &page->query.user);
    }
    return true;
}

static void
append_next(struct pz_request *request, const struct page_request *page,
            const struct pz_message *last)
{
    char cursor[PZ_CURSOR_TEXT_MAX];
    uint32_t len = pz_cursor_encode(last->created_at, last->message_id, cursor);
    pz_buffer_printf(&request->reply.body, ",\"next\":\"%.*s\"}\n", (int)len, cursor);
    struct pz_buffer link = {0};
    pz_buffer_printf(&link, "</v1/messages?limit=%u&cursor=%.*s", page->query.limit, (int)len,
                     cursor);
    if (page->query.has_user) {
        pz_buffer_append_c(&link, "&user_id=");
        pz_uri_encode(&link, page->user);
    }
    pz_buffer_append_c(&link, ">; rel=\"next\"");
    struct pz_str copy =
        pz_arena_copy(&request->arena, (struct pz_str){link.data, (uint32_t)link.len});
    if (copy.data != NULL && !link.is_failed) {
        pz_reply_header(request, "Link", copy.data);
    }
    pz_buffer_fini(&link);
}

void
pz_api_list_messages(struct pz_request *request)
{
    struct page_request wanted;
    struct pz_feed_page page = {0};
    struct pz_error err;
    if (!read_page_params(request, &wanted)) {
        return;
    }
    if (!wanted.is_empty && pz_feed_get_page(request->server->store, &wanted.query, &request->arena,
                                             &page, &err) != PZ_OK) {
        pz_problem_reply(request, &err);
        return;
    }
    pz_reply_begin(request, 200, PZ_JSON_TYPE);
    struct pz_buffer *body = &request->reply.body;
    pz_buffer_append_c(body, "{\"items\":[");
    for (uint32_t i = 0; i < page.count; i++) {
        if (i > 0) {
            pz_buffer_append_char(body, ',');
        }
        append_message(request->server, body, &page.items[i]);
    }
    pz_buffer_append_char(body, ']');
    if (page.has_more && page.count > 0) {
        append_next(request, &wanted, &page.items[page.count - 1]);
    } else {
        pz_buffer_append_c(body, ",\"next\":null}\n");
    }
}

// ---- delete -------------------------------------------------------------------------------------

static void
message_deleted(struct pz_request *request)
{
    if (request->write.status == PZ_NOT_FOUND) {
        pz_problem_say(request, PZ_NOT_FOUND, "there is no message %" PRId64,
                       request->write.message_id);
    } else if (pz_api_write_succeeded(request)) {
        pz_reply_empty(request, 204);
        pz_reply_commit(request, request->write.commit);
    }
}

void
pz_api_delete_message(struct pz_request *request)
{
    struct pz_write *write = &request->write;
    if (!pz_api_path_id(request, 2, &write->message_id)) {
        return;
    }
    write->kind = PZ_WRITE_DELETE_MESSAGE;
    write->at_us = pz_clock_wall_us();
    request->on_resume = message_deleted;
    pz_api_submit(request);
}
