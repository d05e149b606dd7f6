// SPDX-License-Identifier: Apache-2.0
// Which kernel computes which function, and small helpers over vectors.
#include "query/func/kernel.h"

#include "query/func/arithmetic.h"
#include "query/func/text.h"
#include "query/func/time.h"

size_t
pz_value_size(enum pz_type type)
{
    switch (type) {
    case PZ_TYPE_BOOLEAN:
        return 1;
    case PZ_TYPE_SYMBOL:
        return sizeof(uint32_t);
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE:
    case PZ_TYPE_DOUBLE:
        return sizeof(int64_t);
    case PZ_TYPE_TEXT:
        return sizeof(struct pz_str);
    case PZ_TYPE_INTERVAL:
        return sizeof(struct pz_interval);
    case PZ_TYPE_NULL:
        break;
    }
    PZ_UNREACHABLE("bound values have a type");
}

struct pz_value
pz_vector_value(const struct pz_vector *vector, uint32_t row)
{
    if (pz_vector_is_null(vector, row)) {
        return pz_value_null(vector->type);
    }
    switch (vector->type) {
    case PZ_TYPE_BOOLEAN:
        return pz_value_bool(pz_vector_byte(vector, row) != 0);
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE:
        return pz_value_int(vector->type, pz_vector_int(vector, row));
    case PZ_TYPE_SYMBOL:
        return pz_value_int(vector->type, pz_vector_code(vector, row));
    case PZ_TYPE_DOUBLE:
        return pz_value_real(pz_vector_real(vector, row));
    case PZ_TYPE_TEXT:
        return pz_value_text(pz_vector_str(vector, row));
    case PZ_TYPE_INTERVAL:
        return (struct pz_value){.type = PZ_TYPE_INTERVAL,
                                 .interval = pz_vector_interval(vector, row)};
    case PZ_TYPE_NULL:
        break;
    }
    PZ_UNREACHABLE("bound values have a type");
}

enum pz_status
pz_call_fail_memory(const struct pz_call *call, struct pz_error *err)
{
    return pz_session_fail_memory(call->session, "an expression", err);
}

#define STRICT(kernel)                 \
    {                                  \
        kernel, true, PZ_COST_FALLIBLE \
    }
#define HEAVY(kernel)               \
    {                               \
        kernel, true, PZ_COST_HEAVY \
    }
#define LIGHT(kernel)               \
    {                               \
        kernel, true, PZ_COST_LIGHT \
    }
#define LOOSE(kernel, cost) \
    {                       \
        kernel, false, cost \
    }
static const struct pz_kernel_info kernels[PZ_FUNCTION_COUNT] = {
    [PZ_FN_ADD_BIGINT] = STRICT(pz_fn_add_bigint),
    [PZ_FN_ADD_DOUBLE] = STRICT(pz_fn_add_double),
    [PZ_FN_ADD_DATE_DAYS] = STRICT(pz_fn_add_date_days),
    [PZ_FN_ADD_DAYS_DATE] = STRICT(pz_fn_add_days_date),
    [PZ_FN_ADD_TIMESTAMP_INTERVAL] = STRICT(pz_fn_add_timestamp_interval),
    [PZ_FN_ADD_INTERVAL_TIMESTAMP] = STRICT(pz_fn_add_interval_timestamp),
    [PZ_FN_ADD_INTERVAL] = STRICT(pz_fn_add_interval),
    [PZ_FN_SUB_BIGINT] = STRICT(pz_fn_sub_bigint),
    [PZ_FN_SUB_DOUBLE] = STRICT(pz_fn_sub_double),
    [PZ_FN_SUB_DATE_DAYS] = STRICT(pz_fn_sub_date_days),
    [PZ_FN_SUB_DATE_DATE] = HEAVY(pz_fn_sub_bigint),
    [PZ_FN_SUB_TIMESTAMP_INTERVAL] = STRICT(pz_fn_sub_timestamp_interval),
    [PZ_FN_SUB_TIMESTAMP] = STRICT(pz_fn_sub_timestamp),
    [PZ_FN_SUB_INTERVAL] = STRICT(pz_fn_sub_interval),
    [PZ_FN_MUL_BIGINT] = STRICT(pz_fn_mul_bigint),
    [PZ_FN_MUL_DOUBLE] = STRICT(pz_fn_mul_double),
    [PZ_FN_MUL_INTERVAL_DOUBLE] = STRICT(pz_fn_mul_interval_double),
    [PZ_FN_MUL_DOUBLE_INTERVAL] = STRICT(pz_fn_mul_double_interval),
    [PZ_FN_DIV_BIGINT] = STRICT(pz_fn_div_bigint),
    [PZ_FN_DIV_DOUBLE] = STRICT(pz_fn_div_double),
    [PZ_FN_DIV_INTERVAL_DOUBLE] = STRICT(pz_fn_div_interval_double),
    [PZ_FN_MOD_BIGINT] = STRICT(pz_fn_mod_bigint),
    [PZ_FN_NEG_BIGINT] = STRICT(pz_fn_neg_bigint),
    [PZ_FN_NEG_DOUBLE] = STRICT(pz_fn_neg_double),
    [PZ_FN_NEG_INTERVAL] = STRICT(pz_fn_neg_interval),
    [PZ_FN_PLUS_BIGINT] = LIGHT(pz_fn_copy),
    [PZ_FN_PLUS_DOUBLE] = LIGHT(pz_fn_copy),
    [PZ_FN_CONCAT_OPERATOR] = STRICT(pz_fn_concat_operator),
    [PZ_FN_LOWER] = HEAVY(pz_fn_lower),
    [PZ_FN_UPPER] = HEAVY(pz_fn_upper),
    [PZ_FN_LENGTH] = HEAVY(pz_fn_length),
    [PZ_FN_CHAR_LENGTH] = HEAVY(pz_fn_length),
    [PZ_FN_CHARACTER_LENGTH] = HEAVY(pz_fn_length),
    [PZ_FN_OCTET_LENGTH] = HEAVY(pz_fn_octet_length),
    [PZ_FN_SUBSTRING] = HEAVY(pz_fn_substring),
    [PZ_FN_SUBSTRING_FOR] = STRICT(pz_fn_substring),
    [PZ_FN_SUBSTR] = HEAVY(pz_fn_substring),
    [PZ_FN_SUBSTR_FOR] = STRICT(pz_fn_substring),
    [PZ_FN_LEFT] = HEAVY(pz_fn_left),
    [PZ_FN_RIGHT] = HEAVY(pz_fn_right),
    [PZ_FN_TRIM] = HEAVY(pz_fn_trim),
    [PZ_FN_TRIM_CHARS] = HEAVY(pz_fn_trim),
    [PZ_FN_BTRIM] = HEAVY(pz_fn_trim),
    [PZ_FN_BTRIM_CHARS] = HEAVY(pz_fn_trim),
    [PZ_FN_LTRIM] = HEAVY(pz_fn_ltrim),
    [PZ_FN_LTRIM_CHARS] = HEAVY(pz_fn_ltrim),
    [PZ_FN_RTRIM] = HEAVY(pz_fn_rtrim),
    [PZ_FN_RTRIM_CHARS] = HEAVY(pz_fn_rtrim),
    [PZ_FN_REPLACE] = STRICT(pz_fn_replace),
    [PZ_FN_REVERSE] = HEAVY(pz_fn_reverse),
    [PZ_FN_STRPOS] = HEAVY(pz_fn_strpos),
    [PZ_FN_POSITION] = HEAVY(pz_fn_position),
    [PZ_FN_STARTS_WITH] = HEAVY(pz_fn_starts_with),
    [PZ_FN_CONCAT] = LOOSE(pz_fn_concat, PZ_COST_FALLIBLE),
    [PZ_FN_ABS_BIGINT] = STRICT(pz_fn_abs_bigint),
    [PZ_FN_ABS_DOUBLE] = LIGHT(pz_fn_abs_double),
    [PZ_FN_SIGN_BIGINT] = LIGHT(pz_fn_sign_bigint),
    [PZ_FN_SIGN_DOUBLE] = LIGHT(pz_fn_sign_double),
    [PZ_FN_MOD] = STRICT(pz_fn_mod_bigint),
    [PZ_FN_FLOOR] = LIGHT(pz_fn_floor),
    [PZ_FN_CEIL] = LIGHT(pz_fn_ceil),
    [PZ_FN_CEILING] = LIGHT(pz_fn_ceil),
    [PZ_FN_ROUND] = LIGHT(pz_fn_round),
    [PZ_FN_ROUND_DIGITS] = STRICT(pz_fn_round_digits),
    [PZ_FN_TRUNC] = LIGHT(pz_fn_trunc),
    [PZ_FN_SQRT] = STRICT(pz_fn_sqrt),
    [PZ_FN_POWER] = STRICT(pz_fn_power),
    [PZ_FN_POW] = STRICT(pz_fn_power),
    [PZ_FN_LN] = STRICT(pz_fn_ln),
    [PZ_FN_LOG10] = STRICT(pz_fn_log10),
    [PZ_FN_LOG] = STRICT(pz_fn_log10),
    [PZ_FN_EXP] = STRICT(pz_fn_exp),
    [PZ_FN_GREATEST] = LOOSE(pz_fn_greatest, PZ_COST_HEAVY),
    [PZ_FN_LEAST] = LOOSE(pz_fn_least, PZ_COST_HEAVY),
    [PZ_FN_DATE_TRUNC] = STRICT(pz_fn_date_trunc),
    [PZ_FN_DATE_PART] = STRICT(pz_fn_date_part),
    [PZ_FN_EXTRACT] = STRICT(pz_fn_extract),
    [PZ_FN_EXTRACT_EPOCH] = LIGHT(pz_fn_extract_epoch),
    [PZ_FN_EXTRACT_INTERVAL] = STRICT(pz_fn_extract_interval),
    [PZ_FN_EXTRACT_EPOCH_INTERVAL] = LIGHT(pz_fn_extract_epoch_interval),
    [PZ_FN_NOW] = LIGHT(pz_fn_now),
    [PZ_FN_CURRENT_TIMESTAMP] = LIGHT(pz_fn_now),
    [PZ_FN_CURRENT_DATE] = LIGHT(pz_fn_current_date),
};

struct pz_kernel_info
pz_function_kernel(enum pz_function_id id)
{
    PZ_ASSERT((uint32_t)id < PZ_FUNCTION_COUNT && kernels[id].kernel != NULL);
    return kernels[id];
}
