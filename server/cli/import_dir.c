// SPDX-License-Identifier: Apache-2.0
// `plaza import --data`: straight into a data directory that no server has open.
#include "server/cli/import.h"

#include "server/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

static enum pz_status
feed_all(const struct pz_import *import, struct pz_import_input *input, struct pz_loader *loader,
         struct pz_progress *progress, struct pz_error *err)
{
    struct pz_buffer header = {0};
    enum pz_status status = PZ_OK;
    uint64_t header_lines = 0;
    if (import->skip_lines > 0 && import->format == PZ_RECORDS_CSV) {
        status = pz_import_input_header(input, &header, &header_lines, err);
        if (status == PZ_OK && header.len > 0) {
            status = pz_loader_feed(loader, header.data, header.len, err);
        }
    }
    if (status == PZ_OK && import->skip_lines > header_lines) {
        status = pz_import_input_skip(input, import->skip_lines - header_lines, err);
    }
    while (status == PZ_OK) {
        const char *data;
        size_t len;
        status = pz_import_input_read(input, &data, &len, err);
        if (status != PZ_OK || len == 0) {
            break;
        }
        status = pz_loader_feed(loader, data, len, err);
        pz_progress_show(progress, pz_loader_row_count(loader), pz_import_input_done(input),
                         pz_import_input_size(input));
    }
    pz_buffer_fini(&header);
    return status;
}

static void
note_errors(const struct pz_load_answer *answer, struct pz_import_result *result)
{
    for (uint32_t i = 0; i < answer->error_count; i++) {
        const struct pz_row_error *error = &answer->errors[i];
        pz_import_note(result, error->line, pz_str_from(error->column), pz_str_from(error->message),
                       pz_str_from(error->snippet));
    }
}

static enum pz_status
load(const struct pz_import *import, struct pz_import_input *input, struct pz_loader *loader,
     struct pz_progress *progress, struct pz_import_result *result, struct pz_error *err)
{
    struct pz_load_answer answer = {0};
    enum pz_status status = feed_all(import, input, loader, progress, err);
    if (status == PZ_OK) {
        status = pz_loader_finish(loader, &answer, err);
    }
    note_errors(&answer, result);
    result->accepted = answer.accepted;
    result->ignored = answer.ignored;
    result->rejected = answer.rejected;
    result->commit = answer.commit;
    result->is_outcome_unknown = answer.is_outcome_unknown;
    return status;
}

static enum pz_status
load_into_store(const struct pz_import *import, struct pz_import_input *input,
                struct pz_store *store, struct pz_progress *progress,
                struct pz_import_result *result, struct pz_error *err)
{
    struct pz_arena arena;
    struct pz_field_map map = {0};
    struct pz_loader *loader = NULL;
    char *source = pz_import_source(import);
    pz_arena_init(&arena, NULL);
    enum pz_status status =
        pz_field_map_parse(pz_str_from(import->map == NULL ? "" : import->map), &arena, &map, err);
    if (status == PZ_OK) {
        const struct pz_loader_options options = {
            .format = import->format,
            .on_error = import->on_error,
            .ignore_unknown = import->ignore_unknown,
            .map = &map,
            .source = source,
            .lines_before = import->skip_lines,
            .is_atomic = import->on_error == PZ_ON_ERROR_ABORT,
        };
        status = pz_loader_create(store, pz_str_from(import->table), &options, &loader, err);
    }
    if (status == PZ_OK) {
        status = load(import, input, loader, progress, result, err);
        pz_loader_destroy(loader);
    }
    free(source);
    pz_arena_fini(&arena);
    return status;
}

int
pz_import_into_dir(const struct pz_import *import, struct pz_import_input *input,
                   struct pz_progress *progress, struct pz_import_result *result)
{
    struct pz_error err = {0};
    struct pz_store *store = NULL;
    const struct pz_store_options options = {.create = true};
    if (pz_store_open(import->data_dir, &options, &store, &err) != PZ_OK) {
        return (int)pz_cli_fail_open("import", &err, "load into the server that has it: --url URL");
    }
    enum pz_status status = load_into_store(import, input, store, progress, result, &err);
    pz_store_close(store);
    pz_progress_end(progress);
    if (status == PZ_OK) {
        return result->rejected > 0 ? PZ_EXIT_WARNINGS : PZ_EXIT_OK;
    }
    pz_import_say(&err);
    bool is_atomic = import->on_error == PZ_ON_ERROR_ABORT;
    if (result->is_outcome_unknown) {
        (void)fprintf(stderr, "It is not known whether the %s stored.\n",
                      is_atomic ? "rows are" : "last part is");
    }
    if (!is_atomic) {
        (void)fputs("Rows of the parts that were committed before stay.\n", stderr);
    } else if (!result->is_outcome_unknown) {
        (void)fputs("Nothing was stored.\n", stderr);
    }
    return pz_import_exit_code(status, &err);
}
