// SPDX-License-Identifier: Apache-2.0
// What a request carries, and the answer being made; the library's side is in http.c.
#include "server/http/request.h"

#include <stdlib.h>

const char *
pz_method_name(enum pz_method method)
{
    switch (method) {
    case PZ_METHOD_GET:
        return "GET";
    case PZ_METHOD_POST:
        return "POST";
    case PZ_METHOD_PUT:
        return "PUT";
    case PZ_METHOD_DELETE:
        return "DELETE";
    case PZ_METHOD_OPTIONS:
        return "OPTIONS";
    case PZ_METHOD_OTHER:
        break;
    }
    return "OTHER";
}

bool
pz_request_param(const struct pz_request *request, struct pz_str name, struct pz_str *value_out)
{
    for (uint32_t i = 0; i < request->param_count; i++) {
        if (pz_str_equal(request->params[i].name, name)) {
            *value_out = request->params[i].value;
            return true;
        }
    }
    return false;
}

void
pz_request_cancel(struct pz_request *request, enum pz_cancel reason)
{
    uint8_t none = PZ_CANCEL_NONE;
    if (atomic_compare_exchange_strong(&request->cancel_reason, &none, (uint8_t)reason)) {
        atomic_store(&request->is_canceled, true);
        if (request->on_cancel != NULL) {
            request->on_cancel(request);
        }
    }
}

void
pz_request_retain(struct pz_request *request)
{
    atomic_fetch_add(&request->references, 1);
}

void
pz_request_release(struct pz_request *request)
{
    if (atomic_fetch_sub(&request->references, 1) > 1) {
        return;
    }
    if (request->on_release != NULL) {
        request->on_release(request);
    }
    free(request->write.row_errors);
    pz_buffer_fini(&request->body);
    pz_buffer_fini(&request->reply.body);
    pz_arena_fini(&request->arena);
    free(request);
}

void
pz_reply_begin(struct pz_request *request, unsigned status, const char *content_type)
{
    struct pz_reply *reply = &request->reply;
    pz_buffer_clear(&reply->body);
    reply->status = status;
    reply->content_type = content_type;
    reply->fixed_body = NULL;
    reply->fixed_len = 0;
    reply->stream = NULL;
    reply->header_count = 0;
    reply->has_commit = false;
    reply->is_cacheable = false;
}

void
pz_reply_empty(struct pz_request *request, unsigned status)
{
    pz_reply_begin(request, status, NULL);
}

void
pz_reply_header(struct pz_request *request, const char *name, const char *value)
{
    struct pz_reply *reply = &request->reply;
    PZ_ASSERT(reply->header_count < PZ_REPLY_HEADERS_MAX);
    reply->headers[reply->header_count++] = (struct pz_reply_header){name, value};
}

void
pz_reply_commit(struct pz_request *request, uint64_t commit)
{
    request->reply.has_commit = true;
    request->reply.commit = commit;
}
