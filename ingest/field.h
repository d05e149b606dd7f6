// SPDX-License-Identifier: Apache-2.0
// Which field of a record fills which column.
#ifndef PZ_INGEST_FIELD_H
#define PZ_INGEST_FIELD_H

#include "ingest/ingest.h"

// The field that fills one column.
struct pz__field {
    struct pz_str name; // empty: no field fills the column, its own name was given away
    bool is_plain;      // stands in JSON text as it is, without escapes
};

// Fields by column, and columns by field name. Names belong to the table.
struct pz__field_table {
    const struct pz_table_def *def;
    struct pz__field *fields; // def->column_count of them
    uint32_t *slots;          // column + 1 by hash of the name; 0 = free
    uint32_t slot_mask;
    struct pz_arena arena;
};

// `map` may be NULL: each column is filled from the field of its name. PZ_INVALID with a hint when
// the map names a column the table does not have.
PZ_MUST_USE enum pz_status pz__field_table_init(struct pz__field_table *table,
                                                const struct pz_table_def *def,
                                                const struct pz_field_map *map,
                                                struct pz_error *err);
void pz__field_table_fini(struct pz__field_table *table);
// The column, or PZ_NO_COLUMN.
uint32_t pz__field_find(const struct pz__field_table *table, struct pz_str name);
// What a person may have meant by an unknown field: a known field's name, or empty.
struct pz_str pz__field_suggest(const struct pz__field_table *table, struct pz_str name);

#endif
