// SPDX-License-Identifier: Apache-2.0
// Definitions of the built-in tables. Column order is that of the enums in column/schema.h.
#include "storage/catalog/builtin.h"

#define REQUIRED true
#define OPTIONAL false

#define PLAIN(column_name, column_type, not_null)                                   \
    {                                                                               \
        .name = column_name, .type = PZ_TYPE_##column_type, .is_not_null = not_null \
    }
#define SYMBOL(column_name, id, domain, not_null)                                              \
    {                                                                                          \
        .name = column_name, .type = PZ_TYPE_SYMBOL, .is_not_null = not_null, .domain_id = id, \
        .domain_name = domain                                                                  \
    }

static struct pz_column_def messages[] = {
    PLAIN("message_id", BIGINT, REQUIRED),    SYMBOL("user_id", PZ_DOMAIN_USER, "user", REQUIRED),
    PLAIN("created_at", TIMESTAMP, REQUIRED), PLAIN("body", TEXT, REQUIRED),
    PLAIN("sentiment", DOUBLE, OPTIONAL),
};
static struct pz_column_def likes[] = {
    PLAIN("message_id", BIGINT, REQUIRED),
    SYMBOL("user_id", PZ_DOMAIN_USER, "user", REQUIRED),
    PLAIN("created_at", TIMESTAMP, REQUIRED),
    PLAIN("delta", BIGINT, REQUIRED),
};
static struct pz_column_def views[] = {
    PLAIN("message_id", BIGINT, REQUIRED),
    SYMBOL("user_id", PZ_DOMAIN_USER, "user", REQUIRED),
    PLAIN("viewed_at", TIMESTAMP, REQUIRED),
    SYMBOL("device", PZ_DOMAIN_DEVICE, "device", OPTIONAL),
    SYMBOL("geo", PZ_DOMAIN_GEO, "geo", OPTIONAL),
    PLAIN("watch_ms", BIGINT, OPTIONAL),
};
static struct pz_column_def dead_letters[] = {
    PLAIN("source", TEXT, OPTIONAL),           PLAIN("position", BIGINT, OPTIONAL),
    PLAIN("table_name", TEXT, OPTIONAL),       PLAIN("raw", TEXT, OPTIONAL),
    PLAIN("reason", TEXT, OPTIONAL),           PLAIN("place", TEXT, OPTIONAL),
    PLAIN("received_at", TIMESTAMP, REQUIRED),
};
static struct pz_column_def message_deletions[] = {
    PLAIN("message_id", BIGINT, REQUIRED),
    PLAIN("deleted_at", TIMESTAMP, REQUIRED),
};

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

const struct pz_table_def pz_builtin_tables[PZ_BUILTIN_TABLE_COUNT] = {
    {PZ_TABLE_MESSAGES, "messages", false, PZ_MESSAGES_CREATED_AT, COUNT_OF(messages), messages},
    {PZ_TABLE_LIKES, "likes", false, PZ_LIKES_CREATED_AT, COUNT_OF(likes), likes},
    {PZ_TABLE_VIEWS, "views", false, PZ_VIEWS_VIEWED_AT, COUNT_OF(views), views},
    {PZ_TABLE_DEAD_LETTERS, "dead_letters", false, PZ_DEAD_AT, COUNT_OF(dead_letters),
     dead_letters},
    {PZ_TABLE_MESSAGE_DELETIONS, "message_deletions", true, PZ_DELETIONS_DELETED_AT,
     COUNT_OF(message_deletions), message_deletions},
};

const struct pz_builtin_domain pz_builtin_domains[PZ_BUILTIN_DOMAIN_COUNT] = {
    {PZ_DOMAIN_USER, "user"},
    {PZ_DOMAIN_DEVICE, "device"},
    {PZ_DOMAIN_GEO, "geo"},
};
