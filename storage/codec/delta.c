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

// Four at a time: only one addition of the four waits for the value before.
#define SUM_UP(name, type)                                 \
    static type name(type *values, size_t count, type sum) \
    {                                                      \
        size_t i = 0;                                      \
        for (; i + 4 <= count; i += 4) {                   \
            type a = values[i];                            \
            type b = a + values[i + 1];                    \
            type c = b + values[i + 2];                    \
            type d = c + values[i + 3];                    \
            values[i] = sum;                               \
            values[i + 1] = sum + a;                       \
            values[i + 2] = sum + b;                       \
            values[i + 3] = sum + c;                       \
            sum += d;                                      \
        }                                                  \
        for (; i < count; i++) {                           \
            type next = sum + values[i];                   \
            values[i] = sum;                               \
            sum = next;                                    \
        }                                                  \
        return sum;                                        \
    }
SUM_UP(sum_up_wide, uint64_t)
SUM_UP(sum_up_narrow, uint32_t)

void
pz__int_sum_up(const struct pz__ints *out, uint32_t first, uint32_t end)
{
    if (out->wide != NULL) {
        *out->sum = sum_up_wide(out->wide + first, end - first, *out->sum);
    } else {
        *out->sum = sum_up_narrow(out->narrow + first, end - first, (uint32_t)*out->sum);
    }
}

static enum pz_status
delta_decode(struct pz__decoder *decoder, const struct pz__node *node, const struct pz__ints *out)
{
    if (out->count < 2) {
        return pz_fail(decoder->err, PZ_CORRUPT, "differences of a single value");
    }
    // The sums go where the differences were read, one place before the values they lead to: so
    // vectors are stored as aligned as the caller's memory is.
    uint64_t sum = node->base;
    struct pz__ints inner = *out;
    inner.count = out->count - 1;
    inner.sum = &sum;
    PZ_TRY(pz__int_decode(decoder, node->body, node->body_bytes, &inner, NULL));
    if (out->wide != NULL) {
        out->wide[inner.count] = sum;
    } else {
        out->narrow[inner.count] = (uint32_t)sum;
    }
    return PZ_OK;
}

const struct pz__int_codec_ops pz__int_delta = {delta_plan, delta_emit, delta_decode, false};
