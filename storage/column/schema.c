// SPDX-License-Identifier: Apache-2.0
// What the types of SQL are called and how their values lie in memory.
#include "storage/column/schema.h"

#include <stddef.h>

enum pz_layout
pz_type_layout(enum pz_type type)
{
    switch (type) {
    case PZ_TYPE_BOOLEAN:
        return PZ_LAYOUT_BYTE;
    case PZ_TYPE_SYMBOL:
        return PZ_LAYOUT_CODE;
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE:
        return PZ_LAYOUT_INT;
    case PZ_TYPE_DOUBLE:
        return PZ_LAYOUT_REAL;
    case PZ_TYPE_TEXT:
        return PZ_LAYOUT_STRING;
    case PZ_TYPE_NULL:
    case PZ_TYPE_INTERVAL:
        break;
    }
    PZ_UNREACHABLE("NULL and INTERVAL are types of expressions, not of columns");
}

size_t
pz_layout_size(enum pz_layout layout)
{
    switch (layout) {
    case PZ_LAYOUT_BYTE:
        return sizeof(uint8_t);
    case PZ_LAYOUT_CODE:
        return sizeof(uint32_t);
    case PZ_LAYOUT_INT:
        return sizeof(int64_t);
    case PZ_LAYOUT_REAL:
        return sizeof(double);
    case PZ_LAYOUT_STRING:
        return sizeof(struct pz_str);
    }
    PZ_UNREACHABLE("not a layout");
}

const char *
pz_type_name(enum pz_type type)
{
    switch (type) {
    case PZ_TYPE_NULL:
        return "NULL";
    case PZ_TYPE_BOOLEAN:
        return "BOOLEAN";
    case PZ_TYPE_BIGINT:
        return "BIGINT";
    case PZ_TYPE_DOUBLE:
        return "DOUBLE";
    case PZ_TYPE_TEXT:
        return "TEXT";
    case PZ_TYPE_SYMBOL:
        return "SYMBOL";
    case PZ_TYPE_TIMESTAMP:
        return "TIMESTAMP";
    case PZ_TYPE_DATE:
        return "DATE";
    case PZ_TYPE_INTERVAL:
        return "INTERVAL";
    }
    PZ_UNREACHABLE("not a type");
}

bool
pz_type_from_name(struct pz_str name, enum pz_type *type_out)
{
    static const struct {
        const char *name;
        enum pz_type type;
    } names[] = {
        {"BOOLEAN", PZ_TYPE_BOOLEAN},
        {"BOOL", PZ_TYPE_BOOLEAN},
        {"BIGINT", PZ_TYPE_BIGINT},
        {"INTEGER", PZ_TYPE_BIGINT},
        {"INT", PZ_TYPE_BIGINT},
        {"SMALLINT", PZ_TYPE_BIGINT},
        {"INT2", PZ_TYPE_BIGINT},
        {"INT4", PZ_TYPE_BIGINT},
        {"INT8", PZ_TYPE_BIGINT},
        {"DOUBLE", PZ_TYPE_DOUBLE},
        {"DOUBLE PRECISION", PZ_TYPE_DOUBLE},
        {"REAL", PZ_TYPE_DOUBLE},
        {"FLOAT", PZ_TYPE_DOUBLE},
        {"FLOAT4", PZ_TYPE_DOUBLE},
        {"FLOAT8", PZ_TYPE_DOUBLE},
        {"TEXT", PZ_TYPE_TEXT},
        {"VARCHAR", PZ_TYPE_TEXT},
        {"CHARACTER VARYING", PZ_TYPE_TEXT},
        {"STRING", PZ_TYPE_TEXT},
        {"SYMBOL", PZ_TYPE_SYMBOL},
        {"TIMESTAMP", PZ_TYPE_TIMESTAMP},
        {"TIMESTAMP WITHOUT TIME ZONE", PZ_TYPE_TIMESTAMP},
        {"DATE", PZ_TYPE_DATE},
        {"INTERVAL", PZ_TYPE_INTERVAL},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (pz_str_equal_nocase(name, pz_str_from(names[i].name))) {
            *type_out = names[i].type;
            return true;
        }
    }
    return false;
}

uint32_t
pz_table_def_find(const struct pz_table_def *def, struct pz_str name)
{
    for (uint32_t i = 0; i < def->column_count; i++) {
        if (pz_str_equal_nocase(name, pz_str_from(def->columns[i].name))) {
            return i;
        }
    }
    return PZ_NO_COLUMN;
}
