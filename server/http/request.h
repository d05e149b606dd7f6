// SPDX-License-Identifier: Apache-2.0
// One HTTP request as the routes see it: what was asked, the body, the answer, and how to wait.
//
// Life of a request, all on one HTTP thread but for what is said otherwise:
//
//     head      the gate passed; the route's `begin` decides what becomes of the body
//     body      collected, streamed to a worker through a pipe, or swallowed
//     handle    the route answers at once, or suspends the request and hands work to another
//               thread, which ends with pz_request_resume
//     resume    back on the HTTP thread: `on_resume` makes the answer
//     answered  the reply goes out; a streamed one is read from a pipe
//     released  `on_release` frees what the route attached, when the last reference is gone
#ifndef PZ_SERVER_HTTP_REQUEST_H
#define PZ_SERVER_HTTP_REQUEST_H

#include "base/arena.h"
#include "server/http/connections.h"
#include "server/http/gate.h"
#include "server/http/pipe.h"
#include "server/http/uri.h"
#include "storage/store.h"

struct pz_server;
struct pz_http;
struct pz_route;

enum pz_method {
    PZ_METHOD_GET, // HEAD too: the library leaves the body out
    PZ_METHOD_POST,
    PZ_METHOD_PUT,
    PZ_METHOD_DELETE,
    PZ_METHOD_OPTIONS,
    PZ_METHOD_OTHER,
};
const char *pz_method_name(enum pz_method method);

enum pz_body_mode {
    PZ_BODY_SWALLOW, // not wanted: read and dropped, so that the connection can go on
    PZ_BODY_COLLECT, // into request->body, up to body.limit_bytes
    PZ_BODY_STREAM,  // into request->upload
};

enum pz_cancel { PZ_CANCEL_NONE, PZ_CANCEL_CLIENT_LEFT, PZ_CANCEL_STOPPING };

#define PZ_REPLY_HEADERS_MAX 10

// The answer. Values of headers are borrowed: literals, or from the request's arena.
struct pz_reply {
    unsigned status; // 0 = none yet
    const char *content_type;
    struct pz_buffer body;
    const void *fixed_body; // instead of `body`: bytes that live as long as the program
    size_t fixed_len;
    struct pz_pipe *stream; // instead of both: read until its end
    bool has_commit;
    uint64_t commit;   // Plaza-Commit
    bool is_cacheable; // else Cache-Control: no-store is added
    uint32_t header_count;
    struct pz_reply_header {
        const char *name;
        const char *value;
    } headers[PZ_REPLY_HEADERS_MAX];
};

struct pz_param {
    struct pz_str name;
    struct pz_str value;
};
#define PZ_PARAMS_MAX 16

struct pz_request {
    // What was asked. Header values in `gate` are borrowed from the library for the request's
    // life: other threads must not read them.
    struct pz_server *server;
    enum pz_method method;
    struct pz_path path;
    struct pz_gate gate;
    struct pz_param params[PZ_PARAMS_MAX]; // decoded
    uint32_t param_count;
    const struct pz_route *route;

    // The body.
    enum pz_body_mode body_mode;
    struct pz_buffer body;  // COLLECT
    struct pz_pipe *upload; // STREAM; the route's
    uint64_t body_bytes;    // received, wanted or not

    // The answer.
    struct pz_reply reply;
    struct pz_arena arena; // what lives as long as the request

    // Waiting.
    void (*on_resume)(struct pz_request *request);  // on the HTTP thread
    void (*on_cancel)(struct pz_request *request);  // any thread, under the table's lock: short
    void (*on_release)(struct pz_request *request); // last reference gone; any thread
    void *work;                                     // the route's
    struct pz_write write;                          // for routes that submit one write
    _Atomic bool is_canceled;                       // queries look at it
    _Atomic uint8_t cancel_reason;                  // enum pz_cancel

    // The HTTP layer's.
    struct pz_http *http;
    struct pz_connection *connection;
    void *native; // the library's connection
    _Atomic uint32_t references;
    _Atomic bool is_suspended;
    bool is_waiting; // HTTP thread: suspended since it was last called
    bool is_body_complete, is_handled, is_queued, is_watched, closes;
    char path_room[]; // the decoded path
};

// The value of a query parameter; false when it is not there.
bool pz_request_param(const struct pz_request *request, struct pz_str name,
                      struct pz_str *value_out);

// Suspends on the HTTP thread; the work is handed out afterwards. Resuming, by any thread, is the
// last thing that thread may do with the request unless it holds a reference.
void pz_request_suspend(struct pz_request *request);
void pz_request_resume(struct pz_request *request);

// While watched, a client that leaves or a server that stops cancels the request. HTTP thread.
void pz_request_watch(struct pz_request *request);
// Sets is_canceled and calls on_cancel.
void pz_request_cancel(struct pz_request *request, enum pz_cancel reason);

void pz_request_retain(struct pz_request *request);
void pz_request_release(struct pz_request *request);

// ---- answering --------------------------------------------------------------------------------

// A status and a body that the caller has put, or will put, into request->reply.body.
void pz_reply_begin(struct pz_request *request, unsigned status, const char *content_type);
void pz_reply_empty(struct pz_request *request, unsigned status);
void pz_reply_header(struct pz_request *request, const char *name, const char *value);
void pz_reply_commit(struct pz_request *request, uint64_t commit);
#define PZ_JSON_TYPE "application/json"

#endif
