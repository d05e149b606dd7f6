// SPDX-License-Identifier: Apache-2.0
// Writing and reading small binary records, little-endian, with bounds checked while reading.
#ifndef PZ_BASE_BYTES_H
#define PZ_BASE_BYTES_H

#include "base/arena.h"
#include "base/num.h"

static inline void
pz_put_u8(struct pz_buffer *out, uint8_t value)
{
    pz_buffer_append(out, &value, 1);
}
static inline void
pz_put_u32(struct pz_buffer *out, uint32_t value)
{
    char bytes[4];
    pz_store_le32(bytes, value);
    pz_buffer_append(out, bytes, sizeof bytes);
}
static inline void
pz_put_u64(struct pz_buffer *out, uint64_t value)
{
    char bytes[8];
    pz_store_le64(bytes, value);
    pz_buffer_append(out, bytes, sizeof bytes);
}
// Length (u32), then the bytes.
static inline void
pz_put_str(struct pz_buffer *out, struct pz_str text)
{
    pz_put_u32(out, text.len);
    pz_buffer_append(out, text.data, text.len);
}

// A cursor over borrowed bytes. A read past the end gives zeros and sets has_failed; check once at
// the end.
struct pz_reader {
    const char *next;
    size_t left;
    bool has_failed;
};
static inline struct pz_reader
pz_reader_of(const void *data, size_t len)
{
    return (struct pz_reader){.next = (const char *)data, .left = len};
}
// `len` bytes, borrowed, or NULL.
static inline const char *
pz_get_bytes(struct pz_reader *reader, size_t len)
{
    if (reader->has_failed || reader->left < len) {
        reader->has_failed = true;
        return NULL;
    }
    const char *bytes = reader->next;
    reader->next += len;
    reader->left -= len;
    return bytes;
}
static inline uint8_t
pz_get_u8(struct pz_reader *reader)
{
    const char *bytes = pz_get_bytes(reader, 1);
    return bytes == NULL ? 0 : (uint8_t)bytes[0];
}
static inline uint32_t
pz_get_u32(struct pz_reader *reader)
{
    const char *bytes = pz_get_bytes(reader, 4);
    return bytes == NULL ? 0 : pz_load_le32(bytes);
}
static inline uint64_t
pz_get_u64(struct pz_reader *reader)
{
    const char *bytes = pz_get_bytes(reader, 8);
    return bytes == NULL ? 0 : pz_load_le64(bytes);
}
static inline struct pz_str
pz_get_str(struct pz_reader *reader)
{
    uint32_t len = pz_get_u32(reader);
    const char *bytes = pz_get_bytes(reader, len);
    return bytes == NULL ? (struct pz_str){"", 0} : (struct pz_str){bytes, len};
}
// Copies a stored name into a fixed NUL-terminated field; fails when it does not fit.
static inline void
pz_get_name(struct pz_reader *reader, char *out, size_t capacity)
{
    struct pz_str text = pz_get_str(reader);
    if (!pz_str_to_c(text, out, capacity)) {
        reader->has_failed = true;
    }
}

#endif
