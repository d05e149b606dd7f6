// SPDX-License-Identifier: Apache-2.0
// The functions SQL can call, from query/func/functions.def and aggregates.def: look-up by name,
// choice of an overload by argument types.
#ifndef PZ_QUERY_FUNC_REGISTRY_H
#define PZ_QUERY_FUNC_REGISTRY_H

#include "base/status.h"
#include "storage/column/schema.h"

enum pz_function_id {
#define X(id, name, arguments, result, help) PZ_FN_##id,
#include "query/func/functions.def"
#undef X
#define X(id, name, arguments, result, help) PZ_AGG_##id,
#include "query/func/aggregates.def"
#undef X
    PZ_FUNCTION_COUNT
};

struct pz_function {
    enum pz_function_id id;
    const char *name;
    const char *arguments; // as functions.def writes them
    char result;
    const char *help;
    bool is_aggregate;
};

const struct pz_function *pz_function_get(enum pz_function_id id);
// The first overload of that name (ASCII case folded), or NULL.
const struct pz_function *pz_function_find(struct pz_str name);
// All names, for "did you mean": the name of overload i < PZ_FUNCTION_COUNT.
const char *pz_function_name(uint32_t index);

// Chooses the overload of `name` for arguments of these types. PZ_TYPE_NULL stands for a literal
// without a type, which fits everything (TEXT when nothing decides); SYMBOL counts as TEXT, and
// stays SYMBOL only as the argument of an aggregate; BIGINT goes to DOUBLE and DATE to TIMESTAMP
// where needed.
// `argument_types_out` has room for argument_count types.
// Returns false when no overload fits; names without any overload are the caller's to check first.
bool pz_function_resolve(struct pz_str name, const enum pz_type *argument_types,
                         uint32_t argument_count, enum pz_type *argument_types_out,
                         const struct pz_function **function_out, enum pz_type *result_out);

// The fields of date_trunc, extract and date_part, by name (ASCII case folded, plural accepted).
enum pz_time_field {
    PZ_FIELD_MICROSECOND,
    PZ_FIELD_MILLISECOND,
    PZ_FIELD_SECOND,
    PZ_FIELD_MINUTE,
    PZ_FIELD_HOUR,
    PZ_FIELD_DAY,
    PZ_FIELD_WEEK,
    PZ_FIELD_MONTH,
    PZ_FIELD_QUARTER,
    PZ_FIELD_YEAR,
    PZ_FIELD_DECADE,
    PZ_FIELD_CENTURY,
    PZ_FIELD_MILLENNIUM,
    PZ_FIELD_DOW,
    PZ_FIELD_ISODOW,
    PZ_FIELD_DOY,
    PZ_FIELD_ISOYEAR,
    PZ_FIELD_EPOCH,
};
bool pz_time_field_find(struct pz_str name, enum pz_time_field *field_out);

#endif
