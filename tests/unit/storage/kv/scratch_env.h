// SPDX-License-Identifier: Apache-2.0
// An LMDB environment of a test's own, for rooms that keep their records in it.
#ifndef PZ_TESTS_UNIT_STORAGE_KV_SCRATCH_ENV_H
#define PZ_TESTS_UNIT_STORAGE_KV_SCRATCH_ENV_H

#include "storage/kv/kv.h"
#include "tests/support/test.h"

// PZ_REQUIREs that it can. The test closes it.
static inline struct pz_kv_env *
scratch_env_open(size_t map_bytes)
{
    const struct pz_kv_options options = {.map_bytes = map_bytes, .is_ephemeral = true};
    struct pz_kv_env *env = NULL;
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_kv_open(pz_test_path("kv"), true, &options, &env, &err), &err);
    return env;
}

static inline struct pz_kv_txn *
scratch_env_begin(struct pz_kv_env *env)
{
    struct pz_kv_txn *txn = NULL;
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_kv_begin_write(env, &txn, &err), &err);
    return txn;
}

#endif
