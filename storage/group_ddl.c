// SPDX-License-Identifier: Apache-2.0
// CREATE TABLE and DROP TABLE inside a group (each a group of its own), and the writer's list of
// tables.
#include "storage/catalog/builtin.h"
#include "storage/catalog/records.h"
#include "storage/catalog/symbols.h"
#include "storage/store_internal.h"
#include "storage/tail/chunk.h"

#include <stdio.h>
#include <stdlib.h>

// ---- the writer's tables --------------------------------------------------------------------

struct pz_table *
pz__table_create(struct pz_table_def *owned_def)
{
    struct pz_table *table = pz_xcalloc(1, sizeof *table);
    table->owned_def = owned_def;
    table->state.def = owned_def;
    table->state.segments = pz__segment_list_copy(NULL, NULL);
    table->state.layout = pz_tail_layout_copy(NULL, 0, 0);
    struct pz_error err = {0};
    if (pz_batch_init(&table->group_rows, owned_def, &err) != PZ_OK) {
        pz_panic(__FILE__, __LINE__, "table %s: %s", owned_def->name, err.message);
    }
    return table;
}

void
pz__table_destroy(struct pz_table *table)
{
    if (table == NULL) {
        return;
    }
    pz_batch_fini(&table->group_rows);
    pz_tail_layout_release(table->new_layout);
    pz_tail_layout_release(table->state.layout);
    pz__segment_list_release(table->state.segments);
    free(table->hides.items);
    free(table);
}

void
pz__tables_insert(struct pz_store *store, struct pz_table *table)
{
    store->tables =
        pz_xrealloc((void *)store->tables, (store->table_count + 1) * sizeof(struct pz_table *));
    uint32_t at = store->table_count++;
    while (at > 0 && strcmp(store->tables[at - 1]->state.def->name, table->state.def->name) > 0) {
        store->tables[at] = store->tables[at - 1];
        at--;
    }
    store->tables[at] = table;
}

// Takes a table out of the writer's list; does not free it.
static void
remove_table(struct pz_store *store, struct pz_table *table)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < store->table_count; i++) {
        if (store->tables[i] != table) {
            store->tables[kept++] = store->tables[i];
        }
    }
    PZ_ASSERT(kept + 1 == store->table_count);
    store->table_count = kept;
}

static struct pz_table *
find_by_name(struct pz_store *store, const char *name)
{
    for (uint32_t i = 0; i < store->table_count; i++) {
        struct pz_table *table = store->tables[i];
        if (pz_str_equal_nocase(pz_str_from(table->state.def->name), pz_str_from(name))) {
            return table;
        }
    }
    return NULL;
}

// ---- domains --------------------------------------------------------------------------------

struct pz_domain *
pz__store_domain(struct pz_store *store, uint32_t domain_id)
{
    PZ_ASSERT(domain_id < PZ_DOMAINS_MAX);
    return atomic_load_explicit(&store->domains[domain_id], memory_order_acquire);
}

struct pz_domain *
pz__store_add_domain(struct pz_store *store, uint32_t domain_id)
{
    struct pz_domain *domain = pz_domain_create(domain_id);
    atomic_store_explicit(&store->domains[domain_id], domain, memory_order_release);
    if (atomic_load_explicit(&store->domain_end, memory_order_relaxed) <= domain_id) {
        atomic_store_explicit(&store->domain_end, domain_id + 1, memory_order_release);
    }
    return domain;
}

static bool
find_domain(const struct pz_store *store, const char *name, uint32_t *id_out)
{
    for (uint32_t i = 0; i < PZ_BUILTIN_DOMAIN_COUNT; i++) {
        if (strcmp(pz_builtin_domains[i].name, name) == 0) {
            *id_out = pz_builtin_domains[i].id;
            return true;
        }
    }
    for (uint32_t i = 0; i < store->domain_name_count; i++) {
        if (strcmp(store->domain_names[i].name, name) == 0) {
            *id_out = store->domain_names[i].id;
            return true;
        }
    }
    return false;
}

void
pz__store_name_domain(struct pz_store *store, uint32_t domain_id, struct pz_str name)
{
    store->domain_names = pz_xrealloc(store->domain_names,
                                      (store->domain_name_count + 1) * sizeof *store->domain_names);
    struct pz_domain_name *entry = &store->domain_names[store->domain_name_count++];
    entry->id = domain_id;
    (void)pz_str_to_c(name, entry->name, sizeof entry->name);
}

// Finds the column's domain by name, or makes one. A domain whose CREATE TABLE is not committed
// stays as an empty dictionary in memory and is found again under its name.
static enum pz_status
resolve_domain(struct pz_group *group, struct pz_column_def *column, struct pz_error *err)
{
    struct pz_store *store = group->store;
    if (column->domain_name[0] == '\0') {
        (void)pz_str_to_c(pz_str_from(column->name), column->domain_name,
                          sizeof column->domain_name);
    }
    if (!find_domain(store, column->domain_name, &column->domain_id)) {
        if (store->next_domain_id >= PZ_DOMAINS_MAX) {
            return pz_fail(err, PZ_UNACCEPTABLE, "a store has at most %u symbol domains",
                           PZ_DOMAINS_MAX);
        }
        column->domain_id = store->next_domain_id++;
        (void)pz__store_add_domain(store, column->domain_id);
        pz__store_name_domain(store, column->domain_id, pz_str_from(column->domain_name));
    }
    return pz_catalog_put_domain(group->txn, column->domain_id, pz_str_from(column->domain_name),
                                 err);
}

// ---- statements -----------------------------------------------------------------------------

// What recovery would refuse must not get into the catalog.
static enum pz_status
check_def(const struct pz_table_def *def, struct pz_error *err)
{
    if (def->name[0] == '\0') {
        return pz_fail(err, PZ_UNACCEPTABLE, "a table needs a name");
    }
    if (def->column_count == 0 || def->column_count > PZ_COLUMNS_MAX) {
        return pz_fail(err, PZ_UNACCEPTABLE, "a table has 1 to %u columns, not %u", PZ_COLUMNS_MAX,
                       def->column_count);
    }
    for (uint32_t c = 0; c < def->column_count; c++) {
        const struct pz_column_def *column = &def->columns[c];
        if (column->name[0] == '\0' || column->type < PZ_TYPE_BOOLEAN ||
            column->type > PZ_TYPE_DATE) {
            return pz_fail(err, PZ_UNACCEPTABLE, "column %u of table \"%s\" has no name or no type",
                           c + 1, def->name);
        }
    }
    if (def->time_column != PZ_NO_COLUMN &&
        (def->time_column >= def->column_count ||
         def->columns[def->time_column].type != PZ_TYPE_TIMESTAMP)) {
        return pz_fail(err, PZ_UNACCEPTABLE, "the time column of table \"%s\" is no TIMESTAMP",
                       def->name);
    }
    return PZ_OK;
}

enum pz_status
pz__group_create_table(struct pz_group *group, struct pz_write *write, struct pz_error *err)
{
    struct pz_store *store = group->store;
    if (find_by_name(store, write->table->name) != NULL) {
        return write->if_exists
                   ? PZ_OK
                   : pz_fail(err, PZ_EXISTS, "table \"%s\" already exists", write->table->name);
    }
    PZ_TRY(check_def(write->table, err));
    struct pz_table_def *def = pz_table_def_copy(write->table);
    def->id = store->next_table_id;
    enum pz_status status = PZ_OK;
    for (uint32_t c = 0; c < def->column_count && status == PZ_OK; c++) {
        if (def->columns[c].type == PZ_TYPE_SYMBOL) {
            status = resolve_domain(group, &def->columns[c], err);
        }
    }
    if (status == PZ_OK) {
        status = pz_catalog_put_table(group->txn, def, err);
    }
    if (status == PZ_OK) {
        status = pz_catalog_put_fact(group->txn, "next_table_id", def->id + 1, err);
    }
    if (status == PZ_OK) {
        status = pz__segment_dir_create(store, def->id, err);
    }
    if (status != PZ_OK) {
        group->is_fatal = true;
        free(def);
        return status;
    }
    store->next_table_id++;
    group->created = pz__table_create(def);
    group->has_changes = true;
    return PZ_OK;
}

enum pz_status
pz__group_drop_table(struct pz_group *group, struct pz_write *write, struct pz_error *err)
{
    struct pz_table *table = find_by_name(group->store, write->table->name);
    if (table == NULL) {
        return write->if_exists
                   ? PZ_OK
                   : pz_fail(err, PZ_NOT_FOUND, "there is no table \"%s\"", write->table->name);
    }
    if (table->state.def->id < PZ_TABLE_ID_FIRST_USER) {
        return pz_fail(err, PZ_UNACCEPTABLE, "table \"%s\" is built in and cannot be dropped",
                       table->state.def->name);
    }
    bool more = true;
    enum pz_status status = pz_catalog_delete_table(group->txn, table->state.def->id, err);
    while (status == PZ_OK && more) {
        status = pz_chunk_trim(group->txn, table->state.def->id, UINT64_MAX, 4096, &more, err);
    }
    if (status != PZ_OK) {
        group->is_fatal = true;
        return status;
    }
    group->dropped = table;
    group->has_changes = true;
    return PZ_OK;
}

void
pz__group_ddl_committed(struct pz_group *group)
{
    struct pz_store *store = group->store;
    if (group->created != NULL) {
        pz__tables_insert(store, group->created);
    }
    if (group->dropped == NULL) {
        return;
    }
    struct pz_table *table = group->dropped;
    remove_table(store, table);
    for (uint32_t i = 0; i < table->state.segments->count; i++) {
        pz_segment_unlink_on_release(table->state.segments->entries[i].segment);
    }
    store->retired_defs = pz_xrealloc((void *)store->retired_defs,
                                      (store->retired_count + 1) * sizeof(struct pz_table_def *));
    store->retired_defs[store->retired_count++] = table->owned_def;
    pz__table_destroy(table);
}

void
pz__group_ddl_aborted(struct pz_group *group)
{
    if (group->created != NULL) {
        struct pz_table_def *def = group->created->owned_def;
        pz__table_destroy(group->created); // still looks at the definition
        free(def);
    }
}
