// SPDX-License-Identifier: MIT
// (mapping, file offset) -> names, lines, inlined calls. Late (only what is shown or written) and
// memoised. The files are read by a process without privileges, if symbolizer_isolate was called.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/module.h"

struct symbol_line {
    const char *name;        // to show: demangled; raw bytes of the target, escape before printing
    const char *system_name; // as in the symbol table; equals name when nothing was demangled
    const char *file;        // "" when not known
    uint32_t line, column;   // 0 when not known
};

struct symbol {
    bool found;      // the last line has the function's name; else:
    bool placed;     // ... it is called by where it begins at link time, "libc.so.6+0x65100";
                     // false: it is the module in brackets, "[libc.so.6]"
    uint64_t offset; // of the address inside the function, when found or placed
    const struct symbol_line *lines; // innermost inlined function first, the physical one last
    size_t line_count;        // at least 1
};

struct symbolizer;

// The modules must outlive the symbolizer.
struct symbolizer *symbolizer_new(struct modules *modules);
void symbolizer_free(struct symbolizer *symbolizer);

// From now on files are read in a process of their own. Before anything is looked up.
void symbolizer_isolate(struct symbolizer *symbolizer);

// Debug files are looked for below the root directory of this process too, also after its end.
void symbolizer_add_root(struct symbolizer *symbolizer, pid_t pid);

// Many at once cost far less than one by one: say what is wanted, then fetch it. Only the modules
// of what is wanted are looked at while it is fetched, not their table: others may add to it.
void symbolizer_want(struct symbolizer *symbolizer, uint32_t mapping, uint64_t offset);
void symbolizer_fetch(struct symbolizer *symbolizer);

// A fetch that is going on ends soon; what it has not brought has no name, and nothing is fetched
// any more. From any thread.
void symbolizer_cancel(struct symbolizer *symbolizer);

// From now on somebody waits for them. From any thread.
void symbolizer_hurry(struct symbolizer *symbolizer);

// Names that are not there by then (CLOCK_MONOTONIC ns) are not waited for: their places count as
// without a name, and symbolizer_late says how many those are. 0: no such moment. From any thread.
void symbolizer_set_deadline(struct symbolizer *symbolizer, int64_t moment);
uint64_t symbolizer_late(const struct symbolizer *symbolizer);

// The offset in a MODULE_KERNEL module that stands for a place in a function of the kernel.
uint64_t symbolizer_kernel_place(struct symbolizer *symbolizer, const char *function,
                                 uint64_t inside);

// Never fails; what it returns lives as long as the symbolizer. Fetches what is still wanted.
const struct symbol *symbolizer_lookup(struct symbolizer *symbolizer, uint32_t mapping,
                                       uint64_t offset);

// Asks debuginfod servers for the debug files of modules that were looked up and have no lines, and
// names anew what is found. Takes at most that long; what was handed out before stays as it is.
void symbolizer_download(struct symbolizer *symbolizer, int milliseconds);

struct symbol_source { // where the names of a module came from
    bool has_lines;      // DWARF was found
    const char *tried;   // where debug information was looked for, a line each; raw bytes
    const char *problem; // what went wrong while its files were read, NULL: nothing
};

struct symbol_source symbolizer_source(struct symbolizer *symbolizer, const struct module *module);
