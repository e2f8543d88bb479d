// SPDX-License-Identifier: MIT
// What the writers share among themselves; everybody else sees writer.h.
#pragma once

#include "base/buf.h"
#include "output/writer.h"

enum rc pprof_write(const struct writing *writing, FILE *out, struct err *err) MUST_CHECK;
enum rc collapsed_write(const struct writing *writing, FILE *out, struct err *err) MUST_CHECK;
enum rc json_write(const struct writing *writing, FILE *out, struct err *err) MUST_CHECK;
enum rc text_write(const struct writing *writing, FILE *out, struct err *err) MUST_CHECK;

// Hands bytes to the stream and flushes it, so that a failure still has its errno.
enum rc output_bytes(FILE *out, const void *bytes, size_t length, struct err *err) MUST_CHECK;

// The same for text that is made piece by piece: empties the buffer once it is worth a write.
enum rc output_some(FILE *out, struct buf *text, struct err *err) MUST_CHECK;
