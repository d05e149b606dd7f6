// SPDX-License-Identifier: Apache-2.0
// What the client commands share: options, exit codes, progress on a terminal, and Ctrl-C.
#ifndef PZ_SERVER_TERMINAL_H
#define PZ_SERVER_TERMINAL_H

#include "base/arena.h"
#include "base/status.h"

#include <signal.h>

// The numbers of sysexits.h where it has one.
enum pz_exit {
    PZ_EXIT_OK = 0,
    PZ_EXIT_FAILED = 1,
    PZ_EXIT_WARNINGS = 2, // done, but some rows were set aside
    PZ_EXIT_USAGE = 64,
    PZ_EXIT_DATA = 65,
    PZ_EXIT_UNAVAILABLE = 69, // no server there
    PZ_EXIT_INTERNAL = 70,
    PZ_EXIT_CANNOT_CREATE = 73,
    PZ_EXIT_IO = 74,
    PZ_EXIT_TEMPORARY = 75, // try again later
    PZ_EXIT_PERMISSION = 77,
    PZ_EXIT_INTERRUPTED = 130,
};
// For a failure that was not the caller's or the data's fault.
int pz_terminal_exit_of(const struct pz_error *err);

// One option: `--name VALUE` and `--name=VALUE` set *value, `--name` sets *flag.
struct pz_terminal_option {
    const char *name; // with its dashes
    const char **value;
    bool *flag;
};
// Sorts argv out. What is no option goes to `operands` (room for argc). PZ_INVALID with a hint for
// unknown options. "--" ends the options; a lone "-" is an operand.
PZ_MUST_USE enum pz_status pz_terminal_parse(const struct pz_terminal_option *options, size_t option_count,
                                        int argc, char **argv, const char **operands,
                                        int *operand_count_out, struct pz_error *err);
// A count written with digits and, if one likes, a k, M or G behind them (thousands).
bool pz_terminal_parse_count(const char *text, uint64_t *out);

// "plaza import: message" and the hint, on stderr. Control characters are not passed on.
void pz_terminal_complain(const char *verb, const struct pz_error *err);
// Text from outside for a terminal: control characters become '?'.
void pz_terminal_append_clean(struct pz_buffer *buffer, struct pz_str text);

// Progress on stderr, when that is a terminal; silent otherwise.
struct pz_terminal_progress {
    bool is_shown;
    const char *label;
    int64_t started_us, next_us;
};
void pz_terminal_progress_begin(struct pz_terminal_progress *progress, const char *label);
// At most ten times a second. `done` of `total` in any unit; total 0 = not known.
void pz_terminal_progress_show(struct pz_terminal_progress *progress, uint64_t rows, uint64_t done,
                          uint64_t total);
void pz_terminal_progress_end(struct pz_terminal_progress *progress); // wipes the line
// "1.25 M rows/s" since the beginning.
void pz_terminal_append_rate(struct pz_buffer *buffer, const struct pz_terminal_progress *progress,
                        uint64_t rows);
// "1,234,567"
void pz_terminal_append_number(struct pz_buffer *buffer, uint64_t number);

// From now on SIGINT and SIGTERM only set a flag; the second one ends the process at once.
void pz_terminal_catch_interrupts(void);
bool pz_terminal_is_interrupted(void);

#endif
