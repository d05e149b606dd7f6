// SPDX-License-Identifier: Apache-2.0
// Bound expressions: names are resolved to positions, every node has a type, every argument has
// the type its parent takes (the binder put the casts in).
//
// A column reference is a position in the output of the plan node below; aggregate calls do not
// occur here, they stand in their plan node and are referred to by position like any column.
//
// SYMBOL  A reference to a symbol column has type SYMBOL and carries its domain. Nothing but the
//         positions named in query/plan/plan.h (group keys, arguments of count, min and max,
//         outputs, sort keys) and IS [NOT] NULL takes a SYMBOL; everywhere else the binder wraps
//         it in a cast to TEXT. The rewrite rules turn such expressions into look-ups by code.
// NULL    A bare NULL, and a quoted literal without a type, are given the type of their
//         surroundings by the binder (TEXT when there is none): no bound node has PZ_TYPE_NULL.
#ifndef PZ_QUERY_EXPR_EXPR_H
#define PZ_QUERY_EXPR_EXPR_H

#include "query/expr/value.h"

struct pz_function; // of query/func/registry.h

enum pz_expr_kind {
    PZ_EXPR_CONST,    // value
    PZ_EXPR_COLUMN,   // column: position in the child's output
    PZ_EXPR_CALL,     // function with args; operators such as + and || are functions as well
    PZ_EXPR_CAST,     // args[0] to `type`
    PZ_EXPR_COMPARE,  // args[0] compare args[1], both of one type
    PZ_EXPR_AND,      // two or more args, three-valued
    PZ_EXPR_OR,       // two or more args, three-valued
    PZ_EXPR_NOT,      // args[0]
    PZ_EXPR_IS,       // args[0] IS [NOT] NULL, TRUE or FALSE: `is`; never NULL
    PZ_EXPR_IN,       // args[0] = any of args[1..], all of one type; NOT IN is NOT over IN
    PZ_EXPR_LIKE,     // args[0] LIKE args[1] [ESCAPE args[2]], all TEXT; is_nocase for ILIKE
    PZ_EXPR_CASE,     // args: when, then, when, then, …, [else]; odd count = with else
    PZ_EXPR_COALESCE, // one or more args of one type
    // Made by the rewrite rules only:
    PZ_EXPR_SYMBOL_MAP, // args[0] (its only column is `column`) looked up by symbol code
    PZ_EXPR_RANGE,      // low <= args[0] <= high, on int64 values of BIGINT, TIMESTAMP, DATE
};

enum pz_compare { PZ_EQ, PZ_NE, PZ_LT, PZ_LE, PZ_GT, PZ_GE, PZ_DISTINCT, PZ_NOT_DISTINCT };
enum pz_is { PZ_IS_NULL, PZ_IS_NOT_NULL, PZ_IS_TRUE, PZ_IS_NOT_TRUE, PZ_IS_FALSE, PZ_IS_NOT_FALSE };

struct pz_expr {
    enum pz_expr_kind kind;
    enum pz_type type;
    uint32_t domain_id;  // type SYMBOL only
    uint32_t sql_offset; // byte of the statement that errors point at (of the operator or name)
    uint32_t arg_count;
    struct pz_expr **args;
    const struct pz_function *function; // CALL
    struct pz_value value;              // CONST
    uint32_t column;                    // COLUMN, SYMBOL_MAP
    enum pz_compare compare;            // COMPARE
    enum pz_is is;                      // IS
    bool is_nocase;                     // LIKE
    int64_t low, high;                  // RANGE, both inclusive
};

// Makers; NULL when the arena is out of memory (the caller fails with PZ_NO_MEMORY).
struct pz_expr *pz_expr_const(struct pz_arena *arena, struct pz_value value, uint32_t sql_offset);
struct pz_expr *pz_expr_column(struct pz_arena *arena, uint32_t column, enum pz_type type,
                               uint32_t domain_id, uint32_t sql_offset);
// A node with room for arg_count args (all NULL).
struct pz_expr *pz_expr_make(struct pz_arena *arena, enum pz_expr_kind kind, enum pz_type type,
                             uint32_t arg_count, uint32_t sql_offset);
struct pz_expr *pz_expr_cast(struct pz_arena *arena, struct pz_expr *from, enum pz_type to,
                             uint32_t sql_offset); // `from` itself when it has the type already

// Same meaning: same structure, positions and values (offsets are ignored). For matching GROUP BY
// expressions and for tests.
bool pz_expr_equal(const struct pz_expr *a, const struct pz_expr *b);

#endif
