// SPDX-License-Identifier: Apache-2.0
// A map that is full, wherever LMDB finds out: writes are refused with FULL and none of them half
// done, reads go on, and with a larger map everything that was acknowledged is there.
#include "storage/catalog/builtin.h"
#include "tests/support/test.h"
#include "tests/unit/storage/store/notes.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 600

static struct pz_store *
open_store(bool create, uint64_t map_bytes)
{
    const struct pz_store_options options = {.create = create,
                                             .is_ephemeral = true,
                                             .is_manual = true,
                                             .cache_bytes = 4u << 20,
                                             .map_bytes = map_bytes};
    struct pz_store *store = NULL;
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_store_open(pz_test_path("store"), &options, &store, &err), &err);
    return store;
}

static enum pz_status
add_notes(struct pz_store *store, int64_t first, size_t count, struct pz_error *err)
{
    struct pz_batch batch;
    notes_fill(store, &batch, notes_table(store, "notes"), first, count);
    struct pz_write write = {.kind = PZ_WRITE_ROWS, .batches = &batch, .batch_count = 1};
    enum pz_status status = pz_store_submit_wait(store, &write, err);
    pz_batch_fini(&batch);
    return status;
}

// Refused because of the map, and nothing else.
static void
check_full(struct pz_store *store, enum pz_status status, const struct pz_error *err)
{
    struct pz_store_stats stats;
    if (status != PZ_OK) {
        PZ_CHECK_STATUS(status, PZ_FULL, err);
        PZ_CHECK_CONTAINS(err->hint, "PLAZA_MAP_BYTES");
    }
    pz_store_read_stats(store, &stats);
    PZ_CHECK(!stats.is_failed);
}

PZ_TEST(a_full_map_ends_no_writing)
{
    struct pz_store *store = open_store(true, 16u << 20);
    struct pz_rng rng;
    int64_t next = 0;
    int refused = 0;
    pz_rng_init(&rng, pz_test_seed());
    notes_create(store, "notes");
    for (int i = 0; i < ROUNDS; i++) {
        struct pz_error err = {0};
        size_t count = 1 + pz_rng_below(&rng, pz_rng_chance(&rng, 0.3) ? 20000 : 200);
        enum pz_status status = add_notes(store, next, count, &err);
        check_full(store, status, &err);
        next += status == PZ_OK ? (int64_t)count : 0;
        refused += status != PZ_OK;
        if (i % 200 == 199) { // takes chunks out of plaza.mdb, and writes to it
            err = (struct pz_error){0};
            check_full(store, pz_store_seal_now(store, 0, &err), &err);
        }
        if (i % 150 == 149) {
            notes_check(store, "notes", 0, (size_t)next, 0);
        }
    }
    PZ_CHECK(refused > 10);
    notes_check_store(store);
    pz_store_close(store);
    store = open_store(false, 64u << 20);
    notes_check(store, "notes", 0, (size_t)next, 0);
    struct pz_error err = {0};
    PZ_CHECK_OK(add_notes(store, next, 900, &err), &err);
    PZ_CHECK_OK(pz_store_seal_now(store, 0, &err), &err);
    notes_check(store, "notes", 0, (size_t)next + 900, 0);
    notes_check_store(store);
    pz_store_close(store);
}
