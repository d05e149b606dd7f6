// SPDX-License-Identifier: Apache-2.0
// Paths, parameters, media types and base64 as HTTP writes them.
#include "server/http/uri.h"

#include "tests/support/test.h"

PZ_TEST(paths_are_split_then_decoded)
{
    char room[200];
    struct pz_path path;
    struct pz_error err;
    PZ_REQUIRE_OK(pz_path_parse("/", room, &path, &err), &err);
    PZ_CHECK_EQ_U64(path.count, 0);
    PZ_REQUIRE_OK(pz_path_parse("/v1/messages/7/likes/a%20b%C3%A9", room, &path, &err), &err);
    PZ_CHECK_EQ_U64(path.count, 5);
    PZ_CHECK_EQ_PZ_STR(path.segments[0], "v1");
    PZ_CHECK_EQ_PZ_STR(path.segments[4], "a b\xc3\xa9");
    PZ_REQUIRE_OK(pz_path_parse("/v1/", room, &path, &err), &err);
    PZ_CHECK_EQ_U64(path.count, 2);
    PZ_CHECK_EQ_U64(path.segments[1].len, 0);
    // Not decoded twice.
    PZ_REQUIRE_OK(pz_path_parse("/%252F", room, &path, &err), &err);
    PZ_CHECK_EQ_PZ_STR(path.segments[0], "%2F");
}

PZ_TEST(paths_that_could_be_read_in_two_ways_are_refused)
{
    static const char *const bad[] = {"",        "v1",     "/a%00b",  "/a%2Fb",   "/a%2fb", "/..",
                                      "/a/../b", "/a/./b", "/%2e%2e", "/%2E",     "/%",     "/%4",
                                      "/%zz",    "/a%0Ab", "/a%7f",   "/a/%2e/b", "/a%1f"};
    char room[200];
    struct pz_path path;
    struct pz_error err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        PZ_CHECK_MSG(pz_path_parse(bad[i], room, &path, &err) == PZ_INVALID, "%s", bad[i]);
    }
    PZ_CHECK_STATUS(pz_path_parse("/1/2/3/4/5/6/7/8/9", room, &path, &err), PZ_NOT_FOUND, &err);
}

PZ_TEST(what_is_encoded_decodes_to_itself)
{
    struct pz_buffer buffer = {0};
    pz_uri_encode(&buffer, PZ_STR("a b/c?d=\xc3\xa9&~-_.%"));
    PZ_CHECK_EQ_STR(buffer.data, "a%20b%2Fc%3Fd%3D%C3%A9%26~-_.%25");
    uint32_t len = (uint32_t)buffer.len;
    PZ_CHECK(pz_uri_decode(buffer.data, &len));
    PZ_CHECK_EQ_PZ_STR(((struct pz_str){buffer.data, len}), "a b/c?d=\xc3\xa9&~-_.%");
    pz_buffer_fini(&buffer);
}

PZ_TEST(accept_prefers_the_closest_range)
{
    PZ_CHECK_EQ_U64(pz_accept_quality(PZ_STR(""), PZ_STR("text/csv")), 1000);
    PZ_CHECK_EQ_U64(pz_accept_quality(PZ_STR("*/*"), PZ_STR("text/csv")), 1000);
    PZ_CHECK_EQ_U64(pz_accept_quality(PZ_STR("text/*;q=0.5"), PZ_STR("text/csv")), 500);
    PZ_CHECK_EQ_U64(pz_accept_quality(PZ_STR("Text/CSV"), PZ_STR("text/csv")), 1000);
    PZ_CHECK_EQ_U64(pz_accept_quality(PZ_STR("text/html"), PZ_STR("text/csv")), 0);
    PZ_CHECK_EQ_U64(pz_accept_quality(PZ_STR("text/csv;q=0, */*"), PZ_STR("text/csv")), 0);
    PZ_CHECK_EQ_U64(pz_accept_quality(PZ_STR("application/json; q=0.25 , text/csv"),
                                      PZ_STR("application/json")),
                    250);
    PZ_CHECK_EQ_U64(pz_accept_quality(PZ_STR("text/csv; header=present"), PZ_STR("text/csv")),
                    1000);
}

PZ_TEST(media_types_lose_their_parameters)
{
    PZ_CHECK_EQ_PZ_STR(pz_media_type(PZ_STR(" text/csv ; header=present")), "text/csv");
    PZ_CHECK_EQ_PZ_STR(pz_media_type(PZ_STR("")), "");
    PZ_CHECK_EQ_PZ_STR(pz_host_name(PZ_STR("[::1]:80")), "[::1]");
    PZ_CHECK_EQ_PZ_STR(pz_host_name(PZ_STR("a.example:80")), "a.example");
    PZ_CHECK_EQ_PZ_STR(pz_host_name(PZ_STR("localhost")), "localhost");
}

PZ_TEST(base64url_reads_back_and_has_one_form)
{
    unsigned char bytes[40];
    unsigned char back[40];
    char text[80];
    for (uint32_t len = 0; len <= sizeof bytes; len++) {
        for (uint32_t i = 0; i < len; i++) {
            bytes[i] = (unsigned char)(i * 37 + len * 11);
        }
        uint32_t text_len = pz_base64url_encode(bytes, len, text);
        PZ_CHECK_EQ_U64(text_len, PZ_BASE64_LEN(len));
        uint32_t back_len = 99;
        PZ_CHECK(
            pz_base64url_decode((struct pz_str){text, text_len}, back, sizeof back, &back_len));
        PZ_CHECK_EQ_U64(back_len, len);
        PZ_CHECK_EQ_BYTES(back, bytes, len);
    }
    uint32_t len;
    PZ_CHECK(!pz_base64url_decode(PZ_STR("AB"), back, sizeof back, &len)); // bits left over
    PZ_CHECK(!pz_base64url_decode(PZ_STR("A"), back, sizeof back, &len));
    PZ_CHECK(!pz_base64url_decode(PZ_STR("AA=="), back, sizeof back, &len));
    PZ_CHECK(!pz_base64url_decode(PZ_STR("A+AA"), back, sizeof back, &len));
    PZ_CHECK(!pz_base64url_decode(PZ_STR("A\0AA"), back, sizeof back, &len));
    PZ_CHECK(!pz_base64url_decode(PZ_STR("AAAAAAAA"), back, 5, &len));
}
