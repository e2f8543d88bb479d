// SPDX-License-Identifier: MIT
// Bytes -> one gzip member on a stream. Always the same bytes for the same input (no time stamp).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <zlib.h>

#include "base/err.h"

struct gzip {
    z_stream stream;
    FILE *out; // borrowed
};

enum rc gzip_init(struct gzip *gzip, FILE *out, struct err *err) MUST_CHECK;
void gzip_fini(struct gzip *gzip); // frees; what `last` has not finished stays cut short

// `last` ends the member and flushes the stream. RC_IO when the stream fails.
enum rc gzip_write(struct gzip *gzip, const void *bytes, size_t length, bool last,
                   struct err *err) MUST_CHECK;

// A stream that writes what it is given to `out`, compressed; fclose of it ends the member and
// leaves `out` open. NULL with errno.
FILE *gzip_stream(FILE *out);
