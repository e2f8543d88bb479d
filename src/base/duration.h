// SPDX-License-Identifier: MIT
// Durations as people write them; int64_t nanoseconds inside.
#pragma once

#include <stdint.h>

#include "base/err.h"

// "30s", "1.5s", "500ms", "1h30m" (h m s ms us, each at most once, largest first); a bare number
// means seconds. RC_USAGE for what is no duration, zero, negative, or longer than a year; the
// message quotes the text.
enum rc duration_parse(const char *text, int64_t *ns, struct err *err) MUST_CHECK;
