// SPDX-License-Identifier: Apache-2.0
// `plaza import --url`: into a running server, in requests of some megabytes.
//
// Each request is one commit. Pieces end where records end, and a CSV header stands in front of
// each. When one is refused, what came before it is stored, and a person is told with which line to
// go on.
#include "server/cli/import.h"

#include "base/clock.h"
#include "server/cli/cli.h"
#include "server/cli/client.h"
#include "server/http/uri.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PIECE_BYTES (16u << 20)
#define PIECE_BYTES_MAX (60u << 20) // the server takes 64 MiB unless told otherwise

#define BUSY_TRIES 8
#define BUSY_STEP_US (250 * 1000)

struct sender {
    const struct pz_import *import;
    struct pz_client *client;
    struct pz_import_result *result;
    struct pz_client_answer answer;
    struct pz_buffer header; // of CSV
    struct pz_buffer piece;  // header and records
    size_t cut;              // the piece's bytes up to the last end of a record
    uint64_t lines_before;   // of the file, before its first record
    uint64_t lines_done;     // of the file, before the piece's first record
    uint64_t rows;           // that the server has answered for
    bool is_outcome_unknown; // of the piece sent last: the connection broke, or a commit failed
    struct pz_record_cutter cutter;
};

static uint64_t
count_lines(const char *data, size_t len)
{
    uint64_t lines = 0;
    const char *end = data + len;
    for (const char *at = data; at < end; at++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at == NULL) {
            break;
        }
        lines++;
    }
    return lines;
}

static struct pz_buffer
path_of(const struct sender *sender)
{
    const struct pz_import *import = sender->import;
    struct pz_buffer path = {0};
    pz_buffer_append_c(&path, "/v1/tables/");
    pz_uri_encode(&path, pz_str_from(import->table));
    pz_buffer_printf(&path, "/rows?on_error=%s&lines_before=%" PRIu64 "&source=",
                     import->on_error == PZ_ON_ERROR_ABORT ? "abort" : "dead_letter",
                     sender->lines_done);
    char *source = pz_import_source(import);
    pz_uri_encode(&path, pz_str_from(source));
    free(source);
    if (import->ignore_unknown) {
        pz_buffer_append_c(&path, "&ignore_unknown=1");
    }
    if (import->map != NULL) {
        pz_buffer_append_c(&path, "&map=");
        pz_uri_encode(&path, pz_str_from(import->map));
    }
    return path;
}

static const char *
media_type(enum pz_record_format format)
{
    return format == PZ_RECORDS_CSV          ? "text/csv"
           : format == PZ_RECORDS_JSON_ARRAY ? "application/json"
                                             : "application/x-ndjson";
}

static void
note_error(void *payload, const struct pz_client_row_error *error)
{
    pz_import_note(payload, error->line, error->column, error->message, error->snippet);
}

// A server that says 500 may have failed in the commit itself; other numbers of this kind come from
// a proxy that lost its connection to the server. Busy and full are refusals.
static bool
is_unsure(long http_status)
{
    return http_status >= 500 && http_status != 503 && http_status != 507;
}

// Posts a piece; a busy server is asked again after a while.
static enum pz_status
post(struct sender *sender, size_t len, struct pz_error *err)
{
    struct pz_buffer path = path_of(sender);
    const struct pz_client_request request = {.path = path.data,
                                              .content_type = media_type(sender->import->format),
                                              .body = len == 0 ? "" : sender->piece.data,
                                              .body_len = len};
    enum pz_status status;
    for (int i = 0;; i++) {
        status = pz_client_post(sender->client, &request, &sender->answer, err);
        if (status != PZ_OK || sender->answer.http_status != 503 || i == BUSY_TRIES) {
            break;
        }
        pz_clock_sleep_us(BUSY_STEP_US << (i < 3 ? i : 3));
    }
    sender->is_outcome_unknown = status == PZ_OK ? is_unsure(sender->answer.http_status)
                                                 : !pz_client_is_unreachable(sender->client);
    pz_buffer_fini(&path);
    return status;
}

static enum pz_status
send(struct sender *sender, size_t len, struct pz_error *err)
{
    struct pz_client_load load;
    PZ_TRY(post(sender, len, err));
    pz_client_each_row_error(&sender->answer, note_error, sender->result);
    if (sender->answer.http_status != 200) {
        if (pz_client_read_load(&sender->answer, &load, NULL) == PZ_OK) {
            sender->result->rejected += load.rejected;
        }
        return pz_client_fail_problem(&sender->answer, err);
    }
    // Who says yes in words that are not the server's is somebody in between.
    sender->is_outcome_unknown = true;
    PZ_TRY(pz_client_read_load(&sender->answer, &load, err));
    sender->is_outcome_unknown = false;
    sender->result->accepted += load.accepted;
    sender->result->ignored += load.ignored;
    sender->result->rejected += load.rejected;
    sender->result->commit = load.commit;
    sender->rows += load.accepted + load.ignored + load.rejected;
    return PZ_OK;
}

// Sends the piece's first `len` bytes and begins the next one with the rest.
static enum pz_status
send_piece(struct sender *sender, size_t len, struct pz_error *err)
{
    struct pz_buffer *piece = &sender->piece;
    size_t header_len = sender->header.len;
    PZ_TRY(send(sender, len, err));
    if (piece->len == 0) { // of an empty file; the buffer may have no memory yet
        return PZ_OK;
    }
    sender->lines_done += count_lines(piece->data + header_len, len - header_len);
    memmove(piece->data + header_len, piece->data + len, piece->len - len);
    piece->len -= len - header_len;
    sender->cut = header_len;
    return PZ_OK;
}

static enum pz_status
add_bytes(struct sender *sender, const char *data, size_t len, struct pz_error *err)
{
    struct pz_buffer *piece = &sender->piece;
    bool is_array = sender->import->format == PZ_RECORDS_JSON_ARRAY;
    size_t cut = is_array ? 0 : pz_record_cut(&sender->cutter, data, len);
    sender->cut = cut > 0 ? piece->len + cut : sender->cut;
    pz_buffer_append(piece, data, len);
    if (piece->is_failed) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for a piece of %zu bytes", piece->len);
    }
    if (sender->cut >= PIECE_BYTES) {
        return send_piece(sender, sender->cut, err);
    }
    if (piece->len > PIECE_BYTES_MAX) {
        pz_fail(err, PZ_TOO_LARGE,
                is_array ? "the array is longer than %u MiB" : "a record is longer than %u MiB",
                PIECE_BYTES_MAX >> 20);
        pz_error_hint(err, is_array ? "write one object a line instead, e.g. with jq -c '.[]'"
                                    : "in CSV, a quote that is never closed swallows the rest");
        return PZ_TOO_LARGE;
    }
    return PZ_OK;
}

static enum pz_status
begin(struct sender *sender, struct pz_import_input *input, struct pz_error *err)
{
    const struct pz_import *import = sender->import;
    uint64_t header_lines = 0;
    if (import->format == PZ_RECORDS_CSV) {
        PZ_TRY(pz_import_input_header(input, &sender->header, &header_lines, err));
        pz_buffer_append(&sender->piece, sender->header.data, sender->header.len);
        sender->cut = sender->header.len;
    }
    bool has_more = import->skip_lines > header_lines;
    sender->lines_done = has_more ? import->skip_lines : header_lines;
    sender->lines_before = sender->lines_done;
    return has_more ? pz_import_input_skip(input, import->skip_lines - header_lines, err) : PZ_OK;
}

static enum pz_status
send_all(struct sender *sender, struct pz_import_input *input, struct pz_progress *progress,
         struct pz_error *err)
{
    PZ_TRY(begin(sender, input, err));
    for (;;) {
        const char *data;
        size_t len;
        PZ_TRY(pz_import_input_read(input, &data, &len, err));
        if (len == 0) {
            break;
        }
        PZ_TRY(add_bytes(sender, data, len, err));
        pz_progress_show(progress, sender->rows, pz_import_input_done(input),
                         pz_import_input_size(input));
    }
    bool is_array = sender->import->format == PZ_RECORDS_JSON_ARRAY;
    // A file without records is judged as well: the table may not exist.
    bool is_first = sender->lines_done == sender->lines_before;
    return sender->piece.len > sender->header.len || is_array || is_first
               ? send_piece(sender, sender->piece.len, err)
               : PZ_OK;
}

// What is stored after a failure, and how to go on.
static void
say_state(const struct sender *sender)
{
    const struct pz_import *import = sender->import;
    uint64_t first = sender->lines_done + 1;
    if (import->format == PZ_RECORDS_JSON_ARRAY) {
        (void)fprintf(stderr, "%s\n",
                      sender->is_outcome_unknown ? "It is not known whether the rows are stored."
                                                 : "Nothing was stored.");
        return;
    }
    uint64_t last = sender->lines_done + count_lines(sender->piece.data + sender->header.len,
                                                     sender->piece.len - sender->header.len);
    if (sender->lines_done > sender->lines_before) {
        (void)fprintf(stderr, "Lines %" PRIu64 " to %" PRIu64 " are stored.\n",
                      sender->lines_before + 1, sender->lines_done);
    }
    if (sender->is_outcome_unknown) {
        (void)fprintf(
            stderr, "It is not known whether lines %" PRIu64 " to about %" PRIu64 " are stored.\n",
            first, last);
    } else if (sender->lines_done > sender->lines_before) {
        (void)fprintf(stderr,
                      "Nothing from line %" PRIu64
                      " on is stored. Go on with: --skip-lines %" PRIu64 "\n",
                      first, sender->lines_done);
    } else {
        (void)fprintf(stderr, "Nothing was stored.\n");
    }
}

static int
exit_code_of(const struct sender *sender, enum pz_status status, const struct pz_error *err)
{
    if (status == PZ_IO) {
        return pz_client_is_unreachable(sender->client) ? PZ_EXIT_UNREACHABLE : PZ_EXIT_IO;
    }
    return pz_import_exit_code(status, err);
}

int
pz_import_into_server(const struct pz_import *import, struct pz_import_input *input,
                      struct pz_progress *progress, struct pz_import_result *result)
{
    struct pz_error err = {0};
    struct sender sender = {
        .import = import, .result = result, .cutter = {.format = import->format}};
    if (pz_client_create(import->url, &sender.client, &err) != PZ_OK) {
        pz_cli_say("import", &err);
        return PZ_EXIT_USAGE;
    }
    int code = PZ_EXIT_OK;
    enum pz_status status = send_all(&sender, input, progress, &err);
    pz_progress_end(progress);
    if (status != PZ_OK) {
        pz_import_say(&err);
        say_state(&sender);
        code = exit_code_of(&sender, status, &err);
    } else if (result->rejected > 0) {
        code = PZ_EXIT_WARNINGS;
    }
    pz_client_destroy(sender.client);
    pz_client_answer_fini(&sender.answer);
    pz_buffer_fini(&sender.piece);
    pz_buffer_fini(&sender.header);
    return code;
}
