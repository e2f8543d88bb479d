// SPDX-License-Identifier: MIT
// Finds the file with the symbols that were split off a binary: by build id, by .gnu_debuglink, or
// beside it. An equal build id or the checksum of the link has to prove that it belongs.
#pragma once

#include <stdbool.h>

#include <elfutils/libdw.h>

#include "base/buf.h"
#include "symbol/reader/elf_file.h"

struct debug_finder {
    // Returns a descriptor or a negative value, as roots_open does.
    int (*open)(void *context, const char *path);
    void *context;
    struct buf tried; // one line for each place: what was found there; raw bytes
};

// Returns false when none was found. `path` is the binary's path in the target's view, raw bytes.
bool debug_file_find(struct debug_finder *finder, const struct elf_file *binary, const char *path,
                     struct elf_file *found);

// Takes the file at `where` if its build id is that of the binary.
bool debug_file_take(struct debug_finder *finder, const struct elf_file *binary, const char *where,
                     struct elf_file *found);

// Finds the file to which dwz moved common parts. *linked says whether there is such a file
// (.gnu_debugaltlink).
bool debug_file_find_common(struct debug_finder *finder, Dwarf *dwarf, const char *path,
                            struct elf_file *found, bool *linked);

// Finds the package of the split units (.dwp). An id in each unit proves that it belongs.
bool debug_file_find_package(struct debug_finder *finder, const struct elf_file *binary,
                             const char *path, struct elf_file *found);
