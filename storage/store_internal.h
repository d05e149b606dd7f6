// SPDX-License-Identifier: Apache-2.0
// What the files of storage/ (top level) and storage/upkeep share: the store's parts and state, and
// what the top level does with them.
//
//     writer     owns struct pz_table (what the next commit builds on) and everything in LMDB
//     version    immutable copy of all tables' lists, made after each commit
//     upkeep     one thread that seals, folds and trims, through jobs for the writer
#ifndef PZ_STORAGE_STORE_INTERNAL_H
#define PZ_STORAGE_STORE_INTERNAL_H

#include "base/file.h"
#include "base/thread.h"
#include "storage/feed/feed.h"
#include "storage/kv/kv.h"
#include "storage/segment/segment.h"
#include "storage/store.h"
#include "storage/tail/mirror.h"

#define PZ_DOMAINS_MAX 65536u
#define PZ_QUEUE_BYTES_MAX (64u << 20)
#define PZ_GROUP_BYTES_MAX (8u << 20)
#define PZ_GROUP_WRITES_MAX 5000u
#define PZ_DISK_RESERVE_BYTES (32u << 20) // kept free, for the commits under way

// ---- lists shared by the writer and versions ------------------------------------------------

struct pz_sealed_entry {
    struct pz_segment *segment;
    uint32_t first_block;      // blocks of the entries before
    struct pz_hidden **hidden; // per block, NULL where nothing is hidden; NULL = nothing at all
};
// Sealed segments of one table, in order of segment id. Immutable once shared.
struct pz_segment_list {
    _Atomic uint32_t ref_count;
    uint32_t count;
    uint32_t block_count;
    uint64_t row_count; // hidden ones included
    uint64_t hidden_count;
    struct pz_sealed_entry entries[];
};
// A list of the entries of `from` (NULL = none) and `added` (NULL = none; the list takes over the
// caller's reference).
struct pz_segment_list *pz__segment_list_copy(const struct pz_segment_list *from,
                                              struct pz_segment *added);
// The same in place, for a list that nobody else holds: many in a row cost little.
struct pz_segment_list *pz__segment_list_extend(struct pz_segment_list *list,
                                                struct pz_segment *added);
// Sets the hidden rows of one block; takes over the reference. Only before the list is shared.
void pz__segment_list_hide(struct pz_segment_list *list, uint32_t entry, uint32_t block,
                           struct pz_hidden *hidden);
struct pz_segment_list *pz__segment_list_acquire(struct pz_segment_list *list);
void pz__segment_list_release(struct pz_segment_list *list); // NULL is ignored

struct pz_table_state {
    const struct pz_table_def *def;
    struct pz_segment_list *segments;
    struct pz_tail_layout *layout;
    uint64_t end_row; // number of the next row
};
struct pz_version {
    _Atomic uint32_t ref_count;
    uint32_t table_count;
    struct pz_store *store;
    uint64_t commit;
    struct pz_table_state tables[]; // in order of name
};

// ---- the writer's tables --------------------------------------------------------------------

// Rows that a DELETE hides, gathered by the group and applied after its commit.
struct pz_hide_list {
    struct pz_hide {
        bool is_sealed;
        uint32_t entry; // of the segment list or of the layout
        uint32_t block; // sealed only
        uint32_t row;   // in the block
    } * items;
    size_t count;
    size_t capacity;
};

struct pz_table {
    struct pz_table_state state;
    struct pz_table_def *owned_def;
    uint64_t sealed_row;  // rows below are in segments (or hidden and gone)
    uint64_t trimmed_row; // chunks of rows below are gone
    uint64_t seal_end; // rows below belong to a seal in progress: no block holds rows of both sides
    // Of the group being committed:
    struct pz_batch group_rows;
    struct pz_hide_list hides;
    struct pz_tail_layout *new_layout; // with blocks added for the group's rows, or NULL
    bool has_mirrored;                 // the mirror holds rows of the group
    uint32_t saved_rows;               // row_count of the last block before the group
};

struct pz_store {
    char *dir;
    struct pz_store_options options;
    struct pz_file lock;
    struct pz_kv_env *kv;
    struct pz_page_cache *cache;
    struct pz_feed *feed;
    uint64_t store_id;

    struct pz_domain *_Atomic domains[PZ_DOMAINS_MAX]; // by id
    _Atomic uint32_t domain_end;                       // ids below may exist

    // Writer thread only, after opening.
    struct pz_table **tables; // in order of name
    uint32_t table_count;
    struct pz_domain_name {
        uint32_t id;
        char name[PZ_NAME_LEN_MAX + 1];
    } * domain_names;
    uint32_t domain_name_count;
    uint32_t next_table_id;
    uint32_t next_domain_id;
    _Atomic uint64_t next_segment_id; // taken by any thread
    uint64_t commit;
    int64_t last_wall_us; // server time never goes back
    struct pz_table_def *
        *retired_defs; // of dropped tables: versions and batches may still name them
    uint32_t retired_count;

    struct pz_mutex version_mutex; // guards `version`
    struct pz_version *version;

    struct pz_mutex queue_mutex; // guards the members up to `writer`
    struct pz_cond queue_cond;   // work for the writer, or stop
    struct pz_cond idle_cond;    // the queue ran empty
    struct pz_write *queue_head, *queue_tail;
    struct pz_write *internal_head, *internal_tail;
    uint64_t queue_bytes;
    uint32_t queue_count;
    bool is_draining;
    bool is_stopping;
    bool is_writing;
    bool is_failed;
    struct pz_error failure;
    struct pz_thread writer;

    struct pz_mutex turn_mutex;   // held for a whole seal or fold: one at a time
    struct pz_mutex layout_mutex; // held from the scan of a DELETE to its submit, and by seals

    struct pz_mutex upkeep_mutex; // guards the members up to `upkeep`
    struct pz_cond upkeep_cond;
    bool upkeep_wanted;
    bool upkeep_stopping;
    struct pz_thread upkeep;

    struct pz_store_counters {
        _Atomic uint64_t commits, rows_written, commit_us_sum, seals, folds, fold_slices;
        _Atomic uint64_t commit_us_buckets[16];
    } counters;
};

// ---- version.c ------------------------------------------------------------------------------

// Makes the writer's tables the newest version. Writer thread, or while opening.
void pz__version_publish(struct pz_store *store);
// The same in two steps: a version of the writer's tables, and its exchange for the newest, which
// is quick. The caller releases the one before.
struct pz_version *pz__version_create(struct pz_store *store);
PZ_MUST_USE struct pz_version *pz__version_exchange(struct pz_store *store,
                                                    struct pz_version *version);
void pz__version_retire(struct pz_store *store); // drops the store's own reference at close

// ---- writer.c -------------------------------------------------------------------------------

void *pz__writer_run(void *store);
// Queues a job of the store's own; it runs alone in its own transaction between two groups.
// `internal` is called on the writer thread. Waits for it.
enum pz_status pz__store_run_internal(struct pz_store *store,
                                      enum pz_status (*internal)(struct pz_write *write,
                                                                 void *context,
                                                                 struct pz_error *err),
                                      void *context, struct pz_error *err);
// Commits `txn`. PZ_FULL: nothing was committed, as after an abort. Any other failure stops all
// writing.
PZ_MUST_USE enum pz_status pz__store_commit(struct pz_store *store, struct pz_kv_txn *txn,
                                            struct pz_error *err);
// Puts the facts every commit must carry: commit number, new symbols.
PZ_MUST_USE enum pz_status pz__store_put_commit(struct pz_store *store, struct pz_kv_txn *txn,
                                                uint64_t commit, struct pz_error *err);
void pz__store_symbols_persisted(struct pz_store *store);
// Whether a commit failed. Its outcome is unknown: what it may have named must not be removed.
bool pz__store_is_failed(struct pz_store *store);
// PZ_FULL when the disk has so little room that a commit of about `bytes` might fail for want of
// it: that would end all writing until a restart. Any thread.
PZ_MUST_USE enum pz_status pz__store_check_space(struct pz_store *store, uint64_t bytes,
                                                 struct pz_error *err);
struct pz_table *pz__store_find_table(struct pz_store *store, uint32_t table_id);
int64_t pz__store_now(struct pz_store *store); // rising wall time; writer thread

// ---- group.c: the transaction of a group ----------------------------------------------------

// Commits the writes (linked by next) as one group, and fills their answers.
void pz__group_commit(struct pz_store *store, struct pz_write *writes);
uint64_t pz__write_bytes(const struct pz_write *write); // that it holds, about
// Whether the write must be a group of its own.
bool pz__write_is_solo(const struct pz_write *write);

// ---- group_rows.c, group_ddl.c, group_delete.c: one write inside a group ---------------------

// Each returns PZ_OK or a refusal of this write alone (recorded in write->status by the caller);
// is_fatal is set besides when the transaction cannot go on.
struct pz_group {
    struct pz_store *store;
    struct pz_kv_txn *txn;
    bool has_changes;
    bool is_fatal;
    struct pz_table *created; // of a CREATE TABLE, joins the tables after the commit
    struct pz_table *dropped;
    struct pz_load *load;
};
enum pz_status pz__group_rows(struct pz_group *group, struct pz_write *write, struct pz_error *err);
enum pz_status pz__group_like(struct pz_group *group, struct pz_write *write, struct pz_error *err);
enum pz_status pz__group_create_table(struct pz_group *group, struct pz_write *write,
                                      struct pz_error *err);
enum pz_status pz__group_drop_table(struct pz_group *group, struct pz_write *write,
                                    struct pz_error *err);
enum pz_status pz__group_delete_message(struct pz_group *group, struct pz_write *write,
                                        struct pz_error *err);
enum pz_status pz__group_delete_rows(struct pz_group *group, struct pz_write *write,
                                     struct pz_error *err);
// The row as the feed's fold sees it; false when the table is none of the feed's.
bool pz__feed_row_of(const struct pz_batch *batch, size_t row, uint64_t row_number,
                     struct pz_feed_row *out);
// A row as a JSON object, as NDJSON input would give it (for dead letters).
void pz__row_to_json(struct pz_store *store, const struct pz_batch *batch, size_t row,
                     struct pz_buffer *out);
void pz__group_ddl_committed(struct pz_group *group);
void pz__group_ddl_aborted(struct pz_group *group);
// The number the next row appended to the table in this group will have.
static inline uint64_t
pz__table_next_row(const struct pz_table *table)
{
    return table->state.end_row + table->group_rows.row_count;
}
// Adds a table to the writer's list.
void pz__tables_insert(struct pz_store *store, struct pz_table *table);
struct pz_table *pz__table_create(struct pz_table_def *owned_def);
void pz__table_destroy(struct pz_table *table); // not its def
struct pz_domain *pz__store_domain(struct pz_store *store, uint32_t domain_id);
void pz__store_name_domain(struct pz_store *store, uint32_t domain_id, struct pz_str name);
struct pz_domain *pz__store_add_domain(struct pz_store *store, uint32_t domain_id);

// ---- group_rules.c: what becomes of a row ----------------------------------------------------

enum pz_verdict { PZ_ROW_ACCEPTED, PZ_ROW_IGNORED, PZ_ROW_REJECTED };
struct pz_rejection {
    uint32_t column; // PZ_NO_COLUMN when none is to blame
    char message[200];
};
// Sets what a row of the feed may leave out, but for a message's id.
void pz__row_fill(struct pz_batch *batch, size_t row, int64_t now_us);
// Judges a row that was filled, and gives a message its id. PZ_ROW_REJECTED fills `why`, or sets
// group->is_fatal and fills `err`.
enum pz_verdict pz__row_judge(struct pz_group *group, const struct pz_write *write,
                              struct pz_batch *batch, size_t row, struct pz_rejection *why,
                              struct pz_error *err);
// The first row of [first, end) whose value in the column breaks the rule of the feed, and why; or
// `end`, always when the table is none of the feed's.
size_t pz__feed_find_bad_value(struct pz_store *store, const struct pz_batch *batch,
                               uint32_t column, size_t first, size_t end,
                               char why[PZ_RULE_TEXT_MAX]);

// ---- data_dir.c -----------------------------------------------------------------------------

// Checks or makes the data directory, takes LOCK, reads FORMAT. *is_new_out: a store was just made.
PZ_MUST_USE enum pz_status pz__data_dir_open(struct pz_store *store, struct pz_error *err);
void pz__segment_path(const struct pz_store *store, uint32_t table_id, uint64_t segment_id,
                      bool is_temporary, char *out, size_t capacity);
PZ_MUST_USE enum pz_status pz__segment_dir_create(const struct pz_store *store, uint32_t table_id,
                                                  struct pz_error *err);
// Moves segment files that the catalog does not name to lost+found, removes temporary ones.
PZ_MUST_USE enum pz_status pz__data_dir_set_orphans_aside(struct pz_store *store,
                                                          struct pz_error *err);

// ---- recover.c ------------------------------------------------------------------------------

// Which rows of the feed's log a table holds; false for other tables.
bool pz__feed_kind_of(uint32_t table_id, enum pz_feed_kind *kind_out);
PZ_MUST_USE enum pz_status pz__store_recover(struct pz_store *store, struct pz_error *err);

#endif
