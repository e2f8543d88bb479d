// SPDX-License-Identifier: MIT
// The file with the symbols that were split off a binary: by build id, by .gnu_debuglink, beside
// it. Nothing counts that is not proven to belong: equal build ids, or the checksum of the link.
#pragma once

#include <stdbool.h>

#include <elfutils/libdw.h>

#include "base/buf.h"
#include "symbol/reader/elf_file.h"

struct debug_finder {
    // A descriptor, else negative: as roots_open.
    int (*open)(void *context, const char *path);
    void *context;
    struct buf tried; // one line for each place: what was found there; raw bytes
};

// false: none was found. path: of the binary, as the target names it; raw bytes.
bool debug_file_find(struct debug_finder *finder, const struct elf_file *binary, const char *path,
                     struct elf_file *found);

// The file at `where`, if its build id is that of the binary.
bool debug_file_take(struct debug_finder *finder, const struct elf_file *binary, const char *where,
                     struct elf_file *found);

// *linked: dwz moved common parts to a file (.gnu_debugaltlink). True when that is found.
bool debug_file_find_common(struct debug_finder *finder, Dwarf *dwarf, const char *path,
                            struct elf_file *found, bool *linked);

// The package of the split units (.dwp); an id in each of them tells whether it belongs.
bool debug_file_find_package(struct debug_finder *finder, const struct elf_file *binary,
                             const char *path, struct elf_file *found);
