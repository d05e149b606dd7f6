// SPDX-License-Identifier: Apache-2.0
// Run-length: one value and one length for each run of equal values.
// Body: the array of values, then the array of lengths; node.step is the number of runs.
#include "storage/codec/codec_internal.h"

static enum pz_status
runs_plan(const struct pz__int_input *input, struct pz__int_plan *plan, bool *fits_out,
          struct pz_error *err)
{
    uint32_t runs = input->stats.run_count;
    *fits_out = runs <= input->count / 2;
    if (!*fits_out) {
        return PZ_OK;
    }
    uint64_t *values = pz_arena_alloc_array(input->arena, runs, sizeof(*values));
    uint64_t *lengths = pz_arena_alloc_array(input->arena, runs, sizeof(*lengths));
    if (values == NULL || lengths == NULL) {
        return pz__codec_no_memory(err);
    }
    uint32_t run = 0;
    uint32_t run_begin = 0;
    for (uint32_t i = 1; i <= input->count; i++) {
        if (i == input->count || input->values[i] != input->values[i - 1]) {
            values[run] = input->values[i - 1];
            lengths[run] = i - run_begin;
            run_begin = i;
            run++;
        }
    }
    PZ_ASSERT(run == runs);
    unsigned inner = input->allowed & ~PZ__INT_BIT(PZ__INT_RUNS) & ~PZ__INT_BIT(PZ__INT_DICTIONARY);
    PZ_TRY(pz__int_plan(input->arena, values, runs, inner, &plan->child[0], err));
    inner &= ~PZ__INT_BIT(PZ__INT_DELTA);
    PZ_TRY(pz__int_plan(input->arena, lengths, runs, inner, &plan->child[1], err));
    plan->step = runs;
    plan->bytes = PZ__NODE_HEADER + plan->child[0]->bytes + plan->child[1]->bytes;
    return PZ_OK;
}

static void
runs_emit(const struct pz__int_plan *plan, uint8_t *body)
{
    pz__int_emit(plan->child[0], body);
    pz__int_emit(plan->child[1], body + plan->child[0]->bytes);
}

static void
expand_wide(const uint64_t *values, const uint32_t *lengths, uint32_t runs, uint64_t *out)
{
    for (uint32_t run = 0; run < runs; run++) {
        uint64_t value = values[run];
        for (uint32_t i = 0; i < lengths[run]; i++) {
            out[i] = value;
        }
        out += lengths[run];
    }
}

static void
expand_narrow(const uint32_t *values, const uint32_t *lengths, uint32_t runs, uint32_t *out)
{
    for (uint32_t run = 0; run < runs; run++) {
        uint32_t value = values[run];
        for (uint32_t i = 0; i < lengths[run]; i++) {
            out[i] = value;
        }
        out += lengths[run];
    }
}

static enum pz_status
runs_decode(struct pz__decoder *decoder, const struct pz__node *node, const struct pz__ints *out)
{
    if (node->step == 0 || node->step > out->count) {
        return pz_fail(decoder->err, PZ_CORRUPT, "%llu runs in %u values",
                       (unsigned long long)node->step, out->count);
    }
    uint32_t runs = (uint32_t)node->step;
    struct pz__ints values = {.count = runs};
    struct pz__ints lengths = {.count = runs};
    bool is_wide = out->wide != NULL;
    void *memory = pz_arena_alloc_array(decoder->arena, runs, is_wide ? 8 : 4);
    values.wide = is_wide ? memory : NULL;
    values.narrow = is_wide ? NULL : memory;
    lengths.narrow = pz_arena_alloc_array(decoder->arena, runs, sizeof(uint32_t));
    if (memory == NULL || lengths.narrow == NULL) {
        return pz__codec_no_memory(decoder->err);
    }
    size_t used;
    PZ_TRY(pz__int_decode(decoder, node->body, node->body_bytes, &values, &used));
    PZ_TRY(pz__int_decode(decoder, node->body + used, node->body_bytes - used, &lengths, NULL));
    uint64_t total = 0;
    for (uint32_t run = 0; run < runs; run++) {
        total += lengths.narrow[run];
    }
    if (total != out->count) {
        return pz_fail(decoder->err, PZ_CORRUPT, "runs of %llu values in all, not %u",
                       (unsigned long long)total, out->count);
    }
    if (is_wide) {
        expand_wide(values.wide, lengths.narrow, runs, out->wide);
    } else {
        expand_narrow(values.narrow, lengths.narrow, runs, out->narrow);
    }
    return PZ_OK;
}

const struct pz__int_codec_ops pz__int_runs = {runs_plan, runs_emit, runs_decode, false};
