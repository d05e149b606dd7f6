// SPDX-License-Identifier: Apache-2.0
// Types, columns and tables: what a row looks like.
#ifndef PZ_STORAGE_COLUMN_SCHEMA_H
#define PZ_STORAGE_COLUMN_SCHEMA_H

#include "base/status.h"
#include "base/str.h"

#include <stdint.h>

// The types of SQL. The number is stored on disk: never renumber.
enum pz_type {
    PZ_TYPE_NULL = 0,      // only in expressions: the type of a bare NULL
    PZ_TYPE_BOOLEAN = 1,   // memory: uint8_t, 0 or 1
    PZ_TYPE_BIGINT = 2,    // int64_t
    PZ_TYPE_DOUBLE = 3,    // double
    PZ_TYPE_TEXT = 4,      // struct pz_str, valid UTF-8
    PZ_TYPE_SYMBOL = 5,    // uint32_t code in the column's domain
    PZ_TYPE_TIMESTAMP = 6, // int64_t microseconds since 1970-01-01 UTC
    PZ_TYPE_DATE = 7,      // int64_t days since 1970-01-01
    PZ_TYPE_INTERVAL = 8,  // only in expressions
};

// How values of a type lie in memory and in pages.
enum pz_layout {
    PZ_LAYOUT_BYTE,   // uint8_t
    PZ_LAYOUT_CODE,   // uint32_t
    PZ_LAYOUT_INT,    // int64_t
    PZ_LAYOUT_REAL,   // double
    PZ_LAYOUT_STRING, // struct pz_str
};
enum pz_layout pz_type_layout(enum pz_type type); // of the stored types
size_t pz_layout_size(enum pz_layout layout);     // bytes a value
const char *pz_type_name(enum pz_type type);      // "BIGINT"; as SQL and results write it
// Accepts the SQL names and their aliases (INTEGER, VARCHAR, "DOUBLE PRECISION", …) in any case.
bool pz_type_from_name(struct pz_str name, enum pz_type *type_out);

#define PZ_NAME_LEN_MAX 63
#define PZ_COLUMNS_MAX 1000
#define PZ_TEXT_LEN_MAX (16u << 20) // bytes of one TEXT value
#define PZ_SYMBOL_LEN_MAX 1024u     // bytes of one SYMBOL value

struct pz_column_def {
    char name[PZ_NAME_LEN_MAX + 1];
    enum pz_type type;
    bool is_not_null;
    uint32_t domain_id;                    // SYMBOL only
    char domain_name[PZ_NAME_LEN_MAX + 1]; // SYMBOL only, e.g. "user"
};

// The built-in tables have fixed ids; others count up from PZ_TABLE_ID_FIRST_USER.
enum {
    PZ_TABLE_MESSAGES = 1,
    PZ_TABLE_LIKES = 2,
    PZ_TABLE_VIEWS = 3,
    PZ_TABLE_DEAD_LETTERS = 4,
    PZ_TABLE_MESSAGE_DELETIONS = 5, // internal: the log of deletions of messages
    PZ_TABLE_ID_FIRST_USER = 100,
};

// Column positions of the built-in tables, as batches and scans use them.
enum {
    PZ_MESSAGES_ID,
    PZ_MESSAGES_USER,
    PZ_MESSAGES_CREATED_AT,
    PZ_MESSAGES_BODY,
    PZ_MESSAGES_SENTIMENT
};
enum { PZ_LIKES_MESSAGE, PZ_LIKES_USER, PZ_LIKES_CREATED_AT, PZ_LIKES_DELTA };
enum {
    PZ_VIEWS_MESSAGE,
    PZ_VIEWS_USER,
    PZ_VIEWS_VIEWED_AT,
    PZ_VIEWS_DEVICE,
    PZ_VIEWS_GEO,
    PZ_VIEWS_WATCH_MS
};
enum {
    PZ_DEAD_SOURCE,
    PZ_DEAD_POSITION,
    PZ_DEAD_TABLE,
    PZ_DEAD_RAW,
    PZ_DEAD_REASON,
    PZ_DEAD_PLACE,
    PZ_DEAD_AT
};
enum { PZ_DELETIONS_MESSAGE, PZ_DELETIONS_DELETED_AT };

// A log table's shape. Immutable once in a version; owned by the catalog.
struct pz_table_def {
    uint32_t id;
    char name[PZ_NAME_LEN_MAX + 1];
    bool is_internal;     // hidden from SHOW TABLES and SQL
    uint32_t time_column; // position of the time column; PZ_NO_COLUMN when the table has none
    uint32_t column_count;
    struct pz_column_def *columns;
};
#define PZ_NO_COLUMN UINT32_MAX

// Position of the named column (ASCII case folded), or PZ_NO_COLUMN.
uint32_t pz_table_def_find(const struct pz_table_def *def, struct pz_str name);

// Whether the table is one whose rows obey the feed's rules (messages, likes, views).
static inline bool
pz_table_is_feed(uint32_t table_id)
{
    return table_id >= PZ_TABLE_MESSAGES && table_id <= PZ_TABLE_VIEWS;
}

#endif
