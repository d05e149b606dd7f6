// SPDX-License-Identifier: Apache-2.0
// Text dictionary: the distinct texts of a block in byte order, and for each row its position among
// them, so that equal texts are stored and inflated once and ranges of texts are ranges of codes.
// Body: u32 distinct texts, u32 zero; the array of codes; the distinct texts as a text body.
#include "base/hash.h"
#include "storage/codec/codec_internal.h"

#include <stdlib.h>

#define HEAD_BYTES 8u

// A distinct text and the code given when it was first seen.
struct entry {
    struct pz_str text;
    uint32_t first_code;
};

static int
compare_entries(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    return pz_str_compare(x->text, y->text);
}

struct dictionary {
    struct entry *entries;
    uint32_t count;
    uint32_t *slots; // entry index + 1; 0 = free
    uint32_t slot_mask;
    uint64_t *codes; // one a row
};

static bool
dictionary_alloc(struct pz_arena *arena, uint32_t count, struct dictionary *dictionary)
{
    uint32_t slots = 64;
    while (slots < count) { // at most count / 2 entries: never more than half full
        slots *= 2;
    }
    dictionary->entries = pz_arena_alloc_array(arena, count / 2 + 1, sizeof(struct entry));
    dictionary->slots = pz_arena_alloc_zero(arena, slots * sizeof(uint32_t));
    dictionary->codes = pz_arena_alloc_array(arena, count, sizeof(uint64_t));
    dictionary->slot_mask = slots - 1;
    return dictionary->entries != NULL && dictionary->slots != NULL && dictionary->codes != NULL;
}

// Gives each row its code; returns false as soon as half of the rows are distinct.
static bool
collect(struct dictionary *dictionary, const struct pz_str *texts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = (uint32_t)pz_hash_bytes(texts[i].data, texts[i].len);
        for (;; slot++) {
            slot &= dictionary->slot_mask;
            uint32_t at = dictionary->slots[slot];
            if (at == 0) {
                if ((dictionary->count + 1) * 2 > count) {
                    return false;
                }
                dictionary->entries[dictionary->count] =
                    (struct entry){texts[i], dictionary->count};
                dictionary->count++;
                dictionary->slots[slot] = dictionary->count;
            } else if (!pz_str_equal(dictionary->entries[at - 1].text, texts[i])) {
                continue;
            }
            dictionary->codes[i] = dictionary->slots[slot] - 1;
            break;
        }
    }
    return true;
}

// Sorts the entries and rewrites the codes. `distinct` receives the texts in order.
static void
sort_entries(struct dictionary *dictionary, uint32_t row_count, struct pz_str *distinct,
             uint32_t *code_of)
{
    qsort(dictionary->entries, dictionary->count, sizeof(struct entry), compare_entries);
    for (uint32_t i = 0; i < dictionary->count; i++) {
        distinct[i] = dictionary->entries[i].text;
        code_of[dictionary->entries[i].first_code] = i;
    }
    for (uint32_t i = 0; i < row_count; i++) {
        dictionary->codes[i] = code_of[dictionary->codes[i]];
    }
}

enum pz_status
pz__text_dictionary_encode(struct pz_codec_work *work, const struct pz_str *texts, uint32_t count,
                           struct pz_buffer *out, uint64_t *text_bytes_out, struct pz_error *err)
{
    struct dictionary dictionary = {0};
    if (!dictionary_alloc(&work->arena, count, &dictionary)) {
        return pz__codec_no_memory(err);
    }
    if (!collect(&dictionary, texts, count)) {
        return PZ_OK;
    }
    struct pz_str *distinct =
        pz_arena_alloc_array(&work->arena, dictionary.count, sizeof(*distinct));
    uint32_t *code_of = pz_arena_alloc_array(&work->arena, dictionary.count, sizeof(*code_of));
    if (distinct == NULL || code_of == NULL) {
        return pz__codec_no_memory(err);
    }
    sort_entries(&dictionary, count, distinct, code_of);
    *text_bytes_out = 0;
    for (uint32_t i = 0; i < dictionary.count; i++) {
        *text_bytes_out += distinct[i].len;
    }
    const struct pz__int_plan *codes;
    PZ_TRY(pz__int_plan(&work->arena, dictionary.codes, count, PZ__INT_ALL, &codes, err));
    uint8_t *head = pz__append_zero(out, HEAD_BYTES);
    if (head == NULL) {
        return pz__codec_no_memory(err);
    }
    pz_store_le32(head, dictionary.count);
    PZ_TRY(pz__int_append(codes, out, err));
    return pz__text_encode(work, distinct, dictionary.count, out, err);
}

enum pz_status
pz__text_dictionary_decode(struct pz_codec_work *work, const struct pz__body *body,
                           const struct pz_page_target *target, struct pz_error *err)
{
    uint32_t entries = body->len >= HEAD_BYTES ? pz_load_le32(body->bytes) : 0;
    if (entries == 0 || entries > body->count) {
        return pz_fail(err, PZ_CORRUPT, "dictionary of %u texts for %u rows", entries, body->count);
    }
    uint32_t *codes = pz_arena_alloc_array(&work->arena, body->count, sizeof(*codes));
    struct pz_str *distinct = pz_arena_alloc_array(&work->arena, entries, sizeof(*distinct));
    if (codes == NULL || distinct == NULL) {
        return pz__codec_no_memory(err);
    }
    struct pz__decoder decoder = {.arena = &work->arena, .err = err};
    struct pz__ints ints = {.narrow = codes, .count = body->count};
    size_t used;
    PZ_TRY(
        pz__int_decode(&decoder, body->bytes + HEAD_BYTES, body->len - HEAD_BYTES, &ints, &used));
    used += HEAD_BYTES;
    struct pz__body texts = {.bytes = body->bytes + used,
                             .len = body->len - used,
                             .count = entries,
                             .text_bytes = body->text_bytes};
    struct pz_page_target distinct_target = {.data = distinct, .text = target->text};
    PZ_TRY(pz__text_decode(work, &texts, &distinct_target, &used, err));
    struct pz_str *out = target->data;
    for (uint32_t i = 0; i < body->count; i++) {
        if (codes[i] >= entries) {
            return pz_fail(err, PZ_CORRUPT, "code %u in a dictionary of %u", codes[i], entries);
        }
        out[i] = distinct[codes[i]];
    }
    return PZ_OK;
}
