// SPDX-License-Identifier: Apache-2.0
// Statements from standard input, one a line, against a store that is thrown away afterwards; the
// answers on standard output. What scripts compare with other databases.
//
//   in    a statement on one line; ".seal" seals the rows in the tail
//   out   "ok N affected" or "rows TYPES N" and N lines of values, see answer.h; or
//         "error SQLSTATE position message"
//
//     sql_shell [--threads N] [--vector N]
#include "base/num.h"
#include "tests/sql/answer.h"
#include "tests/support/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
answer_line(struct pz_store *store, struct pz_engine *engine, struct pz_str sql)
{
    struct pz_answer answer;
    if (pz_str_equal(sql, PZ_STR(".seal"))) {
        struct pz_error err = {0};
        enum pz_status status = pz_store_seal_now(store, 0, &err);
        (void)printf(status == PZ_OK ? "ok 0\n" : "error XX000 0 %s\n", err.message);
        return;
    }
    pz_answer_run(&answer, engine, sql);
    if (answer.status != PZ_OK) {
        (void)printf("error %s %u %s\n", answer.error.sqlstate, answer.error.sql_offset,
                     answer.error.message);
    } else if (answer.stats.is_write) {
        (void)printf("ok %llu\n", (unsigned long long)answer.stats.affected);
    } else {
        (void)printf("rows %s %zu\n", answer.types, answer.line_count);
        for (size_t i = 0; i < answer.line_count; i++) {
            (void)printf("%.*s\n", PZ_STR_ARG(answer.lines[i]));
        }
    }
    pz_answer_fini(&answer);
}

int
main(int argc, char **argv)
{
    struct pz_engine_options engine_options = {.threads = 2};
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = 0;
        if (!pz_parse_u64(pz_str_from(argv[i + 1]), &value)) {
            (void)fprintf(stderr, "%s is not a number\n", argv[i + 1]);
            return 64;
        }
        if (strcmp(argv[i], "--threads") == 0) {
            engine_options.threads = (unsigned)value;
        } else if (strcmp(argv[i], "--vector") == 0) {
            engine_options.vector_rows = (unsigned)value;
        }
    }
    struct pz_error err = {0};
    struct pz_store *store = NULL;
    char dir[] = "/tmp/plaza-shell-XXXXXX";
    struct pz_store_options options = {.create = true, .is_ephemeral = true, .is_manual = true};
    if (mkdtemp(dir) == NULL || pz_store_open(dir, &options, &store, &err) != PZ_OK) {
        (void)fprintf(stderr, "%s: %s\n", dir, err.message);
        return 1;
    }
    struct pz_engine *engine = pz_engine_create(store, &engine_options);
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    while ((len = getline(&line, &room, stdin)) > 0) {
        uint32_t text = (uint32_t)len - (line[len - 1] == '\n' ? 1 : 0);
        answer_line(store, engine, (struct pz_str){line, text});
        (void)fflush(stdout);
    }
    free(line);
    pz_engine_destroy(engine);
    pz_store_close(store);
    return pz_test_remove_tree(dir, &err) == PZ_OK ? 0 : 1;
}
