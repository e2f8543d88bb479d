// SPDX-License-Identifier: MIT
// Lines of frames that have been printed. Threads of a pool stand in the same functions, so most
// lines are copies of one before.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/map.h"
#include "dump/dump.h"

struct printed_line;

struct dump_lines { // starts as {0}
    struct map by_place; // -> index
    struct printed_line *all;
    size_t count, capacity;
};

void dump_lines_fini(struct dump_lines *lines);

// Appends that line of the frame (of the functions inlined there) once more; false when it has not
// been printed. All frames with the same pc, symbol and module print the same.
bool dump_lines_repeat(const struct dump_lines *lines, struct buf *out,
                       const struct dump_frame *frame, size_t line);

// It was printed, from `at` to the end of `out`.
void dump_lines_note(struct dump_lines *lines, const struct buf *out,
                     const struct dump_frame *frame, size_t line, size_t at);
