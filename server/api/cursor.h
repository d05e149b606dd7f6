// SPDX-License-Identifier: Apache-2.0
// The feed's cursor: where the next page begins, as one opaque word.
//
// Bytes, before base64url: version 1, created_at (big-endian, sign flipped), message_id
// (big-endian), and the low 32 bits of a hash over all of these. The hash is no secret: it makes a
// cut or mistyped cursor an error instead of a wrong page.
#ifndef PZ_SERVER_API_CURSOR_H
#define PZ_SERVER_API_CURSOR_H

#include "base/status.h"
#include "base/str.h"

#define PZ_CURSOR_TEXT_MAX 32

// Writes the cursor of the page after the given message; returns its length. No NUL.
uint32_t pz_cursor_encode(int64_t created_at, int64_t message_id, char out[PZ_CURSOR_TEXT_MAX]);

// PZ_INVALID for anything that pz_cursor_encode did not write.
PZ_MUST_USE enum pz_status pz_cursor_decode(struct pz_str text, int64_t *created_at_out,
                                            int64_t *message_id_out, struct pz_error *err);

#endif
