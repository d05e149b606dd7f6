// SPDX-License-Identifier: Apache-2.0
// Integers as text, both ways.
#include "base/num.h"

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

static uint32_t
digit_count(uint64_t value)
{
    uint32_t count = 1;
    while (value >= 10000) {
        value /= 10000;
        count += 4;
    }
    return count + (value >= 10) + (value >= 100) + (value >= 1000);
}

uint32_t
pz_format_u64(uint64_t value, char *out)
{
    uint32_t len = digit_count(value);
    char *at = out + len;
    while (value >= 100) {
        at -= 2;
        memcpy(at, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        memcpy(out, digit_pairs + value * 2, 2);
    } else {
        out[0] = (char)('0' + value);
    }
    return len;
}

uint32_t
pz_format_i64(int64_t value, char *out)
{
    if (value >= 0) {
        return pz_format_u64((uint64_t)value, out);
    }
    out[0] = '-';
    return 1 + pz_format_u64(0 - (uint64_t)value, out + 1);
}

// Digits only, at least one.
static bool
parse_digits(const char *data, uint32_t len, uint64_t *out)
{
    uint64_t value = 0;
    if (len == 0) {
        return false;
    }
    for (uint32_t i = 0; i < len; i++) {
        unsigned digit = (unsigned char)data[i] - (unsigned)'0';
        if (digit > 9) {
            return false;
        }
        // Eighteen digits always fit.
        if (i < 18) {
            value = value * 10 + digit;
        } else if (!pz_mul_u64(value, 10, &value) || !pz_add_u64(value, digit, &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

bool
pz_parse_u64(struct pz_str text, uint64_t *out)
{
    uint32_t start = text.len > 0 && text.data[0] == '+';
    return text.len > 0 && parse_digits(text.data + start, text.len - start, out);
}

bool
pz_parse_i64(struct pz_str text, int64_t *out)
{
    if (text.len == 0) {
        return false;
    }
    bool is_negative = text.data[0] == '-';
    uint32_t start = is_negative || text.data[0] == '+';
    uint64_t magnitude;
    if (!parse_digits(text.data + start, text.len - start, &magnitude)) {
        return false;
    }
    if (magnitude > (uint64_t)INT64_MAX + is_negative) {
        return false;
    }
    *out = (int64_t)(is_negative ? 0 - magnitude : magnitude);
    return true;
}
