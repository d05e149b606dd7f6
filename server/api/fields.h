// SPDX-License-Identifier: Apache-2.0
// The members of a JSON body checked against a table of what the call takes; every fault is
// reported, with a pointer to it.
#ifndef PZ_SERVER_API_FIELDS_H
#define PZ_SERVER_API_FIELDS_H

#include "server/http/request.h"
#include "server/json.h"

enum pz_field_kind {
    PZ_FIELD_NAME,      // text that obeys PZ_RULE_NAME
    PZ_FIELD_BODY,      // text; anything but U+0000
    PZ_FIELD_INTEGER,   // a number without a fraction
    PZ_FIELD_DURATION,  // the same, obeying PZ_RULE_DURATION
    PZ_FIELD_ID,        // an integer that obeys PZ_RULE_ID, as a number or in digits
    PZ_FIELD_TIMESTAMP, // text or number, see pz_ingest_parse_timestamp
};

struct pz_field {
    const char *name;
    enum pz_field_kind kind;
    bool is_required;
    int64_t min, max; // INTEGER: of the value; BODY: of the length in bytes
};
struct pz_field_value {
    bool is_set;
    struct pz_str text;
    int64_t number; // INTEGER, DURATION, ID; TIMESTAMP in microseconds
};

// Parses the collected body and reads `count` fields into values[0 .. count - 1]. Returns false
// after answering: with a 400 when the body is no JSON object, with a 422 that lists every fault
// when a member is missing, of a wrong type, out of range, or unknown. The caller frees *json_out,
// which the values borrow from, in any case.
bool pz_fields_read_body(struct pz_request *request, const struct pz_field *fields, uint32_t count,
                         struct pz_field_value *values, struct pz_json **json_out);

#endif
