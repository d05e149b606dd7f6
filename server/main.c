// SPDX-License-Identifier: Apache-2.0
// The program's entry: picks the verb.
#include "base/fault.h"
#include "server/cli/cli.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "plaza: the back end of a social feed and its analytics, in one program\n"
    "\n"
    "  plaza serve                                     serve ./plaza-data at "
    "http://127.0.0.1:7780\n"
    "  plaza import --table messages posts.ndjson      load records into a running server\n"
    "  plaza sql 'SELECT count(*) FROM likes'          ask it\n"
    "\n"
    "Also: plaza simulate   writes a realistic workload\n"
    "      plaza check      verifies a data directory\n"
    "      plaza version\n"
    "\n"
    "plaza VERB --help tells more about each.\n";

static int
print_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)printf("plaza %s\n", PLAZA_VERSION);
    return PZ_EXIT_OK;
}

static int
print_usage(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)fputs(usage, stdout);
    return PZ_EXIT_OK;
}

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"serve", pz_cli_serve},       {"import", pz_cli_import}, {"sql", pz_cli_sql},
    {"simulate", pz_cli_simulate}, {"check", pz_cli_check},   {"version", print_version},
    {"--version", print_version},  {"-V", print_version},     {"help", print_usage},
    {"--help", print_usage},       {"-h", print_usage},
};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

int
main(int argc, char **argv)
{
    if (argc < 2) {
        return print_usage(0, NULL);
    }
    pz_fault_init();
    const char *names[VERB_COUNT + 1] = {0};
    for (int i = 0; i < VERB_COUNT; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            return verbs[i].run(argc - 2, argv + 2);
        }
        names[i] = verbs[i].name;
    }
    const char *nearest = pz_cli_nearest(argv[1], names);
    (void)fprintf(stderr, "plaza: unknown verb \"%s\"\n", argv[1]);
    if (nearest != NULL) {
        (void)fprintf(stderr, "hint: did you mean plaza %s?\n", nearest);
    } else {
        (void)fprintf(stderr, "hint: plaza help lists the verbs\n");
    }
    return PZ_EXIT_USAGE;
}
