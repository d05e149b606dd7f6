// SPDX-License-Identifier: Apache-2.0
// From bytes to commits: decompression, records, rows, and what is to be done with the bad ones.
//
//     feed → inflate → split → decode → batch → sink → store
//                                └→ rejects (errors, dead letters)
//
// Everything up to the sink runs on the feeding thread.
#include "base/clock.h"
#include "base/suggest.h"
#include "ingest/decode_csv.h"
#include "ingest/decode_json.h"
#include "ingest/reject.h"
#include "ingest/sink.h"

#include <stdatomic.h>
#include <stdlib.h>

// A batch is handed on when it has this many rows, or about this many bytes.
#define BATCH_ROWS PZ_BLOCK_ROWS
#define BATCH_BYTES (8u << 20)
#define BATCH_CHECK_ROWS 1024u // how often the bytes are counted

#define RECORD_BYTES_MAX PZ_TEXT_LEN_MAX
#define INFLATE_BYTES (256u << 10)
#define LETTER_BYTES_MAX (UINT64_C(1) << 30) // dead letters of one commit

struct pz_loader {
    struct pz_store *store;
    struct pz_version *version; // keeps the definitions of the tables alive
    const struct pz_table_def *def;
    struct pz_loader_options options;
    char *source;
    bool keeps_lines;

    struct pz_inflate *inflate; // NULL: plain
    char *inflated;
    uint64_t body_bytes;
    struct pz__splitter splitter;
    struct pz_buffer pending; // the start of a record whose rest is to come

    struct pz__field_table fields;
    struct pz__row row;
    struct pz__json_decoder json;
    struct pz__csv_decoder csv;
    struct pz_batch batch;
    struct pz__rejects rejects;
    struct pz__sink sink;
    bool is_spoilt; // a bad record was met and the load is to abort: only errors are collected
    _Atomic uint64_t row_count;
    struct pz_error failure; // of an earlier call; status PZ_OK while all is well
};

// ---- creation ------------------------------------------------------------------------------

static enum pz_status
find_table(struct pz_loader *loader, struct pz_str table, struct pz_error *err)
{
    const struct pz_table_def *def = pz_version_find_table(loader->version, table);
    if (def != NULL && !def->is_internal) {
        loader->def = def;
        return PZ_OK;
    }
    struct pz_suggestion suggestion;
    pz_suggest_begin(&suggestion, table);
    for (uint32_t i = 0; i < pz_version_table_count(loader->version); i++) {
        const struct pz_table_def *other = pz_version_table_at(loader->version, i);
        if (!other->is_internal) {
            (void)pz_suggest_offer(&suggestion, pz_str_from(other->name));
        }
    }
    struct pz_str shown = pz_str_cut_utf8(table, PZ_NAME_LEN_MAX);
    pz_fail(err, PZ_NOT_FOUND, "there is no table \"%.*s\"", PZ_STR_ARG(shown));
    (void)pz_suggest_hint(&suggestion, err);
    return PZ_NOT_FOUND;
}

static enum pz_status
init_parts(struct pz_loader *loader, struct pz_error *err)
{
    const struct pz_loader_options *options = &loader->options;
    const struct pz_table_def *letters = NULL;
    if (options->on_error == PZ_ON_ERROR_DEAD_LETTER) {
        letters = pz_version_find_table(loader->version, PZ_STR("dead_letters"));
        PZ_ASSERT(letters != NULL && letters->id == PZ_TABLE_DEAD_LETTERS);
    }
    PZ_TRY(pz__field_table_init(&loader->fields, loader->def, options->map, err));
    PZ_TRY(pz__row_init(&loader->row, loader->store, &loader->fields, err));
    PZ_TRY(pz__json_decoder_init(&loader->json, &loader->fields, options->ignore_unknown, err));
    pz__csv_decoder_init(&loader->csv, &loader->fields, options->ignore_unknown);
    PZ_TRY(pz_batch_init(&loader->batch, loader->def, err));
    PZ_TRY(pz__rejects_init(&loader->rejects, loader->store, loader->def, letters, err));
    loader->rejects.source = loader->source;
    loader->sink.source = loader->source;
    // A CSV header has its own line; the records after it continue from lines_before.
    bool is_csv = options->format == PZ_RECORDS_CSV;
    pz__splitter_init(&loader->splitter, options->format, is_csv ? 1 : options->lines_before + 1);
    if (options->encoding != PZ_ENCODING_PLAIN) {
        loader->inflate = pz_inflate_create(options->encoding);
        loader->inflated = malloc(INFLATE_BYTES);
        if (loader->inflate == NULL || loader->inflated == NULL) {
            return pz_fail(err, PZ_NO_MEMORY, "no memory to decompress the input");
        }
    }
    return PZ_OK;
}

enum pz_status
pz_loader_create(struct pz_store *store, struct pz_str table,
                 const struct pz_loader_options *options, struct pz_loader **loader_out,
                 struct pz_error *err)
{
    *loader_out = NULL;
    struct pz_loader *loader = calloc(1, sizeof(*loader));
    if (loader == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for a load");
    }
    loader->store = store;
    loader->options = *options;
    loader->options.map = NULL; // borrowed for this call only
    loader->source = pz_xstrdup(options->source == NULL ? "" : options->source);
    loader->version = pz_version_acquire(store);
    enum pz_status status = find_table(loader, table, err);
    if (status != PZ_OK) {
        pz_version_release(loader->version);
        free(loader->source);
        free(loader);
        return status;
    }
    loader->keeps_lines = pz_table_is_feed(loader->def->id) && loader->def->id != PZ_TABLE_VIEWS;
    pz__sink_init(&loader->sink, store, loader->def, options->on_error, options->is_atomic);
    loader->options.map = options->map;
    status = init_parts(loader, err);
    loader->options.map = NULL;
    if (status != PZ_OK) {
        pz_loader_destroy(loader);
        return status;
    }
    *loader_out = loader;
    return PZ_OK;
}

void
pz_loader_destroy(struct pz_loader *loader)
{
    if (loader == NULL) {
        return;
    }
    pz__sink_fini(&loader->sink);
    pz__rejects_fini(&loader->rejects);
    pz_batch_fini(&loader->batch);
    pz__csv_decoder_fini(&loader->csv);
    pz__json_decoder_fini(&loader->json);
    pz__row_fini(&loader->row);
    pz__field_table_fini(&loader->fields);
    pz_buffer_fini(&loader->pending);
    if (loader->inflate != NULL) {
        pz_inflate_destroy(loader->inflate);
    }
    free(loader->inflated);
    pz_version_release(loader->version);
    free(loader->source);
    free(loader);
}

// ---- records -------------------------------------------------------------------------------

static enum pz_status
reject(struct pz_loader *loader, const struct pz__record *record, struct pz_error *err)
{
    pz__row_undo(&loader->row);
    if (loader->options.on_error == PZ_ON_ERROR_ABORT && !loader->is_spoilt) {
        loader->is_spoilt = true;
        pz__sink_forget(&loader->sink);
        pz_batch_clear(&loader->batch);
    }
    return pz__rejects_add(&loader->rejects, record, &loader->row.fault, err);
}

// Passes full batches on.
static enum pz_status
hand_on(struct pz_loader *loader, struct pz_error *err)
{
    struct pz_batch *batch = &loader->batch;
    bool is_full = batch->row_count >= BATCH_ROWS;
    if (!is_full && batch->row_count % BATCH_CHECK_ROWS == 0) {
        is_full = pz_batch_bytes(batch) >= BATCH_BYTES;
    }
    if (!is_full) {
        return PZ_OK;
    }
    if (loader->is_spoilt) {
        pz_batch_clear(batch);
        return PZ_OK;
    }
    return pz__sink_add(&loader->sink, batch, &loader->rejects.letters, err);
}

// Letters alone may be many: they must not pile up without bound.
static enum pz_status
check_letters(struct pz_loader *loader, struct pz_error *err)
{
    struct pz_batch *letters = &loader->rejects.letters;
    if (letters->def == NULL || letters->row_count == 0) {
        return PZ_OK;
    }
    if (loader->sink.mode == PZ__SINK_SLICES) {
        return letters->row_count < BATCH_ROWS && pz_batch_bytes(letters) < BATCH_BYTES
                   ? PZ_OK
                   : pz__sink_add(&loader->sink, &loader->batch, letters, err);
    }
    if (pz_batch_bytes(letters) > LETTER_BYTES_MAX) {
        return pz_fail(err, PZ_TOO_LARGE, "the dead letters of one commit are larger than 1 GiB");
    }
    return PZ_OK;
}

static enum pz_status
take_record(struct pz_loader *loader, const struct pz__record *record, struct pz_error *err)
{
    struct pz__row *row = &loader->row;
    bool is_csv = loader->options.format == PZ_RECORDS_CSV;
    if (is_csv && !loader->csv.has_header) {
        PZ_TRY(pz__csv_read_header(&loader->csv, record, row, err));
        if (loader->options.lines_before > 0) {
            loader->splitter.line = loader->options.lines_before + 1;
        }
        return PZ_OK;
    }
    row->batch = &loader->batch;
    bool is_good = pz__row_begin(row);
    is_good = is_good && (is_csv ? pz__csv_decode(&loader->csv, record, row)
                                 : pz__json_decode(&loader->json, record, row));
    is_good = is_good && pz__row_end(row, loader->keeps_lines, record->line);
    atomic_fetch_add_explicit(&loader->row_count, 1, memory_order_relaxed);
    if (is_good) {
        return hand_on(loader, err);
    }
    if (row->failure.status != PZ_OK) {
        if (err != NULL) {
            *err = row->failure;
        }
        return row->failure.status;
    }
    PZ_TRY(reject(loader, record, err));
    return loader->rejects.count % BATCH_CHECK_ROWS == 0 ? check_letters(loader, err) : PZ_OK;
}

static enum pz_status
fail_long(const struct pz_loader *loader, struct pz_error *err)
{
    if (loader->options.format == PZ_RECORDS_JSON_ARRAY) {
        return pz_fail(err, PZ_TOO_LARGE, "element %llu of the array is longer than %u MiB",
                       (unsigned long long)loader->splitter.element + 1, RECORD_BYTES_MAX >> 20);
    }
    pz_fail(err, PZ_TOO_LARGE, "the record in line %llu is longer than %u MiB",
            (unsigned long long)loader->splitter.line, RECORD_BYTES_MAX >> 20);
    if (loader->options.format == PZ_RECORDS_CSV) {
        pz_error_hint(err, "a quote that is never closed swallows what follows it");
    }
    return PZ_TOO_LARGE;
}

// Takes all complete records off the window's start; *used_out bytes are done with.
static enum pz_status
take_records(struct pz_loader *loader, const char *data, size_t len, bool is_last, size_t *used_out,
             struct pz_error *err)
{
    size_t used = 0;
    enum pz_status status = PZ_OK;
    while (status == PZ_OK) {
        struct pz__record window = {
            .data = data + used, .len = len - used, .readable_end = data + len};
        struct pz__record record;
        size_t step;
        enum pz__split split =
            pz__split_next(&loader->splitter, window, is_last, &record, &step, err);
        used += step;
        if (split != PZ__SPLIT_RECORD) {
            status = split == PZ__SPLIT_FAILED ? PZ_INVALID : PZ_OK;
            break;
        }
        status = record.len > RECORD_BYTES_MAX ? fail_long(loader, err)
                                               : take_record(loader, &record, err);
    }
    *used_out = used;
    return status;
}

// Completes the record that was begun, with as little copying as possible: the bytes up to the next
// line feed are added to it. *used_out of `data` are done with.
static enum pz_status
complete_pending(struct pz_loader *loader, const char *data, size_t len, size_t *used_out,
                 struct pz_error *err)
{
    enum { PIECE_BYTES = 65536 };
    struct pz_buffer *pending = &loader->pending;
    *used_out = 0;
    while (pending->len > 0 && *used_out < len) {
        size_t piece = len - *used_out < PIECE_BYTES ? len - *used_out : PIECE_BYTES;
        const char *feed = memchr(data + *used_out, '\n', piece);
        piece = feed == NULL ? piece : (size_t)(feed - (data + *used_out)) + 1;
        pz_buffer_append(pending, data + *used_out, piece);
        if (pending->is_failed) {
            return pz_fail(err, PZ_NO_MEMORY, "no memory for a record of more than %zu bytes",
                           pending->len);
        }
        *used_out += piece;
        size_t used;
        PZ_TRY(take_records(loader, pending->data, pending->len, false, &used, err));
        memmove(pending->data, pending->data + used, pending->len - used);
        pending->len -= used;
        if (pending->len > RECORD_BYTES_MAX) {
            return fail_long(loader, err);
        }
    }
    return PZ_OK;
}

static enum pz_status
take_bytes(struct pz_loader *loader, const char *data, size_t len, struct pz_error *err)
{
    loader->body_bytes += len;
    if (loader->options.body_bytes_max > 0 && loader->body_bytes > loader->options.body_bytes_max) {
        return pz_fail(err, PZ_TOO_LARGE, "the input is larger than %llu bytes",
                       (unsigned long long)loader->options.body_bytes_max);
    }
    size_t done;
    size_t used;
    PZ_TRY(complete_pending(loader, data, len, &done, err));
    if (done == len) {
        return PZ_OK;
    }
    PZ_TRY(take_records(loader, data + done, len - done, false, &used, err));
    done += used;
    if (len - done > RECORD_BYTES_MAX) {
        return fail_long(loader, err);
    }
    pz_buffer_append(&loader->pending, data + done, len - done);
    return loader->pending.is_failed
               ? pz_fail(err, PZ_NO_MEMORY, "no memory for a record of more than %zu bytes",
                         len - done)
               : PZ_OK;
}

// ---- the interface -------------------------------------------------------------------------

static enum pz_status
inflate_bytes(struct pz_loader *loader, const char *data, size_t len, struct pz_error *err)
{
    size_t produced = 1;
    while (len > 0 || produced > 0) {
        size_t used;
        PZ_TRY(pz_inflate_step(loader->inflate, data, len, &used, loader->inflated, INFLATE_BYTES,
                               &produced, err));
        data += used;
        len -= used;
        if (produced > 0) {
            PZ_TRY(take_bytes(loader, loader->inflated, produced, err));
        } else if (used == 0) {
            break;
        }
    }
    return PZ_OK;
}

// The first failure is remembered: what comes after it cannot make the load good again.
static enum pz_status
remember(struct pz_loader *loader, enum pz_status status, const struct pz_error *failure,
         struct pz_error *err)
{
    if (status != PZ_OK) {
        loader->failure = *failure;
        loader->failure.status = status;
        pz__sink_forget(&loader->sink);
        if (err != NULL) {
            *err = loader->failure;
        }
    }
    return status;
}

enum pz_status
pz_loader_feed(struct pz_loader *loader, const void *data, size_t len, struct pz_error *err)
{
    if (loader->failure.status != PZ_OK) {
        return remember(loader, loader->failure.status, &loader->failure, err);
    }
    if (len == 0) {
        return PZ_OK;
    }
    struct pz_error failure = {0};
    enum pz_status status = loader->inflate == NULL ? take_bytes(loader, data, len, &failure)
                                                    : inflate_bytes(loader, data, len, &failure);
    return remember(loader, status, &failure, err);
}

static enum pz_status
end_input(struct pz_loader *loader, struct pz_error *err)
{
    size_t used;
    if (loader->inflate != NULL) {
        PZ_TRY(pz_inflate_finish(loader->inflate, err));
    }
    const char *data = loader->pending.data == NULL ? "" : loader->pending.data;
    PZ_TRY(take_records(loader, data, loader->pending.len, true, &used, err));
    pz_buffer_clear(&loader->pending);
    return PZ_OK;
}

static void
fill_answer(struct pz_loader *loader, struct pz_load_answer *answer)
{
    *answer = (struct pz_load_answer){.rejected = loader->rejects.count,
                                      .errors = loader->rejects.errors,
                                      .error_count = loader->rejects.error_count};
}

static enum pz_status
fail_rejected(const struct pz_loader *loader, struct pz_error *err)
{
    unsigned long long bad = loader->rejects.count;
    unsigned long long all = pz_loader_row_count(loader);
    const struct pz_row_error *first = loader->rejects.errors;
    pz_fail(err, PZ_INVALID, "%llu of %llu rows %s bad, so nothing was stored; line %llu: %s", bad,
            all, bad == 1 ? "is" : "are", (unsigned long long)first->line, first->message);
    pz_error_hint(err, "correct the rows, or use on_error=dead_letter to set them aside");
    return PZ_INVALID;
}

// Commits, and tells what became of the rows.
static enum pz_status
commit(struct pz_loader *loader, struct pz_load_answer *answer, struct pz_error *err)
{
    struct pz__sink_result *result = &loader->sink.result;
    enum pz_status status =
        pz__sink_finish(&loader->sink, &loader->batch, &loader->rejects.letters, err);
    pz__rejects_merge(&loader->rejects, result->errors, result->error_count, result->rejected);
    fill_answer(loader, answer);
    if (status != PZ_OK) {
        answer->is_refused = loader->options.on_error == PZ_ON_ERROR_ABORT && result->rejected > 0;
        answer->is_outcome_unknown = !answer->is_refused && status == PZ_IO;
        return answer->is_refused ? fail_rejected(loader, err) : status;
    }
    answer->ignored = result->ignored;
    answer->accepted = result->submitted - result->ignored - result->rejected;
    answer->commit = result->commit;
    return PZ_OK;
}

enum pz_status
pz_loader_finish(struct pz_loader *loader, struct pz_load_answer *answer_out, struct pz_error *err)
{
    struct pz_error failure = {0};
    enum pz_status status = loader->failure.status;
    *answer_out = (struct pz_load_answer){0};
    if (status != PZ_OK) {
        return remember(loader, status, &loader->failure, err);
    }
    status = end_input(loader, &failure);
    fill_answer(loader, answer_out);
    if (status == PZ_OK && loader->is_spoilt) {
        answer_out->is_refused = true;
        status = fail_rejected(loader, &failure);
    } else if (status == PZ_OK) {
        status = commit(loader, answer_out, &failure);
    }
    return remember(loader, status, &failure, err);
}

uint64_t
pz_loader_row_count(const struct pz_loader *loader)
{
    return atomic_load_explicit(&loader->row_count, memory_order_relaxed);
}
