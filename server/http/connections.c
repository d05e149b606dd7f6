// SPDX-License-Identifier: Apache-2.0
// The table of open connections and its reaper; see connections.h.
#include "server/http/connections.h"

#include "base/arena.h"
#include "base/clock.h"
#include "server/http/request.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define HEAD_LIMIT_US (10 * PZ_US_PER_SECOND)
#define BODY_GRACE_US (10 * PZ_US_PER_SECOND)
#define BODY_BYTES_PER_SECOND_MIN 1024
#define IDLE_TICK_US PZ_US_PER_SECOND
#define WATCH_TICK_US (PZ_US_PER_SECOND / 10)

struct pz_connections {
    struct pz_mutex mutex; // guards the list, `watched` of its members, and the counts
    struct pz_cond wake;
    struct pz_connection *first;
    uint32_t count, watched_count;
    bool is_stopping;
    struct pz_thread reaper;
};

// Whether bytes came in since the phase began, as the kernel remembers it.
static bool
has_received_since(const struct pz_connection *connection, int64_t since_us, int64_t now_us)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0) {
        return false;
    }
    return now_us - (int64_t)info.tcpi_last_data_recv * 1000 > since_us;
}

// A head is late when its bytes were first seen more than the limit ago and it is still the same
// head. A connection that merely idles has received nothing in its phase.
static bool
is_head_late(struct pz_connection *connection, int64_t since_us, int64_t now_us)
{
    if (connection->head_phase_us != since_us) {
        connection->head_phase_us = since_us;
        connection->head_seen_us = 0;
    }
    if (connection->head_seen_us == 0) {
        if (now_us - since_us > IDLE_TICK_US && has_received_since(connection, since_us, now_us)) {
            connection->head_seen_us = now_us;
        }
        return false;
    }
    return now_us - connection->head_seen_us > HEAD_LIMIT_US;
}

static bool
is_body_late(struct pz_connection *connection, int64_t since_us, int64_t now_us)
{
    if (atomic_load(&connection->is_held)) {
        // We keep the client waiting, not the other way round.
        atomic_store(&connection->phase_since_us, now_us);
        atomic_store(&connection->body_bytes, 0);
        return false;
    }
    int64_t over_us = now_us - since_us - BODY_GRACE_US;
    if (over_us <= 0) {
        return false;
    }
    uint64_t wanted = (uint64_t)(over_us / PZ_US_PER_SECOND) * BODY_BYTES_PER_SECOND_MIN;
    return atomic_load(&connection->body_bytes) < wanted;
}

static bool
has_hung_up(const struct pz_connection *connection)
{
    struct pollfd poll_fd = {.fd = connection->fd, .events = POLLRDHUP};
    return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

// Whether a request that is still coming in will never be complete: the client has hung up, the
// library has read all there was, and that was so at the last look as well. An end that came
// together with bytes makes no event of its own, so the library would wait until its time-out.
static bool
is_cut_off(struct pz_connection *connection)
{
    int64_t since_us = atomic_load(&connection->phase_since_us);
    uint64_t body_bytes = atomic_load(&connection->body_bytes);
    int unread = 0;
    bool is_over = atomic_load(&connection->phase) != PZ_PHASE_REPLY &&
                   !atomic_load(&connection->is_held) && has_hung_up(connection) &&
                   (ioctl(connection->fd, FIONREAD, &unread) != 0 || unread == 0);
    bool was_over = connection->was_over && connection->over_phase_us == since_us &&
                    connection->over_body_bytes == body_bytes;
    connection->was_over = is_over;
    connection->over_phase_us = since_us;
    connection->over_body_bytes = body_bytes;
    return is_over && was_over;
}

static void
check_deadlines(struct pz_connections *connections, int64_t now_us)
{
    for (struct pz_connection *c = connections->first; c != NULL; c = c->next) {
        int64_t since_us = atomic_load(&c->phase_since_us);
        enum pz_phase phase = (enum pz_phase)atomic_load(&c->phase);
        bool is_late = (phase == PZ_PHASE_HEAD && is_head_late(c, since_us, now_us)) ||
                       (phase == PZ_PHASE_BODY && is_body_late(c, since_us, now_us)) ||
                       (c->watched == NULL && is_cut_off(c));
        if (is_late) {
            (void)shutdown(c->fd, SHUT_RDWR); // the library sees the end and closes
        }
    }
}

static void
check_departures(struct pz_connections *connections)
{
    for (struct pz_connection *c = connections->first; c != NULL; c = c->next) {
        if (c->watched == NULL) {
            continue;
        }
        if (atomic_load(&c->phase) == PZ_PHASE_REPLY) {
            if (has_hung_up(c)) {
                pz_request_cancel(c->watched, PZ_CANCEL_CLIENT_LEFT);
            }
        } else if (is_cut_off(c)) {
            pz_request_cancel(c->watched, PZ_CANCEL_CLIENT_LEFT);
            (void)shutdown(c->fd, SHUT_RDWR);
        }
    }
}

static void *
reap(void *payload)
{
    struct pz_connections *connections = payload;
    int64_t deadlines_us = pz_clock_mono_us() + IDLE_TICK_US;
    pz_mutex_lock(&connections->mutex);
    while (!connections->is_stopping) {
        int64_t now_us = pz_clock_mono_us();
        if (now_us >= deadlines_us) {
            check_deadlines(connections, now_us);
            deadlines_us = now_us + IDLE_TICK_US;
        }
        if (connections->watched_count > 0) {
            check_departures(connections);
        }
        int64_t next_us = connections->watched_count > 0 ? now_us + WATCH_TICK_US : deadlines_us;
        (void)pz_cond_wait_until(&connections->wake, &connections->mutex, next_us);
    }
    pz_mutex_unlock(&connections->mutex);
    return NULL;
}

struct pz_connections *
pz_connections_create(void)
{
    struct pz_connections *connections = pz_xcalloc(1, sizeof *connections);
    pz_mutex_init(&connections->mutex, PZ_RANK_SERVER, "connections");
    pz_cond_init(&connections->wake);
    pz_thread_start(&connections->reaper, "plaza-reaper", reap, connections);
    return connections;
}

void
pz_connections_destroy(struct pz_connections *connections)
{
    if (connections == NULL) {
        return;
    }
    pz_mutex_lock(&connections->mutex);
    connections->is_stopping = true;
    pz_cond_signal(&connections->wake);
    pz_mutex_unlock(&connections->mutex);
    pz_thread_join(&connections->reaper);
    PZ_ASSERT(connections->first == NULL);
    pz_cond_fini(&connections->wake);
    pz_mutex_fini(&connections->mutex);
    free(connections);
}

struct pz_connection *
pz_connections_open(struct pz_connections *connections, int fd)
{
    struct pz_connection *connection = pz_xcalloc(1, sizeof *connection);
    connection->fd = fd;
    pz_connection_enter(connection, PZ_PHASE_HEAD);
    pz_mutex_lock(&connections->mutex);
    connection->next = connections->first;
    if (connections->first != NULL) {
        connections->first->prev = connection;
    }
    connections->first = connection;
    connections->count++;
    pz_mutex_unlock(&connections->mutex);
    return connection;
}

void
pz_connections_close(struct pz_connections *connections, struct pz_connection *connection)
{
    pz_mutex_lock(&connections->mutex);
    PZ_ASSERT(connection->watched == NULL);
    if (connection->prev != NULL) {
        connection->prev->next = connection->next;
    } else {
        connections->first = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->prev = connection->prev;
    }
    connections->count--;
    pz_mutex_unlock(&connections->mutex);
    free(connection);
}

uint32_t
pz_connections_count(struct pz_connections *connections)
{
    pz_mutex_lock(&connections->mutex);
    uint32_t count = connections->count;
    pz_mutex_unlock(&connections->mutex);
    return count;
}

void
pz_connection_enter(struct pz_connection *connection, enum pz_phase phase)
{
    atomic_store_explicit(&connection->phase_since_us, pz_clock_mono_us(), memory_order_relaxed);
    atomic_store_explicit(&connection->body_bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&connection->phase, (uint8_t)phase, memory_order_release);
}

void
pz_connections_watch(struct pz_connections *connections, struct pz_connection *connection,
                     struct pz_request *request)
{
    pz_mutex_lock(&connections->mutex);
    PZ_ASSERT(connection->watched == NULL);
    connection->watched = request;
    if (connections->watched_count++ == 0) {
        pz_cond_signal(&connections->wake); // the ticks become shorter
    }
    pz_mutex_unlock(&connections->mutex);
}

void
pz_connections_unwatch(struct pz_connections *connections, struct pz_connection *connection)
{
    pz_mutex_lock(&connections->mutex);
    if (connection->watched != NULL) {
        connection->watched = NULL;
        connections->watched_count--;
    }
    pz_mutex_unlock(&connections->mutex);
}

void
pz_connections_cancel_all(struct pz_connections *connections)
{
    pz_mutex_lock(&connections->mutex);
    for (struct pz_connection *c = connections->first; c != NULL; c = c->next) {
        if (c->watched != NULL) {
            pz_request_cancel(c->watched, PZ_CANCEL_STOPPING);
        }
    }
    pz_mutex_unlock(&connections->mutex);
}
