// SPDX-License-Identifier: Apache-2.0
// LIKE: % stands for any text, _ for one character.
//
// A pattern is cut at its % into pieces that must occur one after the other; taking the leftmost
// place for each is always right, so nothing is ever tried twice. Pieces without _ are found in
// linear time, whatever the pattern; those with _ in at most the length of the text times a 64th of
// that of the piece.
#ifndef PZ_QUERY_FUNC_LIKE_H
#define PZ_QUERY_FUNC_LIKE_H

#include "query/session.h"

struct pz_like_piece {
    struct pz_str bytes; // with escapes resolved
    const uint8_t *any;  // per byte: 1 = stands for any one character (_); NULL when none does
    uint32_t any_count;
};
struct pz_like {
    struct pz_like_piece *pieces;
    uint32_t piece_count;
    bool is_open_start; // begins with %
    bool is_open_end;   // ends with %
};

enum pz_like_result { PZ_LIKE_OK, PZ_LIKE_NO_MEMORY, PZ_LIKE_BAD_ESCAPE };
// Compiles a pattern. `escape` is one character, or empty for none.
enum pz_like_result pz_like_compile(struct pz_str pattern, struct pz_str escape,
                                    struct pz_arena *arena, struct pz_like *out);
// Fails only when the statement has to stop.
PZ_MUST_USE enum pz_status pz_like_match(const struct pz_like *like, struct pz_str text,
                                         struct pz_work *work, bool *is_match_out,
                                         struct pz_error *err);

#endif
