// SPDX-License-Identifier: MIT
// The functions of one compilation unit and what was inlined into them. The unit is read when an
// address first falls into it, the inlined calls of a function when one falls into that function.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>

#include "symbol/reader/split_unit.h"

#define CALLS_MAX 256 // functions at one address: one physical, the others inlined

struct inline_call { // one function at an address; texts live as long as their Dwarf
    const char *name; // linkage name, else the plain one; NULL when not known
    const char *file; // "" when not known
    const char *directory; // base of a relative file name; "" when not known
    uint32_t line, column; // the place in this function; 0 when not known
};

enum functions_wish { // each one costs more time
    FUNCTIONS_NESTED = 1, // search functions inside of functions too: the whole unit is read
    FUNCTIONS_NAMED = 2,  // name the physical function too
};

struct functions;

// `unit` is the DIE of the unit, of the split unit if there is one. `split` is NULL if it is not a
// split unit; otherwise it must outlive the result.
struct functions *functions_new(Dwarf_Die *unit, const struct split_unit *split);
void functions_free(struct functions *functions);

// Frees the inlined calls, which are most of the memory; they are read again when they are needed.
void functions_shed(struct functions *functions);

// Finds the functions at a link-time address, innermost first. calls[0] has no place, because only
// the line table knows it; the others have the place of the call, with file numbers resolved in the
// unit DIE `files`. Returns how many there are, 0 when the address is in no function. `wish` is a
// set of enum functions_wish.
size_t functions_find(struct functions *functions, Dwarf_Die *files, uint64_t vaddr, unsigned wish,
                      struct inline_call calls[CALLS_MAX]);
