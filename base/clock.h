// SPDX-License-Identifier: Apache-2.0
// Time, and its text forms. All wall time is int64_t microseconds since 1970-01-01 UTC.
#ifndef PZ_BASE_CLOCK_H
#define PZ_BASE_CLOCK_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define PZ_US_PER_SECOND INT64_C(1000000)
#define PZ_US_PER_DAY INT64_C(86400000000)
#define PZ_TIMESTAMP_MIN INT64_C(-62135596800000000) // 0001-01-01
#define PZ_TIMESTAMP_MAX INT64_C(253402300799999999) // 9999-12-31 23:59:59.999999

int64_t pz_clock_wall_us(void);     // only as data
int64_t pz_clock_mono_us(void);     // for time-outs and durations
void pz_clock_sleep_us(int64_t us); // resumes after signals

struct pz_civil {
    int32_t year;        // proleptic Gregorian
    uint32_t month, day; // 1..12, 1..31
    uint32_t hour, minute, second, microsecond;
};
int64_t pz_days_from_civil(int32_t year, uint32_t month, uint32_t day); // days since 1970-01-01
void pz_civil_from_days(int64_t days, struct pz_civil *out);            // sets year, month, day
void pz_civil_from_us(int64_t us, struct pz_civil *out);                // sets all
uint32_t pz_days_in_month(int32_t year, uint32_t month);
static inline int64_t
pz_floor_div(int64_t a, int64_t b) // b > 0; rounds towards minus infinity
{
    return a / b - (a % b < 0);
}

#define PZ_TIMESTAMP_TEXT_LEN 27 // "2026-11-20T09:00:00.000000Z"
#define PZ_DATE_TEXT_LEN 10      // "2026-11-20"
// Write exactly that many bytes (years 0001..9999), no NUL; return the length.
uint32_t pz_format_timestamp(int64_t us, char *out);
uint32_t pz_format_date(int64_t days, char *out);

// ISO 8601 / RFC 3339: YYYY-MM-DD[(T| )HH:MM[:SS[.f{1,9}]][Z|(+|-)HH[[:]MM]]], calendar-checked, a
// leap second becomes 59.999999. Without zone it is UTC. Whole text or false.
bool pz_parse_timestamp(struct pz_str text, int64_t *us_out);
bool pz_parse_date(struct pz_str text, int64_t *days_out); // YYYY-MM-DD

#endif
