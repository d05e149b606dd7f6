// SPDX-License-Identifier: Apache-2.0
// Names of fields against names of columns: the map a caller gives, look-up by hash, and the guess
// what a misspelt name was meant to be.
#include "ingest/field.h"

#include "base/hash.h"
#include "base/suggest.h"
#include "ingest/scan.h"

static enum pz_status
parse_rename(struct pz_str text, struct pz_arena *arena, struct pz_field_rename *out,
             struct pz_error *err)
{
    const char *equals = text.len == 0 ? NULL : memchr(text.data, '=', text.len);
    if (equals == NULL) {
        pz_fail(err, PZ_INVALID, "the field map holds \"%.*s\", which is not column=field",
                PZ_STR_ARG(text));
        pz_error_hint(err, "write e.g. user_id=user,body=text");
        return PZ_INVALID;
    }
    uint32_t column_len = (uint32_t)(equals - text.data);
    struct pz_str column = pz_str_trim((struct pz_str){text.data, column_len});
    struct pz_str field = pz_str_trim((struct pz_str){equals + 1, text.len - column_len - 1});
    if (column.len == 0 || field.len == 0) {
        return pz_fail(err, PZ_INVALID, "the field map holds \"%.*s\": a name is empty",
                       PZ_STR_ARG(text));
    }
    out->column = pz_arena_copy(arena, column);
    out->field = pz_arena_copy(arena, field);
    return out->column.data == NULL || out->field.data == NULL
               ? pz_fail(err, PZ_NO_MEMORY, "no memory for the field map")
               : PZ_OK;
}

enum pz_status
pz_field_map_parse(struct pz_str text, struct pz_arena *arena, struct pz_field_map *map_out,
                   struct pz_error *err)
{
    *map_out = (struct pz_field_map){0};
    if (!pz_utf8_is_valid(text.data, text.len, NULL)) {
        return pz_fail(err, PZ_INVALID, "the field map is not valid UTF-8");
    }
    if (pz_str_trim(text).len == 0) {
        return PZ_OK;
    }
    size_t count = 1;
    for (uint32_t i = 0; i < text.len; i++) {
        count += text.data[i] == ',';
    }
    if (count > PZ_COLUMNS_MAX) {
        return pz_fail(err, PZ_INVALID, "the field map has %zu entries, at most %d are possible",
                       count, PZ_COLUMNS_MAX);
    }
    map_out->renames = pz_arena_alloc_array(arena, count, sizeof(*map_out->renames));
    if (map_out->renames == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for the field map");
    }
    while (map_out->count < count) {
        const char *comma = memchr(text.data, ',', text.len);
        uint32_t len = comma == NULL ? text.len : (uint32_t)(comma - text.data);
        PZ_TRY(parse_rename((struct pz_str){text.data, len}, arena,
                            &map_out->renames[map_out->count], err));
        map_out->count++;
        uint32_t step = comma == NULL ? len : len + 1;
        text.data += step;
        text.len -= step;
    }
    return PZ_OK;
}

// The nearest of the table's columns, for a hint.
static void
hint_column(const struct pz_table_def *def, struct pz_str name, struct pz_error *err)
{
    struct pz_suggestion suggestion;
    pz_suggest_begin(&suggestion, name);
    for (uint32_t i = 0; i < def->column_count; i++) {
        (void)pz_suggest_offer(&suggestion, pz_str_from(def->columns[i].name));
    }
    (void)pz_suggest_hint(&suggestion, err);
}

static enum pz_status
apply_rename(struct pz__field_table *table, const struct pz_field_map *map, uint32_t index,
             struct pz_error *err)
{
    const struct pz_field_rename *rename = &map->renames[index];
    uint32_t column = pz_table_def_find(table->def, rename->column);
    if (column == PZ_NO_COLUMN) {
        pz_fail(err, PZ_INVALID,
                "the field map names column \"%.*s\", which table %s does not have",
                PZ_STR_ARG(rename->column), table->def->name);
        hint_column(table->def, rename->column, err);
        return PZ_INVALID;
    }
    for (uint32_t i = 0; i < index; i++) {
        if (pz_table_def_find(table->def, map->renames[i].column) == column) {
            return pz_fail(err, PZ_INVALID, "the field map names column \"%s\" twice",
                           table->def->columns[column].name);
        }
        if (pz_str_equal(map->renames[i].field, rename->field)) {
            return pz_fail(err, PZ_INVALID, "the field map uses field \"%.*s\" twice",
                           PZ_STR_ARG(rename->field));
        }
    }
    table->fields[column].name = pz_arena_copy(&table->arena, rename->field);
    return table->fields[column].name.data == NULL
               ? pz_fail(err, PZ_NO_MEMORY, "no memory for the field map")
               : PZ_OK;
}

// A column loses its own name where the map gives that field to another column.
static void
drop_taken_names(struct pz__field_table *table, const struct pz_field_map *map)
{
    for (uint32_t i = 0; i < map->count; i++) {
        uint32_t taker = pz_table_def_find(table->def, map->renames[i].column);
        for (uint32_t c = 0; c < table->def->column_count; c++) {
            if (c != taker && pz_str_equal(table->fields[c].name, map->renames[i].field)) {
                table->fields[c].name = (struct pz_str){0};
            }
        }
    }
}

static bool
is_plain(struct pz_str name)
{
    const char *end = name.data + name.len;
    return name.len > 0 && pz__scan_string(name.data, end, end) == end;
}

static enum pz_status
build_slots(struct pz__field_table *table, struct pz_error *err)
{
    uint32_t capacity = 16;
    while (capacity < table->def->column_count * 2) {
        capacity *= 2;
    }
    table->slots = pz_arena_alloc_zero(&table->arena, capacity * sizeof(*table->slots));
    if (table->slots == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for the fields of table %s", table->def->name);
    }
    table->slot_mask = capacity - 1;
    for (uint32_t i = 0; i < table->def->column_count; i++) {
        struct pz__field *field = &table->fields[i];
        field->is_plain = is_plain(field->name);
        if (field->name.len == 0) {
            continue;
        }
        uint64_t at = pz_hash_bytes(field->name.data, field->name.len);
        while (table->slots[at & table->slot_mask] != 0) {
            at++;
        }
        table->slots[at & table->slot_mask] = i + 1;
    }
    return PZ_OK;
}

enum pz_status
pz__field_table_init(struct pz__field_table *table, const struct pz_table_def *def,
                     const struct pz_field_map *map, struct pz_error *err)
{
    *table = (struct pz__field_table){.def = def};
    pz_arena_init(&table->arena, NULL);
    table->fields =
        pz_arena_alloc_array(&table->arena, def->column_count + 1, sizeof(*table->fields));
    if (table->fields == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for the fields of table %s", def->name);
    }
    for (uint32_t i = 0; i < def->column_count; i++) {
        table->fields[i] = (struct pz__field){.name = pz_str_from(def->columns[i].name)};
    }
    for (uint32_t i = 0; map != NULL && i < map->count; i++) {
        PZ_TRY(apply_rename(table, map, i, err));
    }
    if (map != NULL) {
        drop_taken_names(table, map);
    }
    return build_slots(table, err);
}

void
pz__field_table_fini(struct pz__field_table *table)
{
    pz_arena_fini(&table->arena);
    *table = (struct pz__field_table){0};
}

uint32_t
pz__field_find(const struct pz__field_table *table, struct pz_str name)
{
    uint64_t at = pz_hash_bytes(name.data, name.len);
    for (;; at++) {
        uint32_t slot = table->slots[at & table->slot_mask];
        if (slot == 0) {
            return PZ_NO_COLUMN;
        }
        if (pz_str_equal(table->fields[slot - 1].name, name)) {
            return slot - 1;
        }
    }
}

struct pz_str
pz__field_suggest(const struct pz__field_table *table, struct pz_str name)
{
    struct pz_suggestion suggestion;
    pz_suggest_begin(&suggestion, name);
    for (uint32_t i = 0; i < table->def->column_count; i++) {
        (void)pz_suggest_offer(&suggestion, table->fields[i].name);
    }
    return suggestion.best;
}
