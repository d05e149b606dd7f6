// SPDX-License-Identifier: Apache-2.0
// A file or the standard input as decompressed bytes; see import.h. Which compression it is shows
// in its first bytes, whatever its name.
#include "server/cli/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define READ_BYTES (1u << 20)
#define INFLATE_BYTES (1u << 20)

struct pz_import_input {
    FILE *stream;
    const char *path;
    uint64_t size, done;
    struct pz_inflate *inflate;
    bool is_started, is_over;
    char *packed; // as read; [packed_at, packed_len) is not decompressed yet
    size_t packed_at, packed_len;
    char *plain;
    // What was read but not given out: the rest of a line that was taken or passed over.
    const char *rest;
    size_t rest_len;
};

enum pz_status
pz_import_input_open(const char *path, struct pz_import_input **input_out, struct pz_error *err)
{
    *input_out = NULL;
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *stream = is_stdin ? stdin : fopen(path, "rbe");
    if (stream == NULL) {
        return pz_fail_sys(err, "cannot open %s", path);
    }
    struct stat about;
    if (fstat(fileno(stream), &about) == 0 && S_ISDIR(about.st_mode)) {
        (void)fclose(stream);
        return pz_fail(err, PZ_IO, "%s is a directory", path);
    }
    struct pz_import_input *input = pz_xcalloc(1, sizeof(*input));
    input->stream = stream;
    input->path = is_stdin ? "the standard input" : path;
    input->size = S_ISREG(about.st_mode) && about.st_size > 0 ? (uint64_t)about.st_size : 0;
    input->packed = pz_xmalloc(READ_BYTES);
    input->plain = pz_xmalloc(INFLATE_BYTES);
    *input_out = input;
    return PZ_OK;
}

void
pz_import_input_close(struct pz_import_input *input)
{
    if (input == NULL) {
        return;
    }
    if (input->inflate != NULL) {
        pz_inflate_destroy(input->inflate);
    }
    if (input->stream != stdin) {
        (void)fclose(input->stream);
    }
    free(input->packed);
    free(input->plain);
    free(input);
}

uint64_t
pz_import_input_done(const struct pz_import_input *input)
{
    return input->done;
}

uint64_t
pz_import_input_size(const struct pz_import_input *input)
{
    return input->size;
}

// More bytes of the file; packed_len 0 at its end.
static enum pz_status
read_file(struct pz_import_input *input, struct pz_error *err)
{
    if (pz_terminal_is_interrupted()) {
        return pz_fail(err, PZ_CANCELED, "interrupted");
    }
    input->packed_at = 0;
    input->packed_len = fread(input->packed, 1, READ_BYTES, input->stream);
    if (input->packed_len == 0 && ferror(input->stream) != 0) {
        if (pz_terminal_is_interrupted()) {
            return pz_fail(err, PZ_CANCELED, "interrupted");
        }
        return pz_fail_sys(err, "cannot read %s", input->path);
    }
    input->done += input->packed_len;
    if (!input->is_started) {
        input->is_started = true;
        enum pz_encoding encoding = pz_encoding_detect(input->packed, input->packed_len);
        if (encoding != PZ_ENCODING_PLAIN) {
            input->inflate = pz_inflate_create(encoding);
            if (input->inflate == NULL) {
                return pz_fail(err, PZ_NO_MEMORY, "no memory to decompress %s", input->path);
            }
        }
    }
    return PZ_OK;
}

// Decompresses until something comes out, or the file is over.
static enum pz_status
inflate_some(struct pz_import_input *input, const char **data_out, size_t *len_out,
             struct pz_error *err)
{
    *data_out = input->plain;
    for (;;) {
        size_t used;
        PZ_TRY(pz_inflate_step(input->inflate, input->packed + input->packed_at,
                               input->packed_len - input->packed_at, &used, input->plain,
                               INFLATE_BYTES, len_out, err));
        input->packed_at += used;
        if (*len_out > 0) {
            return PZ_OK;
        }
        if (input->packed_at == input->packed_len) {
            PZ_TRY(read_file(input, err));
            if (input->packed_len == 0) {
                return pz_inflate_finish(input->inflate, err);
            }
        }
    }
}

enum pz_status
pz_import_input_read(struct pz_import_input *input, const char **data_out, size_t *len_out,
                     struct pz_error *err)
{
    *data_out = input->rest;
    *len_out = input->rest_len;
    input->rest_len = 0;
    if (*len_out > 0 || input->is_over) {
        return PZ_OK;
    }
    if (!input->is_started || input->inflate == NULL) {
        PZ_TRY(read_file(input, err));
    }
    if (input->inflate != NULL) {
        PZ_TRY(inflate_some(input, data_out, len_out, err));
    } else {
        *data_out = input->packed;
        *len_out = input->packed_len;
    }
    input->is_over = *len_out == 0;
    return PZ_OK;
}

// The next line with its line feed, appended to `line` (which may be NULL).
static enum pz_status
take_line(struct pz_import_input *input, struct pz_buffer *line, struct pz_error *err)
{
    for (;;) {
        const char *data;
        size_t len;
        PZ_TRY(pz_import_input_read(input, &data, &len, err));
        const char *feed = len == 0 ? NULL : memchr(data, '\n', len);
        size_t taken = feed == NULL ? len : (size_t)(feed - data) + 1;
        if (line != NULL) {
            pz_buffer_append(line, data, taken);
            if (line->is_failed) {
                return pz_fail(err, PZ_TOO_LARGE, "a line of %s is too long", input->path);
            }
        }
        if (len == 0) {
            return PZ_OK;
        }
        if (feed != NULL) {
            input->rest = data + taken;
            input->rest_len = len - taken;
            return PZ_OK;
        }
    }
}

enum pz_status
pz_import_input_skip(struct pz_import_input *input, uint64_t lines, struct pz_error *err)
{
    for (uint64_t i = 0; i < lines && !input->is_over; i++) {
        PZ_TRY(take_line(input, NULL, err));
    }
    return PZ_OK;
}

static bool
is_blank(const struct pz_buffer *line)
{
    return strspn(line->data, "\xef\xbb\xbf \t\r\n") == line->len;
}

enum pz_status
pz_import_input_header(struct pz_import_input *input, struct pz_buffer *header, uint64_t *lines_out,
                       struct pz_error *err)
{
    *lines_out = 0;
    do {
        pz_buffer_clear(header);
        PZ_TRY(take_line(input, header, err));
        ++*lines_out;
    } while (header->len > 0 && is_blank(header));
    return PZ_OK;
}
