// SPDX-License-Identifier: Apache-2.0
// Comparisons, membership and three-valued logic. Booleans are bytes, 0 or 1.
#include "query/func/arithmetic.h"

#include <stdlib.h>

// ---- comparison ----------------------------------------------------------------------------

#define DEFINE_COMPARE(name, type, expression)                                       \
    static enum pz_status compare_##name(struct pz_call *call, struct pz_error *err) \
    {                                                                                \
        (void)err;                                                                   \
        PZ_CALL_BINARY(call, type, type, uint8_t, expression);                       \
        return PZ_OK;                                                                \
    }
#define DEFINE_SIX(name, type, order_lt, order_eq)                                        \
    DEFINE_COMPARE(name##_eq, type, order_eq(x, y))                                       \
    DEFINE_COMPARE(name##_ne, type, !order_eq(x, y))                                      \
    DEFINE_COMPARE(name##_lt, type, order_lt(x, y))                                       \
    DEFINE_COMPARE(name##_le, type, !order_lt(y, x))                                      \
    DEFINE_COMPARE(name##_gt, type, order_lt(y, x))                                       \
    DEFINE_COMPARE(name##_ge, type, !order_lt(x, y))                                      \
    static const pz_kernel name##_kernels[6] = {compare_##name##_eq, compare_##name##_ne, \
                                                compare_##name##_lt, compare_##name##_le, \
                                                compare_##name##_gt, compare_##name##_ge};

#define PLAIN_LT(a, b) ((a) < (b))
#define PLAIN_EQ(a, b) ((a) == (b))
// NaN is equal to itself and greater than all others.
#define REAL_LT(a, b) (((a) < (b)) | (((b) != (b)) & ((a) == (a))))
#define REAL_EQ(a, b) (((a) == (b)) | (((a) != (a)) & ((b) != (b))))
DEFINE_SIX(int, int64_t, PLAIN_LT, PLAIN_EQ)
DEFINE_SIX(byte, uint8_t, PLAIN_LT, PLAIN_EQ)
DEFINE_SIX(code, uint32_t, PLAIN_LT, PLAIN_EQ)
DEFINE_SIX(real, double, REAL_LT, REAL_EQ)

static bool
order_holds(enum pz_compare compare, int order)
{
    switch (compare) {
    case PZ_EQ:
    case PZ_NOT_DISTINCT:
        return order == 0;
    case PZ_NE:
    case PZ_DISTINCT:
        return order != 0;
    case PZ_LT:
        return order < 0;
    case PZ_LE:
        return order <= 0;
    case PZ_GT:
        return order > 0;
    case PZ_GE:
        return order >= 0;
    }
    PZ_UNREACHABLE("all comparisons are above");
}

static enum pz_status
compare_text(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    uint8_t *out = call->out;
    enum pz_compare compare = call->expr->compare;
    bool is_equality = compare == PZ_EQ || compare == PZ_NE;
    PZ_CALL_EACH(call, row)
    {
        struct pz_str a = pz_vector_str(&call->args[0], row);
        struct pz_str b = pz_vector_str(&call->args[1], row);
        out[row] = is_equality ? pz_str_equal(a, b) == (compare == PZ_EQ)
                               : order_holds(compare, pz_str_compare(a, b));
    }
    return PZ_OK;
}

static enum pz_status
compare_interval(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    uint8_t *out = call->out;
    PZ_CALL_EACH(call, row)
    {
        pz_i128 a = pz_interval_span(pz_vector_interval(&call->args[0], row));
        pz_i128 b = pz_interval_span(pz_vector_interval(&call->args[1], row));
        out[row] = order_holds(call->expr->compare, (a > b) - (a < b));
    }
    return PZ_OK;
}

static bool
is_same_value(const struct pz_vector *a, const struct pz_vector *b, uint32_t row)
{
    switch (a->type) {
    case PZ_TYPE_BOOLEAN:
        return pz_vector_byte(a, row) == pz_vector_byte(b, row);
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE:
        return pz_vector_int(a, row) == pz_vector_int(b, row);
    case PZ_TYPE_DOUBLE:
        return pz_order_real(pz_vector_real(a, row), pz_vector_real(b, row)) == 0;
    case PZ_TYPE_TEXT:
        return pz_str_equal(pz_vector_str(a, row), pz_vector_str(b, row));
    case PZ_TYPE_SYMBOL:
        return pz_vector_code(a, row) == pz_vector_code(b, row);
    case PZ_TYPE_INTERVAL:
        return pz_interval_span(pz_vector_interval(a, row)) ==
               pz_interval_span(pz_vector_interval(b, row));
    case PZ_TYPE_NULL:
        break;
    }
    PZ_UNREACHABLE("bound values have a type");
}

// IS [NOT] DISTINCT FROM: NULL is a value like any other.
static enum pz_status
compare_distinct(struct pz_call *call, struct pz_error *err)
{
    uint8_t *out = call->out;
    const struct pz_vector *a = &call->args[0];
    const struct pz_vector *b = &call->args[1];
    for (uint32_t i = 0; i < call->rows.count; i++) {
        uint32_t row = call->rows.rows != NULL ? call->rows.rows[i] : i;
        bool null_a = pz_vector_is_null(a, row);
        bool null_b = pz_vector_is_null(b, row);
        if (a->type == PZ_TYPE_TEXT && !null_a) {
            PZ_TRY(pz_work_add(call->work, pz_vector_str(a, row).len, err));
        }
        bool same = null_a || null_b ? null_a == null_b : is_same_value(a, b, row);
        out[row] = same == (call->expr->compare == PZ_NOT_DISTINCT);
    }
    call->out_valid = NULL;
    return PZ_OK;
}

struct pz_kernel_info
pz_compare_kernel(enum pz_compare compare, enum pz_type type)
{
    if (compare == PZ_DISTINCT || compare == PZ_NOT_DISTINCT) {
        return (struct pz_kernel_info){compare_distinct, false, PZ_COST_HEAVY};
    }
    switch (type) {
    case PZ_TYPE_BOOLEAN:
        return (struct pz_kernel_info){byte_kernels[compare], true, PZ_COST_LIGHT};
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE:
        return (struct pz_kernel_info){int_kernels[compare], true, PZ_COST_LIGHT};
    case PZ_TYPE_DOUBLE:
        return (struct pz_kernel_info){real_kernels[compare], true, PZ_COST_LIGHT};
    case PZ_TYPE_SYMBOL: // made by the rewrite rules, for equality within one domain
        return (struct pz_kernel_info){code_kernels[compare], true, PZ_COST_LIGHT};
    case PZ_TYPE_TEXT:
        return (struct pz_kernel_info){compare_text, true, PZ_COST_HEAVY};
    case PZ_TYPE_INTERVAL:
        return (struct pz_kernel_info){compare_interval, true, PZ_COST_HEAVY};
    case PZ_TYPE_NULL:
        break;
    }
    PZ_UNREACHABLE("bound values have a type");
}

// low <= x <= high in one comparison: both ends are shifted to start at zero.
static enum pz_status
range(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    const uint64_t *in = call->args[0].data;
    uint8_t *restrict out = call->out;
    uint64_t low = (uint64_t)call->expr->low;
    uint64_t width = (uint64_t)call->expr->high - low;
    uint32_t n = call->args[0].is_const ? 1 : call->rows.row_count;
    if (call->expr->low > call->expr->high) {
        memset(out, 0, n);
        return PZ_OK;
    }
    for (uint32_t i = 0; i < n; i++) {
        out[i] = in[i] - low <= width;
    }
    return PZ_OK;
}
const struct pz_kernel_info pz_range_kernel = {range, true, PZ_COST_LIGHT};

// ---- IN ------------------------------------------------------------------------------------

// The constants of a list, sorted, without doubles; kept between calls.
struct in_list {
    uint32_t count;
    bool has_null;
    const int64_t *ints; // one of these, by type
    const double *reals;
    const struct pz_str *texts;
};

static int
order_ints(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}
static int
order_reals(const void *a, const void *b)
{
    return pz_order_real(*(const double *)a, *(const double *)b);
}
static int
order_texts(const void *a, const void *b)
{
    return pz_str_compare(*(const struct pz_str *)a, *(const struct pz_str *)b);
}

static struct in_list *
make_list(struct pz_call *call)
{
    struct in_list *list = pz_arena_alloc_zero(call->state_arena, sizeof(*list));
    size_t size = pz_value_size(call->args[0].type);
    size = size < 8 ? 8 : size;
    char *data = pz_arena_alloc_array(call->state_arena, call->arg_count, size);
    if (list == NULL || data == NULL) {
        return NULL;
    }
    for (uint32_t i = 1; i < call->arg_count; i++) {
        const struct pz_vector *item = &call->args[i];
        if (pz_vector_is_null(item, 0)) {
            list->has_null = true;
            continue;
        }
        if (item->type == PZ_TYPE_BOOLEAN) {
            int64_t wide = pz_vector_byte(item, 0);
            memcpy(data + list->count++ * size, &wide, size);
        } else {
            memcpy(data + list->count++ * size, item->data, size);
        }
    }
    if (call->args[0].type == PZ_TYPE_DOUBLE) {
        qsort(data, list->count, size, order_reals);
        list->reals = (const double *)(void *)data;
    } else if (call->args[0].type == PZ_TYPE_TEXT) {
        qsort(data, list->count, size, order_texts);
        list->texts = (const struct pz_str *)(void *)data;
    } else {
        qsort(data, list->count, size, order_ints);
        list->ints = (const int64_t *)(void *)data;
    }
    return list;
}

static bool
list_has(const struct in_list *list, const struct pz_vector *vector, uint32_t row)
{
    if (list->texts != NULL) {
        struct pz_str text = pz_vector_str(vector, row);
        return bsearch(&text, list->texts, list->count, sizeof text, order_texts) != NULL;
    }
    if (list->reals != NULL) {
        double real = pz_vector_real(vector, row);
        return bsearch(&real, list->reals, list->count, sizeof real, order_reals) != NULL;
    }
    int64_t value =
        vector->type == PZ_TYPE_BOOLEAN ? pz_vector_byte(vector, row) : pz_vector_int(vector, row);
    uint32_t low = 0;
    uint32_t count = list->count;
    while (count > 0) {
        uint32_t half = count / 2;
        if (list->ints[low + half] < value) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low < list->count && list->ints[low] == value;
}

// NULL when the value is NULL, and when it is not in the list but a NULL is.
static enum pz_status
in(struct pz_call *call, struct pz_error *err)
{
    if (*call->state == NULL && (*call->state = make_list(call)) == NULL) {
        return pz_call_fail_memory(call, err);
    }
    const struct in_list *list = *call->state;
    const struct pz_vector *value = &call->args[0];
    uint8_t *out = call->out;
    bool has_null = false;
    memset(call->valid_room, 0xff, PZ_BIT_WORDS(call->rows.row_count) * sizeof(uint64_t));
    for (uint32_t i = 0; i < call->rows.count; i++) {
        uint32_t row = call->rows.rows != NULL ? call->rows.rows[i] : i;
        bool is_null = pz_vector_is_null(value, row);
        if (list->texts != NULL && !is_null) {
            PZ_TRY(pz_work_add(call->work, pz_vector_str(value, row).len, err));
        }
        out[row] = !is_null && list_has(list, value, row);
        if (is_null || (!out[row] && list->has_null)) {
            pz_bit_clear(call->valid_room, row);
            has_null = true;
        }
    }
    call->out_valid = has_null ? call->valid_room : NULL;
    return PZ_OK;
}
const struct pz_kernel_info pz_in_kernel = {in, false, PZ_COST_HEAVY};

// ---- logic ---------------------------------------------------------------------------------

static enum pz_status
not_(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    const uint8_t *in_bytes = call->args[0].data;
    uint8_t *restrict out = call->out;
    uint32_t n = call->args[0].is_const ? 1 : call->rows.row_count;
    for (uint32_t i = 0; i < n; i++) {
        out[i] = in_bytes[i] ^ 1;
    }
    return PZ_OK;
}
const struct pz_kernel_info pz_not_kernel = {not_, true, PZ_COST_LIGHT};

// `dominant` is what decides alone: false for AND, true for OR. With NULLs, row by row.
static void
logic_with_nulls(struct pz_call *call, uint8_t dominant)
{
    const struct pz_vector *a = &call->args[0];
    const struct pz_vector *b = &call->args[1];
    uint8_t *out = call->out;
    memset(call->valid_room, 0, PZ_BIT_WORDS(call->rows.row_count) * sizeof(uint64_t));
    for (uint32_t i = 0; i < call->rows.count; i++) {
        uint32_t row = call->rows.rows != NULL ? call->rows.rows[i] : i;
        bool null_a = pz_vector_is_null(a, row);
        bool null_b = pz_vector_is_null(b, row);
        bool decided = (!null_a && pz_vector_byte(a, row) == dominant) ||
                       (!null_b && pz_vector_byte(b, row) == dominant);
        out[row] = decided ? dominant : (uint8_t)(dominant ^ 1);
        if (decided || (!null_a && !null_b)) {
            pz_bit_set(call->valid_room, row);
        }
    }
    call->out_valid = call->valid_room;
}

static enum pz_status
and_(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    if (call->args[0].valid != NULL || call->args[1].valid != NULL) {
        logic_with_nulls(call, 0);
        return PZ_OK;
    }
    PZ_CALL_BINARY(call, uint8_t, uint8_t, uint8_t, x & y);
    call->out_valid = NULL;
    return PZ_OK;
}
const struct pz_kernel_info pz_and_kernel = {and_, false, PZ_COST_LIGHT};

static enum pz_status
or_(struct pz_call *call, struct pz_error *err)
{
    (void)err;
    if (call->args[0].valid != NULL || call->args[1].valid != NULL) {
        logic_with_nulls(call, 1);
        return PZ_OK;
    }
    PZ_CALL_BINARY(call, uint8_t, uint8_t, uint8_t, x | y);
    call->out_valid = NULL;
    return PZ_OK;
}
const struct pz_kernel_info pz_or_kernel = {or_, false, PZ_COST_LIGHT};

// `value` is the result for a row that is not NULL (by its byte), `null_value` for NULL.
static void
is_loop(struct pz_call *call, int true_value, int false_value, uint8_t null_value)
{
    const struct pz_vector *a = &call->args[0];
    uint8_t *out = call->out;
    for (uint32_t i = 0; i < call->rows.count; i++) {
        uint32_t row = call->rows.rows != NULL ? call->rows.rows[i] : i;
        if (pz_vector_is_null(a, row)) {
            out[row] = null_value;
        } else if (true_value == false_value) { // IS NULL: the type may be any
            out[row] = (uint8_t)true_value;
        } else {
            out[row] = (uint8_t)(pz_vector_byte(a, row) ? true_value : false_value);
        }
    }
    call->out_valid = NULL;
}

#define DEFINE_IS(name, when_true, when_false, when_null)                       \
    static enum pz_status is_##name(struct pz_call *call, struct pz_error *err) \
    {                                                                           \
        (void)err;                                                              \
        is_loop(call, when_true, when_false, when_null);                        \
        return PZ_OK;                                                           \
    }
DEFINE_IS(null, 0, 0, 1)
DEFINE_IS(not_null, 1, 1, 0)
DEFINE_IS(true, 1, 0, 0)
DEFINE_IS(not_true, 0, 1, 1)
DEFINE_IS(false, 0, 1, 0)
DEFINE_IS(not_false, 1, 0, 1)

struct pz_kernel_info
pz_is_kernel(enum pz_is is)
{
    static const pz_kernel kernels[] = {is_null,     is_not_null, is_true,
                                        is_not_true, is_false,    is_not_false};
    return (struct pz_kernel_info){kernels[is], false, PZ_COST_LIGHT};
}
