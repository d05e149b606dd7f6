// SPDX-License-Identifier: Apache-2.0
// Pipelines: a source of morsels, operators that pass portions on, and a sink.
//
// All workers of a query run the same pipeline at once, each with its own state; they take morsels
// from a shared counter. When the last morsel is done the sink's owner finishes it on the calling
// thread (or in a parallel loop of its own), and its result is the source of the next pipeline.
#ifndef PZ_QUERY_EXEC_PIPELINE_H
#define PZ_QUERY_EXEC_PIPELINE_H

#include "query/exec/execution.h"

// One thread at work on one pipeline.
struct pz_worker {
    struct pz_exec *exec;
    struct pz_pipeline *pipeline;
    uint32_t index;
    struct pz_arena *arena; // lives as long as the execution
    struct pz_arena texts;  // reset before each portion of the source
    void *source_state;
    void *sink_state;
    struct pz_op_state *ops;
    bool is_morsel_done; // set by a sink that needs no more rows of this morsel
};

struct pz_source {
    void *payload;
    uint32_t morsel_count;
    // Once per worker, on its thread; makes worker->source_state.
    enum pz_status (*open)(struct pz_source *source, struct pz_worker *worker,
                           struct pz_error *err);
    // Pushes the portions of one morsel by pz_worker_push.
    enum pz_status (*run)(struct pz_source *source, struct pz_worker *worker, uint32_t morsel,
                          struct pz_error *err);
    void (*close)(struct pz_source *source, struct pz_worker *worker); // may be NULL
    uint64_t row_estimate;                                             // at most so many rows come
    bool has_filter;                                                   // leaves rows out
    bool is_scan;                                                      // of query/exec/scan.h
};

// What a sink can take in the place of rows: statistics of whole blocks (TOTAL) or of day runs.
enum pz_stats_mode { PZ_STATS_NONE, PZ_STATS_TOTAL, PZ_STATS_BY_DAY };
#define PZ_RUN_ALL UINT32_MAX

struct pz_sink {
    void *payload;
    enum pz_stats_mode stats_mode; // only meaningful without operators in between
    // Adds all rows of a block, or of one of its runs (PZ_RUN_ALL = the block), by their
    // statistics. *is_added_out is false when those do not suffice: the rows are scanned then.
    enum pz_status (*add_stats)(struct pz_sink *sink, struct pz_worker *worker,
                                const struct pz_block *block, uint32_t run, bool *is_added_out,
                                struct pz_error *err);
    enum pz_status (*open)(struct pz_sink *sink, struct pz_worker *worker, struct pz_error *err);
    enum pz_status (*consume)(struct pz_sink *sink, struct pz_worker *worker,
                              const struct pz_portion *portion, struct pz_error *err);
    // May be NULL: called after each morsel.
    enum pz_status (*end_morsel)(struct pz_sink *sink, struct pz_worker *worker, uint32_t morsel,
                                 struct pz_error *err);
};

// A filter or a projection on the way.
struct pz_op {
    const struct pz_plan *plan;
};

#define PZ_OPS_MAX 64
struct pz_pipeline {
    struct pz_exec *exec;
    struct pz_source source;
    uint32_t op_count;
    struct pz_op ops[PZ_OPS_MAX];
    struct pz_sink *sink;
};

// Runs all morsels in parallel into the sink. Sink states of the workers that ran are left in
// states_out[0 .. *worker_count_out - 1] (room for PZ_WORKERS_MAX).
PZ_MUST_USE enum pz_status pz_pipeline_run(struct pz_pipeline *pipeline, struct pz_sink *sink,
                                           void **states_out, uint32_t *worker_count_out,
                                           struct pz_error *err);

// Runs the morsels so that `consume` sees the portions in their order, on the calling thread. Stops
// after row_limit rows. A status other than PZ_OK from consume ends it.
struct pz_consumer {
    void *payload;
    enum pz_status (*consume)(void *payload, const struct pz_portion *portion,
                              struct pz_error *err);
};
PZ_MUST_USE enum pz_status pz_pipeline_run_in_order(struct pz_pipeline *pipeline,
                                                    uint64_t row_limit,
                                                    const struct pz_consumer *consumer,
                                                    struct pz_error *err);

// For sources: hands a portion to the operators and the sink.
PZ_MUST_USE enum pz_status pz_worker_push(struct pz_worker *worker,
                                          const struct pz_portion *portion, struct pz_error *err);

// A parallel loop over `count` items for finishing sinks; run(payload, worker, item).
PZ_MUST_USE enum pz_status pz_exec_each(struct pz_exec *exec, uint32_t count,
                                        enum pz_status (*run)(void *payload, uint32_t worker,
                                                              uint32_t item, struct pz_error *err),
                                        void *payload, struct pz_error *err);

// Builds the pipeline that delivers the rows of a plan node, running what it stands on.
PZ_MUST_USE enum pz_status pz_pipeline_build(struct pz_exec *exec, const struct pz_plan *plan,
                                             struct pz_pipeline *pipeline, struct pz_error *err);

#endif
