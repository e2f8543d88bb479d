// SPDX-License-Identifier: MIT
// A unit of a package (.dwp), which the libdw of Debian 12 does not read. It is shown to libdw as a
// file that has nothing but the pieces of this unit and what it needs of the program: addresses,
// ranges.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>

#include "symbol/reader/split_package.h"

struct split_unit;

// The unit that a skeleton speaks of by this id; NULL: it is not there, or damaged. Names of its
// dies live as long as the package, those of its files as long as the unit.
struct split_unit *split_unit_open(const struct split_package *package, Dwarf_Die *skeleton,
                                   uint64_t id);
void split_unit_close(struct split_unit *unit);

Dwarf_Die *split_unit_die(struct split_unit *unit);

// It has a list of files of its own; else that of the skeleton counts.
bool split_unit_has_files(const struct split_unit *unit);

// As dwarf_ranges, which does not know what the lists of such a unit are relative to: only the
// skeleton tells.
ptrdiff_t split_unit_ranges(const struct split_unit *unit, Dwarf_Die *die, ptrdiff_t at,
                            Dwarf_Addr *base, Dwarf_Addr *start, Dwarf_Addr *end);
