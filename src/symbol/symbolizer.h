// SPDX-License-Identifier: MIT
// (mapping, file offset) -> names. Late (only what is shown or written) and memoised.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target/module.h"

struct symbol_line {
    const char *name;        // to show: demangled; raw bytes of the target, escape before printing
    const char *system_name; // as in the symbol table; equals name when nothing was demangled
    const char *file;        // "" when not known
    uint32_t line;           // 0 when not known
};

struct symbol {
    bool found;               // false: lines[0].name is the module in brackets, "[libc.so.6]"
    uint64_t offset;          // of the address inside the function, when found
    const struct symbol_line *lines; // innermost inlined function first, the physical one last
    size_t line_count;        // at least 1
};

struct symbolizer;

// The modules must outlive the symbolizer.
struct symbolizer *symbolizer_new(struct modules *modules);
void symbolizer_free(struct symbolizer *symbolizer);

// Never fails; what it returns lives as long as the symbolizer.
const struct symbol *symbolizer_lookup(struct symbolizer *symbolizer, uint32_t mapping,
                                       uint64_t offset);
