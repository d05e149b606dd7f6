// SPDX-License-Identifier: Apache-2.0
// Vectors, and the kernels that compute on them.
//
// A kernel computes one operation for the rows of a vector. Results keep their row's position, so
// that no kernel moves rows; rows outside the selection may be computed as well when that is
// faster and can have no effect (never an error, never memory).
#ifndef PZ_QUERY_FUNC_KERNEL_H
#define PZ_QUERY_FUNC_KERNEL_H

#include "query/expr/expr.h"
#include "query/func/registry.h"
#include "query/session.h"
#include "storage/column/batch.h"

// One column of up to session->vector_rows rows: borrowed and read-only.
//
// Shape  as struct pz_slice; is_const means that row 0 stands for every row. INTERVAL values are
//        struct pz_interval.
struct pz_vector {
    enum pz_type type;
    uint32_t domain_id; // SYMBOL only
    bool is_const;
    const uint64_t *valid;
    const void *data;
};

// Which rows of vectors of row_count rows count. `rows` are rising positions; NULL = all.
struct pz_rows {
    uint32_t row_count;
    uint32_t count;
    const uint16_t *rows;
};

// Bytes of a value in a vector.
size_t pz_value_size(enum pz_type type);

static inline uint32_t
pz_vector_at(const struct pz_vector *vector, uint32_t row)
{
    return vector->is_const ? 0 : row;
}
static inline bool
pz_vector_is_null(const struct pz_vector *vector, uint32_t row)
{
    return vector->valid != NULL && !pz_bit_get(vector->valid, pz_vector_at(vector, row));
}
static inline int64_t
pz_vector_int(const struct pz_vector *vector, uint32_t row)
{
    return ((const int64_t *)vector->data)[pz_vector_at(vector, row)];
}
static inline double
pz_vector_real(const struct pz_vector *vector, uint32_t row)
{
    return ((const double *)vector->data)[pz_vector_at(vector, row)];
}
static inline uint8_t
pz_vector_byte(const struct pz_vector *vector, uint32_t row)
{
    return ((const uint8_t *)vector->data)[pz_vector_at(vector, row)];
}
static inline uint32_t
pz_vector_code(const struct pz_vector *vector, uint32_t row)
{
    return ((const uint32_t *)vector->data)[pz_vector_at(vector, row)];
}
static inline struct pz_str
pz_vector_str(const struct pz_vector *vector, uint32_t row)
{
    return ((const struct pz_str *)vector->data)[pz_vector_at(vector, row)];
}
static inline struct pz_interval
pz_vector_interval(const struct pz_vector *vector, uint32_t row)
{
    return ((const struct pz_interval *)vector->data)[pz_vector_at(vector, row)];
}
// The value of a row on its own; text is borrowed.
struct pz_value pz_vector_value(const struct pz_vector *vector, uint32_t row);

// One call of a kernel.
struct pz_call {
    const struct pz_session *session;
    struct pz_arena *arena; // for texts of the result; lives as long as the result
    struct pz_rows rows;    // at least one
    uint32_t arg_count;
    const struct pz_vector *args;
    enum pz_type type;   // of the result
    void *out;           // room for row_count values
    uint64_t *out_valid; // what to hand on as the result's validity, or NULL = no NULLs. For strict
                         // kernels it is ready: the AND of the arguments'
    uint64_t *valid_room; // where other kernels build it (row_count bits)
    uint32_t sql_offset;
    const struct pz_expr *expr;
    struct pz_work *work; // what takes longer than reading its arguments once is noted here
    void **state;         // the kernel's, NULL at first, kept between calls of one program
    struct pz_arena *state_arena;
};

// Errors  SQL errors at call->sql_offset, PZ_NO_MEMORY.
typedef enum pz_status (*pz_kernel)(struct pz_call *call, struct pz_error *err);

// Running out of time or memory does not count as failing.
enum pz_kernel_cost {
    PZ_COST_LIGHT,    // a few instructions a row, cannot fail
    PZ_COST_HEAVY,    // slow: only for rows that need it; cannot fail
    PZ_COST_FALLIBLE, // some values are errors: only for rows that need it
};

struct pz_kernel_info {
    pz_kernel kernel;
    bool is_strict; // NULL as soon as an argument is NULL; the kernel does not see those rows
    enum pz_kernel_cost cost;
};

// How a function is computed.
struct pz_kernel_info pz_function_kernel(enum pz_function_id id);
// The same for the other kinds of expressions: casts, comparisons, IS, LIKE.
struct pz_kernel_info pz_cast_kernel(enum pz_type from, enum pz_type to);
struct pz_kernel_info pz_compare_kernel(enum pz_compare compare, enum pz_type type);
struct pz_kernel_info pz_is_kernel(enum pz_is is);
extern const struct pz_kernel_info pz_like_kernel;
extern const struct pz_kernel_info pz_in_kernel; // args[1..] are constants
extern const struct pz_kernel_info pz_not_kernel;
extern const struct pz_kernel_info pz_and_kernel;
extern const struct pz_kernel_info pz_or_kernel;
extern const struct pz_kernel_info pz_range_kernel;

enum pz_status pz_call_fail_memory(const struct pz_call *call, struct pz_error *err);

// The loop over the rows a strict kernel has to compute: selected and not NULL.
#define PZ_CALL_EACH(call, row)                                               \
    for (uint32_t pz_i = 0, row; pz_i < (call)->rows.count; pz_i++)           \
        if (row = (call)->rows.rows != NULL ? (call)->rows.rows[pz_i] : pz_i, \
            (call)->out_valid == NULL || pz_bit_get((call)->out_valid, row))

// Loops of a light binary kernel: x and y are the values, `expression` the result. Computes all
// rows unless few are selected.
#define PZ_CALL_BINARY(call, type_a, type_b, type_out, expression)        \
    do {                                                                  \
        const type_a *pz_a = (call)->args[0].data;                        \
        const type_b *pz_b = (call)->args[1].data;                        \
        type_out *restrict pz_out = (call)->out;                          \
        bool pz_const_a = (call)->args[0].is_const;                       \
        bool pz_const_b = (call)->args[1].is_const;                       \
        uint32_t pz_n = (call)->rows.row_count;                           \
        if ((call)->rows.rows != NULL && (call)->rows.count < pz_n / 4) { \
            for (uint32_t pz_i = 0; pz_i < (call)->rows.count; pz_i++) {  \
                uint32_t pz_row = (call)->rows.rows[pz_i];                \
                type_a x = pz_a[pz_const_a ? 0 : pz_row];                 \
                type_b y = pz_b[pz_const_b ? 0 : pz_row];                 \
                pz_out[pz_row] = (type_out)(expression);                  \
            }                                                             \
        } else if (pz_const_b) {                                          \
            type_b y = pz_b[0];                                           \
            if (pz_const_a) {                                             \
                pz_n = 1;                                                 \
            }                                                             \
            for (uint32_t pz_i = 0; pz_i < pz_n; pz_i++) {                \
                type_a x = pz_a[pz_i];                                    \
                pz_out[pz_i] = (type_out)(expression);                    \
            }                                                             \
        } else if (pz_const_a) {                                          \
            type_a x = pz_a[0];                                           \
            for (uint32_t pz_i = 0; pz_i < pz_n; pz_i++) {                \
                type_b y = pz_b[pz_i];                                    \
                pz_out[pz_i] = (type_out)(expression);                    \
            }                                                             \
        } else {                                                          \
            for (uint32_t pz_i = 0; pz_i < pz_n; pz_i++) {                \
                type_a x = pz_a[pz_i];                                    \
                type_b y = pz_b[pz_i];                                    \
                pz_out[pz_i] = (type_out)(expression);                    \
            }                                                             \
        }                                                                 \
    } while (0)

#endif
