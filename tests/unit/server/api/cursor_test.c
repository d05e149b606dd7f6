// SPDX-License-Identifier: Apache-2.0
// Cursors read back, and nothing else is taken for one.
#include "server/api/cursor.h"

#include "tests/support/test.h"

PZ_TEST(cursors_read_back)
{
    static const int64_t values[] = {0, 1, -1, 1700000000000000, INT64_MAX, INT64_MIN};
    enum { COUNT = sizeof values / sizeof values[0] };
    for (int i = 0; i < COUNT * COUNT; i++) {
        char text[PZ_CURSOR_TEXT_MAX];
        int64_t at = 5;
        int64_t id = 5;
        struct pz_error err;
        uint32_t len = pz_cursor_encode(values[i / COUNT], values[i % COUNT], text);
        PZ_CHECK_OK(pz_cursor_decode((struct pz_str){text, len}, &at, &id, &err), &err);
        PZ_CHECK_EQ_I64(at, values[i / COUNT]);
        PZ_CHECK_EQ_I64(id, values[i % COUNT]);
    }
}

PZ_TEST(changed_cursors_are_refused)
{
    char text[PZ_CURSOR_TEXT_MAX];
    int64_t at;
    int64_t id;
    uint32_t len = pz_cursor_encode(1700000000000000, 42, text);
    for (uint32_t i = 0; i < len; i++) {
        char kept = text[i];
        text[i] = kept == 'A' ? 'B' : 'A';
        PZ_CHECK_MSG(pz_cursor_decode((struct pz_str){text, len}, &at, &id, NULL) == PZ_INVALID,
                     "digit %u", i);
        text[i] = kept;
        PZ_CHECK(pz_cursor_decode((struct pz_str){text, i}, &at, &id, NULL) == PZ_INVALID);
    }
    PZ_CHECK(pz_cursor_decode(PZ_STR("abc!"), &at, &id, NULL) == PZ_INVALID);
}
