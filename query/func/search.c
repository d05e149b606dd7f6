// SPDX-License-Identifier: Apache-2.0
// memmem is linear, but cannot be stopped: it is given a stretch of the text at a time.
#include "query/func/search.h"

// Places looked at in one go. More for long needles, of which a stretch has to hold one.
#define STRETCH_BYTES (256u << 10)

enum pz_status
pz_search(struct pz_str text, struct pz_str needle, uint32_t from, struct pz_work *work,
          uint32_t *at_out, struct pz_error *err)
{
    uint32_t places = needle.len > STRETCH_BYTES ? needle.len : STRETCH_BYTES;
    PZ_ASSERT(needle.len > 0);
    *at_out = PZ_SEARCH_NOWHERE;
    while (from < text.len && text.len - from >= needle.len) {
        uint32_t left = text.len - from;
        uint32_t len = left - needle.len < places ? left : places + needle.len - 1;
        const char *found = memmem(text.data + from, len, needle.data, needle.len);
        if (found != NULL) {
            *at_out = (uint32_t)(found - text.data);
            return pz_work_add(work, *at_out - from + needle.len, err);
        }
        PZ_TRY(pz_work_add(work, len, err));
        if (len == left) {
            break;
        }
        from += places;
    }
    return PZ_OK;
}
