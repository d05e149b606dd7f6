// SPDX-License-Identifier: Apache-2.0
// Intervals as text, both ways, as PostgreSQL does it: months, days and microseconds are kept
// apart, and a fraction of a unit goes down into the smaller ones (1.5 days is 1 day 12:00).
#include "query/expr/interval.h"

#include "base/clock.h"
#include "base/num.h"

#include <math.h>
#include <stdio.h>

struct unit {
    const char *name;
    int32_t months;
    int32_t days;
    int64_t us;
};
static const struct unit units[] = {
    {"microsecond", 0, 0, 1},
    {"us", 0, 0, 1},
    {"usec", 0, 0, 1},
    {"millisecond", 0, 0, 1000},
    {"ms", 0, 0, 1000},
    {"msec", 0, 0, 1000},
    {"second", 0, 0, PZ_US_PER_SECOND},
    {"sec", 0, 0, PZ_US_PER_SECOND},
    {"s", 0, 0, PZ_US_PER_SECOND},
    {"minute", 0, 0, 60 * PZ_US_PER_SECOND},
    {"min", 0, 0, 60 * PZ_US_PER_SECOND},
    {"m", 0, 0, 60 * PZ_US_PER_SECOND},
    {"hour", 0, 0, 3600 * PZ_US_PER_SECOND},
    {"hr", 0, 0, 3600 * PZ_US_PER_SECOND},
    {"h", 0, 0, 3600 * PZ_US_PER_SECOND},
    {"day", 0, 1, 0},
    {"d", 0, 1, 0},
    {"week", 0, 7, 0},
    {"w", 0, 7, 0},
    {"month", 1, 0, 0},
    {"mon", 1, 0, 0},
    {"quarter", 3, 0, 0},
    {"year", 12, 0, 0},
    {"yr", 12, 0, 0},
    {"y", 12, 0, 0},
    {"decade", 120, 0, 0},
    {"century", 1200, 0, 0},
    {"millennium", 12000, 0, 0},
};

static const struct unit *
find_unit(struct pz_str name)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct pz_str known = pz_str_from(units[i].name);
        if (pz_str_equal_nocase(known, name)) {
            return &units[i];
        }
        bool is_plural = name.len == known.len + 1 && (name.data[known.len] | 0x20) == 's';
        if (is_plural && pz_str_equal_nocase(known, (struct pz_str){name.data, known.len})) {
            return &units[i];
        }
    }
    if (pz_str_equal_nocase(name, PZ_STR("centuries"))) {
        return find_unit(PZ_STR("century"));
    }
    return pz_str_equal_nocase(name, PZ_STR("millennia")) ? find_unit(PZ_STR("millennium")) : NULL;
}

// The parser's place in the text.
struct cursor {
    const char *at;
    const char *end;
    bool is_too_large; // why it failed: a number does not fit
};

static void
skip_blanks(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n')) {
        c->at++;
    }
}

static bool
is_digit(const struct cursor *c)
{
    return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

// [+-]digits[.digits]; the whole part and the fraction (0 <= fraction < 1, without sign).
struct number {
    bool is_negative;
    int64_t whole;
    double fraction;
};
static bool
take_number(struct cursor *c, struct number *out)
{
    *out = (struct number){0};
    if (c->at < c->end && (*c->at == '-' || *c->at == '+')) {
        out->is_negative = *c->at == '-';
        c->at++;
    }
    bool any = false;
    while (is_digit(c)) {
        if (out->whole > INT64_MAX / 10 - 1) {
            c->is_too_large = true;
            return false;
        }
        out->whole = out->whole * 10 + (*c->at++ - '0');
        any = true;
    }
    if (c->at < c->end && *c->at == '.') {
        c->at++;
        double unit = 0.1;
        while (is_digit(c)) {
            out->fraction += (double)(*c->at++ - '0') * unit;
            unit /= 10;
            any = true;
        }
    }
    return any;
}

static bool
add_us(struct pz_interval *interval, double us)
{
    if (!(fabs(us) < 9.2e18)) {
        return false;
    }
    return pz_add_i64(interval->us, (int64_t)llround(us), &interval->us);
}

static bool
add_parts(struct pz_interval *interval, int64_t months, int64_t days)
{
    int64_t month_sum = interval->months + months;
    int64_t day_sum = interval->days + days;
    if (month_sum != (int32_t)month_sum || day_sum != (int32_t)day_sum) {
        return false;
    }
    interval->months = (int32_t)month_sum;
    interval->days = (int32_t)day_sum;
    return true;
}

// Adds number × unit; what is left of a unit goes into days (30 a month) and then microseconds.
static bool
add_units(struct pz_interval *interval, const struct number *number, const struct unit *unit)
{
    int64_t sign = number->is_negative ? -1 : 1;
    int64_t whole = number->whole * sign;
    double fraction = number->fraction * (double)sign;
    if (unit->months != 0) {
        int64_t months;
        if (!pz_mul_i64(whole, unit->months, &months) || months != (int32_t)months) {
            return false;
        }
        double rest = fraction * unit->months;
        double more = trunc(rest);
        double days = (rest - more) * 30;
        if (unit->months >= 12) { // a fraction of a year is whole months
            more = round(rest);
            days = 0;
        }
        double day_whole = trunc(days);
        return add_parts(interval, months + (int64_t)more, (int64_t)day_whole) &&
               add_us(interval, (days - day_whole) * (double)PZ_US_PER_DAY);
    }
    if (unit->days != 0) {
        int64_t days;
        if (!pz_mul_i64(whole, unit->days, &days) || days != (int32_t)days) {
            return false;
        }
        double rest = fraction * unit->days;
        return add_parts(interval, 0, days + (int64_t)trunc(rest)) &&
               add_us(interval, (rest - trunc(rest)) * (double)PZ_US_PER_DAY);
    }
    int64_t us;
    return pz_mul_i64(whole, unit->us, &us) && pz_add_i64(interval->us, us, &interval->us) &&
           add_us(interval, fraction * (double)unit->us);
}

// After "HH": ":MM[:SS[.f]]".
static bool
take_clock(struct cursor *c, const struct number *hours, struct pz_interval *interval)
{
    struct number minutes;
    struct number seconds = {0};
    c->at++;
    if (!is_digit(c) || !take_number(c, &minutes) || minutes.fraction != 0 || minutes.whole > 59) {
        return false;
    }
    if (c->at < c->end && *c->at == ':') {
        c->at++;
        if (!is_digit(c) || !take_number(c, &seconds) || seconds.whole > 59) {
            return false;
        }
    }
    minutes.is_negative = seconds.is_negative = hours->is_negative;
    if (hours->fraction != 0) {
        return false;
    }
    c->is_too_large = !add_units(interval, hours, find_unit(PZ_STR("hour"))) ||
                      !add_units(interval, &minutes, find_unit(PZ_STR("minute"))) ||
                      !add_units(interval, &seconds, find_unit(PZ_STR("second")));
    return !c->is_too_large;
}

static struct pz_str
take_word(struct cursor *c)
{
    const char *start = c->at;
    while (c->at < c->end && ((*c->at | 0x20) >= 'a' && (*c->at | 0x20) <= 'z')) {
        c->at++;
    }
    return (struct pz_str){start, (uint32_t)(c->at - start)};
}

// One "number unit" or a clock time.
static bool
take_part(struct cursor *c, struct pz_str default_unit, struct pz_interval *interval)
{
    struct number number;
    if (!take_number(c, &number)) {
        return false;
    }
    if (c->at < c->end && *c->at == ':') {
        return take_clock(c, &number, interval);
    }
    if (c->at < c->end && strchr(".+-", *c->at) != NULL) {
        return false; // two numbers run into each other
    }
    skip_blanks(c);
    struct pz_str word = take_word(c);
    if (word.len == 0) {
        word = default_unit.len > 0 ? default_unit : PZ_STR("second");
    }
    const struct unit *unit = find_unit(word);
    if (unit == NULL) {
        return false;
    }
    c->is_too_large = !add_units(interval, &number, unit);
    return !c->is_too_large;
}

// INTERVAL '1.5' HOUR is whole hours: what is smaller than the unit after the text goes.
static void
cut_to_unit(struct pz_interval *interval, struct pz_str name)
{
    const struct unit *unit = name.len > 0 ? find_unit(name) : NULL;
    if (unit == NULL) {
        return;
    }
    if (unit->months != 0) {
        interval->months -= unit->months == 12 ? interval->months % 12 : 0;
        interval->days = 0;
        interval->us = 0;
    } else if (unit->days != 0) {
        interval->us = 0;
    } else if (unit->us > PZ_US_PER_SECOND) {
        interval->us -= interval->us % unit->us;
    }
}

static enum pz_status
fail_range(struct pz_str text, uint32_t offset, struct pz_error *err)
{
    return pz_fail_sql(err, "22008", offset, "interval out of range: \"%.*s\"",
                       PZ_STR_ARG(pz_str_cut_utf8(text, 80)));
}

static enum pz_status
fail_syntax(struct pz_str text, uint32_t offset, struct pz_error *err)
{
    enum pz_status status =
        pz_fail_sql(err, "22007", offset, "invalid input syntax for type interval: \"%.*s\"",
                    PZ_STR_ARG(pz_str_cut_utf8(text, 80)));
    pz_error_hint(err, "write for example INTERVAL '1 day' or INTERVAL '2 hours 30 minutes'");
    return status;
}

enum pz_status
pz_interval_parse(struct pz_str text, struct pz_str unit, uint32_t offset, struct pz_interval *out,
                  struct pz_error *err)
{
    struct cursor c = {.at = text.data, .end = text.data + text.len};
    struct pz_interval interval = {0};
    bool any = false;
    *out = interval;
    for (skip_blanks(&c); c.at < c.end; skip_blanks(&c)) {
        struct cursor word_at = c;
        if (any && pz_str_equal_nocase(take_word(&word_at), PZ_STR("ago"))) {
            c = word_at;
            skip_blanks(&c);
            if (c.at < c.end) {
                return fail_syntax(text, offset, err);
            }
            if (interval.us == INT64_MIN || interval.months == INT32_MIN ||
                interval.days == INT32_MIN) {
                return fail_range(text, offset, err);
            }
            interval = (struct pz_interval){-interval.months, -interval.days, -interval.us};
            break;
        }
        if (!take_part(&c, unit, &interval)) {
            return c.is_too_large ? fail_range(text, offset, err) : fail_syntax(text, offset, err);
        }
        any = true;
    }
    if (!any) {
        return fail_syntax(text, offset, err);
    }
    cut_to_unit(&interval, unit);
    *out = interval;
    return PZ_OK;
}

// "3 days" with a blank before it when something stands there; "+3 days" after a negative part.
static int
write_part(char *out, size_t room, int64_t value, const char *name, bool *is_before, bool is_first)
{
    if (value == 0) {
        return 0;
    }
    int len =
        snprintf(out, room, "%s%s%lld %s%s", is_first ? "" : " ",
                 *is_before && value > 0 ? "+" : "", (long long)value, name, value == 1 ? "" : "s");
    *is_before = value < 0;
    return len;
}

uint32_t
pz_interval_format(const struct pz_interval *interval, char *out)
{
    bool is_before = false;
    size_t len = 0;
    const struct {
        int64_t value;
        const char *name;
    } parts[] = {
        {interval->months / 12, "year"}, {interval->months % 12, "mon"}, {interval->days, "day"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        len += (size_t)write_part(out + len, PZ_INTERVAL_TEXT_MAX - len, parts[i].value,
                                  parts[i].name, &is_before, len == 0);
    }
    if (interval->us == 0 && len > 0) {
        return (uint32_t)len;
    }
    uint64_t us = interval->us < 0 ? -(uint64_t)interval->us : (uint64_t)interval->us;
    const char *sign = interval->us < 0 ? "-" : is_before ? "+" : "";
    uint64_t seconds = us / (uint64_t)PZ_US_PER_SECOND;
    len += (size_t)snprintf(out + len, PZ_INTERVAL_TEXT_MAX - len, "%s%s%02llu:%02llu:%02llu",
                            len == 0 ? "" : " ", sign, (unsigned long long)(seconds / 3600),
                            (unsigned long long)(seconds / 60 % 60),
                            (unsigned long long)(seconds % 60));
    if (us % (uint64_t)PZ_US_PER_SECOND != 0) {
        len += (size_t)snprintf(out + len, PZ_INTERVAL_TEXT_MAX - len, ".%06llu",
                                (unsigned long long)(us % (uint64_t)PZ_US_PER_SECOND));
        while (out[len - 1] == '0') {
            len--;
        }
    }
    return (uint32_t)len;
}
