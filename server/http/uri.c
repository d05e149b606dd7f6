// SPDX-License-Identifier: Apache-2.0
// Takes apart what a request line and its headers carry as text; see uri.h.
#include "server/http/uri.h"

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool
is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

bool
pz_uri_decode(char *text, uint32_t *len)
{
    uint32_t out = 0;
    for (uint32_t i = 0; i < *len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '%') {
            int high = i + 1 < *len ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < *len ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            c = (unsigned char)(high * 16 + low);
            i += 2;
        }
        if (is_control(c)) {
            return false;
        }
        text[out++] = (char)c;
    }
    *len = out;
    return true;
}

static enum pz_status
decode_segment(struct pz_str *segment, char *text, struct pz_error *err)
{
    // Before decoding, so that "%2F" is told from "/".
    for (uint32_t i = 0; i + 2 < segment->len; i++) {
        if (text[i] == '%' && text[i + 1] == '2' && (text[i + 2] | 0x20) == 'f') {
            return pz_fail(err, PZ_INVALID, "the path holds an encoded slash");
        }
    }
    if (!pz_uri_decode(text, &segment->len)) {
        return pz_fail(err, PZ_INVALID, "the path holds a bad escape or a control character");
    }
    if (pz_str_equal(*segment, PZ_STR(".")) || pz_str_equal(*segment, PZ_STR(".."))) {
        return pz_fail(err, PZ_INVALID, "the path holds a dot segment");
    }
    return PZ_OK;
}

enum pz_status
pz_path_parse(const char *raw, char *room, struct pz_path *path_out, struct pz_error *err)
{
    path_out->count = 0;
    if (raw[0] != '/') {
        return pz_fail(err, PZ_INVALID, "the path does not begin with a slash");
    }
    size_t raw_len = strlen(raw);
    memcpy(room, raw, raw_len + 1);
    if (raw_len == 1) {
        return PZ_OK;
    }
    char *begin = room + 1;
    for (;;) {
        char *slash = strchr(begin, '/');
        size_t len = slash != NULL ? (size_t)(slash - begin) : strlen(begin);
        if (path_out->count == PZ_PATH_SEGMENTS_MAX) {
            return pz_fail(err, PZ_NOT_FOUND, "there is nothing at this path");
        }
        struct pz_str *segment = &path_out->segments[path_out->count++];
        *segment = (struct pz_str){begin, (uint32_t)len};
        PZ_TRY(decode_segment(segment, begin, err));
        if (slash == NULL) {
            return PZ_OK;
        }
        begin = slash + 1;
    }
}

void
pz_uri_encode(struct pz_buffer *buffer, struct pz_str text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (uint32_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        char lower = (char)(c | 0x20);
        bool is_plain = (lower >= 'a' && lower <= 'z' && c < 0x80) || (c >= '0' && c <= '9') ||
                        c == '-' || c == '.' || c == '_' || c == '~';
        if (is_plain) {
            pz_buffer_append_char(buffer, (char)c);
        } else {
            char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
            pz_buffer_append(buffer, escape, sizeof escape);
        }
    }
}

// Cuts `text` at the first `separator`; the rest follows it, or is empty.
static struct pz_str
cut(struct pz_str text, char separator, struct pz_str *rest_out)
{
    const char *at = text.len == 0 ? NULL : memchr(text.data, separator, text.len);
    if (at == NULL) {
        *rest_out = (struct pz_str){text.data, 0};
        return text;
    }
    uint32_t len = (uint32_t)(at - text.data);
    *rest_out = (struct pz_str){at + 1, text.len - len - 1};
    return (struct pz_str){text.data, len};
}

struct pz_str
pz_media_type(struct pz_str header)
{
    struct pz_str rest;
    return pz_str_trim(cut(header, ';', &rest));
}

// "0.8" → 800; anything odd counts as 1000.
static unsigned
parse_quality(struct pz_str text)
{
    if (text.len == 0 || text.data[0] != '0') {
        return 1000;
    }
    unsigned value = 0;
    unsigned unit = 100;
    for (uint32_t i = 2; i < text.len && i < 5; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return 1000;
        }
        value += (unsigned)(text.data[i] - '0') * unit;
        unit /= 10;
    }
    return value;
}

// How closely a media range names a type: 3 exactly, 2 by "text/*", 1 by "*/*", 0 not at all.
static unsigned
range_rank(struct pz_str range, struct pz_str type)
{
    if (pz_str_equal_nocase(range, type)) {
        return 3;
    }
    if (pz_str_equal(range, PZ_STR("*/*"))) {
        return 1;
    }
    struct pz_str subtype;
    struct pz_str major = cut(type, '/', &subtype);
    struct pz_str range_subtype;
    struct pz_str range_major = cut(range, '/', &range_subtype);
    bool is_wild = pz_str_equal(range_subtype, PZ_STR("*"));
    return is_wild && pz_str_equal_nocase(major, range_major) ? 2 : 0;
}

unsigned
pz_accept_quality(struct pz_str accept, struct pz_str type)
{
    if (pz_str_trim(accept).len == 0) {
        return 1000;
    }
    unsigned best_rank = 0;
    unsigned quality = 0;
    while (accept.len > 0) {
        struct pz_str item = cut(accept, ',', &accept);
        struct pz_str parameters;
        struct pz_str range = pz_str_trim(cut(item, ';', &parameters));
        unsigned item_quality = 1000;
        while (parameters.len > 0) {
            struct pz_str parameter = pz_str_trim(cut(parameters, ';', &parameters));
            if (parameter.len > 2 && (parameter.data[0] | 0x20) == 'q' &&
                parameter.data[1] == '=') {
                parameter.data += 2;
                parameter.len -= 2;
                item_quality = parse_quality(parameter);
            }
        }
        unsigned rank = range_rank(range, type);
        if (rank > best_rank) {
            best_rank = rank;
            quality = item_quality;
        }
    }
    return quality;
}

struct pz_str
pz_host_name(struct pz_str host)
{
    host = pz_str_trim(host);
    if (host.len > 0 && host.data[0] == '[') {
        const char *end = memchr(host.data, ']', host.len);
        return end == NULL ? host : (struct pz_str){host.data, (uint32_t)(end - host.data) + 1};
    }
    struct pz_str port;
    return cut(host, ':', &port);
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

uint32_t
pz_base64url_encode(const void *data, uint32_t len, char *out)
{
    const unsigned char *bytes = data;
    uint32_t out_len = 0;
    uint32_t bits = 0;
    unsigned bit_count = 0;
    for (uint32_t i = 0; i < len; i++) {
        bits = (bits << 8 | bytes[i]) & 0xffff;
        bit_count += 8;
        while (bit_count >= 6) {
            bit_count -= 6;
            out[out_len++] = base64_digits[(bits >> bit_count) & 63];
        }
    }
    if (bit_count > 0) {
        out[out_len++] = base64_digits[(bits << (6 - bit_count)) & 63];
    }
    return out_len;
}

bool
pz_base64url_decode(struct pz_str text, void *out, uint32_t capacity, uint32_t *len_out)
{
    unsigned char *bytes = out;
    uint32_t len = 0;
    uint32_t bits = 0;
    unsigned bit_count = 0;
    for (uint32_t i = 0; i < text.len; i++) {
        const char *digit = text.data[i] == '\0' ? NULL : strchr(base64_digits, text.data[i]);
        if (digit == NULL) {
            return false;
        }
        bits = (bits << 6 | (uint32_t)(digit - base64_digits)) & 0xffff;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            if (len == capacity) {
                return false;
            }
            bytes[len++] = (unsigned char)(bits >> bit_count);
        }
    }
    // Bits left over must be the zeros that encode put there, and fewer than a digit's worth.
    *len_out = len;
    return bit_count < 6 && (bits & ((1u << bit_count) - 1)) == 0;
}
