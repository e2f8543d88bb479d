// SPDX-License-Identifier: MIT
// Text from the target (names, paths, symbols) is hostile. These functions make it harmless.
#pragma once

#include "base/buf.h"

// Escapes for a terminal or a log line: control bytes, C1 and bidi controls, characters that cannot
// be seen and bytes that are not UTF-8 appear as \xHH or \u{HHHH}; everything else stays as it is.
// One line remains one line.
void escape_text(struct buf *out, const char *text);

// Does the same as escape_text and returns a fresh string; the caller frees it.
char *escape_text_dup(const char *text);

// Decodes the character at `text`, which is not at its end, and says how many bytes it took. A byte
// that starts no well-formed sequence (overlong forms and surrogates included) gives ESCAPE_INVALID
// and 1.
#define ESCAPE_INVALID UINT32_MAX
uint32_t escape_decode(const void *text, unsigned *length);

// Counts the columns that escaped text takes on a terminal: one for each character.
int escape_columns(const char *text);

// Escapes what goes between the quotes of a JSON string; invalid UTF-8 becomes U+FFFD.
void escape_json(struct buf *out, const char *text);

// Escapes for a protobuf string, which has to be UTF-8: invalid bytes become U+FFFD, the rest is
// escaped as by escape_text.
void escape_utf8(struct buf *out, const char *text);

// Escapes one frame of collapsed stacks: as escape_text does, and ';' becomes ':'.
void escape_folded(struct buf *out, const char *text);
