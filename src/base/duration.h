// SPDX-License-Identifier: MIT
// Durations as people write and read them. Inside, a duration is an int64_t of nanoseconds.
#pragma once

#include <stdint.h>

#include "base/err.h"

#define DURATION_TEXT 24 // bytes that duration_format needs

// Parses "30s", "1.5s", "500ms", "1h30m" (h m s ms us, each at most once, largest first); a bare
// number means seconds. Returns RC_USAGE for a text that is no duration, and for one that is zero,
// negative, or longer than a year; the message quotes the text.
enum rc duration_parse(const char *text, int64_t *ns, struct err *err) MUST_CHECK;

// Writes "38us", "1.9ms", "12.4s" or "1h30m", rounded to two or three digits. Returns `text`.
const char *duration_format(int64_t ns, char text[DURATION_TEXT]);
