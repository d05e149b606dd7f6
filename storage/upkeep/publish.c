// SPDX-License-Identifier: Apache-2.0
// Making a segment file safe before the catalog names it: temporary name, write, fdatasync, read
// back and compare (all in pz_segment_write), rename, fsync of the directory. What a crash leaves
// behind at any step is an orphan that the next start sets aside.
#include "storage/upkeep/upkeep.h"

#include "base/fault.h"
#include "base/log.h"

#include <string.h>

// A fresh segment id. Any thread.
static uint64_t
take_segment_id(struct pz_store *store)
{
    return atomic_fetch_add(&store->next_segment_id, 1);
}

// No catalog row names the file yet, so whatever failed, it is waste.
static void
remove_waste(const char *path)
{
    struct pz_error err = {0};
    if (pz_path_exists(path) && pz_file_unlink(path, &err) != PZ_OK) {
        pz_log_error(&err, "a segment that was not published stays as a file until the next start");
    }
}

static enum pz_status
make_final(const char *temporary, const char *path, struct pz_error *err)
{
    char dir[4400];
    (void)pz_str_to_c(pz_str_from(path), dir, sizeof dir);
    *strrchr(dir, '/') = '\0';
    if (pz_fault_visit(PZ_FAULT_seal_before_rename) != 0) {
        return pz_fail(err, PZ_IO, "fault point seal_before_rename");
    }
    PZ_TRY(pz_file_rename(temporary, path, false, err));
    PZ_TRY(pz_dir_sync(dir, err));
    if (pz_fault_visit(PZ_FAULT_seal_before_commit) != 0) {
        return pz_fail(err, PZ_IO, "fault point seal_before_commit");
    }
    return PZ_OK;
}

enum pz_status
pz__segment_publish(struct pz_store *store, const struct pz_batch *rows,
                    struct pz_segment_info *info_out, struct pz_segment **segment_out,
                    struct pz_error *err)
{
    char temporary[4400];
    char path[4400];
    *segment_out = NULL;
    PZ_TRY(pz__store_check_space(store, pz_batch_bytes(rows), err));
    uint64_t segment_id = take_segment_id(store);
    pz__segment_path(store, rows->def->id, segment_id, true, temporary, sizeof temporary);
    pz__segment_path(store, rows->def->id, segment_id, false, path, sizeof path);
    PZ_TRY(pz_segment_write(temporary, segment_id, rows, info_out, err));
    enum pz_status status = make_final(temporary, path, err);
    if (status == PZ_OK) {
        status = pz_segment_open(path, rows->def, info_out, store->cache, segment_out, err);
    }
    if (status != PZ_OK) {
        remove_waste(temporary);
        remove_waste(path);
    }
    return status;
}
