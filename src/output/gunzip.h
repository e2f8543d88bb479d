// SPDX-License-Identifier: MIT
// One gzip member, and nothing behind it -> bytes.
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

// Whether the bytes begin as gzip does.
bool gunzip_is_packed(const void *bytes, size_t length);

// Appends what was compressed. RC_FORMAT when it is damaged, cut short or followed by something,
// RC_LIMIT when it is longer than `limit`.
enum rc gunzip(const void *bytes, size_t length, size_t limit, struct buf *out,
               struct err *err) MUST_CHECK;
