// SPDX-License-Identifier: Apache-2.0
// Results: selected rows are moved together, constants spread, symbols become texts.
#include "query/exec/result.h"

enum pz_status
pz_result_begin(struct pz_result *result, struct pz_exec *exec, const struct pz_plan *plan,
                const struct pz_result_sink *sink, struct pz_error *err)
{
    struct pz_arena *arena = exec->session->arena;
    uint32_t columns = plan->column_count;
    uint32_t rows = exec->session->vector_rows;
    *result = (struct pz_result){.exec = exec, .sink = sink, .column_count = columns};
    result->slices = pz_arena_alloc_zero(arena, columns * sizeof(*result->slices));
    result->room = pz_arena_alloc_zero(arena, columns * sizeof(void *));
    result->valid = pz_arena_alloc_zero(arena, columns * sizeof(uint64_t *));
    struct pz_result_column *infos = pz_arena_alloc_array(arena, columns, sizeof(*infos));
    if (result->slices == NULL || result->room == NULL || result->valid == NULL || infos == NULL) {
        return pz_exec_fail_memory(exec, "the result", err);
    }
    for (uint32_t i = 0; i < columns; i++) {
        enum pz_type type = plan->columns[i].type;
        type = type == PZ_TYPE_SYMBOL ? PZ_TYPE_TEXT : type;
        infos[i] = (struct pz_result_column){plan->columns[i].name.data, type};
        result->room[i] = pz_arena_alloc_array(arena, rows, pz_value_size(type));
        result->valid[i] = pz_arena_alloc(arena, PZ_BIT_WORDS(rows) * sizeof(uint64_t));
        if (result->room[i] == NULL || result->valid[i] == NULL) {
            return pz_exec_fail_memory(exec, "the result", err);
        }
    }
    return sink->begin(sink->payload, infos, columns, err);
}

// The i-th row that goes out.
static inline uint32_t
row_at(const struct pz_rows *rows, uint32_t i)
{
    return rows->rows != NULL ? rows->rows[i] : i;
}

static void
fill_symbols(const struct pz_result *result, const struct pz_vector *vector,
             const struct pz_rows *rows, uint32_t first, struct pz_str *out)
{
    struct pz_store *store = result->exec->session->store;
    for (uint32_t i = first; i < rows->count; i++) {
        uint32_t row = row_at(rows, i);
        out[i - first] =
            pz_vector_is_null(vector, row)
                ? (struct pz_str){"", 0}
                : pz_symbol_name(store, vector->domain_id, pz_vector_code(vector, row));
    }
}

static void
fill_values(const struct pz_vector *vector, const struct pz_rows *rows, uint32_t first, char *out)
{
    size_t size = pz_value_size(vector->type);
    for (uint32_t i = first; i < rows->count; i++) {
        uint32_t at = pz_vector_at(vector, row_at(rows, i));
        memcpy(out, (const char *)vector->data + at * size, size);
        out += size;
    }
    if (vector->type != PZ_TYPE_TEXT) {
        return;
    }
    struct pz_str *texts = (struct pz_str *)(void *)(out - (rows->count - first) * size);
    for (uint32_t i = first; vector->valid != NULL && i < rows->count; i++) {
        if (pz_vector_is_null(vector, row_at(rows, i))) {
            texts[i - first] = (struct pz_str){"", 0};
        }
    }
}

static void
fill_slice(const struct pz_result *result, uint32_t column, const struct pz_vector *vector,
           const struct pz_rows *rows, uint32_t first)
{
    struct pz_slice *slice = &result->slices[column];
    uint32_t count = rows->count - first;
    bool is_symbol = vector->type == PZ_TYPE_SYMBOL;
    bool is_ready = rows->rows == NULL && !vector->is_const && !is_symbol && first == 0;
    *slice = (struct pz_slice){.type = is_symbol ? PZ_TYPE_TEXT : vector->type, .row_count = count};
    if (is_ready) {
        slice->data = vector->data;
        slice->valid = vector->valid;
        return;
    }
    slice->data = result->room[column];
    if (is_symbol) {
        fill_symbols(result, vector, rows, first, result->room[column]);
    } else {
        fill_values(vector, rows, first, result->room[column]);
    }
    if (vector->valid == NULL) {
        return;
    }
    uint64_t *valid = result->valid[column];
    memset(valid, 0, PZ_BIT_WORDS(count) * sizeof(uint64_t));
    for (uint32_t i = 0; i < count; i++) {
        if (!pz_vector_is_null(vector, row_at(rows, first + i))) {
            pz_bit_set(valid, i);
        }
    }
    slice->valid = valid;
}

enum pz_status
pz_result_consume(void *payload, const struct pz_portion *portion, struct pz_error *err)
{
    struct pz_result *result = payload;
    if (result->skip >= portion->rows.count) {
        result->skip -= portion->rows.count;
        return PZ_OK;
    }
    uint32_t first = (uint32_t)result->skip;
    uint32_t count = portion->rows.count - first;
    result->skip = 0;
    for (uint32_t i = 0; i < result->column_count; i++) {
        fill_slice(result, i, &portion->columns[i], &portion->rows, first);
    }
    PZ_TRY(pz_session_check(result->exec->session, err));
    if (result->exec->session->stats != NULL) {
        result->exec->session->stats->row_count += count;
    }
    return result->sink->rows(result->sink->payload, result->slices, result->column_count, count,
                              err);
}
