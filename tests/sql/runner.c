// SPDX-License-Identifier: Apache-2.0
// Runs files of SQL with expected answers, each under every way rows can lie and queries can run:
// all rows in the tail, all sealed, half of the writes sealed; with vectors of 1, 7 and 2048 rows
// and 1, 2 and 4 threads. The answers must be the expected ones, byte for byte, every time.
//
//     sql_runner [--update] FILE…
//
// --update writes the answers found in the first way into the file instead of comparing: look at
// the difference before you keep it.
//
// generate TABLE N   adds N rows by rule. Row i (from 0 in the table's life) has in column k:
//                    BIGINT     i * (2k + 1) mod 1000003, the first column i itself
//                    DOUBLE     (i mod 1000) / 8
//                    TEXT       "text " and i mod 97
//                    SYMBOL     "s" and i * (k + 1) mod 101
//                    BOOLEAN    i mod 3 = 0
//                    TIMESTAMP  2026-01-01 + i minutes
//                    DATE       2026-01-01 + i mod 365 days
//                    and NULL where (i + k) mod 13 is 12 in columns that may be NULL, but the first
#include "base/clock.h"
#include "base/num.h"
#include "tests/sql/answer.h"
#include "tests/sql/script.h"
#include "tests/support/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum layout { LAYOUT_TAIL, LAYOUT_SEALED, LAYOUT_HALF, LAYOUT_COUNT };
static const char *const layout_names[] = {"tail", "sealed", "half"};

static const struct {
    unsigned vector_rows, threads;
} ways[] = {{2048, 1}, {2048, 2}, {2048, 4}, {7, 1}, {7, 2}, {7, 4}, {1, 1}, {1, 2}, {1, 4}};
#define WAY_COUNT (sizeof(ways) / sizeof(ways[0]))

// Vectors of a few rows cost most: of large tables they see only what shows their seams.
#define LARGE_ROWS 20000u

// One file under one layout.
struct run {
    struct pz_script *script;
    enum layout layout;
    bool is_update;
    struct pz_store *store;
    struct pz_engine *engines[WAY_COUNT];
    unsigned write_count;
    uint64_t generated; // rows so far
    unsigned failures;
    struct pz_buffer updated; // the file's new text
    const char *copied;       // what of the old text is in it, up to here
};

PZ_NORETURN static void
stop(const struct run *run, const struct pz_record *record, const struct pz_error *err)
{
    (void)fprintf(stderr, "%s:%u: %s: %s\n", run->script->path, record->line,
                  layout_names[run->layout], err->message);
    exit(2);
}

static void
report(struct run *run, const struct pz_record *record, size_t way)
{
    run->failures++;
    (void)fprintf(stderr, "%s:%u: rows in the %s, %u rows a vector, %u threads:\n  %.*s\n",
                  run->script->path, record->line, layout_names[run->layout], ways[way].vector_rows,
                  ways[way].threads, PZ_STR_ARG(record->sql));
}

// ---- writes --------------------------------------------------------------------------------

static void
after_write(struct run *run, const struct pz_record *record)
{
    struct pz_error err = {0};
    run->write_count++;
    bool is_sealed =
        run->layout == LAYOUT_SEALED || (run->layout == LAYOUT_HALF && run->write_count % 2 == 1);
    if (is_sealed && pz_store_seal_now(run->store, 0, &err) != PZ_OK) {
        stop(run, record, &err);
    }
}

static void
generate_value(struct pz_store *store, const struct pz_table_def *def, uint32_t k, uint64_t i,
               struct pz_column *column)
{
    char text[PZ_NUM_TEXT_MAX + 8];
    struct pz_error err = {0};
    uint32_t code = 0;
    enum pz_status status = PZ_OK;
    if (k > 0 && !def->columns[k].is_not_null && (i + k) % 13 == 12) {
        pz_column_append_null(column);
        return;
    }
    switch (def->columns[k].type) {
    case PZ_TYPE_BOOLEAN:
        pz_column_append_byte(column, i % 3 == 0);
        break;
    case PZ_TYPE_BIGINT:
        pz_column_append_int(column, k == 0 ? (int64_t)i : (int64_t)(i * (2 * k + 1) % 1000003));
        break;
    case PZ_TYPE_DOUBLE:
        pz_column_append_real(column, (double)(i % 1000) / 8);
        break;
    case PZ_TYPE_TEXT:
        (void)snprintf(text, sizeof text, "text %u", (unsigned)(i % 97));
        status = pz_column_append_text(column, pz_str_from(text), &err);
        break;
    case PZ_TYPE_SYMBOL:
        (void)snprintf(text, sizeof text, "s%u", (unsigned)(i * (k + 1) % 101));
        status = pz_symbol_intern(store, def->columns[k].domain_id, pz_str_from(text), &code, &err);
        pz_column_append_code(column, code);
        break;
    case PZ_TYPE_TIMESTAMP:
        pz_column_append_int(column,
                             INT64_C(1767225600000000) + (int64_t)i * 60 * PZ_US_PER_SECOND);
        break;
    case PZ_TYPE_DATE:
        pz_column_append_int(column, 20454 + (int64_t)(i % 365));
        break;
    case PZ_TYPE_NULL:
    case PZ_TYPE_INTERVAL:
        PZ_UNREACHABLE("no types of columns");
    }
    PZ_ASSERT(status == PZ_OK);
}

static void
generate(struct run *run, const struct pz_record *record)
{
    struct pz_str head = record->head;
    struct pz_str name = pz_script_word(&head);
    uint64_t count = 0;
    struct pz_error err = {0};
    struct pz_version *version = pz_version_acquire(run->store);
    const struct pz_table_def *def = pz_version_find_table(version, name);
    struct pz_batch batch;
    if (!pz_parse_u64(pz_script_word(&head), &count) || def == NULL) {
        (void)pz_fail(&err, PZ_INVALID, "generate needs a table and a number of rows");
        stop(run, record, &err);
    }
    if (pz_batch_init(&batch, def, &err) != PZ_OK ||
        pz_batch_reserve(&batch, count, &err) != PZ_OK) {
        stop(run, record, &err);
    }
    for (uint64_t n = 0; n < count; n++) {
        for (uint32_t k = 0; k < def->column_count; k++) {
            generate_value(run->store, def, k, run->generated, &batch.columns[k]);
        }
        run->generated++;
        if (pz_batch_end_row(&batch, false, 0, &err) != PZ_OK) {
            stop(run, record, &err);
        }
    }
    struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
    if (pz_store_submit_wait(run->store, &write, &err) != PZ_OK) {
        stop(run, record, &err);
    }
    free(write.row_errors);
    pz_batch_fini(&batch);
    pz_version_release(version);
    after_write(run, record);
}

static void
run_ok(struct run *run, const struct pz_record *record)
{
    struct pz_answer answer;
    struct pz_str head = record->head;
    pz_answer_run(&answer, run->engines[0], record->sql);
    if (answer.status != PZ_OK) {
        report(run, record, 0);
        (void)fprintf(stderr, "  failed: %s %s (hint: %s)\n", answer.error.sqlstate,
                      answer.error.message, answer.error.hint);
    }
    uint64_t affected;
    if (pz_str_equal(pz_script_word(&head), PZ_STR("affected")) &&
        (!pz_parse_u64(pz_script_word(&head), &affected) || affected != answer.stats.affected)) {
        report(run, record, 0);
        (void)fprintf(stderr, "  affected %llu rows\n", (unsigned long long)answer.stats.affected);
    }
    bool is_write = answer.stats.is_write;
    pz_answer_fini(&answer);
    if (is_write) {
        after_write(run, record);
    }
}

// ---- errors --------------------------------------------------------------------------------

static bool
contains(const char *text, struct pz_str part)
{
    return part.len == 0 || memmem(text, strlen(text), part.data, part.len) != NULL;
}

static struct pz_str
trim(struct pz_str text)
{
    while (text.len > 0 && text.data[0] == ' ') {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && text.data[text.len - 1] == ' ') {
        text.len--;
    }
    return text;
}

static bool
is_sqlstate(struct pz_str word)
{
    if (word.len != 5) {
        return false;
    }
    bool has_digit = false;
    for (uint32_t i = 0; i < 5; i++) {
        bool is_digit = word.data[i] >= '0' && word.data[i] <= '9';
        has_digit |= is_digit;
        if (!is_digit && !(word.data[i] >= 'A' && word.data[i] <= 'Z')) {
            return false;
        }
    }
    return has_digit;
}

// Compares an error with the head's words: [SQLSTATE] [@position] [message] [hint: part].
static bool
is_expected_error(const struct pz_error *error, struct pz_str head)
{
    struct pz_str rest = head;
    struct pz_str word = pz_script_word(&rest);
    if (is_sqlstate(word)) {
        if (!pz_str_equal(word, pz_str_from(error->sqlstate))) {
            return false;
        }
        head = rest;
        word = pz_script_word(&rest);
    }
    if (word.len > 1 && word.data[0] == '@') {
        uint64_t position;
        struct pz_str digits = {word.data + 1, word.len - 1};
        if (!pz_parse_u64(digits, &position) || position != error->sql_offset) {
            return false;
        }
        head = rest;
    }
    const char *hint = head.len == 0 ? NULL : memmem(head.data, head.len, "hint:", 5);
    if (hint != NULL) {
        struct pz_str part = {hint + 5, head.len - (uint32_t)(hint - head.data) - 5};
        head.len = (uint32_t)(hint - head.data);
        if (!contains(error->hint, trim(part))) {
            return false;
        }
    }
    return contains(error->message, trim(head));
}

static void
run_error(struct run *run, const struct pz_record *record)
{
    for (size_t way = 0; way < WAY_COUNT; way++) {
        struct pz_answer answer;
        pz_answer_run(&answer, run->engines[way], record->sql);
        const struct pz_error *error = &answer.error;
        if (answer.status == PZ_OK) {
            report(run, record, way);
            (void)fprintf(stderr, "  did not fail\n");
        } else if (!is_expected_error(error, record->head)) {
            report(run, record, way);
            (void)fprintf(stderr, "  expected:%.*s\n  failed:   %s @%u %s hint: %s\n",
                          PZ_STR_ARG(record->head), error->sqlstate, error->sql_offset,
                          error->message, error->hint);
        }
        pz_answer_fini(&answer);
    }
}

// ---- queries -------------------------------------------------------------------------------

struct query_options {
    struct pz_str types;
    bool is_sorted;
    bool has_names;
};

static struct query_options
read_options(struct pz_str head)
{
    struct query_options options = {.types = pz_script_word(&head)};
    for (struct pz_str word = pz_script_word(&head); word.len > 0; word = pz_script_word(&head)) {
        options.is_sorted |= pz_str_equal(word, PZ_STR("rowsort"));
        options.has_names |= pz_str_equal(word, PZ_STR("names"));
    }
    return options;
}

static void
append_names(struct pz_buffer *line, const struct pz_answer *answer)
{
    for (uint32_t i = 0; i < answer->column_count; i++) {
        pz_buffer_append_c(line, i == 0 ? "" : "\t");
        pz_buffer_append_str(line, answer->names[i]);
    }
}

static bool
is_expected(const struct pz_record *record, const struct query_options *options,
            const struct pz_answer *answer)
{
    size_t skip = options->has_names ? 1 : 0;
    if (!pz_str_equal(options->types, pz_str_from(answer->types)) ||
        answer->line_count + skip != record->expected_count) {
        return false;
    }
    if (options->has_names) {
        struct pz_buffer names = {0};
        append_names(&names, answer);
        struct pz_str line = {names.data, (uint32_t)names.len};
        bool is_equal = pz_str_equal(line, record->expected[0]);
        pz_buffer_fini(&names);
        if (!is_equal) {
            return false;
        }
    }
    for (size_t i = 0; i < answer->line_count; i++) {
        if (!pz_str_equal(answer->lines[i], record->expected[skip + i])) {
            return false;
        }
    }
    return true;
}

static void
append_answer(struct pz_buffer *out, const struct query_options *options,
              const struct pz_answer *answer, const char *indent)
{
    if (options->has_names) {
        pz_buffer_append_c(out, indent);
        append_names(out, answer);
        pz_buffer_append_char(out, '\n');
    }
    for (size_t i = 0; i < answer->line_count; i++) {
        pz_buffer_append_c(out, indent);
        pz_buffer_append_str(out, answer->lines[i]);
        pz_buffer_append_char(out, '\n');
    }
}

static void
show_difference(const struct pz_record *record, const struct query_options *options,
                const struct pz_answer *answer)
{
    struct pz_buffer found = {0};
    append_answer(&found, options, answer, "    ");
    (void)fprintf(stderr, "  expected %.*s:\n", PZ_STR_ARG(options->types));
    for (size_t i = 0; i < record->expected_count && i < 30; i++) {
        (void)fprintf(stderr, "    %.*s\n", PZ_STR_ARG(record->expected[i]));
    }
    (void)fprintf(stderr, "  found %s:\n%.*s\n", answer->types,
                  found.len < 4000 ? (int)found.len : 4000, found.data != NULL ? found.data : "");
    pz_buffer_fini(&found);
}

// Puts the answer in the place of what the file expects.
static void
update_record(struct run *run, const struct pz_record *record, const struct pz_answer *answer)
{
    struct query_options options = read_options(record->head);
    const char *end = record->sql.data + record->sql.len;
    pz_buffer_append(&run->updated, run->copied, (size_t)(options.types.data - run->copied));
    pz_buffer_append_c(&run->updated, answer->types);
    const char *after_types = options.types.data + options.types.len;
    pz_buffer_append(&run->updated, after_types, (size_t)(end - after_types));
    pz_buffer_append_c(&run->updated, "\n----\n");
    append_answer(&run->updated, &options, answer, "");
    run->copied = end + strlen("\n----\n");
    if (record->expected_count > 0) {
        struct pz_str last = record->expected[record->expected_count - 1];
        run->copied = last.data + last.len + 1;
    }
}

static bool
is_skipped(const struct run *run, size_t way)
{
    bool is_small =
        ways[way].vector_rows == 2048 || (ways[way].vector_rows == 7 && ways[way].threads == 2);
    return run->generated > LARGE_ROWS && !is_small;
}

static void
run_query(struct run *run, const struct pz_record *record)
{
    struct query_options options = read_options(record->head);
    for (size_t way = 0; way < (run->is_update ? 1 : WAY_COUNT); way++) {
        if (is_skipped(run, way)) {
            continue;
        }
        struct pz_answer answer;
        pz_answer_run(&answer, run->engines[way], record->sql);
        if (options.is_sorted) {
            pz_answer_sort(&answer);
        }
        if (answer.status != PZ_OK) {
            report(run, record, way);
            (void)fprintf(stderr, "  failed: %s @%u %s (hint: %s)\n", answer.error.sqlstate,
                          answer.error.sql_offset, answer.error.message, answer.error.hint);
        } else if (run->is_update) {
            update_record(run, record, &answer);
        } else if (!is_expected(record, &options, &answer)) {
            report(run, record, way);
            show_difference(record, &options, &answer);
        }
        pz_answer_fini(&answer);
    }
}

// ---- files ---------------------------------------------------------------------------------

static void
run_records(struct run *run)
{
    for (size_t i = 0; i < run->script->record_count && run->failures < 20; i++) {
        const struct pz_record *record = &run->script->records[i];
        switch (record->kind) {
        case PZ_RECORD_OK:
            run_ok(run, record);
            break;
        case PZ_RECORD_ERROR:
            run_error(run, record);
            break;
        case PZ_RECORD_QUERY:
            run_query(run, record);
            break;
        case PZ_RECORD_GENERATE:
            generate(run, record);
            break;
        }
    }
}

static void
write_update(struct run *run)
{
    struct pz_error err = {0};
    const char *end = run->script->text.data + run->script->text.len;
    pz_buffer_append(&run->updated, run->copied,
                     run->copied < end ? (size_t)(end - run->copied) : 0);
    FILE *file = fopen(run->script->path, "w");
    if (file == NULL || fwrite(run->updated.data, 1, run->updated.len, file) != run->updated.len ||
        fclose(file) != 0) {
        (void)pz_fail_sys(&err, "write %s", run->script->path);
        (void)fprintf(stderr, "%s\n", err.message);
        exit(2);
    }
    pz_buffer_fini(&run->updated);
}

static unsigned
run_layout(struct pz_script *script, enum layout layout, bool is_update)
{
    struct run run = {
        .script = script, .layout = layout, .is_update = is_update, .copied = script->text.data};
    struct pz_error err = {0};
    char dir[] = "/tmp/plaza-sql-XXXXXX";
    struct pz_store_options options = {.create = true, .is_ephemeral = true, .is_manual = true};
    if (mkdtemp(dir) == NULL || pz_store_open(dir, &options, &run.store, &err) != PZ_OK) {
        (void)fprintf(stderr, "%s: %s\n", dir, err.message);
        exit(2);
    }
    for (size_t way = 0; way < WAY_COUNT; way++) {
        struct pz_engine_options engine = {.threads = ways[way].threads,
                                           .vector_rows = ways[way].vector_rows,
                                           .query_memory_bytes = (size_t)256 << 20};
        run.engines[way] = pz_engine_create(run.store, &engine);
    }
    run_records(&run);
    if (is_update) {
        write_update(&run);
    }
    for (size_t way = 0; way < WAY_COUNT; way++) {
        pz_engine_destroy(run.engines[way]);
    }
    pz_store_close(run.store);
    if (pz_test_remove_tree(dir, &err) != PZ_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
    }
    return run.failures;
}

int
main(int argc, char **argv)
{
    bool is_update = argc > 1 && strcmp(argv[1], "--update") == 0;
    unsigned failures = 0;
    int first = is_update ? 2 : 1;
    if (first >= argc) {
        (void)fprintf(stderr, "usage: sql_runner [--update] FILE…\n");
        return 64;
    }
    for (int i = first; i < argc; i++) {
        struct pz_script script;
        pz_script_read(&script, argv[i]);
        for (int layout = 0; layout < (is_update ? 1 : LAYOUT_COUNT); layout++) {
            failures += run_layout(&script, (enum layout)layout, is_update);
        }
        pz_script_fini(&script);
    }
    (void)printf("%d %s, %u failures\n", argc - first, argc - first == 1 ? "file" : "files",
                 failures);
    return failures == 0 ? 0 : 1;
}
