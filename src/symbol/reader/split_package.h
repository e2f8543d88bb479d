// SPDX-License-Identifier: MIT
// A DWARF package (.dwp): the split units of a program in one file. Its index (.debug_cu_index, as
// of GNU and of DWARF 5) says where the pieces of each unit lie. Nothing in it is believed.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "symbol/reader/elf_file.h"

enum split_part { // what a unit has pieces of
    SPLIT_INFO,
    SPLIT_ABBREV,
    SPLIT_LINE,
    SPLIT_STR_OFFSETS,
    SPLIT_RNGLISTS,
    SPLIT_STR, // all of it: the units share it
    SPLIT_PARTS,
};

struct section_piece {
    const unsigned char *bytes; // NULL: there is none
    size_t size;
};

struct split_package;

// Borrows the file; NULL when it has no index that can be read.
struct split_package *split_package_new(const struct elf_file *file);

// A file of one unit (.dwo), as a package of one. NULL when it has no unit.
struct split_package *split_package_of_unit(const struct elf_file *file);
void split_package_free(struct split_package *package);

Elf *split_package_elf(const struct split_package *package);

// The row of the unit with that id, counted from 1; 0: it is not here. A package of one claims to
// have any.
uint32_t split_package_row(const struct split_package *package, uint64_t id);

// What it has of a part; lives as long as the package.
struct section_piece split_package_piece(const struct split_package *package, uint32_t row,
                                         enum split_part part);

// The name that libdw knows a part by.
const char *split_part_name(enum split_part part);
