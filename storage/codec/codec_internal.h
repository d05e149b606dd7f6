// SPDX-License-Identifier: Apache-2.0
// What the codecs share: integer arrays as trees of nodes, bit packing, work memory.
//
// An integer array is a node: a header of 32 bytes and a body. Some codecs hold further nodes in
// their body (run-length: values and lengths), so a page of integers is a small tree.
//
//   byte  0  u8  codec            enum pz__int_codec
//         1  u8  width            bits of a packed value
//         2  u8  patch_width      bits of the part of an exception above `width`
//         3  u8  zero
//         4  u32 count            values in the array
//         8  u64 base             constant, first of a sequence, smallest packed, first before
//         deltas
//        16  u64 step             of a sequence; scale of packed values; runs; dictionary entries
//        24  u32 patch_count      exceptions
//        28  u32 bytes            of the node, header included; a multiple of 8
//        32  body
//
// All arithmetic on values is modulo 2^64 (2^32 when decoding to 32 bits), so that no input of
// either side can overflow: INT64_MIN .. INT64_MAX packs in 64 bits above its minimum.
#ifndef PZ_STORAGE_CODEC_INTERNAL_H
#define PZ_STORAGE_CODEC_INTERNAL_H

#include "base/num.h"
#include "storage/codec/codec.h"

struct pz_codec_work {
    struct pz_arena arena;   // reset for every page
    struct pz_buffer frames; // compressed bytes on their way into a page
    struct ZSTD_CCtx_s *compressor;
    struct ZSTD_DCtx_s *decompressor;
};

enum pz_status pz__codec_no_memory(struct pz_error *err);
static inline size_t
pz__round8(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

// Appends `len` zero bytes and points at them; NULL when out of memory.
uint8_t *pz__append_zero(struct pz_buffer *out, size_t len);

// ---- bit packing (bitpack.c) -----------------------------------------------------------------

// 1,024 values make a pack of `width` x 32 words: lane l (0..31) holds rows l, 32 + l, 64 + l, ...
// one after the other, and word k of lane l lies at [k * 32 + l]. So plain loops over lanes
// vectorise and values come out in row order.
#define PZ__PACK_ROWS 1024u
#define PZ__PACK_LANES 32u

// Unpacks one pack: out[i] = base + value i. width 0..32.
void pz__unpack(const uint32_t *in, unsigned width, uint32_t base, uint32_t *out);
void pz__pack(const uint32_t *values, unsigned width, uint32_t *out);

// Values one after the other in little-endian bit order, for what does not fill a pack. The
// writer ORs into zeroed bytes. Reading touches only the `len` bytes given. width 0..64.
void pz__bits_put(uint8_t *bytes, size_t idx, unsigned width, uint64_t value);
uint64_t pz__bits_get(const uint8_t *bytes, size_t len, size_t idx, unsigned width);
static inline size_t
pz__bits_bytes(size_t count, unsigned width)
{
    return (count * width + 7) / 8;
}
static inline unsigned
pz__bit_length(uint64_t value)
{
    return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
}
static inline uint64_t
pz__low_bits(unsigned width)
{
    return width >= 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

// ---- integer arrays ----------------------------------------------------------------------------

#define PZ__NODE_HEADER 32u
#define PZ__NODE_DEPTH_MAX 5u

// The number is stored on disk: never renumber.
enum pz__int_codec {
    PZ__INT_CONSTANT = 1,
    PZ__INT_SEQUENCE = 2,
    PZ__INT_RUNS = 3,
    PZ__INT_PACKED = 4,
    PZ__INT_DELTA = 5,
    PZ__INT_DICTIONARY = 6,
};
#define PZ__INT_BIT(codec) (1u << (codec))
#define PZ__INT_ALL 0x7eu

// How an array is going to be encoded, and into how many bytes exactly. Lives in the work arena.
struct pz__int_plan {
    enum pz__int_codec codec;
    unsigned width, patch_width;
    uint32_t count, patch_count;
    uint64_t base, step;
    size_t bytes;
    const uint64_t *values; // PACKED
    const struct pz__int_plan *child[2];
};

// What one pass over an array finds out.
struct pz__int_stats {
    int64_t min, max;
    uint32_t run_count;
    bool is_sequence;
};

struct pz__int_stats pz__int_study(const uint64_t *values, uint32_t count);

// Planning of one array: what its codecs see.
struct pz__int_input {
    struct pz_arena *arena;
    const uint64_t *values;
    uint32_t count;
    unsigned allowed; // codecs, by PZ__INT_BIT
    struct pz__int_stats stats;
    size_t best_bytes; // of the best plan so far: a codec that cannot beat it need not go on
};

// One codec of integer arrays.
struct pz__node;
struct pz__ints;
struct pz__decoder;
struct pz__int_codec_ops {
    // Fills *plan (count is set) if the codec can express the input; *fits_out tells.
    enum pz_status (*plan)(const struct pz__int_input *input, struct pz__int_plan *plan,
                           bool *fits_out, struct pz_error *err);
    // Writes the body into zeroed bytes.
    void (*emit)(const struct pz__int_plan *plan, uint8_t *body);
    // Leaves running sums to the caller, unless does_sums.
    enum pz_status (*decode)(struct pz__decoder *decoder, const struct pz__node *node,
                             const struct pz__ints *out);
    bool does_sums;
};
extern const struct pz__int_codec_ops pz__int_constant;
extern const struct pz__int_codec_ops pz__int_sequence;
extern const struct pz__int_codec_ops pz__int_runs;
extern const struct pz__int_codec_ops pz__int_packed;
extern const struct pz__int_codec_ops pz__int_delta;
extern const struct pz__int_codec_ops pz__int_dictionary;

// Chooses the smallest of the allowed codecs for 1 to PZ_CODEC_ARRAY_MAX values. `values` must
// stay as they are until the plan was emitted.
PZ_MUST_USE enum pz_status pz__int_plan(struct pz_arena *arena, const uint64_t *values,
                                        uint32_t count, unsigned allowed,
                                        const struct pz__int_plan **plan_out, struct pz_error *err);
// Writes plan->bytes bytes, which must be zero.
void pz__int_emit(const struct pz__int_plan *plan, uint8_t *out);
PZ_MUST_USE enum pz_status pz__int_append(const struct pz__int_plan *plan, struct pz_buffer *out,
                                          struct pz_error *err);

// A node's header, checked, and its body.
struct pz__node {
    unsigned codec, width, patch_width;
    uint32_t count, patch_count;
    uint64_t base, step;
    size_t bytes; // of the whole node
    const uint8_t *body;
    size_t body_bytes;
};

// Where an array is decoded to: exactly one of `wide` and `narrow`, with room for `count` values.
struct pz__ints {
    uint64_t *wide;
    uint32_t *narrow;
    uint32_t count;
    uint64_t *sum; // not NULL: value i is *sum + all before i; *sum becomes the sum of all
};

// Turns values [first, end) into the sums of those before them (delta.c).
void pz__int_sum_up(const struct pz__ints *out, uint32_t first, uint32_t end);

// One decoding: memory for inner arrays, and how deep it is.
struct pz__decoder {
    struct pz_arena *arena;
    struct pz_error *err;
    unsigned depth;
};

// Decodes the array at the head of `bytes` into out->count values; *used_out (may be NULL) is the
// length of its node.
PZ_MUST_USE enum pz_status pz__int_decode(struct pz__decoder *decoder, const uint8_t *bytes,
                                          size_t len, const struct pz__ints *out, size_t *used_out);

// ---- NULLs (nulls.c) ---------------------------------------------------------------------------

// The number is stored on disk: never renumber.
enum pz__null_form {
    PZ__NULLS_NONE = 0,
    PZ__NULLS_ALL = 1,
    PZ__NULLS_BITMAP = 2,
    PZ__NULLS_SPARSE = 3,
};
uint32_t pz__nulls_count(const struct pz_column *column, size_t first, uint32_t count);
enum pz__null_form pz__nulls_form(uint32_t null_count, uint32_t row_count, uint32_t *bytes_out);
void pz__nulls_emit(enum pz__null_form form, const struct pz_column *column, size_t first,
                    uint32_t count, uint8_t *out); // into zeroed bytes
PZ_MUST_USE enum pz_status pz__nulls_read(const struct pz_page_view *page, const uint8_t *bytes,
                                          uint64_t *valid, struct pz_error *err);

// ---- zstd (frame.c) ----------------------------------------------------------------------------

// Appends `len` bytes to work->frames, compressed when that is shorter; *stored_out is how many
// were appended (len = as they are).
PZ_MUST_USE enum pz_status pz__frame_append(struct pz_codec_work *work, const void *data,
                                            size_t len, size_t *stored_out, struct pz_error *err);
// The reverse: exactly `len` bytes from `stored` ones.
PZ_MUST_USE enum pz_status pz__frame_read(struct pz_codec_work *work, const uint8_t *bytes,
                                          size_t stored, void *out, size_t len,
                                          struct pz_error *err);

// ---- bodies of pages ---------------------------------------------------------------------------

// A body being decoded: exactly `len` bytes, which should hold `count` values.
struct pz__body {
    const uint8_t *bytes;
    size_t len;
    uint32_t count;
    uint64_t text_bytes; // texts: what their decoded bytes should add up to
};

// Doubles by their bits, NULL slots filled.
struct pz__reals {
    const uint64_t *bits;
    uint32_t count;
    size_t best_bytes; // of the best body so far: a codec that cannot beat it appends nothing
};

// Appends the smallest body for doubles.
PZ_MUST_USE enum pz_status pz__real_encode(struct pz_codec_work *work, const uint64_t *bits,
                                           uint32_t count, struct pz_buffer *out,
                                           enum pz_page_codec *codec_out, struct pz_error *err);

// The candidates. Nothing is appended when the codec cannot express the values in fewer bytes
// than reals->best_bytes.
PZ_MUST_USE enum pz_status pz__decimal_encode(struct pz_codec_work *work,
                                              const struct pz__reals *reals, struct pz_buffer *out,
                                              struct pz_error *err);
PZ_MUST_USE enum pz_status pz__decimal_decode(struct pz_codec_work *work,
                                              const struct pz__body *body, double *out,
                                              struct pz_error *err);
PZ_MUST_USE enum pz_status pz__byte_split_encode(struct pz_codec_work *work,
                                                 const struct pz__reals *reals,
                                                 struct pz_buffer *out, struct pz_error *err);
PZ_MUST_USE enum pz_status pz__byte_split_decode(struct pz_codec_work *work,
                                                 const struct pz__body *body, uint64_t *out,
                                                 struct pz_error *err);

// Texts, NULL slots empty. Appends a body.
PZ_MUST_USE enum pz_status pz__text_encode(struct pz_codec_work *work, const struct pz_str *texts,
                                           uint32_t count, struct pz_buffer *out,
                                           struct pz_error *err);
// *used_out is the length of the body, which may be less than body->len.
PZ_MUST_USE enum pz_status pz__text_decode(struct pz_codec_work *work, const struct pz__body *body,
                                           const struct pz_page_target *target, size_t *used_out,
                                           struct pz_error *err);
// Appends nothing when half of the texts or more are distinct. *text_bytes_out is the sum of the
// distinct texts' lengths.
PZ_MUST_USE enum pz_status
pz__text_dictionary_encode(struct pz_codec_work *work, const struct pz_str *texts, uint32_t count,
                           struct pz_buffer *out, uint64_t *text_bytes_out, struct pz_error *err);
PZ_MUST_USE enum pz_status pz__text_dictionary_decode(struct pz_codec_work *work,
                                                      const struct pz__body *body,
                                                      const struct pz_page_target *target,
                                                      struct pz_error *err);

#endif
