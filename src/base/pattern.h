// SPDX-License-Identifier: MIT
// Regular expressions as people write them for pprof, whose syntax is RE2's, on top of POSIX
// extended ones. Translated are (?i) at the start, (?:x), (?P<name>x), \d \D \w \W \s \S, escapes
// in brackets and of control bytes, \Q..\E, \A, \z, and what is not greedy, which matters to no
// match. Refused are other groups of (?, \p and \C.
#pragma once

#include <regex.h>
#include <stdbool.h>

#include "base/err.h"

struct pattern {
    regex_t compiled;
    bool given; // else there is nothing to free, and nothing matches
};

// Fails with RC_USAGE and an escaped message that quotes the expression. text: NULL is none.
enum rc pattern_init(struct pattern *pattern, const char *text, struct err *err) MUST_CHECK;
void pattern_fini(struct pattern *pattern);

// Says whether the expression matches anywhere in the text.
bool pattern_matches(const struct pattern *pattern, const char *text);
