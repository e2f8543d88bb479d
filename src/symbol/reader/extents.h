// SPDX-License-Identifier: MIT
// Where the functions of an image begin and end by its unwind tables: what a stripped file still
// says of functions that have no name. All addresses are those of the link.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "process/image.h"

struct extents;

// The image must outlive it. Nothing is read before it is asked.
struct extents *extents_new(const struct image *image);
void extents_free(struct extents *extents);

// The function around the address; false when no entry covers it.
bool extents_find(struct extents *extents, uint64_t vaddr, uint64_t *start, uint64_t *end);

// Where the first function behind the address begins; UINT64_MAX: there is none.
uint64_t extents_next(struct extents *extents, uint64_t vaddr);
