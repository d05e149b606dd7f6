// SPDX-License-Identifier: Apache-2.0
// Every disk system call goes through here, so that tests can stop, fail or tear any step.
#ifndef PZ_BASE_FILE_H
#define PZ_BASE_FILE_H

#include "base/arena.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

// An open file. -1 = closed. All opens are O_CLOEXEC, and O_NOFOLLOW but for PZ_FILE_READ_FOLLOW,
// which is for files a person names (the last component may be a symbolic link).
struct pz_file {
    int fd;
};
enum pz_file_mode {
    PZ_FILE_READ,
    PZ_FILE_READ_FOLLOW,
    PZ_FILE_CREATE_NEW, // PZ_EXISTS when there is one
    PZ_FILE_CREATE_OR_TRUNCATE
};
PZ_MUST_USE enum pz_status pz_file_open(const char *path, enum pz_file_mode mode,
                                        struct pz_file *file_out, struct pz_error *err);
// Closing a written file can fail; a read one is closed silently.
PZ_MUST_USE enum pz_status pz_file_close(struct pz_file *file, const char *path,
                                         struct pz_error *err);
// Closes without asking how it went: for files read, and on the way out of a failure.
void pz_file_discard(struct pz_file *file);
// All bytes or an error; loops over short transfers and EINTR.
PZ_MUST_USE enum pz_status pz_file_write(struct pz_file *file, const void *data, size_t len,
                                         const char *path, struct pz_error *err);
PZ_MUST_USE enum pz_status pz_file_pread(const struct pz_file *file, void *data, size_t len,
                                         uint64_t byte_offset, const char *path,
                                         struct pz_error *err); // PZ_CORRUPT at end of file
// The next bytes of a file or pipe, as many as come at once; *len_out is 0 at its end.
PZ_MUST_USE enum pz_status pz_file_read(struct pz_file *file, void *data, size_t capacity,
                                        size_t *len_out, const char *path, struct pz_error *err);
PZ_MUST_USE enum pz_status pz_file_size(const struct pz_file *file, uint64_t *size_out,
                                        const char *path, struct pz_error *err);
PZ_MUST_USE enum pz_status pz_file_sync(struct pz_file *file, const char *path,
                                        struct pz_error *err); // fdatasync
// Appends the whole file to *out; PZ_TOO_LARGE when it holds more than `limit` bytes.
PZ_MUST_USE enum pz_status pz_file_read_all(const char *path, size_t limit, struct pz_buffer *out,
                                            struct pz_error *err);
// Writes a whole small file: create new, write, fdatasync, close.
PZ_MUST_USE enum pz_status pz_file_write_all(const char *path, const void *data, size_t len,
                                             struct pz_error *err);

// Without `replace`, PZ_EXISTS when `to` is there already.
PZ_MUST_USE enum pz_status pz_file_rename(const char *from, const char *to, bool replace,
                                          struct pz_error *err);
PZ_MUST_USE enum pz_status pz_file_unlink(const char *path, struct pz_error *err);
PZ_MUST_USE enum pz_status pz_dir_create(const char *path,
                                         struct pz_error *err);                 // existing is PZ_OK
PZ_MUST_USE enum pz_status pz_dir_sync(const char *path, struct pz_error *err); // fsync
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
