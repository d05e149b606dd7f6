// SPDX-License-Identifier: Apache-2.0
// Bad records: told to the caller, and kept as dead letters when that was asked for.
#ifndef PZ_INGEST_REJECT_H
#define PZ_INGEST_REJECT_H

#include "ingest/row.h"
#include "ingest/split.h"

// One thread at a time.
struct pz__rejects {
    struct pz_store *store;
    const struct pz_table_def *table; // the one loaded into
    const char *source;
    int64_t received_us;                           // of all letters: they came with one load
    struct pz_row_error errors[PZ_ROW_ERRORS_MAX]; // the first ones, by line
    uint32_t error_count;
    uint64_t count;          // all bad records
    struct pz_batch letters; // rows for dead_letters; without a def when letters are not kept
    struct pz_buffer text;   // a record that is not UTF-8, encoded
};
// `letters_def` is the table dead_letters, or NULL when bad records are only told.
PZ_MUST_USE enum pz_status pz__rejects_init(struct pz__rejects *rejects, struct pz_store *store,
                                            const struct pz_table_def *table,
                                            const struct pz_table_def *letters_def,
                                            struct pz_error *err);
void pz__rejects_fini(struct pz__rejects *rejects);
// Fails only without memory and when the store refuses a new symbol.
PZ_MUST_USE enum pz_status pz__rejects_add(struct pz__rejects *rejects,
                                           const struct pz__record *record,
                                           const struct pz__row_fault *fault, struct pz_error *err);
// Adds what the store refused; all stay in the order of lines.
void pz__rejects_merge(struct pz__rejects *rejects, const struct pz_row_error *errors,
                       uint32_t error_count, uint64_t count);

#endif
