// SPDX-License-Identifier: Apache-2.0
// Checks the members of a JSON body; see fields.h.
#include "server/api/fields.h"

#include "base/suggest.h"
#include "ingest/ingest.h"
#include "server/http/problem.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { FAULTS_MAX = 16 };

struct faults {
    const struct pz_field *fields;
    uint32_t field_count;
    uint32_t count;
    struct fault {
        struct pz_str member;
        char detail[160];
    } list[FAULTS_MAX];
};

static void PZ_PRINTF(3, 4)
    add_fault(struct faults *faults, struct pz_str member, const char *format, ...)
{
    if (faults->count == FAULTS_MAX) {
        return;
    }
    struct fault *fault = &faults->list[faults->count++];
    fault->member = member;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fault->detail, sizeof fault->detail, format, arguments);
    va_end(arguments);
}

static void
read_text(struct faults *faults, const struct pz_field *field, const struct pz_json_value *json,
          struct pz_field_value *value)
{
    struct pz_str name = pz_str_from(field->name);
    if (json->kind != PZ_JSON_STRING) {
        add_fault(faults, name, "must be a string");
        return;
    }
    struct pz_str text = json->text;
    char why[PZ_RULE_TEXT_MAX];
    if (field->kind == PZ_FIELD_NAME) {
        if (!pz_rule_takes_text(PZ_RULE_NAME, text, why)) {
            add_fault(faults, name, "%s", why);
            return;
        }
    } else if (text.len < field->min || text.len > field->max) {
        add_fault(faults, name, "must be %" PRId64 " to %" PRId64 " bytes long, is %u", field->min,
                  field->max, text.len);
        return;
    } else if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL) {
        add_fault(faults, name, "must not hold the control character U+0000");
        return;
    }
    value->text = text;
    value->is_set = true;
}

static void
read_integer(struct faults *faults, const struct pz_field *field, const struct pz_json_value *json,
             struct pz_field_value *value)
{
    struct pz_str name = pz_str_from(field->name);
    char why[PZ_RULE_TEXT_MAX];
    bool has_range = field->kind == PZ_FIELD_INTEGER;
    if (json->kind != PZ_JSON_INTEGER) {
        add_fault(faults, name, "must be an integer");
    } else if (!has_range && !pz_rule_takes_int(PZ_RULE_DURATION, json->integer, why)) {
        add_fault(faults, name, "%s", why);
    } else if (has_range && (json->integer < field->min || json->integer > field->max)) {
        add_fault(faults, name, "must be between %" PRId64 " and %" PRId64 ", is %" PRId64,
                  field->min, field->max, json->integer);
    } else {
        value->number = json->integer;
        value->is_set = true;
    }
}

static void
read_id(struct faults *faults, const struct pz_field *field, const struct pz_json_value *json,
        struct pz_field_value *value)
{
    bool is_good = json->kind == PZ_JSON_INTEGER;
    value->number = json->integer;
    if (json->kind == PZ_JSON_STRING && json->text.len > 0 && json->text.data[0] != '+') {
        is_good = pz_parse_i64(json->text, &value->number);
    }
    char why[PZ_RULE_TEXT_MAX];
    if (!is_good) {
        add_fault(faults, pz_str_from(field->name), "must be a positive integer");
    } else if (!pz_rule_takes_int(PZ_RULE_ID, value->number, why)) {
        add_fault(faults, pz_str_from(field->name), "%s", why);
    } else {
        value->is_set = true;
    }
}

static void
read_timestamp(struct faults *faults, const struct pz_field *field,
               const struct pz_json_value *json, struct pz_field_value *value)
{
    bool is_good = false;
    if (json->kind == PZ_JSON_STRING) {
        is_good = pz_ingest_parse_timestamp(json->text, &value->number);
    } else if (json->kind == PZ_JSON_INTEGER) {
        is_good = pz_ingest_timestamp_from_int(json->integer, &value->number);
    } else if (json->kind == PZ_JSON_REAL) {
        is_good = pz_ingest_timestamp_from_real(json->real, &value->number);
    }
    if (!is_good) {
        add_fault(faults, pz_str_from(field->name),
                  "must be a time, like \"2026-11-20T09:00:00Z\" or seconds since 1970");
    } else {
        value->is_set = true;
    }
}

static void
read_field(struct faults *faults, const struct pz_field *field, const struct pz_json *json,
           struct pz_field_value *value)
{
    struct pz_json_value found;
    pz_json_get(json, field->name, &found);
    *value = (struct pz_field_value){0};
    if (found.kind == PZ_JSON_ABSENT || (found.kind == PZ_JSON_NULL && !field->is_required)) {
        if (field->is_required) {
            add_fault(faults, pz_str_from(field->name), "is missing");
        }
        return;
    }
    switch (field->kind) {
    case PZ_FIELD_NAME:
    case PZ_FIELD_BODY:
        read_text(faults, field, &found, value);
        break;
    case PZ_FIELD_INTEGER:
    case PZ_FIELD_DURATION:
        read_integer(faults, field, &found, value);
        break;
    case PZ_FIELD_ID:
        read_id(faults, field, &found, value);
        break;
    case PZ_FIELD_TIMESTAMP:
        read_timestamp(faults, field, &found, value);
        break;
    }
}

static void
check_known(void *payload, struct pz_str member)
{
    struct faults *faults = payload;
    struct pz_suggestion suggestion;
    pz_suggest_begin(&suggestion, member);
    for (uint32_t i = 0; i < faults->field_count; i++) {
        struct pz_str name = pz_str_from(faults->fields[i].name);
        if (pz_str_equal(name, member)) {
            return;
        }
        (void)pz_suggest_offer(&suggestion, name);
    }
    if (suggestion.best.data != NULL) {
        add_fault(faults, member, "is not known here; did you mean \"%.*s\"?",
                  PZ_STR_ARG(suggestion.best));
    } else {
        add_fault(faults, member, "is not known here");
    }
}

// RFC 6901: "~" and "/" of a member's name are escaped.
static void
append_pointer(struct pz_request *request, struct pz_str member)
{
    struct pz_buffer pointer = {0};
    pz_buffer_append_char(&pointer, '/');
    for (uint32_t i = 0; i < member.len; i++) {
        if (member.data[i] == '~' || member.data[i] == '/') {
            pz_buffer_append_c(&pointer, member.data[i] == '~' ? "~0" : "~1");
        } else {
            pz_buffer_append_char(&pointer, member.data[i]);
        }
    }
    pz_buffer_append_json_string(&request->reply.body,
                                 (struct pz_str){pointer.data, (uint32_t)pointer.len});
    pz_buffer_fini(&pointer);
}

static void
reply_faults(struct pz_request *request, const struct faults *faults)
{
    struct pz_error err;
    const struct fault *first = &faults->list[0];
    struct pz_str shown = pz_str_cut_utf8(first->member, 80);
    (void)pz_fail(&err, PZ_UNACCEPTABLE, "\"%.*s\" %s", PZ_STR_ARG(shown), first->detail);
    pz_problem_begin(request, 422, NULL, &err);
    struct pz_buffer *body = &request->reply.body;
    pz_buffer_append_c(body, ",\"errors\":[");
    for (uint32_t i = 0; i < faults->count; i++) {
        pz_buffer_append_c(body, i == 0 ? "{\"pointer\":" : ",{\"pointer\":");
        append_pointer(request, faults->list[i].member);
        pz_buffer_append_c(body, ",\"detail\":");
        pz_buffer_append_json_string(body, pz_str_from(faults->list[i].detail));
        pz_buffer_append_char(body, '}');
    }
    pz_buffer_append_char(body, ']');
    pz_problem_end(request);
}

// False after answering with the faults.
static bool
read_fields(struct pz_request *request, const struct pz_json *json, const struct pz_field *fields,
            uint32_t count, struct pz_field_value *values)
{
    struct faults faults = {.fields = fields, .field_count = count};
    for (uint32_t i = 0; i < count; i++) {
        read_field(&faults, &fields[i], json, &values[i]);
    }
    pz_json_each(json, check_known, &faults);
    if (faults.count > 0) {
        reply_faults(request, &faults);
        return false;
    }
    return true;
}

bool
pz_fields_read_body(struct pz_request *request, const struct pz_field *fields, uint32_t count,
                    struct pz_field_value *values, struct pz_json **json_out)
{
    struct pz_error err;
    struct pz_str text = {request->body.data, (uint32_t)request->body.len};
    if (pz_json_parse(text, json_out, &err) != PZ_OK) {
        pz_problem_reply(request, &err);
        return false;
    }
    return read_fields(request, *json_out, fields, count, values);
}
