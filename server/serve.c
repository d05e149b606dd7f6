// SPDX-License-Identifier: Apache-2.0
// `plaza serve`: opens everything, serves until a signal, closes everything in order.
//
// Stopping: accept no more and refuse what comes; cancel queries and unfinished loads; let the
// commits that wait finish and their answers go out; only then take the HTTP library down, since
// it must not be stopped while requests are suspended.
#include "server/server.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "server/api/route.h"
#include "server/cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define QUERY_QUEUE_MAX 32
#define LOAD_QUEUE_MAX 16
#define LOAD_NICE 5
#define STOP_US_MAX (10 * PZ_US_PER_SECOND)

// Finds the users' domain in a built-in table.
static void
find_user_domain(struct pz_server *server)
{
    struct pz_version *version = pz_version_acquire(server->store);
    const struct pz_table_def *views = pz_version_find_table(version, PZ_STR("views"));
    PZ_ASSERT(views != NULL); // built in
    server->user_domain = views->columns[PZ_VIEWS_USER].domain_id;
    pz_version_release(version);
}

// ---- settings -----------------------------------------------------------------------------------

static int
print_help(void)
{
    struct pz_buffer text = {0};
    pz_buffer_append_c(&text, "Usage: plaza serve [options]\n"
                              "\n"
                              "  plaza serve                              "
                              "./plaza-data at http://127.0.0.1:7780\n"
                              "  plaza serve --data /srv/plaza --http 127.0.0.1:8080\n"
                              "\n"
                              "Options (a flag goes before its environment variable):\n");
    pz_config_help(&text);
    if (text.data != NULL) {
        (void)fwrite(text.data, 1, text.len, stdout);
    }
    pz_buffer_fini(&text);
    return PZ_EXIT_OK;
}

static bool
set_log_level(const char *name)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0) {
            pz_log_set_level((enum pz_log_level)i);
            return true;
        }
    }
    (void)fprintf(stderr, "plaza serve: --log-level must be error, warn, info or debug\n");
    return false;
}

// Settings that are fine one by one may still not go together.
static int
check_config(struct pz_server *server, struct sockaddr_storage *address)
{
    struct pz_error err;
    const struct pz_config *config = &server->config;
    if (!set_log_level(config->log_level)) {
        return PZ_EXIT_USAGE;
    }
    if (pz_http_parse_address(pz_str_from(config->http_address), address, &err) != PZ_OK) {
        pz_cli_say("serve", &err);
        return PZ_EXIT_USAGE;
    }
    server->is_loopback = pz_http_is_loopback(address);
    if (!server->is_loopback && config->insecure_no_auth == 0) {
        (void)fprintf(stderr,
                      "plaza serve: %s can be reached by other machines, and nothing would ask "
                      "them who they are\n"
                      "hint: listen on 127.0.0.1 behind a proxy that does, or add "
                      "--insecure-no-auth on a network you trust\n",
                      config->http_address);
        return PZ_EXIT_CONFIG;
    }
    return PZ_EXIT_OK;
}

// ---- start --------------------------------------------------------------------------------------

static void
raise_fd_limit(uint64_t connection_max)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); // best effort; the check below tells
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < connection_max + 256) {
        pz_log(PZ_LOG_WARN, "only %" PRIu64 " files may be open: fewer than --connections need",
               (uint64_t)limit.rlim_cur);
    }
}

static enum pz_status
open_store(struct pz_server *server, struct pz_error *err)
{
    const struct pz_config *config = &server->config;
    const struct pz_store_options options = {
        .create = true,
        .seal_rows = config->seal_rows,
        .cache_bytes = config->cache_bytes,
    };
    return pz_store_open(config->data_dir, &options, &server->store, err);
}

static void
start_workers(struct pz_server *server)
{
    const struct pz_config *config = &server->config;
    unsigned cores = pz_cpu_count();
    const struct pz_engine_options options = {
        .threads = config->thread_count == 0 ? cores : (unsigned)config->thread_count,
        .query_memory_bytes = config->query_memory,
    };
    server->engine = pz_engine_create(server->store, &options);
    server->queries = pz_jobs_create("plaza-query", cores, QUERY_QUEUE_MAX, PZ_QUERY_NICE);
    server->loads = pz_jobs_create("plaza-load", cores < 2 ? 2 : cores, LOAD_QUEUE_MAX, LOAD_NICE);
}

static enum pz_status
start_http(struct pz_server *server, const struct sockaddr_storage *address, int listener,
           struct pz_error *err)
{
    const struct pz_config *config = &server->config;
    unsigned by_cores = pz_cpu_count() / 2;
    by_cores = by_cores < 2 ? 2 : by_cores;
    const struct pz_http_options options = {
        .address = *address,
        .listener = listener,
        .thread_count = config->http_threads == 0 ? by_cores : (unsigned)config->http_threads,
        .connection_max = (unsigned)config->connection_max,
        .idle_timeout_s = (unsigned)((config->idle_timeout + 999999) / 1000000),
        .server = server,
        .begin = pz_route_begin,
        .handle = pz_route_handle,
        .answered = pz_route_answered,
    };
    return pz_http_start(&options, &server->http, err);
}

static void
announce(const struct pz_server *server)
{
    struct pz_version *version = pz_version_acquire(server->store);
    pz_log(PZ_LOG_INFO, "plaza %s serves %s, commit %" PRIu64 ", at %s, console http://%s/",
           PLAZA_VERSION, server->config.data_dir, pz_version_commit(version),
           pz_http_address(server->http), pz_http_address(server->http));
    pz_version_release(version);
    (void)printf("plaza is ready at http://%s\n", pz_http_address(server->http));
    (void)fflush(stdout);
}

// ---- stop ---------------------------------------------------------------------------------------

static void
exit_at_once(int signal_number)
{
    _exit(128 + signal_number);
}

static const struct {
    int number;
    const char *name;
} stop_signals[] = {{SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGHUP, "SIGHUP"}};
enum { STOP_SIGNAL_COUNT = sizeof stop_signals / sizeof stop_signals[0] };

// Blocks what stops the server. SIGHUP stays ignored where it is: nohup asks for that.
static sigset_t
block_stop_signals(void)
{
    sigset_t signals;
    struct sigaction hangup;
    (void)sigemptyset(&signals);
    for (int i = 0; i < STOP_SIGNAL_COUNT; i++) {
        (void)sigaddset(&signals, stop_signals[i].number);
    }
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN) {
        (void)sigdelset(&signals, SIGHUP);
    }
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    return signals;
}

static void
wait_for_signal(const sigset_t *signals)
{
    int number = 0;
    while (sigwait(signals, &number) != 0) {
        // interrupted: waits on
    }
    for (int i = 0; i < STOP_SIGNAL_COUNT; i++) {
        if (stop_signals[i].number == number) {
            pz_log(PZ_LOG_INFO, "%s: stopping; another SIGTERM or SIGINT ends the process at once",
                   stop_signals[i].name);
        }
        if (sigismember(signals, stop_signals[i].number) == 1) {
            // One terminal that closes is told twice, by its shell and by the kernel.
            bool is_hangup = stop_signals[i].number == SIGHUP;
            struct sigaction action = {.sa_handler = is_hangup ? SIG_IGN : exit_at_once};
            (void)sigaction(stop_signals[i].number, &action, NULL);
        }
    }
    (void)pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

// Also takes down what a failed start had begun.
static void
stop(struct pz_server *server)
{
    atomic_store(&server->is_stopping, true);
    if (server->http != NULL) {
        pz_http_quiesce(server->http);
        if (!pz_http_wait_idle(server->http, STOP_US_MAX)) {
            pz_log(PZ_LOG_WARN, "some requests did not end in time and are broken off");
        }
    }
    pz_jobs_destroy(server->queries);
    pz_jobs_destroy(server->loads);
    if (server->store != NULL) {
        pz_store_drain(server->store);
    }
    pz_http_stop(server->http);
    if (server->engine != NULL) {
        pz_engine_destroy(server->engine);
    }
    if (server->store != NULL) {
        pz_store_close(server->store);
    }
}

static int
run(struct pz_server *server, const struct sockaddr_storage *address, const sigset_t *signals)
{
    struct pz_error err;
    int listener;
    enum pz_status status = pz_http_bind(address, &listener, &err);
    if (status == PZ_OK) {
        status = open_store(server, &err);
        if (status != PZ_OK) {
            (void)close(listener);
        }
    }
    if (status == PZ_OK) {
        find_user_domain(server);
        start_workers(server);
        status = start_http(server, address, listener, &err);
    }
    if (status != PZ_OK) {
        pz_cli_say("serve", &err);
        stop(server);
        return pz_cli_exit_code(&err);
    }
    announce(server);
    wait_for_signal(signals);
    stop(server);
    pz_log(PZ_LOG_INFO, "stopped");
    return PZ_EXIT_OK;
}

int
pz_cli_serve(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return print_help();
        }
    }
    struct pz_error err;
    struct sockaddr_storage address;
    struct pz_server *server = pz_xcalloc(1, sizeof *server);
    int code = PZ_EXIT_USAGE;
    server->started_us = pz_clock_mono_us();
    if (pz_config_read(&server->config, argc, argv, &err) != PZ_OK) {
        pz_cli_say("serve", &err);
    } else {
        code = check_config(server, &address);
        if (code == PZ_EXIT_OK) {
            // Before any thread is made, so that all inherit it.
            sigset_t signals = block_stop_signals();
            // A client that closes early is an error of one write, not of the program.
            (void)signal(SIGPIPE, SIG_IGN);
            raise_fd_limit(server->config.connection_max);
            code = run(server, &address, &signals);
        }
    }
    free(server);
    return code;
}
