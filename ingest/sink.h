// SPDX-License-Identifier: Apache-2.0
// Full batches to the store, by the way that fits their number: one commit for few rows, segments
// on the side for many, commits one after the other where all-or-nothing was not asked for.
#ifndef PZ_INGEST_SINK_H
#define PZ_INGEST_SINK_H

#include "base/thread.h"
#include "storage/store.h"

enum pz__sink_mode {
    PZ__SINK_GATHER, // keep all rows until the end
    PZ__SINK_SLICES, // commit batch by batch
    PZ__SINK_LOAD,   // hand all rows to one pz_load
};

// Rows, and the dead letters that go with them.
struct pz__sink_job {
    struct pz_batch rows, letters;
};

#define PZ__SINK_JOBS 2u

// What was stored.
struct pz__sink_result {
    uint64_t submitted; // rows, without letters
    uint64_t ignored, rejected;
    uint64_t commit;
    struct pz_row_error *errors; // malloc'ed, the sink's
    uint32_t error_count;
};

// Threads: one caller, and a thread of its own that takes full batches while the caller decodes the
// next one. `mutex` guards first, waiting, is_stopping and status; the job at `first` belongs to
// the sink's thread while waiting > 0, `result`, `error` and `load` until it has ended.
struct pz__sink {
    struct pz_store *store;
    const struct pz_table_def *def;
    enum pz__sink_mode mode;
    enum pz_on_error on_error;
    bool is_atomic;
    const char *source;

    struct pz_batch *gathered;
    size_t gathered_count;
    size_t gathered_capacity;
    size_t gathered_bytes;

    struct pz_load *load;
    struct pz_thread thread;
    bool has_thread;
    struct pz_mutex mutex;
    struct pz_cond cond;
    struct pz__sink_job jobs[PZ__SINK_JOBS];
    uint32_t first, waiting;
    bool is_stopping;
    enum pz_status status;
    struct pz_error error;
    struct pz__sink_result result;
};
void pz__sink_init(struct pz__sink *sink, struct pz_store *store, const struct pz_table_def *def,
                   enum pz_on_error on_error, bool is_atomic);
void pz__sink_fini(struct pz__sink *sink); // forgets what was not committed

// Takes the rows over and leaves an empty batch. The letters are taken in the mode SLICES only,
// where they belong to the same commit; otherwise they stay with the caller until the end.
PZ_MUST_USE enum pz_status pz__sink_add(struct pz__sink *sink, struct pz_batch *rows,
                                        struct pz_batch *letters, struct pz_error *err);
// Forgets all rows taken so far: nothing is going to be stored. Not in the mode SLICES.
void pz__sink_forget(struct pz__sink *sink);
// The last rows and letters (either may be empty); commits what is not committed yet. The result
// is filled also when the store refused rows.
PZ_MUST_USE enum pz_status pz__sink_finish(struct pz__sink *sink, struct pz_batch *rows,
                                           struct pz_batch *letters, struct pz_error *err);

#endif
