// SPDX-License-Identifier: Apache-2.0
// A text of several SQL statements, one by one.
#ifndef PZ_SERVER_CLI_SQL_SPLIT_H
#define PZ_SERVER_CLI_SQL_SPLIT_H

#include "base/str.h"

// Takes the first statement off *text: up to a semicolon outside of quotes and comments, or to the
// end. Returns false when only blanks and comments are left.
bool pz_sql_split(struct pz_str *text, struct pz_str *statement_out);

#endif
