// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the closest of some names to a misspelt one.
//
// Begin, offer all names, then look at `best` or make it a hint. One rule for SQL, fields of
// records, parameters and options: one slip in up to three letters, two in more, whatever the case.
#ifndef PZ_BASE_SUGGEST_H
#define PZ_BASE_SUGGEST_H

#include "base/status.h"
#include "base/str.h"

struct pz_suggestion {
    struct pz_str wanted;
    struct pz_str best; // borrowed from the offer; data NULL when nothing is near
    unsigned distance;
};
void pz_suggest_begin(struct pz_suggestion *suggestion, struct pz_str wanted);
bool pz_suggest_offer(struct pz_suggestion *suggestion, struct pz_str name); // true: the best yet
// Gives the error the hint, when there is something near; true then.
bool pz_suggest_hint(const struct pz_suggestion *suggestion, struct pz_error *err);

#endif
