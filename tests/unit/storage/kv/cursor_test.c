// SPDX-License-Identifier: Apache-2.0
// Cursors: every way to move, and deleting the first, the last, the only and every entry, over many
// pages, compared with a plain array.
#include "base/num.h"
#include "storage/kv/kv.h"
#include "tests/support/test.h"

#include <stdlib.h>

#define KEYS 1500u

struct fixture {
    struct pz_kv_env *env;
    struct pz_kv_txn *txn;
    struct pz_kv_cursor *cursor;
    bool is_there[KEYS + 2]; // by number; numbers are 1 .. KEYS
};

static struct pz_bytes
key_of(uint32_t number, char space[4])
{
    pz_store_be32(space, number);
    return (struct pz_bytes){space, 4};
}

static void
begin(struct fixture *f)
{
    const struct pz_kv_options options = {.map_bytes = 64u << 20, .is_ephemeral = true};
    static char value[300];
    struct pz_error err = {0};
    *f = (struct fixture){.env = NULL};
    PZ_REQUIRE_OK(pz_kv_open(pz_test_path("kv"), true, &options, &f->env, &err), &err);
    PZ_REQUIRE_OK(pz_kv_begin_write(f->env, &f->txn, &err), &err);
    for (uint32_t number = 1; number <= KEYS; number++) {
        char space[4];
        PZ_REQUIRE_OK(pz_kv_put(f->txn, PZ_KV_FEED, PZ_KV_PUT, key_of(number, space),
                                (struct pz_bytes){value, number % sizeof value}, &err),
                      &err);
        f->is_there[number] = true;
    }
    PZ_REQUIRE_OK(pz_kv_commit(f->txn, &err), &err);
    PZ_REQUIRE_OK(pz_kv_begin_write(f->env, &f->txn, &err), &err);
    PZ_REQUIRE_OK(pz_kv_cursor_open(f->txn, PZ_KV_FEED, &f->cursor, &err), &err);
}

static void
end(struct fixture *f)
{
    struct pz_error err = {0};
    pz_kv_cursor_close(f->cursor);
    PZ_CHECK_OK(pz_kv_commit(f->txn, &err), &err);
    pz_kv_close(f->env);
}

// Moves and returns the number stood on; 0 at either end.
static uint32_t
move(struct fixture *f, enum pz_kv_seek seek, uint32_t number)
{
    char space[4];
    struct pz_bytes key;
    struct pz_bytes value;
    struct pz_error err = {0};
    enum pz_status status =
        pz_kv_cursor_move(f->cursor, seek, key_of(number, space), &key, &value, &err);
    if (status == PZ_NOT_FOUND) {
        return 0;
    }
    PZ_REQUIRE_OK(status, &err);
    PZ_REQUIRE(key.len == 4);
    uint32_t found = pz_load_be32(key.data);
    PZ_CHECK_EQ_U64(value.len, found % 300);
    return found;
}

static void
delete_here(struct fixture *f, uint32_t number)
{
    struct pz_error err = {0};
    PZ_CHECK_OK(pz_kv_cursor_delete(f->cursor, &err), &err);
    f->is_there[number] = false;
}

static uint32_t
first_from(const struct fixture *f, uint32_t number)
{
    while (number <= KEYS && !f->is_there[number]) {
        number++;
    }
    return number <= KEYS ? number : 0;
}

static uint32_t
last_before(const struct fixture *f, uint32_t number)
{
    while (number > 0 && !f->is_there[--number]) {
    }
    return number;
}

PZ_TEST(moves)
{
    struct fixture f;
    begin(&f);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_FIRST, 0), 1);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_PREV, 0), 0);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_LAST, 0), KEYS);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_NEXT, 0), 0);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_PREV, 0), KEYS - 1);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_AT_OR_AFTER, 700), 700);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_NEXT, 0), 701);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_BEFORE, 700), 699);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_BEFORE, 1), 0);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_BEFORE, KEYS + 1), KEYS);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_AT_OR_AFTER, KEYS + 1), 0);
    end(&f);
}

PZ_TEST(deleting_every_entry_forwards)
{
    struct fixture f;
    begin(&f);
    uint32_t number = move(&f, PZ_KV_FIRST, 0);
    for (uint32_t expected = 1; expected <= KEYS; expected++) {
        PZ_REQUIRE(number == expected);
        delete_here(&f, number);
        number = move(&f, PZ_KV_NEXT, 0);
    }
    PZ_CHECK_EQ_U64(number, 0);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_FIRST, 0), 0);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_LAST, 0), 0);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_BEFORE, 5), 0);
    end(&f);
}

PZ_TEST(deleting_the_first_and_the_last)
{
    struct fixture f;
    begin(&f);
    delete_here(&f, move(&f, PZ_KV_LAST, 0));
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_NEXT, 0), 0);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_LAST, 0), KEYS - 1);
    delete_here(&f, move(&f, PZ_KV_FIRST, 0));
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_NEXT, 0), 2);
    PZ_CHECK_EQ_U64(move(&f, PZ_KV_FIRST, 0), 2);
    end(&f);
}

// Deletes by chance on the way forwards; each step must give the next entry that is left.
PZ_TEST(deleting_some_on_the_way)
{
    struct fixture f;
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    for (int round = 0; round < 20; round++) {
        begin(&f);
        double chance = pz_rng_unit(&rng);
        uint32_t number = move(&f, PZ_KV_AT_OR_AFTER, (uint32_t)pz_rng_below(&rng, KEYS) + 1);
        while (number != 0) {
            uint32_t at = number;
            if (pz_rng_chance(&rng, chance)) {
                delete_here(&f, at);
            }
            number = move(&f, PZ_KV_NEXT, 0);
            PZ_REQUIRE(number == first_from(&f, at + 1));
        }
        for (int i = 0; i < 100; i++) {
            uint32_t from = (uint32_t)pz_rng_below(&rng, KEYS + 2);
            PZ_CHECK_EQ_U64(move(&f, PZ_KV_AT_OR_AFTER, from), first_from(&f, from));
            PZ_CHECK_EQ_U64(move(&f, PZ_KV_BEFORE, from), last_before(&f, from));
        }
        end(&f);
        struct pz_error err = {0};
        PZ_REQUIRE_OK(pz_kv_open(pz_test_path("kv"), false,
                                 &(struct pz_kv_options){.map_bytes = 64u << 20}, &f.env, &err),
                      &err);
        PZ_REQUIRE_OK(pz_kv_begin_read(f.env, &f.txn, &err), &err);
        PZ_REQUIRE_OK(pz_kv_cursor_open(f.txn, PZ_KV_FEED, &f.cursor, &err), &err);
        uint32_t expected = first_from(&f, 1);
        for (number = move(&f, PZ_KV_FIRST, 0); number != 0; number = move(&f, PZ_KV_NEXT, 0)) {
            PZ_REQUIRE(number == expected);
            expected = first_from(&f, number + 1);
        }
        PZ_CHECK_EQ_U64(expected, 0);
        pz_kv_cursor_close(f.cursor);
        pz_kv_abort(f.txn);
        pz_kv_close(f.env);
    }
}
