// SPDX-License-Identifier: Apache-2.0
// Which call a request is, and who answers it.
#ifndef PZ_SERVER_API_ROUTE_H
#define PZ_SERVER_API_ROUTE_H

#include "server/http/request.h"

#define PZ_ROUTE_SEGMENTS_MAX 6
#define PZ_ROUTE_PARAMS_MAX 6

struct pz_route {
    enum pz_method method;
    const char *segments[PZ_ROUTE_SEGMENTS_MAX]; // "*" takes any; NULL ends the list early
    const char *params[PZ_ROUTE_PARAMS_MAX];     // of the query that it takes; the same
    enum pz_body_mode body_mode;
    size_t body_bytes_max;                     // PZ_BODY_COLLECT
    bool takes_json;                           // the body must be application/json
    void (*begin)(struct pz_request *request); // when the head is there; or NULL
    void (*handle)(struct pz_request *request);
};

// The callbacks of struct pz_http_options.
void pz_route_begin(struct pz_request *request);
void pz_route_handle(struct pz_request *request);
void pz_route_answered(struct pz_request *request);

#endif
