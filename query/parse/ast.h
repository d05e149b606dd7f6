// SPDX-License-Identifier: Apache-2.0
// The tree of a statement, as written: names are not looked up, types are not known.
//
// All nodes live in the arena given to the parser and point into the statement's text.
#ifndef PZ_QUERY_PARSE_AST_H
#define PZ_QUERY_PARSE_AST_H

#include "base/str.h"
#include "storage/column/schema.h"

enum pz_ast_kind {
    PZ_AST_NULL,
    PZ_AST_BOOLEAN, // boolean
    PZ_AST_INTEGER, // integer
    PZ_AST_DOUBLE,  // real
    PZ_AST_STRING,  // text
    PZ_AST_TYPED,   // DATE '…': type, text; INTERVAL '1' DAY: unit too
    PZ_AST_COLUMN,  // qualifier (may be empty), text
    PZ_AST_STAR,    // *, t.*: qualifier (may be empty); only in select lists and count(*)
    PZ_AST_NEGATE,  // -items[0]
    PZ_AST_PLUS,    // +items[0]
    PZ_AST_NOT,     // NOT items[0]
    PZ_AST_BINARY,  // items[0] op items[1]
    PZ_AST_AND,     // all items, at least two
    PZ_AST_OR,
    PZ_AST_IN,       // items[0] [NOT] IN (items[1…])
    PZ_AST_BETWEEN,  // items[0] [NOT] BETWEEN items[1] AND items[2]
    PZ_AST_LIKE,     // items[0] [NOT] LIKE items[1] [ESCAPE items[2]]; is_nocase for ILIKE
    PZ_AST_IS,       // items[0] IS [NOT] test
    PZ_AST_DISTINCT, // items[0] IS [NOT] DISTINCT FROM items[1]
    PZ_AST_CASE,     // [operand] (condition, result)* [else]: see has_operand, has_else
    PZ_AST_CAST,     // items[0]::type
    PZ_AST_CALL,     // text(items…), with is_distinct; count(*) has a PZ_AST_STAR
};

enum pz_ast_op {
    PZ_AST_ADD,
    PZ_AST_SUBTRACT,
    PZ_AST_MULTIPLY,
    PZ_AST_DIVIDE,
    PZ_AST_MODULO,
    PZ_AST_CONCAT,
    PZ_AST_EQUAL,
    PZ_AST_NOT_EQUAL,
    PZ_AST_LESS,
    PZ_AST_LESS_EQUAL,
    PZ_AST_GREATER,
    PZ_AST_GREATER_EQUAL,
};

enum pz_ast_test { PZ_AST_IS_NULL, PZ_AST_IS_TRUE, PZ_AST_IS_FALSE, PZ_AST_IS_UNKNOWN };

struct pz_ast {
    enum pz_ast_kind kind;
    uint32_t offset;  // what an error about this node points at: an operator, a name
    uint32_t begin;   // the first byte of its text
    uint32_t height;  // 1 for leaves
    bool is_negated;  // NOT IN, NOT BETWEEN, NOT LIKE, IS NOT
    bool is_nocase;   // LIKE
    bool is_distinct; // CALL
    bool has_operand; // CASE
    bool has_else;    // CASE
    bool boolean;
    enum pz_ast_op op;
    enum pz_ast_test test;
    enum pz_type type;       // TYPED, CAST
    uint32_t length;         // CAST to VARCHAR(n), 0 = no limit
    struct pz_str text;      // a name (folded as SQL does) or the content of a string
    struct pz_str qualifier; // COLUMN, STAR
    struct pz_str unit;      // TYPED: INTERVAL '1' DAY
    struct pz_str label;     // the output name it gives a column if nothing better does, or empty
    int64_t integer;
    double real;
    uint32_t item_count;
    struct pz_ast **items;
};

struct pz_ast_item {
    struct pz_ast *expr;
    struct pz_str alias; // data NULL when there is none
};

enum pz_ast_nulls { PZ_AST_NULLS_DEFAULT, PZ_AST_NULLS_FIRST, PZ_AST_NULLS_LAST };

struct pz_ast_order {
    struct pz_ast *expr;
    bool is_descending;
    enum pz_ast_nulls nulls;
};

struct pz_ast_select;

// A name with its place.
struct pz_ast_name {
    struct pz_str text;
    uint32_t offset;
};

enum pz_ast_from_kind { PZ_AST_FROM_NOTHING, PZ_AST_FROM_TABLE, PZ_AST_FROM_SUBQUERY };

struct pz_ast_from {
    enum pz_ast_from_kind kind;
    struct pz_ast_name table;
    struct pz_ast_select *subquery;
    struct pz_str alias; // data NULL when there is none
    uint32_t column_alias_count;
    struct pz_ast_name *column_aliases; // AS t(a, b)
};

struct pz_ast_select {
    uint32_t offset; // of SELECT
    bool is_distinct;
    uint32_t item_count;
    struct pz_ast_item *items;
    struct pz_ast_from from;
    struct pz_ast *where; // or NULL
    uint32_t group_count;
    struct pz_ast **groups;
    struct pz_ast *having; // or NULL
    uint32_t order_count;
    struct pz_ast_order *orders;
    struct pz_ast *limit;       // or NULL
    struct pz_ast *offset_rows; // or NULL
};

struct pz_ast_insert {
    struct pz_ast_name table;
    uint32_t column_count; // 0: all, in order
    struct pz_ast_name *columns;
    uint32_t row_count;
    struct pz_ast_row {
        uint32_t offset;
        uint32_t value_count;
        struct pz_ast **values; // NULL stands for DEFAULT
    } * rows;
};

struct pz_ast_delete {
    struct pz_ast_name table;
    struct pz_str alias; // data NULL when there is none
    struct pz_ast *where;
};

struct pz_ast_create {
    struct pz_ast_name table;
    bool if_not_exists;
    uint32_t column_count;
    struct pz_ast_column {
        struct pz_ast_name name;
        enum pz_type type;
        uint32_t type_offset;
        bool is_not_null;
        struct pz_ast_name domain; // text.data NULL when not given
    } * columns;
    struct pz_ast_name time; // WITH (time = …); text.data NULL when not given
};

struct pz_ast_drop {
    bool if_exists;
    struct pz_ast_name table;
};

enum pz_ast_statement_kind {
    PZ_AST_SELECT,
    PZ_AST_EXPLAIN, // select, is_analyze
    PZ_AST_INSERT,
    PZ_AST_DELETE,
    PZ_AST_CREATE_TABLE,
    PZ_AST_DROP_TABLE,
    PZ_AST_SHOW_TABLES,
    PZ_AST_DESCRIBE, // table
};

struct pz_ast_statement {
    enum pz_ast_statement_kind kind;
    bool is_analyze;
    struct pz_ast_select *select;
    struct pz_ast_insert insert;
    struct pz_ast_delete delete;
    struct pz_ast_create create;
    struct pz_ast_drop drop;
    struct pz_ast_name table;
};

#endif
