// SPDX-License-Identifier: Apache-2.0
// `plaza simulate`: a feed's worth of believable traffic.
#ifndef PZ_SERVER_CLI_SIMULATE_H
#define PZ_SERVER_CLI_SIMULATE_H

// argv begins after the verb; the answer is the process's exit code.
int pz_cli_simulate(int argc, char **argv);

#endif
