// SPDX-License-Identifier: Apache-2.0
// Catalog records: what is put is visited, tables are deleted whole and alone, and records that
// were changed are an error and never a crash.
#include "base/num.h"
#include "storage/catalog/builtin.h"
#include "storage/catalog/records.h"
#include "storage/column/batch.h"
#include "storage/segment/segment.h"
#include "tests/support/test.h"
#include "tests/unit/storage/kv/scratch_env.h"

#include <stdio.h>
#include <stdlib.h>

// Everything a walk finds, as text.
struct listing {
    struct pz_buffer text;
};

static enum pz_status
list_domain(void *payload, uint32_t domain_id, struct pz_str name, struct pz_error *err)
{
    (void)err;
    pz_buffer_printf(payload, "domain %u %.*s\n", domain_id, PZ_STR_ARG(name));
    return PZ_OK;
}

static enum pz_status
list_table(void *payload, struct pz_table_def *def, struct pz_error *err)
{
    (void)err;
    pz_buffer_printf(payload, "table %u %s time %d%s:", def->id, def->name, (int)def->time_column,
                     def->is_internal ? " internal" : "");
    for (uint32_t c = 0; c < def->column_count; c++) {
        const struct pz_column_def *column = &def->columns[c];
        pz_buffer_printf(payload, " %s %s%s", column->name, pz_type_name(column->type),
                         column->is_not_null ? "!" : "");
        if (column->type == PZ_TYPE_SYMBOL) {
            pz_buffer_printf(payload, "(%u %s)", column->domain_id, column->domain_name);
        }
    }
    pz_buffer_append_char(payload, '\n');
    free(def);
    return PZ_OK;
}

static enum pz_status
list_segment(void *payload, const struct pz_segment_info *info, struct pz_error *err)
{
    (void)err;
    pz_buffer_printf(payload, "segment %u/%llu %llu rows %llu bytes %lld to %lld sum %llx\n",
                     info->table_id, (unsigned long long)info->segment_id,
                     (unsigned long long)info->row_count, (unsigned long long)info->file_bytes,
                     (long long)info->time_min, (long long)info->time_max,
                     (unsigned long long)info->footer_checksum);
    return PZ_OK;
}

static enum pz_status
list_deleted(void *payload, uint32_t table_id, uint64_t segment_id, uint32_t block,
             const uint64_t *bits, struct pz_error *err)
{
    uint32_t count = 0;
    uint32_t first = UINT32_MAX;
    (void)err;
    for (uint32_t row = PZ_BLOCK_ROWS; row-- > 0;) {
        if (pz_bit_get(bits, row)) {
            count++;
            first = row;
        }
    }
    pz_buffer_printf(payload, "deleted %u/%llu block %u: %u from %u\n", table_id,
                     (unsigned long long)segment_id, block, count, first);
    return PZ_OK;
}

static enum pz_status
list_deleted_tail(void *payload, uint32_t table_id, uint64_t row_number, struct pz_error *err)
{
    (void)err;
    pz_buffer_printf(payload, "deleted %u row %llu\n", table_id, (unsigned long long)row_number);
    return PZ_OK;
}

static enum pz_status
walk(struct pz_kv_txn *txn, struct pz_buffer *text, struct pz_error *err)
{
    const struct pz_catalog_visitor visitor = {.payload = text,
                                               .domain = list_domain,
                                               .table = list_table,
                                               .segment = list_segment,
                                               .deleted = list_deleted,
                                               .deleted_tail = list_deleted_tail};
    return pz_catalog_walk(txn, &visitor, err);
}

static void
check_listing(struct pz_kv_txn *txn, const char *expected)
{
    struct pz_buffer text = {0};
    struct pz_error err = {0};
    PZ_CHECK_OK(walk(txn, &text, &err), &err);
    PZ_CHECK_EQ_STR(text.data == NULL ? "" : text.data, expected);
    pz_buffer_fini(&text);
}

static struct pz_column_def columns[] = {
    {.name = "n", .type = PZ_TYPE_BIGINT, .is_not_null = true},
    {.name = "tag", .type = PZ_TYPE_SYMBOL, .domain_id = 16, .domain_name = "tag"},
    {.name = "at", .type = PZ_TYPE_TIMESTAMP},
};
static struct pz_table_def def = {
    .id = 100, .name = "t", .time_column = 2, .column_count = 3, .columns = columns};

static void
put_things(struct pz_kv_txn *txn, uint32_t table_id)
{
    struct pz_error err = {0};
    struct pz_segment_info info = {.table_id = table_id,
                                   .segment_id = 5,
                                   .row_count = 1000,
                                   .file_bytes = 12345,
                                   .time_min = -5,
                                   .time_max = 7,
                                   .footer_checksum = 0xfeed};
    uint64_t bits[PZ_BLOCK_ROWS / 64] = {0};
    pz_bit_set(bits, 3);
    pz_bit_set(bits, 65535);
    def.id = table_id;
    PZ_CHECK_OK(pz_catalog_put_table(txn, &def, &err), &err);
    PZ_CHECK_OK(pz_catalog_put_segment(txn, &info, &err), &err);
    PZ_CHECK_OK(pz_catalog_put_deleted(txn, table_id, 5, 2, bits, &err), &err);
    memset(bits, 0xff, sizeof bits);
    PZ_CHECK_OK(pz_catalog_put_deleted(txn, table_id, 5, 3, bits, &err), &err);
    for (uint64_t row = 10; row < 13; row++) {
        PZ_CHECK_OK(pz_catalog_put_deleted_tail(txn, table_id, row, &err), &err);
    }
}

PZ_TEST(what_is_put_is_visited)
{
    struct pz_kv_env *env = scratch_env_open(64u << 20);
    struct pz_kv_txn *txn = scratch_env_begin(env);
    struct pz_error err = {0};
    PZ_CHECK_OK(pz_catalog_put_domain(txn, 16, PZ_STR("tag"), &err), &err);
    put_things(txn, 100);
    check_listing(txn, "domain 16 tag\n"
                       "table 100 t time 2: n BIGINT! tag SYMBOL(16 tag) at TIMESTAMP\n"
                       "segment 100/5 1000 rows 12345 bytes -5 to 7 sum feed\n"
                       "deleted 100/5 block 2: 2 from 3\n"
                       "deleted 100/5 block 3: 65536 from 0\n"
                       "deleted 100 row 10\n"
                       "deleted 100 row 11\n"
                       "deleted 100 row 12\n");
    pz_kv_abort(txn);
    pz_kv_close(env);
}

PZ_TEST(a_table_goes_whole_and_alone)
{
    struct pz_kv_env *env = scratch_env_open(64u << 20);
    struct pz_kv_txn *txn = scratch_env_begin(env);
    struct pz_error err = {0};
    struct pz_buffer both = {0};
    put_things(txn, 100);
    put_things(txn, 102);
    PZ_CHECK_OK(walk(txn, &both, &err), &err);
    put_things(txn, 101);
    PZ_CHECK_OK(pz_catalog_delete_table(txn, 101, &err), &err);
    check_listing(txn, both.data);
    PZ_CHECK_OK(pz_catalog_delete_table(txn, 100, &err), &err);
    PZ_CHECK_OK(pz_catalog_delete_table(txn, 102, &err), &err);
    check_listing(txn, "");
    PZ_CHECK_OK(pz_catalog_delete_table(txn, 100, &err), &err);
    pz_buffer_fini(&both);
    pz_kv_abort(txn);
    pz_kv_close(env);
}

PZ_TEST(trimming_hidden_rows_of_the_tail)
{
    struct pz_kv_env *env = scratch_env_open(64u << 20);
    struct pz_kv_txn *txn = scratch_env_begin(env);
    struct pz_error err = {0};
    for (uint32_t table_id = 5; table_id < 8; table_id++) {
        PZ_CHECK_OK(pz_catalog_put_deleted_tail(txn, table_id, 1, &err), &err);
        PZ_CHECK_OK(pz_catalog_put_deleted_tail(txn, table_id, 9, &err), &err);
    }
    PZ_CHECK_OK(pz_catalog_trim_deleted_tail(txn, 6, 9, &err), &err);
    check_listing(txn, "deleted 5 row 1\ndeleted 5 row 9\ndeleted 6 row 9\n"
                       "deleted 7 row 1\ndeleted 7 row 9\n");
    PZ_CHECK_OK(pz_catalog_trim_deleted_tail(txn, 6, 10, &err), &err);
    PZ_CHECK_OK(pz_catalog_trim_deleted_tail(txn, 7, UINT64_MAX, &err), &err);
    check_listing(txn, "deleted 5 row 1\ndeleted 5 row 9\n");
    pz_kv_abort(txn);
    pz_kv_close(env);
}

PZ_TEST(facts)
{
    struct pz_kv_env *env = scratch_env_open(64u << 20);
    struct pz_kv_txn *txn = scratch_env_begin(env);
    struct pz_error err = {0};
    uint64_t value = 9;
    PZ_CHECK_OK(pz_catalog_get_fact(txn, "commit", &value, &err), &err);
    PZ_CHECK_EQ_U64(value, 0);
    PZ_CHECK_OK(pz_catalog_put_fact(txn, "commit", UINT64_MAX - 1, &err), &err);
    PZ_CHECK_OK(pz_catalog_get_fact(txn, "commit", &value, &err), &err);
    PZ_CHECK_EQ_U64(value, UINT64_MAX - 1);
    PZ_CHECK_OK(pz_kv_put(txn, PZ_KV_META, PZ_KV_PUT, (struct pz_bytes){"store/commit", 12},
                          (struct pz_bytes){"short", 5}, &err),
                &err);
    PZ_CHECK_STATUS(pz_catalog_get_fact(txn, "commit", &value, &err), PZ_CORRUPT, &err);
    pz_kv_abort(txn);
    pz_kv_close(env);
}

PZ_TEST(a_copy_stands_alone)
{
    struct pz_table_def *copy = pz_table_def_copy(&pz_builtin_tables[0]);
    PZ_CHECK(copy->columns != pz_builtin_tables[0].columns);
    PZ_CHECK_EQ_U64(copy->column_count, pz_builtin_tables[0].column_count);
    PZ_CHECK_EQ_STR(copy->columns[3].name, "body");
    free(copy);
}

// ---- damage ---------------------------------------------------------------------------------

static void
change(struct pz_rng *rng, char *value, size_t *len)
{
    if (pz_rng_chance(rng, 0.2)) {
        *len = (size_t)pz_rng_below(rng, *len);
    } else if (pz_rng_chance(rng, 0.2)) {
        value[(*len)++] = (char)pz_rng_u64(rng);
    } else {
        value[pz_rng_below(rng, *len)] = (char)pz_rng_u64(rng);
    }
}

// Changes one record, under the right checksum.
static void
change_one(struct pz_kv_txn *txn, struct pz_rng *rng)
{
    static char space[20000];
    char key_space[20];
    struct pz_kv_cursor *cursor = NULL;
    struct pz_bytes key = {NULL, 0};
    struct pz_bytes value = {NULL, 0};
    struct pz_error err = {0};
    enum pz_kv_db db = pz_rng_chance(rng, 0.5) ? PZ_KV_CATALOG : PZ_KV_DELETED;
    uint64_t steps = 1 + pz_rng_below(rng, 3);
    PZ_REQUIRE_OK(pz_kv_cursor_open(txn, db, &cursor, &err), &err);
    for (uint64_t i = 0; i < steps; i++) {
        if (pz_kv_cursor_move(cursor, i == 0 ? PZ_KV_FIRST : PZ_KV_NEXT, key, &key, &value, &err) !=
            PZ_OK) {
            break;
        }
    }
    size_t len = value.len;
    size_t key_len = key.len;
    memcpy(key_space, key.data, key_len);
    memcpy(space, value.data, len);
    pz_kv_cursor_close(cursor);
    if (len > 0) {
        change(rng, space, &len);
    }
    PZ_REQUIRE_OK(pz_kv_put(txn, db, PZ_KV_PUT, (struct pz_bytes){key_space, key_len},
                            (struct pz_bytes){space, len}, &err),
                  &err);
}

PZ_TEST(changed_records_are_an_error_and_never_a_crash)
{
    struct pz_kv_env *env = scratch_env_open(64u << 20);
    struct pz_rng rng;
    unsigned refused = 0;
    pz_rng_init(&rng, pz_test_seed());
    for (int i = 0; i < 3000; i++) {
        struct pz_kv_txn *txn = scratch_env_begin(env);
        struct pz_buffer text = {0};
        struct pz_error err = {0};
        put_things(txn, 100);
        change_one(txn, &rng);
        enum pz_status status = walk(txn, &text, &err);
        PZ_CHECK_MSG(status == PZ_OK || status == PZ_CORRUPT, "%s", err.message);
        refused += status == PZ_CORRUPT;
        pz_buffer_fini(&text);
        pz_kv_abort(txn);
    }
    PZ_CHECK(refused > 300);
    pz_kv_close(env);
}
