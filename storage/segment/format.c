// SPDX-License-Identifier: Apache-2.0
// Header and trailer of a segment file.
#include "base/hash.h"
#include "storage/segment/segment_internal.h"

#define HEADER_AT(member) offsetof(struct pz__segment_header, member)
#define TRAILER_AT(member) offsetof(struct pz__segment_trailer, member)

void
pz__header_encode(const struct pz__footer *footer, uint8_t *out)
{
    memset(out, 0, PZ__SEGMENT_HEADER_BYTES);
    memcpy(out, PZ__SEGMENT_MAGIC, PZ__SEGMENT_MAGIC_BYTES);
    pz_store_le16(out + HEADER_AT(major), PZ__SEGMENT_MAJOR);
    pz_store_le16(out + HEADER_AT(minor), PZ__SEGMENT_MINOR);
    pz_store_le32(out + HEADER_AT(table_id), footer->info.table_id);
    pz_store_le64(out + HEADER_AT(segment_id), footer->info.segment_id);
    pz_store_le64(out + HEADER_AT(row_count), footer->info.row_count);
    pz_store_le32(out + HEADER_AT(column_count), footer->column_count);
    pz_store_le32(out + HEADER_AT(block_count), footer->block_count);
    pz_store_le64(out + HEADER_AT(checksum), pz_hash_bytes(out, HEADER_AT(checksum)));
}

// Magic, version and the checksum of what lies before it: what header and trailer share.
static enum pz_status
check_frame(const char *what, const uint8_t *magic, const uint8_t *version, const uint8_t *bytes,
            size_t checksum_at, struct pz_error *err)
{
    if (memcmp(magic, PZ__SEGMENT_MAGIC, PZ__SEGMENT_MAGIC_BYTES) != 0) {
        return pz_fail(err, PZ_CORRUPT, "the %s has no %s mark", what, PZ__SEGMENT_MAGIC);
    }
    if (pz_load_le16(version) != PZ__SEGMENT_MAJOR) {
        return pz_fail(err, PZ_UNSUPPORTED, "the %s says format %u, this plaza reads format %u",
                       what, pz_load_le16(version), PZ__SEGMENT_MAJOR);
    }
    uint64_t found = pz_hash_bytes(bytes, checksum_at);
    if (found != pz_load_le64(bytes + checksum_at)) {
        return pz_fail(err, PZ_CORRUPT, "the %s's checksum is %016llx, it says %016llx", what,
                       (unsigned long long)found,
                       (unsigned long long)pz_load_le64(bytes + checksum_at));
    }
    return PZ_OK;
}

enum pz_status
pz__header_check(const uint8_t *bytes, const struct pz__footer *footer, struct pz_error *err)
{
    PZ_TRY(check_frame("header", bytes, bytes + HEADER_AT(major), bytes, HEADER_AT(checksum), err));
    if (pz_load_le32(bytes + HEADER_AT(table_id)) != footer->info.table_id ||
        pz_load_le64(bytes + HEADER_AT(segment_id)) != footer->info.segment_id ||
        pz_load_le64(bytes + HEADER_AT(row_count)) != footer->info.row_count ||
        pz_load_le32(bytes + HEADER_AT(column_count)) != footer->column_count ||
        pz_load_le32(bytes + HEADER_AT(block_count)) != footer->block_count) {
        return pz_fail(err, PZ_CORRUPT, "header and footer disagree");
    }
    return PZ_OK;
}

void
pz__trailer_encode(const struct pz__trailer *trailer, uint8_t *out)
{
    memset(out, 0, PZ__SEGMENT_TRAILER_BYTES);
    pz_store_le64(out + TRAILER_AT(footer_offset), trailer->footer_offset);
    pz_store_le64(out + TRAILER_AT(footer_bytes), trailer->footer_bytes);
    pz_store_le64(out + TRAILER_AT(footer_checksum), trailer->footer_checksum);
    pz_store_le64(out + TRAILER_AT(segment_id), trailer->segment_id);
    pz_store_le64(out + TRAILER_AT(file_bytes), trailer->file_bytes);
    pz_store_le64(out + TRAILER_AT(checksum), pz_hash_bytes(out, TRAILER_AT(checksum)));
    pz_store_le16(out + TRAILER_AT(major), PZ__SEGMENT_MAJOR);
    pz_store_le16(out + TRAILER_AT(minor), PZ__SEGMENT_MINOR);
    memcpy(out + TRAILER_AT(magic), PZ__SEGMENT_MAGIC, PZ__SEGMENT_MAGIC_BYTES);
}

enum pz_status
pz__trailer_decode(const uint8_t *bytes, uint64_t file_bytes, struct pz__trailer *trailer,
                   struct pz_error *err)
{
    PZ_TRY(check_frame("trailer", bytes + TRAILER_AT(magic), bytes + TRAILER_AT(major), bytes,
                       TRAILER_AT(checksum), err));
    *trailer = (struct pz__trailer){
        .footer_offset = pz_load_le64(bytes + TRAILER_AT(footer_offset)),
        .footer_bytes = pz_load_le64(bytes + TRAILER_AT(footer_bytes)),
        .footer_checksum = pz_load_le64(bytes + TRAILER_AT(footer_checksum)),
        .segment_id = pz_load_le64(bytes + TRAILER_AT(segment_id)),
        .file_bytes = pz_load_le64(bytes + TRAILER_AT(file_bytes)),
    };
    if (trailer->file_bytes != file_bytes) {
        return pz_fail(err, PZ_CORRUPT, "the file has %llu bytes, the trailer says %llu",
                       (unsigned long long)file_bytes, (unsigned long long)trailer->file_bytes);
    }
    uint64_t end = file_bytes - PZ__SEGMENT_TRAILER_BYTES;
    if (trailer->footer_offset < PZ__SEGMENT_HEADER_BYTES || trailer->footer_offset > end ||
        trailer->footer_offset % PZ__SEGMENT_ALIGNMENT != 0 ||
        trailer->footer_bytes > end - trailer->footer_offset ||
        trailer->footer_bytes > PZ__SEGMENT_FOOTER_BYTES_MAX) {
        return pz_fail(err, PZ_CORRUPT, "footer of %llu bytes at %llu in a file of %llu",
                       (unsigned long long)trailer->footer_bytes,
                       (unsigned long long)trailer->footer_offset, (unsigned long long)file_bytes);
    }
    return PZ_OK;
}
