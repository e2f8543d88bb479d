// SPDX-License-Identifier: MIT
// This header is private to the parsers; other code includes parser.h.
#pragma once

#include "output/parser.h"

bool pprof_recognizes(const char *bytes, size_t length);
enum rc pprof_parse(const char *bytes, size_t length, struct plain_profile **profile,
                    struct err *err) MUST_CHECK;
