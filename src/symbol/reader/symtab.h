// SPDX-License-Identifier: MIT
// The functions of one image by link-time address, from .symtab, .dynsym and the PLT stubs.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/image.h"

struct symtab_match {
    const char *name; // raw, of any length; lives as long as the image
    uint64_t offset;  // of the address inside the function
    bool stub;        // the address is in the PLT stub that jumps to `name`
};

struct symtab;

// Never fails: the table of a damaged image holds what could be read. images[0] is the module
// itself, the others are its debug files. They must outlive the table.
struct symtab *symtab_new(const struct image *const *images, size_t count);
void symtab_free(struct symtab *symtab);

// Finds the function that a link-time address belongs to; false when none with a name covers it.
bool symtab_find(const struct symtab *symtab, uint64_t vaddr, struct symtab_match *match);

// Finds where the function around the address begins according to the unwind tables, with or
// without a name; false when they do not cover the address.
bool symtab_start(const struct symtab *symtab, uint64_t vaddr, uint64_t *start);
