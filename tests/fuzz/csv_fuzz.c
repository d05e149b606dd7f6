// SPDX-License-Identifier: Apache-2.0
// Mutated CSV: the outcome must not depend on how the input is cut into pieces, no byte outside it
// may be touched, and what senders cut at must be ends of records for the decoder too.
#include "tests/fuzz/fuzz.h"
#include "tests/unit/ingest/fake_store.h"

#define ROUNDS 20000
#define TEXT_MAX 400u

static const char *const corpus[] = {
    "t,n\r\n\"a,b\",1\r\n\"say \"\"hi\"\"\",2\r\n\"two\nlines\",3\r\n,4\r\n",
    "n,t,b,i,d,s,at,day\n1,x,true,2,0.5,sym,2026-11-20T09:00:00Z,2026-11-20\n2,,,,,,,\n",
    "\xef\xbb\xbfn\n1\n\n2\n\"3\"\n",
};
static const char alphabet[] = "\"\",,\n\n\r0123456789abt.-\xc3\xa9\xff";

static enum pz_status
load(struct pz_store *store, struct pz_str text, size_t piece, struct pz_load_answer *answer,
     struct pz_error *err)
{
    const struct pz_loader_options options = {
        .format = PZ_RECORDS_CSV, .on_error = PZ_ON_ERROR_DEAD_LETTER, .ignore_unknown = true};
    return fake_load(store, "kinds", &options, text, piece, answer, NULL, err);
}

// The rows of both halves of a text cut at the end of a record are those of the whole.
static void
check_cut(struct pz_rng *rng, struct pz_str text, struct pz_store *whole)
{
    struct pz_record_cutter cutter = {.format = PZ_RECORDS_CSV};
    const char *feed = text.len == 0 ? NULL : memchr(text.data, '\n', text.len);
    uint32_t header = feed == NULL ? 0 : (uint32_t)(feed - text.data) + 1;
    uint32_t seen = header + (uint32_t)pz_rng_below(rng, text.len - header + 1);
    if (header == 0 || memchr(text.data, '"', header) != NULL || text.data[0] == '\n' ||
        text.data[0] == '\r' || (unsigned char)text.data[0] == 0xef) {
        return; // the header is not just the first line, or may not be
    }
    size_t half = header + (seen - header) / 2;
    size_t cut = pz_record_cut(&cutter, text.data + header, half - header);
    size_t later = pz_record_cut(&cutter, text.data + half, seen - half);
    cut = later > 0 ? half - header + later : cut;
    struct pz_store *parts = fake_store_create();
    struct pz_buffer second = {0};
    struct pz_load_answer answer;
    struct pz_error err = {0};
    pz_buffer_append(&second, text.data, header);
    pz_buffer_append(&second, text.data + header + cut, text.len - header - cut);
    PZ_CHECK_OK(load(parts, (struct pz_str){text.data, header + (uint32_t)cut}, 0, &answer, &err),
                &err);
    PZ_CHECK_OK(load(parts, (struct pz_str){second.data, (uint32_t)second.len}, 0, &answer, &err),
                &err);
    PZ_CHECK_MSG(strcmp(fake_store_rows(parts, "kinds"), fake_store_rows(whole, "kinds")) == 0,
                 "cut at %zu: %.*s", header + cut, PZ_STR_ARG(text));
    pz_buffer_fini(&second);
    fake_store_destroy(parts);
}

PZ_TEST(mutated_files)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < ROUNDS; i++) {
        char bytes[TEXT_MAX + 16];
        const char *start = corpus[pz_rng_below(&rng, sizeof(corpus) / sizeof(corpus[0]))];
        size_t len = strlen(start);
        memcpy(bytes, start, len);
        len = pz_fuzz_mutate(&rng, bytes, len, TEXT_MAX, alphabet);
        struct pz_str text = {bytes, (uint32_t)len};
        struct pz_store *whole = fake_store_create();
        struct pz_store *pieces = fake_store_create();
        struct pz_load_answer answers[2];
        struct pz_error errs[2] = {{0}};
        enum pz_status status = load(whole, text, 0, &answers[0], &errs[0]);
        PZ_CHECK(load(pieces, text, (size_t)pz_rng_below(&rng, 20) + 1, &answers[1], &errs[1]) ==
                 status);
        PZ_CHECK_EQ_STR(errs[1].message, errs[0].message);
        PZ_CHECK_EQ_STR(fake_store_rows(pieces, "kinds"), fake_store_rows(whole, "kinds"));
        PZ_CHECK_EQ_U64(answers[1].rejected, answers[0].rejected);
        if (status == PZ_OK) {
            check_cut(&rng, text, whole);
        }
        fake_store_destroy(pieces);
        fake_store_destroy(whole);
    }
}
