// SPDX-License-Identifier: Apache-2.0
// Believable traffic of a feed, made from a seed: the same numbers give the same bytes on every
// machine, so nothing here depends on clocks, locales or the mathematics library.
//
// Events are written in the order they arrive. About 1 % of them happened earlier than they arrive
// (late events: two hours on average, at most 48). Users and messages are skewed, recent messages
// are hot, days and weeks have their rhythm.
#ifndef PZ_SERVER_CLI_WORKLOAD_H
#define PZ_SERVER_CLI_WORKLOAD_H

#include "base/arena.h"
#include "base/status.h"

enum pz_workload_table {
    PZ_WORKLOAD_MESSAGES,
    PZ_WORKLOAD_LIKES,
    PZ_WORKLOAD_VIEWS,
    PZ_WORKLOAD_TABLES,
};
extern const char *const pz_workload_table_names[PZ_WORKLOAD_TABLES];

struct pz_workload_options {
    uint64_t users, messages;
    uint64_t likes; // rows: likes, and about 7 % of them taken back later
    uint64_t views;
    uint64_t days;
    uint64_t seed;
    int64_t until_day;         // days since 1970; events lie before this day
    int64_t message_id_offset; // messages get the ids that follow it
};

struct pz_workload;
// PZ_INVALID: the numbers do not go together. PZ_NO_MEMORY.
PZ_MUST_USE enum pz_status pz_workload_create(const struct pz_workload_options *options,
                                              struct pz_workload **workload_out,
                                              struct pz_error *err);
void pz_workload_destroy(struct pz_workload *workload); // NULL is ignored

// Appends rows of the table as NDJSON until about `bytes` were added; returns how many rows, 0 at
// the table's end. Messages come first, to their end; likes and views refer to them.
uint64_t pz_workload_write(struct pz_workload *workload, enum pz_workload_table table, size_t bytes,
                           struct pz_buffer *out);

#endif
