// SPDX-License-Identifier: Apache-2.0
// `plaza import`: options, and the report at the end.
#include "server/cli/cli.h"

#include "server/cli/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static const char help[] =
    "Usage: plaza import --table TABLE [options] [FILE | -]\n"
    "\n"
    "  plaza import --table messages posts.ndjson\n"
    "  plaza import --table views --data ./plaza-data views.csv.zst\n"
    "  plaza import --table messages --map user_id=user,body=text --ignore-unknown posts.json\n"
    "  zcat likes.csv.gz | plaza import --table likes --format csv --on-error dead_letter -\n"
    "\n"
    "  --table TABLE         where the rows go\n"
    "  --map COLUMN=FIELD,…  fill columns from fields of other names\n"
    "  --ignore-unknown      pass over fields that no column takes\n"
    "  --format FORMAT       ndjson, csv or json (one array); default: by the file's name,\n"
    "                        ndjson for the standard input\n"
    "  --on-error WHAT       abort (default): a bad row refuses them all;\n"
    "                        dead_letter: bad rows are set aside in the table dead_letters\n"
    "  --url URL             into a running server (default http://127.0.0.1:7780), in parts of\n"
    "                        16 MiB, each of which is stored as a whole or not at all\n"
    "  --data DIR            into a data directory that no server has open; with abort the file\n"
    "                        is stored as a whole or not at all\n"
    "  --skip-lines N        begin behind line N of the file\n"
    "\n"
    "Files may be compressed with gzip or zstd, whatever their name.\n"
    "Exit: 0 all is stored, 1 there is no such table or column, 2 bad rows were set aside,\n"
    "64 usage, 65 bad rows, 69 no server, 74 the file cannot be read, 75 the data directory is in\n"
    "use, 130 interrupted.\n";

static void
report_bad_rows(const struct pz_import_result *result)
{
    if (result->rejects.len > 0) {
        (void)fprintf(stderr, "Bad rows:\n%s", result->rejects.data);
    }
    if (result->rejected > result->reject_count) {
        (void)fprintf(stderr, "  and %" PRIu64 " more\n", result->rejected - result->reject_count);
    }
}

static void
report_totals(const struct pz_import *import, const struct pz_progress *progress,
              const struct pz_import_result *result)
{
    struct pz_buffer line = {0};
    pz_buffer_printf(&line, "%s: ", import->table);
    pz_terminal_append_number(&line, result->accepted);
    pz_buffer_append_c(&line, " accepted, ");
    pz_terminal_append_number(&line, result->ignored);
    pz_buffer_append_c(&line, " ignored, ");
    pz_terminal_append_number(&line, result->rejected);
    pz_buffer_append_c(&line, " rejected (");
    pz_terminal_append_rate(&line, progress, result->accepted + result->ignored + result->rejected);
    pz_buffer_append_c(&line, ")\n");
    if (result->rejected > 0 && import->on_error == PZ_ON_ERROR_DEAD_LETTER) {
        pz_buffer_append_c(&line, "The rejected rows are in the table dead_letters.\n");
    }
    (void)fputs(line.data == NULL ? "" : line.data, stdout);
    (void)fflush(stdout);
    pz_buffer_fini(&line);
}

static bool
ends_with(struct pz_str text, const char *end)
{
    struct pz_str wanted = pz_str_from(end);
    return text.len >= wanted.len &&
           pz_str_equal_nocase((struct pz_str){text.data + text.len - wanted.len, wanted.len},
                               wanted);
}

// By the name, without what compression added to it.
static bool
format_of_name(const char *name, enum pz_record_format *format_out)
{
    static const struct {
        const char *end;
        enum pz_record_format format;
    } ends[] = {{".ndjson", PZ_RECORDS_NDJSON},
                {".jsonl", PZ_RECORDS_NDJSON},
                {".csv", PZ_RECORDS_CSV},
                {".json", PZ_RECORDS_JSON_ARRAY}};
    struct pz_str text = pz_str_from(name);
    text.len -= ends_with(text, ".gz") ? 3 : ends_with(text, ".zst") ? 4 : 0;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (ends_with(text, ends[i].end)) {
            *format_out = ends[i].format;
            return true;
        }
    }
    *format_out = PZ_RECORDS_NDJSON;
    return strcmp(name, "-") == 0;
}

static bool
format_of_option(const char *option, enum pz_record_format *format_out)
{
    static const char *const names[] = {"ndjson", "csv", "json"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(option, names[i]) == 0) {
            *format_out = (enum pz_record_format)i;
            return true;
        }
    }
    return false;
}

// Whether the table has the columns is found out when it is loaded into.
static enum pz_status
check_map(struct pz_str text, struct pz_error *err)
{
    struct pz_arena arena;
    struct pz_field_map map;
    pz_arena_init(&arena, NULL);
    enum pz_status status = pz_field_map_parse(text, &arena, &map, err);
    pz_arena_fini(&arena);
    return status;
}

struct arguments {
    const char *table, *map, *format, *on_error, *data_dir, *url, *skip_lines, *file;
    bool ignore_unknown, wants_help;
};

static enum pz_status
fill_import(const struct arguments *arguments, struct pz_import *import, struct pz_error *err)
{
    *import = (struct pz_import){.table = arguments->table,
                                 .file = arguments->file == NULL ? "-" : arguments->file,
                                 .map = arguments->map,
                                 .data_dir = arguments->data_dir,
                                 .url = arguments->url,
                                 .ignore_unknown = arguments->ignore_unknown};
    if (import->table == NULL) {
        return pz_fail(err, PZ_INVALID, "--table is needed");
    }
    if (import->url != NULL && import->data_dir != NULL) {
        return pz_fail(err, PZ_INVALID, "--url and --data exclude each other");
    }
    if (import->data_dir == NULL && import->url == NULL) {
        import->url = "http://127.0.0.1:7780";
    }
    if (arguments->file == NULL && isatty(STDIN_FILENO)) {
        return pz_fail(err, PZ_INVALID, "a file is needed, or - for the standard input");
    }
    if (arguments->format != NULL ? !format_of_option(arguments->format, &import->format)
                                  : !format_of_name(import->file, &import->format)) {
        return pz_fail(err, PZ_INVALID, "%s",
                       arguments->format != NULL
                           ? "--format must be ndjson, csv or json"
                           : "the file's name does not tell its format; give --format");
    }
    if (arguments->map != NULL) {
        PZ_TRY(check_map(pz_str_from(arguments->map), err));
    }
    if (arguments->on_error != NULL && strcmp(arguments->on_error, "dead_letter") == 0) {
        import->on_error = PZ_ON_ERROR_DEAD_LETTER;
    } else if (arguments->on_error != NULL && strcmp(arguments->on_error, "abort") != 0) {
        return pz_fail(err, PZ_INVALID, "--on-error must be abort or dead_letter");
    }
    if (arguments->skip_lines != NULL &&
        (!pz_parse_u64(pz_str_from(arguments->skip_lines), &import->skip_lines) ||
         import->format == PZ_RECORDS_JSON_ARRAY)) {
        return pz_fail(err, PZ_INVALID, "--skip-lines needs a number, and a format of lines");
    }
    return PZ_OK;
}

static int
run(const struct pz_import *import)
{
    struct pz_error err = {0};
    struct pz_import_input *input;
    struct pz_import_result result = {0};
    struct pz_progress progress;
    if (pz_import_input_open(import->file, &input, &err) != PZ_OK) {
        pz_cli_say("import", &err);
        return err.status == PZ_NOT_FOUND ? PZ_EXIT_IO : (int)pz_cli_exit_code(&err);
    }
    pz_terminal_catch_interrupts();
    pz_progress_begin(&progress, import->table);
    int code = import->data_dir != NULL ? pz_import_into_dir(import, input, &progress, &result)
                                        : pz_import_into_server(import, input, &progress, &result);
    report_bad_rows(&result);
    // After a failure of another kind than bad rows, what is stored has been said already.
    if (code == PZ_EXIT_OK || code == PZ_EXIT_WARNINGS || code == PZ_EXIT_DATA) {
        report_totals(import, &progress, &result);
    }
    pz_import_input_close(input);
    pz_buffer_fini(&result.rejects);
    return code;
}

int
pz_cli_import(int argc, char **argv)
{
    struct arguments a = {0};
    struct pz_import import;
    struct pz_error err = {0};
    const struct pz_cli_option options[] = {{"table", 't', &a.table, NULL},
                                            {"map", 0, &a.map, NULL},
                                            {"ignore-unknown", 0, NULL, &a.ignore_unknown},
                                            {"format", 0, &a.format, NULL},
                                            {"on-error", 0, &a.on_error, NULL},
                                            {"data", 0, &a.data_dir, NULL},
                                            {"url", 0, &a.url, NULL},
                                            {"skip-lines", 0, &a.skip_lines, NULL},
                                            {"help", 'h', NULL, &a.wants_help},
                                            {0}};
    if (!pz_cli_parse("import", argc, argv, options, &a.file)) {
        return PZ_EXIT_USAGE;
    }
    if (a.wants_help) {
        (void)fputs(help, stdout);
        return PZ_EXIT_OK;
    }
    if (fill_import(&a, &import, &err) != PZ_OK) {
        pz_error_hint(&err, "plaza import --help shows examples");
        pz_cli_say("import", &err);
        return PZ_EXIT_USAGE;
    }
    return run(&import);
}
