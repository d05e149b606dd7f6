// SPDX-License-Identifier: Apache-2.0
// What the verbs of the program share: exit codes, options, messages.
#ifndef PZ_SERVER_CLI_CLI_H
#define PZ_SERVER_CLI_CLI_H

#include "base/status.h"

// As in sysexits.h where that has a number.
enum pz_exit_code {
    PZ_EXIT_OK = 0,
    PZ_EXIT_FAILED = 1,
    PZ_EXIT_WARNINGS = 2, // done, but something was set aside
    PZ_EXIT_USAGE = 64,
    PZ_EXIT_DATA = 65,
    PZ_EXIT_UNREACHABLE = 69,
    PZ_EXIT_INTERNAL = 70,
    PZ_EXIT_CANNOT_CREATE = 73,
    PZ_EXIT_IO = 74,
    PZ_EXIT_TEMPORARY = 75,
    PZ_EXIT_PERMISSION = 77,
    PZ_EXIT_CONFIG = 78,
    PZ_EXIT_INTERRUPTED = 130, // by Ctrl-C, as shells have it
};

// One option; a list ends with an empty one. `value` for options that take one, else NULL.
struct pz_cli_option {
    const char *name; // without the dashes
    char letter;      // or 0
    const char **value;
    bool *is_given; // or NULL
};

// Reads argv (without the program and the verb) into the options and one operand, NULL when there
// is none. "--name value", "--name=value", "-n value", "--" ends the options. False, after saying
// why on stderr, when it does not parse.
bool pz_cli_parse(const char *verb, int argc, char **argv, const struct pz_cli_option *options,
                  const char **operand_out);

// The name that was most likely meant, of a list that ends with NULL; NULL when none is near.
const char *pz_cli_nearest(const char *word, const char *const *names);

// "plaza VERB: message" and the hint on stderr.
void pz_cli_say(const char *verb, const struct pz_error *err);
enum pz_exit_code pz_cli_exit_code(const struct pz_error *err);
// Says why a data directory did not open, with `busy_hint` when another process has it; returns the
// exit code, in which a directory that is not there is not a failed statement or check.
enum pz_exit_code pz_cli_fail_open(const char *verb, struct pz_error *err, const char *busy_hint);

// The verbs. Each returns an exit code.
int pz_cli_serve(int argc, char **argv);
int pz_cli_sql(int argc, char **argv);
int pz_cli_check(int argc, char **argv);
int pz_cli_import(int argc, char **argv);
int pz_cli_simulate(int argc, char **argv);

#endif
