// SPDX-License-Identifier: Apache-2.0
// One row in the making: values of a record are checked, converted to their column's type and
// appended to a batch; a record that turns out bad leaves no trace there.
#ifndef PZ_INGEST_ROW_H
#define PZ_INGEST_ROW_H

#include "ingest/field.h"
#include "ingest/symbol_cache.h"

// Why a record is bad.
struct pz__row_fault {
    uint32_t column; // PZ_NO_COLUMN: no column is to blame
    char message[200];
};

// What is known of a column beforehand, and whether the current row has it.
struct pz__row_column {
    enum pz_type type;
    bool is_required;        // a record without it is bad
    enum pz_value_rule rule; // of the feed's tables
    uint32_t stamp;          // number of the last row that set it
    struct pz__symbol_cache *symbols;
    // TIMESTAMP: the day of the last value, which the next one most often shares.
    char day_text[12]; // PZ_DATE_TEXT_LEN bytes
    int64_t day_us;
};

// Every setter returns false when the record is bad (`fault` says why) or when something failed
// that is not the record's fault (`failure` has a status other than PZ_OK then).
//
// Text given to setters must be valid UTF-8. One thread at a time.
struct pz__row {
    struct pz_store *store;
    const struct pz__field_table *fields;
    const struct pz_table_def *def;
    struct pz_batch *batch; // where rows go; may be exchanged between rows
    struct pz__row_column *columns;
    struct pz__symbol_cache *caches; // one for each domain
    uint32_t cache_count;
    uint32_t stamp;
    uint32_t set_count; // columns of the current row that have a value
    struct pz__row_fault fault;
    struct pz_error failure;
};
PZ_MUST_USE enum pz_status pz__row_init(struct pz__row *row, struct pz_store *store,
                                        const struct pz__field_table *fields, struct pz_error *err);
void pz__row_fini(struct pz__row *row);

// A row begins, and ends as part of the batch or is undone. `end` fills in NULLs and checks that
// nothing needed is missing; after a false from any setter or from `end` call `undo`.
PZ_MUST_USE bool pz__row_begin(struct pz__row *row);
PZ_MUST_USE bool pz__row_end(struct pz__row *row, bool keep_line, uint64_t line);
void pz__row_undo(struct pz__row *row);

// Marks the column as met; false when this record has it already.
PZ_MUST_USE bool pz__row_claim(struct pz__row *row, uint32_t column);
// Values of a claimed column, one call each.
PZ_MUST_USE bool pz__row_set_null(struct pz__row *row, uint32_t column);
PZ_MUST_USE bool pz__row_set_boolean(struct pz__row *row, uint32_t column, bool value);
// The text of a JSON number.
PZ_MUST_USE bool pz__row_set_number(struct pz__row *row, uint32_t column, struct pz_str text);
// A JSON string: what stands between the quotes, without escapes.
PZ_MUST_USE bool pz__row_set_string(struct pz__row *row, uint32_t column, struct pz_str text);
// A field without type of its own, as in CSV.
PZ_MUST_USE bool pz__row_set_untyped(struct pz__row *row, uint32_t column, struct pz_str text);

// Makes the record bad. `column` may be PZ_NO_COLUMN. Always false.
bool pz__row_fail(struct pz__row *row, uint32_t column, const char *format, ...) PZ_PRINTF(3, 4);
// A field that no column takes: how it is told to a person. Always false.
bool pz__row_fail_unknown(struct pz__row *row, struct pz_str field);

#endif
