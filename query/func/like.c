// SPDX-License-Identifier: Apache-2.0
// The pattern matcher of LIKE, and its kernel.
#include "query/func/like.h"

#include "query/func/kernel.h"
#include "query/func/search.h"
#include "query/func/text.h"

static uint32_t
char_bytes(char lead)
{
    unsigned char c = (unsigned char)lead;
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

// ---- patterns ------------------------------------------------------------------------------

struct compiler {
    struct pz_like *like;
    char *bytes; // of all pieces
    uint8_t *any;
    uint32_t len;
    uint32_t piece_begin;
    uint32_t any_count; // in the piece
};

static void
end_piece(struct compiler *c)
{
    if (c->len > c->piece_begin) {
        struct pz_like_piece *piece = &c->like->pieces[c->like->piece_count++];
        piece->bytes = (struct pz_str){c->bytes + c->piece_begin, c->len - c->piece_begin};
        piece->any = c->any_count > 0 ? c->any + c->piece_begin : NULL;
        piece->any_count = c->any_count;
    }
    c->piece_begin = c->len;
    c->any_count = 0;
}

static void
add_byte(struct compiler *c, char byte, bool is_any)
{
    c->bytes[c->len] = byte;
    c->any[c->len++] = is_any;
    c->any_count += is_any;
}

static bool
starts_with(struct pz_str text, uint32_t at, struct pz_str prefix)
{
    return prefix.len > 0 && text.len - at >= prefix.len &&
           memcmp(text.data + at, prefix.data, prefix.len) == 0;
}

enum pz_like_result
pz_like_compile(struct pz_str pattern, struct pz_str escape, struct pz_arena *arena,
                struct pz_like *out)
{
    *out = (struct pz_like){0};
    uint32_t pieces = 1;
    for (uint32_t i = 0; i < pattern.len; i++) {
        pieces += pattern.data[i] == '%';
    }
    struct compiler c = {.like = out};
    out->pieces = pz_arena_alloc_array(arena, pieces, sizeof(*out->pieces));
    c.bytes = pz_arena_alloc(arena, pattern.len);
    c.any = pz_arena_alloc(arena, pattern.len);
    if (out->pieces == NULL || c.bytes == NULL || c.any == NULL) {
        return PZ_LIKE_NO_MEMORY;
    }
    bool after_percent = false;
    for (uint32_t at = 0; at < pattern.len;) {
        bool is_escaped = starts_with(pattern, at, escape);
        at += is_escaped ? escape.len : 0;
        if (at == pattern.len) {
            return PZ_LIKE_BAD_ESCAPE;
        }
        char byte = pattern.data[at];
        after_percent = !is_escaped && byte == '%';
        if (after_percent) {
            out->is_open_start |= at == 0;
            end_piece(&c);
            at++;
            continue;
        }
        uint32_t bytes = char_bytes(byte);
        for (uint32_t i = 0; i < bytes && at < pattern.len; i++, at++) {
            add_byte(&c, pattern.data[at], !is_escaped && byte == '_');
        }
    }
    out->is_open_end = after_percent;
    end_piece(&c);
    return PZ_LIKE_OK;
}

// ---- matching ------------------------------------------------------------------------------

// One search through one text.
struct search {
    struct pz_str text;
    struct pz_work *work;
    struct pz_error *err;
};

// Whether the piece stands at `at`; *end_out is the byte after it.
static bool
piece_at(const struct pz_like_piece *piece, struct pz_str text, uint32_t at, uint32_t *end_out,
         uint64_t *steps)
{
    if (piece->any == NULL) {
        *end_out = at + piece->bytes.len;
        *steps += piece->bytes.len;
        return text.len - at >= piece->bytes.len &&
               memcmp(text.data + at, piece->bytes.data, piece->bytes.len) == 0;
    }
    for (uint32_t i = 0; i < piece->bytes.len; i++, ++*steps) {
        if (at >= text.len) {
            return false;
        }
        if (piece->any[i]) {
            at += char_bytes(text.data[at]);
        } else if (text.data[at++] != piece->bytes.data[i]) {
            return false;
        }
    }
    *end_out = at;
    return at <= text.len;
}

// Where a piece of a fixed number of characters must begin to end with the text; UINT32_MAX when
// the text is too short.
static uint32_t
begin_of_last(const struct pz_like_piece *piece, struct pz_str text, uint32_t from)
{
    uint32_t at = text.len;
    for (uint32_t i = piece->bytes.len; i > 0; i--) {
        if (at <= from) {
            return UINT32_MAX;
        }
        at--;
        while (piece->any != NULL && piece->any[i - 1] && at > from &&
               ((unsigned char)text.data[at] & 0xc0) == 0x80) {
            at--;
        }
    }
    return at;
}

// ---- many places at once -------------------------------------------------------------------
//
// A piece with _ in it is tried at one place after the other as long as that takes few steps. Then
// the places of a window are tried together: the piece is taken in groups of 64 characters. A word
// of bits follows a group through the text, bit i telling that its first i + 1 characters stand
// right before; so each group tells in one pass at which places of the window it fits, and the
// piece stands where all do. Most often none is left after the first group.

#define TRIAL_STEPS 4096u
#define GROUP_CHARS 64u
#define WINDOW_PLACES 4096u
#define TABLE_SIZE 128u // of characters beyond ASCII, twice as many as can be in a group

// Where in a group each character may stand.
struct group {
    uint32_t char_count;
    uint64_t any; // _
    uint64_t ascii[128];
    uint32_t keys[TABLE_SIZE]; // a character's bytes; 0 = free
    uint64_t masks[TABLE_SIZE];
};

// The bytes of a character as one number.
static uint32_t
char_key(const char *at, uint32_t bytes)
{
    uint32_t key = 0;
    memcpy(&key, at, bytes);
    return key;
}

static uint64_t *
group_mask(struct group *group, const char *at, uint32_t bytes)
{
    if (bytes == 1) {
        return &group->ascii[(unsigned char)*at];
    }
    uint32_t key = char_key(at, bytes);
    uint32_t slot = (key * 2654435761u) >> 25;
    while (group->keys[slot] != key && group->keys[slot] != 0) {
        slot = (slot + 1) % TABLE_SIZE;
    }
    return &group->masks[slot];
}

// Makes the group that begins at byte `from` of the piece; returns the byte after it.
static uint32_t
group_make(struct group *group, const struct pz_like_piece *piece, uint32_t from)
{
    *group = (struct group){0};
    while (from < piece->bytes.len && group->char_count < GROUP_CHARS) {
        const char *at = piece->bytes.data + from;
        uint64_t bit = (uint64_t)1 << group->char_count++;
        uint32_t bytes = char_bytes(*at);
        if (piece->any[from]) {
            group->any |= bit;
        } else {
            uint64_t *mask = group_mask(group, at, bytes);
            if (bytes > 1) {
                group->keys[mask - group->masks] = char_key(at, bytes);
            }
            *mask |= bit;
        }
        from += bytes;
    }
    return from;
}

struct window {
    uint64_t places[WINDOW_PLACES / 64]; // where all groups so far fit
    uint32_t next;                       // byte of the first place after the window
    uint32_t group_begin;                // byte at which the next group has to stand for place 0
};

// Leaves the places at which the group fits, too. `from` is where it would stand for place 0.
static bool
window_narrow(struct window *window, struct group *group, struct pz_str text, uint32_t from,
              uint64_t *steps)
{
    uint64_t fits[WINDOW_PLACES / 64] = {0};
    uint64_t last = (uint64_t)1 << (group->char_count - 1);
    uint64_t state = 0;
    uint32_t end = WINDOW_PLACES + group->char_count - 1;
    window->next = text.len;
    window->group_begin = text.len;
    for (uint32_t i = 0; i < end && from < text.len; i++, ++*steps) {
        if (i == GROUP_CHARS) {
            window->group_begin = from;
        }
        if (i == WINDOW_PLACES) {
            window->next = from;
        }
        uint32_t bytes = char_bytes(text.data[from]);
        uint64_t mask = *group_mask(group, text.data + from, bytes) | group->any;
        state = (state << 1 | 1) & mask;
        if ((state & last) != 0) {
            uint32_t place = i + 1 - group->char_count;
            fits[place / 64] |= (uint64_t)1 << (place % 64);
        }
        from += bytes;
    }
    if (end == WINDOW_PLACES && from < text.len) {
        window->next = from; // a group of one character ends with the window
    }
    uint64_t left = 0;
    for (uint32_t w = 0; w < WINDOW_PLACES / 64; w++) {
        window->places[w] &= fits[w];
        left |= window->places[w];
    }
    return left != 0;
}

static uint32_t
first_place(const struct window *window)
{
    uint32_t w = 0;
    while (window->places[w] == 0) {
        w++;
    }
    return w * 64 + (uint32_t)__builtin_ctzll(window->places[w]);
}

// Finds the piece in the rest of the text; leaves *end_out alone when it is not there.
static enum pz_status
find_by_windows(const struct pz_like_piece *piece, struct search *search, uint32_t from,
                uint32_t *end_out)
{
    struct pz_str text = search->text;
    struct group group;
    bool is_one = group_make(&group, piece, 0) == piece->bytes.len;
    while (from < text.len) {
        struct window window;
        uint64_t steps = GROUP_CHARS;
        uint32_t next = text.len;
        uint32_t begin = from;
        bool is_left = true;
        memset(window.places, 0xff, sizeof window.places);
        for (uint32_t done = 0; is_left && done < piece->bytes.len;) {
            done = is_one ? piece->bytes.len : group_make(&group, piece, done);
            is_left = window_narrow(&window, &group, text, begin, &steps);
            next = begin == from ? window.next : next;
            begin = window.group_begin;
            PZ_TRY(pz_work_add(search->work, steps, search->err));
            steps = GROUP_CHARS;
        }
        if (is_left) {
            for (uint32_t place = first_place(&window); place > 0; place--) {
                from += char_bytes(text.data[from]);
            }
            bool stands = piece_at(piece, text, from, end_out, &steps);
            PZ_ASSERT(stands);
            return pz_work_add(search->work, steps, search->err);
        }
        from = next;
    }
    return PZ_OK;
}

// Sets *end_out to the byte after the leftmost place of the piece at or after `from`; UINT32_MAX
// when there is none.
static enum pz_status
find_piece(const struct pz_like_piece *piece, struct search *search, uint32_t from,
           uint32_t *end_out)
{
    struct pz_str text = search->text;
    if (piece->any == NULL) {
        uint32_t at;
        PZ_TRY(pz_search(text, piece->bytes, from, search->work, &at, search->err));
        *end_out = at == PZ_SEARCH_NOWHERE ? UINT32_MAX : at + piece->bytes.len;
        return PZ_OK;
    }
    uint64_t steps = 1;
    for (; from < text.len && steps < TRIAL_STEPS; from += char_bytes(text.data[from])) {
        if (piece_at(piece, text, from, end_out, &steps)) {
            return pz_work_add(search->work, steps, search->err);
        }
        steps++;
    }
    PZ_TRY(pz_work_add(search->work, steps, search->err));
    *end_out = UINT32_MAX;
    return from < text.len ? find_by_windows(piece, search, from, end_out) : PZ_OK;
}

// The pieces between the first and the last, each at its leftmost place. *at is moved past them, or
// to UINT32_MAX.
static enum pz_status
find_middle(const struct pz_like *like, struct search *search, uint32_t first, uint32_t end,
            uint32_t *at)
{
    for (uint32_t i = first; i < end && *at != UINT32_MAX; i++) {
        PZ_TRY(find_piece(&like->pieces[i], search, *at, at));
    }
    return PZ_OK;
}

enum pz_status
pz_like_match(const struct pz_like *like, struct pz_str text, struct pz_work *work,
              bool *is_match_out, struct pz_error *err)
{
    struct search search = {text, work, err};
    uint32_t at = 0;
    uint32_t first = 0;
    uint32_t last = like->piece_count;
    uint64_t steps = 0;
    *is_match_out = false;
    if (last == 0) {
        *is_match_out = like->is_open_start || text.len == 0;
        return PZ_OK;
    }
    if (!like->is_open_start) {
        if (!piece_at(&like->pieces[0], text, 0, &at, &steps)) {
            return pz_work_add(work, steps, err);
        }
        first = 1;
        if (last == 1) {
            *is_match_out = like->is_open_end || at == text.len;
            return pz_work_add(work, steps, err);
        }
    }
    last -= !like->is_open_end;
    PZ_TRY(find_middle(like, &search, first, last, &at));
    if (at == UINT32_MAX || like->is_open_end) {
        *is_match_out = at != UINT32_MAX;
        return PZ_OK;
    }
    uint32_t begin = begin_of_last(&like->pieces[last], text, at);
    *is_match_out = begin != UINT32_MAX &&
                    piece_at(&like->pieces[last], text, begin, &at, &steps) && at == text.len;
    return pz_work_add(work, steps, err);
}

// ---- kernel --------------------------------------------------------------------------------

// The pattern compiled last; mostly there is only one.
struct state {
    struct pz_str pattern;
    struct pz_str escape;
    struct pz_like like;
    bool is_ready;
};

static enum pz_status
fail_escape(const struct pz_call *call, bool is_long, struct pz_error *err)
{
    return is_long ? pz_fail_sql(err, "22025", call->sql_offset, "an escape must be one character")
                   : pz_fail_sql(err, "22025", call->sql_offset,
                                 "LIKE pattern must not end with escape character");
}

// A pattern for ILIKE in lower case. The escape is made a backslash before: a letter as escape is
// one in its own case alone.
static enum pz_status
lower_pattern(struct pz_call *call, struct pz_str pattern, struct pz_str escape,
              struct pz_arena *arena, struct pz_str *out, struct pz_error *err)
{
    char *bytes = pz_arena_alloc(arena, 2 * (size_t)pattern.len);
    if (bytes == NULL) {
        return pz_call_fail_memory(call, err);
    }
    uint32_t len = 0;
    for (uint32_t at = 0; at < pattern.len;) {
        bool is_escaped = starts_with(pattern, at, escape);
        at += is_escaped ? escape.len : 0;
        if (is_escaped || pattern.data[at] == '\\') {
            bytes[len++] = '\\';
        }
        uint32_t end = at == pattern.len ? at : at + char_bytes(pattern.data[at]);
        while (at < end) {
            bytes[len++] = pattern.data[at++];
        }
    }
    return pz_text_lower(call, (struct pz_str){bytes, len}, arena, out, err);
}

static enum pz_status
prepare(struct pz_call *call, struct state *state, struct pz_str pattern, struct pz_str escape,
        struct pz_error *err)
{
    if (state->is_ready && pz_str_equal(pattern, state->pattern) &&
        pz_str_equal(escape, state->escape)) {
        return PZ_OK;
    }
    if (escape.len > 0 && char_bytes(escape.data[0]) != escape.len) {
        return fail_escape(call, true, err);
    }
    state->is_ready = false;
    struct pz_arena *arena = call->args[1].is_const ? call->state_arena : call->arena;
    state->pattern = pz_arena_copy(arena, pattern);
    state->escape = pz_arena_copy(arena, escape);
    if (state->pattern.data == NULL || state->escape.data == NULL) {
        return pz_call_fail_memory(call, err);
    }
    struct pz_str compiled = state->pattern;
    if (call->expr->is_nocase) {
        PZ_TRY(lower_pattern(call, pattern, escape, arena, &compiled, err));
        escape = PZ_STR("\\");
    }
    switch (pz_like_compile(compiled, escape, arena, &state->like)) {
    case PZ_LIKE_OK:
        break;
    case PZ_LIKE_NO_MEMORY:
        return pz_call_fail_memory(call, err);
    case PZ_LIKE_BAD_ESCAPE:
        return fail_escape(call, false, err);
    }
    state->is_ready = true;
    return PZ_OK;
}

static enum pz_status
like_row(struct pz_call *call, struct state *state, uint32_t row, struct pz_error *err)
{
    struct pz_str text = pz_vector_str(&call->args[0], row);
    if (call->expr->is_nocase) {
        PZ_TRY(pz_text_lower(call, text, call->arena, &text, err));
    }
    bool is_match;
    PZ_TRY(pz_like_match(&state->like, text, call->work, &is_match, err));
    ((uint8_t *)call->out)[row] = is_match;
    return PZ_OK;
}

static enum pz_status
like_kernel(struct pz_call *call, struct pz_error *err)
{
    if (*call->state == NULL &&
        (*call->state = pz_arena_alloc_zero(call->state_arena, sizeof(struct state))) == NULL) {
        return pz_call_fail_memory(call, err);
    }
    struct state *state = *call->state;
    PZ_CALL_EACH(call, row)
    {
        struct pz_str pattern = pz_vector_str(&call->args[1], row);
        struct pz_str escape =
            call->arg_count > 2 ? pz_vector_str(&call->args[2], row) : PZ_STR("\\");
        PZ_TRY(prepare(call, state, pattern, escape, err));
        PZ_TRY(like_row(call, state, row, err));
    }
    if (!call->args[1].is_const) {
        state->is_ready = false; // compiled in memory that goes with the vector
    }
    return PZ_OK;
}
const struct pz_kernel_info pz_like_kernel = {like_kernel, true, PZ_COST_FALLIBLE};
