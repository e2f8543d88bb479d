// SPDX-License-Identifier: MIT
// What libdw reads of a file. That is the file as it is, unless sections of it are packed: then one
// with those sections that are used here, unpacked by us.
#pragma once

#include <stddef.h>

#include "symbol/reader/elf_file.h"

#define DEBUG_SECTIONS_MAX 16

struct debug_sections { // zeroed before use
    Elf *assembly; // NULL: the file as it is
    unsigned char *unpacked[DEBUG_SECTIONS_MAX];
    size_t count;
};

// Lives as long as both, and ends with the latter.
Elf *debug_sections_begin(const struct elf_file *file, struct debug_sections *sections);
void debug_sections_end(struct debug_sections *sections);
