// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the closest name by edit distance.
#include "base/suggest.h"

void
pz_suggest_begin(struct pz_suggestion *suggestion, struct pz_str wanted)
{
    // Short names are near to everything: one slip in three letters, two in more.
    unsigned limit = wanted.len <= 3 ? 1 : 2;
    *suggestion = (struct pz_suggestion){.wanted = wanted, .distance = limit + 1};
}

bool
pz_suggest_offer(struct pz_suggestion *suggestion, struct pz_str name)
{
    unsigned distance = pz_str_distance(suggestion->wanted, name, 2);
    // A name that is nothing but slips is no suggestion: "ab" for "xy".
    if (distance >= suggestion->distance || distance >= name.len) {
        return false;
    }
    suggestion->best = name;
    suggestion->distance = distance;
    return true;
}

bool
pz_suggest_hint(const struct pz_suggestion *suggestion, struct pz_error *err)
{
    if (suggestion->best.data == NULL) {
        return false;
    }
    pz_error_hint(err, "did you mean \"%.*s\"?", PZ_STR_ARG(suggestion->best));
    return true;
}
