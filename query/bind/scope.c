// SPDX-License-Identifier: Apache-2.0
// What names stand for. Names are compared without regard to ASCII case, but an exact match goes
// first, so that "A" and "a" can be told apart where both exist.
#include "query/bind/bind_internal.h"

#include "base/suggest.h"

enum pz_status
pz__bind_no_memory(struct pz_error *err)
{
    enum pz_status status = pz_fail(
        err, PZ_NO_MEMORY, "the query's memory limit is too small to understand the statement");
    if (err != NULL) {
        memcpy(err->sqlstate, "53200", 6);
    }
    return status;
}

// ---- tables --------------------------------------------------------------------------------

enum pz_status
pz_bind_table(const struct pz_binder *binder, const struct pz_ast_name *name,
              const struct pz_table_def **table_out, struct pz_error *err)
{
    const struct pz_version *version = binder->session->version;
    struct pz_suggestion suggestion;
    pz_suggest_begin(&suggestion, name->text);
    for (uint32_t i = 0; i < pz_version_table_count(version); i++) {
        const struct pz_table_def *table = pz_version_table_at(version, i);
        if (table->is_internal) {
            continue;
        }
        if (pz_str_equal_nocase(pz_str_from(table->name), name->text)) {
            *table_out = table;
            return PZ_OK;
        }
        (void)pz_suggest_offer(&suggestion, pz_str_from(table->name));
    }
    struct pz_str shown = pz_str_cut_utf8(name->text, 100);
    enum pz_status status = pz_fail_sql(err, "42P01", name->offset,
                                        "relation \"%.*s\" does not exist", PZ_STR_ARG(shown));
    if (suggestion.best.data != NULL) {
        (void)pz_suggest_hint(&suggestion, err);
    } else {
        pz_error_hint(err, "SHOW TABLES lists the tables");
    }
    return status;
}

enum pz_status
pz_bind_table_column(const struct pz_table_def *table, const struct pz_ast_name *name,
                     uint32_t *column_out, struct pz_error *err)
{
    *column_out = pz_table_def_find(table, name->text);
    if (*column_out != PZ_NO_COLUMN) {
        return PZ_OK;
    }
    struct pz_suggestion suggestion;
    pz_suggest_begin(&suggestion, name->text);
    for (uint32_t i = 0; i < table->column_count; i++) {
        (void)pz_suggest_offer(&suggestion, pz_str_from(table->columns[i].name));
    }
    struct pz_str shown = pz_str_cut_utf8(name->text, 100);
    enum pz_status status =
        pz_fail_sql(err, "42703", name->offset, "column \"%.*s\" of relation \"%s\" does not exist",
                    PZ_STR_ARG(shown), table->name);
    (void)pz_suggest_hint(&suggestion, err);
    return status;
}

// ---- columns -------------------------------------------------------------------------------

bool
pz__scope_is_qualifier(const struct pz_scope *scope, struct pz_str qualifier)
{
    return scope->qualifier.data != NULL && pz_str_equal_nocase(scope->qualifier, qualifier);
}

enum pz_status
pz__scope_no_qualifier(const struct pz_scope *scope, struct pz_str qualifier, uint32_t offset,
                       struct pz_error *err)
{
    struct pz_str shown = pz_str_cut_utf8(qualifier, 100);
    enum pz_status status = pz_fail_sql(
        err, "42P01", offset, "missing FROM-clause entry for table \"%.*s\"", PZ_STR_ARG(shown));
    if (scope->qualifier.data != NULL) {
        pz_error_hint(err, "did you mean \"%.*s\"?",
                      PZ_STR_ARG(pz_str_cut_utf8(scope->qualifier, 100)));
    }
    return status;
}

bool
pz__scope_has(const struct pz_scope *scope, struct pz_str name)
{
    for (uint32_t i = 0; i < scope->column_count; i++) {
        if (pz_str_equal_nocase(scope->columns[i].name, name)) {
            return true;
        }
    }
    return false;
}

// A name that is no column here may be one of another table.
static bool
hint_other_table(const struct pz_binder *binder, struct pz_str name, struct pz_error *err)
{
    const struct pz_version *version = binder->session->version;
    for (uint32_t i = 0; i < pz_version_table_count(version); i++) {
        const struct pz_table_def *table = pz_version_table_at(version, i);
        if (!table->is_internal && pz_table_def_find(table, name) != PZ_NO_COLUMN) {
            pz_error_hint(err, "there is a column \"%.*s\" in table \"%s\"", PZ_STR_ARG(name),
                          table->name);
            return true;
        }
    }
    return false;
}

static bool
is_output_name(const struct pz_scope *scope, struct pz_str name)
{
    for (uint32_t i = 0; scope->select != NULL && i < scope->select->item_count; i++) {
        struct pz_str alias = scope->select->items[i].alias;
        if (alias.data != NULL && pz_str_equal_nocase(alias, name)) {
            return true;
        }
    }
    return false;
}

static enum pz_status
no_column(const struct pz_binder *binder, const struct pz_scope *scope, const struct pz_ast *name,
          struct pz_error *err)
{
    if (strcmp(scope->clause, "LIMIT") == 0 || strcmp(scope->clause, "OFFSET") == 0) {
        return pz_fail_sql(err, "42P10", name->offset, "argument of %s must not contain variables",
                           scope->clause);
    }
    struct pz_str shown = pz_str_cut_utf8(name->text, 100);
    enum pz_status status;
    if (name->qualifier.len > 0) {
        status = pz_fail_sql(err, "42703", name->offset, "column %.*s.%.*s does not exist",
                             PZ_STR_ARG(pz_str_cut_utf8(name->qualifier, 100)), PZ_STR_ARG(shown));
    } else {
        status = pz_fail_sql(err, "42703", name->offset, "column \"%.*s\" does not exist",
                             PZ_STR_ARG(shown));
    }
    struct pz_suggestion suggestion;
    pz_suggest_begin(&suggestion, name->text);
    for (uint32_t i = 0; i < scope->column_count; i++) {
        (void)pz_suggest_offer(&suggestion, scope->columns[i].name);
    }
    if (suggestion.best.data != NULL) {
        (void)pz_suggest_hint(&suggestion, err);
    } else if (is_output_name(scope, name->text)) {
        pz_error_hint(err, "an output name cannot be used in %s: repeat its expression",
                      scope->clause);
    } else if (name->offset < binder->sql.len && binder->sql.data[name->offset] == '"') {
        pz_error_hint(err, "double quotes are for names; a text is written '%.*s'",
                      PZ_STR_ARG(pz_str_cut_utf8(name->text, 60)));
    } else if (!hint_other_table(binder, shown, err) && !scope->has_from) {
        pz_error_hint(err, "the SELECT has no FROM");
    }
    return status;
}

enum pz_status
pz__scope_find(const struct pz_binder *binder, const struct pz_scope *scope,
               const struct pz_ast *name, uint32_t *column_out, struct pz_error *err)
{
    if (name->qualifier.len > 0 && !pz__scope_is_qualifier(scope, name->qualifier)) {
        return pz__scope_no_qualifier(scope, name->qualifier, name->offset, err);
    }
    uint32_t exact_count = 0;
    uint32_t folded_count = 0;
    uint32_t exact = 0;
    uint32_t folded = 0;
    for (uint32_t i = 0; i < scope->column_count; i++) {
        if (!pz_str_equal_nocase(scope->columns[i].name, name->text)) {
            continue;
        }
        folded_count++;
        folded = i;
        if (pz_str_equal(scope->columns[i].name, name->text)) {
            exact_count++;
            exact = i;
        }
    }
    if (folded_count == 0) {
        return no_column(binder, scope, name, err);
    }
    if (exact_count != 1 && folded_count != 1) {
        return pz_fail_sql(err, "42702", name->offset, "column reference \"%.*s\" is ambiguous",
                           PZ_STR_ARG(pz_str_cut_utf8(name->text, 100)));
    }
    *column_out = exact_count == 1 ? exact : folded;
    return PZ_OK;
}
