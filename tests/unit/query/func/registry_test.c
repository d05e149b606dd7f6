// SPDX-License-Identifier: Apache-2.0
// The choice among overloads.
#include "query/func/registry.h"

#include "query/func/kernel.h"
#include "tests/support/test.h"

static void
check_call(const char *name, const enum pz_type *types, uint32_t count, int expected,
           enum pz_type result)
{
    enum pz_type out[8];
    const struct pz_function *function;
    enum pz_type found;
    bool fits = pz_function_resolve(pz_str_from(name), types, count, out, &function, &found);
    if (expected < 0) {
        PZ_CHECK_MSG(!fits, "%s is taken", name);
        return;
    }
    PZ_CHECK_MSG(fits, "%s does not fit", name);
    if (fits) {
        PZ_CHECK_EQ_I64(function->id, expected);
        PZ_CHECK_EQ_I64(found, result);
    }
}

#define TYPES(...) ((const enum pz_type[]){__VA_ARGS__})

PZ_TEST(the_overload_with_the_fewest_conversions_is_taken)
{
    check_call("+", TYPES(PZ_TYPE_BIGINT, PZ_TYPE_BIGINT), 2, PZ_FN_ADD_BIGINT, PZ_TYPE_BIGINT);
    check_call("+", TYPES(PZ_TYPE_BIGINT, PZ_TYPE_DOUBLE), 2, PZ_FN_ADD_DOUBLE, PZ_TYPE_DOUBLE);
    check_call("-", TYPES(PZ_TYPE_DATE, PZ_TYPE_DATE), 2, PZ_FN_SUB_DATE_DATE, PZ_TYPE_BIGINT);
    check_call("-", TYPES(PZ_TYPE_TIMESTAMP, PZ_TYPE_DATE), 2, PZ_FN_SUB_TIMESTAMP,
               PZ_TYPE_INTERVAL);
    check_call("+", TYPES(PZ_TYPE_DATE, PZ_TYPE_INTERVAL), 2, PZ_FN_ADD_TIMESTAMP_INTERVAL,
               PZ_TYPE_TIMESTAMP);
    check_call("||", TYPES(PZ_TYPE_SYMBOL, PZ_TYPE_NULL), 2, PZ_FN_CONCAT_OPERATOR, PZ_TYPE_TEXT);
    check_call("LOWER", TYPES(PZ_TYPE_SYMBOL), 1, PZ_FN_LOWER, PZ_TYPE_TEXT);
    check_call("date_trunc", TYPES(PZ_TYPE_NULL, PZ_TYPE_DATE), 2, PZ_FN_DATE_TRUNC,
               PZ_TYPE_TIMESTAMP);
    check_call("lower", TYPES(PZ_TYPE_BIGINT), 1, -1, PZ_TYPE_NULL);
    check_call("+", TYPES(PZ_TYPE_DATE, PZ_TYPE_DATE), 2, -1, PZ_TYPE_NULL);
    check_call("substr", TYPES(PZ_TYPE_TEXT), 1, -1, PZ_TYPE_NULL);
}

PZ_TEST(a_literal_takes_the_type_of_the_other_side)
{
    check_call("+", TYPES(PZ_TYPE_BIGINT, PZ_TYPE_NULL), 2, PZ_FN_ADD_BIGINT, PZ_TYPE_BIGINT);
    check_call("*", TYPES(PZ_TYPE_NULL, PZ_TYPE_DOUBLE), 2, PZ_FN_MUL_DOUBLE, PZ_TYPE_DOUBLE);
    check_call("-", TYPES(PZ_TYPE_DATE, PZ_TYPE_NULL), 2, PZ_FN_SUB_DATE_DATE, PZ_TYPE_BIGINT);
}

PZ_TEST(any_type_is_one_type)
{
    check_call("greatest", TYPES(PZ_TYPE_BIGINT, PZ_TYPE_DOUBLE, PZ_TYPE_NULL), 3, PZ_FN_GREATEST,
               PZ_TYPE_DOUBLE);
    check_call("least", TYPES(PZ_TYPE_SYMBOL), 1, PZ_FN_LEAST, PZ_TYPE_TEXT);
    check_call("greatest", TYPES(PZ_TYPE_BIGINT, PZ_TYPE_TEXT), 2, -1, PZ_TYPE_NULL);
    check_call("min", TYPES(PZ_TYPE_SYMBOL), 1, PZ_AGG_MIN, PZ_TYPE_SYMBOL);
    check_call("count", NULL, 0, PZ_AGG_COUNT_STAR, PZ_TYPE_BIGINT);
    check_call("sum", TYPES(PZ_TYPE_TEXT), 1, -1, PZ_TYPE_NULL);
}

PZ_TEST(every_function_has_a_kernel)
{
    for (uint32_t i = 0; i < PZ_FUNCTION_COUNT; i++) {
        const struct pz_function *function = pz_function_get((enum pz_function_id)i);
        PZ_CHECK_EQ_U64(function->id, i);
        if (!function->is_aggregate) {
            PZ_CHECK(pz_function_kernel(function->id).kernel != NULL);
        }
    }
}
