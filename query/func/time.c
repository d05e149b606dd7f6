// SPDX-License-Identifier: Apache-2.0
// Timestamps, dates and intervals. All calendar work is UTC; years are 1 to 9999.
#include "query/func/time.h"

#include "base/clock.h"
#include "query/expr/cast.h"
#include "query/func/arithmetic.h"

#include <math.h>

static enum pz_status
fail_timestamp(const struct pz_call *call, struct pz_error *err)
{
    return pz_fail_sql(err, "22008", call->sql_offset, "timestamp out of range");
}

static enum pz_status
fail_interval(const struct pz_call *call, struct pz_error *err)
{
    return pz_fail_sql(err, "22008", call->sql_offset, "interval out of range");
}

// ---- truncation ----------------------------------------------------------------------------

static int64_t
fixed_unit_us(enum pz_time_field unit)
{
    switch (unit) {
    case PZ_FIELD_MICROSECOND:
        return 1;
    case PZ_FIELD_MILLISECOND:
        return 1000;
    case PZ_FIELD_SECOND:
        return PZ_US_PER_SECOND;
    case PZ_FIELD_MINUTE:
        return 60 * PZ_US_PER_SECOND;
    case PZ_FIELD_HOUR:
        return 3600 * PZ_US_PER_SECOND;
    case PZ_FIELD_DAY:
        return PZ_US_PER_DAY;
    case PZ_FIELD_WEEK:
        return 7 * PZ_US_PER_DAY;
    case PZ_FIELD_MONTH:
    case PZ_FIELD_QUARTER:
    case PZ_FIELD_YEAR:
    case PZ_FIELD_DECADE:
    case PZ_FIELD_CENTURY:
    case PZ_FIELD_MILLENNIUM:
    case PZ_FIELD_DOW:
    case PZ_FIELD_ISODOW:
    case PZ_FIELD_DOY:
    case PZ_FIELD_ISOYEAR:
    case PZ_FIELD_EPOCH:
        break;
    }
    return 0;
}

static int32_t
unit_months(enum pz_time_field unit)
{
    switch (unit) {
    case PZ_FIELD_MONTH:
        return 1;
    case PZ_FIELD_QUARTER:
        return 3;
    case PZ_FIELD_YEAR:
        return 12;
    case PZ_FIELD_DECADE:
        return 120;
    case PZ_FIELD_CENTURY:
        return 1200;
    case PZ_FIELD_MILLENNIUM:
        return 12000;
    default:
        return 0;
    }
}

bool
pz_time_is_days(enum pz_time_field unit)
{
    return unit == PZ_FIELD_DAY || unit == PZ_FIELD_WEEK || unit_months(unit) > 0;
}

// 1970-01-05 was a Monday.
#define FIRST_MONDAY_US (4 * PZ_US_PER_DAY)

// First month of the unit, counted from year 0; centuries and millennia begin with year 1 (2001).
static int64_t
first_month(enum pz_time_field unit, const struct pz_civil *civil)
{
    int64_t month = (int64_t)civil->year * 12 + civil->month - 1;
    int64_t months = unit_months(unit);
    int64_t shift = months >= 1200 ? 12 : 0;
    return pz_floor_div(month - shift, months) * months + shift;
}

static bool
month_start(int64_t month, int64_t *out)
{
    int64_t year = pz_floor_div(month, 12);
    if (year < 1 || year > 9999) {
        return false;
    }
    *out = pz_days_from_civil((int32_t)year, (uint32_t)(month - year * 12 + 1), 1) * PZ_US_PER_DAY;
    return true;
}

bool
pz_time_trunc(enum pz_time_field unit, int64_t us, int64_t *out)
{
    int64_t fixed = fixed_unit_us(unit);
    if (fixed != 0) {
        int64_t origin = unit == PZ_FIELD_WEEK ? FIRST_MONDAY_US : 0;
        *out = pz_floor_div(us - origin, fixed) * fixed + origin;
        return *out >= PZ_TIMESTAMP_MIN;
    }
    if (unit_months(unit) == 0) {
        return false;
    }
    struct pz_civil civil;
    pz_civil_from_days(pz_floor_div(us, PZ_US_PER_DAY), &civil);
    int64_t month = first_month(unit, &civil);
    return month_start(month < 12 ? 12 : month, out);
}

bool
pz_time_next(enum pz_time_field unit, int64_t us, int64_t *out)
{
    int64_t fixed = fixed_unit_us(unit);
    if (fixed != 0) {
        if (!pz_time_trunc(unit, us, out)) {
            return false;
        }
        *out += fixed;
        return *out <= PZ_TIMESTAMP_MAX;
    }
    if (unit_months(unit) == 0) {
        return false;
    }
    struct pz_civil civil;
    pz_civil_from_days(pz_floor_div(us, PZ_US_PER_DAY), &civil);
    return month_start(first_month(unit, &civil) + unit_months(unit), out);
}

// The unit or field named by the first argument, which is a constant.
static enum pz_status
find_field(const struct pz_call *call, enum pz_time_field *out, struct pz_error *err)
{
    struct pz_str name = pz_vector_str(&call->args[0], 0);
    if (pz_time_field_find(name, out)) {
        return PZ_OK;
    }
    enum pz_status status =
        pz_fail_sql(err, "22023", call->sql_offset, "\"%.*s\" is not a unit of time",
                    PZ_STR_ARG(pz_str_cut_utf8(name, 40)));
    pz_error_hint(err, "units are second, minute, hour, day, week, month, quarter, year");
    return status;
}

static enum pz_status
fail_unit(const struct pz_call *call, const char *what, struct pz_error *err)
{
    struct pz_str name = pz_vector_str(&call->args[0], 0);
    return pz_fail_sql(err, "0A000", call->sql_offset, "unit \"%.*s\" is not supported for %s",
                       PZ_STR_ARG(pz_str_cut_utf8(name, 40)), what);
}

enum pz_status
pz_fn_date_trunc(struct pz_call *call, struct pz_error *err)
{
    enum pz_time_field unit;
    PZ_TRY(find_field(call, &unit, err));
    int64_t fixed = fixed_unit_us(unit);
    if (fixed == 0 && unit_months(unit) == 0) {
        return fail_unit(call, "date_trunc", err);
    }
    int64_t *out = call->out;
    // Rows of a vector are mostly of one unit: the division is skipped while they are.
    int64_t start = 0;
    int64_t end = 0;
    PZ_CALL_EACH(call, row)
    {
        int64_t us = pz_vector_int(&call->args[1], row);
        if (us < start || us >= end) {
            if (!pz_time_trunc(unit, us, &start)) {
                return fail_timestamp(call, err);
            }
            if (!pz_time_next(unit, us, &end)) {
                end = INT64_MAX;
            }
        }
        out[row] = start;
    }
    return PZ_OK;
}

// ---- fields --------------------------------------------------------------------------------

// Day of the week of a day number, Monday = 1 … Sunday = 7.
static int64_t
iso_weekday(int64_t days)
{
    return days - pz_floor_div(days - 4, 7) * 7 - 4 + 1;
}

// ISO 8601: a week belongs to the year of its Thursday.
static void
iso_week(int64_t days, int64_t *year_out, int64_t *week_out)
{
    int64_t thursday = days - iso_weekday(days) + 4;
    struct pz_civil civil;
    pz_civil_from_days(thursday, &civil);
    *year_out = civil.year;
    *week_out = (thursday - pz_days_from_civil(civil.year, 1, 1)) / 7 + 1;
}

static int64_t
day_field(enum pz_time_field field, int64_t days)
{
    struct pz_civil civil;
    int64_t iso_year;
    int64_t week;
    pz_civil_from_days(days, &civil);
    switch (field) {
    case PZ_FIELD_DAY:
        return civil.day;
    case PZ_FIELD_MONTH:
        return civil.month;
    case PZ_FIELD_QUARTER:
        return (civil.month + 2) / 3;
    case PZ_FIELD_YEAR:
        return civil.year;
    case PZ_FIELD_DECADE:
        return civil.year / 10;
    case PZ_FIELD_CENTURY:
        return (civil.year + 99) / 100;
    case PZ_FIELD_MILLENNIUM:
        return (civil.year + 999) / 1000;
    case PZ_FIELD_DOW:
        return iso_weekday(days) % 7;
    case PZ_FIELD_ISODOW:
        return iso_weekday(days);
    case PZ_FIELD_DOY:
        return days - pz_days_from_civil(civil.year, 1, 1) + 1;
    case PZ_FIELD_ISOYEAR:
        iso_week(days, &iso_year, &week);
        return iso_year;
    case PZ_FIELD_WEEK:
        iso_week(days, &iso_year, &week);
        return week;
    default:
        PZ_UNREACHABLE("not a field of the day");
    }
}

// Seconds with their fraction, in units of `scale` a second.
static bool
is_second_field(enum pz_time_field field, int64_t *scale_out)
{
    *scale_out = field == PZ_FIELD_SECOND        ? 1
                 : field == PZ_FIELD_MILLISECOND ? 1000
                 : field == PZ_FIELD_MICROSECOND ? PZ_US_PER_SECOND
                                                 : 0;
    return *scale_out != 0;
}

static int64_t
timestamp_field(enum pz_time_field field, int64_t us, int64_t *last_day, int64_t *last_value)
{
    int64_t days = pz_floor_div(us, PZ_US_PER_DAY);
    int64_t rest = us - days * PZ_US_PER_DAY;
    int64_t scale;
    if (field == PZ_FIELD_HOUR) {
        return rest / (3600 * PZ_US_PER_SECOND);
    }
    if (field == PZ_FIELD_MINUTE) {
        return rest / (60 * PZ_US_PER_SECOND) % 60;
    }
    if (is_second_field(field, &scale)) {
        return rest % (60 * PZ_US_PER_SECOND) / (PZ_US_PER_SECOND / scale);
    }
    if (days != *last_day) {
        *last_day = days;
        *last_value = day_field(field, days);
    }
    return *last_value;
}

// Hours and minutes, the rows of a vector being mostly in time order: the divisions are only made
// when a row leaves the unit of the one before.
static void
extract_unit(struct pz_call *call, int64_t unit_us, int64_t units)
{
    int64_t *out = call->out;
    int64_t start = INT64_MIN;
    int64_t value = 0;
    PZ_CALL_EACH(call, row)
    {
        int64_t us = pz_vector_int(&call->args[1], row);
        if ((uint64_t)us - (uint64_t)start >= (uint64_t)unit_us) {
            int64_t number = pz_floor_div(us, unit_us);
            start = number * unit_us;
            value = number - pz_floor_div(number, units) * units;
        }
        out[row] = value;
    }
}

enum pz_status
pz_fn_extract(struct pz_call *call, struct pz_error *err)
{
    enum pz_time_field field;
    PZ_TRY(find_field(call, &field, err));
    int64_t *out = call->out;
    if (field == PZ_FIELD_HOUR || field == PZ_FIELD_MINUTE) {
        extract_unit(call, fixed_unit_us(field), field == PZ_FIELD_HOUR ? 24 : 60);
        return PZ_OK;
    }
    int64_t last_day = INT64_MIN;
    int64_t last_value = 0;
    PZ_CALL_EACH(call, row)
    {
        int64_t us = pz_vector_int(&call->args[1], row);
        out[row] = field == PZ_FIELD_EPOCH ? pz_floor_div(us, PZ_US_PER_SECOND)
                                           : timestamp_field(field, us, &last_day, &last_value);
    }
    return PZ_OK;
}

enum pz_status
pz_fn_date_part(struct pz_call *call, struct pz_error *err)
{
    enum pz_time_field field;
    PZ_TRY(find_field(call, &field, err));
    double *out = call->out;
    int64_t last_day = INT64_MIN;
    int64_t last_value = 0;
    int64_t scale;
    PZ_CALL_EACH(call, row)
    {
        int64_t us = pz_vector_int(&call->args[1], row);
        if (field == PZ_FIELD_EPOCH) {
            out[row] = (double)us / (double)PZ_US_PER_SECOND;
        } else if (is_second_field(field, &scale)) {
            int64_t rest = us - pz_floor_div(us, 60 * PZ_US_PER_SECOND) * 60 * PZ_US_PER_SECOND;
            out[row] = (double)rest / (double)(PZ_US_PER_SECOND / scale);
        } else {
            out[row] = (double)timestamp_field(field, us, &last_day, &last_value);
        }
    }
    return PZ_OK;
}

enum pz_status
pz_fn_extract_epoch(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    double *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        out[row] = (double)pz_vector_int(&call->args[0], row) / (double)PZ_US_PER_SECOND;
    }
    return PZ_OK;
}

static bool
interval_field(enum pz_time_field field, const struct pz_interval *interval, int64_t *out)
{
    int64_t scale;
    if (is_second_field(field, &scale)) {
        *out = interval->us % (60 * PZ_US_PER_SECOND) / (PZ_US_PER_SECOND / scale);
        return true;
    }
    switch (field) {
    case PZ_FIELD_MINUTE:
        *out = interval->us / (60 * PZ_US_PER_SECOND) % 60;
        return true;
    case PZ_FIELD_HOUR:
        *out = interval->us / (3600 * PZ_US_PER_SECOND);
        return true;
    case PZ_FIELD_DAY:
        *out = interval->days;
        return true;
    case PZ_FIELD_MONTH:
        *out = interval->months % 12;
        return true;
    case PZ_FIELD_QUARTER:
        *out = interval->months % 12 / 3 + 1;
        return true;
    case PZ_FIELD_YEAR:
        *out = interval->months / 12;
        return true;
    case PZ_FIELD_DECADE:
        *out = interval->months / 120;
        return true;
    case PZ_FIELD_CENTURY:
        *out = interval->months / 1200;
        return true;
    case PZ_FIELD_MILLENNIUM:
        *out = interval->months / 12000;
        return true;
    default:
        return false;
    }
}

enum pz_status
pz_fn_extract_interval(struct pz_call *call, struct pz_error *err)
{
    enum pz_time_field field;
    PZ_TRY(find_field(call, &field, err));
    int64_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        struct pz_interval interval = pz_vector_interval(&call->args[1], row);
        if (!interval_field(field, &interval, &out[row])) {
            return fail_unit(call, "type interval", err);
        }
    }
    return PZ_OK;
}

enum pz_status
pz_fn_extract_epoch_interval(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    double *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        struct pz_interval interval = pz_vector_interval(&call->args[0], row);
        double days =
            (interval.months / 12) * 365.25 + (interval.months % 12) * 30.0 + (double)interval.days;
        out[row] = days * 86400.0 + (double)interval.us / (double)PZ_US_PER_SECOND;
    }
    return PZ_OK;
}

// ---- arithmetic ----------------------------------------------------------------------------

static enum pz_status
add_days(struct pz_call *call, uint32_t date_arg, bool subtract, struct pz_error *err)
{
    int64_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        int64_t date = pz_vector_int(&call->args[date_arg], row);
        int64_t days = pz_vector_int(&call->args[1 - date_arg], row);
        bool fits =
            subtract ? pz_sub_i64(date, days, &out[row]) : pz_add_i64(date, days, &out[row]);
        if (!fits || out[row] < PZ_DATE_MIN || out[row] > PZ_DATE_MAX) {
            return pz_fail_sql(err, "22008", call->sql_offset, "date out of range");
        }
    }
    return PZ_OK;
}

enum pz_status
pz_fn_add_date_days(struct pz_call *call, struct pz_error *err)
{
    return add_days(call, 0, false, err);
}

enum pz_status
pz_fn_add_days_date(struct pz_call *call, struct pz_error *err)
{
    return add_days(call, 1, false, err);
}

enum pz_status
pz_fn_sub_date_days(struct pz_call *call, struct pz_error *err)
{
    return add_days(call, 0, true, err);
}

// Months first (the day is cut to the month's last), then days, then microseconds.
static bool
timestamp_plus(int64_t us, struct pz_interval interval, int64_t *out)
{
    if (interval.months != 0) {
        struct pz_civil civil;
        int64_t days = pz_floor_div(us, PZ_US_PER_DAY);
        pz_civil_from_days(days, &civil);
        int64_t month = (int64_t)civil.year * 12 + civil.month - 1 + interval.months;
        int64_t year = pz_floor_div(month, 12);
        if (year < 1 || year > 9999) {
            return false;
        }
        uint32_t month_of_year = (uint32_t)(month - year * 12 + 1);
        uint32_t last = pz_days_in_month((int32_t)year, month_of_year);
        uint32_t day = civil.day < last ? civil.day : last;
        us += (pz_days_from_civil((int32_t)year, month_of_year, day) - days) * PZ_US_PER_DAY;
    }
    int64_t days_us;
    if (!pz_mul_i64(interval.days, PZ_US_PER_DAY, &days_us) || !pz_add_i64(us, days_us, &us) ||
        !pz_add_i64(us, interval.us, &us)) {
        return false;
    }
    *out = us;
    return us >= PZ_TIMESTAMP_MIN && us <= PZ_TIMESTAMP_MAX;
}

static bool
negate(struct pz_interval *interval)
{
    if (interval->months == INT32_MIN || interval->days == INT32_MIN || interval->us == INT64_MIN) {
        return false;
    }
    *interval = (struct pz_interval){-interval->months, -interval->days, -interval->us};
    return true;
}

static enum pz_status
add_to_timestamp(struct pz_call *call, uint32_t timestamp_arg, bool subtract, struct pz_error *err)
{
    int64_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        struct pz_interval interval = pz_vector_interval(&call->args[1 - timestamp_arg], row);
        if ((subtract && !negate(&interval)) ||
            !timestamp_plus(pz_vector_int(&call->args[timestamp_arg], row), interval, &out[row])) {
            return fail_timestamp(call, err);
        }
    }
    return PZ_OK;
}

enum pz_status
pz_fn_add_timestamp_interval(struct pz_call *call, struct pz_error *err)
{
    return add_to_timestamp(call, 0, false, err);
}

enum pz_status
pz_fn_add_interval_timestamp(struct pz_call *call, struct pz_error *err)
{
    return add_to_timestamp(call, 1, false, err);
}

enum pz_status
pz_fn_sub_timestamp_interval(struct pz_call *call, struct pz_error *err)
{
    return add_to_timestamp(call, 0, true, err);
}

enum pz_status
pz_fn_sub_timestamp(struct pz_call *call, struct pz_error *err)
{
    struct pz_interval *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        int64_t us;
        if (!pz_sub_i64(pz_vector_int(&call->args[0], row), pz_vector_int(&call->args[1], row),
                        &us)) {
            return fail_interval(call, err);
        }
        int64_t days = us / PZ_US_PER_DAY;
        if (days != (int32_t)days) {
            return fail_interval(call, err);
        }
        out[row] = (struct pz_interval){0, (int32_t)days, us % PZ_US_PER_DAY};
    }
    return PZ_OK;
}

static bool
interval_add(struct pz_interval a, struct pz_interval b, struct pz_interval *out)
{
    return !__builtin_add_overflow(a.months, b.months, &out->months) &&
           !__builtin_add_overflow(a.days, b.days, &out->days) && pz_add_i64(a.us, b.us, &out->us);
}

static enum pz_status
combine_intervals(struct pz_call *call, bool subtract, struct pz_error *err)
{
    struct pz_interval *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        struct pz_interval b = pz_vector_interval(&call->args[1], row);
        if ((subtract && !negate(&b)) ||
            !interval_add(pz_vector_interval(&call->args[0], row), b, &out[row])) {
            return fail_interval(call, err);
        }
    }
    return PZ_OK;
}

enum pz_status
pz_fn_add_interval(struct pz_call *call, struct pz_error *err)
{
    return combine_intervals(call, false, err);
}

enum pz_status
pz_fn_sub_interval(struct pz_call *call, struct pz_error *err)
{
    return combine_intervals(call, true, err);
}

enum pz_status
pz_fn_neg_interval(struct pz_call *call, struct pz_error *err)
{
    struct pz_interval *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        out[row] = pz_vector_interval(&call->args[0], row);
        if (!negate(&out[row])) {
            return fail_interval(call, err);
        }
    }
    return PZ_OK;
}

static double
to_microseconds(double value) // drops the noise that products leave behind
{
    return rint(value * 1e6) / 1e6;
}

static double
scaled(double value, double factor, bool divide)
{
    return divide ? value / factor : value * factor;
}

// As in PostgreSQL: what is left of a month goes into days (30 each), what is left of both days
// into time, in which days that are full again are counted as days.
static bool
interval_times(struct pz_interval interval, double factor, bool divide, struct pz_interval *out)
{
    double months = scaled(interval.months, factor, divide);
    double days = scaled(interval.days, factor, divide);
    double left_days = to_microseconds((months - trunc(months)) * 30);
    double left_seconds =
        to_microseconds((days - trunc(days) + left_days - trunc(left_days)) * 86400);
    double full_days = trunc(left_seconds / 86400);
    days = trunc(days) + trunc(left_days) + full_days;
    left_seconds -= full_days * 86400;
    double us = rint(scaled((double)interval.us, factor, divide) + left_seconds * 1e6);
    if (!(fabs(months) < 2147483647.0) || !(fabs(days) < 2147483647.0) || !(fabs(us) < 9.2e18)) {
        return false;
    }
    *out = (struct pz_interval){(int32_t)months, (int32_t)days, (int64_t)us};
    return true;
}

static enum pz_status
scale_intervals(struct pz_call *call, uint32_t interval_arg, bool divide, struct pz_error *err)
{
    struct pz_interval *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        double factor = pz_vector_real(&call->args[1 - interval_arg], row);
        if (divide && factor == 0) {
            return pz_fail_sql(err, "22012", call->sql_offset, "division by zero");
        }
        if (!interval_times(pz_vector_interval(&call->args[interval_arg], row), factor, divide,
                            &out[row])) {
            return fail_interval(call, err);
        }
    }
    return PZ_OK;
}

enum pz_status
pz_fn_mul_interval_double(struct pz_call *call, struct pz_error *err)
{
    return scale_intervals(call, 0, false, err);
}

enum pz_status
pz_fn_mul_double_interval(struct pz_call *call, struct pz_error *err)
{
    return scale_intervals(call, 1, false, err);
}

enum pz_status
pz_fn_div_interval_double(struct pz_call *call, struct pz_error *err)
{
    return scale_intervals(call, 0, true, err);
}

// ---- now -----------------------------------------------------------------------------------

enum pz_status
pz_fn_now(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    *(int64_t *)call->out = call->session->now_us;
    return PZ_OK;
}

enum pz_status
pz_fn_current_date(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    *(int64_t *)call->out = pz_floor_div(call->session->now_us, PZ_US_PER_DAY);
    return PZ_OK;
}
