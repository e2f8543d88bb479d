// SPDX-License-Identifier: MIT
// The unwind tables of an image, which even a stripped file has, say where its functions begin and
// end. All addresses are link-time addresses.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "process/image.h"

struct extents;

// The image must outlive it. The tables are read on the first query.
struct extents *extents_new(const struct image *image);
void extents_free(struct extents *extents);

// Finds the bounds of the function around the address; false when no FDE covers it.
bool extents_find(struct extents *extents, uint64_t vaddr, uint64_t *start, uint64_t *end);

// Returns where the first function behind the address begins; UINT64_MAX: there is none.
uint64_t extents_next(struct extents *extents, uint64_t vaddr);
