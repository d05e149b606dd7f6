// SPDX-License-Identifier: Apache-2.0
// Addresses to listen at, from text and back.
#include "server/http/http.h"

#include "base/num.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool
set_ipv4(struct sockaddr_storage *address, const char *host, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &v4.sin_addr) != 1) {
        return false;
    }
    memcpy(address, &v4, sizeof v4);
    return true;
}

static bool
set_ipv6(struct sockaddr_storage *address, const char *host, uint16_t port)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (inet_pton(AF_INET6, host, &v6.sin6_addr) != 1) {
        return false;
    }
    memcpy(address, &v6, sizeof v6);
    return true;
}

enum pz_status
pz_http_parse_address(struct pz_str text, struct sockaddr_storage *address_out,
                      struct pz_error *err)
{
    memset(address_out, 0, sizeof *address_out);
    const char *colon = text.len == 0 ? NULL : memrchr(text.data, ':', text.len);
    char host[64];
    int64_t port = -1;
    bool is_good = colon != NULL;
    if (is_good) {
        uint32_t host_len = (uint32_t)(colon - text.data);
        struct pz_str port_text = {colon + 1, text.len - host_len - 1};
        bool is_bracketed = host_len >= 2 && text.data[0] == '[' && colon[-1] == ']';
        struct pz_str host_text = is_bracketed ? (struct pz_str){text.data + 1, host_len - 2}
                                               : (struct pz_str){text.data, host_len};
        is_good = pz_str_to_c(host_text, host, sizeof host) && pz_parse_i64(port_text, &port) &&
                  port >= 0 && port <= 65535;
        if (is_good && strcmp(host, "localhost") == 0) {
            memcpy(host, "127.0.0.1", sizeof "127.0.0.1");
        }
        is_good = is_good && (is_bracketed ? set_ipv6(address_out, host, (uint16_t)port)
                                           : set_ipv4(address_out, host, (uint16_t)port));
    }
    if (!is_good) {
        enum pz_status status =
            pz_fail(err, PZ_INVALID, "\"%.*s\" is not an address and port", PZ_STR_ARG(text));
        pz_error_hint(err, "write it like 127.0.0.1:7780 or [::1]:7780; port 0 takes a free one");
        return status;
    }
    return PZ_OK;
}

bool
pz_http_is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

void
pz_http_format_address(const struct sockaddr_storage *address, char out[PZ_HTTP_ADDRESS_MAX])
{
    char host[INET6_ADDRSTRLEN] = "?";
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memcpy(&v4, address, sizeof v4);
    memcpy(&v6, address, sizeof v6);
    bool is_v6 = address->ss_family == AF_INET6;
    const void *number = is_v6 ? (const void *)&v6.sin6_addr : (const void *)&v4.sin_addr;
    (void)inet_ntop(address->ss_family, number, host, sizeof host);
    (void)snprintf(out, PZ_HTTP_ADDRESS_MAX, is_v6 ? "[%s]:%u" : "%s:%u", host,
                   (unsigned)ntohs(is_v6 ? v6.sin6_port : v4.sin_port));
}
