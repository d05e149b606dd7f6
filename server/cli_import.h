// SPDX-License-Identifier: Apache-2.0
// `plaza import`: rows of a file into a table.
#ifndef PZ_SERVER_CLI_IMPORT_H
#define PZ_SERVER_CLI_IMPORT_H

// argv begins after the verb; the answer is the process's exit code.
int pz_cli_import(int argc, char **argv);

#endif
