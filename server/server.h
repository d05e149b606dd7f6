// SPDX-License-Identifier: Apache-2.0
// What everything in the server hangs off.
#ifndef PZ_SERVER_SERVER_H
#define PZ_SERVER_SERVER_H

#include "query/query.h"
#include "server/config.h"
#include "server/http/http.h"
#include "server/jobs.h"
#include "server/metrics.h"

struct pz_server {
    struct pz_config config;
    struct pz_store *store;
    struct pz_engine *engine;
    struct pz_http *http;
    struct pz_jobs *queries; // threads that run statements
    struct pz_jobs *loads;   // threads that take bulk loads
    struct pz_metrics metrics;
    uint32_t user_domain; // of the symbols that name users
    bool is_loopback;     // only this machine can connect
    _Atomic bool is_stopping;
    int64_t started_us; // monotonic
};

#endif
