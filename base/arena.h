// SPDX-License-Identifier: Apache-2.0
// Arenas by lifetime, and the memory budgets they draw on.
#ifndef PZ_BASE_ARENA_H
#define PZ_BASE_ARENA_H

#include "base/status.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stddef.h>

// A limit on memory shared by several owners, e.g. all arenas and tables of one query.
// Threads: take and give from any thread.
struct pz_budget {
    _Atomic size_t used_bytes;
    _Atomic size_t peak_bytes;
    size_t limit_bytes; // 0 = no limit
};
void pz_budget_init(struct pz_budget *budget, size_t limit_bytes);
bool pz_budget_take(struct pz_budget *budget, size_t bytes); // false when over the limit
void pz_budget_give(struct pz_budget *budget, size_t bytes);

// Memory that is freed as a whole. One thread at a time.
struct pz_arena {
    struct pz_arena_chunk *chunk; // newest first
    char *next;                   // free bytes of the newest chunk
    size_t left;
    struct pz_budget *budget; // or NULL
};
void pz_arena_init(struct pz_arena *arena, struct pz_budget *budget);
void pz_arena_fini(struct pz_arena *arena);
void pz_arena_reset(struct pz_arena *arena); // frees all but one chunk for reuse

// 16-byte aligned, not zeroed. NULL when the budget or the machine has no more: the caller
// turns this into PZ_NO_MEMORY. A size of 0 gives a valid pointer.
void *pz_arena_alloc(struct pz_arena *arena, size_t bytes) PZ_MUST_USE;
void *pz_arena_alloc_zero(struct pz_arena *arena, size_t bytes) PZ_MUST_USE;
// count * size with overflow check.
void *pz_arena_alloc_array(struct pz_arena *arena, size_t count, size_t size) PZ_MUST_USE;
// Copy of `s` (NUL-terminated besides). data is NULL when out of memory.
struct pz_str pz_arena_copy(struct pz_arena *arena, struct pz_str s) PZ_MUST_USE;
// NUL-terminated; NULL when out of memory.
char *pz_arena_printf(struct pz_arena *arena, const char *format, ...) PZ_PRINTF(2, 3);

// malloc and friends that end the process with a message when the machine has no memory;
// only for small allocations whose size no user or file decides.
void *pz_xmalloc(size_t bytes) PZ_MUST_USE;
void *pz_xcalloc(size_t count, size_t bytes) PZ_MUST_USE;
void *pz_xrealloc(void *old, size_t bytes) PZ_MUST_USE;
char *pz_xstrdup(const char *text) PZ_MUST_USE;

// A growable byte string. Zero-initialised is empty. data is NUL-terminated after each append.
// A failed append (out of memory, or over limit_bytes when that is not 0) sets is_failed and
// leaves the content as it was; check once at the end.
struct pz_buffer {
    char *data;
    size_t len;
    size_t capacity;
    size_t limit_bytes;
    bool is_failed;
};
void pz_buffer_fini(struct pz_buffer *buffer);
void pz_buffer_clear(struct pz_buffer *buffer);                // keeps the memory, clears is_failed
bool pz_buffer_reserve(struct pz_buffer *buffer, size_t more); // for `more` bytes; may fail too
void pz_buffer_append(struct pz_buffer *buffer, const void *data, size_t len);
void pz_buffer_append_str(struct pz_buffer *buffer, struct pz_str s);
void pz_buffer_append_c(struct pz_buffer *buffer, const char *text);
void pz_buffer_append_char(struct pz_buffer *buffer, char c);
void pz_buffer_printf(struct pz_buffer *buffer, const char *format, ...) PZ_PRINTF(2, 3);
// `text`, which is valid UTF-8, as a JSON string: quoted and escaped.
void pz_buffer_append_json_string(struct pz_buffer *buffer, struct pz_str text);

#endif
