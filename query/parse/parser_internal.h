// SPDX-License-Identifier: Apache-2.0
// What the files of the parser share: the token window, errors, makers of nodes.
#ifndef PZ_QUERY_PARSE_PARSER_INTERNAL_H
#define PZ_QUERY_PARSE_PARSER_INTERNAL_H

#include "query/parse/lexer.h"
#include "query/parse/parser.h"

// A chain of operators of one level (a + b + c …) makes a tree as high as it is long; higher ones
// are refused, since binding and compiling walk the tree by recursion.
#define PZ_AST_HEIGHT_MAX 1000u
#define PZ_AST_LIST_MAX 1000u // entries of a select list, GROUP BY, ORDER BY, a table's columns

#define PZ_PARSER_WINDOW 3

struct pz_parser {
    struct pz_lexer lexer;
    struct pz_arena *arena;
    struct pz_token window[PZ_PARSER_WINDOW]; // [0] is the current token
    struct pz_token previous;
    unsigned depth;
    // Why the token PZ_TOKEN_BAD in the window is bad; told only when the parser gets there.
    enum pz_status bad_status;
    struct pz_error bad;
};

// ---- tokens (parser.c) ---------------------------------------------------------------------

// Moves on to the next token.
void pz__advance(struct pz_parser *parser);
bool pz__at_keyword(const struct pz_parser *parser, enum pz_keyword keyword);
bool pz__at_operator(const struct pz_parser *parser, enum pz_operator op);
bool pz__token_is_word(const struct pz_token *token, const char *word); // an unreserved word
bool pz__at_word(const struct pz_parser *parser, const char *word);
bool pz__token_is_keyword(const struct pz_token *token, enum pz_keyword keyword);
bool pz__token_is_operator(const struct pz_token *token, enum pz_operator op);
// Moves on when the current token is the one named.
bool pz__accept_keyword(struct pz_parser *parser, enum pz_keyword keyword);
bool pz__accept_operator(struct pz_parser *parser, enum pz_operator op);
bool pz__accept_word(struct pz_parser *parser, const char *word);
PZ_MUST_USE enum pz_status pz__expect_keyword(struct pz_parser *parser, enum pz_keyword keyword,
                                              struct pz_error *err);
PZ_MUST_USE enum pz_status pz__expect_operator(struct pz_parser *parser, enum pz_operator op,
                                               struct pz_error *err);
PZ_MUST_USE enum pz_status pz__expect_word(struct pz_parser *parser, const char *word,
                                           struct pz_error *err);

// ---- errors (parser.c) ---------------------------------------------------------------------

// 42601 at the current token, with a hint when a word looks like a mistyped keyword.
enum pz_status pz__syntax_error(struct pz_parser *parser, struct pz_error *err);
// 0A000 "<what> is not supported" at `offset`, with a hint.
enum pz_status pz__unsupported(uint32_t offset, const char *what, const char *hint,
                               struct pz_error *err);
enum pz_status pz__parser_no_memory(struct pz_error *err);
// Counts one level of nesting; 54001 when there are too many. Pair with depth--.
PZ_MUST_USE enum pz_status pz__parser_enter(struct pz_parser *parser, struct pz_error *err);

// ---- lists (parser.c) ----------------------------------------------------------------------

// A growing array of pointers or structs in the arena. Zero-initialised is empty.
struct pz_parse_list {
    void *items;
    uint32_t count;
    uint32_t capacity;
};
// Room for one more item of `size` bytes, zeroed; NULL when out of memory.
void *pz__list_add(struct pz_parser *parser, struct pz_parse_list *list, size_t size);

// ---- names ---------------------------------------------------------------------------------

bool pz__at_name(const struct pz_parser *parser); // that can be the name of a column or table
// The name of a column or table.
PZ_MUST_USE enum pz_status pz__parse_name(struct pz_parser *parser, struct pz_ast_name *name_out,
                                          struct pz_error *err);
// The name of a table, without a schema.
PZ_MUST_USE enum pz_status pz__parse_table_name(struct pz_parser *parser,
                                                struct pz_ast_name *name_out, struct pz_error *err);
// A parenthesised list of names; the current token is the opening parenthesis.
PZ_MUST_USE enum pz_status pz__parse_name_list(struct pz_parser *parser, struct pz_ast_name **names,
                                               uint32_t *count, struct pz_error *err);
// The name of a type.
struct pz_parsed_type {
    enum pz_type type;
    uint32_t offset;
    uint32_t length;     // VARCHAR(n); 0 = none given
    struct pz_str label; // PostgreSQL's own name of it, which names columns of casts
};
PZ_MUST_USE enum pz_status pz__parse_type(struct pz_parser *parser, struct pz_parsed_type *out,
                                          struct pz_error *err);

// ---- expressions (parse_expr.c, parse_primary.c, parse_call.c) -------------------------------

PZ_MUST_USE enum pz_status pz__parse_expr(struct pz_parser *parser, struct pz_ast **out,
                                          struct pz_error *err);
// What unary operators stand before: a literal, name, call, parenthesis, with its `::` casts.
PZ_MUST_USE enum pz_status pz__parse_primary(struct pz_parser *parser, struct pz_ast **out,
                                             struct pz_error *err);
// An operand that ends before the words IN, FROM, FOR, AND … of the surrounding form.
PZ_MUST_USE enum pz_status pz__parse_operand(struct pz_parser *parser, struct pz_ast **out,
                                             struct pz_error *err);
// A call; the current token is the function's name, the next one the opening parenthesis.
PZ_MUST_USE enum pz_status pz__parse_call(struct pz_parser *parser, struct pz_ast **out,
                                          struct pz_error *err);
// One or more expressions with commas between them, appended to `list` of struct pz_ast *.
PZ_MUST_USE enum pz_status pz__parse_expr_list(struct pz_parser *parser, struct pz_parse_list *list,
                                               struct pz_error *err);

// ---- nodes (ast.c) --------------------------------------------------------------------------

// A node with room for item_count items (all NULL), or NULL when out of memory. `begin` is where
// its text begins.
struct pz_ast *pz__ast_make(struct pz_parser *parser, enum pz_ast_kind kind, uint32_t offset,
                            uint32_t begin, uint32_t item_count);
// When all items are set: works out the height; 54001 when the tree is too high.
PZ_MUST_USE enum pz_status pz__ast_finish(struct pz_ast *node, struct pz_error *err);
// The same, with `items` (of struct pz_ast *) as its items.
PZ_MUST_USE enum pz_status
pz__ast_finish_list(struct pz_ast *node, const struct pz_parse_list *items, struct pz_error *err);
// Appends to a list of struct pz_ast *.
PZ_MUST_USE enum pz_status pz__ast_add(struct pz_parser *parser, struct pz_parse_list *list,
                                       struct pz_ast *item, struct pz_error *err);

// ---- statements ----------------------------------------------------------------------------

// parse_select.c; the current token is SELECT or an opening parenthesis before it.
PZ_MUST_USE enum pz_status pz__parse_select(struct pz_parser *parser, struct pz_ast_select **out,
                                            struct pz_error *err);
// SELECT, VALUES or WITH, after parentheses; or more parentheses than the window shows.
bool pz__at_select(const struct pz_parser *parser);
// parse_command.c; the current token is the statement's first word.
PZ_MUST_USE enum pz_status pz__parse_insert(struct pz_parser *parser, struct pz_ast_insert *out,
                                            struct pz_error *err);
PZ_MUST_USE enum pz_status pz__parse_delete(struct pz_parser *parser, struct pz_ast_delete *out,
                                            struct pz_error *err);
PZ_MUST_USE enum pz_status pz__parse_create(struct pz_parser *parser, struct pz_ast_create *out,
                                            struct pz_error *err);
PZ_MUST_USE enum pz_status pz__parse_drop(struct pz_parser *parser, struct pz_ast_drop *out,
                                          struct pz_error *err);

#endif
