// SPDX-License-Identifier: Apache-2.0
// The members of a body against the table of what a call takes.
#include "server/api/fields.h"

#include "tests/support/test.h"

#include <stdlib.h>

enum { NAME, TEXT, COUNT, TIME, ID, AT, FIELDS };
static const struct pz_field fields[FIELDS] = {
    [NAME] = {"user_id", PZ_FIELD_NAME, true, 0, 0},
    [TEXT] = {"body", PZ_FIELD_BODY, false, 1, 20},
    [COUNT] = {"count", PZ_FIELD_INTEGER, false, 0, 100},
    [TIME] = {"watch_ms", PZ_FIELD_DURATION, false, 0, 0},
    [ID] = {"message_id", PZ_FIELD_ID, false, 0, 0},
    [AT] = {"created_at", PZ_FIELD_TIMESTAMP, false, 0, 0},
};

static struct pz_request *
make_request(const char *body)
{
    struct pz_request *request = calloc(1, sizeof *request + 1);
    PZ_REQUIRE(request != NULL);
    atomic_init(&request->references, 1);
    pz_arena_init(&request->arena, NULL);
    pz_buffer_append_c(&request->body, body);
    return request;
}

// The status that the body is answered with; 0 when it is taken.
static unsigned
judge(const char *body, const char *expected_part)
{
    struct pz_request *request = make_request(body);
    struct pz_field_value values[FIELDS];
    struct pz_json *json = NULL;
    bool is_good = pz_fields_read_body(request, fields, FIELDS, values, &json);
    PZ_CHECK_EQ_I64(is_good, request->reply.status == 0);
    if (expected_part != NULL) {
        PZ_CHECK_CONTAINS(request->reply.body.data, expected_part);
    }
    unsigned status = request->reply.status;
    pz_json_free(json);
    pz_request_release(request);
    return status;
}

PZ_TEST(good_bodies_are_read)
{
    struct pz_request *request =
        make_request("{\"user_id\":\"ann\",\"count\":7,\"message_id\":\"12\",\"created_at\":0,"
                     "\"body\":\"a\\nb\"}");
    struct pz_field_value values[FIELDS];
    struct pz_json *json = NULL;
    PZ_CHECK(pz_fields_read_body(request, fields, FIELDS, values, &json));
    PZ_CHECK_EQ_PZ_STR(values[NAME].text, "ann");
    PZ_CHECK_EQ_PZ_STR(values[TEXT].text, "a\nb");
    PZ_CHECK_EQ_I64(values[COUNT].number, 7);
    PZ_CHECK_EQ_I64(values[ID].number, 12);
    PZ_CHECK(values[AT].is_set);
    pz_json_free(json);
    pz_request_release(request);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"body\":null}", NULL), 0);
}

PZ_TEST(bad_bodies_name_the_place)
{
    PZ_CHECK_EQ_U64(judge("{", "\"code\":\"PLZ400\""), 400);
    PZ_CHECK_EQ_U64(judge("{}", "\"pointer\":\"/user_id\",\"detail\":\"is missing\""), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":null}", "must be a string"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":5}", "must be a string"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"\"}", "1 to 256 bytes long, is 0"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\\u0007\"}", "U+0007"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"body\":\"x\\u0000\"}", "U+0000"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"count\":1.5}", "/count"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"count\":101}", "between 0 and 100"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"watch_ms\":-1}", "not be negative, is -1"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"watch_ms\":1.5}", "must be an integer"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"watch_ms\":0}", NULL), 0);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"message_id\":0}", "positive integer, is 0"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"body\":\"\"}", "1 to 20 bytes long, is 0"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"message_id\":\"x\"}", "positive integer"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"message_id\":99999999999999999999}", "number"),
                    422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"created_at\":\"soon\"}", "must be a time"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"bdy\":\"x\"}", "did you mean \\\"body\\\"?"), 422);
    PZ_CHECK_EQ_U64(judge("{\"user_id\":\"a\",\"a/b~\":1}", "/a~1b~0"), 422);
}

PZ_TEST(every_fault_is_listed)
{
    PZ_CHECK_EQ_U64(judge("{\"count\":true,\"zebra\":1}", "/user_id"), 422);
    PZ_CHECK_EQ_U64(judge("{\"count\":true,\"zebra\":1}", "/count"), 422);
    PZ_CHECK_EQ_U64(judge("{\"count\":true,\"zebra\":1}", "/zebra"), 422);
}
