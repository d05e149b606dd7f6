// SPDX-License-Identifier: Apache-2.0
// CASE, coalesce and nullif: expressions that choose among values of one type.
#include "query/bind/bind_internal.h"

// Converts every `step`-th of the args from `first` on, and the last one if `has_last`, to the type
// they all share; 42804 when there is none.
struct choice {
    uint32_t first, step;
    bool has_last;
    const char *word;
};

static bool
is_chosen(const struct choice *choice, uint32_t i, uint32_t count)
{
    return (i >= choice->first && (i - choice->first) % choice->step == 0) ||
           (choice->has_last && i + 1 == count);
}

static enum pz_status
unify(struct pz_binder *binder, struct pz_expr *node, const struct choice *choice,
      struct pz_error *err)
{
    enum pz_type type = PZ_TYPE_NULL;
    for (uint32_t i = 0; i < node->arg_count; i++) {
        if (!is_chosen(choice, i, node->arg_count)) {
            continue;
        }
        enum pz_type other = node->args[i]->type;
        if (!pz__common_type(type, other, &type)) {
            return pz_fail_sql(err, "42804", node->args[i]->sql_offset,
                               "%s types %s and %s cannot be matched", choice->word,
                               pz_type_word(type), pz_type_word(other));
        }
    }
    node->type = type == PZ_TYPE_NULL ? PZ_TYPE_TEXT : type;
    for (uint32_t i = 0; i < node->arg_count; i++) {
        if (is_chosen(choice, i, node->arg_count)) {
            PZ_TRY(pz__coerce(binder, &node->args[i], node->type, err));
        }
    }
    return PZ_OK;
}

// The condition of one WHEN: a condition of its own, or a value to compare the operand with.
static enum pz_status
bind_when(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
          const struct pz_ast *when, struct pz_expr **out, struct pz_error *err)
{
    PZ_TRY(pz__bind_expr(binder, scope, when, out, err));
    if (!ast->has_operand) {
        return pz__coerce_boolean(binder, out, when, "CASE/WHEN", err);
    }
    struct pz_expr *operand;
    PZ_TRY(pz__bind_expr(binder, scope, ast->items[0], &operand, err));
    return pz__make_compare(binder, PZ_EQ, operand, *out, when->begin, out, err);
}

enum pz_status
pz__bind_case(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
              struct pz_expr **out, struct pz_error *err)
{
    uint32_t skip = ast->has_operand ? 1 : 0;
    uint32_t count = ast->item_count - skip;
    struct pz_expr *node =
        pz__bind_make(binder, PZ_EXPR_CASE, PZ_TYPE_NULL, count, ast->offset, err);
    if (node == NULL) {
        return binder->failure;
    }
    uint32_t pairs = count - (ast->has_else ? 1 : 0);
    for (uint32_t i = 0; i < pairs; i += 2) {
        PZ_TRY(bind_when(binder, scope, ast, ast->items[skip + i], &node->args[i], err));
        PZ_TRY(pz__bind_expr(binder, scope, ast->items[skip + i + 1], &node->args[i + 1], err));
    }
    if (ast->has_else) {
        PZ_TRY(pz__bind_expr(binder, scope, ast->items[skip + pairs], &node->args[pairs], err));
    }
    *out = node;
    return unify(binder, node,
                 &(struct choice){.first = 1, .step = 2, .has_last = ast->has_else, .word = "CASE"},
                 err);
}

enum pz_status
pz__bind_coalesce(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
                  struct pz_expr **out, struct pz_error *err)
{
    if (ast->item_count == 0) {
        return pz_fail_sql(err, "42601", ast->offset, "coalesce needs an argument");
    }
    struct pz_expr *node =
        pz__bind_make(binder, PZ_EXPR_COALESCE, PZ_TYPE_NULL, ast->item_count, ast->offset, err);
    if (node == NULL) {
        return binder->failure;
    }
    for (uint32_t i = 0; i < ast->item_count; i++) {
        PZ_TRY(pz__bind_expr(binder, scope, ast->items[i], &node->args[i], err));
    }
    *out = node;
    return unify(binder, node, &(struct choice){.step = 1, .word = "COALESCE"}, err);
}

// nullif(a, b) is CASE WHEN a = b THEN NULL ELSE a END, where a is what is compared: a number
// beside a DOUBLE is one itself, a literal takes the type of b. A DATE stays one.
enum pz_status
pz__bind_nullif(struct pz_binder *binder, struct pz_scope *scope, const struct pz_ast *ast,
                struct pz_expr **out, struct pz_error *err)
{
    if (ast->item_count != 2) {
        return pz_fail_sql(err, "42601", ast->offset, "nullif needs two arguments");
    }
    struct pz_expr *node = pz__bind_make(binder, PZ_EXPR_CASE, PZ_TYPE_NULL, 3, ast->offset, err);
    if (node == NULL) {
        return binder->failure;
    }
    struct pz_expr *left;
    struct pz_expr *right;
    PZ_TRY(pz__bind_expr(binder, scope, ast->items[0], &left, err));
    PZ_TRY(pz__bind_expr(binder, scope, ast->items[1], &right, err));
    PZ_TRY(pz__make_compare(binder, PZ_EQ, left, right, ast->offset, &node->args[0], err));
    PZ_TRY(pz__bind_expr(binder, scope, ast->items[0], &node->args[2], err));
    bool is_date = node->args[2]->type == PZ_TYPE_DATE;
    enum pz_type compared = node->args[0]->args[0]->type;
    node->type = is_date ? PZ_TYPE_DATE : compared;
    PZ_TRY(pz__coerce(binder, &node->args[2], node->type, err));
    node->args[1] = pz__bind_const(binder, pz_value_null(node->type), ast->offset, err);
    *out = node;
    return node->args[1] == NULL ? binder->failure : PZ_OK;
}
