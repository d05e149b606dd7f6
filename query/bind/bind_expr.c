// SPDX-License-Identifier: Apache-2.0
// Expressions: literals, names, arithmetic, casts; the other kinds have files of their own.
#include "query/bind/bind_internal.h"

#include "query/expr/interval.h"

// ---- literals ------------------------------------------------------------------------------

static enum pz_status
make_const(struct pz_binder *binder, struct pz_value value, uint32_t offset, struct pz_expr **out,
           struct pz_error *err)
{
    *out = pz__bind_const(binder, value, offset, err);
    return *out == NULL ? binder->failure : PZ_OK;
}

// Wraps text in left(…, n) for VARCHAR(n).
static enum pz_status
limit_length(struct pz_binder *binder, const struct pz_ast *ast, struct pz_expr **expr,
             struct pz_error *err)
{
    if (ast->length == 0) {
        return PZ_OK;
    }
    struct pz_expr *args[2] = {*expr, NULL};
    PZ_TRY(
        make_const(binder, pz_value_int(PZ_TYPE_BIGINT, ast->length), ast->offset, &args[1], err));
    return pz__make_operator(binder, "left", args, 2, ast->offset, expr, err);
}

// DATE '…' and its like.
static enum pz_status
bind_typed(struct pz_binder *binder, const struct pz_ast *ast, struct pz_expr **out,
           struct pz_error *err)
{
    struct pz_value text = {.type = PZ_TYPE_NULL, .text = ast->text};
    struct pz_value value = {.type = PZ_TYPE_INTERVAL};
    if (ast->type == PZ_TYPE_INTERVAL) {
        PZ_TRY(pz_interval_parse(ast->text, ast->unit, ast->offset, &value.interval, err));
    } else {
        enum pz_type type = ast->type == PZ_TYPE_SYMBOL ? PZ_TYPE_TEXT : ast->type;
        PZ_TRY(pz_value_cast(&text, type, ast->offset, binder->session->arena, &value, err));
    }
    PZ_TRY(make_const(binder, value, ast->offset, out, err));
    return limit_length(binder, ast, out, err);
}

// ---- names ---------------------------------------------------------------------------------

static enum pz_status
bind_column(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
            struct pz_expr **out, struct pz_error *err)
{
    uint32_t column;
    PZ_TRY(pz__scope_find(binder, scope, ast, &column, err));
    const struct pz_plan_column *named = &scope->columns[column];
    *out = pz__bind_make(binder, PZ_EXPR_COLUMN, named->type, 0, ast->offset, err);
    if (*out == NULL) {
        return binder->failure;
    }
    (*out)->column = column;
    (*out)->domain_id = named->domain_id;
    return PZ_OK;
}

// ---- operators -----------------------------------------------------------------------------

static enum pz_status
no_operator(const char *name, struct pz_expr *const *args, uint32_t arg_count, uint32_t offset,
            struct pz_error *err)
{
    enum pz_status status;
    if (arg_count == 1) {
        status = pz_fail_sql(err, "42883", offset, "operator does not exist: %s %s", name,
                             pz_type_word(args[0]->type));
    } else {
        status = pz_fail_sql(err, "42883", offset, "operator does not exist: %s %s %s",
                             pz_type_word(args[0]->type), name, pz_type_word(args[1]->type));
    }
    pz_error_hint(err, "convert an operand with CAST(… AS type)");
    return status;
}

enum pz_status
pz__make_operator(struct pz_binder *binder, const char *name, struct pz_expr **args,
                  uint32_t arg_count, uint32_t offset, struct pz_expr **out, struct pz_error *err)
{
    enum pz_type types[2] = {PZ_TYPE_NULL, PZ_TYPE_NULL};
    enum pz_type wanted[2];
    PZ_ASSERT(arg_count <= 2);
    for (uint32_t i = 0; i < arg_count; i++) {
        types[i] = args[i]->type;
    }
    const struct pz_function *function;
    enum pz_type result;
    if (!pz_function_resolve(pz_str_from(name), types, arg_count, wanted, &function, &result)) {
        return no_operator(name, args, arg_count, offset, err);
    }
    struct pz_expr *call = pz__bind_make(binder, PZ_EXPR_CALL, result, arg_count, offset, err);
    if (call == NULL) {
        return binder->failure;
    }
    call->function = function;
    for (uint32_t i = 0; i < arg_count; i++) {
        PZ_TRY(pz__coerce(binder, &args[i], wanted[i], err));
        call->args[i] = args[i];
    }
    *out = call;
    return PZ_OK;
}

static enum pz_status
bind_unary(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
           struct pz_expr **out, struct pz_error *err)
{
    struct pz_expr *operand;
    PZ_TRY(pz__bind_expr(binder, scope, ast->items[0], &operand, err));
    bool is_minus = ast->kind == PZ_AST_NEGATE;
    // A number with its sign is one constant: plans and messages read better.
    if (is_minus && operand->kind == PZ_EXPR_CONST && !operand->value.is_null) {
        if (operand->type == PZ_TYPE_BIGINT && operand->value.integer != INT64_MIN) {
            return make_const(binder, pz_value_int(PZ_TYPE_BIGINT, -operand->value.integer),
                              ast->offset, out, err);
        }
        if (operand->type == PZ_TYPE_DOUBLE) {
            return make_const(binder, pz_value_real(-operand->value.real), ast->offset, out, err);
        }
    }
    return pz__make_operator(binder, is_minus ? "-" : "+", &operand, 1, ast->offset, out, err);
}

// a || b: one side must be text, the other may be anything.
static enum pz_status
coerce_concat(struct pz_binder *binder, struct pz_expr **args, struct pz_error *err)
{
    bool is_text[2];
    for (int i = 0; i < 2; i++) {
        is_text[i] = args[i]->type == PZ_TYPE_TEXT || args[i]->type == PZ_TYPE_SYMBOL ||
                     args[i]->type == PZ_TYPE_NULL;
    }
    for (int i = 0; i < 2 && (is_text[0] || is_text[1]); i++) {
        PZ_TRY(pz__coerce(binder, &args[i], PZ_TYPE_TEXT, err));
    }
    return PZ_OK;
}

static enum pz_status
bind_binary(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
            struct pz_expr **out, struct pz_error *err)
{
    static const struct {
        const char *name;
        bool is_compare;
        enum pz_compare compare;
    } ops[] = {
        [PZ_AST_ADD] = {"+", false, PZ_EQ},      [PZ_AST_SUBTRACT] = {"-", false, PZ_EQ},
        [PZ_AST_MULTIPLY] = {"*", false, PZ_EQ}, [PZ_AST_DIVIDE] = {"/", false, PZ_EQ},
        [PZ_AST_MODULO] = {"%", false, PZ_EQ},   [PZ_AST_CONCAT] = {"||", false, PZ_EQ},
        [PZ_AST_EQUAL] = {"=", true, PZ_EQ},     [PZ_AST_NOT_EQUAL] = {"<>", true, PZ_NE},
        [PZ_AST_LESS] = {"<", true, PZ_LT},      [PZ_AST_LESS_EQUAL] = {"<=", true, PZ_LE},
        [PZ_AST_GREATER] = {">", true, PZ_GT},   [PZ_AST_GREATER_EQUAL] = {">=", true, PZ_GE},
    };
    struct pz_expr *args[2];
    PZ_TRY(pz__bind_expr(binder, scope, ast->items[0], &args[0], err));
    PZ_TRY(pz__bind_expr(binder, scope, ast->items[1], &args[1], err));
    if (ops[ast->op].is_compare) {
        return pz__make_compare(binder, ops[ast->op].compare, args[0], args[1], ast->offset, out,
                                err);
    }
    if (ast->op == PZ_AST_CONCAT) {
        PZ_TRY(coerce_concat(binder, args, err));
    }
    return pz__make_operator(binder, ops[ast->op].name, args, 2, ast->offset, out, err);
}

static enum pz_status
bind_cast(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
          struct pz_expr **out, struct pz_error *err)
{
    PZ_TRY(pz__bind_expr(binder, scope, ast->items[0], out, err));
    enum pz_type to = ast->type == PZ_TYPE_SYMBOL ? PZ_TYPE_TEXT : ast->type;
    enum pz_type from = (*out)->type;
    if (!pz_cast_is_possible(from, to)) {
        return pz_fail_sql(err, "42846", ast->offset, "cannot cast type %s to %s",
                           pz_type_word(from), pz_type_word(to));
    }
    // From text a SYMBOL is text first.
    if (from == PZ_TYPE_SYMBOL) {
        PZ_TRY(pz__coerce(binder, out, PZ_TYPE_TEXT, err));
    }
    if (!pz__is_untyped(*out) && (*out)->type != to) {
        struct pz_expr *cast = pz__bind_make(binder, PZ_EXPR_CAST, to, 1, ast->offset, err);
        if (cast == NULL) {
            return binder->failure;
        }
        cast->args[0] = *out;
        *out = cast;
    }
    PZ_TRY(pz__coerce(binder, out, to, err));
    return limit_length(binder, ast, out, err);
}

enum pz_status
pz__bind_expr(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
              struct pz_expr **out, struct pz_error *err)
{
    switch (ast->kind) {
    case PZ_AST_NULL:
        return make_const(binder, pz_value_null(PZ_TYPE_NULL), ast->offset, out, err);
    case PZ_AST_BOOLEAN:
        return make_const(binder, pz_value_bool(ast->boolean), ast->offset, out, err);
    case PZ_AST_INTEGER:
        return make_const(binder, pz_value_int(PZ_TYPE_BIGINT, ast->integer), ast->offset, out,
                          err);
    case PZ_AST_DOUBLE:
        return make_const(binder, pz_value_real(ast->real), ast->offset, out, err);
    case PZ_AST_STRING:
        return make_const(binder, (struct pz_value){.type = PZ_TYPE_NULL, .text = ast->text},
                          ast->offset, out, err);
    case PZ_AST_TYPED:
        return bind_typed(binder, ast, out, err);
    case PZ_AST_COLUMN:
        return bind_column(binder, scope, ast, out, err);
    case PZ_AST_STAR:
        return pz_fail_sql(err, "42601", ast->offset, "syntax error at or near \"*\"");
    case PZ_AST_NEGATE:
    case PZ_AST_PLUS:
        return bind_unary(binder, scope, ast, out, err);
    case PZ_AST_BINARY:
        return bind_binary(binder, scope, ast, out, err);
    case PZ_AST_CAST:
        return bind_cast(binder, scope, ast, out, err);
    case PZ_AST_CASE:
        return pz__bind_case(binder, scope, ast, out, err);
    case PZ_AST_CALL:
        return pz__bind_call(binder, scope, ast, out, err);
    case PZ_AST_NOT:
    case PZ_AST_AND:
    case PZ_AST_OR:
    case PZ_AST_IN:
    case PZ_AST_BETWEEN:
    case PZ_AST_LIKE:
    case PZ_AST_IS:
    case PZ_AST_DISTINCT:
        return pz__bind_logic(binder, scope, ast, out, err);
    }
    PZ_UNREACHABLE("all kinds are above");
}
