// SPDX-License-Identifier: MIT
// A unit of a package (.dwp), which the libdw of Debian 12 cannot read. libdw gets a file made of
// the pieces of this unit and of what it needs of the program: addresses and ranges.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>

#include "symbol/reader/split_package.h"

struct split_unit;

// Opens the unit with this id that a skeleton refers to. Returns NULL when it is missing or
// damaged. Names of its DIEs live as long as the package, those of its files as long as the unit.
struct split_unit *split_unit_open(const struct split_package *package, Dwarf_Die *skeleton,
                                   uint64_t id);
void split_unit_close(struct split_unit *unit);

Dwarf_Die *split_unit_die(struct split_unit *unit);

// Returns whether it has a file list of its own; otherwise that of the skeleton applies.
bool split_unit_has_files(const struct split_unit *unit);

// Does what dwarf_ranges does, which does not know the base of the range lists: the skeleton has
// it.
ptrdiff_t split_unit_ranges(const struct split_unit *unit, Dwarf_Die *die, ptrdiff_t at,
                            Dwarf_Addr *base, Dwarf_Addr *start, Dwarf_Addr *end);
