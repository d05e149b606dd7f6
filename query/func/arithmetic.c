// SPDX-License-Identifier: Apache-2.0
// Numbers. Integer operations compute all rows at full speed and only remember whether any went
// wrong; then, and only then, the rows that count are looked at one by one.
#include "query/func/arithmetic.h"

#include <math.h>

static enum pz_status
fail_range(const struct pz_call *call, enum pz_type type, struct pz_error *err)
{
    return pz_fail_sql(err, "22003", call->sql_offset,
                       type == PZ_TYPE_BIGINT ? "bigint out of range"
                                              : "value out of range: overflow");
}

static enum pz_status
fail_zero(const struct pz_call *call, struct pz_error *err)
{
    enum pz_status status = pz_fail_sql(err, "22012", call->sql_offset, "division by zero");
    pz_error_hint(err, "write nullif(divisor, 0) to get NULL where the divisor is 0");
    return status;
}

// Whether the operation overflows in a row that counts.
#define DEFINE_CHECK(op)                                                         \
    static enum pz_status check_##op(struct pz_call *call, struct pz_error *err) \
    {                                                                            \
        int64_t ignored;                                                         \
        PZ_CALL_EACH(call, row)                                                  \
        {                                                                        \
            if (!pz_##op##_i64(pz_vector_int(&call->args[0], row),               \
                               pz_vector_int(&call->args[1], row), &ignored)) {  \
                return fail_range(call, PZ_TYPE_BIGINT, err);                    \
            }                                                                    \
        }                                                                        \
        return PZ_OK;                                                            \
    }
DEFINE_CHECK(add)
DEFINE_CHECK(sub)
DEFINE_CHECK(mul)

static inline int64_t
wrap_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}
static inline int64_t
wrap_sub(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

enum pz_status
pz_fn_add_bigint(struct pz_call *call, struct pz_error *err)
{
    int64_t bad = 0;
    PZ_CALL_BINARY(call, int64_t, int64_t, int64_t,
                   (bad |= (x ^ wrap_add(x, y)) & (y ^ wrap_add(x, y)), wrap_add(x, y)));
    return bad < 0 ? check_add(call, err) : PZ_OK;
}

enum pz_status
pz_fn_sub_bigint(struct pz_call *call, struct pz_error *err)
{
    int64_t bad = 0;
    PZ_CALL_BINARY(call, int64_t, int64_t, int64_t,
                   (bad |= (x ^ y) & (x ^ wrap_sub(x, y)), wrap_sub(x, y)));
    return bad < 0 ? check_sub(call, err) : PZ_OK;
}

enum pz_status
pz_fn_mul_bigint(struct pz_call *call, struct pz_error *err)
{
    bool bad = false;
    int64_t product;
    PZ_CALL_BINARY(call, int64_t, int64_t, int64_t,
                   (bad |= __builtin_mul_overflow(x, y, &product), product));
    return bad ? check_mul(call, err) : PZ_OK;
}

enum pz_status
pz_fn_div_bigint(struct pz_call *call, struct pz_error *err)
{
    int64_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        int64_t a = pz_vector_int(&call->args[0], row);
        int64_t b = pz_vector_int(&call->args[1], row);
        if (b == 0) {
            return fail_zero(call, err);
        }
        if (b == -1) {
            if (a == INT64_MIN) {
                return fail_range(call, PZ_TYPE_BIGINT, err);
            }
            out[row] = -a;
        } else {
            out[row] = a / b;
        }
    }
    return PZ_OK;
}

enum pz_status
pz_fn_mod_bigint(struct pz_call *call, struct pz_error *err)
{
    int64_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        int64_t b = pz_vector_int(&call->args[1], row);
        if (b == 0) {
            return fail_zero(call, err);
        }
        out[row] = b == -1 ? 0 : pz_vector_int(&call->args[0], row) % b;
    }
    return PZ_OK;
}

enum pz_status
pz_fn_neg_bigint(struct pz_call *call, struct pz_error *err)
{
    int64_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        if (!pz_sub_i64(0, pz_vector_int(&call->args[0], row), &out[row])) {
            return fail_range(call, PZ_TYPE_BIGINT, err);
        }
    }
    return PZ_OK;
}

enum pz_status
pz_fn_abs_bigint(struct pz_call *call, struct pz_error *err)
{
    int64_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        int64_t value = pz_vector_int(&call->args[0], row);
        if (value == INT64_MIN) {
            return fail_range(call, PZ_TYPE_BIGINT, err);
        }
        out[row] = value < 0 ? -value : value;
    }
    return PZ_OK;
}

enum pz_status
pz_fn_sign_bigint(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    int64_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        int64_t value = pz_vector_int(&call->args[0], row);
        out[row] = (value > 0) - (value < 0);
    }
    return PZ_OK;
}

enum pz_status
pz_fn_copy(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    uint64_t *out = call->out;
    const uint64_t *in = call->args[0].data;
    memcpy(out, in, (call->args[0].is_const ? 1 : call->rows.row_count) * sizeof(*out));
    return PZ_OK;
}

// A result that became infinite from finite arguments is an error, as in PostgreSQL.
#define DEFINE_DOUBLE(op, expression)                                                   \
    static enum pz_status check_double_##op(struct pz_call *call, struct pz_error *err) \
    {                                                                                   \
        const double *out = call->out;                                                  \
        PZ_CALL_EACH(call, row)                                                         \
        {                                                                               \
            if (isinf(out[row]) && isfinite(pz_vector_real(&call->args[0], row)) &&     \
                isfinite(pz_vector_real(&call->args[1], row))) {                        \
                return fail_range(call, PZ_TYPE_DOUBLE, err);                           \
            }                                                                           \
        }                                                                               \
        return PZ_OK;                                                                   \
    }                                                                                   \
    enum pz_status pz_fn_##op##_double(struct pz_call *call, struct pz_error *err)      \
    {                                                                                   \
        PZ_CALL_BINARY(call, double, double, double, expression);                       \
        double bad = 0;                                                                 \
        const double *out = call->out;                                                  \
        if (call->rows.rows == NULL) {                                                  \
            for (uint32_t i = 0; i < call->rows.row_count; i++) {                       \
                bad += out[i] - out[i]; /* NaN when infinite or NaN */                  \
            }                                                                           \
            if (bad == 0) {                                                             \
                return PZ_OK;                                                           \
            }                                                                           \
        }                                                                               \
        return check_double_##op(call, err);                                            \
    }
DEFINE_DOUBLE(add, x + y)
DEFINE_DOUBLE(sub, x - y)
DEFINE_DOUBLE(mul, x *y)

enum pz_status
pz_fn_div_double(struct pz_call *call, struct pz_error *err)
{
    double *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        double a = pz_vector_real(&call->args[0], row);
        double b = pz_vector_real(&call->args[1], row);
        if (b == 0) {
            if (isnan(a)) {
                out[row] = a;
                continue;
            }
            return fail_zero(call, err);
        }
        out[row] = a / b;
        if (isinf(out[row]) && isfinite(a)) {
            return fail_range(call, PZ_TYPE_DOUBLE, err);
        }
    }
    return PZ_OK;
}

#define DEFINE_UNARY(name, expression)                                      \
    enum pz_status pz_fn_##name(struct pz_call *call, struct pz_error *err) \
    {                                                                       \
        (void)err;                                                          \
        double *out = call->out;                                            \
        PZ_CALL_EACH(call, row)                                             \
        {                                                                   \
            double x = pz_vector_real(&call->args[0], row);                 \
            out[row] = (expression);                                        \
        }                                                                   \
        return PZ_OK;                                                       \
    }
DEFINE_UNARY(neg_double, -x)
DEFINE_UNARY(abs_double, fabs(x))
DEFINE_UNARY(sign_double, x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0)
DEFINE_UNARY(floor, floor(x))
DEFINE_UNARY(ceil, ceil(x))
DEFINE_UNARY(round, round(x))
DEFINE_UNARY(trunc, trunc(x))

// Rounds the decimal text of the number, so that round(2.675, 2) is what a person expects of the
// digits that are shown.
static double
round_digits(double x, int64_t digits)
{
    if (!isfinite(x) || digits > 330) {
        return x;
    }
    if (digits < -310) {
        return copysign(0.0, x);
    }
    char text[PZ_NUM_TEXT_MAX];
    uint32_t len = pz_format_double(fabs(x), text);
    // The shortest decimal form is exact in long double arithmetic as far as 18 digits go.
    double shortest;
    if (!pz_parse_double((struct pz_str){text, len}, &shortest)) {
        return x;
    }
    long double scale = powl(10.0L, (long double)(digits < 0 ? -digits : digits));
    long double scaled = digits < 0 ? (long double)shortest / scale : (long double)shortest * scale;
    if (scaled >= 0x1p62L) {
        return x; // no digit that far
    }
    long double down = floorl(scaled);
    // A double nearest to …5 may lie a hair below it: within its own precision it counts as a half.
    long double slack = scaled * 0x1p-53L;
    long double rounded = scaled - down + slack >= 0.5L ? down + 1 : down;
    long double result = digits < 0 ? rounded * scale : rounded / scale;
    return copysign((double)result, x);
}

enum pz_status
pz_fn_round_digits(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    double *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        out[row] =
            round_digits(pz_vector_real(&call->args[0], row), pz_vector_int(&call->args[1], row));
    }
    return PZ_OK;
}

enum pz_status
pz_fn_sqrt(struct pz_call *call, struct pz_error *err)
{
    double *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        double x = pz_vector_real(&call->args[0], row);
        if (x < 0) {
            return pz_fail_sql(err, "2201F", call->sql_offset,
                               "cannot take square root of a negative number");
        }
        out[row] = sqrt(x);
    }
    return PZ_OK;
}

enum pz_status
pz_fn_power(struct pz_call *call, struct pz_error *err)
{
    double *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        double a = pz_vector_real(&call->args[0], row);
        double b = pz_vector_real(&call->args[1], row);
        if (a == 0 && b < 0) {
            return pz_fail_sql(err, "2201F", call->sql_offset,
                               "zero raised to a negative power is undefined");
        }
        if (a < 0 && isfinite(b) && floor(b) != b) {
            return pz_fail_sql(
                err, "2201F", call->sql_offset,
                "a negative number raised to a non-integer power yields a complex result");
        }
        out[row] = pow(a, b);
        if (isinf(out[row]) && isfinite(a) && isfinite(b)) {
            return fail_range(call, PZ_TYPE_DOUBLE, err);
        }
    }
    return PZ_OK;
}

static enum pz_status
logarithm(struct pz_call *call, double (*function)(double), struct pz_error *err)
{
    double *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        double x = pz_vector_real(&call->args[0], row);
        if (x <= 0) {
            return pz_fail_sql(err, "2201E", call->sql_offset,
                               x == 0 ? "cannot take logarithm of zero"
                                      : "cannot take logarithm of a negative number");
        }
        out[row] = function(x);
    }
    return PZ_OK;
}

enum pz_status
pz_fn_ln(struct pz_call *call, struct pz_error *err)
{
    return logarithm(call, log, err);
}

enum pz_status
pz_fn_log10(struct pz_call *call, struct pz_error *err)
{
    return logarithm(call, log10, err);
}

enum pz_status
pz_fn_exp(struct pz_call *call, struct pz_error *err)
{
    double *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        double x = pz_vector_real(&call->args[0], row);
        out[row] = exp(x);
        if (isinf(out[row]) && isfinite(x)) {
            return fail_range(call, PZ_TYPE_DOUBLE, err);
        }
    }
    return PZ_OK;
}

static int
order_values(const struct pz_vector *a, const struct pz_vector *b, uint32_t row)
{
    switch (a->type) {
    case PZ_TYPE_BOOLEAN:
        return (int)pz_vector_byte(a, row) - (int)pz_vector_byte(b, row);
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE: {
        int64_t x = pz_vector_int(a, row);
        int64_t y = pz_vector_int(b, row);
        return (x > y) - (x < y);
    }
    case PZ_TYPE_DOUBLE:
        return pz_order_real(pz_vector_real(a, row), pz_vector_real(b, row));
    case PZ_TYPE_TEXT:
        return pz_str_compare(pz_vector_str(a, row), pz_vector_str(b, row));
    case PZ_TYPE_INTERVAL: {
        pz_i128 x = pz_interval_span(pz_vector_interval(a, row));
        pz_i128 y = pz_interval_span(pz_vector_interval(b, row));
        return (x > y) - (x < y);
    }
    case PZ_TYPE_SYMBOL:
    case PZ_TYPE_NULL:
        break;
    }
    PZ_UNREACHABLE("the binder casts symbols to text");
}

// The largest (sign 1) or smallest (-1) argument of each row, NULLs passed over.
static enum pz_status
pick(struct pz_call *call, int sign, struct pz_error *err)
{
    size_t size = pz_value_size(call->type);
    memset(call->valid_room, 0, PZ_BIT_WORDS(call->rows.row_count) * sizeof(uint64_t));
    for (uint32_t i = 0; i < call->rows.count; i++) {
        uint32_t row = call->rows.rows != NULL ? call->rows.rows[i] : i;
        const struct pz_vector *best = NULL;
        for (uint32_t a = 0; a < call->arg_count; a++) {
            const struct pz_vector *arg = &call->args[a];
            if (arg->type == PZ_TYPE_TEXT && !pz_vector_is_null(arg, row)) {
                PZ_TRY(pz_work_add(call->work, pz_vector_str(arg, row).len, err));
            }
            if (!pz_vector_is_null(arg, row) &&
                (best == NULL || order_values(arg, best, row) * sign > 0)) {
                best = arg;
            }
        }
        if (best != NULL) {
            memcpy((char *)call->out + row * size,
                   (const char *)best->data + pz_vector_at(best, row) * size, size);
            pz_bit_set(call->valid_room, row);
        }
    }
    call->out_valid = call->valid_room;
    return PZ_OK;
}

enum pz_status
pz_fn_greatest(struct pz_call *call, struct pz_error *err)
{
    return pick(call, 1, err);
}

enum pz_status
pz_fn_least(struct pz_call *call, struct pz_error *err)
{
    return pick(call, -1, err);
}
