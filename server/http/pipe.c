// SPDX-License-Identifier: Apache-2.0
// The bounded stream between an event loop and a worker; see pipe.h.
#include "server/http/pipe.h"

#include <stdlib.h>
#include <string.h>

bool
pz_pipe_init(struct pz_pipe *pipe, size_t capacity)
{
    *pipe = (struct pz_pipe){.capacity = capacity};
    pipe->data = malloc(capacity);
    pz_mutex_init(&pipe->mutex, PZ_RANK_LEAF, "pipe");
    pz_cond_init(&pipe->worker_wake);
    return pipe->data != NULL;
}

void
pz_pipe_fini(struct pz_pipe *pipe)
{
    PZ_ASSERT(!pipe->is_event_held);
    free(pipe->data);
    pz_cond_fini(&pipe->worker_wake);
    pz_mutex_fini(&pipe->mutex);
}

// Copies into the ring what there is room for.
static size_t
put(struct pz_pipe *pipe, const char *data, size_t len)
{
    size_t room = pipe->capacity - pipe->len;
    size_t taken = len < room ? len : room;
    size_t at = (pipe->begin + pipe->len) % pipe->capacity;
    size_t first = pipe->capacity - at < taken ? pipe->capacity - at : taken;
    memcpy(pipe->data + at, data, first);
    memcpy(pipe->data, data + first, taken - first);
    pipe->len += taken;
    return taken;
}

static void
drop(struct pz_pipe *pipe, size_t len)
{
    PZ_ASSERT(len <= pipe->len);
    pipe->begin = (pipe->begin + len) % pipe->capacity;
    pipe->len -= len;
}

// Leaves the lock; whoever waits on either side looks again.
static void
unlock_and_wake(struct pz_pipe *pipe)
{
    bool wakes_event = pipe->is_event_held;
    pipe->is_event_held = false;
    pz_cond_signal(&pipe->worker_wake);
    pz_mutex_unlock(&pipe->mutex);
    if (wakes_event) {
        pipe->wake(pipe->payload);
    }
}

bool
pz_pipe_write(struct pz_pipe *pipe, const void *data, size_t len)
{
    const char *bytes = data;
    while (len > 0) {
        pz_mutex_lock(&pipe->mutex);
        while (pipe->len == pipe->capacity && !pipe->is_abandoned) {
            pz_cond_wait(&pipe->worker_wake, &pipe->mutex);
        }
        if (pipe->is_abandoned) {
            pz_mutex_unlock(&pipe->mutex);
            return false;
        }
        size_t taken = put(pipe, bytes, len);
        bytes += taken;
        len -= taken;
        unlock_and_wake(pipe);
    }
    return true;
}

bool
pz_pipe_read(struct pz_pipe *pipe, const char **data_out, size_t *len_out)
{
    pz_mutex_lock(&pipe->mutex);
    while (pipe->len == 0 && !pipe->is_ended && !pipe->is_failed) {
        pz_cond_wait(&pipe->worker_wake, &pipe->mutex);
    }
    size_t straight = pipe->capacity - pipe->begin;
    *data_out = pipe->data + pipe->begin;
    *len_out = pipe->len < straight ? pipe->len : straight;
    bool is_good = !pipe->is_failed;
    pz_mutex_unlock(&pipe->mutex);
    return is_good;
}

void
pz_pipe_consume(struct pz_pipe *pipe, size_t len)
{
    pz_mutex_lock(&pipe->mutex);
    drop(pipe, len);
    unlock_and_wake(pipe);
}

size_t
pz_pipe_offer(struct pz_pipe *pipe, const void *data, size_t len)
{
    pz_mutex_lock(&pipe->mutex);
    size_t taken = len;
    if (!pipe->is_abandoned) {
        taken = put(pipe, data, len);
        if (taken == 0) {
            pipe->is_event_held = true;
            pipe->suspend(pipe->payload);
        }
        pz_cond_signal(&pipe->worker_wake);
    }
    pz_mutex_unlock(&pipe->mutex);
    return taken;
}

enum pz_pipe_state
pz_pipe_poll(struct pz_pipe *pipe, void *out, size_t capacity, size_t *len_out)
{
    enum pz_pipe_state state = PZ_PIPE_DATA;
    *len_out = 0;
    pz_mutex_lock(&pipe->mutex);
    if (pipe->is_failed) {
        state = PZ_PIPE_FAILED;
    } else if (pipe->len > 0) {
        size_t straight = pipe->capacity - pipe->begin;
        size_t len = pipe->len < straight ? pipe->len : straight;
        len = len < capacity ? len : capacity;
        memcpy(out, pipe->data + pipe->begin, len);
        drop(pipe, len);
        *len_out = len;
        pz_cond_signal(&pipe->worker_wake);
    } else if (pipe->is_ended) {
        state = PZ_PIPE_END;
    } else {
        state = PZ_PIPE_SUSPENDED;
        pipe->is_event_held = true;
        pipe->suspend(pipe->payload);
    }
    pz_mutex_unlock(&pipe->mutex);
    return state;
}

bool
pz_pipe_hold_until_abandoned(struct pz_pipe *pipe)
{
    pz_mutex_lock(&pipe->mutex);
    bool holds = !pipe->is_abandoned;
    if (holds) {
        pipe->is_event_held = true;
        pipe->suspend(pipe->payload);
    }
    pz_mutex_unlock(&pipe->mutex);
    return holds;
}

void
pz_pipe_end(struct pz_pipe *pipe)
{
    pz_mutex_lock(&pipe->mutex);
    pipe->is_ended = true;
    unlock_and_wake(pipe);
}

void
pz_pipe_fail(struct pz_pipe *pipe)
{
    pz_mutex_lock(&pipe->mutex);
    pipe->is_failed = !pipe->is_ended; // what has ended well cannot fail any more
    unlock_and_wake(pipe);
}

void
pz_pipe_abandon(struct pz_pipe *pipe)
{
    pz_mutex_lock(&pipe->mutex);
    pipe->is_abandoned = true;
    unlock_and_wake(pipe);
}
