// SPDX-License-Identifier: Apache-2.0
// Checking, counting and cutting UTF-8 (RFC 3629). ASCII runs are skipped a word at a time, since
// most text from outside is mostly that.
#include "base/num.h"
#include "base/str.h"

// Length of the well-formed sequence at data[0], or 0. `left` is at least 1.
static size_t
sequence_len(const unsigned char *data, size_t left)
{
    unsigned char first = data[0];
    if (first < 0x80) {
        return 1;
    }
    // The second byte's range excludes overlong forms, surrogates and what is above U+10FFFF.
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t len;
    if (first >= 0xc2 && first <= 0xdf) {
        len = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        len = 3;
        low = first == 0xe0 ? 0xa0 : low;
        high = first == 0xed ? 0x9f : high;
    } else if (first >= 0xf0 && first <= 0xf4) {
        len = 4;
        low = first == 0xf0 ? 0x90 : low;
        high = first == 0xf4 ? 0x8f : high;
    } else {
        return 0;
    }
    if (left < len || data[1] < low || data[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((data[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

bool
pz_utf8_is_valid(const char *data, size_t len, size_t *bad_out)
{
    const unsigned char *bytes = (const unsigned char *)data;
    size_t i = 0;
    while (i < len) {
        while (len - i >= 8 && (pz_load_le64(bytes + i) & UINT64_C(0x8080808080808080)) == 0) {
            i += 8;
        }
        if (i == len) {
            break;
        }
        size_t step = sequence_len(bytes + i, len - i);
        if (step == 0) {
            if (bad_out != NULL) {
                *bad_out = i;
            }
            return false;
        }
        i += step;
    }
    return true;
}

size_t
pz_utf8_length(const char *data, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        count += ((unsigned char)data[i] & 0xc0) != 0x80;
    }
    return count;
}

struct pz_str
pz_str_cut_utf8(struct pz_str s, uint32_t len_max)
{
    if (s.len <= len_max) {
        return s;
    }
    // Back from the first byte cut off to the start of its sequence; a run of more than three
    // continuation bytes is not UTF-8 and is cut where it was asked.
    uint32_t len = len_max;
    while (len > 0 && len_max - len < 3 && ((unsigned char)s.data[len] & 0xc0) == 0x80) {
        len--;
    }
    bool is_start = ((unsigned char)s.data[len] & 0xc0) != 0x80;
    return (struct pz_str){s.data, is_start ? len : len_max};
}

uint32_t
pz_utf8_encode(uint32_t code_point, char *out)
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xc0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xe0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code_point & 0x3f));
    return 4;
}
