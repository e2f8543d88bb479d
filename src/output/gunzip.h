// SPDX-License-Identifier: MIT
// Decompresses a single gzip member.
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

// Says whether the bytes begin with the magic number of gzip.
bool gunzip_is_packed(const void *bytes, size_t length);

// Returns how many bytes a file of that length may take, unpacked and parsed: 48 MiB if it is
// small.
size_t gunzip_room(size_t length);

// Appends the decompressed bytes. Fails with RC_FORMAT if the member is damaged, truncated or
// followed by other bytes; with RC_LIMIT if the result is longer than `limit`, or longer than a
// profile is that compresses to so few bytes. A result that is refused takes no memory.
enum rc gunzip(const void *bytes, size_t length, size_t limit, struct buf *out,
               struct err *err) MUST_CHECK;
