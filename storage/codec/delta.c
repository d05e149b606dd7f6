// SPDX-License-Identifier: Apache-2.0
// Delta: the first value is the base; the body is the array of differences of neighbours.
// Differences of neighbours, not per lane: the prefix sum is one addition a value, and gaps stay
// as narrow as the data has them. A common divisor (milliseconds kept as microseconds) is left to
// the packed array inside.
#include "storage/codec/codec_internal.h"

static enum pz_status
delta_plan(const struct pz__int_input *input, struct pz__int_plan *plan, bool *fits_out,
           struct pz_error *err)
{
    *fits_out = input->count > 2;
    if (!*fits_out) {
        return PZ_OK;
    }
    uint64_t *deltas = pz_arena_alloc_array(input->arena, input->count, sizeof(*deltas));
    if (deltas == NULL) {
        return pz__codec_no_memory(err);
    }
    for (uint32_t i = 1; i < input->count; i++) {
        deltas[i - 1] = input->values[i] - input->values[i - 1];
    }
    unsigned inner =
        input->allowed & ~PZ__INT_BIT(PZ__INT_DELTA) & ~PZ__INT_BIT(PZ__INT_DICTIONARY);
    PZ_TRY(pz__int_plan(input->arena, deltas, input->count - 1, inner, &plan->child[0], err));
    plan->base = input->values[0];
    plan->bytes = PZ__NODE_HEADER + plan->child[0]->bytes;
    return PZ_OK;
}

static void
delta_emit(const struct pz__int_plan *plan, uint8_t *body)
{
    pz__int_emit(plan->child[0], body);
}

static enum pz_status
delta_decode(struct pz__decoder *decoder, const struct pz__node *node, const struct pz__ints *out)
{
    if (out->count < 2) {
        return pz_fail(decoder->err, PZ_CORRUPT, "differences of a single value");
    }
    struct pz__ints inner = {
        .wide = out->wide != NULL ? out->wide + 1 : NULL,
        .narrow = out->narrow != NULL ? out->narrow + 1 : NULL,
        .count = out->count - 1,
    };
    PZ_TRY(pz__int_decode(decoder, node->body, node->body_bytes, &inner, NULL));
    if (out->wide != NULL) {
        uint64_t value = node->base;
        out->wide[0] = value;
        for (uint32_t i = 1; i < out->count; i++) {
            value += out->wide[i];
            out->wide[i] = value;
        }
    } else {
        uint32_t value = (uint32_t)node->base;
        out->narrow[0] = value;
        for (uint32_t i = 1; i < out->count; i++) {
            value += out->narrow[i];
            out->narrow[i] = value;
        }
    }
    return PZ_OK;
}

const struct pz__int_codec_ops pz__int_delta = {delta_plan, delta_emit, delta_decode};
