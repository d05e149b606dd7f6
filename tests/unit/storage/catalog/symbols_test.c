// SPDX-License-Identifier: Apache-2.0
// Domains: codes are dense, the same for all threads and after a restart, whatever was committed
// meanwhile; and stored runs that were changed are an error.
#include "base/bytes.h"
#include "base/thread.h"
#include "storage/catalog/symbols.h"
#include "storage/column/schema.h"
#include "tests/support/test.h"
#include "tests/unit/storage/kv/scratch_env.h"

#include <stdio.h>
#include <stdlib.h>

#define DOMAIN 7u

static struct pz_str
name_of(uint32_t number, char space[32])
{
    int len = snprintf(space, 32, "name %u%s", number, number % 3 == 0 ? "äöü" : "");
    return (struct pz_str){space, (uint32_t)len};
}

static uint32_t
intern(struct pz_domain *domain, uint32_t number)
{
    char space[32];
    uint32_t code = UINT32_MAX;
    struct pz_error err = {0};
    PZ_CHECK_OK(pz_domain_intern(domain, name_of(number, space), &code, &err), &err);
    return code;
}

static void
check_name(const struct pz_domain *domain, uint32_t code, uint32_t number)
{
    char space[32];
    PZ_CHECK(pz_str_equal(pz_domain_name(domain, code), name_of(number, space)));
}

PZ_TEST(codes_are_dense_and_stay)
{
    struct pz_domain *domain = pz_domain_create(DOMAIN);
    char space[32];
    uint32_t code;
    PZ_CHECK(!pz_domain_find(domain, name_of(0, space), &code));
    for (uint32_t number = 0; number < 30000; number++) { // grows the index several times
        PZ_CHECK_EQ_U64(intern(domain, number), number);
        PZ_CHECK_EQ_U64(intern(domain, number / 2), number / 2);
    }
    PZ_CHECK_EQ_U64(pz_domain_count(domain), 30000);
    for (uint32_t number = 0; number < 30000; number++) {
        check_name(domain, number, number);
        PZ_CHECK(pz_domain_find(domain, name_of(number, space), &code) && code == number);
    }
    PZ_CHECK(!pz_domain_find(domain, name_of(30000, space), &code));
    pz_domain_destroy(domain);
    pz_domain_destroy(NULL);
}

PZ_TEST(any_bytes_are_a_name)
{
    static char long_name[PZ_SYMBOL_LEN_MAX + 1];
    struct pz_domain *domain = pz_domain_create(DOMAIN);
    struct pz_error err = {0};
    uint32_t code = 9;
    PZ_CHECK_OK(pz_domain_intern(domain, (struct pz_str){NULL, 0}, &code, &err), &err);
    PZ_CHECK_EQ_U64(code, 0);
    PZ_CHECK_OK(pz_domain_intern(domain, (struct pz_str){"a\0b", 3}, &code, &err), &err);
    PZ_CHECK_EQ_U64(code, 1);
    PZ_CHECK_OK(pz_domain_intern(domain, (struct pz_str){"a", 1}, &code, &err), &err);
    PZ_CHECK_EQ_U64(code, 2);
    memset(long_name, 'x', sizeof long_name);
    struct pz_str name = {long_name, PZ_SYMBOL_LEN_MAX};
    PZ_CHECK_OK(pz_domain_intern(domain, name, &code, &err), &err);
    PZ_CHECK_EQ_U64(code, 3);
    name.len++;
    PZ_CHECK_STATUS(pz_domain_intern(domain, name, &code, &err), PZ_UNACCEPTABLE, &err);
    PZ_CHECK_EQ_U64(pz_domain_count(domain), 4);
    PZ_CHECK_EQ_U64(pz_domain_name(domain, 0).len, 0);
    pz_domain_destroy(domain);
}

// ---- threads --------------------------------------------------------------------------------

#define THREADS 4u
#define NUMBERS 20000u

struct crowd {
    struct pz_domain *domain;
    uint32_t codes[THREADS][NUMBERS];
    _Atomic uint32_t next;
};

// Each thread interns all numbers, in an order of its own, and reads what others added.
static void *
intern_all(void *payload)
{
    struct crowd *crowd = payload;
    uint32_t self = atomic_fetch_add(&crowd->next, 1);
    uint32_t step = (uint32_t[]){1, 7, 13, 19999}[self];
    for (uint32_t i = 0, number = self; i < NUMBERS; i++, number = (number + step) % NUMBERS) {
        crowd->codes[self][number] = intern(crowd->domain, number);
        check_name(crowd->domain, crowd->codes[self][number], number);
        uint32_t count = pz_domain_count(crowd->domain);
        PZ_CHECK(pz_domain_name(crowd->domain, count - 1).len > 0);
    }
    return NULL;
}

// What the feed takes as a name is known of each symbol, also of those that come back.
PZ_TEST(names_of_the_feed_are_told_apart)
{
    struct pz_domain *domain = pz_domain_create(DOMAIN);
    static const char *const names[] = {"ann", "", "tab\t", "b\xc2\x85", "Ünï"};
    static const bool are_feed_names[] = {true, false, false, false, true};
    struct pz_error err = {0};
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5; i++) {
            uint32_t code = UINT32_MAX;
            PZ_CHECK_OK(pz_domain_intern(domain, pz_str_from(names[i]), &code, &err), &err);
            PZ_CHECK_EQ_I64(code, i);
            PZ_CHECK_EQ_I64(pz_domain_is_feed_name(domain, code), are_feed_names[i]);
        }
    }
    pz_domain_destroy(domain);
}

PZ_TEST(threads_get_the_same_codes)
{
    struct crowd *crowd = pz_xcalloc(1, sizeof *crowd);
    struct pz_thread threads[THREADS];
    crowd->domain = pz_domain_create(DOMAIN);
    for (uint32_t i = 0; i < THREADS; i++) {
        pz_thread_start(&threads[i], "crowd", intern_all, crowd);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pz_thread_join(&threads[i]);
    }
    PZ_CHECK_EQ_U64(pz_domain_count(crowd->domain), NUMBERS);
    for (uint32_t number = 0; number < NUMBERS; number++) {
        for (uint32_t i = 1; i < THREADS; i++) {
            PZ_REQUIRE(crowd->codes[i][number] == crowd->codes[0][number]);
        }
        check_name(crowd->domain, crowd->codes[0][number], number);
    }
    pz_domain_destroy(crowd->domain);
    free(crowd);
}

// ---- on disk --------------------------------------------------------------------------------

static void
persist(struct pz_domain *domain, struct pz_kv_env *env, bool is_committed)
{
    struct pz_kv_txn *txn = NULL;
    struct pz_error err = {0};
    bool is_written = false;
    PZ_REQUIRE_OK(pz_kv_begin_write(env, &txn, &err), &err);
    PZ_CHECK_OK(pz_domain_persist(domain, txn, &is_written, &err), &err);
    if (is_committed) {
        PZ_CHECK_OK(pz_kv_commit(txn, &err), &err);
        pz_domain_persisted(domain);
    } else {
        pz_kv_abort(txn);
    }
}

static enum pz_status
load(struct pz_kv_env *env, struct pz_domain **domain_out, struct pz_error *err)
{
    struct pz_kv_txn *txn = NULL;
    *domain_out = pz_domain_create(DOMAIN);
    PZ_REQUIRE_OK(pz_kv_begin_read(env, &txn, err), err);
    enum pz_status status = pz_domain_load(*domain_out, txn, err);
    pz_kv_abort(txn);
    return status;
}

PZ_TEST(symbols_come_back)
{
    struct pz_kv_env *env = scratch_env_open(64u << 20);
    struct pz_domain *domain = pz_domain_create(DOMAIN);
    struct pz_domain *other = pz_domain_create(DOMAIN + 1); // must not mix
    struct pz_error err = {0};
    struct pz_rng rng;
    pz_rng_init(&rng, pz_test_seed());
    uint32_t committed = 0;
    (void)intern(other, 123456);
    persist(other, env, true);
    for (int round = 0; round < 60; round++) {
        uint32_t more = (uint32_t)pz_rng_below(&rng, round % 10 == 0 ? 9000 : 10);
        while (more-- > 0) {
            (void)intern(domain, pz_domain_count(domain));
        }
        bool is_committed = pz_rng_chance(&rng, 0.7);
        persist(domain, env, is_committed);
        committed = is_committed ? pz_domain_count(domain) : committed;
        if (round % 7 == 6) { // a restart loses what no commit holds
            pz_domain_destroy(domain);
            PZ_REQUIRE_OK(load(env, &domain, &err), &err);
            PZ_CHECK_EQ_U64(pz_domain_count(domain), committed);
        }
    }
    for (uint32_t code = 0; code < pz_domain_count(domain); code++) {
        check_name(domain, code, code);
    }
    pz_domain_destroy(other);
    pz_domain_destroy(domain);
    pz_kv_close(env);
}

// Replaces the stored run of codes from `first` on; its checksum is right.
static void
replace_run(struct pz_kv_env *env, uint32_t first, const struct pz_buffer *value)
{
    char key[8];
    struct pz_kv_txn *txn = NULL;
    struct pz_error err = {0};
    pz_store_be32(key, DOMAIN);
    pz_store_be32(key + 4, first);
    PZ_REQUIRE_OK(pz_kv_begin_write(env, &txn, &err), &err);
    PZ_REQUIRE_OK(pz_kv_put(txn, PZ_KV_SYMBOLS, PZ_KV_PUT, (struct pz_bytes){key, 8},
                            (struct pz_bytes){value->data, value->len}, &err),
                  &err);
    PZ_REQUIRE_OK(pz_kv_commit(txn, &err), &err);
}

PZ_TEST(changed_runs_are_refused)
{
    struct pz_kv_env *env = scratch_env_open(64u << 20);
    struct pz_error err = {0};
    struct pz_buffer run = {0};
    struct pz_domain *domain;
    pz_put_u32(&run, 2);
    pz_put_str(&run, PZ_STR("a"));
    pz_put_str(&run, PZ_STR("b"));
    replace_run(env, 0, &run);
    PZ_CHECK_OK(load(env, &domain, &err), &err);
    PZ_CHECK_EQ_U64(pz_domain_count(domain), 2);
    pz_domain_destroy(domain);
    struct pz_buffer bad[5] = {{0}};
    pz_put_u32(&bad[0], 2); // one is missing
    pz_put_str(&bad[0], PZ_STR("c"));
    pz_put_u32(&bad[1], 1); // known already
    pz_put_str(&bad[1], PZ_STR("a"));
    pz_put_u32(&bad[2], 1); // longer than its run
    pz_put_u32(&bad[2], 4000000000u);
    pz_put_u32(&bad[3], 1); // something behind
    pz_put_str(&bad[3], PZ_STR("c"));
    pz_put_u8(&bad[3], 0);
    pz_put_u8(&bad[4], 1); // too short
    for (int i = 0; i < 5; i++) {
        replace_run(env, 2, &bad[i]);
        PZ_CHECK_STATUS(load(env, &domain, &err), PZ_CORRUPT, &err);
        PZ_CHECK_CONTAINS(err.message, "domain 7");
        pz_domain_destroy(domain);
        pz_buffer_fini(&bad[i]);
    }
    pz_buffer_clear(&run);
    pz_put_u32(&run, 1);
    pz_put_str(&run, PZ_STR("c"));
    replace_run(env, 2, &run);
    replace_run(env, 4, &run); // code 3 is missing
    PZ_CHECK_STATUS(load(env, &domain, &err), PZ_CORRUPT, &err);
    pz_domain_destroy(domain);
    pz_buffer_fini(&run);
    pz_kv_close(env);
}
