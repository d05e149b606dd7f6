// SPDX-License-Identifier: Apache-2.0
// The pattern matcher of LIKE, and its kernel.
#include "query/func/like.h"

#include "query/func/kernel.h"
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

// Whether the piece stands at `at`; *end_out is the byte after it.
static bool
piece_at(const struct pz_like_piece *piece, struct pz_str text, uint32_t at, uint32_t *end_out)
{
    if (piece->any == NULL) {
        *end_out = at + piece->bytes.len;
        return text.len - at >= piece->bytes.len &&
               memcmp(text.data + at, piece->bytes.data, piece->bytes.len) == 0;
    }
    for (uint32_t i = 0; i < piece->bytes.len; i++) {
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

#define STEPS_BETWEEN_STOPS 65536u

// The leftmost place of the piece at or after `from`.
static bool
find_piece(const struct pz_like_piece *piece, struct pz_str text, uint32_t from, uint32_t *end_out,
           bool (*stop)(void *), void *payload)
{
    if (piece->any == NULL) {
        const char *found = from >= text.len ? NULL
                                             : memmem(text.data + from, text.len - from,
                                                      piece->bytes.data, piece->bytes.len);
        if (found == NULL) {
            return false;
        }
        *end_out = (uint32_t)(found - text.data) + piece->bytes.len;
        return true;
    }
    uint64_t steps = 0;
    for (uint32_t at = from; at < text.len; at += char_bytes(text.data[at])) {
        if (piece_at(piece, text, at, end_out)) {
            return true;
        }
        steps += piece->bytes.len;
        if (steps > STEPS_BETWEEN_STOPS) {
            if (stop(payload)) {
                return false;
            }
            steps = 0;
        }
    }
    return false;
}

bool
pz_like_match(const struct pz_like *like, struct pz_str text, bool (*stop)(void *), void *payload)
{
    uint32_t at = 0;
    uint32_t first = 0;
    uint32_t last = like->piece_count;
    if (last == 0) {
        return like->is_open_start || text.len == 0;
    }
    if (!like->is_open_start) {
        if (!piece_at(&like->pieces[0], text, 0, &at)) {
            return false;
        }
        first = 1;
        if (last == 1) {
            return like->is_open_end || at == text.len;
        }
    }
    if (!like->is_open_end) {
        last--;
    }
    for (uint32_t i = first; i < last; i++) {
        if (!find_piece(&like->pieces[i], text, at, &at, stop, payload)) {
            return false;
        }
    }
    if (like->is_open_end) {
        return true;
    }
    uint32_t begin = begin_of_last(&like->pieces[last], text, at);
    return begin != UINT32_MAX && piece_at(&like->pieces[last], text, begin, &at) && at == text.len;
}

// ---- kernel --------------------------------------------------------------------------------

// The pattern compiled last; mostly there is only one.
struct state {
    struct pz_str pattern;
    struct pz_str escape;
    struct pz_like like;
    bool is_ready;
    bool is_stopped; // a search was told to stop: its answer is not one
    const struct pz_session *session;
};

static bool
must_stop(void *payload)
{
    struct state *state = payload;
    state->is_stopped = pz_session_check(state->session, NULL) != PZ_OK;
    return state->is_stopped;
}

static enum pz_status
fail_escape(const struct pz_call *call, bool is_long, struct pz_error *err)
{
    return is_long ? pz_fail_sql(err, "22025", call->sql_offset, "an escape must be one character")
                   : pz_fail_sql(err, "22025", call->sql_offset,
                                 "LIKE pattern must not end with escape character");
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
        compiled = pz_text_lower(pattern, arena);
        if (compiled.data == NULL) {
            return pz_call_fail_memory(call, err);
        }
    }
    switch (pz_like_compile(compiled, state->escape, arena, &state->like)) {
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
        text = pz_text_lower(text, call->arena);
        if (text.data == NULL) {
            return pz_call_fail_memory(call, err);
        }
    }
    ((uint8_t *)call->out)[row] = pz_like_match(&state->like, text, must_stop, state);
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
    state->session = call->session;
    PZ_CALL_EACH(call, row)
    {
        if (state->is_stopped) {
            return pz_session_check(call->session, err);
        }
        struct pz_str pattern = pz_vector_str(&call->args[1], row);
        struct pz_str escape =
            call->arg_count > 2 ? pz_vector_str(&call->args[2], row) : PZ_STR("\\");
        PZ_TRY(prepare(call, state, pattern, escape, err));
        PZ_TRY(like_row(call, state, row, err));
    }
    if (!call->args[1].is_const) {
        state->is_ready = false; // compiled in memory that goes with the vector
    }
    return state->is_stopped ? pz_session_check(call->session, err) : PZ_OK;
}
const struct pz_kernel_info pz_like_kernel = {like_kernel, true, PZ_COST_FALLIBLE};
