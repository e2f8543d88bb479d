// SPDX-License-Identifier: MIT
// The file that libdw reads: the file itself, or, if some of its sections are compressed, a copy
// with the sections that are used here, which we uncompressed.
#pragma once

#include <stddef.h>

#include "symbol/reader/elf_file.h"

#define DEBUG_SECTIONS_MAX 16

struct debug_sections { // zeroed before use
    Elf *assembly; // NULL: the file itself is read
    unsigned char *unpacked[DEBUG_SECTIONS_MAX];
    size_t count;
};

// Returns an ELF handle that lives as long as both arguments.
Elf *debug_sections_begin(const struct elf_file *file, struct debug_sections *sections);
void debug_sections_end(struct debug_sections *sections);
