// SPDX-License-Identifier: Apache-2.0
// The one error scheme: a status for the program, and an error object for a person.
#ifndef PZ_BASE_STATUS_H
#define PZ_BASE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#define PZ_MUST_USE __attribute__((warn_unused_result))
#define PZ_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#define PZ_NORETURN __attribute__((noreturn))

enum pz_status {
#define X(name, http, help) PZ_##name,
#include "base/status.def"
#undef X
};

// What went wrong, for a person. Lives in the caller's frame; never allocates.
// Every function that takes one accepts NULL.
struct pz_error {
    enum pz_status status;
    int sys_errno;       // errno at the time, 0 if no system call was involved
    uint32_t sql_offset; // byte in the SQL text the message points at, plus 1; 0 = none
    char sqlstate[6];    // SQLSTATE for SQL errors, "" elsewhere
    char message[400];   // what was tried, on which object, what was found instead
    char hint[200];      // one sentence on what to do next, or ""
};

// Fills *err (when not NULL) and returns `status`, so that a failure is one line:
//     return pz_fail(err, PZ_CORRUPT, "segment %s: magic is %08x", path, magic);
enum pz_status pz_fail(struct pz_error *err, enum pz_status status, const char *format, ...)
    PZ_PRINTF(3, 4);

// The same for a failed system call: appends errno's text; PZ_FULL for ENOSPC and EDQUOT,
// PZ_NOT_FOUND for ENOENT, else PZ_IO.
enum pz_status pz_fail_sys(struct pz_error *err, const char *format, ...) PZ_PRINTF(2, 3);

// The same for SQL: `offset` is the byte of the statement the message points at;
// `sqlstate` is five characters. Status is INVALID, or UNSUPPORTED for class 0A.
enum pz_status pz_fail_sql(struct pz_error *err, const char *sqlstate, uint32_t offset,
                           const char *format, ...) PZ_PRINTF(4, 5);

// Adds or replaces the hint of a failure already recorded. NULL err is ignored.
void pz_error_hint(struct pz_error *err, const char *format, ...) PZ_PRINTF(2, 3);

const char *pz_status_name(enum pz_status status); // "NOT_FOUND"
int pz_status_http(enum pz_status status);         // 404

// Passes a failure on where nothing is owned yet.
#define PZ_TRY(call)                           \
    do {                                       \
        enum pz_status pz_try_status = (call); \
        if (pz_try_status != PZ_OK) {          \
            return pz_try_status;              \
        }                                      \
    } while (0)

// Our own bugs stop the process with expression and place, in release builds as well.
// Never for bytes from a disk, a socket, a user, a clock or an allocator.
PZ_NORETURN void pz_panic(const char *file, int line, const char *format, ...) PZ_PRINTF(3, 4);
#define PZ_ASSERT(expression)                                                  \
    do {                                                                       \
        if (__builtin_expect(!(expression), 0)) {                              \
            pz_panic(__FILE__, __LINE__, "assertion failed: %s", #expression); \
        }                                                                      \
    } while (0)
#define PZ_UNREACHABLE(why) pz_panic(__FILE__, __LINE__, "unreachable: %s", why)
#ifdef NDEBUG
#define PZ_ASSERT_SLOW(expression) ((void)0)
#else
#define PZ_ASSERT_SLOW(expression) PZ_ASSERT(expression)
#endif

#endif
