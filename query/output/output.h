// SPDX-License-Identifier: Apache-2.0
// Result batches to bytes. Each format is a pair of calls that append to a buffer.
//
// json     {"columns":[{"name","type"}…],"rows":[[…]…],"row_count","stats":{…},"complete":true}
// ndjson   one object a row, no header; a name that came before gets its position: n_5
// csv      RFC 4180 with a header line, CRLF; NULL is empty, the empty string is ""
// text     an aligned table for people
//
// A statement that writes has a count, `affected`, where others have rows. Every result ends with a
// line break.
//
// Timestamps are 2026-11-20T09:00:00.000000Z, dates 2026-11-20, doubles shortest round-trip (NaN
// and infinities are null in json and ndjson), integers in full digits, booleans true/false.
#ifndef PZ_QUERY_OUTPUT_OUTPUT_H
#define PZ_QUERY_OUTPUT_OUTPUT_H

#include "query/query.h"

enum pz_format { PZ_FORMAT_JSON, PZ_FORMAT_NDJSON, PZ_FORMAT_CSV, PZ_FORMAT_TEXT };

struct pz_output {
    enum pz_format format;
    struct pz_buffer *buffer;               // borrowed
    const struct pz_result_column *columns; // copied into arena by begin
    uint32_t column_count;
    uint64_t row_count;
    struct pz_arena arena;
    struct pz_buffer text_rows; // PZ_FORMAT_TEXT: kept until the widths are known
};
void pz_output_init(struct pz_output *output, enum pz_format format, struct pz_buffer *buffer);
void pz_output_fini(struct pz_output *output);
PZ_MUST_USE enum pz_status pz_output_begin(struct pz_output *output,
                                           const struct pz_result_column *columns,
                                           uint32_t column_count, struct pz_error *err);
PZ_MUST_USE enum pz_status pz_output_rows(struct pz_output *output, const struct pz_slice *columns,
                                          uint32_t row_count, struct pz_error *err);
// Closes what begin and rows left open, and adds what is known only at the end.
PZ_MUST_USE enum pz_status pz_output_end(struct pz_output *output,
                                         const struct pz_query_stats *stats, struct pz_error *err);

#endif
