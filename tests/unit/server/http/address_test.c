// SPDX-License-Identifier: Apache-2.0
// Addresses to listen at.
#include "server/http/http.h"

#include "tests/support/test.h"

#include <arpa/inet.h>

PZ_TEST(addresses_are_parsed)
{
    struct sockaddr_storage address;
    struct pz_error err;
    PZ_CHECK_OK(pz_http_parse_address(PZ_STR("127.0.0.1:7780"), &address, &err), &err);
    struct sockaddr_in v4;
    memcpy(&v4, &address, sizeof v4);
    PZ_CHECK_EQ_I64(ntohs(v4.sin_port), 7780);
    PZ_CHECK(pz_http_is_loopback(&address));
    PZ_CHECK_OK(pz_http_parse_address(PZ_STR("localhost:0"), &address, &err), &err);
    PZ_CHECK(pz_http_is_loopback(&address));
    PZ_CHECK_OK(pz_http_parse_address(PZ_STR("[::1]:80"), &address, &err), &err);
    PZ_CHECK(pz_http_is_loopback(&address));
    char text[PZ_HTTP_ADDRESS_MAX];
    pz_http_format_address(&address, text);
    PZ_CHECK_EQ_STR(text, "[::1]:80");
    PZ_CHECK_OK(pz_http_parse_address(PZ_STR("0.0.0.0:80"), &address, &err), &err);
    PZ_CHECK(!pz_http_is_loopback(&address));
    PZ_CHECK_OK(pz_http_parse_address(PZ_STR("[::]:80"), &address, &err), &err);
    PZ_CHECK(!pz_http_is_loopback(&address));
}

PZ_TEST(what_is_no_address_is_refused)
{
    static const char *const bad[] = {"",
                                      ":",
                                      "80",
                                      "127.0.0.1",
                                      "127.1:80",
                                      "127.0.0.1:x",
                                      "127.0.0.1:-1",
                                      "127.0.0.1:65536",
                                      "[::1]",
                                      "::1:80",
                                      "example.com:80"};
    struct sockaddr_storage address;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        PZ_CHECK_MSG(pz_http_parse_address(pz_str_from(bad[i]), &address, NULL) == PZ_INVALID, "%s",
                     bad[i]);
    }
}
