// SPDX-License-Identifier: Apache-2.0
// Event times in the forms that clients send. Each form has its own small reader over a cursor; the
// result is always microseconds since 1970 UTC, and what the calendar does not know is refused.
#include "base/clock.h"
#include "base/num.h"
#include "ingest/ingest.h"

#include <math.h>

static bool
is_in_range(int64_t us)
{
    return us >= PZ_TIMESTAMP_MIN && us <= PZ_TIMESTAMP_MAX;
}

bool
pz_ingest_timestamp_from_int(int64_t number, int64_t *us_out)
{
    // The unit follows from the magnitude: seconds reach to the year 5138, and what would be a
    // date before March 1973 in a finer unit is taken as the coarser one.
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    int64_t us;
    if (magnitude < UINT64_C(100000000000)) {
        us = number * PZ_US_PER_SECOND;
    } else if (magnitude < UINT64_C(100000000000000)) {
        us = number * 1000;
    } else if (magnitude < UINT64_C(100000000000000000)) {
        us = number;
    } else {
        us = pz_floor_div(number, 1000);
    }
    if (!is_in_range(us)) {
        return false;
    }
    *us_out = us;
    return true;
}

bool
pz_ingest_timestamp_from_real(double number, int64_t *us_out)
{
    double magnitude = fabs(number);
    double us;
    if (!(magnitude < 1e19)) { // also NaN
        return false;
    }
    if (magnitude < 1e11) {
        us = number * 1e6;
    } else if (magnitude < 1e14) {
        us = number * 1e3;
    } else if (magnitude < 1e17) {
        us = number;
    } else {
        us = number / 1e3;
    }
    int64_t rounded = llround(us);
    if (!is_in_range(rounded)) {
        return false;
    }
    *us_out = rounded;
    return true;
}

// Reads between `min` and `max` decimal digits.
static bool
take_number(struct pz_str *text, uint32_t min, uint32_t max, uint32_t *out)
{
    uint32_t value = 0;
    uint32_t count = 0;
    while (count < max && count < text->len) {
        uint32_t digit = (uint32_t)(unsigned char)text->data[count] - '0';
        if (digit > 9) {
            break;
        }
        value = value * 10 + digit;
        count++;
    }
    text->data += count;
    text->len -= count;
    *out = value;
    return count >= min;
}

static bool
take_spaces(struct pz_str *text)
{
    bool is_any = false;
    while (pz_str_skip(text, ' ')) {
        is_any = true;
    }
    return is_any;
}

// One of `count` names of three letters; its position, or false.
static bool
take_name(struct pz_str *text, const char *names, uint32_t count, uint32_t *index_out)
{
    for (uint32_t i = 0; text->len >= 3 && i < count; i++) {
        struct pz_str name = {names + (size_t)i * 3, 3};
        if (pz_str_equal_nocase((struct pz_str){text->data, 3}, name)) {
            text->data += 3;
            text->len -= 3;
            *index_out = i;
            return true;
        }
    }
    return false;
}

static const char weekday_names[] = "MonTueWedThuFriSatSun";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

// HH:MM[:SS] in microseconds of the day. A leap second is the last microsecond before it.
static bool
take_clock(struct pz_str *text, int64_t *us_out)
{
    uint32_t hour;
    uint32_t minute;
    uint32_t second = 0;
    if (!take_number(text, 1, 2, &hour) || !pz_str_skip(text, ':') ||
        !take_number(text, 2, 2, &minute)) {
        return false;
    }
    if (pz_str_skip(text, ':') && !take_number(text, 2, 2, &second)) {
        return false;
    }
    if (hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    int64_t us = (int64_t)(hour * 3600 + minute * 60 + second) * PZ_US_PER_SECOND;
    *us_out = second == 60 ? us - 1 : us;
    return true;
}

// +HHMM, -HHMM, Z or one of the names RFC 2822 keeps; the offset east of UTC.
static bool
take_mail_zone(struct pz_str *text, int64_t *us_out)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {{"GMT", 0},  {"UTC", 0},  {"UT", 0},   {"Z", 0},    {"EST", -5}, {"EDT", -4},
                 {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
    if (text->len > 0 && (text->data[0] == '+' || text->data[0] == '-')) {
        bool is_west = text->data[0] == '-';
        uint32_t hours;
        uint32_t minutes;
        text->data++;
        text->len--;
        if (!take_number(text, 2, 2, &hours)) {
            return false;
        }
        (void)pz_str_skip(text, ':');
        if (!take_number(text, 2, 2, &minutes) || hours > 23 || minutes > 59) {
            return false;
        }
        int64_t us = (int64_t)(hours * 3600 + minutes * 60) * PZ_US_PER_SECOND;
        *us_out = is_west ? -us : us;
        return true;
    }
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        struct pz_str name = pz_str_from(zones[i].name);
        if (text->len >= name.len &&
            pz_str_equal_nocase((struct pz_str){text->data, name.len}, name)) {
            text->data += name.len;
            text->len -= name.len;
            *us_out = zones[i].hours * 3600 * PZ_US_PER_SECOND;
            return true;
        }
    }
    return false;
}

struct named_date {
    bool has_weekday;
    uint32_t weekday; // Monday is 0
    uint32_t year, month, day;
};

// Calendar-checked days since 1970; a weekday that is not the date's is refused.
static bool
days_of(const struct named_date *date, int64_t *days_out)
{
    if (date->year < 1 || date->day < 1 ||
        date->day > pz_days_in_month((int32_t)date->year, date->month)) {
        return false;
    }
    int64_t days = pz_days_from_civil((int32_t)date->year, date->month, date->day);
    int64_t weekday = days + 3 - pz_floor_div(days + 3, 7) * 7; // 1970-01-01 was a Thursday
    *days_out = days;
    return !date->has_weekday || weekday == date->weekday;
}

// "Wed, 14 Feb 2024 12:07:31 +0000" (RFC 2822; the weekday may be missing) and
// "Wed Feb 14 12:07:31 +0000 2024" (Twitter).
static bool
parse_named(struct pz_str text, int64_t *us_out)
{
    struct named_date date = {0};
    int64_t clock_us;
    int64_t zone_us;
    int64_t days;
    date.has_weekday = take_name(&text, weekday_names, 7, &date.weekday);
    bool has_comma = date.has_weekday && pz_str_skip(&text, ',');
    if (date.has_weekday && !take_spaces(&text)) {
        return false;
    }
    if (date.has_weekday && !has_comma) {
        if (!take_name(&text, month_names, 12, &date.month) || !take_spaces(&text) ||
            !take_number(&text, 1, 2, &date.day) || !take_spaces(&text) ||
            !take_clock(&text, &clock_us) || !take_spaces(&text) ||
            !take_mail_zone(&text, &zone_us) || !take_spaces(&text) ||
            !take_number(&text, 4, 4, &date.year)) {
            return false;
        }
    } else if (!take_number(&text, 1, 2, &date.day) || !take_spaces(&text) ||
               !take_name(&text, month_names, 12, &date.month) || !take_spaces(&text) ||
               !take_number(&text, 4, 4, &date.year) || !take_spaces(&text) ||
               !take_clock(&text, &clock_us) || !take_spaces(&text) ||
               !take_mail_zone(&text, &zone_us)) {
        return false;
    }
    date.month++;
    if (text.len != 0 || !days_of(&date, &days)) {
        return false;
    }
    int64_t us = days * PZ_US_PER_DAY + clock_us - zone_us;
    if (!is_in_range(us)) {
        return false;
    }
    *us_out = us;
    return true;
}

// Numbers as text: "1707912451", "1707912451.25", "1707912451250".
static bool
parse_epoch(struct pz_str text, int64_t *us_out)
{
    int64_t number;
    double real;
    if (pz_parse_i64(text, &number)) {
        return pz_ingest_timestamp_from_int(number, us_out);
    }
    // Words like "infinity" are numbers for pz_parse_double, not here.
    char last = text.data[text.len - 1];
    if (last < '0' || last > '9' || !pz_parse_double(text, &real)) {
        return false;
    }
    return pz_ingest_timestamp_from_real(real, us_out);
}

bool
pz_ingest_parse_timestamp(struct pz_str text, int64_t *us_out)
{
    if (text.len == 0) {
        return false;
    }
    return pz_parse_timestamp(text, us_out) || parse_epoch(text, us_out) ||
           parse_named(text, us_out);
}
