// SPDX-License-Identifier: MIT
// The variables of one image by link-time address, by the STT_OBJECT symbols of .symtab and
// .dynsym.
#pragma once

#include <stdint.h>

#include "process/image.h"

struct objects;

// Never fails: the table of a damaged image holds what could be read. The image must outlive it.
struct objects *objects_new(struct image *image);
void objects_free(struct objects *objects);

// Returns the raw name of the variable that holds the link-time address, and the offset of the
// address in it; NULL when there is none.
const char *objects_find(const struct objects *objects, uint64_t vaddr, uint64_t *offset);
