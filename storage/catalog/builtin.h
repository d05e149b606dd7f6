// SPDX-License-Identifier: Apache-2.0
// The tables and domains that every store has.
#ifndef PZ_STORAGE_CATALOG_BUILTIN_H
#define PZ_STORAGE_CATALOG_BUILTIN_H

#include "storage/column/schema.h"

// Fixed domain ids; domains of other tables count up from PZ_DOMAIN_ID_FIRST_USER.
enum {
    PZ_DOMAIN_USER = 1,
    PZ_DOMAIN_DEVICE = 2,
    PZ_DOMAIN_GEO = 3,
    PZ_DOMAIN_ID_FIRST_USER = 16,
};

#define PZ_BUILTIN_TABLE_COUNT 5
extern const struct pz_table_def pz_builtin_tables[PZ_BUILTIN_TABLE_COUNT];

#define PZ_BUILTIN_DOMAIN_COUNT 3
struct pz_builtin_domain {
    uint32_t id;
    const char *name;
};
extern const struct pz_builtin_domain pz_builtin_domains[PZ_BUILTIN_DOMAIN_COUNT];

#endif
