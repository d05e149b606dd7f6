// SPDX-License-Identifier: Apache-2.0
// HTTP requests by libcurl; see client.h.
#include "server/cli/client.h"

#include "server/cli/terminal.h"
#include "server/json.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define ANSWER_BYTES_MAX (64u << 20)
#define CONNECT_TIMEOUT_MS 5000L

struct pz_client {
    CURL *curl;
    char *url; // without a slash at its end
    bool is_unreachable;
};

// Whether the server is on this machine: no proxy of the environment could reach it.
static bool
is_local(const char *url)
{
    static const char *const hosts[] = {"localhost", "127.0.0.1", "[::1]"};
    const char *host = strstr(url, "://") + 3;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t len = strlen(hosts[i]);
        if (strncasecmp(host, hosts[i], len) == 0 && strchr(":/", host[len]) != NULL) {
            return true;
        }
    }
    return false;
}

enum pz_status
pz_client_create(const char *url, struct pz_client **client_out, struct pz_error *err)
{
    *client_out = NULL;
    size_t len = strlen(url);
    const char *host = strncmp(url, "http://", 7) == 0    ? url + 7
                       : strncmp(url, "https://", 8) == 0 ? url + 8
                                                          : "";
    if (host[0] == '\0' || host[0] == '/' || strpbrk(url, " ?#") != NULL) {
        return pz_fail(err, PZ_INVALID, "\"%s\" is no URL like http://127.0.0.1:7780", url);
    }
    while (len > 0 && url[len - 1] == '/') {
        len--;
    }
    struct pz_client *client = pz_xcalloc(1, sizeof(*client));
    client->url = pz_xmalloc(len + 1);
    memcpy(client->url, url, len);
    client->url[len] = '\0';
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        client->curl = curl_easy_init();
    }
    if (client->curl == NULL) {
        pz_client_destroy(client);
        return pz_fail(err, PZ_NO_MEMORY, "libcurl does not start");
    }
    *client_out = client;
    return PZ_OK;
}

void
pz_client_destroy(struct pz_client *client)
{
    if (client == NULL) {
        return;
    }
    if (client->curl != NULL) {
        curl_easy_cleanup(client->curl);
    }
    curl_global_cleanup();
    free(client->url);
    free(client);
}

void
pz_client_answer_fini(struct pz_client_answer *answer)
{
    pz_buffer_fini(&answer->body);
}

bool
pz_client_is_unreachable(const struct pz_client *client)
{
    return client->is_unreachable;
}

struct transfer {
    CURL *curl;
    const struct pz_client_request *request;
    struct pz_buffer *body;
};

static size_t
on_bytes(char *data, size_t size, size_t count, void *payload)
{
    const struct transfer *transfer = payload;
    const struct pz_client_request *request = transfer->request;
    if (request->take != NULL) {
        long http_status = 0;
        (void)curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &http_status);
        if (http_status == 200) {
            return request->take(request->take_payload, data, size * count) ? size * count : 0;
        }
    }
    pz_buffer_append(transfer->body, data, size * count);
    return transfer->body->is_failed ? 0 : size * count;
}

static int
on_progress(void *payload, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
            curl_off_t up)
{
    (void)payload;
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    return pz_terminal_is_interrupted() ? 1 : 0;
}

static struct curl_slist *
add_header(struct curl_slist *headers, const char *name, const char *value)
{
    char line[300];
    if (value == NULL) {
        return headers;
    }
    (void)snprintf(line, sizeof(line), "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(headers, line);
    return longer == NULL ? headers : longer;
}

static enum pz_status
fail_transfer(struct pz_client *client, CURLcode code, const char *detail, struct pz_error *err)
{
    const char *words = detail[0] != '\0' ? detail : curl_easy_strerror(code);
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        return pz_fail(err, PZ_CANCELED, "interrupted");
    }
    client->is_unreachable = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
                             code == CURLE_COULDNT_RESOLVE_PROXY;
    if (client->is_unreachable) {
        pz_fail(err, PZ_IO, "no server answers at %s", client->url);
        pz_error_hint(err, "start one with: plaza serve");
        return PZ_IO;
    }
    return pz_fail(err, PZ_IO, "the connection to %s failed: %s", client->url, words);
}

enum pz_status
pz_client_post(struct pz_client *client, const struct pz_client_request *request,
               struct pz_client_answer *answer_out, struct pz_error *err)
{
    CURL *curl = client->curl;
    char detail[CURL_ERROR_SIZE] = "";
    struct transfer transfer = {curl, request, &answer_out->body};
    struct pz_buffer url = {0};
    client->is_unreachable = false;
    pz_buffer_clear(&answer_out->body);
    answer_out->body.limit_bytes = ANSWER_BYTES_MAX;
    pz_buffer_printf(&url, "%s%s", client->url, request->path);
    struct curl_slist *headers = add_header(NULL, "Content-Type", request->content_type);
    headers = add_header(headers, "Accept", request->accept);
    headers = add_header(headers, "Content-Encoding", request->content_encoding);
    // Waiting for "100 Continue" would cost a round trip for each piece.
    struct curl_slist *all = curl_slist_append(headers, "Expect:");
    headers = all == NULL ? headers : all;

    curl_easy_reset(curl);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url.data);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_NOPROXY, is_local(client->url) ? "*" : NULL);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "plaza/" PLAZA_VERSION);
    (void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body_len == 0 ? "" : request->body);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
    (void)curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 1L << 20);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    CURLcode code = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer_out->http_status);
    curl_slist_free_all(headers);
    pz_buffer_fini(&url);
    return code == CURLE_OK ? PZ_OK : fail_transfer(client, code, detail, err);
}

// The answer as a document; NULL when it is none.
static struct pz_json *
parse_answer(const struct pz_client_answer *answer)
{
    struct pz_json *json = NULL;
    struct pz_str body = {answer->body.data, (uint32_t)answer->body.len};
    if (body.len == 0 || body.len > PZ_JSON_BODY_MAX || pz_json_parse(body, &json, NULL) != PZ_OK) {
        return NULL;
    }
    return json;
}

static enum pz_status
status_of_http(long http_status)
{
    switch (http_status) {
    case 404:
        return PZ_NOT_FOUND;
    case 413:
        return PZ_TOO_LARGE;
    case 415:
        return PZ_UNSUPPORTED_MEDIA;
    case 422:
        return PZ_UNACCEPTABLE;
    case 429:
    case 503:
        return PZ_BUSY;
    case 507:
        return PZ_FULL;
    default:
        return http_status >= 500 ? PZ_IO : PZ_INVALID;
    }
}

enum pz_status
pz_client_fail_problem(const struct pz_client_answer *answer, struct pz_error *err)
{
    enum pz_status status = status_of_http(answer->http_status);
    struct pz_json *json = parse_answer(answer);
    struct pz_json_value value = {.kind = PZ_JSON_ABSENT};
    if (json != NULL) {
        pz_json_get(json, "detail", &value);
        if (value.kind != PZ_JSON_STRING) {
            pz_json_get(json, "title", &value);
        }
    }
    if (value.kind == PZ_JSON_STRING) {
        pz_fail(err, status, "%.*s", PZ_STR_ARG(value.text));
    } else {
        pz_fail(err, status, "the server answered with status %ld", answer->http_status);
    }
    if (json != NULL) {
        pz_json_get(json, "hint", &value);
        if (value.kind == PZ_JSON_STRING) {
            pz_error_hint(err, "%.*s", PZ_STR_ARG(value.text));
        }
    }
    pz_json_free(json);
    return status;
}

static uint64_t
count_member(const struct pz_json *json, const char *name)
{
    struct pz_json_value value;
    pz_json_get(json, name, &value);
    return value.kind == PZ_JSON_INTEGER && value.integer > 0 ? (uint64_t)value.integer : 0;
}

enum pz_status
pz_client_read_load(const struct pz_client_answer *answer, struct pz_client_load *load_out,
                    struct pz_error *err)
{
    *load_out = (struct pz_client_load){0};
    struct pz_json *json = parse_answer(answer);
    if (json == NULL) {
        return pz_fail(err, PZ_INTERNAL, "the server's answer to a load is not understood");
    }
    load_out->accepted = count_member(json, "accepted");
    load_out->rejected = count_member(json, "rejected");
    load_out->ignored = count_member(json, "ignored");
    load_out->commit = count_member(json, "commit");
    pz_json_free(json);
    return PZ_OK;
}

struct each_error {
    void (*each)(void *payload, const struct pz_client_row_error *error);
    void *payload;
};

static struct pz_str
text_member(const struct pz_json *json, const char *name)
{
    struct pz_json_value value;
    pz_json_get(json, name, &value);
    return value.kind == PZ_JSON_STRING ? value.text : (struct pz_str){"", 0};
}

static void
pass_error(void *payload, const struct pz_json *item)
{
    const struct each_error *to = payload;
    const struct pz_client_row_error error = {.line = count_member(item, "line"),
                                              .column = text_member(item, "column"),
                                              .message = text_member(item, "message"),
                                              .snippet = text_member(item, "snippet")};
    to->each(to->payload, &error);
}

void
pz_client_each_row_error(const struct pz_client_answer *answer,
                         void (*each)(void *payload, const struct pz_client_row_error *error),
                         void *payload)
{
    struct each_error to = {each, payload};
    struct pz_json *json = parse_answer(answer);
    if (json != NULL) {
        pz_json_each_item(json, "errors", pass_error, &to);
    }
    pz_json_free(json);
}
