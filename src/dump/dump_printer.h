// SPDX-License-Identifier: MIT
// The functions that the files which print a dump as text share.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dump/dump_lines.h"
#include "dump/dump_print.h"

enum dump_role { ROLE_NONE, ROLE_THREAD, ROLE_FUNCTION, ROLE_FILE, ROLE_DIM, ROLE_BAD };

struct dump_printer {
    struct buf *out;
    const struct dump *dump;
    const struct dump_style *style;
    int name_width, module_width; // widths in columns; 0: not aligned
    struct dump_lines *lines;
};

void dump_printer_begin(const struct dump_printer *printer, enum dump_role role);
void dump_printer_end(const struct dump_printer *printer, enum dump_role role);

// Prints a name of the target between quotes.
void dump_printer_quoted(const struct dump_printer *printer, const char *raw);

// Prints "S read on fd 3, at least 5s  cpu 20ms" of the thread with that index, and its frames.
// others is the number of different things that the others of its group wait for.
void dump_printer_state(const struct dump_printer *printer, size_t index, size_t others,
                        int64_t blocked_ns);
void dump_printer_duration(const struct dump_printer *printer, int64_t ns); // prints "0s" for 0
void dump_printer_cpu(const struct dump_printer *printer, uint64_t cpu_ns);

// Prints one line of a frame, without its number. A frame has several lines where functions are
// inlined.
void dump_printer_line(const struct dump_printer *printer, const struct dump_frame *frame,
                       size_t line);
void dump_printer_frames(const struct dump_printer *printer, const struct dump_thread *thread);
void dump_printer_thread(const struct dump_printer *printer, size_t index);

// Prints the process, the numbers of the dump, and which threads wait for each other.
void dump_printer_head(const struct dump_printer *printer);

// Prints all threads that the style shows, equal stacks once.
void dump_printer_groups(const struct dump_printer *printer);
