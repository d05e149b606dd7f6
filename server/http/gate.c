// SPDX-License-Identifier: Apache-2.0
// Refuses heads that two parsers could read differently; see gate.h.
#include "server/http/gate.h"

#include "base/num.h"
#include "server/http/uri.h"

static bool
has_control(struct pz_str text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return true;
        }
    }
    return false;
}

// RFC 9110's token: what a header's name may be made of.
static bool
is_token(struct pz_str name)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (uint32_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        char lower = (char)(c | 0x20);
        bool is_plain = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
        if (!is_plain && (c == '\0' || strchr(marks, c) == NULL)) {
            return false;
        }
    }
    return name.len > 0;
}

static void
take_content_length(struct pz_gate *gate, struct pz_str value)
{
    gate->content_length_count++;
    // Digits only: no sign, no list, no blanks.
    bool is_digits = value.len > 0 && value.len <= 18;
    for (uint32_t i = 0; i < value.len; i++) {
        is_digits = is_digits && value.data[i] >= '0' && value.data[i] <= '9';
    }
    if (!is_digits || !pz_parse_i64(value, &gate->content_length)) {
        gate->has_bad_length = true;
    }
}

void
pz_gate_header(struct pz_gate *gate, struct pz_str name, struct pz_str value)
{
    if (!is_token(name) || has_control(value)) {
        gate->has_bad_bytes = true;
        return;
    }
    // Told apart by length first: this runs for every header of every request.
    switch (name.len) {
    case 4:
        if (pz_str_equal_nocase(name, PZ_STR("host"))) {
            gate->host_count++;
            gate->host = value;
        }
        break;
    case 6:
        if (pz_str_equal_nocase(name, PZ_STR("accept"))) {
            gate->accept = value;
        } else if (pz_str_equal_nocase(name, PZ_STR("origin"))) {
            gate->origin = value;
        } else if (pz_str_equal_nocase(name, PZ_STR("expect"))) {
            gate->expects_continue = pz_str_equal_nocase(value, PZ_STR("100-continue"));
        }
        break;
    case 12:
        if (pz_str_equal_nocase(name, PZ_STR("content-type"))) {
            gate->content_type = value;
        }
        break;
    case 13:
        if (pz_str_equal_nocase(name, PZ_STR("authorization"))) {
            gate->authorization_count++;
        } else if (pz_str_equal_nocase(name, PZ_STR("if-none-match"))) {
            gate->if_none_match = value;
        }
        break;
    case 14:
        if (pz_str_equal_nocase(name, PZ_STR("content-length"))) {
            take_content_length(gate, value);
        }
        break;
    case 16:
        if (pz_str_equal_nocase(name, PZ_STR("content-encoding"))) {
            gate->content_encoding = value;
        }
        break;
    case 17:
        if (pz_str_equal_nocase(name, PZ_STR("transfer-encoding"))) {
            gate->transfer_encoding_count++;
            gate->is_chunked = pz_str_equal_nocase(value, PZ_STR("chunked"));
            gate->has_bad_encoding = gate->has_bad_encoding || !gate->is_chunked;
        }
        break;
    default:
        break;
    }
}

enum pz_status
pz_gate_check(const struct pz_gate *gate, const char *url, const char *version,
              struct pz_error *err)
{
    if (gate->has_bad_bytes) {
        return pz_fail(err, PZ_INVALID, "a header holds a character that is not allowed there");
    }
    for (const char *c = url; *c != '\0'; c++) {
        if ((unsigned char)*c <= 0x20 || *c == 0x7f) {
            return pz_fail(err, PZ_INVALID, "the path holds a blank or a control character");
        }
    }
    if (gate->content_length_count > 1 || gate->has_bad_length) {
        return pz_fail(err, PZ_INVALID, "Content-Length is not one plain number");
    }
    if (gate->transfer_encoding_count > 1 || gate->has_bad_encoding) {
        return pz_fail(err, PZ_INVALID, "Transfer-Encoding may only be chunked");
    }
    if (gate->transfer_encoding_count > 0 && gate->content_length_count > 0) {
        return pz_fail(err, PZ_INVALID, "Content-Length and Transfer-Encoding exclude each other");
    }
    if (gate->authorization_count > 1) {
        return pz_fail(err, PZ_INVALID, "there is more than one Authorization header");
    }
    bool needs_host = strcmp(version, "HTTP/1.1") == 0;
    if (gate->host_count > 1 || (needs_host && gate->host_count == 0)) {
        return pz_fail(err, PZ_INVALID, "there must be exactly one Host header");
    }
    return PZ_OK;
}

bool
pz_gate_is_local_host(struct pz_str host)
{
    struct pz_str name = pz_host_name(host);
    if (pz_str_equal_nocase(name, PZ_STR("localhost")) || pz_str_equal(name, PZ_STR("[::1]"))) {
        return true;
    }
    // 127.0.0.0/8, written with digits and dots only.
    if (name.len < 5 || memcmp(name.data, "127.", 4) != 0) {
        return false;
    }
    for (uint32_t i = 0; i < name.len; i++) {
        if (name.data[i] != '.' && (name.data[i] < '0' || name.data[i] > '9')) {
            return false;
        }
    }
    return true;
}

bool
pz_gate_is_same_origin(struct pz_str origin, struct pz_str host)
{
    static const char http[] = "http://";
    static const char https[] = "https://";
    uint32_t skip = 0;
    if (origin.len > 8 && memcmp(origin.data, https, 8) == 0) {
        skip = 8;
    } else if (origin.len > 7 && memcmp(origin.data, http, 7) == 0) {
        skip = 7;
    } else {
        return false;
    }
    struct pz_str site = {origin.data + skip, origin.len - skip};
    return pz_str_equal_nocase(site, host);
}
