// SPDX-License-Identifier: MIT
// Where code lay: the addresses that a pprof file needs, each location its own. Code of files is
// where it was first seen in a process, and anonymous code has addresses for offsets. The others
// have no place, and are given one:
//   kernel, special   4 GiB each in the upper half of the address space, in the order of the module
//                     table, with the offset added: stable while the target is attached
//   "[folded]"        one address below those, in no mapping
#pragma once

#include <stdint.h>

#include "process/module.h"
#include "profile/store.h"

#define PLACE_FOLDED 0xffff7ffffffff000u

struct place {
    uint64_t start, limit; // addresses: [start, limit)
    uint64_t offset;       // in the file, of start
};

struct place place_of(const struct modules *modules, const struct mapping *mapping);
uint64_t place_address(const struct modules *modules, struct location location);
