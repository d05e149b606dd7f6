// SPDX-License-Identifier: Apache-2.0
// The façade of ingest: bytes of records in, batches (or a clear list of what is wrong) out.
//
// A loader is fed bytes in pieces of any size, decodes records straight into column builders
// directed by the table's schema, and hands batches to the store. Bad records abort the whole
// load or become dead letters, as the caller chose; nothing is dropped silently.
#ifndef PZ_INGEST_INGEST_H
#define PZ_INGEST_INGEST_H

#include "base/inflate.h"
#include "storage/store.h"

enum pz_record_format {
    PZ_RECORDS_NDJSON,     // one object a line
    PZ_RECORDS_CSV,        // header line, then records (RFC 4180, LF or CRLF)
    PZ_RECORDS_JSON_ARRAY, // one array of objects
};

// column=field renames, e.g. "user_id=user,body=text": column user_id is filled from the field
// user.
struct pz_field_map {
    struct pz_field_rename {
        struct pz_str column;
        struct pz_str field;
    } * renames;
    uint32_t count;
};
// Parses "column=field,column=field". Strings are copied into the arena.
PZ_MUST_USE enum pz_status pz_field_map_parse(struct pz_str text, struct pz_arena *arena,
                                              struct pz_field_map *map_out, struct pz_error *err);

struct pz_loader_options {
    enum pz_record_format format;
    enum pz_encoding encoding;
    enum pz_on_error on_error;
    bool ignore_unknown; // fields without a column are skipped; else they make a bad record
    const struct pz_field_map *map; // or NULL
    const char *source;             // for dead letters
    uint64_t lines_before; // lines of the file before this input, which error lines continue from;
                           // with CSV: before its first record, the header counted as usual
    uint64_t body_bytes_max; // decoded bytes; 0 = no limit; beyond: PZ_TOO_LARGE
    bool is_atomic;          // true: all rows of the load in one commit (HTTP, abort).
                             // false: batches may be committed as they fill (dead_letter import)
};

struct pz_loader;
// The table must exist: PZ_NOT_FOUND with a "did you mean" hint.
PZ_MUST_USE enum pz_status pz_loader_create(struct pz_store *store, struct pz_str table,
                                            const struct pz_loader_options *options,
                                            struct pz_loader **loader_out, struct pz_error *err);
void pz_loader_destroy(struct pz_loader *loader); // forgets what was not committed

// Decodes some bytes. A bad record is not a failure of this call; see pz_loader_answer.
// PZ_INVALID (damaged compression, a body that is no array, …), PZ_TOO_LARGE, PZ_NO_MEMORY are:
// nothing will be stored.
PZ_MUST_USE enum pz_status pz_loader_feed(struct pz_loader *loader, const void *data, size_t len,
                                          struct pz_error *err);

// What a load came to.
struct pz_load_answer {
    uint64_t accepted, ignored, rejected;
    uint64_t commit;             // the last commit, 0 when there was none
    bool is_refused;             // bad records kept the load out, and nothing else did
    bool is_outcome_unknown;     // a commit failed: only a restart tells what is stored
    struct pz_row_error *errors; // first PZ_ROW_ERRORS_MAX; owned by the loader
    uint32_t error_count;
};
// Ends the input and commits. Blocks until durable. With PZ_ON_ERROR_ABORT and any bad record:
// PZ_INVALID, nothing stored, the answer filled (accepted 0, is_refused). A failure of another kind
// may come with bad records too; they are listed then, but they are not what failed.
PZ_MUST_USE enum pz_status
pz_loader_finish(struct pz_loader *loader, struct pz_load_answer *answer_out, struct pz_error *err);
// Progress, any time.
uint64_t pz_loader_row_count(const struct pz_loader *loader);

// Where a stream of records may be cut into inputs of their own, for senders of large files. Lines
// and CSV only; a CSV input then needs the header in front again. Zero-initialised but for format.
struct pz_record_cutter {
    enum pz_record_format format;
    int state; // at the end of what was seen
};
// Looks at the next bytes of the stream: how many of them lie before the last place where a record
// ends, 0 when none ends here.
size_t pz_record_cut(struct pz_record_cutter *cutter, const char *data, size_t len);

// Timestamps in every form clients send: ISO 8601 with or without zone and fraction, RFC 2822,
// Twitter's "Wed Oct 10 20:19:24 +0000 2018", epoch numbers (seconds, ms, us, ns by magnitude;
// fractions of seconds). Naive times are UTC.
bool pz_ingest_parse_timestamp(struct pz_str text, int64_t *us_out);
bool pz_ingest_timestamp_from_int(int64_t number, int64_t *us_out);
bool pz_ingest_timestamp_from_real(double number, int64_t *us_out);

#endif
