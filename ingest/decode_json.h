// SPDX-License-Identifier: Apache-2.0
// JSON objects to rows, directed by the table's schema: values go straight into columns, nothing is
// built in between.
#ifndef PZ_INGEST_DECODE_JSON_H
#define PZ_INGEST_DECODE_JSON_H

#include "ingest/row.h"
#include "ingest/split.h"

// Levels of nesting in values that no column takes.
#define PZ__JSON_DEPTH_MAX 64

// Names of one record that no column takes, so that a second one is noticed.
struct pz__key_set {
    struct pz__key_slot *slots;
    uint32_t slot_count; // a power of two, or 0
    uint32_t count;      // keys of the current record
    uint32_t stamp;      // slots with another stamp are free
    struct pz_buffer names;
};

// One thread at a time.
struct pz__json_decoder {
    const struct pz__field_table *fields;
    bool ignore_unknown;
    // next[c + 1]: the column whose field followed that of column c in the last record that had
    // both; next[0] the first. Most records repeat the order of the one before.
    uint32_t *next;
    struct pz_buffer scratch; // a string without its escapes
    struct pz__key_set keys;
};
PZ_MUST_USE enum pz_status pz__json_decoder_init(struct pz__json_decoder *decoder,
                                                 const struct pz__field_table *fields,
                                                 bool ignore_unknown, struct pz_error *err);
void pz__json_decoder_fini(struct pz__json_decoder *decoder);

// Appends the values of one record, which must be one object, to the row that was begun; the caller
// ends or undoes it. False as the setters of row.h.
PZ_MUST_USE bool pz__json_decode(struct pz__json_decoder *decoder, const struct pz__record *record,
                                 struct pz__row *row);

#endif
