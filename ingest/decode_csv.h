// SPDX-License-Identifier: Apache-2.0
// CSV records (RFC 4180) to rows: a header names the fields, then each record has as many.
#ifndef PZ_INGEST_DECODE_CSV_H
#define PZ_INGEST_DECODE_CSV_H

#include "ingest/row.h"
#include "ingest/split.h"

// One thread at a time.
struct pz__csv_decoder {
    const struct pz__field_table *fields;
    bool ignore_unknown;
    bool has_header;
    uint32_t field_count;
    uint32_t *columns;        // of each field of the header; PZ_NO_COLUMN: not wanted
    struct pz_buffer scratch; // a quoted field without its doubled quotes
};
void pz__csv_decoder_init(struct pz__csv_decoder *decoder, const struct pz__field_table *fields,
                          bool ignore_unknown);
void pz__csv_decoder_fini(struct pz__csv_decoder *decoder);

// Takes the first record as the header. PZ_INVALID when it names unknown fields that are not to be
// ignored, one field twice, or lacks one that every row needs.
PZ_MUST_USE enum pz_status pz__csv_read_header(struct pz__csv_decoder *decoder,
                                               const struct pz__record *record, struct pz__row *row,
                                               struct pz_error *err);
// Appends the values of one record to the row that was begun; the caller ends or undoes it. False
// as the setters of row.h.
PZ_MUST_USE bool pz__csv_decode(struct pz__csv_decoder *decoder, const struct pz__record *record,
                                struct pz__row *row);

#endif
