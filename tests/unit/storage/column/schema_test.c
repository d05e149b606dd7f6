// SPDX-License-Identifier: Apache-2.0
// Names and layouts of types, and looking up columns.
#include "storage/column/schema.h"
#include "tests/support/test.h"

PZ_TEST(names_are_read_in_any_case)
{
    static const struct {
        const char *name;
        enum pz_type type;
    } cases[] = {
        {"boolean", PZ_TYPE_BOOLEAN},
        {"Integer", PZ_TYPE_BIGINT},
        {"smallint", PZ_TYPE_BIGINT},
        {"BIGINT", PZ_TYPE_BIGINT},
        {"double precision", PZ_TYPE_DOUBLE},
        {"REAL", PZ_TYPE_DOUBLE},
        {"varchar", PZ_TYPE_TEXT},
        {"text", PZ_TYPE_TEXT},
        {"symbol", PZ_TYPE_SYMBOL},
        {"Timestamp", PZ_TYPE_TIMESTAMP},
        {"date", PZ_TYPE_DATE},
        {"interval", PZ_TYPE_INTERVAL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum pz_type type = PZ_TYPE_NULL;
        PZ_CHECK(pz_type_from_name(pz_str_from(cases[i].name), &type));
        PZ_CHECK_EQ_I64(type, cases[i].type);
    }
    enum pz_type type;
    PZ_CHECK(!pz_type_from_name(PZ_STR("decimal"), &type));
    PZ_CHECK(!pz_type_from_name(PZ_STR(""), &type));
    PZ_CHECK(!pz_type_from_name(PZ_STR("textual"), &type));
}

PZ_TEST(every_stored_type_has_a_name_that_reads_back_and_a_layout)
{
    for (int i = PZ_TYPE_BOOLEAN; i <= PZ_TYPE_DATE; i++) {
        enum pz_type type;
        PZ_CHECK(pz_type_from_name(pz_str_from(pz_type_name((enum pz_type)i)), &type));
        PZ_CHECK_EQ_I64(type, i);
        PZ_CHECK(pz_layout_size(pz_type_layout(type)) > 0);
    }
    PZ_CHECK_EQ_U64(pz_layout_size(pz_type_layout(PZ_TYPE_BOOLEAN)), 1);
    PZ_CHECK_EQ_U64(pz_layout_size(pz_type_layout(PZ_TYPE_SYMBOL)), 4);
    PZ_CHECK_EQ_U64(pz_layout_size(pz_type_layout(PZ_TYPE_DATE)), 8);
    PZ_CHECK_EQ_U64(pz_layout_size(pz_type_layout(PZ_TYPE_TEXT)), sizeof(struct pz_str));
}

PZ_TEST(columns_are_found_by_folded_name)
{
    struct pz_column_def columns[] = {{.name = "message_id", .type = PZ_TYPE_BIGINT},
                                      {.name = "body", .type = PZ_TYPE_TEXT}};
    struct pz_table_def def = {.id = 100, .column_count = 2, .columns = columns};
    PZ_CHECK_EQ_U64(pz_table_def_find(&def, PZ_STR("Body")), 1);
    PZ_CHECK_EQ_U64(pz_table_def_find(&def, PZ_STR("message_id")), 0);
    PZ_CHECK_EQ_U64(pz_table_def_find(&def, PZ_STR("message")), PZ_NO_COLUMN);
}
