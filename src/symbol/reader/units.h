// SPDX-License-Identifier: MIT
// Units say where an address stands in the source, by DWARF 2 to 5: file, line, column, and the
// chain of functions that were inlined there. Units are indexed once, by their own ranges
// (.debug_aranges is often missing or incomplete). Lines and functions of a unit are read when they
// are first needed.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>

#include "symbol/reader/functions.h"
#include "symbol/reader/split_package.h"

struct units;

// Never fails: of damaged DWARF it holds what could be read. Borrows both; common: dwz's file or
// NULL.
struct units *units_new(Dwarf *dwarf, Dwarf *common);
void units_free(struct units *units);

// Returns whether the units are split: into a file for each (.dwo), or into a package (.dwp).
bool units_are_split(const struct units *units);

// Sets the package that is searched first; it is borrowed.
void units_set_package(struct units *units, const struct split_package *package);

// Returns a number of the unit that holds the address. Addresses with the same number are best
// looked up one after the other.
uint32_t units_at(const struct units *units, uint64_t vaddr);

// Finds the functions at a link-time address, innermost first, the physical one last; `wish` as in
// functions_find. Returns how many there are, 0 when nothing is known. For an address in no
// function (assembly) there is one call, with a place and no name. The texts are valid until the
// next query.
size_t units_find(struct units *units, uint64_t vaddr, unsigned wish,
                  struct inline_call calls[CALLS_MAX]);
