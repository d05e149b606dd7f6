// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the closest name by edit distance.
#include "query/bind/bind_internal.h"

void
pz__suggest_begin(struct pz_suggestion *suggestion, struct pz_str wanted)
{
    // Short names are near to everything: one slip in three letters, two in more.
    unsigned limit = wanted.len <= 3 ? 1 : 2;
    *suggestion = (struct pz_suggestion){.wanted = wanted, .distance = limit + 1};
}

bool
pz__suggest_offer(struct pz_suggestion *suggestion, struct pz_str name)
{
    if (suggestion->wanted.len > PZ_NAME_LEN_MAX) {
        return false;
    }
    unsigned distance = pz_str_distance(suggestion->wanted, name, 2);
    // A name that is nothing but slips is no suggestion: "ab" for "xy".
    if (distance >= suggestion->distance || distance >= name.len) {
        return false;
    }
    suggestion->best = name;
    suggestion->distance = distance;
    return true;
}

void
pz__suggest_hint(const struct pz_suggestion *suggestion, struct pz_error *err)
{
    if (suggestion->best.data != NULL) {
        pz_error_hint(err, "did you mean \"%.*s\"?", PZ_STR_ARG(suggestion->best));
    }
}
