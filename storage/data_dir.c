// SPDX-License-Identifier: Apache-2.0
// The data directory: its lock, its format mark, its making, and where files lie.
//
//     LOCK                          held for life; the pid inside
//     FORMAT                        "plaza store", format version, store id
//     plaza.mdb, plaza.mdb-lock     LMDB
//     segments/<table id>/<n>.seg   segments the catalog names; <n>.tmp while being written
//     lost+found/                   segment files that no catalog row names, set aside at start
//
// A new store is made aside: FORMAT first, then plaza.mdb under another name, renamed last. So
// FORMAT without plaza.mdb is a making that was interrupted and may go on; anything else that is
// not complete is refused.
#include "base/hash.h"
#include "base/log.h"
#include "storage/catalog/builtin.h"
#include "storage/catalog/records.h"
#include "storage/store_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define FORMAT_VERSION 1u
#define PATH_LEN_MAX 4096
#define COPIES_MAX 1000u // of orphans of one name; then the last is replaced

static void
join(const struct pz_store *store, const char *name, char out[PATH_LEN_MAX])
{
    (void)snprintf(out, PATH_LEN_MAX, "%s/%s", store->dir, name);
}

void
pz__segment_path(const struct pz_store *store, uint32_t table_id, uint64_t segment_id,
                 bool is_temporary, char *out, size_t capacity)
{
    (void)snprintf(out, capacity, "%s/segments/%u/%llu.%s", store->dir, table_id,
                   (unsigned long long)segment_id, is_temporary ? "tmp" : "seg");
}

enum pz_status
pz__segment_dir_create(const struct pz_store *store, uint32_t table_id, struct pz_error *err)
{
    char parent[PATH_LEN_MAX];
    char path[PATH_LEN_MAX + 16];
    join(store, "segments", parent);
    (void)snprintf(path, sizeof path, "%s/%u", parent, table_id);
    PZ_TRY(pz_dir_create(parent, err));
    PZ_TRY(pz_dir_create(path, err));
    return pz_dir_sync(parent, err);
}

// ---- FORMAT ---------------------------------------------------------------------------------

static enum pz_status
write_format(struct pz_store *store, struct pz_error *err)
{
    char path[PATH_LEN_MAX];
    char temporary[PATH_LEN_MAX];
    char text[80];
    join(store, "FORMAT", path);
    join(store, "FORMAT.tmp", temporary);
    store->store_id = pz_hash_process_seed();
    int len = snprintf(text, sizeof text, "plaza store\nformat %u\nid %016llx\n", FORMAT_VERSION,
                       (unsigned long long)store->store_id);
    if (pz_path_exists(temporary)) {
        PZ_TRY(pz_file_unlink(temporary, err));
    }
    PZ_TRY(pz_file_write_all(temporary, text, (size_t)len, err));
    PZ_TRY(pz_file_rename(temporary, path, false, err));
    return pz_dir_sync(store->dir, err);
}

static enum pz_status
read_format(struct pz_store *store, struct pz_error *err)
{
    char path[PATH_LEN_MAX];
    struct pz_buffer text = {0};
    unsigned version = 0;
    unsigned long long id = 0;
    join(store, "FORMAT", path);
    enum pz_status status = pz_file_read_all(path, 4096, &text, err);
    if (status == PZ_OK && sscanf(text.data == NULL ? "" : text.data,
                                  "plaza store\nformat %u\nid %16llx\n", &version, &id) != 2) {
        status = pz_fail(err, PZ_CORRUPT, "%s does not parse: this is no plaza store", path);
        pz_error_hint(err, "give another directory, or restore this one from a backup");
    } else if (status == PZ_OK && version > FORMAT_VERSION) {
        status = pz_fail(err, PZ_UNSUPPORTED, "%s has format %u, this plaza knows formats up to %u",
                         store->dir, version, FORMAT_VERSION);
        pz_error_hint(err, "start it with a newer plaza");
    }
    store->store_id = id;
    pz_buffer_fini(&text);
    return status;
}

// ---- making ---------------------------------------------------------------------------------

static enum pz_status
put_builtins(struct pz_kv_txn *txn, struct pz_error *err)
{
    for (uint32_t i = 0; i < PZ_BUILTIN_DOMAIN_COUNT; i++) {
        PZ_TRY(pz_catalog_put_domain(txn, pz_builtin_domains[i].id,
                                     pz_str_from(pz_builtin_domains[i].name), err));
    }
    for (uint32_t i = 0; i < PZ_BUILTIN_TABLE_COUNT; i++) {
        PZ_TRY(pz_catalog_put_table(txn, &pz_builtin_tables[i], err));
    }
    return pz_catalog_put_fact(txn, "next_table_id", PZ_TABLE_ID_FIRST_USER, err);
}

static enum pz_status
make_environment(struct pz_store *store, const char *path, struct pz_error *err)
{
    struct pz_kv_env *env = NULL;
    struct pz_kv_txn *txn = NULL;
    struct pz_kv_options options = {.map_bytes = store->options.map_bytes};
    enum pz_status status = pz_kv_open(path, true, &options, &env, err);
    if (status == PZ_OK) {
        status = pz_kv_begin_write(env, &txn, err);
    }
    if (status == PZ_OK) {
        status = put_builtins(txn, err);
        if (status == PZ_OK) {
            status = pz_kv_commit(txn, err);
        } else {
            pz_kv_abort(txn);
        }
    }
    pz_kv_close(env);
    return status;
}

static enum pz_status
remove_if_there(const struct pz_store *store, const char *name, struct pz_error *err)
{
    char path[PATH_LEN_MAX];
    join(store, name, path);
    return pz_path_exists(path) ? pz_file_unlink(path, err) : PZ_OK;
}

static enum pz_status
make(struct pz_store *store, bool has_format, struct pz_error *err)
{
    char made[PATH_LEN_MAX];
    char path[PATH_LEN_MAX];
    if (has_format) {
        PZ_TRY(read_format(store, err));
    } else {
        PZ_TRY(write_format(store, err));
    }
    PZ_TRY(remove_if_there(store, "plaza.mdb.new", err));
    PZ_TRY(remove_if_there(store, "plaza.mdb.new-lock", err));
    for (uint32_t i = 0; i < PZ_BUILTIN_TABLE_COUNT; i++) {
        PZ_TRY(pz__segment_dir_create(store, pz_builtin_tables[i].id, err));
    }
    join(store, "plaza.mdb.new", made);
    join(store, "plaza.mdb", path);
    PZ_TRY(make_environment(store, made, err));
    PZ_TRY(pz_file_rename(made, path, false, err));
    PZ_TRY(remove_if_there(store, "plaza.mdb.new-lock", err));
    return pz_dir_sync(store->dir, err);
}

// ---- opening --------------------------------------------------------------------------------

static enum pz_status
refuse_foreign(void *payload, const char *name, struct pz_error *err)
{
    static const char *const ours[] = {"LOCK",          "FORMAT",   "FORMAT.tmp",
                                       "plaza.mdb.new", "segments", "plaza.mdb.new-lock",
                                       "lost+found"};
    const struct pz_store *store = payload;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (strcmp(name, ours[i]) == 0) {
            return PZ_OK;
        }
    }
    pz_fail(err, PZ_CORRUPT, "%s holds \"%s\" and no plaza store: it is left alone", store->dir,
            name);
    pz_error_hint(err, "give an empty directory, or one that plaza made");
    return PZ_CORRUPT;
}

static enum pz_status
refuse_any(void *payload, const char *name, struct pz_error *err)
{
    const struct pz_store *store = payload;
    pz_fail(err, PZ_CORRUPT, "%s: plaza.mdb is missing but segments/%s is there", store->dir, name);
    pz_error_hint(err, "restore the data directory from a backup; nothing was changed");
    return PZ_CORRUPT;
}

static enum pz_status
refuse_lost_database(void *payload, const char *name, struct pz_error *err)
{
    const struct pz_store *store = payload;
    char path[PATH_LEN_MAX];
    (void)snprintf(path, sizeof path, "%s/segments/%s", store->dir, name);
    return pz_dir_each(path, refuse_any, payload, err);
}

// Refuses a directory in which no store may be made, before anything is put into it.
static enum pz_status
check_makeable(struct pz_store *store, struct pz_error *err)
{
    char segments[PATH_LEN_MAX];
    join(store, "segments", segments);
    PZ_TRY(pz_dir_each(store->dir, refuse_foreign, store, err));
    if (pz_path_exists(segments)) {
        PZ_TRY(pz_dir_each(segments, refuse_lost_database, store, err));
    }
    return store->options.create
               ? PZ_OK
               : pz_fail(err, PZ_NOT_FOUND, "there is no plaza store in %s", store->dir);
}

static enum pz_status
open_or_make(struct pz_store *store, struct pz_error *err)
{
    char format[PATH_LEN_MAX];
    char database[PATH_LEN_MAX];
    char path[PATH_LEN_MAX];
    join(store, "FORMAT", format);
    join(store, "plaza.mdb", database);
    join(store, "LOCK", path);
    if (!pz_path_exists(database)) {
        PZ_TRY(check_makeable(store, err));
    }
    PZ_TRY(pz_file_lock(path, &store->lock, err));
    bool has_format = pz_path_exists(format);
    if (!pz_path_exists(database)) { // nobody made one in between
        return make(store, has_format, err);
    }
    return has_format ? read_format(store, err)
                      : pz_fail(err, PZ_CORRUPT, "%s: plaza.mdb is there but FORMAT is missing",
                                store->dir);
}

// The entry of the data directory itself must be as durable as what is in it.
static enum pz_status
sync_parent(const struct pz_store *store, struct pz_error *err)
{
    char parent[PATH_LEN_MAX];
    (void)snprintf(parent, sizeof parent, "%s", store->dir);
    size_t len = strlen(parent);
    while (len > 1 && parent[len - 1] == '/') {
        len--;
    }
    while (len > 0 && parent[len - 1] != '/') {
        len--;
    }
    parent[len] = '\0';
    return pz_dir_sync(len == 0 ? "." : parent, err);
}

enum pz_status
pz__data_dir_open(struct pz_store *store, struct pz_error *err)
{
    if (strlen(store->dir) > PATH_LEN_MAX - 100) {
        return pz_fail(err, PZ_INVALID, "the name of the data directory is too long");
    }
    if (!pz_path_exists(store->dir)) {
        if (!store->options.create) {
            return pz_fail(err, PZ_NOT_FOUND, "there is no directory %s", store->dir);
        }
        PZ_TRY(pz_dir_create(store->dir, err));
        PZ_TRY(sync_parent(store, err));
    }
    return open_or_make(store, err);
}

// ---- orphans --------------------------------------------------------------------------------

struct orphan_walk {
    struct pz_store *store;
    uint32_t table_id;
    const struct pz_table *table; // NULL when the catalog has none
    const char *dir_name;
};

static bool
is_named(const struct pz_table *table, uint64_t segment_id)
{
    for (uint32_t i = 0; table != NULL && i < table->state.segments->count; i++) {
        if (pz_segment_info(table->state.segments->entries[i].segment)->segment_id == segment_id) {
            return true;
        }
    }
    return false;
}

static enum pz_status
set_aside(const struct orphan_walk *walk, const char *name, struct pz_error *err)
{
    char from[PATH_LEN_MAX + 300];
    char to[PATH_LEN_MAX + 300];
    char aside[PATH_LEN_MAX];
    join(walk->store, "lost+found", aside);
    PZ_TRY(pz_dir_create(aside, err));
    (void)snprintf(from, sizeof from, "%s/segments/%s/%s", walk->store->dir, walk->dir_name, name);
    (void)snprintf(to, sizeof to, "%s/%s-%s", aside, walk->dir_name, name);
    // Ids that no commit took are given out again, so a name may come twice.
    enum pz_status status = pz_file_rename(from, to, false, err);
    for (unsigned copy = 2; status == PZ_EXISTS && copy <= COPIES_MAX; copy++) {
        (void)snprintf(to, sizeof to, "%s/%s-%s.%u", aside, walk->dir_name, name, copy);
        status = pz_file_rename(from, to, copy == COPIES_MAX, err);
    }
    if (status == PZ_OK) {
        pz_log(PZ_LOG_WARN, "segment file %s is not in the catalog: moved to %s", from, to);
    }
    return status;
}

static enum pz_status
visit_file(void *payload, const char *name, struct pz_error *err)
{
    const struct orphan_walk *walk = payload;
    const char *dot = strrchr(name, '.');
    uint64_t id = 0;
    if (dot != NULL && strcmp(dot, ".tmp") == 0) {
        char path[PATH_LEN_MAX + 300];
        (void)snprintf(path, sizeof path, "%s/segments/%s/%s", walk->store->dir, walk->dir_name,
                       name);
        return pz_file_unlink(path, err);
    }
    if (dot != NULL && strcmp(dot, ".seg") == 0 &&
        pz_parse_u64((struct pz_str){name, (uint32_t)(dot - name)}, &id) &&
        is_named(walk->table, id)) {
        return PZ_OK;
    }
    return set_aside(walk, name, err);
}

static enum pz_status
visit_table_dir(void *payload, const char *name, struct pz_error *err)
{
    struct pz_store *store = payload;
    uint64_t id = 0;
    char path[PATH_LEN_MAX + 300];
    if (!pz_parse_u64(pz_str_from(name), &id) || id > UINT32_MAX) {
        return PZ_OK;
    }
    struct orphan_walk walk = {.store = store,
                               .table_id = (uint32_t)id,
                               .table = pz__store_find_table(store, (uint32_t)id),
                               .dir_name = name};
    (void)snprintf(path, sizeof path, "%s/segments/%s", store->dir, name);
    return pz_dir_each(path, visit_file, &walk, err);
}

enum pz_status
pz__data_dir_set_orphans_aside(struct pz_store *store, struct pz_error *err)
{
    char path[PATH_LEN_MAX];
    join(store, "segments", path);
    return pz_path_exists(path) ? pz_dir_each(path, visit_table_dir, store, err) : PZ_OK;
}
