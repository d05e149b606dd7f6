// SPDX-License-Identifier: Apache-2.0
// The pipe between an event loop and a worker, with a small event loop of its own: "suspended" is
// a flag, "wake" sets it back.
#include "server/http/pipe.h"

#include "base/clock.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

struct loop {
    _Atomic bool is_suspended;
    _Atomic int suspends;
};

static void
suspend_loop(void *payload)
{
    struct loop *loop = payload;
    PZ_ASSERT(!atomic_load(&loop->is_suspended));
    atomic_store(&loop->is_suspended, true);
    atomic_fetch_add(&loop->suspends, 1);
}

static void
wake_loop(void *payload)
{
    struct loop *loop = payload;
    PZ_ASSERT(atomic_load(&loop->is_suspended));
    atomic_store(&loop->is_suspended, false);
}

static void
wait_awake(struct loop *loop)
{
    while (atomic_load(&loop->is_suspended)) {
        pz_clock_sleep_us(20);
    }
}

static void
open_pipe(struct pz_pipe *pipe, struct loop *loop, size_t capacity)
{
    PZ_REQUIRE(pz_pipe_init(pipe, capacity));
    pipe->suspend = suspend_loop;
    pipe->wake = wake_loop;
    pipe->payload = loop;
}

enum { BYTES = 300000 };

static unsigned char
byte_at(size_t i)
{
    return (unsigned char)(i * 131 ^ i >> 8);
}

struct transfer {
    struct pz_pipe pipe;
    struct loop loop;
    unsigned char data[BYTES];
    unsigned char got[BYTES];
    size_t got_len;
};

static void *
write_all(void *payload)
{
    struct transfer *transfer = payload;
    for (size_t at = 0; at < BYTES;) {
        size_t len = 1 + at % 997;
        len = len < BYTES - at ? len : BYTES - at;
        PZ_CHECK(pz_pipe_write(&transfer->pipe, transfer->data + at, len));
        at += len;
    }
    pz_pipe_end(&transfer->pipe);
    return NULL;
}

static void *
read_all(void *payload)
{
    struct transfer *transfer = payload;
    const char *data;
    size_t len;
    while (pz_pipe_read(&transfer->pipe, &data, &len) && len > 0) {
        size_t take = len > 313 ? 313 : len;
        memcpy(transfer->got + transfer->got_len, data, take);
        transfer->got_len += take;
        pz_pipe_consume(&transfer->pipe, take);
    }
    pz_pipe_abandon(&transfer->pipe);
    return NULL;
}

static struct transfer *
make_transfer(size_t capacity)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    PZ_REQUIRE(transfer != NULL);
    for (size_t i = 0; i < BYTES; i++) {
        transfer->data[i] = byte_at(i);
    }
    open_pipe(&transfer->pipe, &transfer->loop, capacity);
    return transfer;
}

PZ_TEST(a_result_arrives_whole)
{
    struct transfer *transfer = make_transfer(1000);
    struct pz_thread worker;
    pz_thread_start(&worker, "worker", write_all, transfer);
    for (;;) {
        size_t len = 0;
        wait_awake(&transfer->loop);
        enum pz_pipe_state state =
            pz_pipe_poll(&transfer->pipe, transfer->got + transfer->got_len, 700, &len);
        transfer->got_len += len;
        if (state == PZ_PIPE_END) {
            break;
        }
        PZ_CHECK(state != PZ_PIPE_FAILED);
    }
    pz_thread_join(&worker);
    PZ_CHECK_EQ_U64(transfer->got_len, BYTES);
    PZ_CHECK_EQ_BYTES(transfer->got, transfer->data, BYTES);
    pz_pipe_fini(&transfer->pipe);
    free(transfer);
}

PZ_TEST(an_upload_arrives_whole)
{
    struct transfer *transfer = make_transfer(1000);
    struct pz_thread worker;
    pz_thread_start(&worker, "worker", read_all, transfer);
    for (size_t at = 0; at < BYTES;) {
        wait_awake(&transfer->loop);
        size_t len = BYTES - at < 1500 ? BYTES - at : 1500;
        at += pz_pipe_offer(&transfer->pipe, transfer->data + at, len);
    }
    pz_pipe_end(&transfer->pipe);
    while (pz_pipe_hold_until_abandoned(&transfer->pipe)) {
        wait_awake(&transfer->loop);
    }
    pz_thread_join(&worker);
    PZ_CHECK_EQ_U64(transfer->got_len, BYTES);
    PZ_CHECK_EQ_BYTES(transfer->got, transfer->data, BYTES);
    pz_pipe_fini(&transfer->pipe);
    free(transfer);
}

PZ_TEST(a_full_pipe_suspends_and_an_abandoned_one_swallows)
{
    struct pz_pipe pipe;
    struct loop loop = {0};
    char data[64] = {0};
    open_pipe(&pipe, &loop, 10);
    PZ_CHECK_EQ_U64(pz_pipe_offer(&pipe, data, 64), 10);
    PZ_CHECK_EQ_U64(pz_pipe_offer(&pipe, data, 54), 0);
    PZ_CHECK(atomic_load(&loop.is_suspended));
    pz_pipe_abandon(&pipe);
    PZ_CHECK(!atomic_load(&loop.is_suspended));
    PZ_CHECK_EQ_U64(pz_pipe_offer(&pipe, data, 54), 54);
    PZ_CHECK(!pz_pipe_write(&pipe, data, 64));
    pz_pipe_fini(&pipe);
}

PZ_TEST(a_failed_writer_is_never_an_end)
{
    struct pz_pipe pipe;
    struct loop loop = {0};
    char out[10];
    size_t len;
    const char *data;
    open_pipe(&pipe, &loop, 10);
    PZ_CHECK(pz_pipe_write(&pipe, "abc", 3));
    pz_pipe_fail(&pipe);
    PZ_CHECK_EQ_I64(pz_pipe_poll(&pipe, out, sizeof out, &len), PZ_PIPE_FAILED);
    PZ_CHECK(!pz_pipe_read(&pipe, &data, &len));
    pz_pipe_fini(&pipe);

    open_pipe(&pipe, &loop, 10);
    pz_pipe_end(&pipe);
    pz_pipe_fail(&pipe); // too late: everything has been written
    PZ_CHECK_EQ_I64(pz_pipe_poll(&pipe, out, sizeof out, &len), PZ_PIPE_END);
    pz_pipe_fini(&pipe);
}
