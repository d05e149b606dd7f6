// SPDX-License-Identifier: Apache-2.0
// Kernels of numbers and of dates and intervals counted as numbers, and the order of values.
#ifndef PZ_QUERY_FUNC_ARITHMETIC_H
#define PZ_QUERY_FUNC_ARITHMETIC_H

#include "query/func/kernel.h"

#include "base/num.h"

// Order of doubles as SQL has it: NaN equals itself and is greater than all others; -0 equals 0.
static inline int
pz_order_real(double a, double b)
{
    if (a < b) {
        return -1;
    }
    if (a > b) {
        return 1;
    }
    return (a != a) - (b != b);
}
// Microseconds an interval counts for when compared: a month is 30 days, a day 24 hours.
static inline pz_i128
pz_interval_span(struct pz_interval interval)
{
    return ((pz_i128)interval.months * 30 + interval.days) * INT64_C(86400000000) + interval.us;
}
// Orders intervals that are equal but not the same, such as 1 month and 30 days. What has to pick
// one of them goes by it, so that the answer does not depend on which came first.
static inline int
pz_order_interval_parts(struct pz_interval a, struct pz_interval b)
{
    if (a.months != b.months) {
        return a.months < b.months ? -1 : 1;
    }
    if (a.days != b.days) {
        return a.days < b.days ? -1 : 1;
    }
    return (a.us > b.us) - (a.us < b.us);
}
static inline int
pz_order_interval(struct pz_interval a, struct pz_interval b)
{
    pz_i128 x = pz_interval_span(a);
    pz_i128 y = pz_interval_span(b);
    return x != y ? (x > y) - (x < y) : pz_order_interval_parts(a, b);
}

enum pz_status pz_fn_add_bigint(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_sub_bigint(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_mul_bigint(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_div_bigint(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_mod_bigint(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_neg_bigint(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_abs_bigint(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_sign_bigint(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_copy(struct pz_call *call, struct pz_error *err); // of 8-byte values

enum pz_status pz_fn_add_double(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_sub_double(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_mul_double(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_div_double(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_neg_double(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_abs_double(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_sign_double(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_floor(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_ceil(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_round(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_round_digits(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_trunc(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_sqrt(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_power(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_ln(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_log10(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_exp(struct pz_call *call, struct pz_error *err);

enum pz_status pz_fn_greatest(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_least(struct pz_call *call, struct pz_error *err);

#endif
