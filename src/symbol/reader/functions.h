// SPDX-License-Identifier: MIT
// The functions of one compilation unit and what was inlined into them. Read when an address first
// falls into the unit; the inlined calls of a function, when one falls into that.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>

#include "symbol/reader/split_unit.h"

#define CALLS_MAX 256 // functions at one address

struct inline_call { // one function at an address; texts live as long as their Dwarf
    const char *name; // linkage name, else the plain one; NULL when not known
    const char *file; // "" when not known
    const char *directory; // that a relative file name begins at, "" when not known
    uint32_t line, column; // where execution stands in this function; 0 when not known
};

enum functions_wish { // each takes longer
    FUNCTIONS_NESTED = 1, // functions within functions too, for which the whole unit must be read
    FUNCTIONS_NAMED = 2,  // the name of the physical function too
};

struct functions;

// unit: the die of the unit, the split one where there is one. split: it is of a package, which
// must outlive this; else NULL.
struct functions *functions_new(Dwarf_Die *unit, const struct split_unit *split);
void functions_free(struct functions *functions);

// Forgets the inlined calls, most of the memory; they are read again when needed.
void functions_shed(struct functions *functions);

// The functions at a link-time address, innermost first: calls[0] without its place, which the line
// table knows, the others at their calls, in files that the die `files` has the list of. Returns
// how many, 0 when the address is in none. wish: of enum functions_wish.
size_t functions_find(struct functions *functions, Dwarf_Die *files, uint64_t vaddr, unsigned wish,
                      struct inline_call calls[CALLS_MAX]);
