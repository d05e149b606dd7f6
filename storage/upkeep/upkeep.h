// SPDX-License-Identifier: Apache-2.0
// Upkeep: what turns a tail into segments and feed state, beside the writer. A thread of its own
// decides and prepares; whatever changes LMDB is done by the writer, in a job (store_internal.h).
#ifndef PZ_STORAGE_UPKEEP_UPKEEP_H
#define PZ_STORAGE_UPKEEP_UPKEEP_H

#include "storage/store_internal.h"

// ---- the thread (upkeep.c) ------------------------------------------------------------------

void *pz__upkeep_run(void *store); // ends once upkeep_stopping is set
// There may be something to seal or fold. Any thread; holds the upkeep mutex for a moment.
void pz__upkeep_wake(struct pz_store *store);
// Whether the thread is to end: what takes long leaves off then.
bool pz__upkeep_is_stopping(struct pz_store *store);

// ---- sealing and folding (seal.c, fold.c) ---------------------------------------------------

// Seals the tail of one table, up to a segment's worth; a table that is gone is PZ_OK. The caller
// holds the turn, here and below.
PZ_MUST_USE enum pz_status pz__seal_table(struct pz_store *store, uint32_t table_id,
                                          struct pz_error *err);
// Deletes the chunks whose rows are sealed and folded, a few hundred a commit.
PZ_MUST_USE enum pz_status pz__trim_table(struct pz_store *store, uint32_t table_id,
                                          struct pz_error *err);
// Folds what is there when it begins; a fold that was in progress is finished first. Leaves off
// between two slices when the upkeep thread is to end. `between` (may be NULL) is called between
// two slices; it may seal.
PZ_MUST_USE enum pz_status pz__fold_all(struct pz_store *store, bool is_urgent,
                                        void (*between)(struct pz_store *store, void *payload),
                                        void *payload, struct pz_error *err);

// ---- the pace of folds (pace.c) --------------------------------------------------------------

struct pz_fold_pace {
    bool is_urgent;         // pauses less
    uint64_t rows_written;  // by the store, at the last look
    uint32_t message_count; // of the next slice
    int64_t pause_us;       // before it
};
void pz__fold_pace_init(struct pz_fold_pace *pace, bool is_urgent, uint64_t rows_written);
// After each slice: what it took, whether writes wait now, and how many rows the store has written.
// Rows since the last look count as waiting writes: between two of its writes a busy client is not
// in the queue.
void pz__fold_pace_follow(struct pz_fold_pace *pace, int64_t elapsed_us, bool is_waiting,
                          uint64_t rows_written);

// ---- segments and loads (publish.c, load.c) --------------------------------------------------

// Writes rows as a segment file under its final name, durable, not yet in the catalog.
PZ_MUST_USE enum pz_status pz__segment_publish(struct pz_store *store, const struct pz_batch *rows,
                                               struct pz_segment_info *info_out,
                                               struct pz_segment **segment_out,
                                               struct pz_error *err);
// View counts per message, of a segment that is there.
PZ_MUST_USE enum pz_status pz__view_layer_of_segment(struct pz_segment *segment,
                                                     struct pz_feed_layer **layer_out,
                                                     struct pz_error *err);
// Inside a group: registers a load's segments. After its commit: shows them.
enum pz_status pz__group_load(struct pz_group *group, struct pz_write *write, struct pz_error *err);
void pz__group_load_committed(struct pz_group *group);

#endif
