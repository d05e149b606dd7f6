// SPDX-License-Identifier: Apache-2.0
// Directories: create, sync, walk.
#include "base/fault.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum pz_status
pz_dir_create(const char *path, struct pz_error *err)
{
    struct stat info;
    if (mkdir(path, 0750) == 0) {
        return PZ_OK;
    }
    int number = errno;
    if (number == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        return PZ_OK;
    }
    errno = number;
    return pz_fail_sys(err, "create directory %s", path);
}

enum pz_status
pz_dir_sync(const char *path, struct pz_error *err)
{
    int number = pz_fault_visit(PZ_FAULT_dir_sync);
    if (number != 0) {
        errno = number;
        return pz_fail_sys(err, "sync directory %s", path);
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return pz_fail_sys(err, "open directory %s", path);
    }
    enum pz_status status = fsync(fd) == 0 ? PZ_OK : pz_fail_sys(err, "sync directory %s", path);
    (void)close(fd);
    return status;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char **items;
    size_t count;
    size_t capacity;
};

static bool
names_add(struct names *names, const char *name)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity == 0 ? 64 : names->capacity * 2;
        char **items = realloc(names->items, capacity * sizeof *items);
        if (items == NULL) {
            return false;
        }
        names->items = items;
        names->capacity = capacity;
    }
    char *copy = strdup(name);
    if (copy == NULL) {
        return false;
    }
    names->items[names->count++] = copy;
    return true;
}

static enum pz_status
names_read(DIR *dir, struct names *names, const char *path, struct pz_error *err)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            return errno == 0 ? PZ_OK : pz_fail_sys(err, "read directory %s", path);
        }
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            continue;
        }
        if (!names_add(names, name)) {
            return pz_fail(err, PZ_NO_MEMORY, "read directory %s: no memory after %zu names", path,
                           names->count);
        }
    }
}

enum pz_status
pz_dir_each(const char *path,
            enum pz_status (*each)(void *payload, const char *name, struct pz_error *err),
            void *payload, struct pz_error *err)
{
    struct names names = {.items = NULL};
    DIR *dir = opendir(path); // close-on-exec by itself
    if (dir == NULL) {
        return pz_fail_sys(err, "open directory %s", path);
    }
    enum pz_status status = names_read(dir, &names, path, err);
    (void)closedir(dir);
    // The callee may add and remove entries: the directory is read to its end before.
    if (names.count > 0) {
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    }
    for (size_t i = 0; i < names.count; i++) {
        if (status == PZ_OK) {
            status = each(payload, names.items[i], err);
        }
        free(names.items[i]);
    }
    free(names.items);
    return status;
}

uint64_t
pz_disk_free_bytes(const char *path)
{
    if (pz_fault_visit(PZ_FAULT_disk_free) != 0) {
        return 0;
    }
    struct statvfs info;
    if (statvfs(path, &info) != 0) {
        return 0;
    }
    return (uint64_t)info.f_bavail * (uint64_t)info.f_frsize;
}
