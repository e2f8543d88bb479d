// SPDX-License-Identifier: MIT
// Turns (mapping, file offset) into names, lines and inlined calls. Places are looked up late (only
// what is shown or written) and remembered. A process without privileges may do the reading.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/module.h"

struct symbol_line {
    const char *name;        // demangled; raw bytes of the target: escape before printing
    const char *system_name; // as in the symbol table; equals name if nothing was demangled
    const char *file;        // "" when not known
    uint32_t line, column;   // 0 when not known
};

struct symbol {
    bool found;      // the last line has the function's name; otherwise:
    bool placed;     // true: the name is the start address at link time,
                     // "libc.so.6+0x65100"; false: the module, "[libc.so.6]"
    uint64_t offset; // of the address inside the function, when found or placed
    const struct symbol_line *lines; // innermost inlined function first, the physical one last
    size_t line_count;        // at least 1
};

struct symbolizer;

// The modules must outlive the symbolizer.
struct symbolizer *symbolizer_new(struct modules *modules);
void symbolizer_free(struct symbolizer *symbolizer);

// Makes a process of its own read the files. It must be called before anything is looked up.
void symbolizer_isolate(struct symbolizer *symbolizer);

// Makes debug files be looked for below the root of this process too, even after it has ended.
void symbolizer_add_root(struct symbolizer *symbolizer, pid_t pid);

// Says that a symbol will be needed. Fetching many at once costs far less than one by one. While
// symbolizer_fetch runs, another thread may add to the table of modules, because only the modules
// of what is wanted are used.
void symbolizer_want(struct symbolizer *symbolizer, uint32_t mapping, uint64_t offset);
void symbolizer_fetch(struct symbolizer *symbolizer);

// Makes a fetch that is going on end soon. Places that it has not named stay without a name, and
// nothing is fetched any more. Any thread may call it.
void symbolizer_cancel(struct symbolizer *symbolizer);

// Says that from now on somebody waits for the names (worker_hurry). Any thread may call it.
void symbolizer_hurry(struct symbolizer *symbolizer);

// Sets the moment (CLOCK_MONOTONIC ns) after which no names are waited for: places that are not
// named by then stay without a name, and symbolizer_late counts them. 0: there is no such moment.
// Any thread may call it.
void symbolizer_set_deadline(struct symbolizer *symbolizer, int64_t moment);
uint64_t symbolizer_late(const struct symbolizer *symbolizer);

// Returns the offset in a MODULE_KERNEL module that stands for a place in a kernel function.
uint64_t symbolizer_kernel_place(struct symbolizer *symbolizer, const char *function,
                                 uint64_t inside);

// Never fails; fetches what is still wanted. The symbol lives as long as the symbolizer.
const struct symbol *symbolizer_lookup(struct symbolizer *symbolizer, uint32_t mapping,
                                       uint64_t offset);

// Asks debuginfod servers for the debug files of modules that were looked up and have no lines, and
// looks their places up again. It takes at most that long. Symbols that were returned before stay
// as they are.
void symbolizer_download(struct symbolizer *symbolizer, int milliseconds);

struct symbol_source { // where the names of a module came from
    bool has_lines;      // DWARF was found
    const char *tried;   // where debug information was looked for, one line each; raw bytes
    const char *problem; // what went wrong when its files were read, or NULL
};

struct symbol_source symbolizer_source(struct symbolizer *symbolizer, const struct module *module);
