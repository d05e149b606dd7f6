// SPDX-License-Identifier: Apache-2.0
// Text: the lengths as an array of integers, so that they can be read without inflating anything,
// and the bytes in zstd frames.
//
// A frame holds whole vectors of 2,048 rows up to 128 KiB; a vector longer than that is cut between
// rows, and a single text longer than that is a frame of its own.
//
// Body: u32 frame count, u32 zero; the array of lengths; for each frame u32 rows and u32 stored
// bytes (equal to the rows' length: as they are); the frames one after the other, filled up to 8
// bytes.
#include "storage/codec/codec_internal.h"

#define FRAME_BYTES_MAX (128u << 10)
#define FRAME_ENTRY 8u
#define HEAD_BYTES 8u

// The first row that does not belong to the frame that begins at `first`.
static uint32_t
frame_end(const struct pz_str *texts, uint32_t count, uint32_t first, uint64_t *bytes_out)
{
    uint64_t bytes = 0;
    uint64_t whole_bytes = 0; // up to whole_end
    uint32_t whole_end = first;
    uint32_t row = first;
    while (row < count && (bytes + texts[row].len <= FRAME_BYTES_MAX || row == first)) {
        bytes += texts[row].len;
        row++;
        if (row % PZ_VECTOR_ROWS == 0 || row == count) {
            whole_bytes = bytes;
            whole_end = row;
        }
    }
    bool has_whole_vector = whole_end > first;
    *bytes_out = has_whole_vector ? whole_bytes : bytes;
    return has_whole_vector ? whole_end : row;
}

static enum pz_status
append_frames(struct pz_codec_work *work, const struct pz_str *texts, uint32_t count,
              struct pz_buffer *table, struct pz_error *err)
{
    struct pz_buffer raw = {0};
    enum pz_status status = PZ_OK;
    pz_buffer_clear(&work->frames);
    for (uint32_t row = 0; row < count && status == PZ_OK;) {
        uint64_t bytes;
        uint32_t end = frame_end(texts, count, row, &bytes);
        pz_buffer_clear(&raw);
        for (uint32_t i = row; i < end; i++) {
            pz_buffer_append(&raw, texts[i].data, texts[i].len);
        }
        if (raw.is_failed) {
            status = pz__codec_no_memory(err);
            break;
        }
        PZ_ASSERT(raw.len == bytes);
        size_t stored = 0;
        if (bytes > 0) {
            status = pz__frame_append(work, raw.data, raw.len, &stored, err);
        }
        uint8_t entry[FRAME_ENTRY];
        pz_store_le32(entry, end - row);
        pz_store_le32(entry + 4, (uint32_t)stored);
        pz_buffer_append(table, entry, sizeof(entry));
        row = end;
    }
    pz_buffer_fini(&raw);
    return status;
}

enum pz_status
pz__text_encode(struct pz_codec_work *work, const struct pz_str *texts, uint32_t count,
                struct pz_buffer *out, struct pz_error *err)
{
    struct pz_buffer table = {0};
    enum pz_status status;
    const struct pz__int_plan *lengths = NULL;
    uint64_t *values = pz_arena_alloc_array(&work->arena, count, sizeof(*values));
    if (values == NULL) {
        return pz__codec_no_memory(err);
    }
    for (uint32_t i = 0; i < count; i++) {
        values[i] = texts[i].len;
    }
    status = pz__int_plan(&work->arena, values, count, PZ__INT_ALL, &lengths, err);
    if (status != PZ_OK) {
        goto out;
    }
    status = append_frames(work, texts, count, &table, err);
    if (status != PZ_OK) {
        goto out;
    }
    size_t bytes = HEAD_BYTES + lengths->bytes + table.len + pz__round8(work->frames.len);
    uint8_t *at = table.is_failed ? NULL : pz__append_zero(out, bytes);
    if (at == NULL) {
        status = pz__codec_no_memory(err);
        goto out;
    }
    pz_store_le32(at, (uint32_t)(table.len / FRAME_ENTRY));
    pz__int_emit(lengths, at + HEAD_BYTES);
    at += HEAD_BYTES + lengths->bytes;
    memcpy(at, table.data, table.len);
    if (work->frames.len > 0) {
        memcpy(at + table.len, work->frames.data, work->frames.len);
    }
out:
    pz_buffer_fini(&table);
    return status;
}

// Bytes of `rows` texts from `first` on.
static uint64_t
sum_lengths(const uint32_t *lengths, uint32_t first, uint32_t rows)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < rows; i++) {
        sum += lengths[first + i];
    }
    return sum;
}

static enum pz_status
read_lengths(struct pz_codec_work *work, const struct pz__body *body, uint32_t *lengths,
             size_t *used_out, struct pz_error *err)
{
    struct pz__decoder decoder = {.arena = &work->arena, .err = err};
    struct pz__ints ints = {.narrow = lengths, .count = body->count};
    PZ_TRY(pz__int_decode(&decoder, body->bytes + HEAD_BYTES, body->len - HEAD_BYTES, &ints,
                          used_out));
    uint64_t total = sum_lengths(lengths, 0, body->count);
    if (total != body->text_bytes) {
        return pz_fail(err, PZ_CORRUPT, "texts of %llu bytes where %llu belong",
                       (unsigned long long)total, (unsigned long long)body->text_bytes);
    }
    return PZ_OK;
}

// The frames of a body being read.
struct frames {
    const uint8_t *table;
    uint32_t count;
    const uint8_t *bytes;
    size_t len;
    const uint32_t *lengths; // of the texts
};

static enum pz_status
read_frames(struct pz_codec_work *work, const struct frames *frames, const struct pz__body *body,
            char *text, size_t *used_out, struct pz_error *err)
{
    uint32_t row = 0;
    uint64_t text_at = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < frames->count; i++) {
        uint32_t rows = pz_load_le32(frames->table + (size_t)i * FRAME_ENTRY);
        uint32_t stored = pz_load_le32(frames->table + (size_t)i * FRAME_ENTRY + 4);
        if (rows == 0 || rows > body->count - row || stored > frames->len - at) {
            return pz_fail(err, PZ_CORRUPT, "frame %u has %u rows in %u bytes", i, rows, stored);
        }
        uint64_t bytes = sum_lengths(frames->lengths, row, rows);
        if (bytes > 0) {
            PZ_TRY(pz__frame_read(work, frames->bytes + at, stored, text + text_at, bytes, err));
        }
        text_at += bytes;
        at += stored;
        row += rows;
    }
    if (row != body->count) {
        return pz_fail(err, PZ_CORRUPT, "frames of %u rows where %u belong", row, body->count);
    }
    *used_out = pz__round8(at);
    return PZ_OK;
}

enum pz_status
pz__text_decode(struct pz_codec_work *work, const struct pz__body *body,
                const struct pz_page_target *target, size_t *used_out, struct pz_error *err)
{
    if (body->len < HEAD_BYTES) {
        return pz_fail(err, PZ_CORRUPT, "%zu bytes left for texts", body->len);
    }
    uint32_t *lengths = pz_arena_alloc_array(&work->arena, body->count, sizeof(*lengths));
    if (lengths == NULL) {
        return pz__codec_no_memory(err);
    }
    size_t lengths_bytes;
    PZ_TRY(read_lengths(work, body, lengths, &lengths_bytes, err));
    size_t table_at = HEAD_BYTES + lengths_bytes;
    struct frames frames = {
        .table = body->bytes + table_at, .count = pz_load_le32(body->bytes), .lengths = lengths};
    if (frames.count > (body->len - table_at) / FRAME_ENTRY) {
        return pz_fail(err, PZ_CORRUPT, "%u frames in %zu bytes", frames.count,
                       body->len - table_at);
    }
    size_t frames_at = table_at + (size_t)frames.count * FRAME_ENTRY;
    frames.bytes = body->bytes + frames_at;
    frames.len = body->len - frames_at;
    size_t frames_bytes = 0;
    PZ_TRY(read_frames(work, &frames, body, target->text, &frames_bytes, err));
    *used_out = frames_at + frames_bytes;
    struct pz_str *out = target->data;
    const char *text = target->text;
    for (uint32_t i = 0; i < body->count; i++) {
        out[i] = (struct pz_str){text, lengths[i]};
        text += lengths[i];
    }
    return PZ_OK;
}
