// SPDX-License-Identifier: MIT
// Compresses bytes to one gzip member on a stream. It has no time stamp, so the same input always
// gives the same output.
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
void gzip_fini(struct gzip *gzip); // a member without `last` stays truncated

// `last` ends the member and flushes the stream. Fails with RC_IO if the stream does.
enum rc gzip_write(struct gzip *gzip, const void *bytes, size_t length, bool last,
                   struct err *err) MUST_CHECK;

// Returns a stream that compresses to `out`. Its fclose ends the member and leaves `out` open. NULL
// with errno on failure.
FILE *gzip_stream(FILE *out);
