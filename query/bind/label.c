// SPDX-License-Identifier: Apache-2.0
// Names of output columns without an alias, as PostgreSQL chooses them.
#include "query/bind/bind_internal.h"

// How well a name fits: a cast's type or CASE gives way to the name of what is inside.
enum strength { STRENGTH_NONE, STRENGTH_WEAK, STRENGTH_STRONG };

static enum strength
find_label(const struct pz_ast *ast, struct pz_str *out)
{
    struct pz_str weak = {NULL, 0};
    while (ast->kind == PZ_AST_CAST || (ast->kind == PZ_AST_CASE && ast->has_else)) {
        if (weak.data == NULL) {
            weak = ast->kind == PZ_AST_CAST ? ast->label : PZ_STR("case");
        }
        ast = ast->items[ast->item_count - 1];
    }
    if (ast->kind == PZ_AST_COLUMN) {
        *out = ast->text;
        return STRENGTH_STRONG;
    }
    if (ast->kind == PZ_AST_CALL) {
        *out = ast->label;
        return STRENGTH_STRONG;
    }
    if (weak.data == NULL && ast->kind == PZ_AST_CASE) {
        weak = PZ_STR("case");
    }
    if (weak.data == NULL && ast->kind == PZ_AST_TYPED) {
        weak = ast->label;
    }
    *out = weak;
    return weak.data != NULL ? STRENGTH_WEAK : STRENGTH_NONE;
}

struct pz_str
pz__label(const struct pz_ast *ast)
{
    struct pz_str label;
    return find_label(ast, &label) == STRENGTH_NONE ? PZ_STR("?column?") : label;
}
