// SPDX-License-Identifier: Apache-2.0
// Files and directories, and the faults that can be laid on them.
#include "base/file.h"

#include "tests/support/test.h"
#include "tests/support/tree.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

PZ_TEST(write_all_and_read_all)
{
    struct pz_error err;
    struct pz_buffer buffer = {.data = NULL};
    const char *path = pz_test_path("a");
    PZ_CHECK(!pz_path_exists(path));
    PZ_REQUIRE_OK(pz_file_write_all(path, "hello", 5, &err), &err);
    PZ_CHECK(pz_path_exists(path));
    PZ_CHECK_OK(pz_file_read_all(path, 5, &buffer, &err), &err);
    PZ_CHECK_EQ_STR(buffer.data, "hello");
    PZ_CHECK_STATUS(pz_file_read_all(path, 4, &buffer, &err), PZ_TOO_LARGE, &err);
    PZ_CHECK_STATUS(pz_file_write_all(path, "x", 1, &err), PZ_EXISTS, &err);
    PZ_CHECK_CONTAINS(err.message, path);
    PZ_CHECK_STATUS(pz_file_read_all(pz_test_path("b"), 4, &buffer, &err), PZ_NOT_FOUND, &err);
    pz_buffer_fini(&buffer);
}

PZ_TEST(pread_beyond_the_end_is_corrupt)
{
    struct pz_error err;
    struct pz_file file;
    const char *path = pz_test_path("a");
    char data[8];
    uint64_t size;
    PZ_REQUIRE_OK(pz_file_open(path, PZ_FILE_CREATE_OR_TRUNCATE, &file, &err), &err);
    PZ_CHECK_OK(pz_file_write(&file, "0123456789", 10, path, &err), &err);
    PZ_CHECK_OK(pz_file_sync(&file, path, &err), &err);
    PZ_CHECK_OK(pz_file_size(&file, &size, path, &err), &err);
    PZ_CHECK_EQ_U64(size, 10);
    PZ_CHECK_OK(pz_file_pread(&file, data, 8, 2, path, &err), &err);
    PZ_CHECK_EQ_BYTES(data, "23456789", 8);
    PZ_CHECK_STATUS(pz_file_pread(&file, data, 8, 3, path, &err), PZ_CORRUPT, &err);
    PZ_CHECK_CONTAINS(err.message, "ends at byte 10, 1 bytes too early");
    PZ_CHECK_STATUS(pz_file_pread(&file, data, 8, UINT64_MAX - 2, path, &err), PZ_CORRUPT, &err);
    PZ_CHECK_OK(pz_file_close(&file, path, &err), &err);
    PZ_CHECK_OK(pz_file_close(&file, path, &err), &err); // closed already
}

PZ_TEST(symbolic_links_are_followed_only_on_request)
{
    struct pz_error err;
    struct pz_file file;
    const char *target = pz_test_path("target");
    const char *link_path = pz_test_path("link");
    char data[8];
    size_t len;
    PZ_REQUIRE_OK(pz_file_write_all(target, "abc", 3, &err), &err);
    PZ_REQUIRE(symlink(target, link_path) == 0);
    PZ_CHECK_STATUS(pz_file_open(link_path, PZ_FILE_READ, &file, &err), PZ_IO, &err);
    PZ_REQUIRE_OK(pz_file_open(link_path, PZ_FILE_READ_FOLLOW, &file, &err), &err);
    PZ_CHECK_OK(pz_file_read(&file, data, sizeof data, &len, link_path, &err), &err);
    PZ_CHECK_EQ_U64(len, 3);
    PZ_CHECK_OK(pz_file_read(&file, data, sizeof data, &len, link_path, &err), &err);
    PZ_CHECK_EQ_U64(len, 0);
    pz_file_discard(&file);
    pz_file_discard(&file);
    PZ_CHECK_STATUS(pz_file_open(pz_test_dir(), PZ_FILE_READ, &file, &err), PZ_INVALID, &err);
}

PZ_TEST(rename_replaces_only_on_request)
{
    struct pz_error err;
    const char *a = pz_test_path("a");
    const char *b = pz_test_path("b");
    PZ_REQUIRE_OK(pz_file_write_all(a, "a", 1, &err), &err);
    PZ_REQUIRE_OK(pz_file_write_all(b, "b", 1, &err), &err);
    PZ_CHECK_STATUS(pz_file_rename(a, b, false, &err), PZ_EXISTS, &err);
    PZ_CHECK_OK(pz_file_rename(a, b, true, &err), &err);
    PZ_CHECK_STATUS(pz_file_rename(a, b, true, &err), PZ_NOT_FOUND, &err);
    PZ_CHECK_OK(pz_file_rename(b, a, false, &err), &err);
    PZ_CHECK_OK(pz_file_unlink(a, &err), &err);
    PZ_CHECK_STATUS(pz_file_unlink(a, &err), PZ_NOT_FOUND, &err);
}

struct names {
    char text[256];
    unsigned count;
    unsigned stop_after;
};

static enum pz_status
note_name(void *payload, const char *name, struct pz_error *err)
{
    struct names *names = payload;
    size_t len = strlen(names->text);
    (void)snprintf(names->text + len, sizeof names->text - len, "%s ", name);
    if (++names->count == names->stop_after) {
        return pz_fail(err, PZ_CANCELED, "enough");
    }
    return PZ_OK;
}

PZ_TEST(directories)
{
    struct pz_error err;
    const char *dir = pz_test_path("d");
    PZ_REQUIRE_OK(pz_dir_create(dir, &err), &err);
    PZ_CHECK_OK(pz_dir_create(dir, &err), &err);
    PZ_CHECK_OK(pz_dir_create(pz_test_path("d/inner"), &err), &err);
    PZ_CHECK_OK(pz_file_write_all(pz_test_path("d/b"), "b", 1, &err), &err);
    PZ_CHECK_OK(pz_file_write_all(pz_test_path("d/B"), "b", 1, &err), &err);
    PZ_CHECK_OK(pz_file_write_all(pz_test_path("d/inner/x"), "b", 1, &err), &err);
    PZ_CHECK_STATUS(pz_dir_create(pz_test_path("d/b"), &err), PZ_IO, &err);
    PZ_CHECK_OK(pz_dir_sync(dir, &err), &err);
    struct names names = {.text = ""};
    PZ_CHECK_OK(pz_dir_each(dir, note_name, &names, &err), &err);
    PZ_CHECK_EQ_STR(names.text, "B b inner ");
    names = (struct names){.stop_after = 2};
    PZ_CHECK_STATUS(pz_dir_each(dir, note_name, &names, &err), PZ_CANCELED, &err);
    PZ_CHECK_EQ_STR(names.text, "B b ");
    PZ_CHECK_STATUS(pz_dir_each(pz_test_path("none"), note_name, &names, &err), PZ_NOT_FOUND, &err);
    PZ_CHECK(symlink("/etc", pz_test_path("d/inner/etc")) == 0);
    PZ_CHECK_OK(pz_test_remove_tree(dir, &err), &err);
    PZ_CHECK(!pz_path_exists(dir));
    PZ_CHECK(pz_path_exists("/etc/passwd"));
    PZ_CHECK_OK(pz_test_remove_tree(dir, &err), &err);
    PZ_CHECK(pz_disk_free_bytes(pz_test_dir()) > 0);
    PZ_CHECK_EQ_U64(pz_disk_free_bytes(pz_test_path("none")), 0);
}

PZ_TEST(a_lock_has_one_holder)
{
    struct pz_error err;
    struct pz_file first;
    struct pz_file second;
    const char *path = pz_test_path("LOCK");
    PZ_REQUIRE_OK(pz_file_lock(path, &first, &err), &err);
    PZ_CHECK_STATUS(pz_file_lock(path, &second, &err), PZ_BUSY, &err);
    char pid[32];
    (void)snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
    PZ_CHECK_CONTAINS(err.message, pid);
    pz_file_discard(&first);
    PZ_REQUIRE_OK(pz_file_lock(path, &second, &err), &err);
    pz_file_discard(&second);
}

// The n-th step fails: the call fails with that error, and nothing else does.
PZ_TEST(faults_reach_the_callers)
{
    struct pz_error err;
    pz_test_arm_faults("file_write=enospc@2,file_sync=eio@2,dir_sync=eio,file_rename=eio@1");
    PZ_CHECK_OK(pz_file_write_all(pz_test_path("a"), "a", 1, &err), &err);
    PZ_CHECK_STATUS(pz_file_write_all(pz_test_path("b"), "b", 1, &err), PZ_FULL, &err);
    PZ_CHECK_STATUS(pz_file_write_all(pz_test_path("c"), "c", 1, &err), PZ_IO, &err);
    PZ_CHECK_OK(pz_file_write_all(pz_test_path("d"), "d", 1, &err), &err);
    PZ_CHECK_STATUS(pz_file_rename(pz_test_path("a"), pz_test_path("e"), true, &err), PZ_IO, &err);
    PZ_CHECK_OK(pz_file_rename(pz_test_path("a"), pz_test_path("e"), true, &err), &err);
    PZ_CHECK_STATUS(pz_dir_sync(pz_test_dir(), &err), PZ_IO, &err);
    PZ_CHECK_STATUS(pz_dir_sync(pz_test_dir(), &err), PZ_IO, &err);
    pz_test_arm_faults(NULL);
    PZ_CHECK_OK(pz_dir_sync(pz_test_dir(), &err), &err);
}
