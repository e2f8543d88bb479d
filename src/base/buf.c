// SPDX-License-Identifier: MIT
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

void buf_fini(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf)
{
    buf->length = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

char *buf_reserve(struct buf *buf, size_t length)
{
    ARRAY_RESERVE(buf->data, buf->length + length, buf->capacity);
    return buf->data + buf->length;
}

void buf_append(struct buf *buf, const void *bytes, size_t length)
{
    char *to = buf_reserve(buf, length);
    memcpy(to, bytes, length);
    to[length] = '\0';
    buf->length += length;
}

void buf_puts(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char byte)
{
    buf_append(buf, &byte, 1);
}

void buf_put_utf8(struct buf *buf, uint32_t code)
{
    static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    unsigned length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    buf_putc(buf, (char)(lead[length] | code >> (6 * (length - 1))));
    while (--length)
        buf_putc(buf, (char)(0x80 | (code >> (6 * (length - 1)) & 0x3f)));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    size_t room = buf->capacity - buf->length;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(room ? buf->data + buf->length : NULL, room, format, args);
    va_end(args);
    if (length > 0 && (size_t)length >= room) // the text did not fit
        vsnprintf(buf_reserve(buf, (size_t)length), (size_t)length + 1, format, again);
    if (length > 0)
        buf->length += (size_t)length;
    va_end(again);
}

enum rc buf_read_fd(struct buf *buf, int fd, size_t limit)
{
    buf_clear(buf);
    for (;;) {
        char *to = buf_reserve(buf, 16384);
        ssize_t got = read(fd, to, 16384);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == ESRCH ? RC_GONE : RC_IO;
        buf->length += (size_t)got;
        buf->data[buf->length] = '\0';
        if (got == 0)
            return RC_OK;
        if (buf->length > limit)
            return RC_LIMIT;
    }
}
