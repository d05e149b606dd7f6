// SPDX-License-Identifier: Apache-2.0
// Paths, query parameters and header values as HTTP writes them, taken apart.
//
// A path is split on "/" first and each segment decoded afterwards, so an encoded slash can never
// make two segments out of one. Nothing here is ever used as a file name.
#ifndef PZ_SERVER_HTTP_URI_H
#define PZ_SERVER_HTTP_URI_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

#define PZ_PATH_SEGMENTS_MAX 8

// The decoded segments of a path: "/v1/messages/7" has three; "/" has none.
struct pz_path {
    struct pz_str segments[PZ_PATH_SEGMENTS_MAX];
    uint32_t count;
};

// Splits and decodes `raw` (the path of a request line, without the query). Segments point into
// `room`, which has strlen(raw) + 1 bytes and must outlive the path.
//
// Returns  PZ_INVALID    no leading "/", a bad or cut escape, an encoded NUL or slash, a segment
//                        "." or "..", a control character
//          PZ_NOT_FOUND  more segments than any route has
PZ_MUST_USE enum pz_status pz_path_parse(const char *raw, char *room, struct pz_path *path_out,
                                         struct pz_error *err);

// Decodes %XX in place. Returns false at a bad escape, an encoded NUL or a control character.
bool pz_uri_decode(char *text, uint32_t *len);

// Appends `text` with everything but unreserved characters escaped.
void pz_uri_encode(struct pz_buffer *buffer, struct pz_str text);

// "text/csv; header=present" → "text/csv", without blanks around it.
struct pz_str pz_media_type(struct pz_str header);

// How much an Accept header wants a media type: its q value in thousandths, 0 = not at all. The
// most specific range wins. An empty header accepts everything.
unsigned pz_accept_quality(struct pz_str accept, struct pz_str type);

// The host of a Host header without its port: "[::1]:7780" → "[::1]".
struct pz_str pz_host_name(struct pz_str host);

// Base64 with the URL alphabet and without padding. `out` of encode has room for
// PZ_BASE64_LEN(len) bytes; decode returns false for anything encode would not have written.
#define PZ_BASE64_LEN(len) (((len)*4 + 2) / 3)
uint32_t pz_base64url_encode(const void *data, uint32_t len, char *out);
bool pz_base64url_decode(struct pz_str text, void *out, uint32_t capacity, uint32_t *len_out);

#endif
