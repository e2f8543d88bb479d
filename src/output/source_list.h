// SPDX-License-Identifier: MIT
// Source lines with what they have, as `go tool pprof -list` prints them. What it has no word for
// stands in lines that begin with " (".
#pragma once

#include <stdio.h>

#include "output/source_file.h"
#include "rows/source_lines.h"

struct source_list { // borrowed
    const struct source_lines *lines;
    const struct source_places *places;
    int64_t total; // what 100 % is
    int64_t time;  // of the profile, ns since 1970 UTC; 0: not known
    const char *unit; // of the values
};

void source_list_write(const struct source_list *list, FILE *out);
