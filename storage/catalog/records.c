// SPDX-License-Identifier: Apache-2.0
// Catalog records to bytes and back. Everything read is range-checked: a record that does not
// parse is PZ_CORRUPT, whatever its checksum says.
#include "storage/catalog/records.h"

#include "base/bytes.h"
#include "storage/column/batch.h"
#include "storage/segment/segment.h"

#include <stdio.h>
#include <stdlib.h>

#define RECORD_VERSION 1u
#define BLOCK_BITSET_BYTES (PZ_BLOCK_ROWS / 8)
#define POSITIONS_MAX (BLOCK_BITSET_BYTES / 2)

enum { DELETED_POSITIONS = 1, DELETED_BITSET = 2 };

static struct pz_table_def *
allocate_def(uint32_t column_count)
{
    struct pz_table_def *def =
        pz_xcalloc(1, sizeof *def + column_count * sizeof(struct pz_column_def));
    def->columns = (struct pz_column_def *)(void *)(def + 1);
    def->column_count = column_count;
    return def;
}

struct pz_table_def *
pz_table_def_copy(const struct pz_table_def *def)
{
    struct pz_table_def *copy = allocate_def(def->column_count);
    struct pz_column_def *columns = copy->columns;
    *copy = *def;
    copy->columns = columns;
    memcpy(columns, def->columns, def->column_count * sizeof *columns);
    return copy;
}

static enum pz_status
put(struct pz_kv_txn *txn, enum pz_kv_db db, struct pz_bytes key, const struct pz_buffer *value,
    struct pz_error *err)
{
    if (value->is_failed) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for a catalog record");
    }
    return pz_kv_put(txn, db, PZ_KV_PUT, key, (struct pz_bytes){value->data, value->len}, err);
}

static struct pz_bytes
short_key(char *space, char kind, uint32_t id)
{
    space[0] = kind;
    pz_store_be32(space + 1, id);
    return (struct pz_bytes){space, 5};
}

static struct pz_bytes
long_key(char *space, char kind, uint32_t id, uint64_t number)
{
    (void)short_key(space, kind, id);
    pz_store_be64(space + 5, number);
    return (struct pz_bytes){space, 13};
}

enum pz_status
pz_catalog_put_table(struct pz_kv_txn *txn, const struct pz_table_def *def, struct pz_error *err)
{
    char space[5];
    struct pz_buffer value = {0};
    pz_put_u8(&value, RECORD_VERSION);
    pz_put_str(&value, pz_str_from(def->name));
    pz_put_u8(&value, def->is_internal);
    pz_put_u32(&value, def->time_column);
    pz_put_u32(&value, def->column_count);
    for (uint32_t i = 0; i < def->column_count; i++) {
        const struct pz_column_def *column = &def->columns[i];
        pz_put_str(&value, pz_str_from(column->name));
        pz_put_u8(&value, (uint8_t)column->type);
        pz_put_u8(&value, column->is_not_null);
        pz_put_u32(&value, column->domain_id);
        pz_put_str(&value, pz_str_from(column->domain_name));
    }
    enum pz_status status = put(txn, PZ_KV_CATALOG, short_key(space, 't', def->id), &value, err);
    pz_buffer_fini(&value);
    return status;
}

static enum pz_status
read_table(uint32_t table_id, struct pz_bytes value, struct pz_table_def **def_out,
           struct pz_error *err)
{
    struct pz_reader reader = pz_reader_of(value.data, value.len);
    char name[PZ_NAME_LEN_MAX + 1] = "";
    uint8_t version = pz_get_u8(&reader);
    pz_get_name(&reader, name, sizeof name);
    bool is_internal = pz_get_u8(&reader) != 0;
    uint32_t time_column = pz_get_u32(&reader);
    uint32_t column_count = pz_get_u32(&reader);
    if (reader.has_failed || version != RECORD_VERSION || column_count == 0 ||
        column_count > PZ_COLUMNS_MAX ||
        (time_column != PZ_NO_COLUMN && time_column >= column_count)) {
        return pz_fail(err, PZ_CORRUPT, "catalog: the definition of table %u does not parse",
                       table_id);
    }
    struct pz_table_def *def = allocate_def(column_count);
    def->id = table_id;
    (void)pz_str_to_c(pz_str_from(name), def->name, sizeof def->name);
    def->is_internal = is_internal;
    def->time_column = time_column;
    for (uint32_t i = 0; i < column_count; i++) {
        struct pz_column_def *column = &def->columns[i];
        pz_get_name(&reader, column->name, sizeof column->name);
        uint8_t type = pz_get_u8(&reader);
        column->is_not_null = pz_get_u8(&reader) != 0;
        column->domain_id = pz_get_u32(&reader);
        pz_get_name(&reader, column->domain_name, sizeof column->domain_name);
        if (type < PZ_TYPE_BOOLEAN || type > PZ_TYPE_DATE) {
            reader.has_failed = true;
            break;
        }
        column->type = (enum pz_type)type;
    }
    if (reader.has_failed || reader.left > 0) {
        free(def);
        return pz_fail(err, PZ_CORRUPT, "catalog: the columns of table %s do not parse", name);
    }
    *def_out = def;
    return PZ_OK;
}

enum pz_status
pz_catalog_put_domain(struct pz_kv_txn *txn, uint32_t domain_id, struct pz_str name,
                      struct pz_error *err)
{
    char space[5];
    return pz_kv_put(txn, PZ_KV_CATALOG, PZ_KV_PUT, short_key(space, 'd', domain_id),
                     (struct pz_bytes){name.data, name.len}, err);
}

enum pz_status
pz_catalog_put_segment(struct pz_kv_txn *txn, const struct pz_segment_info *info,
                       struct pz_error *err)
{
    char space[13];
    struct pz_buffer value = {0};
    pz_put_u8(&value, RECORD_VERSION);
    pz_put_u64(&value, info->row_count);
    pz_put_u64(&value, info->file_bytes);
    pz_put_u64(&value, (uint64_t)info->time_min);
    pz_put_u64(&value, (uint64_t)info->time_max);
    pz_put_u64(&value, info->footer_checksum);
    enum pz_status status = put(
        txn, PZ_KV_CATALOG, long_key(space, 's', info->table_id, info->segment_id), &value, err);
    pz_buffer_fini(&value);
    return status;
}

static enum pz_status
read_segment(struct pz_bytes key, struct pz_bytes value, struct pz_segment_info *info,
             struct pz_error *err)
{
    struct pz_reader reader = pz_reader_of(value.data, value.len);
    uint8_t version = pz_get_u8(&reader);
    *info = (struct pz_segment_info){
        .table_id = pz_load_be32((const char *)key.data + 1),
        .segment_id = pz_load_be64((const char *)key.data + 5),
    };
    info->row_count = pz_get_u64(&reader);
    info->file_bytes = pz_get_u64(&reader);
    info->time_min = (int64_t)pz_get_u64(&reader);
    info->time_max = (int64_t)pz_get_u64(&reader);
    info->footer_checksum = pz_get_u64(&reader);
    if (reader.has_failed || reader.left > 0 || version != RECORD_VERSION) {
        return pz_fail(err, PZ_CORRUPT, "catalog: the record of segment %llu does not parse",
                       (unsigned long long)info->segment_id);
    }
    return PZ_OK;
}

enum pz_status
pz_catalog_put_deleted(struct pz_kv_txn *txn, uint32_t table_id, uint64_t segment_id,
                       uint32_t block, const uint64_t *bits, struct pz_error *err)
{
    char space[17];
    (void)long_key(space, 'S', table_id, segment_id);
    pz_store_be32(space + 13, block);
    struct pz_buffer value = {0};
    uint32_t count = 0;
    for (uint32_t word = 0; word < PZ_BLOCK_ROWS / 64; word++) {
        count += (uint32_t)__builtin_popcountll(bits[word]);
    }
    if (count > POSITIONS_MAX) {
        pz_put_u8(&value, DELETED_BITSET);
        pz_buffer_append(&value, bits, BLOCK_BITSET_BYTES);
    } else {
        pz_put_u8(&value, DELETED_POSITIONS);
        for (uint32_t word = 0; word < PZ_BLOCK_ROWS / 64; word++) {
            for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
                char position[2];
                pz_store_le16(position, (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(left)));
                pz_buffer_append(&value, position, sizeof position);
            }
        }
    }
    enum pz_status status =
        put(txn, PZ_KV_DELETED, (struct pz_bytes){space, sizeof space}, &value, err);
    pz_buffer_fini(&value);
    return status;
}

static enum pz_status
read_deleted(struct pz_bytes value, uint64_t bits[PZ_BLOCK_ROWS / 64], struct pz_error *err)
{
    struct pz_reader reader = pz_reader_of(value.data, value.len);
    uint8_t kind = pz_get_u8(&reader);
    memset(bits, 0, BLOCK_BITSET_BYTES);
    if (kind == DELETED_BITSET && reader.left == BLOCK_BITSET_BYTES) {
        memcpy(bits, reader.next, BLOCK_BITSET_BYTES);
        return PZ_OK;
    }
    if (kind == DELETED_POSITIONS && reader.left % 2 == 0) {
        while (reader.left > 0) {
            pz_bit_set(bits, pz_load_le16(pz_get_bytes(&reader, 2)));
        }
        return PZ_OK;
    }
    return pz_fail(err, PZ_CORRUPT, "catalog: a record of deleted rows does not parse");
}

enum pz_status
pz_catalog_put_deleted_tail(struct pz_kv_txn *txn, uint32_t table_id, uint64_t row_number,
                            struct pz_error *err)
{
    char space[13];
    return pz_kv_put(txn, PZ_KV_DELETED, PZ_KV_PUT, long_key(space, 'T', table_id, row_number),
                     (struct pz_bytes){"", 0}, err);
}

enum pz_status
pz_catalog_trim_deleted_tail(struct pz_kv_txn *txn, uint32_t table_id, uint64_t row_number_end,
                             struct pz_error *err)
{
    char space[13];
    struct pz_bytes key = long_key(space, 'T', table_id, 0);
    struct pz_kv_cursor *cursor = NULL;
    PZ_TRY(pz_kv_cursor_open(txn, PZ_KV_DELETED, &cursor, err));
    enum pz_status status = pz_kv_cursor_move(cursor, PZ_KV_AT_OR_AFTER, key, &key, NULL, err);
    while (status == PZ_OK && key.len == 13 && *(const char *)key.data == 'T' &&
           pz_load_be32((const char *)key.data + 1) == table_id &&
           pz_load_be64((const char *)key.data + 5) < row_number_end) {
        status = pz_kv_cursor_delete(cursor, err);
        if (status == PZ_OK) {
            status = pz_kv_cursor_move(cursor, PZ_KV_NEXT, key, &key, NULL, err);
        }
    }
    pz_kv_cursor_close(cursor);
    return status == PZ_NOT_FOUND ? PZ_OK : status;
}

// Deletes every entry of `db` that begins with kind and table id.
static enum pz_status
delete_prefix(struct pz_kv_txn *txn, enum pz_kv_db db, char kind, uint32_t table_id,
              struct pz_error *err)
{
    char space[5];
    struct pz_bytes prefix = short_key(space, kind, table_id);
    struct pz_bytes key = prefix;
    struct pz_kv_cursor *cursor = NULL;
    PZ_TRY(pz_kv_cursor_open(txn, db, &cursor, err));
    enum pz_status status = pz_kv_cursor_move(cursor, PZ_KV_AT_OR_AFTER, key, &key, NULL, err);
    while (status == PZ_OK && key.len >= prefix.len &&
           memcmp(key.data, prefix.data, prefix.len) == 0) {
        status = pz_kv_cursor_delete(cursor, err);
        if (status == PZ_OK) {
            status = pz_kv_cursor_move(cursor, PZ_KV_NEXT, key, &key, NULL, err);
        }
    }
    pz_kv_cursor_close(cursor);
    return status == PZ_NOT_FOUND ? PZ_OK : status;
}

enum pz_status
pz_catalog_delete_table(struct pz_kv_txn *txn, uint32_t table_id, struct pz_error *err)
{
    char space[5];
    struct pz_bytes key = short_key(space, 't', table_id);
    PZ_TRY(pz_kv_delete(txn, PZ_KV_CATALOG, key.data, key.len, err));
    PZ_TRY(delete_prefix(txn, PZ_KV_CATALOG, 's', table_id, err));
    PZ_TRY(delete_prefix(txn, PZ_KV_DELETED, 'S', table_id, err));
    return delete_prefix(txn, PZ_KV_DELETED, 'T', table_id, err);
}

static size_t
fact_key(const char *name, char space[80])
{
    int len = snprintf(space, 80, "store/%s", name);
    PZ_ASSERT(len > 0 && len < 80);
    return (size_t)len;
}

enum pz_status
pz_catalog_put_fact(struct pz_kv_txn *txn, const char *name, uint64_t value, struct pz_error *err)
{
    char key[80];
    char bytes[8];
    size_t key_len = fact_key(name, key);
    pz_store_le64(bytes, value);
    return pz_kv_put(txn, PZ_KV_META, PZ_KV_PUT, (struct pz_bytes){key, key_len},
                     (struct pz_bytes){bytes, sizeof bytes}, err);
}

enum pz_status
pz_catalog_get_fact(struct pz_kv_txn *txn, const char *name, uint64_t *value_out,
                    struct pz_error *err)
{
    char key[80];
    struct pz_bytes value;
    *value_out = 0;
    enum pz_status status = pz_kv_get(txn, PZ_KV_META, key, fact_key(name, key), &value, err);
    if (status == PZ_NOT_FOUND) {
        return PZ_OK;
    }
    if (status == PZ_OK && value.len != 8) {
        return pz_fail(err, PZ_CORRUPT, "catalog: the fact %s does not parse", name);
    }
    if (status == PZ_OK) {
        *value_out = pz_load_le64(value.data);
    }
    return status;
}

static enum pz_status
visit_catalog(const struct pz_catalog_visitor *visitor, struct pz_bytes key, struct pz_bytes value,
              struct pz_error *err)
{
    char kind = *(const char *)key.data;
    if (kind == 'd' && key.len == 5 && visitor->domain != NULL) {
        return visitor->domain(visitor->payload, pz_load_be32((const char *)key.data + 1),
                               (struct pz_str){value.data, (uint32_t)value.len}, err);
    }
    if (kind == 't' && key.len == 5 && visitor->table != NULL) {
        struct pz_table_def *def = NULL;
        PZ_TRY(read_table(pz_load_be32((const char *)key.data + 1), value, &def, err));
        return visitor->table(visitor->payload, def, err);
    }
    if (kind == 's' && key.len == 13 && visitor->segment != NULL) {
        struct pz_segment_info info;
        PZ_TRY(read_segment(key, value, &info, err));
        return visitor->segment(visitor->payload, &info, err);
    }
    return PZ_OK;
}

static enum pz_status
visit_deleted(const struct pz_catalog_visitor *visitor, struct pz_bytes key, struct pz_bytes value,
              struct pz_error *err)
{
    const char *bytes = key.data;
    if (bytes[0] == 'S' && key.len == 17 && visitor->deleted != NULL) {
        uint64_t bits[PZ_BLOCK_ROWS / 64];
        PZ_TRY(read_deleted(value, bits, err));
        return visitor->deleted(visitor->payload, pz_load_be32(bytes + 1), pz_load_be64(bytes + 5),
                                pz_load_be32(bytes + 13), bits, err);
    }
    if (bytes[0] == 'T' && key.len == 13 && visitor->deleted_tail != NULL) {
        return visitor->deleted_tail(visitor->payload, pz_load_be32(bytes + 1),
                                     pz_load_be64(bytes + 5), err);
    }
    return PZ_OK;
}

typedef enum pz_status visit_entry(const struct pz_catalog_visitor *visitor, struct pz_bytes key,
                                   struct pz_bytes value, struct pz_error *err);

// Visits the entries whose key begins with `kind`.
static enum pz_status
walk_kind(struct pz_kv_txn *txn, enum pz_kv_db db, char kind,
          const struct pz_catalog_visitor *visitor, visit_entry *visit, struct pz_error *err)
{
    struct pz_kv_cursor *cursor = NULL;
    PZ_TRY(pz_kv_cursor_open(txn, db, &cursor, err));
    struct pz_bytes key = {&kind, 1};
    struct pz_bytes value;
    enum pz_status status = pz_kv_cursor_move(cursor, PZ_KV_AT_OR_AFTER, key, &key, &value, err);
    while (status == PZ_OK && *(const char *)key.data == kind) {
        status = visit(visitor, key, value, err);
        if (status == PZ_OK) {
            status = pz_kv_cursor_move(cursor, PZ_KV_NEXT, key, &key, &value, err);
        }
    }
    pz_kv_cursor_close(cursor);
    return status == PZ_NOT_FOUND ? PZ_OK : status;
}

enum pz_status
pz_catalog_walk(struct pz_kv_txn *txn, const struct pz_catalog_visitor *visitor,
                struct pz_error *err)
{
    PZ_TRY(walk_kind(txn, PZ_KV_CATALOG, 'd', visitor, visit_catalog, err));
    PZ_TRY(walk_kind(txn, PZ_KV_CATALOG, 't', visitor, visit_catalog, err));
    PZ_TRY(walk_kind(txn, PZ_KV_CATALOG, 's', visitor, visit_catalog, err));
    PZ_TRY(walk_kind(txn, PZ_KV_DELETED, 'S', visitor, visit_deleted, err));
    return walk_kind(txn, PZ_KV_DELETED, 'T', visitor, visit_deleted, err);
}
