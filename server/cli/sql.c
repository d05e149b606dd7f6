// SPDX-License-Identifier: Apache-2.0
// `plaza sql`: runs statements against a running server, or on a data directory that no server
// has open.
#include "server/cli/cli.h"

#include "base/file.h"
#include "query/output/output.h"
#include "server/cli/client.h"
#include "server/cli/sql_split.h"
#include "server/config.h"
#include "server/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define INPUT_BYTES_MAX (64u * 1024 * 1024)

static const char help[] =
    "Usage: plaza sql [options] [STATEMENT | -]\n"
    "\n"
    "  plaza sql 'SELECT CAST(created_at AS DATE), count(*) FROM messages GROUP BY 1'\n"
    "  plaza sql --format csv 'SELECT * FROM likes LIMIT 10' > likes.csv\n"
    "  plaza sql --file report.sql\n"
    "  echo 'SHOW TABLES' | plaza sql --data ./plaza-data\n"
    "\n"
    "  --url URL          the server (default http://127.0.0.1:7780)\n"
    "  --data DIR         work on a data directory instead; no server may have it open\n"
    "  -f, --file FILE    read statements, separated by semicolons, from a file\n"
    "  --format FORMAT    text (default), csv, json or ndjson\n"
    "  --timeout TIME     of each statement, e.g. 10s\n"
    "\n"
    "Exit: 0 ok, 1 a statement failed, 64 usage, 69 no server, 74 the file or directory cannot be\n"
    "read, 75 the directory is in use.\n";

struct session {
    enum pz_format format;
    uint64_t timeout_us; // 0 = the default
    int output_errno;    // why the standard output takes no more; 0 = it does
    // One of the two:
    const char *url;
    struct pz_store *store;
    struct pz_engine *engine;
    struct pz_client *client;
};

static const struct {
    const char *name;
    const char *accept;
    enum pz_format format;
} formats[] = {
    {"text", "text/plain", PZ_FORMAT_TEXT},
    {"csv", "text/csv", PZ_FORMAT_CSV},
    {"json", "application/json", PZ_FORMAT_JSON},
    {"ndjson", "application/x-ndjson", PZ_FORMAT_NDJSON},
};

// ---- errors -------------------------------------------------------------------------------------

static int
fail_output(int output_errno)
{
    struct pz_error err;
    errno = output_errno;
    (void)pz_fail_sys(&err, "cannot write the result");
    pz_cli_say("sql", &err);
    return PZ_EXIT_IO;
}

// The line of the statement with a caret under the place, as people know it from psql.
static void
print_place(struct pz_str sql, uint32_t byte_offset)
{
    uint32_t line;
    uint32_t column;
    if (byte_offset > sql.len) {
        return;
    }
    pz_query_locate(sql, byte_offset, &line, &column);
    uint32_t begin = byte_offset;
    while (begin > 0 && sql.data[begin - 1] != '\n') {
        begin--;
    }
    uint32_t end = byte_offset;
    while (end < sql.len && sql.data[end] != '\n') {
        end++;
    }
    int indent = fprintf(stderr, "LINE %u: ", line);
    (void)fprintf(stderr, "%.*s\n%*s^\n", (int)(end - begin), sql.data + begin,
                  indent + (int)column - 1, "");
}

static void
print_error(struct pz_str sql, const struct pz_error *err)
{
    if (err->sqlstate[0] == '\0') {
        pz_cli_say("sql", err);
        return;
    }
    (void)fprintf(stderr, "ERROR %s: %s\n", err->sqlstate, err->message);
    if (err->sql_offset > 0) {
        print_place(sql, err->sql_offset - 1);
    }
    // The engine's hint names the member of the HTTP body: here it is an option.
    const char *member = strstr(err->hint, "timeout_ms");
    if (member != NULL) {
        (void)fprintf(stderr, "HINT: %.*s--timeout%s\n", (int)(member - err->hint), err->hint,
                      member + strlen("timeout_ms"));
    } else if (err->hint[0] != '\0') {
        (void)fprintf(stderr, "HINT: %s\n", err->hint);
    }
}

// Turns the server's problem document back into an error. What did not get as far as a statement
// has no SQLSTATE.
static void
read_problem(const struct pz_client_answer *answer, struct pz_str sql, struct pz_error *err)
{
    struct pz_str body = {answer->body.data, (uint32_t)answer->body.len};
    struct pz_json *json = NULL;
    struct pz_json_value value;
    (void)pz_client_fail_problem(answer, err);
    if (pz_json_parse(body, &json, NULL) != PZ_OK) {
        return;
    }
    pz_json_get(json, "code", &value);
    if (value.text.len == 5) {
        memcpy(err->sqlstate, value.text.data, 5);
        err->sqlstate[5] = '\0';
    }
    pz_json_get(json, "position", &value);
    // Characters back to bytes.
    for (uint32_t at = 0; value.integer > 0 && at <= sql.len; at++) {
        bool is_start = at == sql.len || ((unsigned char)sql.data[at] & 0xc0) != 0x80;
        if (is_start && --value.integer == 0) {
            err->sql_offset = at + 1;
        }
    }
    pz_json_free(json);
}

// ---- a running server ---------------------------------------------------------------------------

static const char *
accept_of(enum pz_format format)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (formats[i].format == format) {
            return formats[i].accept;
        }
    }
    PZ_UNREACHABLE("every format is in the table");
}

static bool
print_piece(void *payload, const char *data, size_t len)
{
    struct session *session = payload;
    if (fwrite(data, 1, len, stdout) != len) {
        session->output_errno = errno;
    }
    return session->output_errno == 0;
}

static int
run_remote(struct session *session, struct pz_str sql)
{
    struct pz_client_answer answer = {0};
    struct pz_error err;
    struct pz_buffer body = {0};
    pz_buffer_append_c(&body, "{\"sql\":");
    pz_buffer_append_json_string(&body, sql);
    if (session->timeout_us > 0) {
        pz_buffer_printf(&body, ",\"timeout_ms\":%" PRIu64, (session->timeout_us + 999) / 1000);
    }
    pz_buffer_append_char(&body, '}');
    const struct pz_client_request request = {.path = "/v1/sql",
                                              .content_type = "application/json",
                                              .accept = accept_of(session->format),
                                              .body = body.data,
                                              .body_len = body.len,
                                              .take = print_piece,
                                              .take_payload = session};
    enum pz_status status = pz_client_post(session->client, &request, &answer, &err);
    int code = PZ_EXIT_OK;
    if (session->output_errno != 0) {
        code = fail_output(session->output_errno);
    } else if (status != PZ_OK && answer.http_status == 200) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "plaza sql: the result was broken off, it is not complete: %s\n",
                      err.message);
        code = PZ_EXIT_FAILED;
    } else if (status != PZ_OK) {
        pz_cli_say("sql", &err);
        code = PZ_EXIT_UNREACHABLE;
    } else if (answer.http_status != 200) {
        read_problem(&answer, sql, &err);
        print_error(sql, &err);
        code = PZ_EXIT_FAILED;
    }
    pz_client_answer_fini(&answer);
    pz_buffer_fini(&body);
    return code;
}

static int
open_remote(struct session *session)
{
    struct pz_error err;
    if (pz_client_create(session->url, &session->client, &err) != PZ_OK) {
        pz_cli_say("sql", &err);
        return PZ_EXIT_USAGE;
    }
    return PZ_EXIT_OK;
}

// ---- a data directory ---------------------------------------------------------------------------

struct local_result {
    struct session *session;
    struct pz_output output;
    struct pz_buffer buffer;
};

static enum pz_status
print_buffer(struct local_result *result, struct pz_error *err)
{
    struct pz_buffer *buffer = &result->buffer;
    if (buffer->len > 0 && fwrite(buffer->data, 1, buffer->len, stdout) != buffer->len) {
        result->session->output_errno = errno;
        return pz_fail_sys(err, "cannot write the result");
    }
    pz_buffer_clear(buffer);
    return PZ_OK;
}

static enum pz_status
take_begin(void *payload, const struct pz_result_column *columns, uint32_t column_count,
           struct pz_error *err)
{
    struct local_result *result = payload;
    return pz_output_begin(&result->output, columns, column_count, err);
}

static enum pz_status
take_rows(void *payload, const struct pz_slice *columns, uint32_t column_count, uint32_t row_count,
          struct pz_error *err)
{
    (void)column_count;
    struct local_result *result = payload;
    PZ_TRY(pz_output_rows(&result->output, columns, row_count, err));
    return print_buffer(result, err);
}

static int
run_local(struct session *session, struct pz_str sql)
{
    struct local_result result = {.session = session};
    struct pz_query_stats stats;
    struct pz_error err;
    const struct pz_query_options options = {.timeout_us = (int64_t)session->timeout_us};
    const struct pz_result_sink sink = {.payload = &result, .begin = take_begin, .rows = take_rows};
    pz_output_init(&result.output, session->format, &result.buffer);
    enum pz_status status = pz_query_run(session->engine, sql, &options, &sink, &stats, &err);
    if (status == PZ_OK) {
        status = pz_output_end(&result.output, &stats, &err);
    }
    if (status == PZ_OK) {
        status = print_buffer(&result, &err);
    }
    int code = PZ_EXIT_OK;
    if (session->output_errno != 0) {
        code = fail_output(session->output_errno);
    } else if (status != PZ_OK) {
        (void)fflush(stdout);
        print_error(sql, &err);
        code = PZ_EXIT_FAILED;
    }
    pz_output_fini(&result.output);
    pz_buffer_fini(&result.buffer);
    return code;
}

static int
open_local(struct session *session, const char *dir)
{
    struct pz_error err;
    const struct pz_store_options store_options = {0};
    const struct pz_engine_options engine_options = {0};
    if (pz_store_open(dir, &store_options, &session->store, &err) != PZ_OK) {
        return (int)pz_cli_fail_open("sql", &err, "ask the server that has it open: --url URL");
    }
    session->engine = pz_engine_create(session->store, &engine_options);
    return PZ_EXIT_OK;
}

static void
close_session(struct session *session)
{
    if (session->engine != NULL) {
        pz_engine_destroy(session->engine);
    }
    if (session->store != NULL) {
        pz_store_close(session->store);
    }
    pz_client_destroy(session->client);
}

// ---- input --------------------------------------------------------------------------------------

static enum pz_status
read_stdin(struct pz_buffer *text, struct pz_error *err)
{
    char piece[64 * 1024];
    size_t len;
    text->limit_bytes = INPUT_BYTES_MAX;
    while ((len = fread(piece, 1, sizeof piece, stdin)) > 0) {
        pz_buffer_append(text, piece, len);
    }
    if (ferror(stdin) != 0 || text->is_failed) {
        return pz_fail(err, PZ_IO, "cannot read the statements from the standard input");
    }
    return PZ_OK;
}

static int
run_all(struct session *session, struct pz_str text)
{
    struct pz_str sql;
    int code = PZ_EXIT_OK;
    while (code == PZ_EXIT_OK && pz_sql_split(&text, &sql)) {
        code = session->url != NULL ? run_remote(session, sql) : run_local(session, sql);
    }
    if (fflush(stdout) != 0 && code == PZ_EXIT_OK) {
        code = fail_output(errno);
    }
    return code;
}

static bool
find_format(const char *name, enum pz_format *format_out)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, name) == 0) {
            *format_out = formats[i].format;
            return true;
        }
    }
    (void)fprintf(stderr, "plaza sql: --format must be text, csv, json or ndjson\n");
    return false;
}

struct arguments {
    const char *url, *dir, *file, *format, *timeout, *statement;
    bool wants_help;
};

static int
run_session(struct session *session, const struct arguments *arguments)
{
    struct pz_buffer input = {0};
    struct pz_error err;
    enum pz_status status = PZ_OK;
    struct pz_str text;
    bool is_operand = arguments->statement != NULL && strcmp(arguments->statement, "-") != 0;
    if (arguments->file != NULL) {
        status = pz_file_read_all(arguments->file, INPUT_BYTES_MAX, &input, &err);
    } else if (!is_operand) {
        status = read_stdin(&input, &err);
    }
    if (status != PZ_OK) {
        pz_cli_say("sql", &err);
        pz_buffer_fini(&input);
        return PZ_EXIT_IO;
    }
    text = is_operand && arguments->file == NULL ? pz_str_from(arguments->statement)
                                                 : (struct pz_str){input.data, (uint32_t)input.len};
    int code = arguments->dir != NULL ? open_local(session, arguments->dir) : open_remote(session);
    if (code == PZ_EXIT_OK) {
        code = run_all(session, text);
    }
    close_session(session);
    pz_buffer_fini(&input);
    return code;
}

int
pz_cli_sql(int argc, char **argv)
{
    struct arguments a = {0};
    const struct pz_cli_option options[] = {{"url", 0, &a.url, NULL},
                                            {"data", 0, &a.dir, NULL},
                                            {"file", 'f', &a.file, NULL},
                                            {"format", 0, &a.format, NULL},
                                            {"timeout", 0, &a.timeout, NULL},
                                            {"help", 'h', NULL, &a.wants_help},
                                            {0}};
    if (!pz_cli_parse("sql", argc, argv, options, &a.statement)) {
        return PZ_EXIT_USAGE;
    }
    if (a.wants_help) {
        (void)fputs(help, stdout);
        return PZ_EXIT_OK;
    }
    struct session session = {.format = PZ_FORMAT_TEXT};
    if (a.format != NULL && !find_format(a.format, &session.format)) {
        return PZ_EXIT_USAGE;
    }
    if (a.timeout != NULL &&
        !pz_config_parse_duration(pz_str_from(a.timeout), &session.timeout_us)) {
        (void)fprintf(stderr, "plaza sql: --timeout is written like 10s or 500ms\n");
        return PZ_EXIT_USAGE;
    }
    if (a.url != NULL && a.dir != NULL) {
        (void)fprintf(stderr, "plaza sql: --url and --data exclude each other\n");
        return PZ_EXIT_USAGE;
    }
    if (a.file == NULL && a.statement == NULL && isatty(STDIN_FILENO) != 0) {
        (void)fprintf(stderr, "plaza sql: a statement is needed, or - for the standard input\n"
                              "hint: plaza sql --help shows examples\n");
        return PZ_EXIT_USAGE;
    }
    if (a.dir == NULL) {
        session.url = a.url != NULL ? a.url : "http://127.0.0.1:7780";
    }
    return run_session(&session, &a);
}
