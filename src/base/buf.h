// SPDX-License-Identifier: MIT
// A growable byte buffer, always NUL-terminated behind `length`, so that text is a C string.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
    char *data;
    size_t length; // bytes, without the NUL
    size_t capacity;
};

#define AUTO_BUF __attribute__((cleanup(buf_fini)))

void buf_fini(struct buf *buf);
void buf_clear(struct buf *buf);
void buf_append(struct buf *buf, const void *bytes, size_t length);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char byte);
void buf_put_utf8(struct buf *buf, uint32_t code);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

// Makes room for `length` more bytes and returns where they begin; the caller adds to buf->length.
char *buf_reserve(struct buf *buf, size_t length);

// Replaces the contents with everything that fd gives until its end, at most `limit` bytes. Returns
// RC_GONE when the kernel says that the process behind a /proc file has ended, RC_LIMIT when there
// is more than `limit`, else RC_IO with errno kept.
enum rc buf_read_fd(struct buf *buf, int fd, size_t limit) MUST_CHECK;
