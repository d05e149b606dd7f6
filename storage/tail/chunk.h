// SPDX-License-Identifier: Apache-2.0
// Chunks: rows of one table that one commit appended, as LMDB keeps them until they are sealed
// (and folded).
//
//     key    table id be32 | number of the first row be64
//     value  version u8 | row count u32 | column count u32, then for each column
//            type u8 | has nulls u8 | validity words u64 … when it has nulls
//            values: 1, 4 or 8 bytes each, or for strings all lengths (u32 each), then all bytes
//
// What a commit appends to a table is cut into chunks of about 60 KiB.
#ifndef PZ_STORAGE_TAIL_CHUNK_H
#define PZ_STORAGE_TAIL_CHUNK_H

#include "storage/column/batch.h"
#include "storage/kv/kv.h"

// Puts all rows of the batch; the first has number `first_row`.
PZ_MUST_USE enum pz_status pz_chunk_put_rows(struct pz_kv_txn *txn, const struct pz_batch *rows,
                                             uint64_t first_row, struct pz_error *err);

// Reads the chunks of one table from the one that holds row `from_row` on. For each calls
// each(payload, first_row, rows): the batch is valid for the call.
PZ_MUST_USE enum pz_status
pz_chunk_each(struct pz_kv_txn *txn, const struct pz_table_def *def, uint64_t from_row,
              enum pz_status (*each)(void *payload, uint64_t first_row, const struct pz_batch *rows,
                                     struct pz_error *err),
              void *payload, struct pz_error *err);

// Deletes chunks whose rows are all numbered below `end_row`, at most `count_max`. *more_out tells
// whether such chunks are left.
PZ_MUST_USE enum pz_status pz_chunk_trim(struct pz_kv_txn *txn, uint32_t table_id, uint64_t end_row,
                                         uint32_t count_max, bool *more_out, struct pz_error *err);

#endif
