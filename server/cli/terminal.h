// SPDX-License-Identifier: Apache-2.0
// What commands that work for a while share: progress on a terminal, words for a person, Ctrl-C.
#ifndef PZ_SERVER_CLI_TERMINAL_H
#define PZ_SERVER_CLI_TERMINAL_H

#include "base/arena.h"
#include "base/status.h"

// A count written with digits and, if one likes, a k, M or G behind them (thousands).
bool pz_terminal_parse_count(const char *text, uint64_t *out);

// Text from outside for a terminal: control characters become '?'.
void pz_terminal_append_clean(struct pz_buffer *buffer, struct pz_str text);

// Progress on stderr, when that is a terminal; silent otherwise.
struct pz_progress {
    bool is_shown;
    const char *label;
    int64_t started_us, next_us;
};
void pz_progress_begin(struct pz_progress *progress, const char *label);
// At most ten times a second. `done` of `total` in any unit; total 0 = not known.
void pz_progress_show(struct pz_progress *progress, uint64_t rows, uint64_t done, uint64_t total);
void pz_progress_end(struct pz_progress *progress); // wipes the line
// "1.25 M rows/s" since the beginning.
void pz_terminal_append_rate(struct pz_buffer *buffer, const struct pz_progress *progress,
                             uint64_t rows);
// "1,234,567"
void pz_terminal_append_number(struct pz_buffer *buffer, uint64_t number);

// From now on SIGINT and SIGTERM only set a flag; the second one ends the process at once.
void pz_terminal_catch_interrupts(void);
bool pz_terminal_is_interrupted(void);

#endif
