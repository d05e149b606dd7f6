// SPDX-License-Identifier: Apache-2.0
// Doubles as text, both ways, exact in both directions.
//
// Common numbers (few digits, small exponents) take short cuts that are exact by IEEE 754: an
// integer below 2^53 divided or multiplied by an exact power of ten is rounded once, which is what
// a correctly rounded conversion does. Everything else goes through the C library, whose
// conversions are correctly rounded; the program never calls setlocale, so they speak "C".
#include "base/num.h"
#include "base/status.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// All exact: 10^22 is the largest power of ten that is a double.
static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// 0.d1d2d3… * 10^point, the digits without trailing zeros.
struct decimal {
    char digits[24];
    int len;
    int point;
};

// Rounds `value` (finite, positive) to `len` significant digits.
static struct decimal
decimal_of(double value, int len)
{
    char text[40];
    (void)snprintf(text, sizeof text, "%.*e", len - 1, value); // d.ddde[+-]xx
    struct decimal decimal = {.len = 0};
    const char *at = text;
    for (; *at != 'e'; at++) {
        if (*at != '.') {
            decimal.digits[decimal.len++] = *at;
        }
    }
    decimal.point = (int)strtol(at + 1, NULL, 10) + 1;
    while (decimal.len > 1 && decimal.digits[decimal.len - 1] == '0') {
        decimal.len--;
    }
    return decimal;
}

static bool
reads_back(const struct decimal *decimal, double value)
{
    char text[48];
    (void)snprintf(text, sizeof text, "0.%.*se%d", decimal->len, decimal->digits, decimal->point);
    return strtod(text, NULL) == value;
}

// The next larger decimal of the same number of digits, as far as no digit carries over.
static bool
decimal_step_up(struct decimal *decimal, int len)
{
    while (decimal->len < len) {
        decimal->digits[decimal->len++] = '0';
    }
    if (decimal->digits[len - 1] == '9') {
        return false;
    }
    decimal->digits[len - 1]++;
    return true;
}

// Fewest digits that read back. Normal numbers need 15 to 17 (any 15 digits survive the way
// there and back); numbers below DBL_MIN have fewer bits and may need as little as one.
static struct decimal
shortest_decimal(double value)
{
    int fraction_exponent;
    bool is_power_of_two = frexp(value, &fraction_exponent) == 0.5;
    for (int len = value < DBL_MIN ? 1 : 15; len < 17; len++) {
        struct decimal decimal = decimal_of(value, len);
        if (reads_back(&decimal, value)) {
            return decimal;
        }
        // Below a power of two doubles lie twice as close, so the nearest decimal may fail
        // on that side where a farther one above does not.
        if (is_power_of_two && decimal_step_up(&decimal, len) && reads_back(&decimal, value)) {
            return decimal;
        }
    }
    return decimal_of(value, 17);
}

static uint32_t
write_decimal(const struct decimal *decimal, char *out)
{
    int exponent = decimal->point - 1;
    uint32_t len = 0;
    if (exponent < -4 || exponent >= 15) {
        out[len++] = decimal->digits[0];
        if (decimal->len > 1) {
            out[len++] = '.';
            memcpy(out + len, decimal->digits + 1, (size_t)decimal->len - 1);
            len += (uint32_t)decimal->len - 1;
        }
        return len + (uint32_t)snprintf(out + len, 8, "e%+03d", exponent);
    }
    if (decimal->point <= 0) {
        out[len++] = '0';
        out[len++] = '.';
        for (int i = decimal->point; i < 0; i++) {
            out[len++] = '0';
        }
    }
    for (int i = 0; i < decimal->len || i < decimal->point; i++) {
        if (i == decimal->point && i > 0) {
            out[len++] = '.';
        }
        out[len++] = i < decimal->len ? decimal->digits[i] : '0';
    }
    return len;
}

// value = integer / 10^k with less than 16 digits in all: those digits are the shortest form,
// since two decimals of up to 15 digits never share a double. Returns 0 when it is not so.
static uint32_t
format_short(double value, char *out)
{
    for (uint32_t k = 0; k <= 6; k++) {
        double scaled = nearbyint(value * powers_of_ten[k]);
        if (scaled >= 1e15) {
            return 0;
        }
        if (scaled / powers_of_ten[k] == value) {
            char digits[24];
            uint32_t len = pz_format_u64((uint64_t)scaled, digits);
            uint32_t zeros = len <= k ? k + 1 - len : 0; // in front, for the one before the point
            uint32_t whole = len + zeros - k;
            uint32_t at = 0;
            for (uint32_t i = 0; i < len + zeros; i++) {
                if (i == whole) {
                    out[at++] = '.';
                }
                out[at++] = i < zeros ? '0' : digits[i - zeros];
            }
            return at;
        }
    }
    return 0;
}

static uint32_t
write_word(const char *word, char *out)
{
    size_t len = strlen(word);
    memcpy(out, word, len);
    return (uint32_t)len;
}

uint32_t
pz_format_double(double value, char *out)
{
    if (isnan(value)) {
        return write_word("NaN", out);
    }
    uint32_t sign = signbit(value) ? 1 : 0;
    double magnitude = fabs(value);
    out[0] = '-';
    char *rest = out + sign;
    if (magnitude == 0) {
        return sign + write_word("0", rest);
    }
    if (isinf(magnitude)) {
        return sign + write_word("Infinity", rest);
    }
    uint32_t len = magnitude >= 1e-4 && magnitude < 1e15 ? format_short(magnitude, rest) : 0;
    if (len == 0) {
        struct decimal decimal = shortest_decimal(magnitude);
        len = write_decimal(&decimal, rest);
    }
    PZ_ASSERT(sign + len <= PZ_NUM_TEXT_MAX);
    return sign + len;
}

// The grammar's parts of a number, taken apart.
struct scanned {
    uint64_t mantissa; // the digits without the point, while they are below 10^18
    int64_t exponent;  // of ten, that the mantissa is to be scaled by
    bool is_exact;     // all digits are in the mantissa
};

static uint32_t
scan_digits(struct pz_str text, uint32_t at, bool is_fraction, struct scanned *out)
{
    for (; at < text.len && text.data[at] >= '0' && text.data[at] <= '9'; at++) {
        if (out->mantissa >= UINT64_C(100000000000000000)) {
            out->is_exact = false;
        } else {
            out->mantissa = out->mantissa * 10 + (uint64_t)(text.data[at] - '0');
            out->exponent -= is_fraction;
        }
    }
    return at;
}

// Digits, point, exponent: the whole of `text` (without sign) or false.
static bool
scan_number(struct pz_str text, struct scanned *out)
{
    *out = (struct scanned){.is_exact = true};
    uint32_t at = scan_digits(text, 0, false, out);
    uint32_t digits = at;
    if (at < text.len && text.data[at] == '.') {
        uint32_t fraction_start = at + 1;
        at = scan_digits(text, fraction_start, true, out);
        digits += at - fraction_start;
    }
    if (digits == 0) {
        return false;
    }
    if (at == text.len) {
        return true;
    }
    if (text.data[at] != 'e' && text.data[at] != 'E') {
        return false;
    }
    at++;
    bool is_negative = at < text.len && text.data[at] == '-';
    at += at < text.len && (text.data[at] == '-' || text.data[at] == '+');
    if (at == text.len) {
        return false;
    }
    int64_t exponent = 0;
    for (; at < text.len; at++) {
        if (text.data[at] < '0' || text.data[at] > '9') {
            return false;
        }
        if (exponent < 1000000) {
            exponent = exponent * 10 + (text.data[at] - '0');
        }
    }
    out->exponent += is_negative ? -exponent : exponent;
    return true;
}

static bool
parse_word(struct pz_str text, double *out)
{
    if (pz_str_equal_nocase(text, PZ_STR("nan"))) {
        *out = NAN;
        return true;
    }
    if (pz_str_equal_nocase(text, PZ_STR("inf")) || pz_str_equal_nocase(text, PZ_STR("infinity"))) {
        *out = INFINITY;
        return true;
    }
    return false;
}

// More digits than any double needs to be told from its neighbours (767), with room to spare.
enum { REAL_TEXT_MAX = 1100 };

bool
pz_parse_double(struct pz_str text, double *out)
{
    if (text.len == 0) {
        return false;
    }
    bool is_negative = text.data[0] == '-';
    uint32_t start = is_negative || text.data[0] == '+';
    struct pz_str rest = {text.data + start, text.len - start};
    struct scanned scanned;
    double magnitude;
    if (!scan_number(rest, &scanned)) {
        if (!parse_word(rest, &magnitude)) {
            return false;
        }
    } else if (scanned.is_exact && scanned.mantissa <= UINT64_C(1) << 53 &&
               scanned.exponent >= -22 && scanned.exponent <= 22) {
        double scale = powers_of_ten[scanned.exponent < 0 ? -scanned.exponent : scanned.exponent];
        magnitude = (double)scanned.mantissa;
        magnitude = scanned.exponent < 0 ? magnitude / scale : magnitude * scale;
    } else {
        char copy[REAL_TEXT_MAX];
        if (!pz_str_to_c(rest, copy, sizeof copy)) {
            return false;
        }
        magnitude = strtod(copy, NULL);
        if (isinf(magnitude)) {
            return false;
        }
    }
    *out = is_negative ? -magnitude : magnitude;
    return true;
}
