// SPDX-License-Identifier: Apache-2.0
// Looks at the pages of an environment's file before LMDB maps it.
//
// LMDB believes its pages: one that lies beyond the end of the file is a SIGBUS where it is
// touched, and one with foreign bytes ends in an assertion or worse. So the file is read here with
// pread, by LMDB 0.9's layout on 64-bit little-endian machines:
//
//     page    number u64 · pad u16 · flags u16 · lower u16, upper u16 (overflow: page count u32)
//             then, up to `lower`, the offset u16 of each node
//     meta    pages 0 and 1; the one with the larger transaction number counts. After the page
//             header: magic u32 · version u32 · address u64 · map bytes u64 · tree of free pages ·
//             main tree · last page u64 · transaction number u64
//     tree    pad u32 (page bytes, in the first) · flags u16 · depth u16 · branch, leaf and
//             overflow pages u64 · entries u64 · root u64
//     node    low u16 · high u16 · flags u16 · key bytes u16 · key · value. In a leaf low and high
//             are the value's bytes; in a branch they and the flags are the child's page
//     value   in the node, or (flag 1) the number of the first of its overflow pages; in the main
//             tree (flag 2) the tree of a named database; in the tree of free pages a count u64 and
//             so many page numbers u64
#include "base/arena.h"
#include "base/file.h"
#include "base/num.h"
#include "storage/kv/kv_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define META_BYTES (16u + 24u + 2 * TREE_BYTES + 16u)
#define META_MAGIC 0xBEEFC0DEu
#define META_VERSION 1u
#define PAGE_HEADER_BYTES 16u
#define PAGE_BYTES_MAX 65536u
#define NODE_HEADER_BYTES 8u
#define TREE_BYTES 48u
#define DEPTH_MAX 32u
#define KEY_LEN_MAX 511u
#define NO_PAGE UINT64_MAX

enum { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_OVERFLOW = 4, PAGE_KINDS = 0x6f };
enum { NODE_BIG_VALUE = 1, NODE_TREE = 2 };

struct tree {
    char name[65];
    bool is_free_pages; // its keys are u64, its values page numbers
    bool is_main;
    uint16_t depth;
    uint64_t entry_count;
    uint64_t root;
    uint64_t counted; // entries met so far
    size_t last_len;  // of the key met last
    unsigned char last[KEY_LEN_MAX];
};

struct pages {
    const char *path;
    struct pz_file file;
    uint64_t file_bytes;
    uint32_t page_bytes;
    uint64_t page_count; // that the newest meta page speaks of
    struct tree free_pages;
    struct tree main;
    uint64_t *is_used; // a bit for each page: met in a tree
    uint64_t *is_free; // named by the tree of free pages
};

struct node {
    unsigned flags;
    const unsigned char *key;
    size_t key_len;
    uint64_t child;             // branch
    const unsigned char *value; // leaf; checked to lie in the page, but for a big one
    uint64_t value_len;
};

static PZ_PRINTF(3, 4) enum pz_status
    damaged(const struct pages *pages, struct pz_error *err, const char *format, ...)
{
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pz_fail(err, PZ_CORRUPT, "%s is damaged: %s", pages->path, text);
    pz_error_hint(err, "restore the data directory from a backup; nothing was changed");
    return PZ_CORRUPT;
}

static bool
test_and_set(uint64_t *bits, uint64_t i)
{
    uint64_t bit = UINT64_C(1) << (i & 63);
    bool was_set = (bits[i >> 6] & bit) != 0;
    bits[i >> 6] |= bit;
    return was_set;
}

static bool
is_set(const uint64_t *bits, uint64_t i)
{
    return (bits[i >> 6] >> (i & 63) & 1) != 0;
}

// ---- the meta pages -------------------------------------------------------------------------

static void
parse_tree(const unsigned char *bytes, const char *name, struct tree *tree)
{
    *tree = (struct tree){.depth = pz_load_le16(bytes + 6),
                          .entry_count = pz_load_le64(bytes + 32),
                          .root = pz_load_le64(bytes + 40)};
    (void)snprintf(tree->name, sizeof tree->name, "%s", name);
}

static enum pz_status
read_meta(struct pages *pages, unsigned number, unsigned char bytes[META_BYTES],
          struct pz_error *err)
{
    uint64_t at = (uint64_t)number * pages->page_bytes;
    if (at + META_BYTES > pages->file_bytes) {
        return damaged(pages, err, "it ends within its first pages");
    }
    PZ_TRY(pz_file_pread(&pages->file, bytes, META_BYTES, at, pages->path, err));
    if (pz_load_le32(bytes + 16) != META_MAGIC || pz_load_le32(bytes + 20) != META_VERSION) {
        return damaged(pages, err, "its page %u is no meta page of LMDB", number);
    }
    return PZ_OK;
}

static enum pz_status
read_metas(struct pages *pages, struct pz_error *err)
{
    unsigned char metas[2][META_BYTES];
    PZ_TRY(read_meta(pages, 0, metas[0], err));
    pages->page_bytes = pz_load_le32(metas[0] + 40);
    if (pages->page_bytes < 512 || pages->page_bytes > PAGE_BYTES_MAX ||
        (pages->page_bytes & (pages->page_bytes - 1)) != 0) {
        return damaged(pages, err, "its pages have %u bytes, by its first page", pages->page_bytes);
    }
    PZ_TRY(read_meta(pages, 1, metas[1], err));
    const unsigned char *end0 = metas[0] + META_BYTES - 16;
    const unsigned char *end1 = metas[1] + META_BYTES - 16;
    const unsigned char *newest =
        pz_load_le64(end0 + 8) < pz_load_le64(end1 + 8) ? metas[1] : metas[0];
    parse_tree(newest + 40, "free pages", &pages->free_pages);
    pages->free_pages.is_free_pages = true;
    parse_tree(newest + 40 + TREE_BYTES, "main", &pages->main);
    pages->main.is_main = true;
    uint64_t last_page = pz_load_le64(newest + META_BYTES - 16);
    // Pages that are not in the file must be named as free in it, by 8 bytes each.
    if (last_page < 1 || last_page >= pages->file_bytes) {
        return damaged(pages, err, "by its newest meta page it has %llu pages, but %llu bytes",
                       (unsigned long long)last_page + 1, (unsigned long long)pages->file_bytes);
    }
    pages->page_count = last_page + 1;
    return PZ_OK;
}

// ---- one page -------------------------------------------------------------------------------

// Takes `count` pages from `number` on for a tree: each belongs to one place only.
static enum pz_status
claim(struct pages *pages, const struct tree *tree, uint64_t number, uint64_t count,
      struct pz_error *err)
{
    if (number < 2 || number >= pages->page_count || count > pages->page_count - number) {
        return damaged(pages, err, "tree %s names page %llu of %llu", tree->name,
                       (unsigned long long)number, (unsigned long long)pages->page_count);
    }
    if ((number + count) * pages->page_bytes > pages->file_bytes) {
        return damaged(pages, err, "it ends at byte %llu, before page %llu of tree %s",
                       (unsigned long long)pages->file_bytes,
                       (unsigned long long)(number + count - 1), tree->name);
    }
    for (uint64_t i = number; i < number + count; i++) {
        if (test_and_set(pages->is_used, i)) {
            return damaged(pages, err, "page %llu belongs to two places, one in tree %s",
                           (unsigned long long)i, tree->name);
        }
    }
    return PZ_OK;
}

static enum pz_status
read_page(struct pages *pages, const struct tree *tree, uint64_t number, unsigned kind,
          unsigned char *page, struct pz_error *err)
{
    PZ_TRY(claim(pages, tree, number, 1, err));
    PZ_TRY(pz_file_pread(&pages->file, page, pages->page_bytes, number * pages->page_bytes,
                         pages->path, err));
    unsigned lower = pz_load_le16(page + 12);
    unsigned upper = pz_load_le16(page + 14);
    if (pz_load_le64(page) != number || (pz_load_le16(page + 10) & PAGE_KINDS) != kind ||
        lower < PAGE_HEADER_BYTES || lower > upper || upper > pages->page_bytes) {
        return damaged(pages, err, "page %llu is no page of tree %s", (unsigned long long)number,
                       tree->name);
    }
    return PZ_OK;
}

// The i-th node of a page; false when it does not lie in the page.
static bool
parse_node(const struct pages *pages, const unsigned char *page, unsigned i, struct node *node)
{
    bool is_branch = (pz_load_le16(page + 10) & PAGE_BRANCH) != 0;
    size_t at = pz_load_le16(page + PAGE_HEADER_BYTES + 2 * i);
    if (at < pz_load_le16(page + 14) || at + NODE_HEADER_BYTES > pages->page_bytes) {
        return false;
    }
    const unsigned char *bytes = page + at;
    uint64_t low = pz_load_le16(bytes);
    uint64_t high = pz_load_le16(bytes + 2);
    size_t key_len = pz_load_le16(bytes + 6);
    *node = (struct node){.flags = is_branch ? 0 : pz_load_le16(bytes + 4),
                          .key = bytes + NODE_HEADER_BYTES,
                          .key_len = key_len,
                          .value = bytes + NODE_HEADER_BYTES + key_len,
                          .value_len = low | high << 16};
    if (is_branch) {
        node->child = node->value_len | (uint64_t)pz_load_le16(bytes + 4) << 32;
        node->value_len = 0;
    }
    uint64_t held = (node->flags & NODE_BIG_VALUE) != 0 ? 8 : node->value_len;
    return key_len <= KEY_LEN_MAX && at + NODE_HEADER_BYTES + key_len + held <= pages->page_bytes;
}

// ---- trees ----------------------------------------------------------------------------------

static enum pz_status walk_tree(struct pages *pages, struct tree *tree, struct pz_error *err);

static enum pz_status
note_free(struct pages *pages, const unsigned char *value, uint64_t value_len, struct pz_error *err)
{
    uint64_t count = value_len < 8 ? UINT64_MAX : pz_load_le64(value);
    if (count > value_len / 8 - 1) {
        return damaged(pages, err, "a list of free pages does not parse");
    }
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t number = pz_load_le64(value + 8 * i);
        if (number < 2 || number >= pages->page_count || test_and_set(pages->is_free, number)) {
            return damaged(pages, err, "page %llu is not rightly named as free",
                           (unsigned long long)number);
        }
    }
    return PZ_OK;
}

// A value in pages of its own.
static enum pz_status
visit_big(struct pages *pages, const struct tree *tree, const struct node *node,
          struct pz_error *err)
{
    unsigned char header[PAGE_HEADER_BYTES];
    uint64_t number = pz_load_le64(node->value);
    uint64_t bytes = PAGE_HEADER_BYTES + node->value_len;
    uint64_t count = (bytes + pages->page_bytes - 1) / pages->page_bytes;
    PZ_TRY(claim(pages, tree, number, count, err));
    uint64_t at = number * pages->page_bytes;
    PZ_TRY(pz_file_pread(&pages->file, header, sizeof header, at, pages->path, err));
    if (pz_load_le64(header) != number ||
        (pz_load_le16(header + 10) & PAGE_KINDS) != PAGE_OVERFLOW ||
        pz_load_le32(header + 12) != count) {
        return damaged(pages, err, "page %llu does not hold a value of tree %s",
                       (unsigned long long)number, tree->name);
    }
    if (!tree->is_free_pages) {
        return PZ_OK; // the checksum of the value is for those who read it
    }
    unsigned char *value = pz_xmalloc(node->value_len);
    enum pz_status status = pz_file_pread(&pages->file, value, node->value_len,
                                          at + PAGE_HEADER_BYTES, pages->path, err);
    if (status == PZ_OK) {
        status = note_free(pages, value, node->value_len, err);
    }
    free(value);
    return status;
}

static enum pz_status
visit_subtree(struct pages *pages, const struct node *node, struct pz_error *err)
{
    struct tree tree;
    char name[64];
    size_t len = node->key_len < sizeof name ? node->key_len : sizeof name - 1;
    if (node->value_len != TREE_BYTES) {
        return damaged(pages, err, "a database of the main tree does not parse");
    }
    memcpy(name, node->key, len);
    name[len] = '\0';
    parse_tree(node->value, name, &tree);
    return walk_tree(pages, &tree, err);
}

// Whether the key comes after the one met last.
static bool
follows(const struct tree *tree, const struct node *node)
{
    if (tree->counted == 0) {
        return true;
    }
    if (tree->is_free_pages) {
        return pz_load_le64(node->key) > pz_load_le64(tree->last);
    }
    size_t common = node->key_len < tree->last_len ? node->key_len : tree->last_len;
    int order = memcmp(node->key, tree->last, common);
    return order > 0 || (order == 0 && node->key_len > tree->last_len);
}

static enum pz_status
visit_entry(struct pages *pages, struct tree *tree, uint64_t number, const struct node *node,
            struct pz_error *err)
{
    bool has_right_flags = node->flags == 0 || node->flags == NODE_BIG_VALUE ||
                           (tree->is_main && node->flags == NODE_TREE);
    bool has_right_key = tree->is_free_pages ? node->key_len == 8 : node->key_len > 0;
    if (!has_right_flags || !has_right_key || !follows(tree, node)) {
        return damaged(pages, err, "an entry of tree %s is out of order, in page %llu", tree->name,
                       (unsigned long long)number);
    }
    memcpy(tree->last, node->key, node->key_len);
    tree->last_len = node->key_len;
    tree->counted++;
    if ((node->flags & NODE_BIG_VALUE) != 0) {
        return visit_big(pages, tree, node, err);
    }
    if (tree->is_free_pages) {
        return note_free(pages, node->value, node->value_len, err);
    }
    return node->flags == NODE_TREE ? visit_subtree(pages, node, err) : PZ_OK;
}

// Walks what is below a page, which is `height` pages above the entries (1 = a leaf).
static enum pz_status
walk_page(struct pages *pages, struct tree *tree, uint64_t number, unsigned height,
          struct pz_error *err)
{
    unsigned char *page = pz_xmalloc(pages->page_bytes);
    enum pz_status status =
        read_page(pages, tree, number, height == 1 ? PAGE_LEAF : PAGE_BRANCH, page, err);
    unsigned count = status == PZ_OK ? (pz_load_le16(page + 12) - PAGE_HEADER_BYTES) / 2 : 0;
    for (unsigned i = 0; i < count && status == PZ_OK; i++) {
        struct node node;
        if (!parse_node(pages, page, i, &node)) {
            status = damaged(pages, err, "page %llu of tree %s does not parse",
                             (unsigned long long)number, tree->name);
        } else if (height == 1) {
            status = visit_entry(pages, tree, number, &node, err);
        } else {
            status = walk_page(pages, tree, node.child, height - 1, err);
        }
    }
    free(page);
    return status;
}

static enum pz_status
walk_tree(struct pages *pages, struct tree *tree, struct pz_error *err)
{
    if (tree->depth > DEPTH_MAX || (tree->depth == 0) != (tree->root == NO_PAGE)) {
        return damaged(pages, err, "tree %s does not parse", tree->name);
    }
    if (tree->depth > 0) {
        PZ_TRY(walk_page(pages, tree, tree->root, tree->depth, err));
    }
    if (tree->counted != tree->entry_count) {
        return damaged(pages, err, "tree %s has %llu entries and should have %llu", tree->name,
                       (unsigned long long)tree->counted, (unsigned long long)tree->entry_count);
    }
    return PZ_OK;
}

// ---- the file -------------------------------------------------------------------------------

// LMDB leaves pages at the end unwritten that were used and freed by one transaction. All others
// are written before the meta page that speaks of them.
static enum pz_status
check_end(const struct pages *pages, struct pz_error *err)
{
    for (uint64_t i = pages->file_bytes / pages->page_bytes; i < pages->page_count; i++) {
        if (!is_set(pages->is_free, i)) {
            return damaged(pages, err, "it is cut short: %llu bytes of %llu, and page %llu is gone",
                           (unsigned long long)pages->file_bytes,
                           (unsigned long long)(pages->page_count * pages->page_bytes),
                           (unsigned long long)i);
        }
    }
    return PZ_OK;
}

static enum pz_status
check_free(const struct pages *pages, struct pz_error *err)
{
    for (uint64_t i = 0; i < pages->page_count; i++) {
        if (is_set(pages->is_free, i) && is_set(pages->is_used, i)) {
            return damaged(pages, err, "page %llu is used and named as free",
                           (unsigned long long)i);
        }
    }
    return PZ_OK;
}

static enum pz_status
check_pages(struct pages *pages, bool is_thorough, struct pz_error *err)
{
    PZ_TRY(pz_file_size(&pages->file, &pages->file_bytes, pages->path, err));
    PZ_TRY(read_metas(pages, err));
    if (!is_thorough && pages->page_count * pages->page_bytes <= pages->file_bytes) {
        return PZ_OK;
    }
    pages->is_used = pz_xcalloc(pages->page_count / 64 + 1, sizeof *pages->is_used);
    pages->is_free = pz_xcalloc(pages->page_count / 64 + 1, sizeof *pages->is_free);
    PZ_TRY(walk_tree(pages, &pages->free_pages, err));
    PZ_TRY(check_end(pages, err));
    if (!is_thorough) {
        return PZ_OK;
    }
    PZ_TRY(walk_tree(pages, &pages->main, err));
    return check_free(pages, err);
}

enum pz_status
pz__kv_check_pages(const char *path, bool is_thorough, struct pz_error *err)
{
    struct pages pages = {.path = path};
    PZ_TRY(pz_file_open(path, PZ_FILE_READ_FOLLOW, &pages.file, err));
    enum pz_status status = check_pages(&pages, is_thorough, err);
    pz_file_discard(&pages.file);
    free(pages.is_used);
    free(pages.is_free);
    return status;
}
