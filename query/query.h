// SPDX-License-Identifier: Apache-2.0
// The façade of query: one SQL statement in, column batches out.
//
// text → tokens → tree → bound plan → rules → push pipelines over vectors of up to 2,048 rows, one
// block a morsel, all threads on one pipeline.
#ifndef PZ_QUERY_QUERY_H
#define PZ_QUERY_QUERY_H

#include "base/thread.h"
#include "storage/store.h"

// Limits that hold for every statement.
#define PZ_SQL_TEXT_MAX (256u * 1024)
#define PZ_SQL_DEPTH_MAX 200

// How far threads that run statements step back for the feed: the caller of pz_query_run should be
// as nice as the engine's own workers.
#define PZ_QUERY_NICE 19

struct pz_engine;

struct pz_engine_options {
    unsigned threads;          // workers of one query, the caller included; 0 = all cores
    size_t query_memory_bytes; // of one query; 0 = 1 GiB
    unsigned vector_rows;      // rows of a vector, 1..2048; 0 = 2048 (tests use 1 and 7)
};
// The store is borrowed and must outlive the engine.
struct pz_engine *pz_engine_create(struct pz_store *store, const struct pz_engine_options *options);
void pz_engine_destroy(struct pz_engine *engine);

// A value of type INTERVAL in results.
struct pz_interval {
    int32_t months;
    int32_t days;
    int64_t us;
};

struct pz_result_column {
    const char *name; // as SQL names it
    enum pz_type
        type; // SYMBOL columns are delivered as TEXT slices with type PZ_TYPE_TEXT;
              // sums of BIGINT have type BIGINT; PZ_TYPE_NULL never occurs (TEXT stands for it)
};

// Where a result goes. Called on the thread that called pz_query_run. A status other than PZ_OK
// from either stops the query with that status.
struct pz_result_sink {
    void *payload;
    // Once, before any rows; also for statements without rows (column_count 0).
    enum pz_status (*begin)(void *payload, const struct pz_result_column *columns,
                            uint32_t column_count, struct pz_error *err);
    // Rows in order; slices valid for the call. INTERVAL data are struct pz_interval.
    enum pz_status (*rows)(void *payload, const struct pz_slice *columns, uint32_t column_count,
                           uint32_t row_count, struct pz_error *err);
};

struct pz_query_options {
    int64_t timeout_us;   // 0 = 30 s
    _Atomic bool *cancel; // may become true at any time; or NULL
    uint64_t min_commit;  // wait until the version has at least this commit (within the timeout)
    bool is_read_only;    // refuse INSERT, DELETE and DDL (SQLSTATE 25006)
};

struct pz_query_stats {
    int64_t elapsed_us;
    uint64_t row_count; // rows delivered
    bool is_write;      // a statement that answers with `affected`
    uint64_t affected;  // rows inserted or deleted
    uint64_t commit;    // the version read, or the commit made
    uint64_t rows_scanned;
    uint64_t blocks_scanned, blocks_skipped, blocks_from_stats;
    size_t memory_peak_bytes;
};

// Runs one statement (a trailing semicolon is allowed). Errors have sqlstate, those of the sink and
// of the store too, and sql_offset where a place can be named; PZ_TIMEOUT (57014), PZ_CANCELED
// (57014), PZ_NO_MEMORY (53200).
// Threads: any, several at once.
PZ_MUST_USE enum pz_status pz_query_run(struct pz_engine *engine, struct pz_str sql,
                                        const struct pz_query_options *options,
                                        const struct pz_result_sink *sink,
                                        struct pz_query_stats *stats_out, struct pz_error *err);

// The SQLSTATE of a failure that is not the statement's own: of reading and writing files, of
// limits, of a store that is busy. "XX000" for what no statement should ever meet.
const char *pz_query_sqlstate(enum pz_status status);

// 1-based line and column (in characters) of a byte of the statement.
void pz_query_locate(struct pz_str sql, uint32_t byte_offset, uint32_t *line_out,
                     uint32_t *column_out);

#endif
