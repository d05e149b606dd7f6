// SPDX-License-Identifier: Apache-2.0
// What is told of an import, whichever way its rows go: where they come from, bad rows as lines for
// a person, the exit code.
#include "server/cli/cli.h"
#include "server/cli/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// Bad rows that are told; the rest are counted.
#define REJECTS_SHOWN 10u
#define SOURCE_BYTES_MAX 200u // as much as a server keeps

char *
pz_import_source(const struct pz_import *import)
{
    size_t size = strlen(import->file) + sizeof "import ";
    char *text = pz_xmalloc(size);
    size_t at = 0;
    size_t bad;
    (void)snprintf(text, size, "import %s", import->file);
    while (!pz_utf8_is_valid(text + at, size - 1 - at, &bad)) {
        at += bad;
        text[at++] = '?';
    }
    text[pz_str_cut_utf8(pz_str_from(text), SOURCE_BYTES_MAX).len] = '\0';
    return text;
}

void
pz_import_note(struct pz_import_result *result, uint64_t line, struct pz_str column,
               struct pz_str message, struct pz_str snippet)
{
    if (result->reject_count >= REJECTS_SHOWN) {
        return;
    }
    result->reject_count++;
    pz_buffer_printf(&result->rejects, "  line %" PRIu64, line);
    if (column.len > 0) {
        pz_buffer_append_c(&result->rejects, ", ");
        pz_terminal_append_clean(&result->rejects, column);
    }
    pz_buffer_append_c(&result->rejects, ": ");
    pz_terminal_append_clean(&result->rejects, message);
    pz_buffer_append_c(&result->rejects, "\n");
    if (snippet.len > 0) {
        pz_buffer_append_c(&result->rejects, "      ");
        pz_terminal_append_clean(&result->rejects, snippet);
        pz_buffer_append_c(&result->rejects, "\n");
    }
}

void
pz_import_say(struct pz_error *err)
{
    if (strstr(err->hint, "on_error=") != NULL) {
        pz_error_hint(err, "correct the rows, rename fields with --map, pass over those without a "
                           "column with --ignore-unknown, or set bad rows aside with --on-error "
                           "dead_letter");
    }
    pz_cli_say("import", err);
}

int
pz_import_exit_code(enum pz_status status, const struct pz_error *err)
{
    switch (status) {
    case PZ_CANCELED:
        return PZ_EXIT_INTERRUPTED;
    case PZ_INVALID:
    case PZ_UNACCEPTABLE:
    case PZ_TOO_LARGE:
        return PZ_EXIT_DATA;
    default:
        return (int)pz_cli_exit_code(err);
    }
}
