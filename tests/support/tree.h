// SPDX-License-Identifier: Apache-2.0
// Clearing up what a test left on disk.
#ifndef PZ_TESTS_SUPPORT_TREE_H
#define PZ_TESTS_SUPPORT_TREE_H

#include "base/status.h"

// Removes a file or a directory with all it holds; symbolic links are removed, not followed. A path
// that is not there is PZ_OK.
PZ_MUST_USE enum pz_status pz_test_remove_tree(const char *path, struct pz_error *err);

#endif
