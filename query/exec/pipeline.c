// SPDX-License-Identifier: Apache-2.0
// Running pipelines: workers, operators on the way, and the order of results.
#include "query/exec/pipeline.h"

#include "query/eval/program.h"
#include "query/exec/rowset.h"

#include <stdlib.h>

// ---- operators -----------------------------------------------------------------------------

struct pz_op_state {
    struct pz_program *program;
    struct pz_vector *results;
    uint16_t *rows; // FILTER: the narrowed selection
};

static enum pz_status
open_op(struct pz_worker *worker, const struct pz_op *op, struct pz_op_state *state,
        struct pz_error *err)
{
    struct pz_exec *exec = worker->exec;
    const struct pz_plan *plan = op->plan;
    bool is_filter = plan->kind == PZ_PLAN_FILTER;
    uint32_t count = is_filter ? 1 : plan->column_count;
    state->results = pz_arena_alloc_zero(worker->arena, count * sizeof(*state->results));
    state->rows = pz_arena_alloc_array(worker->arena, exec->session->vector_rows, sizeof(uint16_t));
    if (state->results == NULL || state->rows == NULL) {
        return pz_exec_fail_memory(exec, "a filter", err);
    }
    return pz_program_create(exec->session, &exec->maps, worker->arena,
                             is_filter ? &plan->filter : plan->exprs, count, &state->program, err);
}

static enum pz_status
push_from(struct pz_worker *worker, uint32_t first_op, const struct pz_portion *portion,
          struct pz_error *err)
{
    struct pz_pipeline *pipeline = worker->pipeline;
    struct pz_portion current = *portion;
    for (uint32_t i = first_op; i < pipeline->op_count && current.rows.count > 0; i++) {
        struct pz_op_state *op = &worker->ops[i];
        const struct pz_plan *plan = pipeline->ops[i].plan;
        PZ_TRY(pz_program_run(op->program, &current, &worker->texts, op->results, err));
        if (plan->kind == PZ_PLAN_FILTER) {
            current.rows = pz_rows_narrow(&current.rows, &op->results[0], op->rows);
        } else {
            current.columns = op->results;
            current.column_count = plan->column_count;
        }
        atomic_fetch_add_explicit(&pz_exec_node(worker->exec, plan)->rows, current.rows.count,
                                  memory_order_relaxed);
    }
    if (current.rows.count == 0) {
        return PZ_OK;
    }
    return pipeline->sink->consume(pipeline->sink, worker, &current, err);
}

enum pz_status
pz_worker_push(struct pz_worker *worker, const struct pz_portion *portion, struct pz_error *err)
{
    return portion->rows.count == 0 ? PZ_OK : push_from(worker, 0, portion, err);
}

static enum pz_status
open_worker(struct pz_worker *worker, struct pz_error *err)
{
    struct pz_pipeline *pipeline = worker->pipeline;
    worker->ops = pz_arena_alloc_zero(worker->arena, pipeline->op_count * sizeof(*worker->ops));
    if (worker->ops == NULL) {
        return pz_exec_fail_memory(worker->exec, "a pipeline", err);
    }
    for (uint32_t i = 0; i < pipeline->op_count; i++) {
        PZ_TRY(open_op(worker, &pipeline->ops[i], &worker->ops[i], err));
    }
    if (pipeline->sink->open != NULL) {
        PZ_TRY(pipeline->sink->open(pipeline->sink, worker, err));
    }
    return pipeline->source.open(&pipeline->source, worker, err);
}

static void
close_worker(struct pz_worker *worker)
{
    struct pz_source *source = &worker->pipeline->source;
    if (source->close != NULL && worker->source_state != NULL) {
        source->close(source, worker);
    }
    pz_arena_fini(&worker->texts);
}

static enum pz_status
run_morsel(struct pz_worker *worker, uint32_t morsel, struct pz_error *err)
{
    struct pz_pipeline *pipeline = worker->pipeline;
    PZ_TRY(pz_session_check(worker->exec->session, err));
    worker->is_morsel_done = false;
    PZ_TRY(pipeline->source.run(&pipeline->source, worker, morsel, err));
    if (pipeline->sink->end_morsel != NULL) {
        PZ_TRY(pipeline->sink->end_morsel(pipeline->sink, worker, morsel, err));
    }
    return PZ_OK;
}

// ---- parallel loops ------------------------------------------------------------------------

// A loop over items shared by workers. The first failure stops all; of several failures the one
// of the lowest item is reported, so that a statement fails in one way as far as can be.
struct loop {
    struct pz_exec *exec;
    enum pz_status (*run)(void *payload, uint32_t worker, uint32_t item, struct pz_error *err);
    void *payload;
    uint32_t end;
    _Atomic uint32_t next;
    _Atomic bool is_stopped;
    struct pz_mutex mutex; // guards the two below
    uint32_t failed_item;
    struct pz_error error;
};

static void
note_failure(struct loop *loop, uint32_t item, const struct pz_error *error)
{
    pz_mutex_lock(&loop->mutex);
    if (loop->error.status == PZ_OK || item < loop->failed_item) {
        loop->error = *error;
        loop->failed_item = item;
    }
    pz_mutex_unlock(&loop->mutex);
    atomic_store(&loop->is_stopped, true);
}

static void
run_loop(void *payload, unsigned worker)
{
    struct loop *loop = payload;
    while (!atomic_load_explicit(&loop->is_stopped, memory_order_relaxed)) {
        uint32_t item = atomic_fetch_add(&loop->next, 1);
        if (item >= loop->end) {
            break;
        }
        struct pz_error error = {.status = PZ_OK};
        enum pz_status status = loop->run(loop->payload, worker, item, &error);
        if (status != PZ_OK) {
            error.status = status;
            note_failure(loop, item, &error);
        }
    }
}

static unsigned
loop_width(const struct pz_exec *exec, uint32_t items)
{
    unsigned width =
        exec->session->threads < PZ_WORKERS_MAX ? exec->session->threads : PZ_WORKERS_MAX;
    width = items < width ? items : width;
    return width == 0 ? 1 : width;
}

static void
give_error(const struct loop *loop, struct pz_error *err)
{
    if (err != NULL) {
        *err = loop->error;
    }
}

static enum pz_status
run_items(struct pz_exec *exec, struct loop *loop)
{
    loop->exec = exec;
    pz_mutex_init(&loop->mutex, PZ_RANK_QUERY, "query loop");
    uint32_t items = loop->end - atomic_load(&loop->next);
    unsigned width = loop_width(exec, items);
    if (width == 1) {
        run_loop(loop, 0);
    } else {
        pz_pool_run(exec->session->pool, width, run_loop, loop);
    }
    pz_mutex_fini(&loop->mutex);
    return loop->error.status;
}

enum pz_status
pz_exec_each(struct pz_exec *exec, uint32_t count,
             enum pz_status (*run)(void *payload, uint32_t worker, uint32_t item,
                                   struct pz_error *err),
             void *payload, struct pz_error *err)
{
    struct loop loop = {.run = run, .payload = payload, .end = count};
    enum pz_status status = run_items(exec, &loop);
    if (status != PZ_OK) {
        give_error(&loop, err);
    }
    return status;
}

// The workers of one pipeline. A worker is opened by the thread that first runs with its number.
struct crew {
    struct pz_pipeline *pipeline;
    unsigned width;
    bool is_open[PZ_WORKERS_MAX];
    struct pz_worker workers[PZ_WORKERS_MAX];
};

static enum pz_status
run_crew_item(void *payload, uint32_t index, uint32_t morsel, struct pz_error *err)
{
    struct crew *crew = payload;
    struct pz_worker *worker = &crew->workers[index];
    PZ_ASSERT(index < crew->width);
    if (!crew->is_open[index]) {
        crew->is_open[index] = true;
        PZ_TRY(open_worker(worker, err));
    }
    return run_morsel(worker, morsel, err);
}

static enum pz_status
crew_init(struct crew *crew, struct pz_pipeline *pipeline, struct pz_error *err)
{
    struct pz_exec *exec = pipeline->exec;
    *crew = (struct crew){.pipeline = pipeline};
    crew->width = loop_width(exec, pipeline->source.morsel_count);
    for (unsigned i = 0; i < crew->width; i++) {
        struct pz_worker *worker = &crew->workers[i];
        *worker = (struct pz_worker){.exec = exec, .pipeline = pipeline, .index = i};
        worker->arena = pz_exec_arena_make(exec);
        if (worker->arena == NULL) {
            return pz_exec_fail_memory(exec, "a pipeline", err);
        }
        pz_arena_init(&worker->texts, exec->session->budget);
    }
    return PZ_OK;
}

static void
crew_fini(struct crew *crew)
{
    for (unsigned i = 0; i < crew->width; i++) {
        if (crew->is_open[i]) {
            close_worker(&crew->workers[i]);
        }
    }
}

enum pz_status
pz_pipeline_run(struct pz_pipeline *pipeline, struct pz_sink *sink, void **states_out,
                uint32_t *worker_count_out, struct pz_error *err)
{
    struct crew *crew = malloc(sizeof(*crew));
    *worker_count_out = 0;
    if (crew == NULL) {
        return pz_exec_fail_memory(pipeline->exec, "a pipeline", err);
    }
    pipeline->sink = sink;
    enum pz_status status = crew_init(crew, pipeline, err);
    if (status == PZ_OK) {
        struct loop loop = {
            .run = run_crew_item, .payload = crew, .end = pipeline->source.morsel_count};
        status = run_items(pipeline->exec, &loop);
        if (status != PZ_OK) {
            give_error(&loop, err);
        }
    }
    for (unsigned i = 0; i < crew->width; i++) {
        if (crew->is_open[i]) {
            states_out[(*worker_count_out)++] = crew->workers[i].sink_state;
        }
    }
    crew_fini(crew);
    free(crew);
    return status;
}

// ---- in order ------------------------------------------------------------------------------

// Rows of one morsel, kept until its turn.
struct kept {
    struct pz_arena arena;
    struct pz_rowset rows;
};

// A wave: some morsels run in parallel, each into its own rows; then they are handed on in order.
struct wave {
    uint32_t first; // morsel
    uint32_t count;
    struct kept *kept;
    uint64_t row_limit; // of one morsel: no more can be needed
};

static enum pz_status
keep_portion(struct pz_sink *sink, struct pz_worker *worker, const struct pz_portion *portion,
             struct pz_error *err)
{
    (void)sink;
    struct kept *kept = worker->sink_state;
    const struct wave *wave = sink->payload;
    if (kept->rows.arena == NULL) {
        pz_rowset_init(&kept->rows, &kept->arena, portion->column_count,
                       worker->exec->session->vector_rows);
    }
    if (!pz_rowset_append(&kept->rows, portion)) {
        return pz_exec_fail_memory(worker->exec, "the result", err);
    }
    worker->is_morsel_done = kept->rows.row_count >= wave->row_limit;
    return PZ_OK;
}

struct wave_run {
    struct crew *crew;
    struct wave *wave;
};

static enum pz_status
run_wave_item(void *payload, uint32_t index, uint32_t item, struct pz_error *err)
{
    const struct wave_run *run = payload;
    run->crew->workers[index].sink_state = &run->wave->kept[item];
    return run_crew_item(run->crew, index, run->wave->first + item, err);
}

static enum pz_status
hand_on(const struct kept *kept, uint64_t *left, const struct pz_consumer *consumer,
        struct pz_error *err)
{
    for (uint32_t i = 0; i<kept->rows.part_count && * left> 0; i++) {
        const struct pz_rowset_part *part = &kept->rows.parts[i];
        uint32_t count = part->row_count < *left ? part->row_count : (uint32_t)*left;
        struct pz_portion portion = {{count, count, NULL}, kept->rows.column_count, part->columns};
        PZ_TRY(consumer->consume(consumer->payload, &portion, err));
        *left -= count;
    }
    return PZ_OK;
}

// How many morsels of a wave may be handed on. One that failed still serves a LIMIT when the rows
// made up to there suffice: alone, a thread would never have come to the error.
static uint32_t
usable_morsels(const struct wave *wave, const struct loop *loop, uint64_t needed)
{
    if (loop->error.status == PZ_OK) {
        return wave->count;
    }
    uint64_t rows = 0;
    for (uint32_t i = 0; i <= loop->failed_item && rows < needed; i++) {
        rows += wave->kept[i].rows.row_count;
    }
    return rows < needed ? 0 : loop->failed_item + 1;
}

static enum pz_status
run_wave(struct crew *crew, struct wave *wave, uint64_t *left, const struct pz_consumer *consumer,
         struct pz_error *err)
{
    struct pz_exec *exec = crew->pipeline->exec;
    struct pz_sink sink = {.payload = wave, .consume = keep_portion};
    crew->pipeline->sink = &sink;
    for (uint32_t i = 0; i < wave->count; i++) {
        wave->kept[i] = (struct kept){0};
        pz_arena_init(&wave->kept[i].arena, exec->session->budget);
    }
    wave->row_limit = *left;
    struct wave_run run = {crew, wave};
    struct loop loop = {.run = run_wave_item, .payload = &run, .end = wave->count};
    enum pz_status status = run_items(exec, &loop);
    uint32_t usable = usable_morsels(wave, &loop, *left);
    if (status != PZ_OK && usable > 0) {
        status = PZ_OK;
    } else if (status != PZ_OK) {
        give_error(&loop, err);
    }
    for (uint32_t i = 0; i < wave->count; i++) {
        if (status == PZ_OK && i < usable) {
            status = hand_on(&wave->kept[i], left, consumer, err);
        }
        pz_arena_fini(&wave->kept[i].arena);
    }
    return status;
}

static enum pz_status
run_waves(struct crew *crew, uint64_t row_limit, const struct pz_consumer *consumer,
          struct pz_error *err)
{
    struct kept kept[2 * PZ_WORKERS_MAX];
    uint32_t morsel_count = crew->pipeline->source.morsel_count;
    uint64_t left = row_limit;
    // Small at first, in case a LIMIT is reached soon.
    uint32_t size = crew->width;
    for (uint32_t first = 0; first < morsel_count && left > 0;) {
        uint32_t count = morsel_count - first < size ? morsel_count - first : size;
        struct wave wave = {.first = first, .count = count, .kept = kept};
        PZ_TRY(run_wave(crew, &wave, &left, consumer, err));
        first += count;
        size = 2 * crew->width;
    }
    return PZ_OK;
}

// On one thread portions can go straight through.
struct straight {
    const struct pz_consumer *consumer;
    uint64_t left;
};

static enum pz_status
pass_on(struct pz_sink *sink, struct pz_worker *worker, const struct pz_portion *portion,
        struct pz_error *err)
{
    struct straight *straight = sink->payload;
    struct pz_portion cut = *portion;
    if (straight->left == 0) {
        return PZ_OK;
    }
    if (cut.rows.count > straight->left) {
        cut.rows.count = (uint32_t)straight->left;
        cut.rows.row_count = cut.rows.rows == NULL ? cut.rows.count : cut.rows.row_count;
    }
    straight->left -= cut.rows.count;
    worker->is_morsel_done = straight->left == 0;
    return straight->consumer->consume(straight->consumer->payload, &cut, err);
}

static enum pz_status
run_straight(struct crew *crew, uint64_t row_limit, const struct pz_consumer *consumer,
             struct pz_error *err)
{
    struct straight straight = {consumer, row_limit};
    struct pz_sink sink = {.payload = &straight, .consume = pass_on};
    crew->pipeline->sink = &sink;
    for (uint32_t i = 0; i < crew->pipeline->source.morsel_count && straight.left > 0; i++) {
        PZ_TRY(run_crew_item(crew, 0, i, err));
    }
    return PZ_OK;
}

static bool
has_filter(const struct pz_pipeline *pipeline)
{
    for (uint32_t i = 0; i < pipeline->op_count; i++) {
        if (pipeline->ops[i].plan->kind == PZ_PLAN_FILTER) {
            return true;
        }
    }
    return false;
}

enum pz_status
pz_pipeline_run_in_order(struct pz_pipeline *pipeline, uint64_t row_limit,
                         const struct pz_consumer *consumer, struct pz_error *err)
{
    struct crew *crew = malloc(sizeof(*crew));
    if (crew == NULL) {
        return pz_exec_fail_memory(pipeline->exec, "the result", err);
    }
    enum pz_status status = crew_init(crew, pipeline, err);
    if (status == PZ_OK) {
        // Without a filter every row goes out, and writing it out takes longer than reading it:
        // the copies of a wave would only cost.
        bool is_straight =
            crew->width == 1 || !(has_filter(pipeline) || pipeline->source.has_filter);
        status = is_straight ? run_straight(crew, row_limit, consumer, err)
                             : run_waves(crew, row_limit, consumer, err);
    }
    crew_fini(crew);
    free(crew);
    return status;
}
