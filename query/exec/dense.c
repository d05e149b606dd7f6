// SPDX-License-Identifier: Apache-2.0
// The dense grouper: group numbers by arithmetic.
#include "query/exec/group.h"

bool
pz_dense_layout(struct pz_dense *dense, uint64_t slots_max)
{
    uint64_t slots = 1;
    // The last key is the fastest: its neighbours are neighbours in memory.
    for (uint32_t i = dense->key_count; i > 0; i--) {
        struct pz_dense_key *key = &dense->keys[i - 1];
        key->stride = slots;
        if (__builtin_mul_overflow(slots, (uint64_t)key->width + 1, &slots) || slots > slots_max) {
            return false;
        }
    }
    dense->slot_count = slots;
    return true;
}

// The value of any key type as an integer.
static int64_t
key_value(const struct pz_vector *vector, uint32_t row)
{
    switch (vector->type) {
    case PZ_TYPE_SYMBOL:
        return pz_vector_code(vector, row);
    case PZ_TYPE_BOOLEAN:
        return pz_vector_byte(vector, row);
    default:
        return pz_vector_int(vector, row);
    }
}

static inline uint32_t
row_at(const struct pz_rows *rows, uint32_t i)
{
    return rows->rows != NULL ? rows->rows[i] : i;
}

// The part of one row's key in the group number. *is_inside becomes false when the value is not
// one of the key's.
static uint64_t
key_part(const struct pz_dense_key *key, const struct pz_vector *vector, uint32_t row,
         bool *is_inside)
{
    uint64_t at = key->width;
    if (!pz_vector_is_null(vector, row)) {
        at = (uint64_t)key_value(vector, row) - (uint64_t)key->low;
        if (key->scale != 1) {
            *is_inside &= at % (uint64_t)key->scale == 0;
            at /= (uint64_t)key->scale;
        }
        *is_inside &= at < key->width;
    }
    return at * key->stride;
}

// The part of the constant keys.
static uint64_t
const_part(const struct pz_dense *dense, const struct pz_vector *keys, bool *is_inside)
{
    uint64_t part = 0;
    for (uint32_t k = 0; k < dense->key_count; k++) {
        part += keys[k].is_const ? key_part(&dense->keys[k], &keys[k], 0, is_inside) : 0;
    }
    return part;
}

// Adds one key's part, or sets it when it is the first: all rows, no NULLs.
#define ADD_FLAT(type)                                                         \
    do {                                                                       \
        const type *values = vector->data;                                     \
        uint64_t beyond = 0;                                                   \
        uint64_t low = (uint64_t)key->low;                                     \
        uint32_t stride = (uint32_t)key->stride;                               \
        for (uint32_t i = 0; i < rows->count; i++) {                           \
            uint64_t at = (uint64_t)values[i] - low;                           \
            beyond |= at >= key->width;                                        \
            groups[i] = (is_first ? base : groups[i]) + (uint32_t)at * stride; \
        }                                                                      \
        return beyond == 0;                                                    \
    } while (0)

static bool
add_key(const struct pz_dense_key *key, const struct pz_vector *vector, const struct pz_rows *rows,
        uint32_t *groups, uint32_t base, bool is_first)
{
    if (rows->rows != NULL || vector->valid != NULL || key->scale != 1) {
        bool is_inside = true;
        for (uint32_t i = 0; i < rows->count; i++) {
            uint64_t part = key_part(key, vector, row_at(rows, i), &is_inside);
            groups[i] = (is_first ? base : groups[i]) + (uint32_t)part;
        }
        return is_inside;
    }
    switch (vector->type) {
    case PZ_TYPE_SYMBOL:
        ADD_FLAT(uint32_t);
    case PZ_TYPE_BOOLEAN:
        ADD_FLAT(uint8_t);
    default:
        ADD_FLAT(int64_t);
    }
}

// Whether the key's codes are the group numbers themselves.
static bool
is_identity(const struct pz_dense *dense, const struct pz_vector *vector,
            const struct pz_rows *rows)
{
    const struct pz_dense_key *key = &dense->keys[0];
    return vector->type == PZ_TYPE_SYMBOL && key->low == 0 && vector->valid == NULL &&
           rows->rows == NULL && !vector->is_const;
}

bool
pz_dense_find(const struct pz_dense *dense, const struct pz_vector *keys,
              const struct pz_rows *rows, uint32_t *room, const uint32_t **groups_out,
              uint32_t *all_out)
{
    bool is_inside = true;
    bool is_first = true;
    PZ_ASSERT(dense->slot_count <= UINT32_MAX / 2);
    *groups_out = NULL;
    if (dense->key_count == 1 && is_identity(dense, &keys[0], rows)) {
        const uint32_t *codes = keys[0].data;
        uint32_t beyond = 0;
        for (uint32_t i = 0; i < rows->count; i++) {
            beyond |= codes[i] >= dense->keys[0].width;
        }
        *groups_out = codes;
        return beyond == 0;
    }
    uint32_t base = (uint32_t)const_part(dense, keys, &is_inside);
    for (uint32_t k = 0; k < dense->key_count; k++) {
        if (!keys[k].is_const) {
            is_inside &= add_key(&dense->keys[k], &keys[k], rows, room, base, is_first);
            is_first = false;
            *groups_out = room;
        }
    }
    *all_out = base;
    return is_inside;
}

bool
pz_dense_pack(const struct pz_dense *dense, const struct pz_vector *keys,
              const struct pz_rows *rows, uint64_t *room)
{
    bool is_inside = true;
    bool is_first = true;
    uint64_t base = const_part(dense, keys, &is_inside);
    room[0] = base;
    for (uint32_t k = 0; k < dense->key_count; k++) {
        if (keys[k].is_const) {
            continue;
        }
        for (uint32_t i = 0; i < rows->count; i++) {
            uint32_t row = row_at(rows, i);
            uint64_t part = key_part(&dense->keys[k], &keys[k], row, &is_inside);
            room[row] = (is_first ? base : room[row]) + part;
        }
        is_first = false;
    }
    return is_inside;
}

void
pz_dense_key_values(const struct pz_dense *dense, uint32_t key_index, const uint64_t *numbers,
                    uint32_t count, struct pz_vector *out)
{
    const struct pz_dense_key *key = &dense->keys[key_index];
    void *data = (void *)(uintptr_t)out->data; // the caller's room
    uint64_t *valid = (uint64_t *)(uintptr_t)out->valid;
    bool has_null = false;
    memset(valid, 0xff, PZ_BIT_WORDS(count) * sizeof(uint64_t));
    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = numbers[i] / key->stride % ((uint64_t)key->width + 1);
        if (at == key->width) {
            pz_bit_clear(valid, i);
            has_null = true;
            at = 0;
        }
        int64_t value = key->low + (int64_t)at * key->scale;
        if (key->type == PZ_TYPE_SYMBOL) {
            ((uint32_t *)data)[i] = (uint32_t)value;
        } else if (key->type == PZ_TYPE_BOOLEAN) {
            ((uint8_t *)data)[i] = (uint8_t)value;
        } else {
            ((int64_t *)data)[i] = value;
        }
    }
    out->valid = has_null ? valid : NULL;
}
