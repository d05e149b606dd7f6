// SPDX-License-Identifier: Apache-2.0
// The hash grouper.
#include "base/hash.h"

#include "query/exec/group.h"
#include "query/func/arithmetic.h"

#include <math.h>

#define SALT_MASK UINT64_C(0xffff000000000000)
#define GROUP_MASK UINT64_C(0x0000ffffffffffff)
#define GROUPS_MAX (UINT32_C(1) << 31)
#define DIRECTORY_MIN 1024u

enum key_class { KEY_WORD, KEY_TEXT, KEY_INTERVAL };

static enum key_class
class_of(enum pz_type type)
{
    return type == PZ_TYPE_TEXT ? KEY_TEXT : type == PZ_TYPE_INTERVAL ? KEY_INTERVAL : KEY_WORD;
}

static size_t
stored_size(enum pz_type type)
{
    return class_of(type) == KEY_WORD ? sizeof(uint64_t) : pz_value_size(type);
}

bool
pz_hash_init(struct pz_hash *hash, struct pz_budget *budget, struct pz_arena *arena,
             const enum pz_type *types, const uint32_t *domains, uint32_t key_count,
             uint32_t vector_rows)
{
    *hash = (struct pz_hash){
        .budget = budget, .arena = arena, .key_count = key_count, .vector_rows = vector_rows};
    hash->is_one_word = key_count == 1 && class_of(types[0]) == KEY_WORD;
    hash->keys = pz_arena_alloc_zero(arena, key_count * sizeof(*hash->keys));
    hash->row_hashes = pz_arena_alloc_array(arena, vector_rows, sizeof(uint64_t));
    hash->row_words = pz_arena_alloc_array(arena, key_count, sizeof(uint64_t *));
    hash->row_nulls = pz_arena_alloc_array(arena, key_count, sizeof(uint8_t *));
    if (hash->keys == NULL || hash->row_hashes == NULL || hash->row_words == NULL ||
        hash->row_nulls == NULL) {
        hash->key_count = 0;
        return false;
    }
    for (uint32_t k = 0; k < key_count; k++) {
        hash->keys[k].type = types[k];
        hash->has_interval |= class_of(types[k]) == KEY_INTERVAL;
        hash->keys[k].domain_id = domains != NULL ? domains[k] : 0;
        hash->row_words[k] = pz_arena_alloc_array(arena, vector_rows, sizeof(uint64_t));
        hash->row_nulls[k] = pz_arena_alloc_array(arena, vector_rows, 1);
        if (hash->row_words[k] == NULL || hash->row_nulls[k] == NULL) {
            return false;
        }
    }
    if (!pz_array_grow(&hash->directory, budget, DIRECTORY_MIN * sizeof(uint64_t))) {
        return false;
    }
    hash->mask = DIRECTORY_MIN - 1;
    return true;
}

void
pz_hash_fini(struct pz_hash *hash)
{
    for (uint32_t k = 0; k < hash->key_count; k++) {
        pz_array_free(&hash->keys[k].values, hash->budget);
        pz_array_free(&hash->keys[k].nulls, hash->budget);
    }
    pz_array_free(&hash->hashes, hash->budget);
    pz_array_free(&hash->directory, hash->budget);
}

// ---- keys of a vector ----------------------------------------------------------------------

static inline uint32_t
row_at(const struct pz_rows *rows, uint32_t i)
{
    return rows->rows != NULL ? rows->rows[i] : i;
}

// Equal values have equal words: -0 is 0, all NaN are one.
static uint64_t
real_word(double value)
{
    uint64_t word;
    if (value != value) {
        return UINT64_C(0x7ff8000000000000);
    }
    value = value == 0 ? 0.0 : value;
    memcpy(&word, &value, sizeof word);
    return word;
}

static uint64_t
interval_word(struct pz_interval interval)
{
    pz_i128 span = pz_interval_span(interval);
    return (uint64_t)span ^ (uint64_t)(span >> 64);
}

static uint64_t
word_of(const struct pz_vector *vector, uint32_t row)
{
    switch (vector->type) {
    case PZ_TYPE_BOOLEAN:
        return pz_vector_byte(vector, row);
    case PZ_TYPE_SYMBOL:
        return pz_vector_code(vector, row);
    case PZ_TYPE_DOUBLE:
        return real_word(pz_vector_real(vector, row));
    case PZ_TYPE_TEXT: {
        struct pz_str text = pz_vector_str(vector, row);
        return pz_hash_bytes_seeded(text.data, text.len, pz_hash_process_seed());
    }
    case PZ_TYPE_INTERVAL:
        return interval_word(pz_vector_interval(vector, row));
    default:
        return (uint64_t)pz_vector_int(vector, row);
    }
}

// What a NULL counts for.
#define NULL_WORD UINT64_C(0x5bd1e995cc9e2d51)

static inline uint64_t
mix(uint64_t hash, uint64_t word)
{
    return pz_hash_u64(hash ^ (word + UINT64_C(0x9e3779b97f4a7c15) + (hash << 6) + (hash >> 2)));
}

// Words, NULL marks and hashes of the selected rows, one after the other.
static void
prepare_rows(struct pz_hash *hash, const struct pz_vector *keys, const struct pz_rows *rows)
{
    for (uint32_t k = 0; k < hash->key_count; k++) {
        const struct pz_vector *key = &keys[k];
        uint64_t *words = hash->row_words[k];
        uint8_t *nulls = hash->row_nulls[k];
        bool is_plain = key->valid == NULL && rows->rows == NULL && !key->is_const &&
                        pz_value_size(key->type) == 8 && key->type != PZ_TYPE_DOUBLE;
        if (is_plain) {
            memcpy(words, key->data, rows->count * sizeof(uint64_t));
            memset(nulls, 0, rows->count);
        } else {
            for (uint32_t i = 0; i < rows->count; i++) {
                uint32_t row = row_at(rows, i);
                nulls[i] = pz_vector_is_null(key, row);
                words[i] = nulls[i] ? NULL_WORD : word_of(key, row);
            }
        }
        uint64_t *hashes = hash->row_hashes;
        for (uint32_t i = 0; k == 0 && i < rows->count; i++) {
            hashes[i] = mix(0, words[i]);
        }
        for (uint32_t i = 0; k > 0 && i < rows->count; i++) {
            hashes[i] = mix(hashes[i], words[i]);
        }
    }
}

uint64_t
pz_hash_of_group(const struct pz_hash *hash, uint32_t group)
{
    if (!hash->is_one_word) {
        return ((const uint64_t *)hash->hashes.data)[group];
    }
    bool is_null = ((const uint8_t *)hash->keys[0].nulls.data)[group];
    return mix(0, is_null ? NULL_WORD : ((const uint64_t *)hash->keys[0].values.data)[group]);
}

void
pz_hash_end_finding(struct pz_hash *hash)
{
    pz_array_free(&hash->directory, hash->budget);
}

// ---- groups --------------------------------------------------------------------------------

static bool
is_group(const struct pz_hash *hash, uint32_t group, const struct pz_vector *keys,
         const struct pz_rows *rows, uint32_t i)
{
    for (uint32_t k = 0; k < hash->key_count; k++) {
        const struct pz_hash_key *key = &hash->keys[k];
        uint8_t is_null = ((const uint8_t *)key->nulls.data)[group];
        if (is_null != hash->row_nulls[k][i]) {
            return false;
        }
        if (is_null) {
            continue;
        }
        switch (class_of(key->type)) {
        case KEY_WORD:
            if (((const uint64_t *)key->values.data)[group] != hash->row_words[k][i]) {
                return false;
            }
            break;
        case KEY_TEXT:
            if (!pz_str_equal(((const struct pz_str *)key->values.data)[group],
                              pz_vector_str(&keys[k], row_at(rows, i)))) {
                return false;
            }
            break;
        case KEY_INTERVAL:
            if (pz_interval_span(((const struct pz_interval *)key->values.data)[group]) !=
                pz_interval_span(pz_vector_interval(&keys[k], row_at(rows, i)))) {
                return false;
            }
            break;
        }
    }
    return true;
}

static bool
reserve(struct pz_hash *hash, uint32_t groups)
{
    if (groups <= hash->capacity) {
        return true;
    }
    size_t capacity = hash->capacity == 0 ? 1024 : (size_t)hash->capacity * 3 / 2;
    capacity = capacity < groups ? groups : capacity;
    for (uint32_t k = 0; k < hash->key_count; k++) {
        struct pz_hash_key *key = &hash->keys[k];
        if (!pz_array_grow(&key->values, hash->budget, capacity * stored_size(key->type)) ||
            !pz_array_grow(&key->nulls, hash->budget, capacity)) {
            return false;
        }
    }
    if (!hash->is_one_word &&
        !pz_array_grow(&hash->hashes, hash->budget, capacity * sizeof(uint64_t))) {
        return false;
    }
    hash->capacity = (uint32_t)capacity;
    return true;
}

// Doubles the directory until it is at most half full with `groups` in it.
static bool
reserve_directory(struct pz_hash *hash, uint32_t groups)
{
    uint64_t size = hash->mask + 1;
    if ((uint64_t)groups * 2 <= size) {
        return true;
    }
    while ((uint64_t)groups * 2 > size) {
        size *= 2;
    }
    struct pz_array directory = {0};
    if (!pz_array_grow(&directory, hash->budget, size * sizeof(uint64_t))) {
        return false;
    }
    uint64_t *slots = directory.data;
    for (uint32_t group = 0; group < hash->group_count; group++) {
        uint64_t h = pz_hash_of_group(hash, group);
        uint64_t at = h & (size - 1);
        while (slots[at] != 0) {
            at = (at + 1) & (size - 1);
        }
        slots[at] = (h & SALT_MASK) | ((uint64_t)group + 1);
    }
    pz_array_free(&hash->directory, hash->budget);
    hash->directory = directory;
    hash->mask = size - 1;
    return true;
}

// Copies the keys of row i into a new group.
static bool
store_keys(struct pz_hash *hash, uint32_t group, const struct pz_vector *keys,
           const struct pz_rows *rows, uint32_t i)
{
    for (uint32_t k = 0; k < hash->key_count; k++) {
        struct pz_hash_key *key = &hash->keys[k];
        uint8_t is_null = hash->row_nulls[k][i];
        ((uint8_t *)key->nulls.data)[group] = is_null;
        switch (class_of(key->type)) {
        case KEY_WORD:
            ((uint64_t *)key->values.data)[group] = is_null ? 0 : hash->row_words[k][i];
            break;
        case KEY_TEXT: {
            struct pz_str copy = {NULL, 0};
            if (!is_null) {
                copy = pz_arena_copy(hash->arena, pz_vector_str(&keys[k], row_at(rows, i)));
                if (copy.data == NULL) {
                    return false;
                }
            }
            ((struct pz_str *)key->values.data)[group] = copy;
            break;
        }
        case KEY_INTERVAL:
            if (!is_null) {
                ((struct pz_interval *)key->values.data)[group] =
                    pz_vector_interval(&keys[k], row_at(rows, i));
            }
            break;
        }
    }
    if (!hash->is_one_word) {
        ((uint64_t *)hash->hashes.data)[group] = hash->row_hashes[i];
    }
    return true;
}

// Of equal intervals the group shows the same one, whichever row came first.
static void
keep_least_interval(struct pz_hash *hash, uint32_t group, const struct pz_vector *keys,
                    const struct pz_rows *rows, uint32_t i)
{
    for (uint32_t k = 0; k < hash->key_count; k++) {
        struct pz_hash_key *key = &hash->keys[k];
        if (class_of(key->type) != KEY_INTERVAL || hash->row_nulls[k][i]) {
            continue;
        }
        struct pz_interval interval = pz_vector_interval(&keys[k], row_at(rows, i));
        struct pz_interval *kept = &((struct pz_interval *)key->values.data)[group];
        if (pz_order_interval_parts(interval, *kept) < 0) {
            *kept = interval;
        }
    }
}

// The group of row i, which is made when it is new.
static inline bool
find_one(struct pz_hash *hash, const struct pz_vector *keys, const struct pz_rows *rows, uint32_t i,
         uint32_t *group_out)
{
    uint64_t *slots = hash->directory.data;
    uint64_t h = hash->row_hashes[i];
    for (uint64_t at = h & hash->mask;; at = (at + 1) & hash->mask) {
        uint64_t slot = slots[at];
        uint32_t group = (uint32_t)((slot & GROUP_MASK) - 1);
        if (slot == 0) {
            group = hash->group_count;
            if (!store_keys(hash, group, keys, rows, i)) {
                return false;
            }
            hash->group_count++;
            slots[at] = (h & SALT_MASK) | ((uint64_t)group + 1);
            *group_out = group;
            return true;
        }
        if ((slot & SALT_MASK) == (h & SALT_MASK) && is_group(hash, group, keys, rows, i)) {
            if (hash->has_interval) {
                keep_least_interval(hash, group, keys, rows, i);
            }
            *group_out = group;
            return true;
        }
    }
}

// From this directory size on, it no longer fits the second-level cache: slots are fetched ahead.
#define PREFETCH_FROM_SLOTS (UINT64_C(1) << 16)

bool
pz_hash_find(struct pz_hash *hash, const struct pz_vector *keys, const struct pz_rows *rows,
             uint32_t *groups_out)
{
    prepare_rows(hash, keys, rows);
    // All rows might be new: then no row needs to check for room.
    if (hash->group_count > GROUPS_MAX - rows->count ||
        !reserve(hash, hash->group_count + rows->count) ||
        !reserve_directory(hash, hash->group_count + rows->count)) {
        return false;
    }
    const uint64_t *slots = hash->directory.data;
    const uint64_t *hashes = hash->row_hashes;
    uint64_t mask = hash->mask;
    if (mask >= PREFETCH_FROM_SLOTS) {
        for (uint32_t i = 0; i < rows->count; i++) {
            __builtin_prefetch(&slots[hashes[i] & mask]);
        }
    }
    uint64_t last_word = 0;
    uint32_t last_group = UINT32_MAX;
    for (uint32_t i = 0; i < rows->count; i++) {
        // Rows that follow each other often have the same key: time truncated, constants.
        bool is_word = hash->is_one_word && !hash->row_nulls[0][i];
        if (is_word && last_group != UINT32_MAX && hash->row_words[0][i] == last_word) {
            groups_out[i] = last_group;
            continue;
        }
        if (!find_one(hash, keys, rows, i, &groups_out[i])) {
            return false;
        }
        if (is_word) {
            last_word = hash->row_words[0][i];
            last_group = groups_out[i];
        }
    }
    return true;
}

// ---- values --------------------------------------------------------------------------------

static void
write_word(const struct pz_vector *out, void *data, uint32_t i, uint64_t word)
{
    switch (pz_value_size(out->type)) {
    case 1:
        ((uint8_t *)data)[i] = (uint8_t)word;
        return;
    case 4:
        ((uint32_t *)data)[i] = (uint32_t)word;
        return;
    default:
        ((uint64_t *)data)[i] = word;
        return;
    }
}

void
pz_hash_key_values(const struct pz_hash *hash, uint32_t key_index, const uint32_t *groups,
                   uint32_t count, struct pz_vector *out)
{
    const struct pz_hash_key *key = &hash->keys[key_index];
    const uint8_t *nulls = key->nulls.data;
    void *data = (void *)(uintptr_t)out->data; // the caller's room
    uint64_t *valid = (uint64_t *)(uintptr_t)out->valid;
    bool has_null = false;
    memset(valid, 0xff, PZ_BIT_WORDS(count) * sizeof(uint64_t));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t group = groups[i];
        if (nulls[group]) {
            pz_bit_clear(valid, i);
            has_null = true;
        }
        switch (class_of(key->type)) {
        case KEY_WORD:
            write_word(out, data, i, ((const uint64_t *)key->values.data)[group]);
            break;
        case KEY_TEXT:
            ((struct pz_str *)data)[i] = ((const struct pz_str *)key->values.data)[group];
            break;
        case KEY_INTERVAL:
            ((struct pz_interval *)data)[i] = ((const struct pz_interval *)key->values.data)[group];
            break;
        }
    }
    out->valid = has_null ? valid : NULL;
}
