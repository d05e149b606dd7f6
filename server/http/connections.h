// SPDX-License-Identifier: Apache-2.0
// The table of open connections, and the reaper that watches over it.
//
// The HTTP library only knows inactivity. The reaper enforces what it cannot: a head that trickles
// in must be complete after some seconds, a body must keep a least rate, a client that left while
// its request was suspended is noticed within a tenth of a second, so that its query stops, and a
// connection whose client hung up in the middle of a request is closed after a second or two.
// The reaper only ever calls shutdown() on a socket; closing it is the library's.
#ifndef PZ_SERVER_HTTP_CONNECTIONS_H
#define PZ_SERVER_HTTP_CONNECTIONS_H

#include "base/thread.h"

struct pz_request;
struct pz_connections;

enum pz_phase {
    PZ_PHASE_HEAD,  // idle between requests, or the head is coming in
    PZ_PHASE_BODY,  // the body is coming in
    PZ_PHASE_REPLY, // we are at work, or the answer is going out
};

// One connection. Made when it opens, freed when it closes; the HTTP thread that serves it writes
// the atomics, the reaper reads them.
struct pz_connection {
    int fd;
    _Atomic uint8_t phase;             // enum pz_phase
    _Atomic int64_t phase_since_us;    // monotonic
    _Atomic uint64_t body_bytes;       // received in this phase
    _Atomic bool is_held;              // suspended for back-pressure: its body may stand still
    struct pz_request *watched;        // under the lock: whom to tell when the client leaves
    int64_t head_seen_us;              // reaper only: first sight of a head's bytes, 0 = none
    int64_t head_phase_us;             // reaper only: the phase that was seen in
    bool was_over;                     // reaper only: nothing more can come, at the last look,
    int64_t over_phase_us;             //   in this phase
    uint64_t over_body_bytes;          //   and with these bytes of the body
    struct pz_connection *prev, *next; // under the lock
};

struct pz_connections *pz_connections_create(void);
// All connections must have been closed.
void pz_connections_destroy(struct pz_connections *connections);

struct pz_connection *pz_connections_open(struct pz_connections *connections, int fd);
void pz_connections_close(struct pz_connections *connections, struct pz_connection *connection);
uint32_t pz_connections_count(struct pz_connections *connections);

// HTTP thread: the connection enters a phase.
void pz_connection_enter(struct pz_connection *connection, enum pz_phase phase);

// From watch to unwatch, pz_request_cancel(request) is called once the client has left. Watch
// before the work is handed out; unwatch before the request can go away.
void pz_connections_watch(struct pz_connections *connections, struct pz_connection *connection,
                          struct pz_request *request);
void pz_connections_unwatch(struct pz_connections *connections, struct pz_connection *connection);
// Cancels every watched request: the server stops.
void pz_connections_cancel_all(struct pz_connections *connections);

#endif
