// SPDX-License-Identifier: Apache-2.0
// Budgets, arenas, process-fatal allocation and growable buffers.
//
// An arena is a list of malloc'ed chunks, each twice as large as the one before up to a limit. A
// request that would waste most of a chunk gets a chunk of its own behind the newest, so that the
// newest keeps filling. Under AddressSanitizer the unused part of each chunk is poisoned, so a use
// after reset and an overrun are found as they would be in single allocations.
#include "base/arena.h"

#include "base/num.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define POISON(start, bytes) ASAN_POISON_MEMORY_REGION(start, bytes)
#define UNPOISON(start, bytes) ASAN_UNPOISON_MEMORY_REGION(start, bytes)
#else
#define POISON(start, bytes) ((void)(start), (void)(bytes))
#define UNPOISON(start, bytes) ((void)(start), (void)(bytes))
#endif

enum { CHUNK_BYTES_MIN = 4096, CHUNK_BYTES_MAX = 1 << 20, ALIGNMENT = 16 };

struct pz_arena_chunk {
    struct pz_arena_chunk *older;
    size_t bytes; // of data
    _Alignas(ALIGNMENT) char data[];
};

void
pz_budget_init(struct pz_budget *budget, size_t limit_bytes)
{
    atomic_init(&budget->used_bytes, 0);
    atomic_init(&budget->peak_bytes, 0);
    budget->limit_bytes = limit_bytes;
}

bool
pz_budget_take(struct pz_budget *budget, size_t bytes)
{
    size_t used = atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);
    size_t after;
    do {
        if (!pz_add_size(used, bytes, &after) ||
            (budget->limit_bytes != 0 && after > budget->limit_bytes)) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&budget->used_bytes, &used, after,
                                                    memory_order_relaxed, memory_order_relaxed));
    size_t peak = atomic_load_explicit(&budget->peak_bytes, memory_order_relaxed);
    while (peak < after &&
           !atomic_compare_exchange_weak_explicit(&budget->peak_bytes, &peak, after,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
    return true;
}

void
pz_budget_give(struct pz_budget *budget, size_t bytes)
{
    size_t before = atomic_fetch_sub_explicit(&budget->used_bytes, bytes, memory_order_relaxed);
    PZ_ASSERT(before >= bytes);
}

void
pz_arena_init(struct pz_arena *arena, struct pz_budget *budget)
{
    *arena = (struct pz_arena){.budget = budget};
}

static void
chunk_free(struct pz_arena *arena, struct pz_arena_chunk *chunk)
{
    size_t bytes = chunk->bytes + sizeof *chunk;
    UNPOISON(chunk->data, chunk->bytes);
    free(chunk);
    if (arena->budget != NULL) {
        pz_budget_give(arena->budget, bytes);
    }
}

static void
chunks_free(struct pz_arena *arena, struct pz_arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct pz_arena_chunk *older = chunk->older;
        chunk_free(arena, chunk);
        chunk = older;
    }
}

void
pz_arena_fini(struct pz_arena *arena)
{
    chunks_free(arena, arena->chunk);
    *arena = (struct pz_arena){.budget = arena->budget};
}

void
pz_arena_reset(struct pz_arena *arena)
{
    struct pz_arena_chunk *newest = arena->chunk;
    if (newest == NULL) {
        return;
    }
    chunks_free(arena, newest->older);
    newest->older = NULL;
    if (newest->bytes > CHUNK_BYTES_MAX) {
        chunk_free(arena, newest);
        *arena = (struct pz_arena){.budget = arena->budget};
        return;
    }
    POISON(newest->data, newest->bytes);
    arena->next = newest->data;
    arena->left = newest->bytes;
}

static struct pz_arena_chunk *
chunk_create(struct pz_arena *arena, size_t bytes)
{
    size_t total;
    if (!pz_add_size(bytes, sizeof(struct pz_arena_chunk), &total)) {
        return NULL;
    }
    if (arena->budget != NULL && !pz_budget_take(arena->budget, total)) {
        return NULL;
    }
    struct pz_arena_chunk *chunk = malloc(total);
    if (chunk == NULL) {
        if (arena->budget != NULL) {
            pz_budget_give(arena->budget, total);
        }
        return NULL;
    }
    chunk->older = NULL;
    chunk->bytes = bytes;
    POISON(chunk->data, bytes);
    return chunk;
}

// The slow path: `padded` bytes are not left in the newest chunk.
static void *
alloc_from_new_chunk(struct pz_arena *arena, size_t padded)
{
    size_t usual = CHUNK_BYTES_MIN;
    if (arena->chunk != NULL) {
        size_t twice = arena->chunk->bytes * 2;
        usual = twice < CHUNK_BYTES_MIN   ? CHUNK_BYTES_MIN
                : twice > CHUNK_BYTES_MAX ? CHUNK_BYTES_MAX
                                          : twice;
    }
    bool is_own = padded > usual / 4;
    struct pz_arena_chunk *chunk = chunk_create(arena, is_own ? padded : usual);
    if (chunk == NULL && !is_own) {
        chunk = chunk_create(arena, padded); // near the end of a budget small ones still fit
    }
    if (chunk == NULL) {
        return NULL;
    }
    if (is_own && arena->chunk != NULL) {
        chunk->older = arena->chunk->older;
        arena->chunk->older = chunk;
        return chunk->data;
    }
    chunk->older = arena->chunk;
    arena->chunk = chunk;
    arena->next = chunk->data + padded;
    arena->left = chunk->bytes - padded;
    return chunk->data;
}

void *
pz_arena_alloc(struct pz_arena *arena, size_t bytes)
{
    size_t padded;
    if (!pz_add_size(bytes == 0 ? 1 : bytes, ALIGNMENT - 1, &padded)) {
        return NULL;
    }
    padded &= ~(size_t)(ALIGNMENT - 1);
    void *memory;
    if (padded <= arena->left) {
        memory = arena->next;
        arena->next += padded;
        arena->left -= padded;
    } else {
        memory = alloc_from_new_chunk(arena, padded);
    }
    if (memory != NULL) {
        UNPOISON(memory, bytes);
    }
    return memory;
}

void *
pz_arena_alloc_zero(struct pz_arena *arena, size_t bytes)
{
    void *memory = pz_arena_alloc(arena, bytes);
    if (memory != NULL && bytes > 0) {
        memset(memory, 0, bytes);
    }
    return memory;
}

void *
pz_arena_alloc_array(struct pz_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    return pz_mul_size(count, size, &bytes) ? pz_arena_alloc(arena, bytes) : NULL;
}

struct pz_str
pz_arena_copy(struct pz_arena *arena, struct pz_str s)
{
    char *copy = pz_arena_alloc(arena, (size_t)s.len + 1);
    if (copy == NULL) {
        return (struct pz_str){NULL, 0};
    }
    if (s.len > 0) {
        memcpy(copy, s.data, s.len);
    }
    copy[s.len] = '\0';
    return (struct pz_str){copy, s.len};
}

char *
pz_arena_printf(struct pz_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (len < 0) {
        return NULL;
    }
    char *text = pz_arena_alloc(arena, (size_t)len + 1);
    if (text != NULL) {
        va_start(arguments, format);
        (void)vsnprintf(text, (size_t)len + 1, format, arguments);
        va_end(arguments);
    }
    return text;
}

static void *
checked(void *memory, size_t bytes)
{
    if (memory == NULL) {
        (void)fprintf(stderr, "plaza: out of memory (%zu bytes were wanted)\n", bytes);
        exit(EXIT_FAILURE);
    }
    return memory;
}

void *
pz_xmalloc(size_t bytes)
{
    return checked(malloc(bytes == 0 ? 1 : bytes), bytes);
}

void *
pz_xcalloc(size_t count, size_t bytes)
{
    bool is_empty = count == 0 || bytes == 0;
    return checked(is_empty ? calloc(1, 1) : calloc(count, bytes), bytes);
}

void *
pz_xrealloc(void *old, size_t bytes)
{
    return checked(realloc(old, bytes == 0 ? 1 : bytes), bytes);
}

char *
pz_xstrdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(pz_xmalloc(bytes), text, bytes);
}
