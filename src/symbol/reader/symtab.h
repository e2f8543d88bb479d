// SPDX-License-Identifier: MIT
// The functions of one image, by link-time address: .symtab and .dynsym together, and the stubs of
// the procedure linkage table.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/image.h"

struct symtab_match {
    const char *name; // as in the string table, raw and of any length; lives as long as the image
    uint64_t offset;  // of the address inside the function
    bool stub;        // the PLT stub that jumps to `name`, not the function itself
};

struct symtab;

// Never fails: of a damaged image it holds what could be read. images[0] is the module itself, the
// others are files with symbols that were split off it. They must outlive it.
struct symtab *symtab_new(const struct image *const *images, size_t count);
void symtab_free(struct symtab *symtab);

// What the link-time address belongs to; false when it belongs to no function with a name.
bool symtab_find(const struct symtab *symtab, uint64_t vaddr, struct symtab_match *match);

// Where the function around the address begins by the unwind tables, named or not; false when they
// say nothing of it.
bool symtab_start(const struct symtab *symtab, uint64_t vaddr, uint64_t *start);
