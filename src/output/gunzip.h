// SPDX-License-Identifier: MIT
// Decompresses a single gzip member.
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

// Says whether the bytes begin with the magic number of gzip.
bool gunzip_is_packed(const void *bytes, size_t length);

// Appends the decompressed bytes. Fails with RC_FORMAT if the member is damaged, truncated or
// followed by other bytes; with RC_LIMIT if the result is longer than `limit`, or longer than a
// profile is that compresses to so few bytes. A result that is refused takes no memory.
enum rc gunzip(const void *bytes, size_t length, size_t limit, struct buf *out,
               struct err *err) MUST_CHECK;
