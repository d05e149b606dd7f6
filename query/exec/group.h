// SPDX-License-Identifier: Apache-2.0
// Groupers: keys in, small group numbers out.
//
// Dense  Every key has a small known range (symbol codes, days, dense ids): the group number is
//        computed from the keys, no look-up at all.
// Hash   Linear probing in a directory of words: 16 bits of the hash (the salt) and the group
//        number plus 1. Keys are kept column-wise, in the order in which groups came.
#ifndef PZ_QUERY_EXEC_GROUP_H
#define PZ_QUERY_EXEC_GROUP_H

#include "query/eval/portion.h"
#include "query/exec/memory.h"

#define PZ_GROUP_KEYS_MAX 1000u

// ---- dense ---------------------------------------------------------------------------------

struct pz_dense_key {
    enum pz_type type;
    uint32_t domain_id;
    int64_t low;
    int64_t scale;   // value = low + number * scale
    uint32_t width;  // values; NULL is number `width`
    uint64_t stride; // of the key in the group number
};
struct pz_dense {
    uint32_t key_count;
    struct pz_dense_key *keys;
    uint64_t slot_count; // group numbers are below
};
// Lays keys with known low, scale and width out; false when there are more than slots_max slots.
bool pz_dense_layout(struct pz_dense *dense, uint64_t slots_max);
// Group numbers of the selected rows. *groups_out is `room` (a number for each), borrowed from the
// keys' data, or NULL when all rows are of group *all_out. False when a key is outside its range.
// For layouts of less than 2^31 slots.
bool pz_dense_find(const struct pz_dense *dense, const struct pz_vector *keys,
                   const struct pz_rows *rows, uint32_t *room, const uint32_t **groups_out,
                   uint32_t *all_out);
// The same for any layout, one number for each selected row, by position of the row: several
// keys packed into one word, for a hash grouper. When all keys are constant only room[0] is set.
bool pz_dense_pack(const struct pz_dense *dense, const struct pz_vector *keys,
                   const struct pz_rows *rows, uint64_t *room);
// The value of one key for some numbers, into a vector with room for `count` values and bits.
void pz_dense_key_values(const struct pz_dense *dense, uint32_t key, const uint64_t *numbers,
                         uint32_t count, struct pz_vector *out);

// ---- hash ----------------------------------------------------------------------------------

struct pz_hash_key {
    enum pz_type type;
    uint32_t domain_id;
    struct pz_array values; // per group: uint64_t word, struct pz_str or struct pz_interval
    struct pz_array nulls;  // per group: uint8_t
};
struct pz_hash {
    struct pz_budget *budget;
    struct pz_arena *arena; // texts of keys
    uint32_t key_count;
    struct pz_hash_key *keys;
    bool is_one_word;          // one key that is a word: its hash is computed again when needed
    bool has_interval;         // among the keys: equal intervals may look different
    struct pz_array hashes;    // uint64_t per group; none when is_one_word
    struct pz_array directory; // uint64_t; a power of two of them
    uint64_t mask;
    uint32_t group_count;
    uint32_t capacity; // groups there is room for
    // Scratch, for the rows of one vector.
    uint64_t *row_hashes;
    uint64_t **row_words; // per key, word keys: normalised values
    uint8_t **row_nulls;  // per key
    uint32_t vector_rows;
};

PZ_MUST_USE bool pz_hash_init(struct pz_hash *hash, struct pz_budget *budget,
                              struct pz_arena *arena, const enum pz_type *types,
                              const uint32_t *domains, uint32_t key_count, uint32_t vector_rows);
void pz_hash_fini(struct pz_hash *hash);
// Finds or adds the groups of the selected rows: groups_out[i] for the i-th of them. False when out
// of memory (or past 2^31 groups).
PZ_MUST_USE bool pz_hash_find(struct pz_hash *hash, const struct pz_vector *keys,
                              const struct pz_rows *rows, uint32_t *groups_out);
// The value of one key for some groups, into a vector with room for `count` values and bits.
void pz_hash_key_values(const struct pz_hash *hash, uint32_t key, const uint32_t *groups,
                        uint32_t count, struct pz_vector *out);
uint64_t pz_hash_of_group(const struct pz_hash *hash, uint32_t group);
// Frees what only pz_hash_find needs; groups stay readable.
void pz_hash_end_finding(struct pz_hash *hash);

#endif
