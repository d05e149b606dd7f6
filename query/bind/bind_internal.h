// SPDX-License-Identifier: Apache-2.0
// What the files of the binder share.
#ifndef PZ_QUERY_BIND_BIND_INTERNAL_H
#define PZ_QUERY_BIND_BIND_INTERNAL_H

#include "query/bind/bind.h"
#include "query/expr/cast.h"

// The aggregate calls of one SELECT. Until all are known, a call is a PZ_EXPR_COLUMN with
// PZ_BIND_AGGREGATE + its index as position; pz__bind_over_groups puts the real one in.
#define PZ_BIND_AGGREGATE 0x80000000u
struct pz_bind_aggregates {
    struct pz_aggregate *items;
    uint32_t count;
    uint32_t capacity;
};

// What a name can stand for, and what is allowed in the clause being bound.
struct pz_scope {
    struct pz_str qualifier; // alias or name of what FROM names; data NULL when it has none
    uint32_t column_count;
    const struct pz_plan_column *columns;
    bool has_from;
    const char *clause;                    // "WHERE", for messages
    struct pz_bind_aggregates *aggregates; // NULL where aggregates are not allowed
    bool is_in_aggregate;                  // binding an aggregate's argument
    const struct pz_ast_select *select; // whose output names a wrong name may have meant; or NULL
};

enum pz_status pz__bind_no_memory(struct pz_error *err);

// ---- names (scope.c) ---------------------------------------------------------------------------

// Position of an unqualified or qualified column in the scope; 42703, 42702, 42P01.
PZ_MUST_USE enum pz_status pz__scope_find(const struct pz_binder *binder,
                                          const struct pz_scope *scope, const struct pz_ast *name,
                                          uint32_t *column_out, struct pz_error *err);
// The same without an error: false when there is none.
bool pz__scope_has(const struct pz_scope *scope, struct pz_str name);
bool pz__scope_is_qualifier(const struct pz_scope *scope, struct pz_str qualifier);
enum pz_status pz__scope_no_qualifier(const struct pz_scope *scope, struct pz_str qualifier,
                                      uint32_t offset, struct pz_error *err);

// ---- types (coerce.c) ------------------------------------------------------------------------

// Whether it is a literal that has not met a type: a bare NULL or a quoted text.
static inline bool
pz__is_untyped(const struct pz_expr *expr)
{
    return expr->kind == PZ_EXPR_CONST && expr->type == PZ_TYPE_NULL;
}
// The expression as `type`: a literal without a type is parsed, all else is cast. The caller knows
// that there is such a cast.
PZ_MUST_USE enum pz_status pz__coerce(struct pz_binder *binder, struct pz_expr **expr,
                                      enum pz_type type, struct pz_error *err);
// TEXT for SYMBOL and for literals without a type; others as they are.
PZ_MUST_USE enum pz_status pz__coerce_plain(struct pz_binder *binder, struct pz_expr **expr,
                                            struct pz_error *err);
// The type both can be converted to without a cast (SYMBOL is TEXT; PZ_TYPE_NULL fits all).
bool pz__common_type(enum pz_type a, enum pz_type b, enum pz_type *out);
// BOOLEAN, or 42804 "argument of WHERE must be type boolean, not type bigint".
PZ_MUST_USE enum pz_status pz__coerce_boolean(struct pz_binder *binder, struct pz_expr **expr,
                                              const struct pz_ast *ast, const char *clause,
                                              struct pz_error *err);

// ---- expressions (bind_expr.c, bind_logic.c, bind_call.c) ------------------------------------

PZ_MUST_USE enum pz_status pz__bind_expr(struct pz_binder *binder, struct pz_scope *scope,
                                         const struct pz_ast *ast, struct pz_expr **out,
                                         struct pz_error *err);
// bind_logic.c: AND, OR, NOT, comparison, IN, BETWEEN, LIKE, IS.
PZ_MUST_USE enum pz_status pz__bind_logic(struct pz_binder *binder, struct pz_scope *scope,
                                          const struct pz_ast *ast, struct pz_expr **out,
                                          struct pz_error *err);
// left `compare` right, both bound already.
PZ_MUST_USE enum pz_status pz__make_compare(struct pz_binder *binder, enum pz_compare compare,
                                            struct pz_expr *left, struct pz_expr *right,
                                            uint32_t offset, struct pz_expr **out,
                                            struct pz_error *err);
// bind_case.c: CASE, coalesce and nullif.
PZ_MUST_USE enum pz_status pz__bind_case(struct pz_binder *binder, struct pz_scope *scope,
                                         const struct pz_ast *ast, struct pz_expr **out,
                                         struct pz_error *err);
PZ_MUST_USE enum pz_status pz__bind_coalesce(struct pz_binder *binder, struct pz_scope *scope,
                                             const struct pz_ast *ast, struct pz_expr **out,
                                             struct pz_error *err);
PZ_MUST_USE enum pz_status pz__bind_nullif(struct pz_binder *binder, struct pz_scope *scope,
                                           const struct pz_ast *ast, struct pz_expr **out,
                                           struct pz_error *err);
// bind_call.c: functions and aggregates.
PZ_MUST_USE enum pz_status pz__bind_call(struct pz_binder *binder, struct pz_scope *scope,
                                         const struct pz_ast *ast, struct pz_expr **out,
                                         struct pz_error *err);
// The operator as a function of the registry, over arguments bound already (put into args by
// conversion). 42883.
PZ_MUST_USE enum pz_status pz__make_operator(struct pz_binder *binder, const char *name,
                                             struct pz_expr **args, uint32_t arg_count,
                                             uint32_t offset, struct pz_expr **out,
                                             struct pz_error *err);
// A node of the plan; counts it. NULL (with *err and binder->failure filled) when out of memory or
// over the limit.
struct pz_expr *pz__bind_make(struct pz_binder *binder, enum pz_expr_kind kind, enum pz_type type,
                              uint32_t arg_count, uint32_t offset, struct pz_error *err);
struct pz_expr *pz__bind_const(struct pz_binder *binder, struct pz_value value, uint32_t offset,
                               struct pz_error *err);

// ---- grouping (group.c) ----------------------------------------------------------------------

// Rewrites an expression over the input into one over the output of the aggregate node: what equals
// a group is its position, aggregates follow the groups. 42803 for any other column.
struct pz_bind_groups {
    struct pz_expr **exprs;
    uint32_t count;
    const struct pz_scope *scope; // of the input, for names in messages
};
PZ_MUST_USE enum pz_status pz__bind_over_groups(struct pz_binder *binder,
                                                const struct pz_bind_groups *groups,
                                                struct pz_expr **expr, struct pz_error *err);

// ---- output names (label.c) --------------------------------------------------------------------

// The name PostgreSQL gives an output column without an alias.
struct pz_str pz__label(const struct pz_ast *ast);

#endif
