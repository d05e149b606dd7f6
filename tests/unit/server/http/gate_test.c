// SPDX-License-Identifier: Apache-2.0
// Heads that two parsers could read differently must not pass.
#include "server/http/gate.h"

#include "tests/support/test.h"

struct header {
    const char *name, *value;
};

static enum pz_status
judge(const struct header *headers, const char *url, const char *version)
{
    struct pz_gate gate = {0};
    for (; headers->name != NULL; headers++) {
        pz_gate_header(&gate, pz_str_from(headers->name), pz_str_from(headers->value));
    }
    struct pz_error err;
    return pz_gate_check(&gate, url, version, &err);
}
#define JUDGE(...) judge((const struct header[]){__VA_ARGS__, {0}}, "/", "HTTP/1.1")

PZ_TEST(plain_heads_pass)
{
    PZ_CHECK_EQ_I64(JUDGE({"Host", "localhost"}), PZ_OK);
    PZ_CHECK_EQ_I64(JUDGE({"host", "x"}, {"Content-Length", "0"}), PZ_OK);
    PZ_CHECK_EQ_I64(JUDGE({"Host", "x"}, {"Transfer-Encoding", "Chunked"}), PZ_OK);
    const struct header none[] = {{0}};
    PZ_CHECK_EQ_I64(judge(none, "/", "HTTP/1.0"), PZ_OK);
}

PZ_TEST(smuggling_shapes_are_refused)
{
    PZ_CHECK_EQ_I64(JUDGE({"Host", "x"}, {"Content-Length", "5"}, {"Content-Length", "5"}),
                    PZ_INVALID);
    PZ_CHECK_EQ_I64(JUDGE({"Host", "x"}, {"Content-Length", "5, 5"}), PZ_INVALID);
    PZ_CHECK_EQ_I64(JUDGE({"Host", "x"}, {"Content-Length", "+5"}), PZ_INVALID);
    PZ_CHECK_EQ_I64(JUDGE({"Host", "x"}, {"Content-Length", ""}), PZ_INVALID);
    PZ_CHECK_EQ_I64(JUDGE({"Host", "x"}, {"Content-Length", "9999999999999999999"}), PZ_INVALID);
    PZ_CHECK_EQ_I64(JUDGE({"Host", "x"}, {"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}),
                    PZ_INVALID);
    PZ_CHECK_EQ_I64(JUDGE({"Host", "x"}, {"Transfer-Encoding", "gzip, chunked"}), PZ_INVALID);
    PZ_CHECK_EQ_I64(JUDGE({"Host", "x"}, {"Transfer-Encoding", "xchunked"}), PZ_INVALID);
    PZ_CHECK_EQ_I64(
        JUDGE({"Host", "x"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}),
        PZ_INVALID);
    PZ_CHECK_EQ_I64(JUDGE({"Host", "x"}, {"Host", "y"}), PZ_INVALID);
    PZ_CHECK_EQ_I64(JUDGE({"Accept", "*/*"}), PZ_INVALID); // no Host
    PZ_CHECK_EQ_I64(JUDGE({"Host", "x"}, {"Authorization", "a"}, {"authorization", "b"}),
                    PZ_INVALID);
    PZ_CHECK_EQ_I64(JUDGE({"Host", "x"}, {"X", "a\x01"}), PZ_INVALID);
    PZ_CHECK_EQ_I64(JUDGE({"Host", "x"}, {"Content-Length ", "5"}), PZ_INVALID);
    const struct header host[] = {{"Host", "x"}, {0}};
    PZ_CHECK_EQ_I64(judge(host, "/a b", "HTTP/1.1"), PZ_INVALID);
    PZ_CHECK_EQ_I64(judge(host, "/a\tb", "HTTP/1.1"), PZ_INVALID);
}

PZ_TEST(local_hosts_are_told_from_names)
{
    PZ_CHECK(pz_gate_is_local_host(PZ_STR("localhost:7780")));
    PZ_CHECK(pz_gate_is_local_host(PZ_STR("LOCALHOST")));
    PZ_CHECK(pz_gate_is_local_host(PZ_STR("127.0.0.1:1")));
    PZ_CHECK(pz_gate_is_local_host(PZ_STR("127.1.2.3")));
    PZ_CHECK(pz_gate_is_local_host(PZ_STR("[::1]:7780")));
    PZ_CHECK(!pz_gate_is_local_host(PZ_STR("evil.example")));
    PZ_CHECK(!pz_gate_is_local_host(PZ_STR("127.0.0.1.evil.example")));
    PZ_CHECK(!pz_gate_is_local_host(PZ_STR("localhost.evil.example:7780")));
    PZ_CHECK(!pz_gate_is_local_host(PZ_STR("")));
}

PZ_TEST(origins_must_be_the_host)
{
    PZ_CHECK(pz_gate_is_same_origin(PZ_STR("http://localhost:7780"), PZ_STR("localhost:7780")));
    PZ_CHECK(pz_gate_is_same_origin(PZ_STR("https://feed.example"), PZ_STR("feed.example")));
    PZ_CHECK(!pz_gate_is_same_origin(PZ_STR("http://evil.example"), PZ_STR("localhost:7780")));
    PZ_CHECK(!pz_gate_is_same_origin(PZ_STR("http://localhost:99"), PZ_STR("localhost:7780")));
    PZ_CHECK(!pz_gate_is_same_origin(PZ_STR("null"), PZ_STR("localhost:7780")));
    PZ_CHECK(!pz_gate_is_same_origin(PZ_STR("file://"), PZ_STR("")));
}
