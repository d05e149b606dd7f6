// SPDX-License-Identifier: Apache-2.0
// Everything countable as Prometheus text.
#include "server/metrics.h"

#include "base/clock.h"
#include "server/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static void
write_value(struct pz_buffer *buffer, const char *kind, const char *name, const char *help,
            double value)
{
    char text[PZ_NUM_TEXT_MAX];
    uint32_t len = pz_format_double(value, text);
    pz_buffer_printf(buffer, "# HELP plaza_%s %s\n# TYPE plaza_%s %s\nplaza_%s %.*s\n", name, help,
                     name, kind, name, (int)len, text);
}

// Commit latency as a histogram in seconds; bucket i holds what took less than 100 us << i.
static void
write_commits(struct pz_buffer *buffer, const struct pz_store_stats *stats)
{
    static const char name[] = "plaza_commit_duration_seconds";
    pz_buffer_printf(buffer, "# HELP %s time of one durable commit\n# TYPE %s histogram\n", name,
                     name);
    enum { BUCKETS = sizeof stats->commit_us_buckets / sizeof stats->commit_us_buckets[0] };
    uint64_t count = 0;
    for (int i = 0; i < BUCKETS; i++) {
        count += stats->commit_us_buckets[i];
        if (i == BUCKETS - 1) {
            pz_buffer_printf(buffer, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
        } else {
            char text[PZ_NUM_TEXT_MAX];
            uint32_t len = pz_format_double((double)(100u << i) / 1e6, text);
            pz_buffer_printf(buffer, "%s_bucket{le=\"%.*s\"} %" PRIu64 "\n", name, (int)len, text,
                             count);
        }
    }
    char text[PZ_NUM_TEXT_MAX];
    uint32_t len = pz_format_double((double)stats->commit_us_sum / 1e6, text);
    pz_buffer_printf(buffer, "%s_sum %.*s\n%s_count %" PRIu64 "\n", name, (int)len, text, name,
                     count);
}

static void
write_store(struct pz_buffer *buffer, const struct pz_store_stats *s)
{
    const struct {
        const char *kind, *name, *help;
        uint64_t value;
    } rows[] = {
        {"gauge", "commit", "number of the newest commit", s->commit},
        {"counter", "commits_total", "commits since the start", s->commits},
        {"counter", "rows_written_total", "rows committed since the start", s->rows_written},
        {"gauge", "writes_waiting", "writes in the queue", s->writes_waiting},
        {"gauge", "write_queue_bytes", "bytes in the write queue", s->bytes_waiting},
        {"gauge", "tail_rows", "rows not yet sealed", s->tail_rows},
        {"gauge", "sealed_rows", "rows in segments", s->sealed_rows},
        {"gauge", "segments", "segment files", s->segment_count},
        {"gauge", "segment_bytes", "bytes of segment files", s->segment_bytes},
        {"gauge", "unfolded_rows", "feed rows not yet folded", s->unfolded_rows},
        {"counter", "seals_total", "seals since the start", s->seals},
        {"counter", "folds_total", "folds since the start", s->folds},
        {"counter", "fold_slices_total", "slices of folds since the start", s->fold_slices},
        {"gauge", "kv_used_bytes", "bytes used in plaza.mdb", s->kv_used_bytes},
        {"gauge", "kv_map_bytes", "size of the map of plaza.mdb", s->kv_map_bytes},
        {"gauge", "page_cache_bytes", "bytes in the page cache", s->cache_bytes},
        {"counter", "page_cache_hits_total", "pages found in the cache", s->cache_hits},
        {"counter", "page_cache_misses_total", "pages read from disk", s->cache_misses},
        {"gauge", "writes_stopped", "1 after a failed commit stopped all writing", s->is_failed},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_value(buffer, rows[i].kind, rows[i].name, rows[i].help, (double)rows[i].value);
    }
    write_commits(buffer, s);
}

static double
resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL) {
        char text[128];
        if (fgets(text, sizeof text, file) == NULL ||
            sscanf(text, "%*u %lu", &pages) != 1) { // total, then resident
            pages = 0;
        }
        (void)fclose(file);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

void
pz_metrics_write(struct pz_server *server, struct pz_buffer *buffer)
{
#define X(name, help)                           \
    write_value(buffer, "counter", #name, help, \
                (double)atomic_load_explicit(&server->metrics.name, memory_order_relaxed));
#include "server/metrics.def"
#undef X
    write_value(buffer, "gauge", "http_connections", "open connections",
                server->http == NULL ? 0 : pz_http_connection_count(server->http));
    write_value(buffer, "gauge", "queries_running", "SQL statements being run",
                pz_jobs_running(server->queries));
    write_value(buffer, "gauge", "queries_waiting", "SQL statements in the queue",
                pz_jobs_waiting(server->queries));
    write_value(buffer, "gauge", "loads_running", "bulk loads being taken",
                pz_jobs_running(server->loads));
    write_value(buffer, "gauge", "resident_memory_bytes", "resident memory", resident_bytes());
    write_value(buffer, "gauge", "uptime_seconds", "time since the start",
                (double)(pz_clock_mono_us() - server->started_us) / 1e6);
    struct pz_store_stats stats;
    pz_store_read_stats(server->store, &stats);
    write_store(buffer, &stats);
}
