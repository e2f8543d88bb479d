// SPDX-License-Identifier: MIT
// The variables of one image by link-time address, by the STT_OBJECT symbols of .symtab and
// .dynsym.
#pragma once

#include <stdint.h>

#include "process/image.h"

struct object {
    uint64_t address, size;
    const char *name; // raw
    unsigned char binding;
};

struct objects;

// Never fails: the table of a damaged image holds what could be read. The image must outlive it.
struct objects *objects_new(struct image *image);
void objects_free(struct objects *objects);

// Returns the variable that holds the link-time address, or NULL.
const struct object *objects_find(const struct objects *objects, uint64_t vaddr);

// Returns the variable of that name, a global one if there are several, or NULL.
const struct object *objects_named(const struct objects *objects, const char *name);
