// SPDX-License-Identifier: Apache-2.0
// The table of reserved words.
#include "query/parse/token.h"

#include <stdlib.h>

static const struct {
    const char *text;
    enum pz_keyword_class class;
} keywords[PZ_KEYWORD_COUNT] = {
#define X(name, text, class) {text, PZ_KEYWORD_CLASS_##class},
#include "query/parse/keywords.def"
#undef X
};

enum pz_keyword_class
pz_keyword_class(enum pz_keyword keyword)
{
    return keywords[keyword].class;
}

bool
pz_keyword_find(struct pz_str word, enum pz_keyword *keyword_out)
{
    // The table is in alphabetical order (a unit test holds it to that).
    size_t low = 0;
    size_t high = PZ_KEYWORD_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = pz_str_compare(word, pz_str_from(keywords[middle].text));
        if (order == 0) {
            *keyword_out = (enum pz_keyword)middle;
            return true;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}
