// SPDX-License-Identifier: Apache-2.0
// One SQL value on its own: a literal, a folded constant, a bound of a range.
#ifndef PZ_QUERY_EXPR_VALUE_H
#define PZ_QUERY_EXPR_VALUE_H

#include "base/arena.h"
#include "query/query.h"
#include "storage/column/schema.h"

// A value of any type of an expression. When is_null the members below are not set.
// PZ_TYPE_NULL  a bare NULL that has not met a type yet (always is_null), or a quoted literal that
//               has not met one (is_null false, the text in `text`): PostgreSQL's "unknown".
struct pz_value {
    enum pz_type type;
    bool is_null;
    union {
        bool boolean;
        int64_t integer; // BIGINT; TIMESTAMP in us; DATE in days; SYMBOL: the code
        double real;
        struct pz_str text; // TEXT and PZ_TYPE_NULL
        struct pz_interval interval;
    };
};

static inline struct pz_value
pz_value_null(enum pz_type type)
{
    return (struct pz_value){.type = type, .is_null = true};
}
static inline struct pz_value
pz_value_bool(bool value)
{
    return (struct pz_value){.type = PZ_TYPE_BOOLEAN, .boolean = value};
}
static inline struct pz_value
pz_value_int(enum pz_type type, int64_t value) // BIGINT, TIMESTAMP, DATE, SYMBOL
{
    return (struct pz_value){.type = type, .integer = value};
}
static inline struct pz_value
pz_value_real(double value)
{
    return (struct pz_value){.type = PZ_TYPE_DOUBLE, .real = value};
}
static inline struct pz_value
pz_value_text(struct pz_str value)
{
    return (struct pz_value){.type = PZ_TYPE_TEXT, .text = value};
}

#endif
