// SPDX-License-Identifier: Apache-2.0
// Tables by symbol code: results of expressions, and places in byte order.
#include "query/eval/symbol_map.h"

#include "query/eval/program.h"

#include <stdlib.h>

// A domain may have this many times more strings than there are rows before row by row is cheaper.
#define STRINGS_PER_ROW 2u
#define ROWS_MIN 4096u

static bool
is_worth_it(uint32_t strings, uint64_t row_count)
{
    uint64_t rows = row_count < ROWS_MIN ? ROWS_MIN : row_count;
    return strings <= rows * STRINGS_PER_ROW;
}

const struct pz_symbol_map *
pz_symbol_maps_find(const struct pz_symbol_maps *maps, const struct pz_expr *expr)
{
    for (const struct pz_symbol_map *map = maps->first; map != NULL; map = map->next) {
        if (map->expr == expr) {
            return map;
        }
    }
    return NULL;
}

// Copies the results of one run behind those already there.
static bool
append_results(struct pz_session *session, struct pz_symbol_map *map, uint32_t first,
               uint32_t count, const struct pz_vector *from)
{
    size_t size = pz_value_size(from->type);
    char *data = (char *)(uintptr_t)map->results.data;
    uint64_t *valid = (uint64_t *)(uintptr_t)map->results.valid;
    for (uint32_t i = 0; i < count; i++) {
        if (pz_vector_is_null(from, i)) {
            continue;
        }
        pz_bit_set(valid, first + i);
        if (from->type == PZ_TYPE_TEXT) {
            struct pz_str copy = pz_arena_copy(session->arena, pz_vector_str(from, i));
            if (copy.data == NULL) {
                return false;
            }
            memcpy(data + (first + i) * size, &copy, size);
        } else {
            memcpy(data + (first + i) * size,
                   (const char *)from->data + pz_vector_at(from, i) * size, size);
        }
    }
    return true;
}

// Where the codes go in: a portion whose only filled column is the map's.
struct feed {
    struct pz_program *program;
    struct pz_arena texts;
    struct pz_vector *columns;
    uint32_t *codes;
    uint64_t null_bits;
};

static enum pz_status
run_codes(struct pz_session *session, struct feed *feed, struct pz_symbol_map *map, uint32_t first,
          uint32_t count)
{
    bool is_null_entry = first == map->count;
    struct pz_vector *column = &feed->columns[map->expr->column];
    for (uint32_t i = 0; i < count; i++) {
        feed->codes[i] = is_null_entry ? 0 : first + i;
    }
    column->valid = is_null_entry ? &feed->null_bits : NULL;
    struct pz_portion portion = {{count, count, NULL}, map->expr->column + 1, feed->columns};
    struct pz_vector results;
    pz_arena_reset(&feed->texts);
    // An error is not reported here: it only counts when a row has that string.
    PZ_TRY(pz_program_run(feed->program, &portion, &feed->texts, &results, NULL));
    return append_results(session, map, first, count, &results) ? PZ_OK : PZ_NO_MEMORY;
}

static enum pz_status
fill_map(struct pz_session *session, struct feed *feed, struct pz_symbol_map *map)
{
    uint32_t step = session->vector_rows;
    for (uint32_t first = 0; first < map->count; first += step) {
        uint32_t left = map->count - first;
        PZ_TRY(pz_session_check(session, NULL));
        PZ_TRY(run_codes(session, feed, map, first, left < step ? left : step));
    }
    return run_codes(session, feed, map, map->count, 1);
}

static bool
has_nulls(const struct pz_symbol_map *map)
{
    for (uint32_t i = 0; i <= map->count; i++) {
        if (!pz_bit_get(map->results.valid, i)) {
            return true;
        }
    }
    return false;
}

static enum pz_status
make_map(struct pz_session *session, const struct pz_expr *expr, uint32_t count,
         struct pz_symbol_map **map_out)
{
    struct pz_arena *arena = session->arena;
    struct pz_symbol_map *map = pz_arena_alloc_zero(arena, sizeof(*map));
    uint32_t entries = count + 1;
    void *data = pz_arena_alloc_zero(arena, entries * pz_value_size(expr->type));
    void *valid = pz_arena_alloc_zero(arena, PZ_BIT_WORDS(entries) * sizeof(uint64_t));
    struct feed feed = {0};
    feed.codes = pz_arena_alloc_array(arena, session->vector_rows, sizeof(uint32_t));
    feed.columns = pz_arena_alloc_zero(arena, (expr->column + 1) * sizeof(struct pz_vector));
    if (map == NULL || data == NULL || valid == NULL || feed.codes == NULL ||
        feed.columns == NULL) {
        return PZ_NO_MEMORY;
    }
    *map = (struct pz_symbol_map){.expr = expr, .count = count};
    map->results = (struct pz_vector){.type = expr->type, .valid = valid, .data = data};
    feed.columns[expr->column] = (struct pz_vector){
        .type = PZ_TYPE_SYMBOL, .domain_id = expr->domain_id, .data = feed.codes};
    PZ_TRY(pz_program_create(session, NULL, arena, &expr->args[0], 1, &feed.program, NULL));
    pz_arena_init(&feed.texts, session->budget);
    enum pz_status status = fill_map(session, &feed, map);
    pz_arena_fini(&feed.texts);
    if (status == PZ_OK && !has_nulls(map)) {
        map->results.valid = NULL;
    }
    *map_out = map;
    return status;
}

enum pz_status
pz_symbol_maps_add(struct pz_session *session, struct pz_symbol_maps *maps,
                   const struct pz_expr *expr, uint64_t row_count, struct pz_error *err)
{
    if (expr->kind != PZ_EXPR_SYMBOL_MAP) {
        for (uint32_t i = 0; i < expr->arg_count; i++) {
            PZ_TRY(pz_symbol_maps_add(session, maps, expr->args[i], row_count, err));
        }
        return PZ_OK;
    }
    uint32_t count = pz_symbol_count(session->store, expr->domain_id);
    if (!is_worth_it(count, row_count) || pz_symbol_maps_find(maps, expr) != NULL) {
        return PZ_OK;
    }
    struct pz_symbol_map *map = NULL;
    if (make_map(session, expr, count, &map) == PZ_OK) {
        map->next = maps->first;
        maps->first = map;
    }
    return pz_session_check(session, err); // any other failure means: row by row
}

// ---- ranks ---------------------------------------------------------------------------------

struct named_code {
    struct pz_str name;
    uint32_t code;
};

static int
order_names(const void *a, const void *b)
{
    const struct named_code *x = a;
    const struct named_code *y = b;
    return pz_str_compare(x->name, y->name);
}

const struct pz_symbol_ranks *
pz_symbol_ranks_make(struct pz_session *session, uint32_t domain_id, uint64_t row_count)
{
    uint32_t count = pz_symbol_count(session->store, domain_id);
    if (!is_worth_it(count, row_count)) {
        return NULL;
    }
    struct pz_arena scratch;
    pz_arena_init(&scratch, session->budget);
    struct named_code *names = pz_arena_alloc_array(&scratch, count, sizeof(*names));
    struct pz_symbol_ranks *ranks = pz_arena_alloc(session->arena, sizeof(*ranks));
    if (ranks != NULL) {
        *ranks = (struct pz_symbol_ranks){.domain_id = domain_id, .count = count};
        ranks->ranks = pz_arena_alloc_array(session->arena, count, sizeof(uint32_t));
        ranks->codes = pz_arena_alloc_array(session->arena, count, sizeof(uint32_t));
    }
    bool is_made = names != NULL && ranks != NULL && ranks->ranks != NULL && ranks->codes != NULL;
    for (uint32_t i = 0; is_made && i < count; i++) {
        names[i] = (struct named_code){pz_symbol_name(session->store, domain_id, i), i};
    }
    if (is_made) {
        qsort(names, count, sizeof *names, order_names);
        for (uint32_t i = 0; i < count; i++) {
            ranks->codes[i] = names[i].code;
            ranks->ranks[names[i].code] = i;
        }
    }
    pz_arena_fini(&scratch);
    return is_made ? ranks : NULL;
}
