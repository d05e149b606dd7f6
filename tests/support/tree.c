// SPDX-License-Identifier: Apache-2.0
// Removes directory trees; see tree.h. Apart from test.c, which brings a `main`.
#include "tests/support/tree.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>

static int
remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    // Another may be clearing the same tree; gone is gone.
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

enum pz_status
pz_test_remove_tree(const char *path, struct pz_error *err)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT) {
        return pz_fail_sys(err, "remove %s and what it holds", path);
    }
    return PZ_OK;
}
