// SPDX-License-Identifier: Apache-2.0
// From batches to commits. Decoding and storing are about equal work, so a second thread stores one
// batch while the caller decodes the next; two batches may wait, which bounds the memory.
#include "ingest/sink.h"

#include "base/clock.h"

#include <stdlib.h>

// Rows that are kept for one commit may take this much memory.
#define GATHERED_BYTES_MAX (UINT64_C(2) << 30)

// How long a slice waits for room in the store's queue before the load fails.
#define BUSY_WAIT_US (10 * PZ_US_PER_SECOND)
#define BUSY_STEP_US 5000

void
pz__sink_init(struct pz__sink *sink, struct pz_store *store, const struct pz_table_def *def,
              enum pz_on_error on_error, bool is_atomic)
{
    *sink =
        (struct pz__sink){.store = store, .def = def, .on_error = on_error, .is_atomic = is_atomic};
    if (pz_load_is_possible(def)) {
        sink->mode = PZ__SINK_LOAD;
    } else if (on_error == PZ_ON_ERROR_DEAD_LETTER && !is_atomic) {
        sink->mode = PZ__SINK_SLICES;
    } else {
        sink->mode = PZ__SINK_GATHER;
    }
    pz_mutex_init(&sink->mutex, PZ_RANK_LEAF, "ingest sink");
    pz_cond_init(&sink->cond);
}

static void
stop_thread(struct pz__sink *sink)
{
    if (!sink->has_thread) {
        return;
    }
    pz_mutex_lock(&sink->mutex);
    sink->is_stopping = true;
    pz_cond_broadcast(&sink->cond);
    pz_mutex_unlock(&sink->mutex);
    pz_thread_join(&sink->thread);
    sink->has_thread = false;
}

static void
drop_gathered(struct pz__sink *sink)
{
    for (size_t i = 0; i < sink->gathered_count; i++) {
        pz_batch_fini(&sink->gathered[i]);
    }
    sink->gathered_count = 0;
    sink->gathered_bytes = 0;
}

void
pz__sink_forget(struct pz__sink *sink)
{
    stop_thread(sink);
    pz_load_abort(sink->load);
    sink->load = NULL;
    drop_gathered(sink);
}

void
pz__sink_fini(struct pz__sink *sink)
{
    pz__sink_forget(sink);
    for (uint32_t i = 0; i < PZ__SINK_JOBS; i++) {
        pz_batch_fini(&sink->jobs[i].rows);
        pz_batch_fini(&sink->jobs[i].letters);
    }
    free(sink->gathered);
    free(sink->result.errors);
    pz_cond_fini(&sink->cond);
    pz_mutex_fini(&sink->mutex);
}

// ---- commits -------------------------------------------------------------------------------

static void
add_answer(struct pz__sink *sink, struct pz_write *write)
{
    struct pz__sink_result *result = &sink->result;
    result->ignored += write->ignored;
    result->rejected += write->rejected;
    result->commit = write->commit > result->commit ? write->commit : result->commit;
    uint32_t room = PZ_ROW_ERRORS_MAX - result->error_count;
    uint32_t count = write->row_error_count < room ? write->row_error_count : room;
    if (count > 0 && result->errors == NULL) {
        result->errors = malloc(PZ_ROW_ERRORS_MAX * sizeof(*result->errors));
    }
    if (count > 0 && result->errors != NULL) {
        memcpy(result->errors + result->error_count, write->row_errors,
               count * sizeof(*result->errors));
        result->error_count += count;
    }
    free(write->row_errors);
    write->row_errors = NULL;
}

static size_t
rows_for_table(const struct pz_batch *batches, uint32_t count, const struct pz_table_def *def)
{
    size_t rows = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows += batches[i].def->id == def->id ? batches[i].row_count : 0;
    }
    return rows;
}

// One durable commit of some batches.
static enum pz_status
write_rows(struct pz__sink *sink, struct pz_batch *batches, uint32_t count, size_t row_count,
           struct pz_error *err)
{
    int64_t give_up_us = pz_clock_mono_us() + (sink->is_atomic ? 0 : BUSY_WAIT_US);
    enum pz_status status;
    for (;;) {
        struct pz_write write = {.kind = PZ_WRITE_ROWS,
                                 .batches = batches,
                                 .batch_count = count,
                                 .on_error = sink->on_error,
                                 .source = sink->source};
        status = pz_store_submit_wait(sink->store, &write, err);
        add_answer(sink, &write);
        if (status != PZ_BUSY || pz_clock_mono_us() >= give_up_us) {
            break;
        }
        pz_clock_sleep_us(BUSY_STEP_US);
    }
    if (status == PZ_OK) {
        sink->result.submitted += row_count;
    }
    return status;
}

// Rows with their letters; either may be empty.
static enum pz_status
write_job(struct pz__sink *sink, struct pz_batch *rows, struct pz_batch *letters,
          struct pz_error *err)
{
    struct pz_batch batches[2];
    uint32_t count = 0;
    if (rows->row_count > 0) {
        batches[count++] = *rows;
    }
    if (letters->def != NULL && letters->row_count > 0) {
        batches[count++] = *letters;
    }
    if (count == 0) {
        return PZ_OK;
    }
    return write_rows(sink, batches, count, rows->row_count, err);
}

// ---- loads ---------------------------------------------------------------------------------

static enum pz_status
load_rows(struct pz__sink *sink, struct pz_batch *rows, struct pz_error *err)
{
    if (sink->load == NULL) {
        PZ_TRY(pz_load_begin(sink->store, sink->def, &sink->load, err));
    }
    size_t count = rows->row_count;
    PZ_TRY(pz_load_add(sink->load, rows, err));
    sink->result.submitted += count;
    return PZ_OK;
}

// ---- the thread ----------------------------------------------------------------------------

static void *
run(void *payload)
{
    struct pz__sink *sink = payload;
    pz_mutex_lock(&sink->mutex);
    for (;;) {
        while (sink->waiting == 0 && !sink->is_stopping) {
            pz_cond_wait(&sink->cond, &sink->mutex);
        }
        if (sink->is_stopping) {
            break;
        }
        struct pz__sink_job *job = &sink->jobs[sink->first];
        bool is_failed = sink->status != PZ_OK;
        pz_mutex_unlock(&sink->mutex);
        enum pz_status status = PZ_OK;
        if (!is_failed) {
            status = sink->mode == PZ__SINK_LOAD
                         ? load_rows(sink, &job->rows, &sink->error)
                         : write_job(sink, &job->rows, &job->letters, &sink->error);
        }
        pz_batch_clear(&job->rows);
        if (job->letters.def != NULL) {
            pz_batch_clear(&job->letters);
        }
        pz_mutex_lock(&sink->mutex);
        sink->status = is_failed ? sink->status : status;
        sink->first = (sink->first + 1) % PZ__SINK_JOBS;
        sink->waiting--;
        pz_cond_broadcast(&sink->cond);
    }
    pz_mutex_unlock(&sink->mutex);
    return NULL;
}

static void
swap_batches(struct pz_batch *a, struct pz_batch *b)
{
    struct pz_batch other = *a;
    *a = *b;
    *b = other;
}

// Waits until at most `waiting_max` jobs wait, or one failed.
static enum pz_status
wait_for_jobs(struct pz__sink *sink, uint32_t waiting_max, struct pz_error *err)
{
    pz_mutex_lock(&sink->mutex);
    while (sink->waiting > waiting_max && sink->status == PZ_OK) {
        pz_cond_wait(&sink->cond, &sink->mutex);
    }
    enum pz_status status = sink->status;
    pz_mutex_unlock(&sink->mutex);
    if (status != PZ_OK && err != NULL) {
        *err = sink->error; // not changed again once the status is set
    }
    return status;
}

static enum pz_status
hand_over(struct pz__sink *sink, struct pz_batch *rows, struct pz_batch *letters,
          struct pz_error *err)
{
    if (!sink->has_thread) {
        sink->has_thread = true;
        pz_thread_start(&sink->thread, "ingest", run, sink);
    }
    PZ_TRY(wait_for_jobs(sink, PZ__SINK_JOBS - 1, err));
    // Only this caller adds jobs, so the place stays free without the lock.
    pz_mutex_lock(&sink->mutex);
    struct pz__sink_job *job = &sink->jobs[(sink->first + sink->waiting) % PZ__SINK_JOBS];
    pz_mutex_unlock(&sink->mutex);
    if (job->rows.def == NULL) {
        PZ_TRY(pz_batch_init(&job->rows, rows->def, err));
    }
    swap_batches(&job->rows, rows);
    if (sink->mode == PZ__SINK_SLICES) {
        if (job->letters.def == NULL) {
            PZ_TRY(pz_batch_init(&job->letters, letters->def, err));
        }
        swap_batches(&job->letters, letters);
    }
    pz_mutex_lock(&sink->mutex);
    sink->waiting++;
    pz_cond_broadcast(&sink->cond);
    pz_mutex_unlock(&sink->mutex);
    return PZ_OK;
}

// ---- gathering -----------------------------------------------------------------------------

static enum pz_status
gather(struct pz__sink *sink, struct pz_batch *rows, struct pz_error *err)
{
    if (sink->gathered_count == sink->gathered_capacity) {
        size_t capacity = sink->gathered_capacity == 0 ? 16 : sink->gathered_capacity * 2;
        struct pz_batch *gathered = realloc(sink->gathered, capacity * sizeof(*gathered));
        if (gathered == NULL) {
            return pz_fail(err, PZ_NO_MEMORY, "no memory for the rows of one commit");
        }
        sink->gathered = gathered;
        sink->gathered_capacity = capacity;
    }
    sink->gathered_bytes += pz_batch_bytes(rows);
    if (sink->gathered_bytes > GATHERED_BYTES_MAX) {
        pz_fail(err, PZ_TOO_LARGE,
                "the rows for table %s need more than 2 GiB of memory in one commit",
                sink->def->name);
        pz_error_hint(err, "split the file, or load it with on_error=dead_letter");
        return PZ_TOO_LARGE;
    }
    struct pz_batch empty;
    PZ_TRY(pz_batch_init(&empty, rows->def, err));
    sink->gathered[sink->gathered_count++] = *rows;
    *rows = empty;
    return PZ_OK;
}

static enum pz_status
write_gathered(struct pz__sink *sink, struct pz_batch *rows, struct pz_batch *letters,
               struct pz_error *err)
{
    if (sink->gathered_count == 0) {
        return write_job(sink, rows, letters, err);
    }
    if (rows->row_count > 0) {
        PZ_TRY(gather(sink, rows, err));
    }
    if (letters->def != NULL && letters->row_count > 0) {
        PZ_TRY(gather(sink, letters, err));
    }
    if (sink->is_atomic) {
        return write_rows(sink, sink->gathered, (uint32_t)sink->gathered_count,
                          rows_for_table(sink->gathered, (uint32_t)sink->gathered_count, sink->def),
                          err);
    }
    for (size_t i = 0; i < sink->gathered_count; i++) {
        PZ_TRY(write_rows(sink, &sink->gathered[i], 1,
                          rows_for_table(&sink->gathered[i], 1, sink->def), err));
    }
    return PZ_OK;
}

// ---- the interface -------------------------------------------------------------------------

enum pz_status
pz__sink_add(struct pz__sink *sink, struct pz_batch *rows, struct pz_batch *letters,
             struct pz_error *err)
{
    bool has_letters = letters->def != NULL && letters->row_count > 0;
    if (rows->row_count == 0 && (sink->mode != PZ__SINK_SLICES || !has_letters)) {
        return PZ_OK;
    }
    return sink->mode == PZ__SINK_GATHER ? gather(sink, rows, err)
                                         : hand_over(sink, rows, letters, err);
}

enum pz_status
pz__sink_finish(struct pz__sink *sink, struct pz_batch *rows, struct pz_batch *letters,
                struct pz_error *err)
{
    if (!sink->has_thread) {
        return write_gathered(sink, rows, letters, err);
    }
    PZ_TRY(pz__sink_add(sink, rows, letters, err));
    enum pz_status status = wait_for_jobs(sink, 0, err);
    stop_thread(sink);
    if (status != PZ_OK || sink->mode != PZ__SINK_LOAD) {
        return status;
    }
    struct pz_write answer = {.kind = PZ_WRITE_ROWS, .source = sink->source};
    bool has_letters = letters->def != NULL && letters->row_count > 0;
    struct pz_load *load = sink->load;
    sink->load = NULL;
    status = pz_load_commit(load, has_letters ? letters : NULL, &answer, err);
    add_answer(sink, &answer);
    return status;
}
