// SPDX-License-Identifier: Apache-2.0
// The HTTP listener. http.c is the only file that sees the HTTP library.
#ifndef PZ_SERVER_HTTP_HTTP_H
#define PZ_SERVER_HTTP_HTTP_H

#include "server/http/request.h"

#include <netinet/in.h>

struct pz_http_options {
    struct sockaddr_storage address;
    int listener; // bound to the address; pz_http_start takes it over, also when it fails
    unsigned thread_count;
    unsigned connection_max;
    unsigned idle_timeout_s; // of inactivity on a connection
    struct pz_server *server;
    // The head passed the gate: sets request->route and body_mode (and attaches an upload), or
    // answers already.
    void (*begin)(struct pz_request *request);
    // The body is complete: answers, or suspends.
    void (*handle)(struct pz_request *request);
    // An answer is on its way: for counting.
    void (*answered)(struct pz_request *request);
};

// Parses "127.0.0.1:7780", "[::1]:0", "localhost:80". PZ_INVALID.
PZ_MUST_USE enum pz_status pz_http_parse_address(struct pz_str text,
                                                 struct sockaddr_storage *address_out,
                                                 struct pz_error *err);
#define PZ_HTTP_ADDRESS_MAX 64
// "127.0.0.1:7780", "[::1]:7780".
void pz_http_format_address(const struct sockaddr_storage *address, char out[PZ_HTTP_ADDRESS_MAX]);
bool pz_http_is_loopback(const struct sockaddr_storage *address);

// A socket that holds the address and does not listen yet; the caller closes it, or gives it to
// pz_http_start. PZ_BUSY when the address is in use, PZ_IO otherwise.
PZ_MUST_USE enum pz_status pz_http_bind(const struct sockaddr_storage *address, int *listener_out,
                                        struct pz_error *err);
PZ_MUST_USE enum pz_status pz__http_listen(const struct pz_http_options *options,
                                           struct pz_error *err);

// Listens and serves. PZ_BUSY when the address is in use, PZ_IO otherwise.
PZ_MUST_USE enum pz_status pz_http_start(const struct pz_http_options *options,
                                         struct pz_http **http_out, struct pz_error *err);
// "127.0.0.1:7780": the address it really listens at.
const char *pz_http_address(const struct pz_http *http);
uint32_t pz_http_connection_count(struct pz_http *http);
// Whether a full disk is to be told to the log now: true at most every 10 s. Any thread.
bool pz_http_tells_full(struct pz_http *http);

// Stops accepting and cancels what is watched. Requests that still arrive are answered.
void pz_http_quiesce(struct pz_http *http);
// Waits until no request is being worked on, at most so long. False when some still are.
bool pz_http_wait_idle(struct pz_http *http, int64_t timeout_us);
// Closes all connections. No request may be suspended any more.
void pz_http_stop(struct pz_http *http);

#endif
