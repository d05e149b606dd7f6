// SPDX-License-Identifier: Apache-2.0
// Fills error objects, and ends the process on our own bugs.
//
// Every pz_fail* overwrites the whole object, so an error can be reused without clearing it.
#include "base/status.h"

#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct status_row {
    const char *name;
    int http;
};
static const struct status_row status_rows[] = {
#define X(name, http, help) {#name, http},
#include "base/status.def"
#undef X
};

static const struct status_row *
status_row(enum pz_status status)
{
    size_t idx = (size_t)status;
    PZ_ASSERT(idx < sizeof status_rows / sizeof status_rows[0]);
    return &status_rows[idx];
}

const char *
pz_status_name(enum pz_status status)
{
    return status_row(status)->name;
}

int
pz_status_http(enum pz_status status)
{
    return status_row(status)->http;
}

// Formats like vsnprintf, but a text that had to be cut ends at a whole UTF-8 sequence.
static void PZ_PRINTF(3, 0)
    format_cut(char *out, size_t capacity, const char *format, va_list arguments)
{
    int len = vsnprintf(out, capacity, format, arguments);
    if (len < 0) {
        out[0] = '\0';
    } else if ((size_t)len >= capacity) {
        struct pz_str whole = {out, (uint32_t)(capacity - 1)};
        // One byte less than there is: the cut then looks at the byte that follows.
        out[pz_str_cut_utf8(whole, (uint32_t)(capacity - 2)).len] = '\0';
    }
}

static void
error_reset(struct pz_error *err, enum pz_status status)
{
    err->status = status;
    err->sys_errno = 0;
    err->sql_offset = 0;
    err->sqlstate[0] = '\0';
    err->message[0] = '\0';
    err->hint[0] = '\0';
}

static void PZ_PRINTF(3, 0)
    error_fill(struct pz_error *err, enum pz_status status, const char *format, va_list arguments)
{
    // Formatted aside first: an argument may be the old message of this very object.
    char message[sizeof err->message];
    format_cut(message, sizeof message, format, arguments);
    error_reset(err, status);
    memcpy(err->message, message, sizeof message);
}

enum pz_status
pz_fail(struct pz_error *err, enum pz_status status, const char *format, ...)
{
    PZ_ASSERT(status != PZ_OK);
    if (err != NULL) {
        va_list arguments;
        va_start(arguments, format);
        error_fill(err, status, format, arguments);
        va_end(arguments);
    }
    return status;
}

static enum pz_status
status_of_errno(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
        return PZ_FULL;
    case ENOENT:
        return PZ_NOT_FOUND;
    case ENOMEM:
        return PZ_NO_MEMORY;
    default:
        return PZ_IO;
    }
}

enum pz_status
pz_fail_sys(struct pz_error *err, const char *format, ...)
{
    int number = errno;
    enum pz_status status = status_of_errno(number);
    if (err != NULL) {
        char what[300];
        char text[96];
        va_list arguments;
        va_start(arguments, format);
        format_cut(what, sizeof what, format, arguments);
        va_end(arguments);
        const char *reason = strerror_r(number, text, sizeof text);
        (void)pz_fail(err, status, "%s: %s", what, reason);
        err->sys_errno = number;
    }
    errno = number;
    return status;
}

enum pz_status
pz_fail_sql(struct pz_error *err, const char *sqlstate, uint32_t offset, const char *format, ...)
{
    PZ_ASSERT(strlen(sqlstate) == 5);
    bool is_unsupported = sqlstate[0] == '0' && sqlstate[1] == 'A';
    enum pz_status status = is_unsupported ? PZ_UNSUPPORTED : PZ_INVALID;
    if (err != NULL) {
        va_list arguments;
        va_start(arguments, format);
        error_fill(err, status, format, arguments);
        va_end(arguments);
        memcpy(err->sqlstate, sqlstate, 6);
        err->sql_offset = offset + 1;
    }
    return status;
}

void
pz_error_hint(struct pz_error *err, const char *format, ...)
{
    if (err != NULL) {
        va_list arguments;
        va_start(arguments, format);
        format_cut(err->hint, sizeof err->hint, format, arguments);
        va_end(arguments);
    }
}

void
pz_panic(const char *file, int line, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    format_cut(message, sizeof message, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "plaza: internal error at %s:%d: %s\n", file, line, message);
    abort();
}
