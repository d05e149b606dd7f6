// SPDX-License-Identifier: Apache-2.0
// The clocks, and civil time in the proleptic Gregorian calendar.
//
// Days are counted in eras of 400 years (146,097 days) that begin on 1 March, so that the leap day
// is the last day of a year and month lengths follow one linear formula.
#include "base/clock.h"

#include "base/status.h"

#include <errno.h>
#include <time.h>

enum { DAYS_PER_ERA = 146097, DAYS_TO_UNIX_EPOCH = 719468 };

static int64_t
clock_us(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    PZ_ASSERT(failed == 0);
    return (int64_t)now.tv_sec * PZ_US_PER_SECOND + now.tv_nsec / 1000;
}

int64_t
pz_clock_wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

int64_t
pz_clock_mono_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

void
pz_clock_sleep_us(int64_t us)
{
    if (us <= 0) {
        return;
    }
    struct timespec left = {.tv_sec = us / PZ_US_PER_SECOND,
                            .tv_nsec = us % PZ_US_PER_SECOND * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

int64_t
pz_days_from_civil(int32_t year, uint32_t month, uint32_t day)
{
    int64_t march_year = (int64_t)year - (month <= 2);
    int64_t era = pz_floor_div(march_year, 400);
    int64_t year_of_era = march_year - era * 400;
    int64_t march_month = (month + 9) % 12; // March is 0
    int64_t day_of_year = (153 * march_month + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_UNIX_EPOCH;
}

void
pz_civil_from_days(int64_t days, struct pz_civil *out)
{
    int64_t shifted = days + DAYS_TO_UNIX_EPOCH;
    int64_t era = pz_floor_div(shifted, DAYS_PER_ERA);
    uint32_t day_of_era = (uint32_t)(shifted - era * DAYS_PER_ERA);
    // Leap days before this day are taken out, so that all years are 365 days long.
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t march_month = (5 * day_of_year + 2) / 153;
    out->day = day_of_year - (153 * march_month + 2) / 5 + 1;
    out->month = march_month < 10 ? march_month + 3 : march_month - 9;
    out->year = (int32_t)(era * 400 + year_of_era + (out->month <= 2));
}

void
pz_civil_from_us(int64_t us, struct pz_civil *out)
{
    int64_t days = pz_floor_div(us, PZ_US_PER_DAY);
    // The multiple of a day below INT64_MIN does not fit; the remainder always does.
    int64_t rest = us % PZ_US_PER_DAY;
    rest += rest < 0 ? PZ_US_PER_DAY : 0;
    pz_civil_from_days(days, out);
    out->microsecond = (uint32_t)(rest % PZ_US_PER_SECOND);
    uint32_t seconds = (uint32_t)(rest / PZ_US_PER_SECOND);
    out->second = seconds % 60;
    out->minute = seconds / 60 % 60;
    out->hour = seconds / 3600;
}

uint32_t
pz_days_in_month(int32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    PZ_ASSERT(month >= 1 && month <= 12);
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return (uint32_t)days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

static void
put_digits(char *out, uint32_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

static void
put_civil_date(char *out, const struct pz_civil *civil)
{
    PZ_ASSERT(civil->year >= 1 && civil->year <= 9999);
    put_digits(out, (uint32_t)civil->year, 4);
    out[4] = '-';
    put_digits(out + 5, civil->month, 2);
    out[7] = '-';
    put_digits(out + 8, civil->day, 2);
}

uint32_t
pz_format_date(int64_t days, char *out)
{
    struct pz_civil civil;
    pz_civil_from_days(days, &civil);
    put_civil_date(out, &civil);
    return PZ_DATE_TEXT_LEN;
}

uint32_t
pz_format_timestamp(int64_t us, char *out)
{
    PZ_ASSERT(us >= PZ_TIMESTAMP_MIN && us <= PZ_TIMESTAMP_MAX);
    struct pz_civil civil;
    pz_civil_from_us(us, &civil);
    put_civil_date(out, &civil);
    out[10] = 'T';
    put_digits(out + 11, civil.hour, 2);
    out[13] = ':';
    put_digits(out + 14, civil.minute, 2);
    out[16] = ':';
    put_digits(out + 17, civil.second, 2);
    out[19] = '.';
    put_digits(out + 20, civil.microsecond, 6);
    out[26] = 'Z';
    return PZ_TIMESTAMP_TEXT_LEN;
}

// Reads exactly `count` digits and moves on.
static bool
take_digits(struct pz_str *text, uint32_t count, uint32_t *out)
{
    if (text->len < count) {
        return false;
    }
    uint32_t value = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t digit = (uint32_t)(unsigned char)text->data[i] - '0';
        if (digit > 9) {
            return false;
        }
        value = value * 10 + digit;
    }
    text->data += count;
    text->len -= count;
    *out = value;
    return true;
}

static bool
take_date(struct pz_str *text, int64_t *days_out)
{
    uint32_t year;
    uint32_t month;
    uint32_t day;
    if (!take_digits(text, 4, &year) || !pz_str_skip(text, '-') || !take_digits(text, 2, &month) ||
        !pz_str_skip(text, '-') || !take_digits(text, 2, &day)) {
        return false;
    }
    if (year < 1 || month < 1 || month > 12 || day < 1 ||
        day > pz_days_in_month((int32_t)year, month)) {
        return false;
    }
    *days_out = pz_days_from_civil((int32_t)year, month, day);
    return true;
}

// .f{1,9}; what is finer than a microsecond is cut off.
static bool
take_fraction(struct pz_str *text, int64_t *us_out)
{
    int64_t us = 0;
    int64_t unit = PZ_US_PER_SECOND / 10;
    uint32_t digit;
    uint32_t count = 0;
    while (count < 9 && take_digits(text, 1, &digit)) {
        us += digit * unit;
        unit /= 10;
        count++;
    }
    *us_out = us;
    return count > 0;
}

// HH:MM[:SS[.f]] as microseconds of the day.
static bool
take_time(struct pz_str *text, int64_t *us_out)
{
    uint32_t hour;
    uint32_t minute;
    uint32_t second = 0;
    int64_t fraction_us = 0;
    if (!take_digits(text, 2, &hour) || !pz_str_skip(text, ':') || !take_digits(text, 2, &minute)) {
        return false;
    }
    if (pz_str_skip(text, ':')) {
        if (!take_digits(text, 2, &second)) {
            return false;
        }
        if (pz_str_skip(text, '.') && !take_fraction(text, &fraction_us)) {
            return false;
        }
    }
    if (hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    if (second == 60) {
        second = 59;
        fraction_us = PZ_US_PER_SECOND - 1;
    }
    *us_out = (int64_t)(hour * 3600 + minute * 60 + second) * PZ_US_PER_SECOND + fraction_us;
    return true;
}

// Nothing, Z, or (+|-)HH[[:]MM], to the end of the text; the offset east of UTC.
static bool
take_zone(struct pz_str *text, int64_t *us_out)
{
    *us_out = 0;
    if (text->len == 0) {
        return true;
    }
    if (pz_str_skip(text, 'Z') || pz_str_skip(text, 'z')) {
        return text->len == 0;
    }
    bool is_west = pz_str_skip(text, '-');
    if (!is_west && !pz_str_skip(text, '+')) {
        return false;
    }
    uint32_t hours;
    uint32_t minutes = 0;
    if (!take_digits(text, 2, &hours)) {
        return false;
    }
    if (text->len > 0) {
        (void)pz_str_skip(text, ':');
        if (!take_digits(text, 2, &minutes)) {
            return false;
        }
    }
    if (hours > 23 || minutes > 59) {
        return false;
    }
    int64_t offset_us = (int64_t)(hours * 3600 + minutes * 60) * PZ_US_PER_SECOND;
    *us_out = is_west ? -offset_us : offset_us;
    return text->len == 0;
}

bool
pz_parse_timestamp(struct pz_str text, int64_t *us_out)
{
    int64_t days;
    if (!take_date(&text, &days)) {
        return false;
    }
    int64_t us = days * PZ_US_PER_DAY;
    if (text.len > 0) {
        int64_t time_us;
        int64_t zone_us;
        if (!pz_str_skip(&text, 'T') && !pz_str_skip(&text, ' ') && !pz_str_skip(&text, 't')) {
            return false;
        }
        if (!take_time(&text, &time_us) || !take_zone(&text, &zone_us)) {
            return false;
        }
        us += time_us - zone_us;
    }
    if (us < PZ_TIMESTAMP_MIN || us > PZ_TIMESTAMP_MAX) {
        return false;
    }
    *us_out = us;
    return true;
}

bool
pz_parse_date(struct pz_str text, int64_t *days_out)
{
    return take_date(&text, days_out) && text.len == 0;
}
