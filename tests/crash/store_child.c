// SPDX-License-Identifier: Apache-2.0
// The workload of a process that dies. See store_child.h.
#include "tests/crash/store_child.h"
#include "tests/support/test.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOAD_ROWS (PZ_BLOCK_ROWS + 77u)
#define WIDE_ROWS 5000u // views of as many messages: the feed takes them over in steps
#define WIDE_EVERY 40u  // operations of the first worker

const struct pz_store_options child_options = {.create = true,
                                               .is_ephemeral = true,
                                               .seal_rows = 150,
                                               .cache_bytes = 4u << 20,
                                               .map_bytes = 1u << 30};

// ---- reports --------------------------------------------------------------------------------

struct worker {
    struct child *child;
    uint32_t index;
    struct pz_rng rng;
    uint64_t next_number;
    uint64_t loads;
    bool is_wide; // the views to be written are of WIDE_ROWS messages
    struct pz_thread thread;
};

PZ_NORETURN static void PZ_PRINTF(1, 2) die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    _exit(EXIT_WRONG);
}

static void
tell(const struct worker *w, uint64_t number, uint64_t commit)
{
    struct report report = {number, commit, w->child->ledger->ops[number]};
    _Static_assert(sizeof report <= 512, "a pipe takes as much in one piece");
    if (write(w->child->pipe, &report, sizeof report) != (ssize_t)sizeof report) {
        _exit(EXIT_WRONG); // the parent is gone
    }
}

static uint64_t
begin(struct worker *w, struct op op)
{
    struct ledger *ledger = w->child->ledger;
    uint64_t number = w->next_number;
    w->next_number += WORKERS;
    if (number >= OPS_MAX) {
        die("more than %u operations", OPS_MAX);
    }
    op.worker = w->index;
    op.is_late = atomic_load(&w->child->is_failed);
    ledger->ops[number] = op;
    tell(w, number, 0);
    return number;
}

// Notes the answer. Statuses that the test does not provoke end the child.
static void
end(struct worker *w, uint64_t number, enum pz_status status, uint64_t commit,
    const struct pz_error *err)
{
    struct op *op = &w->child->ledger->ops[number];
    switch (status) {
    case PZ_OK:
        op->state = OP_DONE;
        break;
    case PZ_BUSY:
    case PZ_FULL:
        op->state = OP_REFUSED;
        break;
    case PZ_IO: {
        struct pz_store_stats stats;
        pz_store_read_stats(w->child->store, &stats);
        if (stats.is_failed) {
            atomic_store(&w->child->is_failed, true);
        }
        break; // outcome unknown
    }
    default:
        die("operation %llu (kind %d): %s: %s", (unsigned long long)number, (int)op->kind,
            pz_status_name(status), err->message);
    }
    ledger_settle(w->child->ledger, number);
    tell(w, number, status == PZ_OK ? commit : 0);
}

static const struct pz_table_def *
find_table(struct pz_store *store, const char *name)
{
    struct pz_version *version = pz_version_acquire(store);
    const struct pz_table_def *def = pz_version_find_table(version, pz_str_from(name));
    pz_version_release(version); // definitions live as long as the store
    if (def == NULL) {
        die("table %s is not there", name);
    }
    return def;
}

static uint32_t
symbol(struct pz_store *store, uint32_t domain_id, const char *name)
{
    uint32_t code = 0;
    struct pz_error err;
    if (pz_symbol_intern(store, domain_id, pz_str_from(name), &code, &err) != PZ_OK) {
        die("symbol %s: %s", name, err.message);
    }
    return code;
}

static uint32_t
user_of(const struct worker *w)
{
    char name[16];
    (void)snprintf(name, sizeof name, "user%u", w->index);
    return symbol(w->child->store, 1, name);
}

static void
batch_begin(struct pz_batch *batch, const struct pz_table_def *def, size_t rows)
{
    struct pz_error err;
    if (pz_batch_init(batch, def, &err) != PZ_OK || pz_batch_reserve(batch, rows, &err) != PZ_OK) {
        die("batch: %s", err.message);
    }
}

static void
text(struct pz_column *column, const char *value)
{
    struct pz_error err;
    if (pz_column_append_text(column, pz_str_from(value), &err) != PZ_OK) {
        die("text: %s", err.message);
    }
}

static void
row(struct pz_batch *batch, uint64_t line)
{
    struct pz_error err;
    if (pz_batch_end_row(batch, line != 0, line, &err) != PZ_OK) {
        die("row: %s", err.message);
    }
}

static enum pz_status
write_rows(struct worker *w, struct pz_batch *batch, struct pz_write *write, struct pz_error *err)
{
    write->kind = PZ_WRITE_ROWS;
    write->batches = batch;
    write->batch_count = 1;
    return pz_store_submit_wait(w->child->store, write, err);
}

// ---- operations -----------------------------------------------------------------------------

static void
post(struct worker *w)
{
    struct pz_batch batch;
    struct pz_write write = {0};
    struct pz_error err = {0};
    char body[24];
    uint64_t number = begin(w, (struct op){.kind = OP_POST, .rows = 1});
    (void)snprintf(body, sizeof body, "%llu", (unsigned long long)number);
    batch_begin(&batch, find_table(w->child->store, "messages"), 1);
    pz_column_append_null(&batch.columns[PZ_MESSAGES_ID]);
    pz_column_append_code(&batch.columns[PZ_MESSAGES_USER], user_of(w));
    pz_column_append_null(&batch.columns[PZ_MESSAGES_CREATED_AT]);
    text(&batch.columns[PZ_MESSAGES_BODY], body);
    pz_column_append_null(&batch.columns[PZ_MESSAGES_SENTIMENT]);
    row(&batch, 0);
    enum pz_status status = write_rows(w, &batch, &write, &err);
    if (status == PZ_OK) {
        w->child->ledger->ops[number].message_id = batch.columns[PZ_MESSAGES_ID].ints[0];
    }
    end(w, number, status, write.commit, &err);
    pz_batch_fini(&batch);
}

// One of the worker's own operations of a kind that stands, or 0.
static uint64_t
pick(struct worker *w, enum op_kind kind)
{
    const struct ledger *ledger = w->child->ledger;
    uint64_t own = w->next_number / WORKERS;
    for (int attempt = 0; attempt < 30; attempt++) {
        uint64_t number = w->index + pz_rng_below(&w->rng, own) * WORKERS;
        const struct op *op = &ledger->ops[number];
        bool stands = op->kind == kind && op->state == OP_DONE && !op->is_gone;
        if (stands && (kind != OP_NOTES || op->target == 0)) {
            return number;
        }
    }
    return 0;
}

static void
like(struct worker *w, bool is_like)
{
    uint64_t target = pick(w, OP_POST);
    if (target == 0) {
        return;
    }
    const struct op *of = &w->child->ledger->ops[target];
    bool changes = of->is_liked != is_like;
    struct pz_error err = {0};
    uint64_t number = begin(
        w, (struct op){.kind = is_like ? OP_LIKE : OP_UNLIKE, .rows = changes, .target = target});
    struct pz_write write = {.kind = is_like ? PZ_WRITE_LIKE : PZ_WRITE_UNLIKE,
                             .message_id = of->message_id,
                             .user = user_of(w),
                             .at_us = (int64_t)number};
    enum pz_status status = pz_store_submit_wait(w->child->store, &write, &err);
    if (status == PZ_OK && (write.was_changed != changes || write.likes != is_like)) {
        die("operation %llu: changed %d, not %d; likes %lld", (unsigned long long)number,
            write.was_changed, changes, (long long)write.likes);
    }
    end(w, number, status, write.commit, &err);
}

static void
fill_views(struct worker *w, struct pz_batch *batch, uint64_t number, size_t rows)
{
    batch_begin(batch, find_table(w->child->store, "views"), rows);
    uint32_t user = user_of(w);
    for (size_t i = 0; i < rows; i++) {
        pz_column_append_int(&batch->columns[PZ_VIEWS_MESSAGE],
                             w->is_wide ? (int64_t)i + 1 : pz_rng_range(&w->rng, 1, 60));
        pz_column_append_code(&batch->columns[PZ_VIEWS_USER], user);
        pz_column_append_int(&batch->columns[PZ_VIEWS_VIEWED_AT],
                             pz_rng_range(&w->rng, 0, 400000000000));
        pz_column_append_null(&batch->columns[PZ_VIEWS_DEVICE]);
        pz_column_append_null(&batch->columns[PZ_VIEWS_GEO]);
        pz_column_append_int(&batch->columns[PZ_VIEWS_WATCH_MS], (int64_t)number);
        row(batch, 0);
    }
}

static void
fill_notes(struct worker *w, struct pz_batch *batch, uint64_t number, size_t rows)
{
    char name[32];
    char tag[32];
    char words[32];
    notes_name(w->child->ledger, &w->child->ledger->ops[number], name);
    (void)snprintf(tag, sizeof tag, "tag%llu", (unsigned long long)number);
    (void)snprintf(words, sizeof words, "text %llu", (unsigned long long)number);
    batch_begin(batch, find_table(w->child->store, name), rows);
    uint32_t code = symbol(w->child->store, batch->def->columns[2].domain_id, tag);
    for (size_t i = 0; i < rows; i++) {
        pz_column_append_int(&batch->columns[0], (int64_t)number);
        if (pz_rng_chance(&w->rng, 0.1)) {
            pz_column_append_null(&batch->columns[1]);
        } else {
            pz_column_append_int(&batch->columns[1], pz_rng_range(&w->rng, 0, 400000000000));
        }
        pz_column_append_code(&batch->columns[2], code);
        text(&batch->columns[3], words);
        row(batch, 0);
    }
}

static void
add(struct worker *w, enum op_kind kind, uint64_t target)
{
    struct pz_batch batch;
    struct pz_write write = {0};
    struct pz_error err = {0};
    bool is_load = kind == OP_LOAD_VIEWS || kind == OP_LOAD_NOTES;
    bool is_notes = kind == OP_NOTES || kind == OP_LOAD_NOTES;
    uint32_t rows = 1 + (uint32_t)pz_rng_below(&w->rng, 40);
    rows = is_load ? LOAD_ROWS : w->is_wide ? WIDE_ROWS : rows;
    uint64_t number = begin(w, (struct op){.kind = kind, .rows = rows, .target = target});
    if (is_notes) {
        fill_notes(w, &batch, number, rows);
    } else {
        fill_views(w, &batch, number, rows);
    }
    enum pz_status status;
    if (is_load) {
        struct pz_load *load = NULL;
        status = pz_load_begin(w->child->store, batch.def, &load, &err);
        if (status == PZ_OK) {
            status = pz_load_add(load, &batch, &err);
            if (status == PZ_OK) {
                status = pz_load_commit(load, NULL, &write, &err);
            } else {
                pz_load_abort(load);
            }
        }
    } else {
        status = write_rows(w, &batch, &write, &err);
    }
    if (status == PZ_OK && write.accepted != rows) {
        die("operation %llu: %llu rows accepted", (unsigned long long)number,
            (unsigned long long)write.accepted);
    }
    end(w, number, status, write.commit, &err);
    pz_batch_fini(&batch);
}

static void
delete_post(struct worker *w)
{
    uint64_t target = pick(w, OP_POST);
    if (target == 0) {
        return;
    }
    struct pz_error err = {0};
    uint64_t number = begin(w, (struct op){.kind = OP_DELETE_POST, .target = target});
    struct pz_write write = {.kind = PZ_WRITE_DELETE_MESSAGE,
                             .message_id = w->child->ledger->ops[target].message_id};
    enum pz_status status = pz_store_submit_wait(w->child->store, &write, &err);
    end(w, number, status, write.commit, &err);
}

// Selects the rows of one batch, as a DELETE statement would.
static uint64_t **
select_notes(const struct pz_table_rows *rows, uint64_t target, struct pz_page_scratch *scratch)
{
    struct pz_error err;
    uint64_t **blocks = pz_xcalloc(rows->block_count + 1, sizeof *blocks);
    for (uint32_t b = 0; b < rows->block_count; b++) {
        struct pz_block block;
        struct pz_slice slice;
        pz_table_block(rows, b, &block);
        if (pz_block_read(&block, 0, scratch, &slice, &err) != PZ_OK) {
            die("read: %s", err.message);
        }
        for (uint32_t i = 0; i < block.row_count; i++) {
            if (((const int64_t *)slice.data)[i] == (int64_t)target) {
                if (blocks[b] == NULL) {
                    blocks[b] = pz_xcalloc(PZ_BLOCK_ROWS / 64, sizeof(uint64_t));
                }
                pz_bit_set(blocks[b], i);
            }
        }
    }
    return blocks;
}

static void
delete_notes(struct worker *w)
{
    uint64_t target = pick(w, OP_NOTES);
    if (target == 0) {
        return;
    }
    struct pz_store *store = w->child->store;
    struct pz_error err = {0};
    struct pz_table_rows rows;
    const struct pz_table_def *def = find_table(store, "notes");
    struct pz_page_scratch *scratch = pz_page_scratch_create();
    pz_layout_lock(store);
    struct pz_version *version = pz_version_acquire(store);
    pz_version_rows(version, def, &rows);
    uint64_t **blocks = select_notes(&rows, target, scratch);
    struct pz_row_selection selection = {
        .def = def, .version = version, .block_count = rows.block_count, .blocks = blocks};
    struct pz_write write = {.kind = PZ_WRITE_DELETE_ROWS, .selection = &selection};
    uint64_t number = begin(w, (struct op){.kind = OP_DELETE_NOTES, .target = target});
    enum pz_status status = pz_store_submit_wait(store, &write, &err);
    pz_layout_unlock(store);
    if (status == PZ_OK && write.accepted != w->child->ledger->ops[target].rows) {
        die("operation %llu hides %llu rows, not %u", (unsigned long long)number,
            (unsigned long long)write.accepted, w->child->ledger->ops[target].rows);
    }
    end(w, number, status, write.commit, &err);
    for (uint32_t b = 0; b < rows.block_count; b++) {
        free(blocks[b]);
    }
    free((void *)blocks);
    pz_version_release(version);
    pz_page_scratch_destroy(scratch);
}

// A like of no message: refused, and kept as a dead letter.
static void
add_letter(struct worker *w)
{
    struct pz_batch batch;
    struct pz_error err = {0};
    uint64_t number = begin(w, (struct op){.kind = OP_LETTER, .rows = 1});
    batch_begin(&batch, find_table(w->child->store, "likes"), 1);
    pz_column_append_int(&batch.columns[PZ_LIKES_MESSAGE], -1);
    pz_column_append_code(&batch.columns[PZ_LIKES_USER], user_of(w));
    pz_column_append_null(&batch.columns[PZ_LIKES_CREATED_AT]);
    pz_column_append_null(&batch.columns[PZ_LIKES_DELTA]);
    row(&batch, number);
    struct pz_write write = {.on_error = PZ_ON_ERROR_DEAD_LETTER, .source = "store_crash"};
    enum pz_status status = write_rows(w, &batch, &write, &err);
    end(w, number, status, write.commit, &err);
    free(write.row_errors);
    pz_batch_fini(&batch);
}

static void
create_or_drop(struct worker *w)
{
    char name[32];
    struct pz_error err = {0};
    uint64_t target = pz_rng_chance(&w->rng, 0.5) ? pick(w, OP_CREATE) : 0;
    struct op op = {.kind = target != 0 ? OP_DROP : OP_CREATE, .rows = 1, .target = target};
    uint64_t number = begin(w, op);
    (void)snprintf(name, sizeof name, "x%llu", (unsigned long long)(target != 0 ? target : number));
    struct pz_column_def columns[NOTES_COLUMNS];
    struct pz_table_def def = *notes_def(name);
    memcpy(columns, def.columns, sizeof columns);
    (void)snprintf(def.name, sizeof def.name, "%s", name);
    def.columns = columns;
    struct pz_write write = {.kind = target != 0 ? PZ_WRITE_DROP_TABLE : PZ_WRITE_CREATE_TABLE,
                             .table = &def};
    enum pz_status status = pz_store_submit_wait(w->child->store, &write, &err);
    end(w, number, status, write.commit, &err);
}

static void
step(struct worker *w)
{
    uint64_t choice = pz_rng_below(&w->rng, 100);
    if (w->child->is_alone && w->loads < 2) {
        add(w, w->loads++ == 0 ? OP_LOAD_VIEWS : OP_LOAD_NOTES, 0);
    } else if (choice < 20) {
        post(w);
    } else if (choice < 50) {
        like(w, pz_rng_chance(&w->rng, 0.7));
    } else if (choice < 62) {
        add(w, OP_VIEWS, 0);
    } else if (choice < 77) {
        add(w, OP_NOTES, pz_rng_chance(&w->rng, 0.3) ? pick(w, OP_CREATE) : 0);
    } else if (choice < 82) {
        delete_post(w);
    } else if (choice < 87) {
        delete_notes(w);
    } else if (choice < 92) {
        add_letter(w);
    } else if (choice < 97) {
        create_or_drop(w);
    } else if (w->child->is_slow && w->index == 0 && w->loads++ < 2) {
        add(w, choice == 97 ? OP_LOAD_VIEWS : OP_LOAD_NOTES, 0);
    }
}

static void *
run_worker(void *payload)
{
    struct worker *w = payload;
    for (uint32_t i = 0; i < w->child->steps; i++) {
        if (w->index == 0 && i % WIDE_EVERY == WIDE_EVERY / 2) {
            w->is_wide = true;
            add(w, OP_VIEWS, 0);
            w->is_wide = false;
        }
        step(w);
    }
    return NULL;
}

static void
allow_fault(enum pz_status status, const struct pz_error *err)
{
    if (status != PZ_OK && status != PZ_IO && status != PZ_FULL) {
        die("seal or fold: %s: %s", pz_status_name(status), err->message);
    }
}

// Seals and folds beside the upkeep thread, far more often than that would.
static void *
run_keeper(void *payload)
{
    struct child *child = payload;
    for (unsigned round = 1; !atomic_load(&child->is_done); round++) {
        struct pz_error err = {0};
        allow_fault(pz_store_fold_now(child->store, &err), &err);
        if (round % 8 == 0) {
            allow_fault(pz_store_seal_now(child->store, 0, &err), &err);
        }
        pz_clock_sleep_us(500);
    }
    return NULL;
}

static void
create_notes(struct child *child)
{
    struct pz_error err = {0};
    struct pz_write write = {
        .kind = PZ_WRITE_CREATE_TABLE, .table = notes_def("notes"), .if_exists = true};
    if (pz_store_submit_wait(child->store, &write, &err) != PZ_OK) {
        _exit(EXIT_OPEN_FAILED);
    }
}

void
run_child(struct child *child)
{
    struct pz_error err = {0};
    struct worker workers[WORKERS];
    struct pz_thread keeper;
    pz_log_set_level(PZ_LOG_ERROR);
    if (pz_store_open(child->dir, &child_options, &child->store, &err) != PZ_OK) {
        exit(EXIT_OPEN_FAILED);
    }
    create_notes(child);
    for (uint32_t i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){
            .child = child, .index = i, .next_number = child->ledger->next_number + i};
        pz_rng_init(&workers[i].rng, child->seed * WORKERS + i);
    }
    if (child->is_alone) {
        (void)run_worker(&workers[0]);
    } else {
        pz_thread_start(&keeper, "keeper", run_keeper, child);
        for (uint32_t i = 0; i < WORKERS; i++) {
            pz_thread_start(&workers[i].thread, "worker", run_worker, &workers[i]);
        }
        for (uint32_t i = 0; i < WORKERS; i++) {
            pz_thread_join(&workers[i].thread);
        }
        atomic_store(&child->is_done, true);
        pz_thread_join(&keeper);
    }
    pz_store_close(child->store);
    exit(0);
}
