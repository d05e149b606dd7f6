// SPDX-License-Identifier: Apache-2.0
// `plaza check`: reads a data directory back, recomputes what follows from its log, and reports.
#include "server/cli/cli.h"

#include "base/fault.h"
#include "storage/store.h"

#include <inttypes.h>
#include <stdio.h>

static const char help[] =
    "Usage: plaza check --data DIR\n"
    "\n"
    "Verifies every checksum of a data directory, recomputes the feed from the log and\n"
    "compares. No server may be running on it.\n"
    "\n"
    "  --data DIR    the data directory (default ./plaza-data)\n"
    "\n"
    "Exit: 0 all is well, 1 problems were found, 65 it is no plaza store or damaged\n"
    "beyond reading, 74 it cannot be read, 75 it is in use.\n";

static int
check(struct pz_store *store, struct pz_error *err)
{
    struct pz_buffer report = {0};
    uint64_t problems = 0;
    enum pz_status status = pz_store_check(store, &report, &problems, err);
    if (report.len > 0) {
        (void)fwrite(report.data, 1, report.len, stdout);
    }
    pz_buffer_fini(&report);
    if (status != PZ_OK) {
        pz_cli_say("check", err);
        return pz_cli_exit_code(err);
    }
    if (problems > 0) {
        (void)printf("%" PRIu64 " %s found\n", problems, problems == 1 ? "problem" : "problems");
        return PZ_EXIT_FAILED;
    }
    (void)printf("all is well\n");
    return PZ_EXIT_OK;
}

int
pz_cli_check(int argc, char **argv)
{
    const char *dir = "./plaza-data";
    const char *operand = NULL;
    bool wants_help = false;
    const struct pz_cli_option options[] = {
        {"data", 0, &dir, NULL}, {"help", 'h', NULL, &wants_help}, {0}};
    if (!pz_cli_parse("check", argc, argv, options, &operand)) {
        return PZ_EXIT_USAGE;
    }
    if (wants_help) {
        (void)fputs(help, stdout);
        return PZ_EXIT_OK;
    }
    if (operand != NULL) {
        dir = operand;
    }
    struct pz_error err;
    struct pz_store *store = NULL;
    // Looking must not change anything: no sealing and folding.
    const struct pz_store_options store_options = {.is_manual = true, .is_thorough = true};
    if (pz_store_open(dir, &store_options, &store, &err) != PZ_OK) {
        return (int)pz_cli_fail_open("check", &err, "stop what has it open, then check again");
    }
    int code = check(store, &err);
    pz_store_close(store);
    return code;
}
