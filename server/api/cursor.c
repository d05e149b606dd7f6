// SPDX-License-Identifier: Apache-2.0
// Writes and reads the feed's cursor; see cursor.h.
#include "server/api/cursor.h"

#include "base/hash.h"
#include "base/num.h"
#include "server/http/uri.h"

enum { VERSION = 1, CHECKED_BYTES = 17, CURSOR_BYTES = 21 };
_Static_assert(PZ_BASE64_LEN(CURSOR_BYTES) <= PZ_CURSOR_TEXT_MAX, "room for the text");

static uint32_t
checksum(const unsigned char *bytes)
{
    return (uint32_t)pz_hash_bytes(bytes, CHECKED_BYTES);
}

uint32_t
pz_cursor_encode(int64_t created_at, int64_t message_id, char out[PZ_CURSOR_TEXT_MAX])
{
    unsigned char bytes[CURSOR_BYTES];
    bytes[0] = VERSION;
    pz_store_be64(bytes + 1, (uint64_t)created_at ^ UINT64_C(1) << 63);
    pz_store_be64(bytes + 9, (uint64_t)message_id);
    pz_store_be32(bytes + CHECKED_BYTES, checksum(bytes));
    return pz_base64url_encode(bytes, CURSOR_BYTES, out);
}

enum pz_status
pz_cursor_decode(struct pz_str text, int64_t *created_at_out, int64_t *message_id_out,
                 struct pz_error *err)
{
    unsigned char bytes[CURSOR_BYTES];
    uint32_t len = 0;
    if (!pz_base64url_decode(text, bytes, sizeof bytes, &len) || len != sizeof bytes ||
        bytes[0] != VERSION || pz_load_be32(bytes + CHECKED_BYTES) != checksum(bytes)) {
        return pz_fail(err, PZ_INVALID, "the cursor is not one that this server gave out");
    }
    *created_at_out = (int64_t)(pz_load_be64(bytes + 1) ^ UINT64_C(1) << 63);
    *message_id_out = (int64_t)pz_load_be64(bytes + 9);
    return PZ_OK;
}
