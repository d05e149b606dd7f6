// SPDX-License-Identifier: Apache-2.0
// Every disk system call goes through here, so that tests can stop, fail or tear any step.
#ifndef PZ_BASE_FILE_H
#define PZ_BASE_FILE_H

#include "base/arena.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

// An open file. -1 = closed. All opens are O_CLOEXEC | O_NOFOLLOW.
struct pz_file {
    int fd;
};
enum pz_file_mode { PZ_FILE_READ, PZ_FILE_CREATE_NEW, PZ_FILE_CREATE_OR_TRUNCATE };
PZ_MUST_USE enum pz_status pz_file_open(const char *path, enum pz_file_mode mode,
                                        struct pz_file *file_out, struct pz_error *err);
// Closing a written file can fail; a read one is closed silently.
PZ_MUST_USE enum pz_status pz_file_close(struct pz_file *file, const char *path,
                                         struct pz_error *err);
// All bytes or an error; loops over short transfers and EINTR.
PZ_MUST_USE enum pz_status pz_file_write(struct pz_file *file, const void *data, size_t len,
                                         const char *path, struct pz_error *err);
PZ_MUST_USE enum pz_status pz_file_pread(const struct pz_file *file, void *data, size_t len,
                                         uint64_t byte_offset, const char *path,
                                         struct pz_error *err); // PZ_CORRUPT at end of file
PZ_MUST_USE enum pz_status pz_file_size(const struct pz_file *file, uint64_t *size_out,
                                        const char *path, struct pz_error *err);
PZ_MUST_USE enum pz_status pz_file_sync(struct pz_file *file, const char *path,
                                        struct pz_error *err); // fdatasync
PZ_MUST_USE enum pz_status pz_file_read_all(const char *path, size_t limit, struct pz_buffer *out,
                                            struct pz_error *err);
// Writes a whole small file: create new, write, fdatasync, close.
PZ_MUST_USE enum pz_status pz_file_write_all(const char *path, const void *data, size_t len,
                                             struct pz_error *err);

PZ_MUST_USE enum pz_status pz_file_rename(const char *from, const char *to, bool replace,
                                          struct pz_error *err);
PZ_MUST_USE enum pz_status pz_file_unlink(const char *path, struct pz_error *err);
PZ_MUST_USE enum pz_status pz_dir_create(const char *path,
                                         struct pz_error *err);                 // existing is PZ_OK
PZ_MUST_USE enum pz_status pz_dir_sync(const char *path, struct pz_error *err); // fsync
PZ_MUST_USE enum pz_status pz_dir_remove_tree(const char *path, struct pz_error *err);
bool pz_path_exists(const char *path);
// Calls each(payload, name) for the entries but "." and "..", in byte order; stops at a failure.
PZ_MUST_USE enum pz_status pz_dir_each(const char *path,
                                       enum pz_status (*each)(void *payload, const char *name,
                                                              struct pz_error *err),
                                       void *payload, struct pz_error *err);
uint64_t pz_disk_free_bytes(const char *path); // for unprivileged users; 0 when unknown

// An exclusive lock on a file held until released or the process ends (open file description
// lock). PZ_BUSY when another holds it; the message then names the pid found in the file.
PZ_MUST_USE enum pz_status pz_file_lock(const char *path, struct pz_file *file_out,
                                        struct pz_error *err);

#endif
