// SPDX-License-Identifier: Apache-2.0
// Sequence: value i is base + i * step. The body is empty.
#include "storage/codec/codec_internal.h"

static enum pz_status
sequence_plan(const struct pz__int_input *input, struct pz__int_plan *plan, bool *fits_out,
              struct pz_error *err)
{
    (void)err;
    *fits_out = input->stats.is_sequence && input->count > 1;
    if (*fits_out) {
        plan->base = input->values[0];
        plan->step = input->values[1] - input->values[0];
        plan->bytes = PZ__NODE_HEADER;
    }
    return PZ_OK;
}

static void
sequence_emit(const struct pz__int_plan *plan, uint8_t *body)
{
    (void)plan;
    (void)body;
}

static enum pz_status
sequence_decode(struct pz__decoder *decoder, const struct pz__node *node,
                const struct pz__ints *out)
{
    (void)decoder;
    for (uint32_t i = 0; out->wide != NULL && i < out->count; i++) {
        out->wide[i] = node->base + i * node->step;
    }
    for (uint32_t i = 0; out->narrow != NULL && i < out->count; i++) {
        out->narrow[i] = (uint32_t)node->base + i * (uint32_t)node->step;
    }
    return PZ_OK;
}

const struct pz__int_codec_ops pz__int_sequence = {sequence_plan, sequence_emit, sequence_decode,
                                                   false};
