// SPDX-License-Identifier: Apache-2.0
// Mutated times: whatever is taken lies in the range of timestamps and reads back the same when it
// is written in the standard form.
#include "base/clock.h"
#include "ingest/ingest.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#define ROUNDS 400000
#define TEXT_MAX 64u

static const char *const corpus[] = {
    "2024-02-29 12:07:31.797926",
    "2024-02-14T12:07:31.797926123+02:00",
    "Wed Oct 10 20:19:24 +0000 2018",
    "Wed, 14 Feb 2024 12:07:31 -0700",
    "14 Feb 2024 12:07 EST",
    "1707912451",
    "1707912451.797926",
    "-1707912451797926",
    "9999-12-31T23:59:60.999999999Z",
    "0001-01-01T00:00:00+23:59",
};
static const char alphabet[] = "0123456789-+:.,TZ JanFebWedSunGMTe";

PZ_TEST(mutated_times)
{
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < ROUNDS; i++) {
        char text[TEXT_MAX + 16];
        const char *start = corpus[pz_rng_below(&rng, sizeof(corpus) / sizeof(corpus[0]))];
        size_t len = strlen(start);
        memcpy(text, start, len);
        len = pz_fuzz_mutate(&rng, text, len, TEXT_MAX, alphabet);
        char *exact = malloc(len + 1);
        PZ_REQUIRE(exact != NULL);
        memcpy(exact, text, len);
        int64_t us;
        if (pz_ingest_parse_timestamp((struct pz_str){exact, (uint32_t)len}, &us)) {
            char written[PZ_TIMESTAMP_TEXT_LEN];
            int64_t back;
            PZ_CHECK_MSG(us >= PZ_TIMESTAMP_MIN && us <= PZ_TIMESTAMP_MAX, "%.*s", (int)len, exact);
            uint32_t written_len = pz_format_timestamp(us, written);
            PZ_CHECK(pz_ingest_parse_timestamp((struct pz_str){written, written_len}, &back) &&
                     back == us);
        }
        free(exact);
    }
}
