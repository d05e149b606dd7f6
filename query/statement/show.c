// SPDX-License-Identifier: Apache-2.0
// SHOW TABLES and DESCRIBE: what there is, as rows.
#include "query/statement/statement_internal.h"

// Rows of a listing: columns in the layout of slices, all of `capacity` values.
struct listing {
    uint32_t column_count;
    uint32_t capacity;
    uint32_t row_count;
    struct pz_slice slices[4];
    void *data[4];
    uint64_t *valid[4];
};

static enum pz_status
begin_listing(struct pz_command *command, const struct pz_result_column *columns,
              struct listing *listing, struct pz_error *err)
{
    struct pz_arena *arena = command->session->arena;
    for (uint32_t i = 0; i < listing->column_count; i++) {
        size_t size = pz_layout_size(pz_type_layout(columns[i].type));
        listing->data[i] = pz_arena_alloc_array(arena, (size_t)listing->capacity + 1, size);
        listing->valid[i] =
            pz_arena_alloc_zero(arena, (PZ_BIT_WORDS(listing->capacity) + 1) * sizeof(uint64_t));
        if (listing->data[i] == NULL || listing->valid[i] == NULL) {
            return pz__command_no_memory(command, err);
        }
        listing->slices[i] = (struct pz_slice){
            .type = columns[i].type, .valid = listing->valid[i], .data = listing->data[i]};
    }
    return command->sink->begin(command->sink->payload, columns, listing->column_count, err);
}

static void
put_text(struct listing *listing, uint32_t column, struct pz_str text)
{
    ((struct pz_str *)listing->data[column])[listing->row_count] = text;
    pz_bit_set(listing->valid[column], listing->row_count);
}

static void
put_null(struct listing *listing, uint32_t column)
{
    ((struct pz_str *)listing->data[column])[listing->row_count] = PZ_STR("");
}

static void
put_int(struct listing *listing, uint32_t column, int64_t value)
{
    ((int64_t *)listing->data[column])[listing->row_count] = value;
    pz_bit_set(listing->valid[column], listing->row_count);
}

// Delivers the rows, at most a vector at a time.
static enum pz_status
end_listing(struct pz_command *command, struct listing *listing, struct pz_error *err)
{
    for (uint32_t first = 0; first < listing->row_count; first += PZ_VECTOR_ROWS) {
        uint32_t left = listing->row_count - first;
        uint32_t count = left < PZ_VECTOR_ROWS ? left : PZ_VECTOR_ROWS;
        struct pz_slice part[4];
        for (uint32_t i = 0; i < listing->column_count; i++) {
            size_t size = pz_layout_size(pz_type_layout(listing->slices[i].type));
            part[i] = listing->slices[i];
            part[i].row_count = count;
            part[i].data = (const char *)listing->data[i] + first * size;
            part[i].valid = listing->valid[i] + first / 64; // a vector is whole words
        }
        PZ_TRY(
            command->sink->rows(command->sink->payload, part, listing->column_count, count, err));
    }
    command->session->stats->row_count = listing->row_count;
    command->session->stats->commit = pz_version_commit(command->session->version);
    return PZ_OK;
}

enum pz_status
pz__command_show_tables(struct pz_command *command, struct pz_error *err)
{
    static const struct pz_result_column columns[] = {{"name", PZ_TYPE_TEXT},
                                                      {"kind", PZ_TYPE_TEXT},
                                                      {"rows", PZ_TYPE_BIGINT},
                                                      {"columns", PZ_TYPE_BIGINT}};
    const struct pz_version *version = command->session->version;
    struct listing listing = {.column_count = 4, .capacity = pz_version_table_count(version)};
    PZ_TRY(begin_listing(command, columns, &listing, err));
    for (uint32_t i = 0; i < listing.capacity; i++) {
        const struct pz_table_def *table = pz_version_table_at(version, i);
        if (table->is_internal) {
            continue;
        }
        struct pz_table_rows rows;
        pz_version_rows(version, table, &rows);
        put_text(&listing, 0, pz_str_from(table->name));
        put_text(&listing, 1, PZ_STR("log"));
        put_int(&listing, 2, (int64_t)rows.row_count);
        put_int(&listing, 3, table->column_count);
        listing.row_count++;
    }
    return end_listing(command, &listing, err);
}

enum pz_status
pz__command_describe(struct pz_command *command, struct pz_error *err)
{
    static const struct pz_result_column columns[] = {{"column", PZ_TYPE_TEXT},
                                                      {"type", PZ_TYPE_TEXT},
                                                      {"nullable", PZ_TYPE_BOOLEAN},
                                                      {"note", PZ_TYPE_TEXT}};
    struct pz_binder binder = {.session = command->session, .sql = command->sql};
    const struct pz_table_def *table;
    PZ_TRY(pz_bind_table(&binder, &command->ast->table, &table, err));
    struct listing listing = {.column_count = 4, .capacity = table->column_count};
    PZ_TRY(begin_listing(command, columns, &listing, err));
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct pz_column_def *column = &table->columns[i];
        put_text(&listing, 0, pz_str_from(column->name));
        put_text(&listing, 1, pz_str_from(pz_type_name(column->type)));
        ((uint8_t *)listing.data[2])[listing.row_count] = !column->is_not_null;
        pz_bit_set(listing.valid[2], listing.row_count);
        if (i == table->time_column) {
            put_text(&listing, 3, PZ_STR("time column"));
        } else if (column->type == PZ_TYPE_SYMBOL) {
            char *note = pz_arena_printf(command->session->arena, "domain %s", column->domain_name);
            if (note == NULL) {
                return pz__command_no_memory(command, err);
            }
            put_text(&listing, 3, pz_str_from(note));
        } else {
            put_null(&listing, 3);
        }
        listing.row_count++;
    }
    return end_listing(command, &listing, err);
}
