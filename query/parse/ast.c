// SPDX-License-Identifier: Apache-2.0
// Makes the nodes of the tree.
#include "query/parse/parser_internal.h"

struct pz_ast *
pz__ast_make(struct pz_parser *parser, enum pz_ast_kind kind, uint32_t offset, uint32_t begin,
             uint32_t item_count)
{
    struct pz_ast *node = pz_arena_alloc_zero(parser->arena, sizeof *node);
    if (node == NULL) {
        return NULL;
    }
    *node = (struct pz_ast){
        .kind = kind, .offset = offset, .begin = begin, .height = 1, .item_count = item_count};
    if (item_count > 0) {
        node->items = pz_arena_alloc_zero(parser->arena, item_count * sizeof(struct pz_ast *));
        if (node->items == NULL) {
            return NULL;
        }
    }
    return node;
}

enum pz_status
pz__ast_finish(struct pz_ast *node, struct pz_error *err)
{
    for (uint32_t i = 0; i < node->item_count; i++) {
        if (node->height <= node->items[i]->height) {
            node->height = node->items[i]->height + 1;
        }
    }
    if (node->height > PZ_AST_HEIGHT_MAX) {
        return pz_fail_sql(err, "54001", node->offset, "the expression has more than %u levels",
                           PZ_AST_HEIGHT_MAX);
    }
    return PZ_OK;
}

enum pz_status
pz__ast_finish_list(struct pz_ast *node, const struct pz_parse_list *items, struct pz_error *err)
{
    node->items = items->items;
    node->item_count = items->count;
    return pz__ast_finish(node, err);
}

enum pz_status
pz__ast_add(struct pz_parser *parser, struct pz_parse_list *list, struct pz_ast *item,
            struct pz_error *err)
{
    struct pz_ast **place = pz__list_add(parser, list, sizeof(struct pz_ast *));
    if (place == NULL) {
        return pz__parser_no_memory(err);
    }
    *place = item;
    return PZ_OK;
}
