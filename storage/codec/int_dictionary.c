// SPDX-License-Identifier: Apache-2.0
// Integer dictionary: few distinct values far apart. Body: the array of the distinct values,
// rising, then the array of positions in it; node.step is the number of distinct values.
#include "storage/codec/codec_internal.h"

#include <stdlib.h>

#define ENTRIES_MAX 4096u
#define SLOTS (ENTRIES_MAX * 4)
#define SLOT_FREE 0xffffu

// Distinct values, in order of first sight, found by value.
struct distinct {
    uint32_t count;
    uint64_t values[ENTRIES_MAX];
    uint16_t slots[SLOTS];
};

static uint32_t
find_or_add(struct distinct *set, uint64_t value)
{
    uint32_t slot = (uint32_t)(value * UINT64_C(0x9e3779b97f4a7c15) >> 40) % SLOTS;
    while (set->slots[slot] != SLOT_FREE) {
        if (set->values[set->slots[slot]] == value) {
            return set->slots[slot];
        }
        slot = (slot + 1) % SLOTS;
    }
    if (set->count < ENTRIES_MAX) {
        set->slots[slot] = (uint16_t)set->count;
        set->values[set->count] = value;
    }
    return set->count++;
}

static int
compare_values(const void *a, const void *b)
{
    uint64_t x;
    uint64_t y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return ((int64_t)x > (int64_t)y) - ((int64_t)x < (int64_t)y);
}

static enum pz_status
dictionary_plan(const struct pz__int_input *input, struct pz__int_plan *plan, bool *fits_out,
                struct pz_error *err)
{
    *fits_out = false;
    if (input->count < 16) {
        return PZ_OK;
    }
    struct distinct *set = pz_arena_alloc(input->arena, sizeof(*set));
    uint64_t *codes = pz_arena_alloc_array(input->arena, input->count, sizeof(*codes));
    if (set == NULL || codes == NULL) {
        return pz__codec_no_memory(err);
    }
    set->count = 0;
    memset(set->slots, 0xff, sizeof(set->slots));
    // As soon as the codes alone would take too many bits, it is settled.
    size_t budget_bits = (input->best_bytes - input->best_bytes / 16) * 8 / input->count;
    uint32_t limit = budget_bits >= 12 ? ENTRIES_MAX : UINT32_C(1) << budget_bits;
    limit = limit < input->count / 4 ? limit : input->count / 4;
    for (uint32_t i = 0; i < input->count; i++) {
        codes[i] = i > 0 && input->values[i] == input->values[i - 1]
                       ? codes[i - 1]
                       : find_or_add(set, input->values[i]);
        if (set->count > limit) {
            return PZ_OK;
        }
    }
    uint64_t *sorted = pz_arena_alloc_array(input->arena, set->count, sizeof(*sorted));
    uint32_t *rank = pz_arena_alloc_array(input->arena, set->count, sizeof(*rank));
    if (sorted == NULL || rank == NULL) {
        return pz__codec_no_memory(err);
    }
    memcpy(sorted, set->values, set->count * sizeof(*sorted));
    qsort(sorted, set->count, sizeof(*sorted), compare_values);
    for (uint32_t i = 0; i < set->count; i++) {
        rank[find_or_add(set, sorted[i])] = i;
    }
    for (uint32_t i = 0; i < input->count; i++) {
        codes[i] = rank[codes[i]];
    }
    unsigned inner = input->allowed & ~PZ__INT_BIT(PZ__INT_DICTIONARY);
    PZ_TRY(pz__int_plan(input->arena, sorted, set->count, inner & ~PZ__INT_BIT(PZ__INT_RUNS),
                        &plan->child[0], err));
    PZ_TRY(pz__int_plan(input->arena, codes, input->count, inner & ~PZ__INT_BIT(PZ__INT_DELTA),
                        &plan->child[1], err));
    plan->step = set->count;
    plan->bytes = PZ__NODE_HEADER + plan->child[0]->bytes + plan->child[1]->bytes;
    *fits_out = true;
    return PZ_OK;
}

static void
dictionary_emit(const struct pz__int_plan *plan, uint8_t *body)
{
    pz__int_emit(plan->child[0], body);
    pz__int_emit(plan->child[1], body + plan->child[0]->bytes);
}

static enum pz_status
check_codes(struct pz__decoder *decoder, const uint32_t *codes, uint32_t count, uint32_t entries)
{
    uint32_t largest = 0;
    for (uint32_t i = 0; i < count; i++) {
        largest = codes[i] > largest ? codes[i] : largest;
    }
    if (largest >= entries) {
        return pz_fail(decoder->err, PZ_CORRUPT, "code %u in a dictionary of %u", largest, entries);
    }
    return PZ_OK;
}

static enum pz_status
dictionary_decode(struct pz__decoder *decoder, const struct pz__node *node,
                  const struct pz__ints *out)
{
    if (node->step == 0 || node->step > out->count) {
        return pz_fail(decoder->err, PZ_CORRUPT, "dictionary of %llu for %u values",
                       (unsigned long long)node->step, out->count);
    }
    uint32_t entries = (uint32_t)node->step;
    bool is_wide = out->wide != NULL;
    void *memory = pz_arena_alloc_array(decoder->arena, entries, is_wide ? 8 : 4);
    uint32_t *codes = is_wide ? pz_arena_alloc_array(decoder->arena, out->count, sizeof(uint32_t))
                              : out->narrow; // replaced in place
    if (memory == NULL || codes == NULL) {
        return pz__codec_no_memory(decoder->err);
    }
    struct pz__ints values = {
        .wide = is_wide ? memory : NULL, .narrow = is_wide ? NULL : memory, .count = entries};
    struct pz__ints positions = {.narrow = codes, .count = out->count};
    size_t used;
    PZ_TRY(pz__int_decode(decoder, node->body, node->body_bytes, &values, &used));
    PZ_TRY(pz__int_decode(decoder, node->body + used, node->body_bytes - used, &positions, NULL));
    PZ_TRY(check_codes(decoder, codes, out->count, entries));
    for (uint32_t i = 0; is_wide && i < out->count; i++) {
        out->wide[i] = values.wide[codes[i]];
    }
    for (uint32_t i = 0; !is_wide && i < out->count; i++) {
        out->narrow[i] = values.narrow[codes[i]];
    }
    return PZ_OK;
}

const struct pz__int_codec_ops pz__int_dictionary = {dictionary_plan, dictionary_emit,
                                                     dictionary_decode, false};
