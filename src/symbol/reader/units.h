// SPDX-License-Identifier: MIT
// Where an address stands in the source, by DWARF 2 to 5: file, line, column, and the chain of
// functions that were inlined there. Units are indexed once, from their own ranges (.debug_aranges
// is often missing or in part); lines and functions of a unit are read when first needed.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>

#include "symbol/reader/functions.h"
#include "symbol/reader/split_package.h"

struct units;

// Never fails: of damaged DWARF it knows what could be read. Borrows both. common: what dwz
// split off, NULL: nothing.
struct units *units_new(Dwarf *dwarf, Dwarf *common);
void units_free(struct units *units);

// Parts of the units are in other files: one for each, or a package.
bool units_are_split(const struct units *units);

// Where such parts are looked for first; borrowed.
void units_set_package(struct units *units, const struct split_package *package);

// A number of the unit that holds the address: those with the same number are found fastest one
// after the other.
uint32_t units_at(const struct units *units, uint64_t vaddr);

// The functions at a link-time address, innermost first, the physical one last. wish: as for
// functions_find. Returns how many; 0 when nothing is
// known. Of an address in no function (assembly) the one call has a place and no name. The texts
// are good until the next call.
size_t units_find(struct units *units, uint64_t vaddr, unsigned wish,
                  struct inline_call calls[CALLS_MAX]);
