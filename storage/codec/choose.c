// SPDX-License-Identifier: Apache-2.0
// The choice of codecs for an array of integers, and the nodes that record it.
//
// Every allowed codec states its exact size; nothing is sampled. A codec that costs more time to
// read must save something for it, so that equal sizes go to the simpler one.
#include "storage/codec/codec_internal.h"

// A candidate must be smaller than the best so far by this share of it.
#define GAIN_SHARE 32u

static const struct pz__int_codec_ops *
ops_of(unsigned codec)
{
    // Simplest to read first: the order of candidates.
    static const struct pz__int_codec_ops *const ops[] = {
        [PZ__INT_CONSTANT] = &pz__int_constant, [PZ__INT_SEQUENCE] = &pz__int_sequence,
        [PZ__INT_RUNS] = &pz__int_runs,         [PZ__INT_PACKED] = &pz__int_packed,
        [PZ__INT_DELTA] = &pz__int_delta,       [PZ__INT_DICTIONARY] = &pz__int_dictionary,
    };
    return codec < sizeof(ops) / sizeof(ops[0]) ? ops[codec] : NULL;
}

struct pz__int_stats
pz__int_study(const uint64_t *values, uint32_t count)
{
    struct pz__int_stats stats = {.min = (int64_t)values[0], .max = (int64_t)values[0]};
    uint64_t step = count > 1 ? values[1] - values[0] : 0;
    uint32_t changes = 0;
    uint64_t off_step = 0;
    for (uint32_t i = 1; i < count; i++) {
        int64_t value = (int64_t)values[i];
        uint64_t delta = values[i] - values[i - 1];
        stats.min = value < stats.min ? value : stats.min;
        stats.max = value > stats.max ? value : stats.max;
        changes += delta != 0;
        off_step |= delta ^ step;
    }
    stats.run_count = changes + 1;
    stats.is_sequence = off_step == 0;
    return stats;
}

enum pz_status
pz__int_plan(struct pz_arena *arena, const uint64_t *values, uint32_t count, unsigned allowed,
             const struct pz__int_plan **plan_out, struct pz_error *err)
{
    // The integer dictionary comes last because it stops early against a good competitor.
    static const enum pz__int_codec order[] = {PZ__INT_CONSTANT, PZ__INT_SEQUENCE,
                                               PZ__INT_PACKED,   PZ__INT_RUNS,
                                               PZ__INT_DELTA,    PZ__INT_DICTIONARY};
    PZ_ASSERT(count >= 1 && count <= PZ_CODEC_ARRAY_MAX);
    struct pz__int_plan *best = pz_arena_alloc_zero(arena, sizeof(*best));
    if (best == NULL) {
        return pz__codec_no_memory(err);
    }
    struct pz__int_input input = {.arena = arena,
                                  .values = values,
                                  .count = count,
                                  .allowed = allowed,
                                  .stats = pz__int_study(values, count),
                                  .best_bytes = SIZE_MAX};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        struct pz__int_plan plan = {.codec = order[i], .count = count};
        bool fits = false;
        if ((allowed & PZ__INT_BIT(order[i])) == 0) {
            continue;
        }
        PZ_TRY(ops_of(order[i])->plan(&input, &plan, &fits, err));
        if (fits && plan.bytes < input.best_bytes - input.best_bytes / GAIN_SHARE) {
            *best = plan;
            input.best_bytes = plan.bytes;
        }
        if (input.best_bytes <= PZ__NODE_HEADER) {
            break;
        }
    }
    PZ_ASSERT(best->bytes >= PZ__NODE_HEADER && best->bytes <= UINT32_MAX);
    PZ_ASSERT(best->bytes % 8 == 0);
    *plan_out = best;
    return PZ_OK;
}

void
pz__int_emit(const struct pz__int_plan *plan, uint8_t *out)
{
    out[0] = (uint8_t)plan->codec;
    out[1] = (uint8_t)plan->width;
    out[2] = (uint8_t)plan->patch_width;
    pz_store_le32(out + 4, plan->count);
    pz_store_le64(out + 8, plan->base);
    pz_store_le64(out + 16, plan->step);
    pz_store_le32(out + 24, plan->patch_count);
    pz_store_le32(out + 28, (uint32_t)plan->bytes);
    ops_of(plan->codec)->emit(plan, out + PZ__NODE_HEADER);
}

enum pz_status
pz__int_append(const struct pz__int_plan *plan, struct pz_buffer *out, struct pz_error *err)
{
    uint8_t *at = pz__append_zero(out, plan->bytes);
    if (at == NULL) {
        return pz__codec_no_memory(err);
    }
    pz__int_emit(plan, at);
    return PZ_OK;
}

static enum pz_status
parse_node(struct pz__decoder *decoder, const uint8_t *bytes, size_t len, uint32_t count,
           struct pz__node *node)
{
    if (len < PZ__NODE_HEADER) {
        return pz_fail(decoder->err, PZ_CORRUPT, "%zu bytes left for an array", len);
    }
    *node = (struct pz__node){.codec = bytes[0],
                              .width = bytes[1],
                              .patch_width = bytes[2],
                              .count = pz_load_le32(bytes + 4),
                              .base = pz_load_le64(bytes + 8),
                              .step = pz_load_le64(bytes + 16),
                              .patch_count = pz_load_le32(bytes + 24),
                              .bytes = pz_load_le32(bytes + 28)};
    if (node->count != count) {
        return pz_fail(decoder->err, PZ_CORRUPT, "array of %u values where %u belong", node->count,
                       count);
    }
    if (node->bytes < PZ__NODE_HEADER || node->bytes > len || node->bytes % 8 != 0) {
        return pz_fail(decoder->err, PZ_CORRUPT, "array of %zu bytes in %zu", node->bytes, len);
    }
    if (ops_of(node->codec) == NULL) {
        return pz_fail(decoder->err, PZ_CORRUPT, "unknown codec %u of an array", node->codec);
    }
    node->body = bytes + PZ__NODE_HEADER;
    node->body_bytes = node->bytes - PZ__NODE_HEADER;
    return PZ_OK;
}

enum pz_status
pz__int_decode(struct pz__decoder *decoder, const uint8_t *bytes, size_t len,
               const struct pz__ints *out, size_t *used_out)
{
    PZ_ASSERT(out->count >= 1 && (out->wide != NULL) != (out->narrow != NULL));
    struct pz__node node;
    PZ_TRY(parse_node(decoder, bytes, len, out->count, &node));
    if (decoder->depth == PZ__NODE_DEPTH_MAX) {
        return pz_fail(decoder->err, PZ_CORRUPT, "arrays nested more than %u deep",
                       PZ__NODE_DEPTH_MAX);
    }
    decoder->depth++;
    PZ_TRY(ops_of(node.codec)->decode(decoder, &node, out));
    if (out->sum != NULL && !ops_of(node.codec)->does_sums) {
        pz__int_sum_up(out, 0, out->count);
    }
    decoder->depth--;
    if (used_out != NULL) {
        *used_out = node.bytes;
    }
    return PZ_OK;
}

// ---- arrays on their own -----------------------------------------------------------------------

enum pz_status
pz_codec_encode_array(struct pz_codec_work *work, const uint64_t *values, uint32_t count,
                      struct pz_buffer *out, struct pz_error *err)
{
    pz_arena_reset(&work->arena);
    const struct pz__int_plan *plan;
    PZ_TRY(pz__int_plan(&work->arena, values, count, PZ__INT_ALL, &plan, err));
    return pz__int_append(plan, out, err);
}

enum pz_status
pz_codec_decode_array(struct pz_codec_work *work, const uint8_t *bytes, size_t len, uint32_t count,
                      uint64_t *values_out, size_t *used_out, struct pz_error *err)
{
    pz_arena_reset(&work->arena);
    struct pz__decoder decoder = {.arena = &work->arena, .err = err};
    struct pz__ints out = {.wide = values_out, .count = count};
    return pz__int_decode(&decoder, bytes, len, &out, used_out);
}
