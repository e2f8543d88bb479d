// SPDX-License-Identifier: MIT
// The variables of one image, by link-time address: what the object symbols of .symtab and .dynsym
// say.
#pragma once

#include <stdint.h>

#include "process/image.h"

struct objects;

// Never fails: of a damaged image it holds what could be read. The image must outlive it.
struct objects *objects_new(struct image *image);
void objects_free(struct objects *objects);

// The raw name of the variable that holds the link-time address, and how far into it; NULL: none.
const char *objects_find(const struct objects *objects, uint64_t vaddr, uint64_t *offset);
