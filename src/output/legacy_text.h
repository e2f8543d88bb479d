// SPDX-License-Identifier: MIT
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "profile/plain.h"

// Writes a profile that Go calls `name` ("goroutine", "mutex") as the text that its programs show
// people (?debug=1), and that pprof and our own parsers read back with the same sums: of a heap, of
// contentions, or of what else is counted. What has no such text, as CPU time, is written as a
// count of its first value. Labels are left out, and values below 0 cannot be read back. Fails with
// RC_IO.
enum rc legacy_text_write(const struct plain_profile *profile, const char *name, FILE *out,
                          struct err *err) MUST_CHECK;
