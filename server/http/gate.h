// SPDX-License-Identifier: Apache-2.0
// The gate: what a request's head must look like before anything else looks at it.
//
// The HTTP library takes the first of two Content-Length headers and serves what follows the body
// as a second request. A proxy in front may take the other one: that is request smuggling. So a
// head that two parsers could read differently is refused, and its connection closed.
#ifndef PZ_SERVER_HTTP_GATE_H
#define PZ_SERVER_HTTP_GATE_H

#include "base/status.h"
#include "base/str.h"

// What is collected while the headers pass by, one call each. Zero-initialise.
struct pz_gate {
    uint32_t content_length_count, transfer_encoding_count, host_count, authorization_count;
    bool is_chunked;
    bool has_bad_length, has_bad_encoding, has_bad_bytes, expects_continue;
    int64_t content_length; // valid when content_length_count is 1
    struct pz_str host, origin, content_type, accept, content_encoding, if_none_match;
};

void pz_gate_header(struct pz_gate *gate, struct pz_str name, struct pz_str value);

// Judges the whole head. `url` is the raw path; `version` e.g. "HTTP/1.1".
// PZ_INVALID with the reason; the connection must then be closed after the answer.
PZ_MUST_USE enum pz_status pz_gate_check(const struct pz_gate *gate, const char *url,
                                         const char *version, struct pz_error *err);

// Whether a Host header names this machine itself. Everything else on a loopback listener is a
// name that some foreign page had resolved to 127.0.0.1.
bool pz_gate_is_local_host(struct pz_str host);

// Whether an Origin header ("https://feed.example:8443") is the site that `host` names.
bool pz_gate_is_same_origin(struct pz_str origin, struct pz_str host);

#endif
