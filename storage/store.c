// SPDX-License-Identifier: Apache-2.0
// Opening and closing a store, and the parts of the façade that only pass a call on.
#include "storage/store_internal.h"

#include "base/log.h"
#include "storage/catalog/symbols.h"
#include "storage/upkeep/upkeep.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define SEAL_ROWS_DEFAULT (2u * PZ_BLOCK_ROWS)

static uint64_t
default_cache_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes / 4
                                       : UINT64_C(1) << 30;
}

// Every segment stays open.
static void
raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); // best effort: opening a segment tells
    }
}

static void
init_locks(struct pz_store *store)
{
    pz_mutex_init(&store->version_mutex, PZ_RANK_VERSION, "version");
    pz_mutex_init(&store->queue_mutex, PZ_RANK_QUEUE, "write queue");
    pz_mutex_init(&store->turn_mutex, PZ_RANK_TURN, "turn");
    pz_mutex_init(&store->layout_mutex, PZ_RANK_LAYOUT, "layout");
    pz_mutex_init(&store->upkeep_mutex, PZ_RANK_UPKEEP, "upkeep");
    pz_cond_init(&store->queue_cond);
    pz_cond_init(&store->idle_cond);
    pz_cond_init(&store->upkeep_cond);
}

static void
fini_locks(struct pz_store *store)
{
    pz_cond_fini(&store->upkeep_cond);
    pz_cond_fini(&store->idle_cond);
    pz_cond_fini(&store->queue_cond);
    pz_mutex_fini(&store->upkeep_mutex);
    pz_mutex_fini(&store->layout_mutex);
    pz_mutex_fini(&store->turn_mutex);
    pz_mutex_fini(&store->queue_mutex);
    pz_mutex_fini(&store->version_mutex);
}

static enum pz_status
open_parts(struct pz_store *store, struct pz_error *err)
{
    char path[4200];
    struct pz_kv_options kv_options = {.map_bytes = store->options.map_bytes,
                                       .is_ephemeral = store->options.is_ephemeral,
                                       .is_thorough = store->options.is_thorough};
    PZ_TRY(pz__data_dir_open(store, err));
    (void)snprintf(path, sizeof path, "%s/plaza.mdb", store->dir);
    PZ_TRY(pz_kv_open(path, false, &kv_options, &store->kv, err));
    store->cache = pz_page_cache_create((size_t)store->options.cache_bytes);
    PZ_TRY(pz_feed_open(store->kv, &store->feed, err));
    return pz__store_recover(store, err);
}

// Frees everything but the threads, which do not run.
static void
destroy(struct pz_store *store)
{
    pz__version_retire(store);
    for (uint32_t i = 0; i < store->table_count; i++) {
        struct pz_table_def *def = store->tables[i]->owned_def;
        pz__table_destroy(store->tables[i]);
        free(def);
    }
    for (uint32_t i = 0; i < store->retired_count; i++) {
        free(store->retired_defs[i]);
    }
    for (uint32_t i = 0; i < PZ_DOMAINS_MAX; i++) {
        pz_domain_destroy(atomic_load_explicit(&store->domains[i], memory_order_relaxed));
    }
    pz_feed_close(store->feed);
    pz_kv_close(store->kv);
    if (store->cache != NULL) {
        pz_page_cache_destroy(store->cache);
    }
    if (store->lock.fd >= 0) {
        struct pz_error err = {0};
        if (pz_file_close(&store->lock, "LOCK", &err) != PZ_OK) {
            pz_log_error(&err, "closing the store's lock");
        }
    }
    fini_locks(store);
    free((void *)store->tables);
    free((void *)store->retired_defs);
    free(store->domain_names);
    free(store->dir);
    free(store);
}

enum pz_status
pz_store_open(const char *dir, const struct pz_store_options *options, struct pz_store **store_out,
              struct pz_error *err)
{
    *store_out = NULL;
    struct pz_store *store = pz_xcalloc(1, sizeof *store);
    store->dir = pz_xstrdup(dir);
    store->options = *options;
    store->lock.fd = -1;
    if (store->options.seal_rows == 0) {
        store->options.seal_rows = SEAL_ROWS_DEFAULT;
    }
    if (store->options.cache_bytes == 0) {
        store->options.cache_bytes = default_cache_bytes();
    }
    init_locks(store);
    raise_file_limit();
    enum pz_status status = open_parts(store, err);
    if (status != PZ_OK) {
        destroy(store);
        return status;
    }
    pz__version_publish(store);
    pz_thread_start(&store->writer, "writer", pz__writer_run, store);
    if (!store->options.is_manual) {
        pz_thread_start(&store->upkeep, "upkeep", pz__upkeep_run, store);
    }
    *store_out = store;
    return PZ_OK;
}

void
pz_store_close(struct pz_store *store)
{
    if (store == NULL) {
        return;
    }
    if (!store->options.is_manual) {
        pz_mutex_lock(&store->upkeep_mutex);
        store->upkeep_stopping = true;
        pz_cond_signal(&store->upkeep_cond);
        pz_mutex_unlock(&store->upkeep_mutex);
        pz_thread_join(&store->upkeep);
    }
    pz_store_drain(store);
    pz_mutex_lock(&store->queue_mutex);
    store->is_stopping = true;
    pz_cond_signal(&store->queue_cond);
    pz_mutex_unlock(&store->queue_mutex);
    pz_thread_join(&store->writer);
    destroy(store);
}

// ---- symbols --------------------------------------------------------------------------------

uint32_t
pz_symbol_count(struct pz_store *store, uint32_t domain_id)
{
    return pz_domain_count(pz__store_domain(store, domain_id));
}

struct pz_str
pz_symbol_name(struct pz_store *store, uint32_t domain_id, uint32_t code)
{
    return pz_domain_name(pz__store_domain(store, domain_id), code);
}

bool
pz_symbol_find(struct pz_store *store, uint32_t domain_id, struct pz_str name, uint32_t *code_out)
{
    return pz_domain_find(pz__store_domain(store, domain_id), name, code_out);
}

enum pz_status
pz_symbol_intern(struct pz_store *store, uint32_t domain_id, struct pz_str name, uint32_t *code_out,
                 struct pz_error *err)
{
    return pz_domain_intern(pz__store_domain(store, domain_id), name, code_out, err);
}

// ---- the feed -------------------------------------------------------------------------------

enum pz_status
pz_feed_get_message(struct pz_store *store, int64_t message_id, struct pz_arena *arena,
                    struct pz_message *out, struct pz_error *err)
{
    return pz_feed_read_message(store->feed, message_id, arena, out, err);
}

enum pz_status
pz_feed_get_page(struct pz_store *store, const struct pz_feed_query *query, struct pz_arena *arena,
                 struct pz_feed_page *page_out, struct pz_error *err)
{
    return pz_feed_read_page(store->feed, query, arena, page_out, err);
}

// ---- statistics -----------------------------------------------------------------------------

static void
read_table_stats(const struct pz_table_state *state, struct pz_store_stats *out)
{
    for (uint32_t i = 0; i < state->layout->block_count; i++) {
        out->tail_rows += pz_tail_entry_rows(state->layout, i, state->end_row);
    }
    out->sealed_rows += state->segments->row_count;
    out->segment_count += state->segments->count;
    for (uint32_t i = 0; i < state->segments->count; i++) {
        out->segment_bytes += pz_segment_info(state->segments->entries[i].segment)->file_bytes;
    }
}

void
pz_store_read_stats(struct pz_store *store, struct pz_store_stats *out)
{
    struct pz_page_cache_stats cache;
    struct pz_version *version = pz_version_acquire(store);
    *out = (struct pz_store_stats){.commit = version->commit};
    for (uint32_t i = 0; i < version->table_count; i++) {
        read_table_stats(&version->tables[i], out);
    }
    pz_version_release(version);
    pz_page_cache_read_stats(store->cache, &cache);
    out->cache_bytes = cache.bytes;
    out->cache_hits = cache.hits;
    out->cache_misses = cache.misses;
    out->unfolded_rows = pz_feed_unfolded(store->feed);
    out->kv_used_bytes = pz_kv_used_bytes(store->kv);
    out->kv_map_bytes = pz_kv_map_bytes(store->kv);
    out->commits = atomic_load(&store->counters.commits);
    out->rows_written = atomic_load(&store->counters.rows_written);
    out->seals = atomic_load(&store->counters.seals);
    out->folds = atomic_load(&store->counters.folds);
    out->fold_slices = atomic_load(&store->counters.fold_slices);
    out->commit_us_sum = atomic_load(&store->counters.commit_us_sum);
    for (int i = 0; i < 16; i++) {
        out->commit_us_buckets[i] = atomic_load(&store->counters.commit_us_buckets[i]);
    }
    pz_mutex_lock(&store->queue_mutex);
    out->writes_waiting = store->queue_count;
    out->bytes_waiting = store->queue_bytes;
    out->is_failed = store->is_failed;
    pz_mutex_unlock(&store->queue_mutex);
    out->is_full = pz__store_check_space(store, 0, NULL) != PZ_OK;
}
