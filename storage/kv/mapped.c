// SPDX-License-Identifier: Apache-2.0
// What happens when LMDB stumbles over damage in its map: the process says which file is damaged
// and what to do, and ends with the exit code of damaged data. LMDB itself would abort, or the
// kernel would end it with SIGBUS or SIGSEGV, and nobody would learn why. Commits are durable when
// they are answered, so ending here loses nothing.
//
// Faults elsewhere go on to whoever handled them before.
#include "base/num.h"
#include "storage/kv/kv_internal.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAPS_MAX 16
#define EXIT_DAMAGED 65 // sysexits' EX_DATAERR

// A place is taken by setting `begin`, last of all; 0 = free.
struct pz__kv_map {
    _Atomic bool is_taken;
    _Atomic uintptr_t begin;
    uintptr_t end;
    size_t message_len;
    char message[4600];
};
static struct pz__kv_map maps[MAPS_MAX];

_Thread_local const struct pz__kv_map *pz__kv_inside;

static struct sigaction before_bus;
static struct sigaction before_segv;

// ---- in the signal handler: only async-signal-safe calls ------------------------------------

static const struct pz__kv_map *
find_map(uintptr_t at)
{
    for (int i = 0; i < MAPS_MAX; i++) {
        uintptr_t begin = atomic_load(&maps[i].begin);
        if (begin != 0 && at >= begin && at < maps[i].end) {
            return &maps[i];
        }
    }
    return NULL;
}

static void
on_fault(int number, siginfo_t *info, void *context)
{
    const struct pz__kv_map *map =
        pz__kv_inside != NULL ? pz__kv_inside : find_map((uintptr_t)info->si_addr);
    (void)context;
    if (map != NULL) {
        ssize_t written = write(STDERR_FILENO, map->message, map->message_len);
        (void)written; // there is nobody left to tell
        _exit(EXIT_DAMAGED);
    }
    // The access is repeated when this returns, under the handler of before.
    (void)sigaction(number, number == SIGBUS ? &before_bus : &before_segv, NULL);
}

// ---------------------------------------------------------------------------------------------

static void
on_assert(MDB_env *env, const char *what)
{
    const struct pz_kv_env *owner = mdb_env_get_userctx(env);
    (void)fprintf(stderr,
                  "plaza: %s is damaged: LMDB says \"%s\"\n"
                  "  hint: restore the data directory from a backup\n",
                  owner->path, what);
    _exit(EXIT_DAMAGED);
}

static void
install_once(void)
{
    static _Atomic bool is_installed;
    if (atomic_exchange(&is_installed, true)) {
        return;
    }
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGBUS, &action, &before_bus);
    (void)sigaction(SIGSEGV, &action, &before_segv);
}

static struct pz__kv_map *
take_place(void)
{
    for (int i = 0; i < MAPS_MAX; i++) {
        if (!atomic_exchange(&maps[i].is_taken, true)) {
            return &maps[i];
        }
    }
    return NULL;
}

// Where the map begins: LMDB does not tell, but a page knows its number. NULL when none can be
// read.
static const char *
map_begin(struct pz_kv_env *env)
{
    const char *begin = NULL;
    MDB_txn *txn = NULL;
    MDB_dbi dbi;
    MDB_cursor *cursor = NULL;
    MDB_stat stat;
    MDB_val key;
    if (mdb_env_stat(env->env, &stat) != 0 ||
        mdb_txn_begin(env->env, NULL, MDB_RDONLY, &txn) != 0) {
        return NULL;
    }
    if (mdb_dbi_open(txn, NULL, 0, &dbi) == 0 && mdb_cursor_open(txn, dbi, &cursor) == 0 &&
        mdb_cursor_get(cursor, &key, NULL, MDB_FIRST) == 0) {
        const char *at = key.mv_data;
        const char *page = at - ((uintptr_t)at & (stat.ms_psize - 1));
        begin = page - pz_load_le64(page) * stat.ms_psize;
    }
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return begin;
}

void
pz__kv_watch(struct pz_kv_env *env)
{
    struct pz__kv_map *map = take_place();
    env->watched = map;
    if (map == NULL) {
        return; // a fault has no message then
    }
    (void)snprintf(map->message, sizeof map->message,
                   "plaza: %s is damaged or was cut short: a part of it cannot be read\n"
                   "  hint: look at the disk; restore the data directory from a backup\n",
                   env->path);
    map->message_len = strlen(map->message);
    install_once();
}

void
pz__kv_watch_env(struct pz_kv_env *env)
{
    (void)mdb_env_set_userctx(env->env, env);
    (void)mdb_env_set_assert(env->env, on_assert);
}

void
pz__kv_watch_map(struct pz_kv_env *env)
{
    env->map_begin = (uintptr_t)map_begin(env);
    if (env->watched != NULL) {
        env->watched->end = env->map_begin + env->map_bytes;
        atomic_store(&env->watched->begin, env->map_begin);
    }
}

void
pz__kv_unwatch(struct pz_kv_env *env)
{
    struct pz__kv_map *map = env->watched;
    if (map != NULL) {
        atomic_store(&map->begin, 0);
        atomic_store(&map->is_taken, false);
    }
}
