// SPDX-License-Identifier: Apache-2.0
// A bounded stream of bytes between an HTTP thread, which must never block, and a worker, which
// may.
//
// The worker's side blocks on a condition. The HTTP side is an event loop: when it has to wait, the
// pipe suspends its connection (under the pipe's lock, so no wake-up is lost) and wakes it later.
// The same pipe serves both directions: an upload has the HTTP side as writer and the worker as
// reader, a result the other way round.
#ifndef PZ_SERVER_HTTP_PIPE_H
#define PZ_SERVER_HTTP_PIPE_H

#include "base/thread.h"

#include <stddef.h>

struct pz_pipe {
    struct pz_mutex mutex;
    struct pz_cond worker_wake;
    char *data; // a ring of `capacity` bytes
    size_t capacity, begin, len;
    bool is_ended;      // the writer is done, all went well
    bool is_failed;     // the writer gave up: what was read so far is not the whole
    bool is_abandoned;  // the reader is gone: writing is of no use any more
    bool is_event_held; // the HTTP side is suspended
    // Suspends and wakes the HTTP side; wake is called without the lock.
    void (*suspend)(void *payload);
    void (*wake)(void *payload);
    void *payload;
};

// False when the machine has no memory for the ring.
bool pz_pipe_init(struct pz_pipe *pipe, size_t capacity);
void pz_pipe_fini(struct pz_pipe *pipe);

// ---- the worker's side: these block ---------------------------------------------------------

// Writes everything, or returns false because the reader is gone.
bool pz_pipe_write(struct pz_pipe *pipe, const void *data, size_t len);
// The next bytes in place, valid until pz_pipe_consume. *len_out is 0 at the end. False when the
// writer failed.
bool pz_pipe_read(struct pz_pipe *pipe, const char **data_out, size_t *len_out);
void pz_pipe_consume(struct pz_pipe *pipe, size_t len);

// ---- the HTTP side: these never block -------------------------------------------------------

// Takes what there is room for. 0 means that the connection was suspended. When the reader is gone
// everything is taken and dropped.
size_t pz_pipe_offer(struct pz_pipe *pipe, const void *data, size_t len);

enum pz_pipe_state { PZ_PIPE_DATA, PZ_PIPE_SUSPENDED, PZ_PIPE_END, PZ_PIPE_FAILED };
enum pz_pipe_state pz_pipe_poll(struct pz_pipe *pipe, void *out, size_t capacity, size_t *len_out);

// Waits, suspended, for the worker's side to abandon the pipe (an upload's reader does so when its
// answer is ready). May be woken before that, and is then called again. False when it has happened.
bool pz_pipe_hold_until_abandoned(struct pz_pipe *pipe);

// ---- either side ------------------------------------------------------------------------------

void pz_pipe_end(struct pz_pipe *pipe);     // writer: no more bytes
void pz_pipe_fail(struct pz_pipe *pipe);    // writer: no more bytes, and not all of them
void pz_pipe_abandon(struct pz_pipe *pipe); // reader: wants no more

#endif
