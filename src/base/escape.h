// SPDX-License-Identifier: MIT
// Text that comes from the target (names, paths, symbols) is hostile: these make it inert.
#pragma once

#include "base/buf.h"

// For a terminal or a log line: control bytes, C1 and bidi controls, characters that cannot be seen
// and bytes that are not UTF-8 appear as \xHH or \u{HHHH}; everything else as it is. One line in,
// one line out.
void escape_text(struct buf *out, const char *text);

// The same as a fresh string; the caller frees it.
char *escape_text_dup(const char *text);

// Columns that such text takes on a terminal, as far as counting its characters tells.
int escape_columns(const char *text);

// Between the quotes of a JSON string; invalid UTF-8 becomes U+FFFD.
void escape_json(struct buf *out, const char *text);

// For a protobuf string: valid UTF-8 (invalid bytes become U+FFFD), the rest as escape_text.
void escape_utf8(struct buf *out, const char *text);

// One frame of collapsed stacks: as escape_text, and ';' becomes ':'.
void escape_folded(struct buf *out, const char *text);
