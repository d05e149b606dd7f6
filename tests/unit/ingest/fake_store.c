// SPDX-License-Identifier: Apache-2.0
// The few functions of storage/store.h that ingest calls, over arrays in memory.
#include "tests/unit/ingest/fake_store.h"

#include "base/clock.h"
#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>

#define DOMAINS_MAX 8u

#define PLAIN(text, kind, needed)                               \
    {                                                           \
        .name = (text), .type = (kind), .is_not_null = (needed) \
    }
#define SYMBOL(text, domain, needed)                                                           \
    {                                                                                          \
        .name = (text), .type = PZ_TYPE_SYMBOL, .is_not_null = (needed), .domain_id = (domain) \
    }

static struct pz_column_def messages[] = {
    PLAIN("message_id", PZ_TYPE_BIGINT, true), SYMBOL("user_id", 1, true),
    PLAIN("created_at", PZ_TYPE_TIMESTAMP, true), PLAIN("body", PZ_TYPE_TEXT, true),
    PLAIN("sentiment", PZ_TYPE_DOUBLE, false)};
static struct pz_column_def likes[] = {
    PLAIN("message_id", PZ_TYPE_BIGINT, true), SYMBOL("user_id", 1, true),
    PLAIN("created_at", PZ_TYPE_TIMESTAMP, true), PLAIN("delta", PZ_TYPE_BIGINT, true)};
static struct pz_column_def views[] = {PLAIN("message_id", PZ_TYPE_BIGINT, true),
                                       SYMBOL("user_id", 1, true),
                                       PLAIN("viewed_at", PZ_TYPE_TIMESTAMP, true),
                                       SYMBOL("device", 2, false),
                                       SYMBOL("geo", 3, false),
                                       PLAIN("watch_ms", PZ_TYPE_BIGINT, false)};
static struct pz_column_def letters[] = {
    PLAIN("source", PZ_TYPE_TEXT, false),         PLAIN("position", PZ_TYPE_BIGINT, false),
    PLAIN("table_name", PZ_TYPE_TEXT, false),     PLAIN("raw", PZ_TYPE_TEXT, false),
    PLAIN("reason", PZ_TYPE_TEXT, false),         PLAIN("place", PZ_TYPE_TEXT, false),
    PLAIN("received_at", PZ_TYPE_TIMESTAMP, true)};
static struct pz_column_def kinds[] = {PLAIN("b", PZ_TYPE_BOOLEAN, false),
                                       PLAIN("i", PZ_TYPE_BIGINT, false),
                                       PLAIN("d", PZ_TYPE_DOUBLE, false),
                                       PLAIN("t", PZ_TYPE_TEXT, false),
                                       SYMBOL("s", 4, false),
                                       PLAIN("at", PZ_TYPE_TIMESTAMP, false),
                                       PLAIN("day", PZ_TYPE_DATE, false),
                                       PLAIN("n", PZ_TYPE_BIGINT, true)};
static struct pz_column_def loose[] = {PLAIN("x", PZ_TYPE_BIGINT, false)};

static const struct pz_table_def tables[] = {
    {PZ_TABLE_MESSAGES, "messages", false, PZ_MESSAGES_CREATED_AT, 5, messages},
    {PZ_TABLE_LIKES, "likes", false, PZ_LIKES_CREATED_AT, 4, likes},
    {PZ_TABLE_VIEWS, "views", false, PZ_VIEWS_VIEWED_AT, 6, views},
    {PZ_TABLE_DEAD_LETTERS, "dead_letters", false, PZ_DEAD_AT, 7, letters},
    {100, "kinds", false, 5, 8, kinds},
    {101, "loose", false, PZ_NO_COLUMN, 1, loose},
};
enum { TABLE_COUNT = sizeof(tables) / sizeof(tables[0]) };

struct domain {
    struct pz_str *names;
    uint32_t count, capacity;
};

struct pz_version {
    struct pz_store *store;
};

struct pz_store {
    struct pz_version version;
    struct pz_mutex mutex; // guards the domains
    struct domain domains[DOMAINS_MAX];
    struct pz_arena arena;
    struct pz_buffer rows[TABLE_COUNT];
    uint64_t row_counts[TABLE_COUNT];
    uint64_t commits, loads;
    int64_t refused;
    unsigned busy;
    bool is_broken;
};

struct pz_load {
    struct pz_store *store;
    struct pz_batch rows;
};

struct pz_store *
fake_store_create(void)
{
    struct pz_store *store = pz_xcalloc(1, sizeof(*store));
    store->version.store = store;
    pz_arena_init(&store->arena, NULL);
    pz_mutex_init(&store->mutex, PZ_RANK_SYMBOLS, "fake symbols");
    return store;
}

void
fake_store_destroy(struct pz_store *store)
{
    for (int i = 0; i < TABLE_COUNT; i++) {
        pz_buffer_fini(&store->rows[i]);
    }
    pz_arena_fini(&store->arena);
    pz_mutex_fini(&store->mutex);
    for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
        free(store->domains[i].names);
    }
    free(store);
}

static int
table_index(const char *name)
{
    for (int i = 0; i < TABLE_COUNT; i++) {
        if (strcmp(tables[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

const char *
fake_store_rows(struct pz_store *store, const char *table)
{
    const struct pz_buffer *rows = &store->rows[table_index(table)];
    return rows->data == NULL ? "" : rows->data;
}

uint64_t
fake_store_row_count(struct pz_store *store, const char *table)
{
    return store->row_counts[table_index(table)];
}

uint64_t
fake_store_commits(const struct pz_store *store)
{
    return store->commits;
}

uint64_t
fake_store_loads(const struct pz_store *store)
{
    return store->loads;
}

void
fake_store_refuse(struct pz_store *store, int64_t number)
{
    store->refused = number;
}

void
fake_store_be_busy(struct pz_store *store, unsigned count)
{
    store->busy = count;
}

void
fake_store_break(struct pz_store *store)
{
    store->is_broken = true;
}

// ---- the store's functions -----------------------------------------------------------------

struct pz_version *
pz_version_acquire(struct pz_store *store)
{
    return &store->version;
}

void
pz_version_release(struct pz_version *version)
{
    (void)version;
}

uint32_t
pz_version_table_count(const struct pz_version *version)
{
    (void)version;
    return TABLE_COUNT;
}

const struct pz_table_def *
pz_version_table_at(const struct pz_version *version, uint32_t index)
{
    (void)version;
    return &tables[index];
}

const struct pz_table_def *
pz_version_find_table(const struct pz_version *version, struct pz_str name)
{
    (void)version;
    for (int i = 0; i < TABLE_COUNT; i++) {
        if (pz_str_equal(name, pz_str_from(tables[i].name))) {
            return &tables[i];
        }
    }
    return NULL;
}

enum pz_status
pz_symbol_intern(struct pz_store *store, uint32_t domain_id, struct pz_str name, uint32_t *code_out,
                 struct pz_error *err)
{
    if (name.len > PZ_SYMBOL_LEN_MAX) {
        return pz_fail(err, PZ_UNACCEPTABLE, "symbol too long");
    }
    struct domain *domain = &store->domains[domain_id];
    pz_mutex_lock(&store->mutex);
    uint32_t code = 0;
    while (code < domain->count && !pz_str_equal(domain->names[code], name)) {
        code++;
    }
    if (code == domain->count) {
        if (domain->count == domain->capacity) {
            domain->capacity = domain->capacity * 2 + 8;
            domain->names = pz_xrealloc(domain->names, domain->capacity * sizeof(*domain->names));
        }
        domain->names[domain->count++] = pz_arena_copy(&store->arena, name);
    }
    pz_mutex_unlock(&store->mutex);
    *code_out = code;
    return PZ_OK;
}

static void
write_value(struct pz_store *store, const struct pz_batch *batch, uint32_t index, size_t row,
            struct pz_buffer *out)
{
    const struct pz_column *column = &batch->columns[index];
    char text[64];
    if (pz_column_is_null(column, row)) {
        pz_buffer_append_c(out, "-");
        return;
    }
    switch (column->type) {
    case PZ_TYPE_BOOLEAN:
        pz_buffer_append_c(out, column->bytes[row] ? "true" : "false");
        break;
    case PZ_TYPE_DOUBLE:
        pz_buffer_append(out, text, pz_format_double(column->reals[row], text));
        break;
    case PZ_TYPE_TEXT:
        pz_buffer_append_str(out, pz_column_text(column, row));
        break;
    case PZ_TYPE_SYMBOL:
        pz_buffer_append_str(
            out, store->domains[batch->def->columns[index].domain_id].names[column->codes[row]]);
        break;
    case PZ_TYPE_TIMESTAMP:
        pz_buffer_append(out, text, pz_format_timestamp(column->ints[row], text));
        break;
    case PZ_TYPE_DATE:
        pz_buffer_append(out, text, pz_format_date(column->ints[row], text));
        break;
    default:
        pz_buffer_append(out, text, pz_format_i64(column->ints[row], text));
        break;
    }
}

static void
keep_rows(struct pz_store *store, const struct pz_batch *batch)
{
    int table = table_index(batch->def->name);
    for (size_t row = 0; row < batch->row_count; row++) {
        bool is_refused = store->refused != 0 && batch->columns[0].type == PZ_TYPE_BIGINT &&
                          batch->columns[0].ints[row] == store->refused;
        for (uint32_t i = 0; !is_refused && i < batch->def->column_count; i++) {
            pz_buffer_append_c(&store->rows[table], i == 0 ? "" : "|");
            write_value(store, batch, i, row, &store->rows[table]);
        }
        if (!is_refused) {
            pz_buffer_append_char(&store->rows[table], '\n');
            store->row_counts[table]++;
        }
    }
}

// Answers for the rows that are refused.
static void
judge(struct pz_store *store, struct pz_write *write)
{
    for (uint32_t i = 0; store->refused != 0 && i < write->batch_count; i++) {
        const struct pz_batch *batch = &write->batches[i];
        for (size_t row = 0; row < batch->row_count; row++) {
            if (batch->columns[0].type != PZ_TYPE_BIGINT ||
                batch->columns[0].ints[row] != store->refused) {
                continue;
            }
            if (write->row_errors == NULL) {
                write->row_errors = pz_xcalloc(PZ_ROW_ERRORS_MAX, sizeof(*write->row_errors));
            }
            write->rejected++;
            struct pz_row_error *error = &write->row_errors[write->row_error_count++];
            error->line = batch->lines == NULL ? 0 : batch->lines[row];
            (void)snprintf(error->message, sizeof(error->message), "refused by the store");
        }
    }
}

enum pz_status
pz_store_submit_wait(struct pz_store *store, struct pz_write *write, struct pz_error *err)
{
    if (store->busy > 0) {
        store->busy--;
        return pz_fail(err, PZ_BUSY, "the queue is full");
    }
    if (store->is_broken) {
        return pz_fail(err, PZ_IO, "the disk is gone");
    }
    judge(store, write);
    if (write->rejected > 0 && write->on_error == PZ_ON_ERROR_ABORT) {
        return pz_fail(err, PZ_UNACCEPTABLE, "rows were refused");
    }
    write->commit = ++store->commits;
    for (uint32_t i = 0; i < write->batch_count; i++) {
        keep_rows(store, &write->batches[i]);
        write->accepted += write->batches[i].row_count;
    }
    write->accepted -= write->rejected;
    return PZ_OK;
}

bool
pz_load_is_possible(const struct pz_table_def *def)
{
    return def->id != PZ_TABLE_MESSAGES && def->id != PZ_TABLE_LIKES;
}

enum pz_status
pz_load_begin(struct pz_store *store, const struct pz_table_def *def, struct pz_load **load_out,
              struct pz_error *err)
{
    struct pz_load *load = pz_xcalloc(1, sizeof(*load));
    load->store = store;
    *load_out = load;
    return pz_batch_init(&load->rows, def, err);
}

enum pz_status
pz_load_add(struct pz_load *load, struct pz_batch *batch, struct pz_error *err)
{
    if (load->store->is_broken) {
        return pz_fail(err, PZ_IO, "the disk is gone");
    }
    PZ_TRY(pz_batch_append_rows(&load->rows, batch, 0, batch->row_count, err));
    pz_batch_clear(batch);
    return PZ_OK;
}

enum pz_status
pz_load_commit(struct pz_load *load, struct pz_batch *dead, struct pz_write *answer,
               struct pz_error *err)
{
    (void)err;
    answer->commit = ++load->store->commits;
    load->store->loads++;
    keep_rows(load->store, &load->rows);
    if (dead != NULL) {
        keep_rows(load->store, dead);
    }
    answer->accepted = load->rows.row_count;
    pz_load_abort(load);
    return PZ_OK;
}

void
pz_load_abort(struct pz_load *load)
{
    if (load != NULL) {
        pz_batch_fini(&load->rows);
        free(load);
    }
}

// ---- a whole load --------------------------------------------------------------------------

enum pz_status
fake_load(struct pz_store *store, const char *table, const struct pz_loader_options *options,
          struct pz_str text, size_t piece, struct pz_load_answer *answer_out,
          struct pz_row_error *errors, struct pz_error *err)
{
    struct pz_loader *loader;
    *answer_out = (struct pz_load_answer){0};
    PZ_TRY(pz_loader_create(store, pz_str_from(table), options, &loader, err));
    piece = piece == 0 ? text.len : piece;
    enum pz_status status = PZ_OK;
    for (size_t at = 0; status == PZ_OK && at < text.len; at += piece) {
        size_t len = text.len - at < piece ? text.len - at : piece;
        char *exact = pz_xmalloc(len); // so that reading past the piece is noticed
        memcpy(exact, text.data + at, len);
        status = pz_loader_feed(loader, exact, len, err);
        free(exact);
    }
    if (status == PZ_OK) {
        status = pz_loader_finish(loader, answer_out, err);
    }
    if (errors != NULL && answer_out->error_count > 0) {
        memcpy(errors, answer_out->errors, answer_out->error_count * sizeof(*errors));
    }
    answer_out->errors = NULL;
    pz_loader_destroy(loader);
    return status;
}
