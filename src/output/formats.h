// SPDX-License-Identifier: MIT
// This header is private to the writers; other code includes writer.h.
#pragma once

#include "base/buf.h"
#include "output/writer.h"

extern const char *const chrome_endings[];

enum rc pprof_write(const struct writing *writing, FILE *out, struct err *err) MUST_CHECK;
enum rc collapsed_write(const struct writing *writing, FILE *out, struct err *err) MUST_CHECK;
enum rc json_write(const struct writing *writing, FILE *out, struct err *err) MUST_CHECK;
enum rc text_write(const struct writing *writing, FILE *out, struct err *err) MUST_CHECK;
enum rc speedscope_write(const struct writing *writing, FILE *out, struct err *err) MUST_CHECK;
enum rc chrome_write(const struct writing *writing, FILE *out, struct err *err) MUST_CHECK;
enum rc trace_go_write(const struct timeline *timeline, FILE *out, struct err *err) MUST_CHECK;
enum rc trace_perf_write(const struct timeline *timeline, FILE *out, struct err *err) MUST_CHECK;
enum rc trace_chrome_write(const struct timeline *timeline, FILE *out, struct err *err) MUST_CHECK;
enum rc trace_firefox_write(const struct timeline *timeline, FILE *out, struct err *err) MUST_CHECK;

// Writes bytes to the stream and flushes it, so that err has the errno of a failure.
enum rc output_bytes(FILE *out, const void *bytes, size_t length, struct err *err) MUST_CHECK;

// For text that is made piece by piece: writes and empties the buffer if it is large enough.
enum rc output_some(FILE *out, struct buf *text, struct err *err) MUST_CHECK;
