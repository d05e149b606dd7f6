// SPDX-License-Identifier: Apache-2.0
// Small JSON documents as trees. json.c is the only file that sees the JSON library.
//
// Only for bodies of at most 1 MiB: a tree can take many times the size of its text.
#ifndef PZ_SERVER_JSON_H
#define PZ_SERVER_JSON_H

#include "base/status.h"
#include "base/str.h"

#define PZ_JSON_BODY_MAX (1024 * 1024)
#define PZ_JSON_DEPTH_MAX 64

struct pz_json; // a document whose top is an object

enum pz_json_kind {
    PZ_JSON_ABSENT,
    PZ_JSON_NULL,
    PZ_JSON_BOOLEAN,
    PZ_JSON_INTEGER,
    PZ_JSON_REAL,
    PZ_JSON_STRING,
    PZ_JSON_OTHER, // an array or an object
};
struct pz_json_value {
    enum pz_json_kind kind;
    int64_t integer;
    double real;
    struct pz_str text; // borrowed from the document
};

// PZ_INVALID       not JSON, not UTF-8, a member twice, deeper than PZ_JSON_DEPTH_MAX
// PZ_UNACCEPTABLE  not an object, or a number that fits neither BIGINT nor DOUBLE
PZ_MUST_USE enum pz_status pz_json_parse(struct pz_str text, struct pz_json **json_out,
                                         struct pz_error *err);
void pz_json_free(struct pz_json *json); // NULL is ignored

void pz_json_get(const struct pz_json *json, const char *name, struct pz_json_value *value_out);

// Calls each(payload, name) for every member, in the document's order.
void pz_json_each(const struct pz_json *json, void (*each)(void *payload, struct pz_str name),
                  void *payload);

// Calls each(payload, item) for every object in the array member `name`; none when it is no array.
void pz_json_each_item(const struct pz_json *json, const char *name,
                       void (*each)(void *payload, const struct pz_json *item), void *payload);

#endif
