// SPDX-License-Identifier: Apache-2.0
// Mutated JSON records: the decoder must agree with jansson on what is valid, must not depend on
// how the input is cut into pieces, and must not touch a byte it was not given.
#include "tests/fuzz/fuzz.h"
#include "tests/unit/ingest/fake_store.h"

#include <jansson.h>

#define ROUNDS 30000
#define RECORD_MAX 512u

static const char *const corpus[] = {
    "{\"x\":1,\"a\":\"text\",\"b\":[1,2,{\"c\":null}],\"d\":1.5e3}",
    "{\"a\":\"\\u0041\\n\\ud83d\\ude00\",\"x\":-9223372036854775808}",
    "{ \"x\" : null , \"deep\" : [[[[[{\"e\":[]}]]]]] }",
    "{\"x\":\"17\",\"f\":true,\"g\":false,\"h\":\"\xc3\xa9\xe2\x82\xac\"}",
    "{\"message_id\":7,\"user_id\":\"user000007\",\"viewed_at\":\"2026-11-20T09:00:00.000000Z\","
    "\"device\":\"mobile\",\"geo\":\"Le\xc3\xb3n\",\"watch_ms\":150000}",
    "{\"0\":0,\"1\":-0.0,\"2\":0e0,\"3\":1E+2,\"4\":12345678901234567890}",
};
static const char alphabet[] =
    "{}[]\",:\\u0123456789abcdefntrl.eE+- \t\x01\x7f\xc3\xa9\xed\xa0\x80";

struct outcome {
    enum pz_status status;
    uint64_t rejected;
    char rows[2000];
    char message[200];
};

static struct outcome
load(const char *table, struct pz_str text, size_t piece, bool ignore_unknown)
{
    const struct pz_loader_options options = {.format = PZ_RECORDS_NDJSON,
                                              .ignore_unknown = ignore_unknown};
    struct pz_store *store = fake_store_create();
    struct pz_load_answer answer;
    struct pz_row_error errors[PZ_ROW_ERRORS_MAX] = {{0}};
    struct pz_error err = {0};
    struct outcome outcome = {0};
    outcome.status = fake_load(store, table, &options, text, piece, &answer, errors, &err);
    outcome.rejected = answer.rejected;
    (void)pz_str_to_c(pz_str_from(fake_store_rows(store, table)), outcome.rows,
                      sizeof(outcome.rows));
    (void)pz_str_to_c(pz_str_from(errors[0].message), outcome.message, sizeof(outcome.message));
    PZ_CHECK(pz_utf8_is_valid(errors[0].message, strlen(errors[0].message), NULL));
    PZ_CHECK(pz_utf8_is_valid(errors[0].snippet, strlen(errors[0].snippet), NULL));
    fake_store_destroy(store);
    return outcome;
}

static bool
has_line_break_or_only_space(const char *text, size_t len)
{
    bool is_blank = true;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            return true;
        }
        is_blank = is_blank && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r');
    }
    return is_blank;
}

static void
check_against_jansson(const char *text, size_t len)
{
    json_error_t error;
    json_t *json = json_loadb(text, len, JSON_ALLOW_NUL, &error);
    bool is_comparable = json != NULL || json_error_code(&error) != json_error_numeric_overflow;
    bool is_object = json_is_object(json);
    json_decref(json);
    // No field of the table occurs, so that types do not matter.
    struct outcome outcome = load("kinds", (struct pz_str){text, (uint32_t)len}, 0, true);
    bool is_about_types =
        strstr(outcome.message, "malformed") == NULL && strstr(outcome.message, "UTF-8") == NULL;
    if (is_comparable && !is_object) {
        PZ_CHECK_MSG(outcome.rejected == 1, "taken, though jansson refuses: %.*s", (int)len, text);
    }
    if (is_object) {
        PZ_CHECK_MSG(outcome.rejected == 0 || is_about_types, "refused (%s): %.*s", outcome.message,
                     (int)len, text);
    }
}

PZ_TEST(mutated_records)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < ROUNDS; i++) {
        char text[RECORD_MAX + 16];
        const char *start = corpus[pz_rng_below(&rng, sizeof(corpus) / sizeof(corpus[0]))];
        size_t len = strlen(start);
        memcpy(text, start, len);
        len = pz_fuzz_mutate(&rng, text, len, RECORD_MAX, alphabet);
        if (!has_line_break_or_only_space(text, len)) {
            check_against_jansson(text, len);
        }
        if (i % 8 == 0) {
            struct pz_str str = {text, (uint32_t)len};
            struct outcome whole = load("views", str, 0, i % 16 == 0);
            struct outcome cut =
                load("views", str, (size_t)pz_rng_below(&rng, 20) + 1, i % 16 == 0);
            PZ_CHECK(memcmp(&whole, &cut, sizeof(whole)) == 0);
        }
    }
}

PZ_TEST(mutated_arrays)
{
    static const char start[] = "[{\"x\":1},{\"x\":\"2\",\"y\":[{}]}, {\"x\":null}\n,17,\"]\"]";
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < ROUNDS / 4; i++) {
        char text[RECORD_MAX + 16];
        size_t len = sizeof(start) - 1;
        memcpy(text, start, len);
        len = pz_fuzz_mutate(&rng, text, len, RECORD_MAX, alphabet);
        const struct pz_loader_options options = {.format = PZ_RECORDS_JSON_ARRAY,
                                                  .on_error = PZ_ON_ERROR_DEAD_LETTER,
                                                  .ignore_unknown = true};
        enum pz_status statuses[2];
        struct pz_load_answer answers[2];
        for (int j = 0; j < 2; j++) {
            struct pz_store *store = fake_store_create();
            struct pz_error err = {0};
            statuses[j] =
                fake_load(store, "loose", &options, (struct pz_str){text, (uint32_t)len},
                          j == 0 ? 0 : (size_t)pz_rng_below(&rng, 20) + 1, &answers[j], NULL, &err);
            fake_store_destroy(store);
        }
        PZ_CHECK(statuses[0] == statuses[1] && answers[0].accepted == answers[1].accepted &&
                 answers[0].rejected == answers[1].rejected);
    }
}
