// SPDX-License-Identifier: Apache-2.0
// Conversions of single values, for literals and for the vector kernels alike.
#ifndef PZ_QUERY_EXPR_CAST_H
#define PZ_QUERY_EXPR_CAST_H

#include "query/expr/value.h"

// Converts a literal or constant to another type, as CAST does. Text (TEXT or PZ_TYPE_NULL) is
// parsed: surrounding blanks are allowed. `offset` is the byte of the statement errors point at:
// 22P02 not a number or boolean, 22007 not a date, timestamp or interval, 22008 a field out of
// range, 22003 out of range, 42846 no such conversion. Text results are made in `arena`.
PZ_MUST_USE enum pz_status pz_value_cast(const struct pz_value *from, enum pz_type to,
                                         uint32_t offset, struct pz_arena *arena,
                                         struct pz_value *out, struct pz_error *err);

// Whether SQL's CAST knows the pair at all (SYMBOL counts as TEXT; not a SYMBOL as target).
bool pz_cast_is_possible(enum pz_type from, enum pz_type to);

// The type as PostgreSQL's messages write it: "double precision".
const char *pz_type_word(enum pz_type type);

// Text as the type is written in results of CAST(x AS TEXT): timestamps as PostgreSQL writes them,
// "2026-11-20 09:00:00.5". `out` has PZ_CAST_TEXT_MAX bytes; not for TEXT. Returns the length.
#define PZ_CAST_TEXT_MAX 96
uint32_t pz_cast_write(const struct pz_value *value, char *out);

// A double as the nearest BIGINT, halves away from zero; false when it does not fit.
bool pz_cast_double_to_bigint(double value, int64_t *out);

// The largest and smallest DATE there is: 0001-01-01 and 9999-12-31.
#define PZ_DATE_MIN INT64_C(-719162)
#define PZ_DATE_MAX INT64_C(2932896)

#endif
