// SPDX-License-Identifier: Apache-2.0
// The façade of storage: open a data directory, write through the one commit point, read versions
// and the feed.
//
// Writes are jobs submitted to the writer thread, which commits whatever waits as one durable
// LMDB transaction and then calls each job's `done`. Reads take a version (all tables as of one
// commit) by reference count, or ask the feed; neither waits for the writer.
#ifndef PZ_STORAGE_STORE_H
#define PZ_STORAGE_STORE_H

#include "base/arena.h"
#include "base/num.h"
#include "storage/column/batch.h"
#include "storage/column/feed_rules.h"
#include "storage/column/stats.h"

struct pz_store;
struct pz_version;

// ---- opening -------------------------------------------------------------------------------

struct pz_store_options {
    bool create;          // make a new store when the directory is absent or empty
    bool is_ephemeral;    // tests and benchmarks only: commits are not made durable
    bool is_manual;       // no background sealing and folding: only the calls below (tests)
    bool is_thorough;     // before anything else, look at each page of plaza.mdb
    uint64_t seal_rows;   // unsealed rows of a table that start a seal, three times as many entries
                          // of the feed's overlay start a fold; 0 = 131,072
    uint64_t cache_bytes; // page cache; 0 = a quarter of the memory
    uint64_t map_bytes;   // LMDB map; 0 = 1 TiB
};

// PZ_NOT_FOUND    no store there, and `create` is not set
// PZ_BUSY         another process has the directory open (its pid is in the message)
// PZ_CORRUPT      bytes that do not parse, a missing or damaged segment: nothing is changed
// PZ_UNSUPPORTED  a format newer than this program
PZ_MUST_USE enum pz_status pz_store_open(const char *dir, const struct pz_store_options *options,
                                         struct pz_store **store_out, struct pz_error *err);
// Waits for queued writes, stops the threads, closes. No version may be held any more.
void pz_store_close(struct pz_store *store);

// Refuses further writes (PZ_BUSY) and waits until the queued ones are answered.
void pz_store_drain(struct pz_store *store);

// ---- versions ------------------------------------------------------------------------------

// The newest version; the caller owns one reference. Any thread, a few tens of nanoseconds.
struct pz_version *pz_version_acquire(struct pz_store *store);
void pz_version_release(struct pz_version *version); // NULL is ignored
uint64_t pz_version_commit(const struct pz_version *version);

// Tables of a version, in order of name. Pointers live as long as the version.
uint32_t pz_version_table_count(const struct pz_version *version);
const struct pz_table_def *pz_version_table_at(const struct pz_version *version, uint32_t index);
const struct pz_table_def *pz_version_find_table(const struct pz_version *version,
                                                 struct pz_str name); // NULL when there is none

// The rows of one table in a version: sealed blocks first (in order of segment), then tail blocks.
// Deleted rows are still inside, marked.
struct pz_table_rows {
    const struct pz_version *version;
    const struct pz_table_def *def;
    uint32_t block_count;
    uint32_t sealed_block_count;        // blocks [0, this) are sealed
    uint64_t row_count;                 // rows that are not deleted
    const struct pz_table_state *state; // internal
};
void pz_version_rows(const struct pz_version *version, const struct pz_table_def *def,
                     struct pz_table_rows *rows_out);

// One block: up to PZ_BLOCK_ROWS rows, the unit of parallel work. Cheap to look up; borrowed from
// the version.
struct pz_block {
    const struct pz_table_def *def;
    uint32_t row_count; // with deleted rows
    uint32_t deleted_count;
    const uint64_t *deleted; // bit set = row is deleted; NULL when none is
    bool is_sealed;
    struct pz_segment *segment;           // internal
    uint32_t segment_block;               // internal
    const struct pz_mirror_block *mirror; // internal
};
void pz_table_block(const struct pz_table_rows *rows, uint32_t index, struct pz_block *block_out);

// Statistics over ALL rows of a block, deleted ones included, so a range may be wider than what is
// visible and counts are exact only when deleted_count is 0. NULL for tail blocks.
// For PZ_LAYOUT_REAL columns the range is in the real_ members and there is no sum; strings have
// neither.
const struct pz_stats *pz_block_stats(const struct pz_block *block, uint32_t column);

// Rows of a sealed block grouped by UTC day of the table's time column. *count_out is 0 for tail
// blocks and where runs are not kept.
const struct pz_day_run *pz_block_day_runs(const struct pz_block *block, uint32_t *count_out);
const struct pz_stats *pz_block_run_stats(const struct pz_block *block, uint32_t run,
                                          uint32_t column);

// Reads one column of the whole block. The slice borrows from the scratch or the version; both
// must outlive it. One scratch per thread and column.
struct pz_page_scratch;
struct pz_page_scratch *pz_page_scratch_create(void);
void pz_page_scratch_destroy(struct pz_page_scratch *scratch);
PZ_MUST_USE enum pz_status pz_block_read(const struct pz_block *block, uint32_t column,
                                         struct pz_page_scratch *scratch,
                                         struct pz_slice *slice_out, struct pz_error *err);

// ---- symbols -------------------------------------------------------------------------------

// Codes are dense from 0 within a domain and never change. Any thread.
uint32_t pz_symbol_count(struct pz_store *store, uint32_t domain_id); // codes 0 .. count-1 exist
struct pz_str pz_symbol_name(struct pz_store *store, uint32_t domain_id, uint32_t code);
// Finds without adding.
bool pz_symbol_find(struct pz_store *store, uint32_t domain_id, struct pz_str name,
                    uint32_t *code_out);
// Finds or adds. A new symbol becomes durable with the next commit, thus before any row that
// uses it. PZ_UNACCEPTABLE when longer than PZ_SYMBOL_LEN_MAX.
PZ_MUST_USE enum pz_status pz_symbol_intern(struct pz_store *store, uint32_t domain_id,
                                            struct pz_str name, uint32_t *code_out,
                                            struct pz_error *err);

// ---- writing -------------------------------------------------------------------------------

enum pz_write_kind {
    PZ_WRITE_ROWS,           // append batches, all in one commit
    PZ_WRITE_LIKE,           // message_id, user, at_us; PZ_NOT_FOUND when there is no such message
    PZ_WRITE_UNLIKE,         // the same; also of a user whose name is none for a like
    PZ_WRITE_DELETE_MESSAGE, // message_id, at_us; PZ_NOT_FOUND
    PZ_WRITE_DELETE_ROWS,    // hide rows of a log table
    PZ_WRITE_CREATE_TABLE,   // table; PZ_EXISTS
    PZ_WRITE_DROP_TABLE,     // table->name; PZ_NOT_FOUND
    PZ_WRITE_LOAD,           // internal: see pz_load_commit
    PZ_WRITE_INTERNAL,       // internal: seal, fold
};

enum pz_on_error {
    PZ_ON_ERROR_ABORT,       // one bad row refuses the whole write: nothing is stored
    PZ_ON_ERROR_DEAD_LETTER, // bad rows go to dead_letters in the same commit
};

// A row that was refused. Kept for the first PZ_ROW_ERRORS_MAX.
#define PZ_ROW_ERRORS_MAX 100
struct pz_row_error {
    uint64_t line;                    // from 1; 0 unknown
    char column[PZ_NAME_LEN_MAX + 1]; // "" when no column is to blame
    char message[200];
    char snippet[80]; // start of the offending text, valid UTF-8, or ""
};

// Rows to hide: one bit set per block of a version's table, made by a scan under pz_layout_lock.
struct pz_row_selection {
    const struct pz_table_def *def;
    struct pz_version *version; // the blocks below are this version's
    uint32_t block_count;
    uint64_t **blocks; // per block PZ_BLOCK_ROWS bits, or NULL when no row of it is selected
};

// One write. The caller owns it and keeps it (and what it points to) until `done` was called.
struct pz_write {
    enum pz_write_kind kind;
    void (*done)(
        struct pz_write *write); // on the writer thread; must be short and not submit-and-wait
    void *payload;               // the caller's

    // What to write.
    struct pz_batch *batches; // ROWS: may name the same or different tables
    uint32_t batch_count;
    enum pz_on_error on_error; // ROWS: for rows that break a rule of the feed
    bool needs_message;        // ROWS into views: refuse (PZ_NOT_FOUND) views of no message
    const char *source;        // ROWS: for dead letters, e.g. "import likes.csv"; or NULL
    int64_t message_id;
    uint32_t user; // code in the domain "user"
    int64_t at_us;
    struct pz_table_def *table; // CREATE, DROP; ids are filled in by the writer; borrowed
    bool if_exists;             // CREATE IF NOT EXISTS, DROP IF EXISTS
    const struct pz_row_selection *selection; // DELETE_ROWS

    // The answer.
    enum pz_status status;
    struct pz_error error;
    uint64_t commit;   // the commit that holds it (or that it saw, when it changed nothing)
    uint64_t accepted; // rows stored or hidden
    uint64_t ignored; // rows of the feed that change nothing: a like that stands, an unlike of none
    uint64_t rejected;
    bool was_changed;                // LIKE, UNLIKE: false when it was so already
    int64_t likes;                   // LIKE, UNLIKE: the counter after it
    struct pz_row_error *row_errors; // malloc'ed; the caller frees
    uint32_t row_error_count;

    struct pz_write *next; // internal
    struct pz_load *load;  // internal
    enum pz_status (*internal)(struct pz_write *write, void *context, struct pz_error *err);
    void *internal_context;
};

// Queues the write. PZ_BUSY (store closing, or more than the queue's 64 MiB wait) and PZ_IO (a
// failed commit stopped all writing) mean that it was not taken and `done` will not be called.
//
// ROWS: columns of feed tables that the rules fill may be NULL in the batch and are set in place:
// messages.message_id (next id), messages.created_at, likes.created_at, views.viewed_at (now),
// likes.delta (+1). Rules: those of storage/column/feed_rules.h; a message_id given must never have
// been used; a NULL in a NOT NULL column is refused. Other tables: NOT NULL only.
PZ_MUST_USE enum pz_status pz_store_submit(struct pz_store *store, struct pz_write *write,
                                           struct pz_error *err);
// Submits (`done` and `payload` are filled in) and waits. Returns what pz_store_submit refused it
// with, or write->status with its error in *err.
enum pz_status pz_store_submit_wait(struct pz_store *store, struct pz_write *write,
                                    struct pz_error *err);

// A large append that becomes segments on the side and enters by one catalog commit: all or
// nothing, memory bounded. For log tables without the feed's rules, and views.
struct pz_load;
bool pz_load_is_possible(const struct pz_table_def *def); // not messages and likes
PZ_MUST_USE enum pz_status pz_load_begin(struct pz_store *store, const struct pz_table_def *def,
                                         struct pz_load **load_out, struct pz_error *err);
// Takes the rows over and clears the batch. Checks NOT NULL and the rules of the feed's values. One
// thread at a time.
PZ_MUST_USE enum pz_status pz_load_add(struct pz_load *load, struct pz_batch *batch,
                                       struct pz_error *err);
// Commits all rows (few rows go through the tail) and `letters` (rows for dead_letters, or NULL);
// fills write's answer. Frees the load in any case.
PZ_MUST_USE enum pz_status pz_load_commit(struct pz_load *load, struct pz_batch *letters,
                                          struct pz_write *answer, struct pz_error *err);
void pz_load_abort(struct pz_load *load); // NULL is ignored

// Held (by one at a time) from the scan of a DELETE to its submit, so that rows keep their place.
void pz_layout_lock(struct pz_store *store);
void pz_layout_unlock(struct pz_store *store);

// ---- the feed ------------------------------------------------------------------------------

struct pz_message {
    int64_t message_id;
    uint32_t user;      // code in the domain "user"
    int64_t created_at; // us
    struct pz_str body;
    bool has_sentiment;
    double sentiment;
    int64_t likes, views;
};
// Strings are copied into the arena. PZ_NOT_FOUND when there is no such message (err untouched).
PZ_MUST_USE enum pz_status pz_feed_get_message(struct pz_store *store, int64_t message_id,
                                               struct pz_arena *arena, struct pz_message *out,
                                               struct pz_error *err);
struct pz_feed_query {
    uint32_t limit;  // 1..1000
    bool has_before; // only messages older than (before_created_at, before_message_id)
    int64_t before_created_at, before_message_id;
    bool has_user; // only this user's
    uint32_t user;
    uint64_t bytes_max; // the page ends with the message whose body reaches this; 0 = no such bound
};
struct pz_feed_page {
    struct pz_message *items; // in the arena; newest first by (created_at, message_id)
    uint32_t count;
    bool has_more; // older ones follow
};
// *page_out is empty on failure.
PZ_MUST_USE enum pz_status pz_feed_get_page(struct pz_store *store,
                                            const struct pz_feed_query *query,
                                            struct pz_arena *arena, struct pz_feed_page *page_out,
                                            struct pz_error *err);

// ---- upkeep and observation ----------------------------------------------------------------

// Now, and wait for it: seal every tail row of one table (0 = of all), or fold everything. For
// tests and tools.
PZ_MUST_USE enum pz_status pz_store_seal_now(struct pz_store *store, uint32_t table_id,
                                             struct pz_error *err);
PZ_MUST_USE enum pz_status pz_store_fold_now(struct pz_store *store, struct pz_error *err);

// `plaza check`: reads everything back, verifies checksums, recomputes the feed from the log and
// compares, all as of one commit; writes may go on meanwhile. Appends one line per finding to
// `report`; *problems_out counts them.
PZ_MUST_USE enum pz_status pz_store_check(struct pz_store *store, struct pz_buffer *report,
                                          uint64_t *problems_out, struct pz_error *err);

struct pz_store_stats {
    uint64_t commit, commits, rows_written, writes_waiting, bytes_waiting;
    uint64_t tail_rows, sealed_rows, segment_count, segment_bytes, unfolded_rows;
    uint64_t seals, folds, fold_slices, kv_used_bytes, kv_map_bytes;
    uint64_t cache_bytes, cache_hits, cache_misses;
    uint64_t commit_us_sum; // time in commits, for the mean
    uint64_t
        commit_us_buckets[16]; // bucket i: commits of less than 100 us << i, the last: all others
    bool is_failed;            // a commit failed: no more writes
    bool is_full;              // the disk is: writes are refused until there is room
};
void pz_store_read_stats(struct pz_store *store, struct pz_store_stats *out);

#endif
