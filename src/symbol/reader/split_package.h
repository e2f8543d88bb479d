// SPDX-License-Identifier: MIT
// A DWARF package (.dwp): the split units of a program in one file. Its index (.debug_cu_index in
// GNU's or DWARF 5's format) says where the pieces of each unit lie. Every value in it is checked.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "symbol/reader/elf_file.h"

enum split_part { // the sections of which a unit has pieces
    SPLIT_INFO,
    SPLIT_ABBREV,
    SPLIT_LINE,
    SPLIT_STR_OFFSETS,
    SPLIT_RNGLISTS,
    SPLIT_STR, // the whole section: the units share it
    SPLIT_PARTS,
};

struct section_piece {
    const unsigned char *bytes; // NULL: there is none
    size_t size;
};

struct split_package;

// Borrows the file. Returns NULL when it has no readable index.
struct split_package *split_package_new(const struct elf_file *file);

// Makes a package of a file with one unit (.dwo). Returns NULL when it has no unit.
struct split_package *split_package_of_unit(const struct elf_file *file);
void split_package_free(struct split_package *package);

Elf *split_package_elf(const struct split_package *package);

// Returns the row of the unit with that id, counted from 1, or 0 when there is none. A package made
// of a .dwo file has one row, which is returned for any id.
uint32_t split_package_row(const struct split_package *package, uint64_t id);

// Returns the unit's piece of a section; it lives as long as the package.
struct section_piece split_package_piece(const struct split_package *package, uint32_t row,
                                         enum split_part part);

// Returns the section name under which libdw knows a part.
const char *split_part_name(enum split_part part);
