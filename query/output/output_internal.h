// SPDX-License-Identifier: Apache-2.0
// What the formats share: one value as text.
#ifndef PZ_QUERY_OUTPUT_OUTPUT_INTERNAL_H
#define PZ_QUERY_OUTPUT_OUTPUT_INTERNAL_H

#include "query/output/output.h"

#define PZ_CELL_TEXT_MAX 96 // of every type but TEXT

// The text of one value that is not NULL: TEXT as it is, others written into `room`.
struct pz_str pz__output_cell(const struct pz_slice *slice, uint32_t row,
                              char room[PZ_CELL_TEXT_MAX]);
// Whether the value is a NaN or an infinity, which JSON has no number for.
bool pz__output_is_not_finite(const struct pz_slice *slice, uint32_t row);
// Whether values of the type are numbers: written bare in JSON, aligned right in tables.
bool pz__output_is_number(enum pz_type type);

void pz__output_json_begin(struct pz_output *output);
void pz__output_json_rows(struct pz_output *output, const struct pz_slice *columns,
                          uint32_t row_count);
void pz__output_json_end(struct pz_output *output, const struct pz_query_stats *stats);
void pz__output_ndjson_rows(struct pz_output *output, const struct pz_slice *columns,
                            uint32_t row_count);
void pz__output_csv_begin(struct pz_output *output);
void pz__output_csv_rows(struct pz_output *output, const struct pz_slice *columns,
                         uint32_t row_count);
PZ_MUST_USE enum pz_status pz__output_table_rows(struct pz_output *output,
                                                 const struct pz_slice *columns, uint32_t row_count,
                                                 struct pz_error *err);
PZ_MUST_USE enum pz_status pz__output_table_end(struct pz_output *output, struct pz_error *err);

#endif
