// SPDX-License-Identifier: Apache-2.0
// The growable byte string of base/arena.h. Capacity doubles, one byte is kept for the NUL.
#include "base/arena.h"
#include "base/num.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAPACITY_MIN = 64 };

void
pz_buffer_fini(struct pz_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct pz_buffer){.limit_bytes = buffer->limit_bytes};
}

void
pz_buffer_clear(struct pz_buffer *buffer)
{
    buffer->len = 0;
    buffer->is_failed = false;
    if (buffer->data != NULL) {
        buffer->data[0] = '\0';
    }
}

bool
pz_buffer_reserve(struct pz_buffer *buffer, size_t more)
{
    size_t len;
    size_t wanted;
    if (!pz_add_size(buffer->len, more, &len) || !pz_add_size(len, 1, &wanted) ||
        (buffer->limit_bytes != 0 && len > buffer->limit_bytes)) {
        buffer->is_failed = true;
        return false;
    }
    if (wanted <= buffer->capacity) {
        return true;
    }
    size_t capacity;
    if (!pz_mul_size(buffer->capacity, 2, &capacity) || capacity < wanted) {
        capacity = wanted;
    }
    if (capacity < CAPACITY_MIN) {
        capacity = CAPACITY_MIN;
    }
    char *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        buffer->is_failed = true;
        return false;
    }
    data[buffer->len] = '\0';
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void
pz_buffer_append(struct pz_buffer *buffer, const void *data, size_t len)
{
    if (pz_buffer_reserve(buffer, len)) {
        if (len > 0) {
            memcpy(buffer->data + buffer->len, data, len);
        }
        buffer->len += len;
        buffer->data[buffer->len] = '\0';
    }
}

void
pz_buffer_append_str(struct pz_buffer *buffer, struct pz_str s)
{
    pz_buffer_append(buffer, s.data, s.len);
}

void
pz_buffer_append_c(struct pz_buffer *buffer, const char *text)
{
    pz_buffer_append(buffer, text, strlen(text));
}

void
pz_buffer_append_char(struct pz_buffer *buffer, char c)
{
    pz_buffer_append(buffer, &c, 1);
}

void
pz_buffer_printf(struct pz_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (len < 0) {
        buffer->is_failed = true;
        return;
    }
    if (pz_buffer_reserve(buffer, (size_t)len)) {
        va_start(arguments, format);
        (void)vsnprintf(buffer->data + buffer->len, (size_t)len + 1, format, arguments);
        va_end(arguments);
        buffer->len += (size_t)len;
    }
}

void
pz_buffer_append_json_string(struct pz_buffer *buffer, struct pz_str text)
{
    static const char hex[] = "0123456789abcdef";
    pz_buffer_append_char(buffer, '"');
    uint32_t begin = 0; // of what needs no escape
    for (uint32_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        pz_buffer_append(buffer, text.data + begin, i - begin);
        begin = i + 1;
        switch (c) {
        case '"':
        case '\\':
            pz_buffer_append(buffer, (char[]){'\\', (char)c}, 2);
            break;
        case '\n':
            pz_buffer_append(buffer, "\\n", 2);
            break;
        case '\r':
            pz_buffer_append(buffer, "\\r", 2);
            break;
        case '\t':
            pz_buffer_append(buffer, "\\t", 2);
            break;
        default:
            pz_buffer_append(buffer, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
            break;
        }
    }
    if (begin < text.len) {
        pz_buffer_append(buffer, text.data + begin, text.len - begin);
    }
    pz_buffer_append_char(buffer, '"');
}
