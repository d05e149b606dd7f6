// SPDX-License-Identifier: Apache-2.0
// Log lines: put together on the stack, escaped, written with one call so that lines of several
// threads do not mix.
#include "base/log.h"

#include "base/clock.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_BYTES_MAX = 1024, LINE_BYTES_MAX = 4096 };

static _Atomic int level_max = PZ_LOG_INFO;

void
pz_log_set_level(enum pz_log_level level)
{
    atomic_store_explicit(&level_max, (int)level, memory_order_relaxed);
}

struct line {
    char text[LINE_BYTES_MAX];
    size_t len;
};

// One byte is always left for the line end.
static void
line_add(struct line *line, const char *text, size_t len)
{
    size_t left = sizeof line->text - 1 - line->len;
    size_t taken = len < left ? len : left;
    memcpy(line->text + line->len, text, taken);
    line->len += taken;
}

static void
line_add_c(struct line *line, const char *text)
{
    line_add(line, text, strlen(text));
}

// Quotes, backslashes and control characters are escaped, and everything above ASCII when the
// text is not UTF-8: a log must not be able to move a terminal's cursor or forge a line.
static void
line_add_quoted(struct line *line, const char *text)
{
    size_t len = strlen(text);
    bool is_utf8 = pz_utf8_is_valid(text, len, NULL);
    line_add_c(line, "\"");
    for (size_t i = 0; i < len && line->len < sizeof line->text - 8; i++) {
        unsigned char byte = (unsigned char)text[i];
        // U+0080 to U+009F are control characters too: C2 80 to C2 9F.
        bool is_c1 = byte == 0xc2 && is_utf8 && (unsigned char)text[i + 1] < 0xa0;
        if (byte == '"' || byte == '\\') {
            line_add(line, (const char[]){'\\', (char)byte}, 2);
        } else if (byte == '\n') {
            line_add_c(line, "\\n");
        } else if (byte == '\t') {
            line_add_c(line, "\\t");
        } else if (byte < 0x20 || byte == 0x7f || is_c1 || (byte >= 0x80 && !is_utf8)) {
            char escaped[8];
            int escaped_len = snprintf(escaped, sizeof escaped, "\\x%02x",
                                       is_c1 ? (unsigned char)text[i + 1] : byte);
            line_add(line, escaped, (size_t)escaped_len);
            i += is_c1;
        } else {
            line_add(line, text + i, 1);
        }
    }
    line_add_c(line, "\"");
}

static void
line_begin(struct line *line, enum pz_log_level level, const char *message)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    char timestamp[PZ_TIMESTAMP_TEXT_LEN];
    int64_t now_us = pz_clock_wall_us();
    // A clock set to before year 1 or after 9999 must not stop the log.
    if (now_us < PZ_TIMESTAMP_MIN || now_us > PZ_TIMESTAMP_MAX) {
        now_us = 0;
    }
    line->len = 0;
    line_add_c(line, "ts=");
    line_add(line, timestamp, pz_format_timestamp(now_us, timestamp));
    line_add_c(line, " lvl=");
    line_add_c(line, names[level]);
    line_add_c(line, " msg=");
    line_add_quoted(line, message);
}

static void
line_end(struct line *line)
{
    line->text[line->len++] = '\n';
    // Nowhere to report a failing log to.
    ssize_t written = write(STDERR_FILENO, line->text, line->len);
    (void)written;
}

void
pz_log(enum pz_log_level level, const char *format, ...)
{
    if ((int)level > atomic_load_explicit(&level_max, memory_order_relaxed)) {
        return;
    }
    char message[MESSAGE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    struct line line;
    line_begin(&line, level, message);
    line_end(&line);
}

void
pz_log_error(const struct pz_error *err, const char *format, ...)
{
    char message[MESSAGE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    struct line line;
    line_begin(&line, PZ_LOG_ERROR, message);
    if (err != NULL) {
        line_add_c(&line, " status=");
        line_add_c(&line, pz_status_name(err->status));
        line_add_c(&line, " reason=");
        line_add_quoted(&line, err->message);
        if (err->hint[0] != '\0') {
            line_add_c(&line, " hint=");
            line_add_quoted(&line, err->hint);
        }
    }
    line_end(&line);
}
