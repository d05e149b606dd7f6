// SPDX-License-Identifier: Apache-2.0
// Files: open, read, write, sync, rename, lock. Directories are in base/dir.c.
#include "base/file.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// What one write asks of the kernel at most; it does not take more than 2 GiB anyway.
enum { TRANSFER_BYTES_MAX = 1 << 30 };

static enum pz_status
fail_at_path(struct pz_error *err, const char *verb, const char *path)
{
    if (errno == EEXIST) {
        return pz_fail(err, PZ_EXISTS, "%s %s: it exists already", verb, path);
    }
    return pz_fail_sys(err, "%s %s", verb, path);
}

// Visits a fault point; true when the call has to fail, with errno set.
static bool
is_faulted(enum pz_fault_point point)
{
    int number = pz_fault_visit(point);
    if (number != 0) {
        errno = number;
    }
    return number != 0;
}

enum pz_status
pz_file_open(const char *path, enum pz_file_mode mode, struct pz_file *file_out,
             struct pz_error *err)
{
    static const int flags[] = {
        [PZ_FILE_READ] = O_RDONLY | O_NOFOLLOW,
        [PZ_FILE_READ_FOLLOW] = O_RDONLY,
        [PZ_FILE_CREATE_NEW] = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
        [PZ_FILE_CREATE_OR_TRUNCATE] = O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW,
    };
    bool is_write = mode == PZ_FILE_CREATE_NEW || mode == PZ_FILE_CREATE_OR_TRUNCATE;
    do {
        file_out->fd = open(path, flags[mode] | O_CLOEXEC, 0640);
    } while (file_out->fd < 0 && errno == EINTR);
    if (file_out->fd < 0) {
        return fail_at_path(err, is_write ? "create" : "open", path);
    }
    struct stat info;
    if (!is_write && fstat(file_out->fd, &info) == 0 && S_ISDIR(info.st_mode)) {
        (void)close(file_out->fd);
        file_out->fd = -1;
        return pz_fail(err, PZ_INVALID, "open %s: it is a directory", path);
    }
    return PZ_OK;
}

enum pz_status
pz_file_close(struct pz_file *file, const char *path, struct pz_error *err)
{
    if (file->fd < 0) {
        return PZ_OK;
    }
    int failed = close(file->fd);
    file->fd = -1;
    // Linux closes the descriptor even then.
    if (failed != 0 && errno != EINTR) {
        return pz_fail_sys(err, "close %s", path);
    }
    return PZ_OK;
}

void
pz_file_discard(struct pz_file *file)
{
    if (file->fd >= 0) {
        (void)close(file->fd);
        file->fd = -1;
    }
}

enum pz_status
pz_file_write(struct pz_file *file, const void *data, size_t len, const char *path,
              struct pz_error *err)
{
    const char *next = data;
    if (is_faulted(PZ_FAULT_file_write)) {
        return pz_fail_sys(err, "write %zu bytes to %s", len, path);
    }
    while (len > 0) {
        size_t wanted = len < TRANSFER_BYTES_MAX ? len : TRANSFER_BYTES_MAX;
        ssize_t written = write(file->fd, next, wanted);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return pz_fail_sys(err, "write %zu bytes to %s", len, path);
        }
        if (written == 0) {
            return pz_fail(err, PZ_FULL, "write %zu bytes to %s: none was taken", len, path);
        }
        next += written;
        len -= (size_t)written;
    }
    return PZ_OK;
}

enum pz_status
pz_file_pread(const struct pz_file *file, void *data, size_t len, uint64_t byte_offset,
              const char *path, struct pz_error *err)
{
    char *next = data;
    size_t left = len;
    if (byte_offset > (uint64_t)INT64_MAX - len) {
        return pz_fail(err, PZ_CORRUPT, "read %s: offset %llu is out of range", path,
                       (unsigned long long)byte_offset);
    }
    while (left > 0) {
        ssize_t got = pread(file->fd, next, left, (off_t)byte_offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return pz_fail_sys(err, "read %zu bytes at %llu of %s", left,
                               (unsigned long long)byte_offset, path);
        }
        if (got == 0) {
            return pz_fail(err, PZ_CORRUPT, "%s ends at byte %llu, %zu bytes too early", path,
                           (unsigned long long)byte_offset, left);
        }
        next += got;
        left -= (size_t)got;
        byte_offset += (uint64_t)got;
    }
    return PZ_OK;
}

enum pz_status
pz_file_read(struct pz_file *file, void *data, size_t capacity, size_t *len_out, const char *path,
             struct pz_error *err)
{
    ssize_t got;
    do {
        got = read(file->fd, data, capacity);
    } while (got < 0 && errno == EINTR);
    *len_out = got < 0 ? 0 : (size_t)got;
    return got < 0 ? pz_fail_sys(err, "read %s", path) : PZ_OK;
}

enum pz_status
pz_file_size(const struct pz_file *file, uint64_t *size_out, const char *path, struct pz_error *err)
{
    struct stat info;
    if (fstat(file->fd, &info) != 0) {
        return pz_fail_sys(err, "look at %s", path);
    }
    *size_out = (uint64_t)info.st_size;
    return PZ_OK;
}

enum pz_status
pz_file_sync(struct pz_file *file, const char *path, struct pz_error *err)
{
    // Never tried twice: the kernel reports a lost page once and then forgets it.
    if (is_faulted(PZ_FAULT_file_sync) || fdatasync(file->fd) != 0) {
        return pz_fail_sys(err, "sync %s", path);
    }
    return PZ_OK;
}

enum pz_status
pz_file_read_all(const char *path, size_t limit, struct pz_buffer *out, struct pz_error *err)
{
    struct pz_file file;
    PZ_TRY(pz_file_open(path, PZ_FILE_READ, &file, err));
    enum pz_status status;
    size_t start = out->len;
    for (;;) {
        size_t got;
        if (!pz_buffer_reserve(out, 16384)) {
            status = pz_fail(err, PZ_NO_MEMORY, "read %s: no memory after %zu bytes", path,
                             out->len - start);
            break;
        }
        status = pz_file_read(&file, out->data + out->len, 16384, &got, path, err);
        if (status != PZ_OK || got == 0) {
            break;
        }
        out->len += got;
        out->data[out->len] = '\0';
        if (out->len - start > limit) {
            status = pz_fail(err, PZ_TOO_LARGE, "%s is larger than %zu bytes", path, limit);
            break;
        }
    }
    pz_file_discard(&file);
    return status;
}

enum pz_status
pz_file_write_all(const char *path, const void *data, size_t len, struct pz_error *err)
{
    struct pz_file file;
    PZ_TRY(pz_file_open(path, PZ_FILE_CREATE_NEW, &file, err));
    enum pz_status status = pz_file_write(&file, data, len, path, err);
    if (status == PZ_OK) {
        status = pz_file_sync(&file, path, err);
    }
    // After a failure its message is the one to keep.
    enum pz_status closed = pz_file_close(&file, path, status == PZ_OK ? err : NULL);
    return status == PZ_OK ? closed : status;
}

enum pz_status
pz_file_rename(const char *from, const char *to, bool replace, struct pz_error *err)
{
    unsigned flags = replace ? 0 : RENAME_NOREPLACE;
    if (is_faulted(PZ_FAULT_file_rename) || renameat2(AT_FDCWD, from, AT_FDCWD, to, flags) != 0) {
        if (errno == EEXIST) {
            return pz_fail(err, PZ_EXISTS, "rename %s: %s exists already", from, to);
        }
        return pz_fail_sys(err, "rename %s to %s", from, to);
    }
    return PZ_OK;
}

enum pz_status
pz_file_unlink(const char *path, struct pz_error *err)
{
    return unlink(path) == 0 ? PZ_OK : pz_fail_sys(err, "remove %s", path);
}

bool
pz_path_exists(const char *path)
{
    return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

// The holder wrote its pid when it took the lock; it may be gone from the file by now.
static enum pz_status
fail_locked(int fd, const char *path, struct pz_error *err)
{
    char text[16] = "";
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    size_t digits = len > 0 ? strspn(text, "0123456789") : 0;
    text[digits] = '\0';
    return pz_fail(err, PZ_BUSY, "%s is locked by another process%s%s", path,
                   digits > 0 ? ", pid " : "", text);
}

enum pz_status
pz_file_lock(const char *path, struct pz_file *file_out, struct pz_error *err)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    enum pz_status status;
    file_out->fd = -1;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        return pz_fail_sys(err, "open lock file %s", path);
    }
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        status = errno == EAGAIN || errno == EACCES ? fail_locked(fd, path, err)
                                                    : pz_fail_sys(err, "lock %s", path);
        goto out;
    }
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len) {
        status = pz_fail_sys(err, "write the pid to %s", path);
        goto out;
    }
    file_out->fd = fd;
    return PZ_OK;
out:
    (void)close(fd);
    return status;
}
