// SPDX-License-Identifier: Apache-2.0
// A store without a disk, for tests of ingest: it remembers what it was given as lines of text.
#ifndef PZ_TESTS_INGEST_FAKE_STORE_H
#define PZ_TESTS_INGEST_FAKE_STORE_H

#include "ingest/ingest.h"

// Tables: messages, likes, views and dead_letters as the real store has them, and
//     kinds(b BOOLEAN, i BIGINT, d DOUBLE, t TEXT, s SYMBOL, at TIMESTAMP, day DATE, n BIGINT NOT
//           NULL)
//     loose(x BIGINT), all nullable
struct pz_store *fake_store_create(void);
void fake_store_destroy(struct pz_store *store);

// All rows of a table in the order they were stored, one a line, values separated by "|", NULL as
// "-". The text belongs to the store and is good until the next write.
const char *fake_store_rows(struct pz_store *store, const char *table);
uint64_t fake_store_row_count(struct pz_store *store, const char *table);
uint64_t fake_store_commits(const struct pz_store *store);
uint64_t fake_store_loads(const struct pz_store *store); // of the commits, how many were loads

// Writes refuse rows whose first column is this number; 0 = none.
void fake_store_refuse(struct pz_store *store, int64_t number);
// The next `count` writes answer PZ_BUSY.
void fake_store_be_busy(struct pz_store *store, unsigned count);
// Writes and loads fail with PZ_IO from now on.
void fake_store_break(struct pz_store *store);

// Feeds all of `text` in pieces of `piece` bytes (0: at once) and finishes. The answer's errors are
// copied to `errors` (PZ_ROW_ERRORS_MAX of them; may be NULL).
enum pz_status fake_load(struct pz_store *store, const char *table,
                         const struct pz_loader_options *options, struct pz_str text, size_t piece,
                         struct pz_load_answer *answer_out, struct pz_row_error *errors,
                         struct pz_error *err);

#endif
