// SPDX-License-Identifier: Apache-2.0
// Constant: all values are the base. The body is empty.
#include "storage/codec/codec_internal.h"

static enum pz_status
constant_plan(const struct pz__int_input *input, struct pz__int_plan *plan, bool *fits_out,
              struct pz_error *err)
{
    (void)err;
    plan->base = input->values[0];
    plan->bytes = PZ__NODE_HEADER;
    *fits_out = input->stats.run_count == 1;
    return PZ_OK;
}

static void
constant_emit(const struct pz__int_plan *plan, uint8_t *body)
{
    (void)plan;
    (void)body;
}

static enum pz_status
constant_decode(struct pz__decoder *decoder, const struct pz__node *node,
                const struct pz__ints *out)
{
    (void)decoder;
    for (uint32_t i = 0; out->wide != NULL && i < out->count; i++) {
        out->wide[i] = node->base;
    }
    for (uint32_t i = 0; out->narrow != NULL && i < out->count; i++) {
        out->narrow[i] = (uint32_t)node->base;
    }
    return PZ_OK;
}

const struct pz__int_codec_ops pz__int_constant = {constant_plan, constant_emit, constant_decode,
                                                   false};
