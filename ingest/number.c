// SPDX-License-Identifier: Apache-2.0
// Decimal numbers to exact values. Short ones, nearly all of them, take a path without rounding;
// the rest is left to the correctly rounding reader of base.
#include "ingest/number.h"

// A number taken apart: (-1)^is_negative * digits * 10^exponent, without leading zeros.
struct decimal {
    bool is_negative;
    uint32_t count;   // digits after the leading zeros
    uint64_t digits;  // the first 19 of them
    int64_t exponent; // of the last digit that was counted
    uint32_t zeros;   // how many of the counted digits are trailing zeros
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void
add_digit(struct decimal *decimal, char c)
{
    unsigned digit = (unsigned char)c - (unsigned)'0';
    if (decimal->count == 0 && digit == 0) {
        return;
    }
    if (decimal->count < 19) {
        decimal->digits = decimal->digits * 10 + digit;
    }
    decimal->count++;
    decimal->zeros = digit == 0 ? decimal->zeros + 1 : 0;
}

// The digits after "e". Exponents beyond any meaning are held at a bound.
static bool
take_exponent(const char *at, const char *end, int64_t *out)
{
    bool is_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    if (at == end) {
        return false;
    }
    int64_t value = 0;
    for (; at < end; at++) {
        if (!is_digit(*at)) {
            return false;
        }
        value = value < 1000000000 ? value * 10 + (*at - '0') : value;
    }
    *out = is_negative ? -value : value;
    return true;
}

static bool
take_apart(struct pz_str text, struct decimal *out)
{
    const char *at = text.data;
    const char *end = at + text.len;
    *out = (struct decimal){0};
    if (at < end && (*at == '-' || *at == '+')) {
        out->is_negative = *at == '-';
        at++;
    }
    const char *first = at;
    for (; at < end && is_digit(*at); at++) {
        add_digit(out, *at);
    }
    bool has_digits = at > first;
    if (at < end && *at == '.') {
        first = ++at;
        for (; at < end && is_digit(*at); at++) {
            add_digit(out, *at);
            out->exponent--;
        }
        has_digits = has_digits || at > first;
    }
    if (!has_digits) {
        return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        int64_t exponent;
        if (!take_exponent(at + 1, end, &exponent)) {
            return false;
        }
        out->exponent += exponent;
        return true;
    }
    return at == end;
}

// The significant digits of a number that may have more than 64 bits of them.
static enum pz__int_fault
whole_value(const struct decimal *decimal, uint64_t *out)
{
    int64_t exponent = decimal->exponent + decimal->zeros;
    uint32_t significant = decimal->count - decimal->zeros;
    if (exponent < 0) {
        return PZ__INT_FRACTION;
    }
    if (significant + exponent > 19) {
        return PZ__INT_RANGE;
    }
    uint64_t value = decimal->digits; // at most 19 digits were counted in, zeros included
    uint32_t kept = decimal->count < 19 ? decimal->count : 19;
    for (; kept > significant; kept--) {
        value /= 10;
    }
    for (; exponent > 0; exponent--) {
        value *= 10; // at most 19 digits
    }
    *out = value;
    return PZ__INT_OK;
}

enum pz__int_fault
pz__number_to_int(struct pz_str text, int64_t *out)
{
    if (pz_parse_i64(text, out)) {
        return PZ__INT_OK;
    }
    struct decimal decimal;
    if (text.len == 0 || !take_apart(text, &decimal)) {
        return PZ__INT_NOT_A_NUMBER;
    }
    uint64_t magnitude = 0;
    if (decimal.count > 0) {
        enum pz__int_fault fault = whole_value(&decimal, &magnitude);
        if (fault != PZ__INT_OK) {
            return fault;
        }
    }
    if (magnitude > (uint64_t)INT64_MAX + decimal.is_negative) {
        return PZ__INT_RANGE;
    }
    *out = (int64_t)(decimal.is_negative ? 0 - magnitude : magnitude);
    return PZ__INT_OK;
}

bool
pz__number_is_decimal(struct pz_str text)
{
    struct decimal decimal;
    return text.len > 0 && take_apart(text, &decimal);
}

bool
pz__number_to_real(struct pz_str text, bool allow_words, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct decimal decimal;
    if (text.len == 0) {
        return false;
    }
    if (!take_apart(text, &decimal)) {
        return allow_words && pz_parse_double(text, out);
    }
    // Digits and power are both exact doubles, so that one operation rounds once.
    if (decimal.count <= 15 && decimal.exponent >= -22 && decimal.exponent <= 22) {
        double value = (double)decimal.digits;
        value = decimal.exponent < 0 ? value / powers[-decimal.exponent]
                                     : value * powers[decimal.exponent];
        *out = decimal.is_negative ? -value : value;
        return true;
    }
    return pz_parse_double(text, out);
}
