// SPDX-License-Identifier: Apache-2.0
// The simulated workload: the same bytes for the same seed, and likes that obey the rules.
#include "server/cli/workload.h"

#include "base/hash.h"
#include "tests/support/test.h"

#include <stdio.h>

static const struct pz_workload_options small = {.users = 50,
                                                 .messages = 400,
                                                 .likes = 3000,
                                                 .views = 5000,
                                                 .days = 10,
                                                 .seed = 1,
                                                 .until_day = 20777};

static void
write_all(const struct pz_workload_options *options, size_t piece,
          struct pz_buffer tables[PZ_WORKLOAD_TABLES], uint64_t rows[PZ_WORKLOAD_TABLES])
{
    struct pz_workload *workload;
    struct pz_error err = {0};
    PZ_REQUIRE_OK(pz_workload_create(options, &workload, &err), &err);
    for (int table = 0; table < PZ_WORKLOAD_TABLES; table++) {
        uint64_t more;
        rows[table] = 0;
        while ((more = pz_workload_write(workload, (enum pz_workload_table)table, piece,
                                         &tables[table])) > 0) {
            rows[table] += more;
        }
    }
    pz_workload_destroy(workload);
}

static void
free_all(struct pz_buffer tables[PZ_WORKLOAD_TABLES])
{
    for (int table = 0; table < PZ_WORKLOAD_TABLES; table++) {
        pz_buffer_fini(&tables[table]);
    }
}

PZ_TEST(the_seed_decides_every_byte)
{
    struct pz_buffer first[PZ_WORKLOAD_TABLES] = {{0}};
    struct pz_buffer second[PZ_WORKLOAD_TABLES] = {{0}};
    struct pz_buffer third[PZ_WORKLOAD_TABLES] = {{0}};
    uint64_t rows[PZ_WORKLOAD_TABLES];
    struct pz_workload_options other = small;
    other.seed = 2;
    write_all(&small, 1, first, rows);
    PZ_CHECK_EQ_U64(rows[PZ_WORKLOAD_MESSAGES], small.messages);
    PZ_CHECK_EQ_U64(rows[PZ_WORKLOAD_LIKES], small.likes);
    PZ_CHECK_EQ_U64(rows[PZ_WORKLOAD_VIEWS], small.views);
    write_all(&small, 100000, second, rows);
    write_all(&other, 100000, third, rows);
    for (int table = 0; table < PZ_WORKLOAD_TABLES; table++) {
        PZ_REQUIRE(first[table].len == second[table].len);
        PZ_CHECK(memcmp(first[table].data, second[table].data, first[table].len) == 0);
        PZ_CHECK(strcmp(first[table].data, third[table].data) != 0);
    }
    free_all(first);
    free_all(second);
    free_all(third);
}

// The bytes on every machine, so that workloads of different machines can be compared.
PZ_TEST(the_bytes_are_the_same_everywhere)
{
    struct pz_buffer tables[PZ_WORKLOAD_TABLES] = {{0}};
    uint64_t rows[PZ_WORKLOAD_TABLES];
    write_all(&small, 4096, tables, rows);
    PZ_CHECK_EQ_U64(pz_hash_bytes(tables[0].data, tables[0].len), UINT64_C(0xd6b1e8bd266288ef));
    PZ_CHECK_EQ_U64(pz_hash_bytes(tables[1].data, tables[1].len), UINT64_C(0x9a72d53a9e67f26));
    PZ_CHECK_EQ_U64(pz_hash_bytes(tables[2].data, tables[2].len), UINT64_C(0xe4a3bd2eeea29de7));
    free_all(tables);
}

PZ_TEST(likes_follow_the_rules)
{
    struct pz_buffer tables[PZ_WORKLOAD_TABLES] = {{0}};
    uint64_t rows[PZ_WORKLOAD_TABLES];
    static int8_t state[400][50]; // 1 liked, 2 taken back
    memset(state, 0, sizeof(state));
    write_all(&small, 4096, tables, rows);
    int unlikes = 0;
    for (char *line = tables[PZ_WORKLOAD_LIKES].data; *line != '\0';
         line = strchr(line, '\n') + 1) {
        unsigned message;
        unsigned user;
        int delta;
        PZ_REQUIRE(sscanf(line,
                          "{\"message_id\":%u,\"user_id\":\"user%u\",\"created_at\":\"%*27c\","
                          "\"delta\":%d}",
                          &message, &user, &delta) == 3);
        PZ_REQUIRE(message >= 1 && message <= 400 && user < 50);
        int8_t *now = &state[message - 1][user];
        PZ_CHECK_EQ_I64(*now, delta == 1 ? 0 : 1);
        *now = delta == 1 ? 1 : 2;
        unlikes += delta == -1;
    }
    PZ_CHECK(unlikes > 120 && unlikes < 280); // 7 of 107 are 196
    free_all(tables);
}

PZ_TEST(impossible_numbers_are_refused)
{
    struct pz_workload *workload;
    struct pz_error err = {0};
    struct pz_workload_options bad = small;
    bad.likes = small.users * small.messages / 2 + 1;
    PZ_CHECK_STATUS(pz_workload_create(&bad, &workload, &err), PZ_INVALID, &err);
    bad = small;
    bad.users = 0;
    PZ_CHECK_STATUS(pz_workload_create(&bad, &workload, &err), PZ_INVALID, &err);
    bad = small;
    bad.messages = 0;
    PZ_CHECK_STATUS(pz_workload_create(&bad, &workload, &err), PZ_INVALID, &err);
    bad = small;
    bad.days = 0;
    PZ_CHECK_STATUS(pz_workload_create(&bad, &workload, &err), PZ_INVALID, &err);
}
