// SPDX-License-Identifier: Apache-2.0
// Kernels of timestamps, dates and intervals, and truncation for the rewrite rules.
#ifndef PZ_QUERY_FUNC_TIME_H
#define PZ_QUERY_FUNC_TIME_H

#include "query/func/kernel.h"

// Start of the unit that holds `us`; false when the field is not a unit or the start is before
// the first timestamp.
bool pz_time_trunc(enum pz_time_field unit, int64_t us, int64_t *out);
// Start of the next unit after the one that holds `us`; false when there is none.
bool pz_time_next(enum pz_time_field unit, int64_t us, int64_t *out);
// Whether every unit is made of whole days.
bool pz_time_is_days(enum pz_time_field unit);

enum pz_status pz_fn_add_date_days(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_add_days_date(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_sub_date_days(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_add_timestamp_interval(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_add_interval_timestamp(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_sub_timestamp_interval(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_sub_timestamp(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_add_interval(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_sub_interval(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_neg_interval(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_mul_interval_double(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_mul_double_interval(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_div_interval_double(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_date_trunc(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_date_part(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_extract(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_extract_epoch(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_extract_interval(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_extract_epoch_interval(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_now(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_current_date(struct pz_call *call, struct pz_error *err);

#endif
