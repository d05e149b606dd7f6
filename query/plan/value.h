// SPDX-License-Identifier: Apache-2.0
// One SQL value on its own: a literal, a folded constant, a bound of a range.
#ifndef PZ_QUERY_PLAN_VALUE_H
#define PZ_QUERY_PLAN_VALUE_H

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

// Converts a literal or constant to another type, as CAST does. Text (TEXT or PZ_TYPE_NULL) is
// parsed: surrounding blanks are allowed. `offset` is the byte of the statement errors point at:
// 22P02 not a number or boolean, 22007 not a date, timestamp or interval, 22008 a field out of
// range, 22003 out of range, 42846 no such conversion. Text results are made in `arena`.
PZ_MUST_USE enum pz_status pz_value_cast(const struct pz_value *from, enum pz_type to,
                                         uint32_t offset, struct pz_arena *arena,
                                         struct pz_value *out, struct pz_error *err);

// Parses an interval as PostgreSQL writes and reads it: "1 day", "2 hours 30 minutes", "-3 mon",
// "1 day 02:00:00", "1.5 hours", "1 year 2 months ago". A bare number counts `unit`s, a unit name
// such as "day" or "hour", or seconds when `unit` is empty (INTERVAL '3' DAY). 22007, 22008.
PZ_MUST_USE enum pz_status pz_interval_parse(struct pz_str text, struct pz_str unit,
                                             uint32_t offset, struct pz_interval *out,
                                             struct pz_error *err);
// As PostgreSQL writes it: "1 year 2 mons 3 days 04:05:06.7", "00:00:00". Returns the length.
#define PZ_INTERVAL_TEXT_MAX 80
uint32_t pz_interval_format(const struct pz_interval *interval, char *out);

#endif
