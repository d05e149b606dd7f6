// SPDX-License-Identifier: Apache-2.0
// The one room that sees jansson: small documents to trees; see json.h.
#include "server/json.h"

#include <jansson.h>

// Nesting of the text, before the library, which would recurse 2,048 deep, sees it.
static bool
is_too_deep(struct pz_str text)
{
    unsigned depth = 0;
    bool is_string = false;
    for (uint32_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (is_string) {
            i += c == '\\';
            is_string = c != '"';
        } else if (c == '"') {
            is_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > PZ_JSON_DEPTH_MAX) {
                return true;
            }
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

enum pz_status
pz_json_parse(struct pz_str text, struct pz_json **json_out, struct pz_error *err)
{
    *json_out = NULL;
    if (is_too_deep(text)) {
        return pz_fail(err, PZ_INVALID, "the JSON is nested deeper than %d levels",
                       PZ_JSON_DEPTH_MAX);
    }
    json_error_t error;
    // U+0000 passes here, so that its place can be named when a field does not take it.
    json_t *json = json_loadb(text.len == 0 ? "" : text.data, text.len,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    if (json == NULL) {
        if (json_error_code(&error) == json_error_numeric_overflow) {
            return pz_fail(err, PZ_UNACCEPTABLE, "line %d, column %d: the number is too large",
                           error.line, error.column);
        }
        return pz_fail(err, PZ_INVALID, "not valid JSON at line %d, column %d: %s", error.line,
                       error.column, error.text);
    }
    if (!json_is_object(json)) {
        json_decref(json);
        return pz_fail(err, PZ_UNACCEPTABLE, "the body must be one JSON object");
    }
    *json_out = (struct pz_json *)json;
    return PZ_OK;
}

void
pz_json_free(struct pz_json *json)
{
    json_decref((json_t *)json);
}

void
pz_json_get(const struct pz_json *json, const char *name, struct pz_json_value *value_out)
{
    *value_out = (struct pz_json_value){.kind = PZ_JSON_ABSENT};
    const json_t *value = json_object_get((const json_t *)json, name);
    if (value == NULL) {
        return;
    }
    switch (json_typeof(value)) {
    case JSON_NULL:
        value_out->kind = PZ_JSON_NULL;
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        value_out->kind = PZ_JSON_BOOLEAN;
        value_out->integer = json_is_true(value);
        break;
    case JSON_INTEGER:
        value_out->kind = PZ_JSON_INTEGER;
        value_out->integer = json_integer_value(value);
        break;
    case JSON_REAL:
        value_out->kind = PZ_JSON_REAL;
        value_out->real = json_real_value(value);
        break;
    case JSON_STRING:
        value_out->kind = PZ_JSON_STRING;
        value_out->text =
            (struct pz_str){json_string_value(value), (uint32_t)json_string_length(value)};
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        value_out->kind = PZ_JSON_OTHER;
        break;
    }
}

void
pz_json_each(const struct pz_json *json, void (*each)(void *payload, struct pz_str name),
             void *payload)
{
    json_t *object = (json_t *)(uintptr_t)json; // the library's iterators take non-const
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        each(payload, pz_str_from(json_object_iter_key(at)));
    }
}

void
pz_json_each_item(const struct pz_json *json, const char *name,
                  void (*each)(void *payload, const struct pz_json *item), void *payload)
{
    const json_t *array = json_object_get((const json_t *)json, name);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        if (json_is_object(item)) {
            each(payload, (const struct pz_json *)item);
        }
    }
}
