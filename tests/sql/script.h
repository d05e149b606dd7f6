// SPDX-License-Identifier: Apache-2.0
// Files of SQL with expected answers, in the form of sqllogictest:
//
//   # a comment
//   statement ok
//   CREATE TABLE t (a BIGINT)
//
//   statement error 42703 column "b" does not exist
//   SELECT b FROM t
//
//   query IT rowsort names
//   SELECT a, device FROM t
//   ----
//   a	device
//   1	phone
//
//   generate t 100000
//
// A record ends at an empty line. `error` is followed by a SQLSTATE, or a part of the message, or
// both; `@12` among them is the position in the statement; a part after `hint:` is looked for in
// the hint. After `query` stand the types of the columns (see answer.h) and options: rowsort
// compares without order, names puts the column names before the rows. `affected 3` after
// `statement ok` is the number of rows written. `generate` adds rows made by rule, see runner.c.
#ifndef PZ_TESTS_SQL_SCRIPT_H
#define PZ_TESTS_SQL_SCRIPT_H

#include "base/arena.h"

enum pz_record_kind { PZ_RECORD_OK, PZ_RECORD_ERROR, PZ_RECORD_QUERY, PZ_RECORD_GENERATE };

struct pz_record {
    enum pz_record_kind kind;
    unsigned line;      // of its head
    struct pz_str head; // what follows the word that names the kind
    struct pz_str sql;
    struct pz_str *expected; // QUERY: lines
    size_t expected_count;
};

struct pz_script {
    const char *path;
    struct pz_buffer text;
    struct pz_record *records;
    size_t record_count;
};
// Ends the program with a message when the file cannot be read or understood.
void pz_script_read(struct pz_script *script, const char *path);
void pz_script_fini(struct pz_script *script);

// The next word of a head: cut off its front; empty at the end.
struct pz_str pz_script_word(struct pz_str *head);

#endif
