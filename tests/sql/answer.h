// SPDX-License-Identifier: Apache-2.0
// One statement in, its answer as lines of text: what the SQL tests compare.
#ifndef PZ_TESTS_SQL_ANSWER_H
#define PZ_TESTS_SQL_ANSWER_H

#include "query/query.h"

// Values are separated by tabs. NULL is written NULL, the empty text (empty), control characters
// and the backslash as \n, \t, \\ or \x01; timestamps and numbers as in every result of plaza.
struct pz_answer {
    enum pz_status status;
    struct pz_error error;
    struct pz_query_stats stats;
    char *types; // one letter a column: I R T B S D V, see pz_answer_type_letter
    struct pz_str *names;
    uint32_t column_count;
    struct pz_str *lines; // one a row
    size_t line_count;
    struct pz_arena arena; // of all of it
    size_t line_capacity;
    struct pz_buffer line;
};
void pz_answer_run(struct pz_answer *answer, struct pz_engine *engine, struct pz_str sql);
void pz_answer_fini(struct pz_answer *answer);
void pz_answer_sort(struct pz_answer *answer); // lines by bytes

// I BIGINT, R DOUBLE, T TEXT, B BOOLEAN, S TIMESTAMP, D DATE, V INTERVAL.
char pz_answer_type_letter(enum pz_type type);

#endif
