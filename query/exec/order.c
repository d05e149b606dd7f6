// SPDX-License-Identifier: Apache-2.0
// The order of rows. Entries are sorted by prefix, byte by byte from the lowest; long runs of rows
// that are equal in a key go by the prefix of the next one, others are compared column by column.
#include "query/exec/order.h"

#include "query/func/arithmetic.h"

#include <math.h>
#include <stdlib.h>

static const struct pz_symbol_ranks *
ranks_for(struct pz_exec *exec, const struct pz_plan_column *column, uint64_t row_estimate,
          const struct pz_order *order)
{
    if (column->type != PZ_TYPE_SYMBOL) {
        return NULL;
    }
    for (uint32_t i = 0; i < order->key_count; i++) {
        if (order->keys[i].type == PZ_TYPE_SYMBOL &&
            order->keys[i].domain_id == column->domain_id) {
            return order->keys[i].ranks;
        }
    }
    return pz_symbol_ranks_make(exec->session, column->domain_id, row_estimate);
}

enum pz_status
pz_order_make(struct pz_exec *exec, const struct pz_plan *sort, uint64_t row_estimate,
              struct pz_order *out, struct pz_error *err)
{
    uint32_t columns = sort->column_count;
    struct pz_arena *arena = exec->session->arena;
    *out = (struct pz_order){.session = exec->session};
    out->keys = pz_arena_alloc_zero(arena, (size_t)columns * 2 * sizeof(*out->keys));
    bool *is_used = pz_arena_alloc_zero(arena, columns);
    if (out->keys == NULL || is_used == NULL) {
        return pz_exec_fail_memory(exec, "ORDER BY", err);
    }
    for (uint32_t i = 0; i < sort->key_count + columns; i++) {
        bool is_tie_break = i >= sort->key_count;
        uint32_t column = is_tie_break ? i - sort->key_count : sort->keys[i].column;
        if (is_used[column]) {
            continue;
        }
        is_used[column] = true;
        const struct pz_plan_column *info = &sort->columns[column];
        out->keys[out->key_count] =
            (struct pz_order_key){.column = column,
                                  .type = info->type,
                                  .domain_id = info->domain_id,
                                  .is_descending = !is_tie_break && sort->keys[i].is_descending,
                                  .nulls_first = !is_tie_break && sort->keys[i].nulls_first,
                                  .ranks = ranks_for(exec, info, row_estimate, out)};
        out->key_count++;
    }
    for (uint32_t i = 0; i < columns; i++) {
        const struct pz_plan_column *info = &sort->columns[i];
        if (info->type == PZ_TYPE_DOUBLE || info->type == PZ_TYPE_INTERVAL) {
            out->keys[out->key_count++] =
                (struct pz_order_key){.column = i, .type = info->type, .is_exact = true};
        }
    }
    return PZ_OK;
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

// ---- prefixes ------------------------------------------------------------------------------

static uint64_t
int_prefix(int64_t value)
{
    return (uint64_t)value ^ (UINT64_C(1) << 63);
}

static uint64_t
real_prefix(double value)
{
    uint64_t bits;
    if (value != value) {
        return UINT64_MAX;
    }
    value = value == 0 ? 0.0 : value;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static uint64_t
text_prefix(struct pz_str text)
{
    unsigned char head[8] = {0};
    if (text.len > 0) {
        memcpy(head, text.data, text.len < 8 ? text.len : 8);
    }
    return pz_load_be64(head);
}

static struct pz_str
symbol_name(const struct pz_order *order, const struct pz_order_key *key, uint32_t code)
{
    return pz_symbol_name(order->session->store, key->domain_id, code);
}

static bool
has_rank(const struct pz_order_key *key, uint32_t code)
{
    return key->ranks != NULL && code < key->ranks->count;
}

// Of values that are equal. 0 and UINT64_MAX are left to NULL.
static uint64_t
exact_prefix(const struct pz_order_key *key, const struct pz_vector *column, uint32_t row)
{
    if (key->type == PZ_TYPE_DOUBLE) {
        return signbit(pz_vector_real(column, row)) ? 1 : 2;
    }
    return int_prefix(pz_vector_interval(column, row).months);
}

static int
order_exactly(const struct pz_order_key *key, const struct pz_vector *a, uint32_t row_a,
              const struct pz_vector *b, uint32_t row_b)
{
    if (key->type == PZ_TYPE_DOUBLE) {
        return ORDER(exact_prefix(key, a, row_a), exact_prefix(key, b, row_b));
    }
    return pz_order_interval_parts(pz_vector_interval(a, row_a), pz_vector_interval(b, row_b));
}

static uint64_t
value_prefix(const struct pz_order *order, const struct pz_order_key *key,
             const struct pz_vector *column, uint32_t row)
{
    switch (key->type) {
    case PZ_TYPE_BOOLEAN:
        return pz_vector_byte(column, row);
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE:
        return int_prefix(pz_vector_int(column, row));
    case PZ_TYPE_DOUBLE:
        return real_prefix(pz_vector_real(column, row));
    case PZ_TYPE_TEXT:
        return text_prefix(pz_vector_str(column, row));
    case PZ_TYPE_SYMBOL: {
        uint32_t code = pz_vector_code(column, row);
        return has_rank(key, code) ? key->ranks->ranks[code]
                                   : text_prefix(symbol_name(order, key, code));
    }
    case PZ_TYPE_INTERVAL:
        return int_prefix((int64_t)(pz_interval_span(pz_vector_interval(column, row)) >> 32));
    case PZ_TYPE_NULL:
        break;
    }
    PZ_UNREACHABLE("bound values have a type");
}

static uint64_t
row_prefix(const struct pz_order *order, const struct pz_order_key *key,
           const struct pz_vector *column, uint32_t row)
{
    if (pz_vector_is_null(column, row)) {
        return key->nulls_first ? 0 : UINT64_MAX;
    }
    uint64_t prefix =
        key->is_exact ? exact_prefix(key, column, row) : value_prefix(order, key, column, row);
    return key->is_descending ? ~prefix : prefix;
}

void
pz_order_prefixes(const struct pz_order *order, const struct pz_vector *columns,
                  const struct pz_rows *rows, uint64_t *out)
{
    if (order->key_count == 0) {
        memset(out, 0, rows->count * sizeof(*out));
        return;
    }
    const struct pz_order_key *key = &order->keys[0];
    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t row = rows->rows != NULL ? rows->rows[i] : i;
        out[i] = row_prefix(order, key, &columns[key->column], row);
    }
}

// ---- comparison ----------------------------------------------------------------------------

static int
order_codes(const struct pz_order *order, const struct pz_order_key *key, uint32_t a, uint32_t b)
{
    if (a == b) {
        return 0;
    }
    if (has_rank(key, a) && has_rank(key, b)) {
        return ORDER(key->ranks->ranks[a], key->ranks->ranks[b]);
    }
    return pz_str_compare(symbol_name(order, key, a), symbol_name(order, key, b));
}

static int
order_values(const struct pz_order *order, const struct pz_order_key *key,
             const struct pz_vector *a, uint32_t row_a, const struct pz_vector *b, uint32_t row_b)
{
    switch (key->type) {
    case PZ_TYPE_BOOLEAN:
        return ORDER(pz_vector_byte(a, row_a), pz_vector_byte(b, row_b));
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE:
        return ORDER(pz_vector_int(a, row_a), pz_vector_int(b, row_b));
    case PZ_TYPE_DOUBLE:
        return pz_order_real(pz_vector_real(a, row_a), pz_vector_real(b, row_b));
    case PZ_TYPE_TEXT:
        return pz_str_compare(pz_vector_str(a, row_a), pz_vector_str(b, row_b));
    case PZ_TYPE_SYMBOL:
        return order_codes(order, key, pz_vector_code(a, row_a), pz_vector_code(b, row_b));
    case PZ_TYPE_INTERVAL: {
        pz_i128 x = pz_interval_span(pz_vector_interval(a, row_a));
        pz_i128 y = pz_interval_span(pz_vector_interval(b, row_b));
        return ORDER(x, y);
    }
    case PZ_TYPE_NULL:
        break;
    }
    PZ_UNREACHABLE("bound values have a type");
}

struct comparison {
    const struct pz_order *order;
    const struct pz_rowset_part *parts;
};

static int
order_entries(const void *a, const void *b, void *payload)
{
    const struct comparison *c = payload;
    const struct pz_row_ref *x = &((const struct pz_order_entry *)a)->ref;
    const struct pz_row_ref *y = &((const struct pz_order_entry *)b)->ref;
    for (uint32_t i = 0; i < c->order->key_count; i++) {
        const struct pz_order_key *key = &c->order->keys[i];
        const struct pz_vector *left = &c->parts[x->part].columns[key->column];
        const struct pz_vector *right = &c->parts[y->part].columns[key->column];
        bool null_left = pz_vector_is_null(left, x->row);
        bool null_right = pz_vector_is_null(right, y->row);
        if (null_left || null_right) {
            if (null_left != null_right) {
                return null_left == key->nulls_first ? -1 : 1;
            }
            continue;
        }
        int order = key->is_exact ? order_exactly(key, left, x->row, right, y->row)
                                  : order_values(c->order, key, left, x->row, right, y->row);
        if (order != 0) {
            return key->is_descending ? -order : order;
        }
    }
    return 0;
}

// ---- sorting -------------------------------------------------------------------------------

// One pass over one byte of the prefixes. False when all rows have the same byte: nothing moved.
static bool
radix_pass(const struct pz_order_entry *from, struct pz_order_entry *to, size_t count,
           unsigned shift)
{
    size_t starts[256] = {0};
    for (size_t i = 0; i < count; i++) {
        starts[from[i].prefix >> shift & 255]++;
    }
    if (starts[from[0].prefix >> shift & 255] == count) {
        return false;
    }
    size_t sum = 0;
    for (int b = 0; b < 256; b++) {
        size_t size = starts[b];
        starts[b] = sum;
        sum += size;
    }
    for (size_t i = 0; i < count; i++) {
        to[starts[from[i].prefix >> shift & 255]++] = from[i];
    }
    return true;
}

#define RADIX_FROM_ROWS 256u

static void
sort_by_prefix(struct pz_order_entry *entries, struct pz_order_entry *room, size_t count)
{
    struct pz_order_entry *from = entries;
    struct pz_order_entry *to = room;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if (radix_pass(from, to, count, shift)) {
            struct pz_order_entry *swap = from;
            from = to;
            to = swap;
        }
    }
    if (from != entries) {
        memcpy(entries, from, count * sizeof(*entries));
    }
}

// Whether rows with this prefix of the key are equal in it. NULL shares its prefix with one value.
static bool
is_settled(const struct pz_order_key *key, uint64_t prefix)
{
    if (prefix == 0 || prefix == UINT64_MAX) {
        return false;
    }
    switch (key->type) {
    case PZ_TYPE_BOOLEAN:
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE:
    case PZ_TYPE_DOUBLE:
        return true;
    case PZ_TYPE_SYMBOL:
        return key->ranks != NULL;
    case PZ_TYPE_TEXT:
    case PZ_TYPE_INTERVAL:
    case PZ_TYPE_NULL:
        break;
    }
    return false;
}

static enum pz_status sort_by_key(const struct comparison *c, uint32_t key,
                                  struct pz_order_entry *entries, struct pz_order_entry *room,
                                  size_t count, struct pz_error *err);

// Sorts rows that have the same prefix of a key.
static enum pz_status
sort_run(const struct comparison *c, uint32_t key, struct pz_order_entry *entries,
         struct pz_order_entry *room, size_t count, struct pz_error *err)
{
    PZ_TRY(pz_session_check(c->order->session, err));
    if (count < RADIX_FROM_ROWS || !is_settled(&c->order->keys[key], entries[0].prefix)) {
        qsort_r(entries, count, sizeof(*entries), order_entries, (void *)(uintptr_t)c);
        return PZ_OK;
    }
    if (key + 1 == c->order->key_count) {
        return PZ_OK; // equal in all columns
    }
    // The prefixes of the first key are wanted back: they order the results of several sorts.
    uint64_t prefix = entries[0].prefix;
    const struct pz_order_key *next = &c->order->keys[key + 1];
    for (size_t i = 0; i < count; i++) {
        struct pz_row_ref ref = entries[i].ref;
        entries[i].prefix =
            row_prefix(c->order, next, &c->parts[ref.part].columns[next->column], ref.row);
    }
    PZ_TRY(sort_by_key(c, key + 1, entries, room, count, err));
    for (size_t i = 0; i < count; i++) {
        entries[i].prefix = prefix;
    }
    return PZ_OK;
}

static enum pz_status
sort_by_key(const struct comparison *c, uint32_t key, struct pz_order_entry *entries,
            struct pz_order_entry *room, size_t count, struct pz_error *err)
{
    sort_by_prefix(entries, room, count);
    for (size_t first = 0; first < count;) {
        size_t end = first + 1;
        while (end < count && entries[end].prefix == entries[first].prefix) {
            end++;
        }
        if (end - first > 1) {
            PZ_TRY(sort_run(c, key, entries + first, room, end - first, err));
        }
        first = end;
    }
    return PZ_OK;
}

enum pz_status
pz_order_sort(const struct pz_order *order, const struct pz_rowset_part *parts,
              struct pz_order_entry *entries, struct pz_order_entry *room, size_t count,
              struct pz_error *err)
{
    struct comparison comparison = {order, parts};
    if (count < RADIX_FROM_ROWS || order->key_count == 0) {
        qsort_r(entries, count, sizeof(*entries), order_entries, &comparison);
        return PZ_OK;
    }
    return sort_by_key(&comparison, 0, entries, room, count, err);
}
