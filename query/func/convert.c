// SPDX-License-Identifier: Apache-2.0
// CAST over vectors. Common pairs have their own loop, the others go value by value.
#include "query/func/kernel.h"

#include "base/clock.h"
#include "query/expr/cast.h"

static enum pz_status
bigint_to_double(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    const int64_t *in = call->args[0].data;
    double *restrict out = call->out;
    uint32_t n = call->args[0].is_const ? 1 : call->rows.row_count;
    for (uint32_t i = 0; i < n; i++) {
        out[i] = (double)in[i];
    }
    return PZ_OK;
}

static enum pz_status
timestamp_to_date(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    const int64_t *in = call->args[0].data;
    int64_t *restrict out = call->out;
    uint32_t n = call->args[0].is_const ? 1 : call->rows.row_count;
    // Neighbouring rows are mostly of one day.
    int64_t day = 0;
    int64_t start = 0;
    for (uint32_t i = 0; i < n; i++) {
        if ((uint64_t)in[i] - (uint64_t)start >= (uint64_t)PZ_US_PER_DAY) {
            day = pz_floor_div(in[i], PZ_US_PER_DAY);
            start = (int64_t)((uint64_t)day * (uint64_t)PZ_US_PER_DAY);
        }
        out[i] = day;
    }
    return PZ_OK;
}

static enum pz_status
date_to_timestamp(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    const int64_t *in = call->args[0].data;
    int64_t *restrict out = call->out;
    uint32_t n = call->args[0].is_const ? 1 : call->rows.row_count;
    for (uint32_t i = 0; i < n; i++) {
        // Days outside the calendar stand only under NULLs.
        out[i] = (int64_t)((uint64_t)in[i] * (uint64_t)PZ_US_PER_DAY);
    }
    return PZ_OK;
}

static enum pz_status
boolean_to_bigint(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    const uint8_t *in = call->args[0].data;
    int64_t *restrict out = call->out;
    uint32_t n = call->args[0].is_const ? 1 : call->rows.row_count;
    for (uint32_t i = 0; i < n; i++) {
        out[i] = in[i] != 0;
    }
    return PZ_OK;
}

static enum pz_status
double_to_bigint(struct pz_call *call, struct pz_error *err)
{
    int64_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        if (!pz_cast_double_to_bigint(pz_vector_real(&call->args[0], row), &out[row])) {
            return pz_fail_sql(err, "22003", call->sql_offset, "bigint out of range");
        }
    }
    return PZ_OK;
}

static enum pz_status
symbol_to_text(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    struct pz_str *out = call->out;
    uint32_t domain_id = call->args[0].domain_id;
    PZ_CALL_EACH(call, row)
    {
        uint32_t code = pz_vector_code(&call->args[0], row);
        out[row] = pz_symbol_name(call->session->store, domain_id, code);
    }
    return PZ_OK;
}

static void
store_value(void *out, uint32_t row, const struct pz_value *value)
{
    switch (value->type) {
    case PZ_TYPE_BOOLEAN:
        ((uint8_t *)out)[row] = value->boolean;
        return;
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE:
        ((int64_t *)out)[row] = value->integer;
        return;
    case PZ_TYPE_DOUBLE:
        ((double *)out)[row] = value->real;
        return;
    case PZ_TYPE_TEXT:
        ((struct pz_str *)out)[row] = value->text;
        return;
    case PZ_TYPE_INTERVAL:
        ((struct pz_interval *)out)[row] = value->interval;
        return;
    case PZ_TYPE_SYMBOL:
    case PZ_TYPE_NULL:
        break;
    }
    PZ_UNREACHABLE("nothing is cast to these");
}

static enum pz_status
any_to_any(struct pz_call *call, struct pz_error *err)
{
    PZ_CALL_EACH(call, row)
    {
        struct pz_value from = pz_vector_value(&call->args[0], row);
        struct pz_value to;
        PZ_TRY(pz_value_cast(&from, call->type, call->sql_offset, call->arena, &to, err));
        store_value(call->out, row, &to);
    }
    return PZ_OK;
}

struct pz_kernel_info
pz_cast_kernel(enum pz_type from, enum pz_type to)
{
    if (from == PZ_TYPE_SYMBOL) {
        PZ_ASSERT(to == PZ_TYPE_TEXT);
        return (struct pz_kernel_info){symbol_to_text, true, PZ_COST_HEAVY};
    }
    if (from == PZ_TYPE_BIGINT && to == PZ_TYPE_DOUBLE) {
        return (struct pz_kernel_info){bigint_to_double, true, PZ_COST_LIGHT};
    }
    if (from == PZ_TYPE_TIMESTAMP && to == PZ_TYPE_DATE) {
        return (struct pz_kernel_info){timestamp_to_date, true, PZ_COST_LIGHT};
    }
    if (from == PZ_TYPE_DATE && to == PZ_TYPE_TIMESTAMP) {
        return (struct pz_kernel_info){date_to_timestamp, true, PZ_COST_LIGHT};
    }
    if (from == PZ_TYPE_BOOLEAN && to == PZ_TYPE_BIGINT) {
        return (struct pz_kernel_info){boolean_to_bigint, true, PZ_COST_LIGHT};
    }
    if (from == PZ_TYPE_DOUBLE && to == PZ_TYPE_BIGINT) {
        return (struct pz_kernel_info){double_to_bigint, true, PZ_COST_FALLIBLE};
    }
    // Everything can be written as text, but not every text can be read.
    enum pz_kernel_cost cost = to == PZ_TYPE_TEXT ? PZ_COST_HEAVY : PZ_COST_FALLIBLE;
    return (struct pz_kernel_info){any_to_any, true, cost};
}
