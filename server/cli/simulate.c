// SPDX-License-Identifier: Apache-2.0
// `plaza simulate`: writes a workload to files, or sends it to a running server.
#include "server/cli/cli.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/num.h"
#include "server/cli/client.h"
#include "server/cli/terminal.h"
#include "server/cli/workload.h"

#include <stdio.h>

#define FILE_PIECE_BYTES (4u << 20)
#define HTTP_PIECE_BYTES (8u << 20)

static const char help[] =
    "Usage: plaza simulate [options] (--url http://HOST:PORT | --out DIR)\n"
    "\n"
    "  plaza simulate --url http://127.0.0.1:7780\n"
    "  plaza simulate --users 10000 --messages 100000 --views 10M --out ./workload\n"
    "\n"
    "Writes believable traffic: busy and quiet users, hot messages, days and weeks with their\n"
    "rhythm, 1 % late events, likes that are taken back. The same options give the same rows.\n"
    "\n"
    "  --users N         (default 1000)\n"
    "  --messages N      (default 10000)\n"
    "  --likes N         rows of likes, some of which take a like back (default 50000)\n"
    "  --views N         (default 200000)\n"
    "  --days N          how many days it covers (default 90)\n"
    "  --seed S          (default 1)\n"
    "  --until DATE      the day after the last event (default 2026-11-20)\n"
    "  --url URL         send it to a server; messages get ids after those it has\n"
    "  --out DIR         write messages.ndjson, likes.ndjson and views.ndjson\n"
    "\n"
    "Numbers may end in k, M or G. Exit: 0 done, 64 usage, 69 no server, 73 a file cannot be\n"
    "written, 130 interrupted.\n";

struct arguments {
    const char *users, *messages, *likes, *views, *days, *seed, *until, *url, *out;
    bool wants_help;
};

static enum pz_status
read_count(const char *name, const char *text, uint64_t initial, uint64_t *out,
           struct pz_error *err)
{
    *out = initial;
    if (text != NULL && !pz_terminal_parse_count(text, out)) {
        return pz_fail(err, PZ_INVALID, "--%s: \"%s\" is not a count like 5000 or 10M", name, text);
    }
    return PZ_OK;
}

static enum pz_status
read_options(const struct arguments *arguments, struct pz_workload_options *options,
             struct pz_error *err)
{
    const char *until = arguments->until == NULL ? "2026-11-20" : arguments->until;
    PZ_TRY(read_count("users", arguments->users, 1000, &options->users, err));
    PZ_TRY(read_count("messages", arguments->messages, 10000, &options->messages, err));
    PZ_TRY(read_count("likes", arguments->likes, 50000, &options->likes, err));
    PZ_TRY(read_count("views", arguments->views, 200000, &options->views, err));
    PZ_TRY(read_count("days", arguments->days, 90, &options->days, err));
    PZ_TRY(read_count("seed", arguments->seed, 1, &options->seed, err));
    if (!pz_parse_date(pz_str_from(until), &options->until_day)) {
        return pz_fail(err, PZ_INVALID, "--until: \"%s\" is not a date like 2026-11-20", until);
    }
    if (options->until_day - (int64_t)options->days < PZ_TIMESTAMP_MIN / PZ_US_PER_DAY) {
        return pz_fail(err, PZ_INVALID, "--until and --days reach back before the year 1");
    }
    return PZ_OK;
}

static uint64_t
rows_wanted(const struct pz_workload_options *options, int table)
{
    const uint64_t counts[PZ_WORKLOAD_TABLES] = {options->messages, options->likes, options->views};
    return counts[table];
}

// What was done with one table, on stdout.
static void
say_done(struct pz_progress *progress, int table, uint64_t rows, uint64_t ignored)
{
    struct pz_buffer line = {0};
    pz_buffer_printf(&line, "%-9s ", pz_workload_table_names[table]);
    pz_terminal_append_number(&line, rows);
    pz_buffer_append_c(&line, " rows, ");
    pz_terminal_append_rate(&line, progress, rows);
    if (ignored > 0) {
        pz_buffer_append_c(&line, ", of which changed nothing: ");
        pz_terminal_append_number(&line, ignored);
    }
    pz_progress_end(progress);
    (void)printf("%s\n", line.data == NULL ? "" : line.data);
    (void)fflush(stdout);
    pz_buffer_fini(&line);
}

// ---- files ---------------------------------------------------------------------------------

static enum pz_status
write_rows(struct pz_workload *workload, const struct pz_workload_options *options, int table,
           struct pz_file *file, const char *path, struct pz_error *err)
{
    struct pz_progress progress;
    struct pz_buffer piece = {0};
    enum pz_status status = PZ_OK;
    uint64_t rows = 0;
    uint64_t more;
    pz_progress_begin(&progress, pz_workload_table_names[table]);
    while (status == PZ_OK && (more = pz_workload_write(workload, (enum pz_workload_table)table,
                                                        FILE_PIECE_BYTES, &piece)) > 0) {
        rows += more;
        status = pz_terminal_is_interrupted()
                     ? pz_fail(err, PZ_CANCELED, "interrupted")
                     : pz_file_write(file, piece.data, piece.len, path, err);
        pz_buffer_clear(&piece);
        pz_progress_show(&progress, rows, rows, rows_wanted(options, table));
    }
    if (status == PZ_OK && piece.is_failed) {
        status = pz_fail(err, PZ_NO_MEMORY, "no memory for the rows");
    }
    pz_buffer_fini(&piece);
    if (status == PZ_OK) {
        say_done(&progress, table, rows, 0);
    }
    pz_progress_end(&progress);
    return status;
}

static enum pz_status
write_file(struct pz_workload *workload, const struct pz_workload_options *options, const char *dir,
           int table, struct pz_error *err)
{
    struct pz_buffer path = {0};
    struct pz_file file;
    pz_buffer_printf(&path, "%s/%s.ndjson", dir, pz_workload_table_names[table]);
    enum pz_status status = pz_file_open(path.data, PZ_FILE_CREATE_OR_TRUNCATE, &file, err);
    if (status == PZ_OK) {
        status = write_rows(workload, options, table, &file, path.data, err);
        enum pz_status closed = pz_file_close(&file, path.data, status == PZ_OK ? err : NULL);
        status = status == PZ_OK ? closed : status;
    }
    pz_buffer_fini(&path);
    return status;
}

static int
write_files(struct pz_workload *workload, const struct pz_workload_options *options,
            const char *dir)
{
    struct pz_error err = {0};
    enum pz_status status = pz_dir_create(dir, &err);
    for (int table = 0; status == PZ_OK && table < PZ_WORKLOAD_TABLES; table++) {
        status = write_file(workload, options, dir, table, &err);
    }
    if (status == PZ_OK) {
        return PZ_EXIT_OK;
    }
    pz_cli_say("simulate", &err);
    return status == PZ_CANCELED ? PZ_EXIT_INTERRUPTED : PZ_EXIT_CANNOT_CREATE;
}

// ---- a server ------------------------------------------------------------------------------

// The largest message id the server has, 0 when it has none.
static enum pz_status
ask_largest_id(struct pz_client *client, int64_t *id_out, struct pz_error *err)
{
    static const char sql[] = "SELECT max(message_id) FROM messages";
    struct pz_client_answer answer = {0};
    const struct pz_client_request request = {.path = "/v1/sql",
                                              .content_type = "application/sql",
                                              .accept = "text/csv",
                                              .body = sql,
                                              .body_len = sizeof(sql) - 1};
    enum pz_status status = pz_client_post(client, &request, &answer, err);
    if (status == PZ_OK && answer.http_status != 200) {
        status = pz_client_fail_problem(&answer, err);
    }
    if (status == PZ_OK) {
        // A header line, then the number or nothing.
        const char *line =
            answer.body.len == 0 ? NULL : memchr(answer.body.data, '\n', answer.body.len);
        struct pz_str text = {line, 0};
        if (line != NULL) {
            text.data = line + 1;
            text.len = (uint32_t)strcspn(text.data, "\r\n");
        }
        *id_out = 0;
        if (text.len > 0 && !pz_parse_i64(text, id_out)) {
            status = pz_fail(err, PZ_INTERNAL, "the server's largest message id is no number");
        }
    }
    pz_client_answer_fini(&answer);
    return status;
}

static enum pz_status
send_table(struct pz_workload *workload, const struct pz_workload_options *options, int table,
           struct pz_client *client, struct pz_error *err)
{
    char path[64];
    struct pz_progress progress;
    struct pz_buffer piece = {0};
    struct pz_client_answer answer = {0};
    enum pz_status status = PZ_OK;
    uint64_t rows = 0;
    uint64_t ignored = 0;
    uint64_t more;
    (void)snprintf(path, sizeof(path), "/v1/tables/%s/rows", pz_workload_table_names[table]);
    pz_progress_begin(&progress, pz_workload_table_names[table]);
    while (status == PZ_OK && (more = pz_workload_write(workload, (enum pz_workload_table)table,
                                                        HTTP_PIECE_BYTES, &piece)) > 0) {
        const struct pz_client_request request = {.path = path,
                                                  .content_type = "application/x-ndjson",
                                                  .body = piece.data,
                                                  .body_len = piece.len};
        struct pz_client_load load = {0};
        status = pz_client_post(client, &request, &answer, err);
        if (status == PZ_OK) {
            status = answer.http_status == 200 ? pz_client_read_load(&answer, &load, err)
                                               : pz_client_fail_problem(&answer, err);
        }
        rows += more;
        ignored += load.ignored;
        pz_buffer_clear(&piece);
        pz_progress_show(&progress, rows, rows, rows_wanted(options, table));
    }
    if (status == PZ_OK && piece.is_failed) {
        status = pz_fail(err, PZ_NO_MEMORY, "no memory for the rows");
    }
    pz_client_answer_fini(&answer);
    pz_buffer_fini(&piece);
    if (status == PZ_OK) {
        say_done(&progress, table, rows, ignored);
    }
    pz_progress_end(&progress);
    return status;
}

static enum pz_status
send_tables(struct pz_client *client, struct pz_workload_options *options, struct pz_error *err)
{
    struct pz_workload *workload;
    PZ_TRY(ask_largest_id(client, &options->message_id_offset, err));
    PZ_TRY(pz_workload_create(options, &workload, err));
    enum pz_status status = PZ_OK;
    for (int table = 0; status == PZ_OK && table < PZ_WORKLOAD_TABLES; table++) {
        status = send_table(workload, options, table, client, err);
    }
    pz_workload_destroy(workload);
    return status;
}

static int
send_all(struct pz_workload_options *options, const char *url)
{
    struct pz_error err = {0};
    struct pz_client *client;
    if (pz_client_create(url, &client, &err) != PZ_OK) {
        pz_cli_say("simulate", &err);
        return PZ_EXIT_USAGE;
    }
    enum pz_status status = send_tables(client, options, &err);
    bool is_unreachable = pz_client_is_unreachable(client);
    pz_client_destroy(client);
    if (status == PZ_OK) {
        return PZ_EXIT_OK;
    }
    pz_cli_say("simulate", &err);
    if (status == PZ_CANCELED) {
        return PZ_EXIT_INTERRUPTED;
    }
    return is_unreachable ? PZ_EXIT_UNREACHABLE : (int)pz_cli_exit_code(&err);
}

// ---- the verb ------------------------------------------------------------------------------

static int
run(const struct arguments *arguments)
{
    struct pz_error err = {0};
    struct pz_workload_options options = {0};
    struct pz_workload *workload;
    enum pz_status status = read_options(arguments, &options, &err);
    if (status == PZ_OK) {
        // Also tells whether the numbers go together, before a server is asked anything.
        status = pz_workload_create(&options, &workload, &err);
    }
    if (status != PZ_OK) {
        pz_cli_say("simulate", &err);
        return status == PZ_INVALID ? PZ_EXIT_USAGE : (int)pz_cli_exit_code(&err);
    }
    pz_terminal_catch_interrupts();
    int code = arguments->out != NULL ? write_files(workload, &options, arguments->out) : 0;
    pz_workload_destroy(workload);
    return arguments->out != NULL ? code : send_all(&options, arguments->url);
}

int
pz_cli_simulate(int argc, char **argv)
{
    struct arguments a = {0};
    const char *operand;
    const struct pz_cli_option options[] = {{"users", 0, &a.users, NULL},
                                            {"messages", 0, &a.messages, NULL},
                                            {"likes", 0, &a.likes, NULL},
                                            {"views", 0, &a.views, NULL},
                                            {"days", 0, &a.days, NULL},
                                            {"seed", 0, &a.seed, NULL},
                                            {"until", 0, &a.until, NULL},
                                            {"url", 0, &a.url, NULL},
                                            {"out", 0, &a.out, NULL},
                                            {"help", 'h', NULL, &a.wants_help},
                                            {0}};
    if (!pz_cli_parse("simulate", argc, argv, options, &operand)) {
        return PZ_EXIT_USAGE;
    }
    if (a.wants_help) {
        (void)fputs(help, stdout);
        return PZ_EXIT_OK;
    }
    if (operand != NULL) {
        (void)fprintf(stderr, "plaza simulate: one too many: \"%s\"\n", operand);
        return PZ_EXIT_USAGE;
    }
    if ((a.url == NULL) == (a.out == NULL)) {
        (void)fprintf(stderr, "plaza simulate: either --url or --out is needed\n"
                              "hint: plaza simulate --help shows examples\n");
        return PZ_EXIT_USAGE;
    }
    return run(&a);
}
