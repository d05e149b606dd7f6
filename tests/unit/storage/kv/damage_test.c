// SPDX-License-Identifier: Apache-2.0
// Damaged environments: cut short at any place, with pages changed, swapped and zeroed. Whatever it
// is, a process that opens and reads one ends in order, says which file is damaged, and has not
// changed it.
#include "base/file.h"
#include "storage/kv/kv.h"
#include "storage/kv/kv_internal.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define EXIT_DAMAGED 65

static const struct pz_kv_options small = {.map_bytes = 16u << 20, .is_ephemeral = true};

// ---- an environment with all kinds of pages -------------------------------------------------

static void
put_rows(struct pz_kv_txn *txn, enum pz_kv_db db, uint32_t first, uint32_t count, size_t len)
{
    static char value[9000];
    struct pz_error err = {0};
    for (uint32_t i = first; i < first + count; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "key %06u", i);
        memset(value, (int)('a' + i % 26), len);
        PZ_REQUIRE_OK(pz_kv_put(txn, db, PZ_KV_PUT, (struct pz_bytes){key, 10},
                                (struct pz_bytes){value, len}, &err),
                      &err);
    }
}

// Branches, leaves, large values, and lists of free pages.
static struct pz_buffer
make_environment(void)
{
    struct pz_kv_env *env = NULL;
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_kv_open(pz_test_path("kv"), true, &small, &env, &err), &err);
    for (uint32_t round = 0; round < 6; round++) {
        struct pz_kv_txn *txn = NULL;
        PZ_REQUIRE_OK(pz_kv_begin_write(env, &txn, &err), &err);
        put_rows(txn, PZ_KV_META, round * 100, 200, 40);
        put_rows(txn, PZ_KV_TAIL, round * 3, 4, 9000 - round);
        for (uint32_t i = 0; round % 2 == 1 && i < 4; i++) {
            char key[16];
            (void)snprintf(key, sizeof key, "key %06u", round * 3 - i);
            PZ_REQUIRE_OK(pz_kv_delete(txn, PZ_KV_TAIL, key, 10, &err), &err);
        }
        PZ_REQUIRE_OK(pz_kv_commit(txn, &err), &err);
    }
    pz_kv_close(env);
    struct pz_buffer file = {0};
    PZ_REQUIRE_OK(pz_file_read_all(pz_test_path("kv"), 16u << 20, &file, &err), &err);
    PZ_REQUIRE(file.len > 20 * PAGE);
    return file;
}

static void
write_file(const char *bytes, size_t len)
{
    struct pz_error err = {0};
    const char *path = pz_test_path("kv");
    PZ_REQUIRE_OK(pz_file_unlink(path, &err), &err);
    PZ_REQUIRE_OK(pz_file_write_all(path, bytes, len, &err), &err);
}

static void
say_and_exit(const struct pz_error *err)
{
    (void)fprintf(stderr, "%s", err->message);
    _exit(err->status == PZ_CORRUPT ? EXIT_DAMAGED : 1);
}

// Opens the file and reads all of it.
static void
read_all(void *payload)
{
    const struct pz_kv_options *options = payload;
    struct pz_kv_env *env = NULL;
    struct pz_kv_txn *txn = NULL;
    struct pz_error err = {0};
    if (pz_kv_open(pz_test_path("kv"), false, options, &env, &err) != PZ_OK ||
        pz_kv_begin_read(env, &txn, &err) != PZ_OK) {
        say_and_exit(&err);
    }
    for (enum pz_kv_db db = 0; db < PZ_KV_DB_COUNT; db++) {
        struct pz_kv_cursor *cursor = NULL;
        struct pz_bytes key;
        struct pz_bytes value;
        if (pz_kv_cursor_open(txn, db, &cursor, &err) != PZ_OK) {
            say_and_exit(&err);
        }
        enum pz_status status = PZ_OK;
        for (int i = 0; status == PZ_OK && i < 10000; i++) { // damaged pages may form a ring
            status = pz_kv_cursor_move(cursor, i == 0 ? PZ_KV_FIRST : PZ_KV_NEXT,
                                       (struct pz_bytes){0}, &key, &value, &err);
        }
        if (status != PZ_NOT_FOUND) {
            say_and_exit(&err);
        }
        pz_kv_cursor_close(cursor);
    }
    _exit(0);
}

// The child's end; the file must be as it was.
static int
read_in_child(bool is_thorough, const char *bytes, size_t len, char *output, size_t capacity)
{
    struct pz_kv_options options = small;
    struct pz_buffer after = {0};
    struct pz_error err = {0};
    options.is_thorough = is_thorough;
    write_file(bytes, len);
    int ended = pz_test_in_child(read_all, &options, output, capacity);
    PZ_REQUIRE_OK(pz_file_read_all(pz_test_path("kv"), 16u << 20, &after, &err), &err);
    PZ_CHECK(after.len == len && memcmp(after.data, bytes, len) == 0);
    pz_buffer_fini(&after);
    return ended;
}

// ---- cut short ------------------------------------------------------------------------------

PZ_TEST(a_file_cut_short_is_refused)
{
    struct pz_buffer file = make_environment();
    char output[1000];
    size_t damaged = 0;
    PZ_CHECK_EQ_I64(read_in_child(true, file.data, file.len, output, sizeof output), 0);
    for (size_t len = file.len - 1; len > 0; len = len > PAGE ? len - PAGE / 2 : len / 2) {
        int ended = read_in_child(false, file.data, len, output, sizeof output);
        damaged += ended == EXIT_DAMAGED;
        // A page that only LMDB's list of free pages names may be missing.
        PZ_CHECK_MSG(ended == EXIT_DAMAGED || (ended == 0 && len > file.len / 2),
                     "%zu bytes of %zu: ended with %d: %s", len, file.len, ended, output);
        if (ended == EXIT_DAMAGED) {
            PZ_CHECK_CONTAINS(output, "is damaged: it ");
        }
    }
    PZ_CHECK(damaged > 10);
    pz_buffer_fini(&file);
}

// Pages that LMDB used and freed in one transaction are not written.
PZ_TEST(free_pages_may_be_missing_at_the_end)
{
    struct pz_kv_env *env = NULL;
    struct pz_kv_txn *txn = NULL;
    struct pz_error err = {0};
    struct pz_buffer file = {0};
    char output[1000];
    file = make_environment();
    pz_buffer_fini(&file);
    PZ_REQUIRE_OK(pz_kv_open(pz_test_path("kv"), false, &small, &env, &err), &err);
    PZ_REQUIRE_OK(pz_kv_begin_write(env, &txn, &err), &err);
    put_rows(txn, PZ_KV_TAIL, 100, 100, 9000);
    for (uint32_t i = 150; i < 200; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "key %06u", i);
        PZ_REQUIRE_OK(pz_kv_delete(txn, PZ_KV_TAIL, key, 10, &err), &err);
    }
    PZ_REQUIRE_OK(pz_kv_commit(txn, &err), &err);
    uint64_t used_bytes = pz_kv_used_bytes(env);
    pz_kv_close(env);
    PZ_REQUIRE_OK(pz_file_read_all(pz_test_path("kv"), 16u << 20, &file, &err), &err);
    PZ_CHECK(file.len < used_bytes); // else the test has lost its point
    PZ_CHECK_EQ_I64(read_in_child(false, file.data, file.len, output, sizeof output), 0);
    PZ_CHECK_EQ_I64(read_in_child(true, file.data, file.len, output, sizeof output), 0);
    pz_buffer_fini(&file);
}

static void
cut_while_open(void *payload)
{
    struct pz_kv_env *env = NULL;
    struct pz_kv_txn *txn = NULL;
    struct pz_error err = {0};
    struct pz_bytes value;
    (void)payload;
    if (pz_kv_open(pz_test_path("kv"), false, &small, &env, &err) != PZ_OK ||
        pz_kv_begin_read(env, &txn, &err) != PZ_OK || truncate(pz_test_path("kv"), 2 * PAGE) != 0) {
        _exit(1);
    }
    enum pz_status status = pz_kv_get(txn, PZ_KV_META, "key 000100", 10, &value, &err);
    _exit(status == PZ_OK ? 2 : 3); // not reached
}

PZ_TEST(a_fault_in_the_map_says_which_file)
{
    struct pz_buffer file = make_environment();
    char output[5000];
    int ended = pz_test_in_child(cut_while_open, NULL, output, sizeof output);
    PZ_CHECK_EQ_I64(ended, EXIT_DAMAGED);
    PZ_CHECK_CONTAINS(output, pz_test_path("kv"));
    PZ_CHECK_CONTAINS(output, "was cut short");
    PZ_CHECK_CONTAINS(output, "backup");
    pz_buffer_fini(&file);
}

static void
fault_elsewhere(void *payload)
{
    struct pz_kv_env *env = NULL;
    struct pz_error err = {0};
    (void)payload;
    if (pz_kv_open(pz_test_path("kv"), false, &small, &env, &err) != PZ_OK) {
        _exit(1);
    }
    volatile const char *closed = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    _exit(*closed == 0 ? 2 : 3); // not reached
}

PZ_TEST(a_fault_elsewhere_is_none_of_the_file)
{
    struct pz_buffer file = make_environment();
    char output[5000];
    int ended = pz_test_in_child(fault_elsewhere, NULL, output, sizeof output);
    PZ_CHECK(ended != EXIT_DAMAGED && ended != 0 && ended != 2 && ended != 3);
    PZ_CHECK(strstr(output, "cut short") == NULL);
    pz_buffer_fini(&file);
}

// ---- changed pages --------------------------------------------------------------------------

// The page as another page, as zeros, or with a bit of its header or offsets changed.
static void
damage_page(char *bytes, size_t len, size_t page, int kind, struct pz_rng *rng)
{
    char *at = bytes + page * PAGE;
    switch (kind) {
    case 0:
        memset(at, 0, PAGE);
        break;
    case 1:
        memcpy(at, bytes + pz_rng_below(rng, len / PAGE) * PAGE, PAGE);
        break;
    case 2:
        at[pz_rng_below(rng, 64)] ^= (char)(1 << pz_rng_below(rng, 8));
        break;
    default:
        at[pz_rng_below(rng, PAGE)] ^= (char)(1 << pz_rng_below(rng, 8));
        break;
    }
}

PZ_TEST(damaged_pages_end_nothing_without_a_word)
{
    struct pz_buffer file = make_environment();
    char *copy = malloc(file.len);
    struct pz_rng rng;
    char output[5000];
    int damaged[2] = {0};
    pz_rng_init(&rng, pz_test_seed());
    PZ_REQUIRE(copy != NULL);
    for (size_t i = 0; i < 4 * (file.len / PAGE); i++) {
        memcpy(copy, file.data, file.len);
        damage_page(copy, file.len, i / 4, (int)(i % 4), &rng);
        for (int is_thorough = 0; is_thorough < 2; is_thorough++) {
            int ended = read_in_child(is_thorough == 1, copy, file.len, output, sizeof output);
            damaged[is_thorough] += ended == EXIT_DAMAGED;
            // Pages that are free may hold anything.
            PZ_CHECK_MSG(ended == 0 || (ended == EXIT_DAMAGED && output[0] != '\0'),
                         "page %zu, damage %zu: ended with %d: %s", i / 4, i % 4, ended, output);
            // What is looked at before LMDB does is told as it is.
            PZ_CHECK_MSG(is_thorough == 0 || (strstr(output, "cannot be read") == NULL &&
                                              strstr(output, "LMDB says") == NULL),
                         "page %zu, damage %zu: %s", i / 4, i % 4, output);
        }
    }
    PZ_CHECK(damaged[0] > 20 && damaged[1] >= damaged[0]);
    free(copy);
    pz_buffer_fini(&file);
}
