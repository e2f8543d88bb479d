// SPDX-License-Identifier: MIT
// Lines of frames that have been printed. Threads of a pool are in the same functions, so most
// lines are copies of an earlier one.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/map.h"
#include "dump/dump.h"

struct printed_line;

struct dump_lines { // zeroed: empty
    struct map by_place; // -> index
    struct printed_line *all;
    size_t count, capacity;
};

void dump_lines_fini(struct dump_lines *lines);

// Prints that line of the frame (one for each function inlined there) again. Returns false when it
// has not been printed yet. All frames with the same pc, symbol and module print the same.
bool dump_lines_repeat(const struct dump_lines *lines, struct buf *out,
                       const struct dump_frame *frame, size_t line);

// Notes that the line was printed, from `at` to the end of `out`.
void dump_lines_note(struct dump_lines *lines, const struct buf *out,
                     const struct dump_frame *frame, size_t line, size_t at);
