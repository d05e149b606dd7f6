// SPDX-License-Identifier: Apache-2.0
// The parts of `plaza import`: the file as decompressed bytes, the two places rows can go to, and
// what is told about them.
#ifndef PZ_SERVER_CLI_IMPORT_H
#define PZ_SERVER_CLI_IMPORT_H

#include "base/arena.h"
#include "ingest/ingest.h"
#include "server/cli/terminal.h"

// What was asked for.
struct pz_import {
    const char *table;
    const char *file; // "-" = standard input
    const char *map;  // or NULL
    const char *data_dir;
    const char *url;
    enum pz_record_format format;
    enum pz_on_error on_error;
    bool ignore_unknown;
    uint64_t skip_lines;
};

// What came of it.
struct pz_import_result {
    uint64_t accepted, ignored, rejected, commit;
    bool is_outcome_unknown;  // the commit that came last failed, and may be stored or not
    struct pz_buffer rejects; // the first of them, as lines for a person
    uint32_t reject_count;
};
// Remembers a bad row to be told; only the first ones are kept.
void pz_import_note(struct pz_import_result *result, uint64_t line, struct pz_str column,
                    struct pz_str message, struct pz_str snippet);
// "import FILE", for the column `source` of dead letters; free() it. Bytes of the name that are no
// UTF-8 are shown as ?: a column holds text.
char *pz_import_source(const struct pz_import *import);
// Says why the import failed. The loader's hints name the parameters of HTTP: here they are
// options.
void pz_import_say(struct pz_error *err);
// The exit code of a failure that is not the connection's; for bad rows PZ_EXIT_DATA.
int pz_import_exit_code(enum pz_status status, const struct pz_error *err);

// ---- input ---------------------------------------------------------------------------------

struct pz_import_input;
// PZ_NOT_FOUND, PZ_IO: the file cannot be read.
PZ_MUST_USE enum pz_status
pz_import_input_open(const char *path, struct pz_import_input **input_out, struct pz_error *err);
void pz_import_input_close(struct pz_import_input *input); // NULL is ignored
// The next decompressed bytes, borrowed until the next call; *len_out 0 at the end. PZ_INVALID when
// the compression is damaged, PZ_CANCELED after Ctrl-C.
PZ_MUST_USE enum pz_status pz_import_input_read(struct pz_import_input *input,
                                                const char **data_out, size_t *len_out,
                                                struct pz_error *err);
// Passes over whole lines. Fewer are no error: the input is at its end then.
PZ_MUST_USE enum pz_status pz_import_input_skip(struct pz_import_input *input, uint64_t lines,
                                                struct pz_error *err);
// The first line that is not blank, with its line feed, and how many lines that took: the header of
// a CSV file.
PZ_MUST_USE enum pz_status pz_import_input_header(struct pz_import_input *input,
                                                  struct pz_buffer *header, uint64_t *lines_out,
                                                  struct pz_error *err);
// Bytes of the file that were read, and all it has (0 = not known).
uint64_t pz_import_input_done(const struct pz_import_input *input);
uint64_t pz_import_input_size(const struct pz_import_input *input);

// ---- where rows go -------------------------------------------------------------------------

// Each returns an exit code, after saying on stderr what went wrong.
int pz_import_into_dir(const struct pz_import *import, struct pz_import_input *input,
                       struct pz_progress *progress, struct pz_import_result *result);
int pz_import_into_server(const struct pz_import *import, struct pz_import_input *input,
                          struct pz_progress *progress, struct pz_import_result *result);

#endif
