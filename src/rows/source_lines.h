// SPDX-License-Identifier: MIT
// What the source lines of functions have, as `go tool pprof -list` counts: `flat` where the line
// is the leaf's, `cum` where it is anywhere in the stack, once however often. Inlined functions
// count like any other.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/pattern.h"
#include "base/strtab.h"
#include "profile/plain.h"

struct source_line {
    int64_t line; // 0 and below: none is known
    int64_t flat, cum;
};

struct source_routine { // what one function has in one file
    const char *function; // raw bytes, escape before printing
    const char *file;     // without "." and "..", raw; "": none is known
    int64_t flat, cum;    // of all its lines together: a stack counts once for each of them
    int64_t from, to;     // lines to show: the function's first one, or some before the first with
                          // cost, and some behind the last one
    size_t first, count;  // of its lines
};

struct source_lines {
    struct source_routine *routines; // by function, then file
    size_t routine_count;
    struct source_line *lines; // of each routine in turn, ascending: those that have a cost
    size_t line_count;
    struct strtab texts;
};

// Finds the functions whose names match, and what they have of the value with that number.
void source_lines_init(struct source_lines *lines, const struct plain_profile *profile,
                       size_t value, const struct pattern *pattern);
void source_lines_fini(struct source_lines *lines);
