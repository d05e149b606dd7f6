// SPDX-License-Identifier: Apache-2.0
// Rows kept. A part is filled before the next one is begun, so that parts are full vectors again
// however few rows of each portion were selected.
#include "query/exec/rowset.h"

void
pz_rowset_init(struct pz_rowset *set, struct pz_arena *arena, uint32_t column_count,
               uint32_t part_rows)
{
    *set = (struct pz_rowset){.arena = arena, .column_count = column_count, .part_rows = part_rows};
}

static bool
add_part(struct pz_rowset *set, const struct pz_vector *like)
{
    if (set->part_count == set->part_capacity) {
        uint32_t capacity = set->part_capacity == 0 ? 8 : set->part_capacity * 2;
        struct pz_rowset_part *parts = pz_arena_alloc_array(set->arena, capacity, sizeof(*parts));
        if (parts == NULL) {
            return false;
        }
        if (set->part_count > 0) {
            memcpy(parts, set->parts, set->part_count * sizeof(*parts));
        }
        set->parts = parts;
        set->part_capacity = capacity;
    }
    struct pz_vector *columns =
        pz_arena_alloc_array(set->arena, set->column_count, sizeof(*columns));
    if (columns == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < set->column_count; i++) {
        void *data = pz_arena_alloc_array(set->arena, set->part_rows, pz_value_size(like[i].type));
        if (data == NULL) {
            return false;
        }
        columns[i] =
            (struct pz_vector){.type = like[i].type, .domain_id = like[i].domain_id, .data = data};
    }
    set->parts[set->part_count++] = (struct pz_rowset_part){0, columns};
    return true;
}

// Validity of a part's column, made when the first NULL comes.
static uint64_t *
make_valid(struct pz_rowset *set, struct pz_vector *column)
{
    if (column->valid == NULL) {
        size_t bytes = PZ_BIT_WORDS(set->part_rows) * sizeof(uint64_t);
        uint64_t *valid = pz_arena_alloc(set->arena, bytes);
        if (valid == NULL) {
            return NULL;
        }
        memset(valid, 0xff, bytes);
        column->valid = valid;
    }
    return (uint64_t *)(uintptr_t)column->valid; // ours
}

#define COPY(type)                                         \
    do {                                                   \
        type *out = (type *)(uintptr_t)to->data + into;    \
        const type *in = from->data;                       \
        if (from->is_const) {                              \
            for (uint32_t i = 0; i < count; i++) {         \
                out[i] = in[0];                            \
            }                                              \
        } else if (rows == NULL) {                         \
            memcpy(out, in + first, count * sizeof(type)); \
        } else {                                           \
            for (uint32_t i = 0; i < count; i++) {         \
                out[i] = in[rows[first + i]];              \
            }                                              \
        }                                                  \
    } while (0)

// Copies rows [first, first + count) of the selection behind row `into` of the part.
static bool
copy_column(struct pz_rowset *set, struct pz_vector *to, uint32_t into,
            const struct pz_vector *from, const uint16_t *rows, uint32_t first_count[2])
{
    uint32_t first = first_count[0];
    uint32_t count = first_count[1];
    switch (pz_value_size(to->type)) {
    case 1:
        COPY(uint8_t);
        break;
    case 4:
        COPY(uint32_t);
        break;
    case 8:
        COPY(uint64_t);
        break;
    default:
        COPY(struct pz_str); // INTERVAL has the same size
        break;
    }
    for (uint32_t i = 0; from->valid != NULL && i < count; i++) {
        if (pz_vector_is_null(from, rows != NULL ? rows[first + i] : first + i)) {
            uint64_t *valid = make_valid(set, to);
            if (valid == NULL) {
                return false;
            }
            pz_bit_clear(valid, into + i);
        }
    }
    struct pz_str *texts = to->type == PZ_TYPE_TEXT ? (struct pz_str *)(uintptr_t)to->data : NULL;
    for (uint32_t i = into; texts != NULL && i < into + count; i++) {
        if (to->valid != NULL && !pz_bit_get(to->valid, i)) {
            texts[i] = (struct pz_str){NULL, 0};
            continue;
        }
        texts[i] = pz_arena_copy(set->arena, texts[i]);
        if (texts[i].data == NULL) {
            return false;
        }
    }
    return true;
}

bool
pz_rowset_append(struct pz_rowset *set, const struct pz_portion *portion)
{
    PZ_ASSERT(portion->column_count == set->column_count);
    uint32_t done = 0;
    while (done < portion->rows.count) {
        bool is_full =
            set->part_count == 0 || set->parts[set->part_count - 1].row_count == set->part_rows;
        if (is_full && !add_part(set, portion->columns)) {
            return false;
        }
        struct pz_rowset_part *part = &set->parts[set->part_count - 1];
        uint32_t room = set->part_rows - part->row_count;
        uint32_t left = portion->rows.count - done;
        uint32_t count = left < room ? left : room;
        for (uint32_t i = 0; i < set->column_count; i++) {
            if (!copy_column(set, &part->columns[i], part->row_count, &portion->columns[i],
                             portion->rows.rows, (uint32_t[2]){done, count})) {
                return false;
            }
        }
        part->row_count += count;
        set->row_count += count;
        done += count;
    }
    return true;
}
