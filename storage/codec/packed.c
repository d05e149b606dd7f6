// SPDX-License-Identifier: Apache-2.0
// Packed: frame of reference with patched exceptions. Value i is base + step * field i, where the
// fields have `width` bits each, but for exceptions, whose higher bits are kept aside.
//
// Body: full packs of 1,024 fields (bitpack.c); for widths above 32 a pack is 1,024 words of low
// halves, then the packed high parts. Then the fields of the last, partial pack in plain bit order,
// filled up to 8 bytes. Then u16 positions of the exceptions, rising, filled up to 8 bytes; then
// their higher bits, patch_width each, in plain bit order, filled up to 8 bytes.
#include "storage/codec/codec_internal.h"

// An exception costs time when read; more than this share of them is not worth the bytes.
#define PATCH_SHARE_MAX 32u

static size_t
pack_bytes(unsigned width)
{
    return (size_t)width * PZ__PACK_ROWS / 8;
}

struct body_layout {
    size_t tail_at, positions_at, patches_at, bytes;
    uint32_t packs, tail;
};

static struct body_layout
lay_out(uint32_t count, unsigned width, uint32_t patch_count, unsigned patch_width)
{
    struct body_layout layout = {.packs = count / PZ__PACK_ROWS, .tail = count % PZ__PACK_ROWS};
    layout.tail_at = layout.packs * pack_bytes(width);
    layout.positions_at = layout.tail_at + pz__round8(pz__bits_bytes(layout.tail, width));
    layout.patches_at = layout.positions_at + pz__round8((size_t)patch_count * 2);
    layout.bytes = layout.patches_at + pz__round8(pz__bits_bytes(patch_count, patch_width));
    return layout;
}

// ---- planning --------------------------------------------------------------------------------

static uint64_t
gcd(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

// The largest number that divides all values' distances from the base.
static uint64_t
common_step(const struct pz__int_input *input, uint64_t base)
{
    uint64_t step = 0;
    for (uint32_t i = 0; i < input->count; i++) {
        uint64_t residual = input->values[i] - base;
        if (step == 0) {
            step = residual;
        } else if (residual % step != 0) {
            step = gcd(step, residual % step);
        }
        if (step == 1) {
            break;
        }
    }
    return step == 0 ? 1 : step;
}

// How many fields have each bit length.
static void
count_widths(const struct pz__int_input *input, uint64_t base, uint64_t step, uint32_t *histogram)
{
    // Four tables, so that equal neighbours do not wait for each other's increment.
    uint32_t counts[4][65] = {{0}};
    if (step == 1) {
        uint32_t i = 0;
        for (; i + 4 <= input->count; i += 4) {
            counts[0][pz__bit_length(input->values[i] - base)]++;
            counts[1][pz__bit_length(input->values[i + 1] - base)]++;
            counts[2][pz__bit_length(input->values[i + 2] - base)]++;
            counts[3][pz__bit_length(input->values[i + 3] - base)]++;
        }
        for (; i < input->count; i++) {
            counts[0][pz__bit_length(input->values[i] - base)]++;
        }
    } else {
        for (uint32_t i = 0; i < input->count; i++) {
            counts[i % 4][pz__bit_length((input->values[i] - base) / step)]++;
        }
    }
    for (unsigned width = 0; width <= 64; width++) {
        histogram[width] =
            counts[0][width] + counts[1][width] + counts[2][width] + counts[3][width];
    }
}

// Finds the width that takes the fewest bytes above plan->base in steps of plan->step.
static void
plan_width(const struct pz__int_input *input, const uint32_t *histogram, struct pz__int_plan *plan)
{
    unsigned widest = 64;
    while (widest > 0 && histogram[widest] == 0) {
        widest--;
    }
    uint32_t patches = 0;
    plan->bytes = SIZE_MAX;
    for (unsigned width = widest;; width--) {
        size_t bytes =
            PZ__NODE_HEADER + lay_out(input->count, width, patches, widest - width).bytes;
        if (bytes < plan->bytes) {
            plan->bytes = bytes;
            plan->width = width;
            plan->patch_width = widest - width;
            plan->patch_count = patches;
        }
        patches += histogram[width];
        if (width == 0 || patches > input->count / PATCH_SHARE_MAX) {
            break;
        }
    }
}

// When nearly all values are far above the smallest (a 0 here and there among times), the few low
// ones are better the exceptions: below the base, they wrap around to fields of 64 bits. Returns
// the base to try, or the plan's when there is no such thing.
static uint64_t
higher_base(const struct pz__int_input *input, const uint32_t *histogram,
            const struct pz__int_plan *plan)
{
    unsigned widest = 64;
    while (widest > 0 && histogram[widest] == 0) {
        widest--;
    }
    if (widest < 8 || plan->step != 1 ||
        input->count - histogram[widest] > input->count / PATCH_SHARE_MAX) {
        return plan->base;
    }
    uint64_t lowest = UINT64_MAX;
    for (uint32_t i = 0; i < input->count; i++) {
        uint64_t field = input->values[i] - plan->base;
        if (pz__bit_length(field) == widest && field < lowest) {
            lowest = field;
        }
    }
    return plan->base + lowest;
}

static enum pz_status
packed_plan(const struct pz__int_input *input, struct pz__int_plan *plan, bool *fits_out,
            struct pz_error *err)
{
    (void)err;
    uint32_t histogram[65];
    plan->base = (uint64_t)input->stats.min;
    plan->step = common_step(input, plan->base);
    plan->values = input->values;
    count_widths(input, plan->base, plan->step, histogram);
    plan_width(input, histogram, plan);
    struct pz__int_plan higher = *plan;
    higher.base = higher_base(input, histogram, plan);
    if (higher.base != plan->base) {
        count_widths(input, higher.base, 1, histogram);
        plan_width(input, histogram, &higher);
        *plan = higher.bytes < plan->bytes ? higher : *plan;
    }
    *fits_out = true;
    return PZ_OK;
}

// ---- writing ---------------------------------------------------------------------------------

static uint64_t
field_of(const struct pz__int_plan *plan, uint32_t i)
{
    uint64_t residual = plan->values[i] - plan->base;
    return plan->step == 1 ? residual : residual / plan->step;
}

static void
emit_pack(const struct pz__int_plan *plan, uint32_t first, uint8_t *out)
{
    uint32_t low[PZ__PACK_ROWS];
    uint32_t high[PZ__PACK_ROWS];
    uint32_t packed[PZ__PACK_ROWS];
    uint64_t mask = pz__low_bits(plan->width);
    for (uint32_t i = 0; i < PZ__PACK_ROWS; i++) {
        uint64_t field = field_of(plan, first + i) & mask;
        low[i] = (uint32_t)field;
        high[i] = (uint32_t)(field >> 32);
    }
    if (plan->width <= 32) {
        pz__pack(low, plan->width, packed);
        memcpy(out, packed, pack_bytes(plan->width));
    } else {
        memcpy(out, low, sizeof(low));
        pz__pack(high, plan->width - 32, packed);
        memcpy(out + sizeof(low), packed, pack_bytes(plan->width - 32));
    }
}

static void
packed_emit(const struct pz__int_plan *plan, uint8_t *body)
{
    struct body_layout layout =
        lay_out(plan->count, plan->width, plan->patch_count, plan->patch_width);
    for (uint32_t pack = 0; pack < layout.packs; pack++) {
        emit_pack(plan, pack * PZ__PACK_ROWS, body + pack * pack_bytes(plan->width));
    }
    uint64_t mask = pz__low_bits(plan->width);
    for (uint32_t i = 0; i < layout.tail; i++) {
        uint64_t field = field_of(plan, layout.packs * PZ__PACK_ROWS + i);
        pz__bits_put(body + layout.tail_at, i, plan->width, field & mask);
    }
    uint32_t patch = 0;
    for (uint32_t i = 0; plan->patch_count > 0 && i < plan->count; i++) {
        uint64_t field = field_of(plan, i);
        if (field > mask) {
            pz_store_le16(body + layout.positions_at + patch * 2u, (uint16_t)i);
            pz__bits_put(body + layout.patches_at, patch, plan->patch_width, field >> plan->width);
            patch++;
        }
    }
    PZ_ASSERT(patch == plan->patch_count);
}

// ---- reading ---------------------------------------------------------------------------------

// base + step * field for one full pack. One pass over the output: it is the larger part of the
// memory that moves.
static void
read_pack_wide(const struct pz__node *node, const uint8_t *from, uint64_t *restrict out)
{
    uint32_t field[PZ__PACK_ROWS]; // or its high part
    const uint32_t *words = (const uint32_t *)(const void *)from;
    uint64_t base = node->base;
    bool is_wide = node->width > 32;
    pz__unpack(is_wide ? words + PZ__PACK_ROWS : words, node->width - (is_wide ? 32 : 0), 0, field);
    if (node->step != 1) {
        for (uint32_t i = 0; i < PZ__PACK_ROWS; i++) {
            uint64_t value = is_wide ? (uint64_t)field[i] << 32 | words[i] : field[i];
            out[i] = value * node->step + base;
        }
    } else if (is_wide) {
        for (uint32_t i = 0; i < PZ__PACK_ROWS; i++) {
            out[i] = ((uint64_t)field[i] << 32 | words[i]) + base;
        }
    } else {
        for (uint32_t i = 0; i < PZ__PACK_ROWS; i++) {
            out[i] = field[i] + base;
        }
    }
}

static void
read_pack_narrow(const struct pz__node *node, const uint8_t *from, uint32_t *restrict out)
{
    const uint32_t *words = (const uint32_t *)(const void *)from;
    uint32_t step = (uint32_t)node->step;
    if (node->width <= 32 && step == 1) {
        pz__unpack(words, node->width, (uint32_t)node->base, out);
        return;
    }
    if (node->width <= 32) {
        pz__unpack(words, node->width, 0, out);
    } else { // the low halves are all that 32 bits keep
        memcpy(out, words, PZ__PACK_ROWS * sizeof(*out));
    }
    for (uint32_t i = 0; i < PZ__PACK_ROWS; i++) {
        out[i] = out[i] * step + (uint32_t)node->base;
    }
}

// Exceptions, taken in rising order as the reading passes their positions.
struct patches {
    const uint8_t *positions, *bits;
    size_t bits_bytes;
    uint32_t next;
    uint32_t position_min; // of the next
};

static enum pz_status
apply_patches(struct pz__decoder *decoder, const struct pz__node *node, struct patches *patches,
              uint32_t end, const struct pz__ints *out)
{
    for (; patches->next < node->patch_count; patches->next++) {
        uint32_t position = pz_load_le16(patches->positions + patches->next * 2u);
        if (position < patches->position_min) {
            return pz_fail(decoder->err, PZ_CORRUPT, "exception %u stands at %u, out of order",
                           patches->next, position);
        }
        if (position >= end) {
            break;
        }
        uint64_t high =
            pz__bits_get(patches->bits, patches->bits_bytes, patches->next, node->patch_width)
            << node->width;
        if (out->wide != NULL) {
            out->wide[position] += high * node->step;
        } else {
            out->narrow[position] += (uint32_t)(high * node->step);
        }
        patches->position_min = position + 1;
    }
    return PZ_OK;
}

// Values [first, end): a full pack, or the partial one at the end.
static void
read_fields(const struct pz__node *node, const struct body_layout *layout, uint32_t first,
            uint32_t end, const struct pz__ints *out)
{
    if (end - first == PZ__PACK_ROWS) {
        const uint8_t *from = node->body + first / PZ__PACK_ROWS * pack_bytes(node->width);
        if (out->wide != NULL) {
            read_pack_wide(node, from, out->wide + first);
        } else {
            read_pack_narrow(node, from, out->narrow + first);
        }
        return;
    }
    const uint8_t *tail = node->body + layout->tail_at;
    size_t tail_bytes = layout->positions_at - layout->tail_at;
    for (uint32_t i = first; i < end; i++) {
        uint64_t field = pz__bits_get(tail, tail_bytes, i - first, node->width);
        if (out->wide != NULL) {
            out->wide[i] = node->base + node->step * field;
        } else {
            out->narrow[i] = (uint32_t)(node->base + node->step * field);
        }
    }
}

static enum pz_status
packed_decode(struct pz__decoder *decoder, const struct pz__node *node, const struct pz__ints *out)
{
    if (node->width > 64 || node->patch_width > 64 - node->width ||
        (node->patch_count > 0 && node->patch_width == 0) || node->patch_count > out->count) {
        return pz_fail(decoder->err, PZ_CORRUPT, "fields of %u bits with %u exceptions of %u",
                       node->width, node->patch_count, node->patch_width);
    }
    struct body_layout layout =
        lay_out(out->count, node->width, node->patch_count, node->patch_width);
    if (layout.bytes != node->body_bytes) {
        return pz_fail(decoder->err, PZ_CORRUPT, "%zu bytes of packed fields where %zu belong",
                       node->body_bytes, layout.bytes);
    }
    struct patches patches = {.positions = node->body + layout.positions_at,
                              .bits = node->body + layout.patches_at,
                              .bits_bytes = layout.bytes - layout.patches_at};
    // Pack by pack, while its values are in the first-level cache.
    for (uint32_t first = 0; first < out->count; first += PZ__PACK_ROWS) {
        uint32_t left = out->count - first;
        uint32_t end = first + (left < PZ__PACK_ROWS ? left : PZ__PACK_ROWS);
        read_fields(node, &layout, first, end, out);
        PZ_TRY(apply_patches(decoder, node, &patches, end, out));
        if (out->sum != NULL) {
            pz__int_sum_up(out, first, end);
        }
    }
    if (patches.next != node->patch_count) {
        return pz_fail(decoder->err, PZ_CORRUPT, "exception %u stands behind the last of %u values",
                       patches.next, out->count);
    }
    return PZ_OK;
}

const struct pz__int_codec_ops pz__int_packed = {packed_plan, packed_emit, packed_decode, true};
