// SPDX-License-Identifier: MIT
// Durations as people write and read them; int64_t nanoseconds inside.
#pragma once

#include <stdint.h>

#include "base/err.h"

#define DURATION_TEXT 24 // bytes that duration_format needs

// "30s", "1.5s", "500ms", "1h30m" (h m s ms us, each at most once, largest first); a bare number
// means seconds. RC_USAGE for what is no duration, zero, negative, or longer than a year; the
// message quotes the text.
enum rc duration_parse(const char *text, int64_t *ns, struct err *err) MUST_CHECK;

// "38us", "1.9ms", "12.4s", "1h30m": two or three figures that tell most. Returns `text`.
const char *duration_format(int64_t ns, char text[DURATION_TEXT]);
