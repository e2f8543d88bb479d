// SPDX-License-Identifier: MIT
// A place gives each location the address of its own that a pprof file needs. Code of files lies
// where it was first seen in a process; the offsets of anonymous code are addresses. What has no
// address is given one:
//   kernel, special   4 GiB each in the upper half of the address space, in the order of the module
//                     table, with the offset added: stable while the target is attached
//   "[folded]"        one address below those, in no mapping
//   "[unattributed]"  another one, of a window, which has no entry for it in the module table
#pragma once

#include <stdint.h>

#include "process/module.h"
#include "profile/store.h"

#define PLACE_FOLDED 0xffff7ffffffff000u
#define PLACE_UNATTRIBUTED 0xffff7fffffffe000u

struct place {
    uint64_t start, limit; // addresses: [start, limit)
    uint64_t offset;       // in the file, of start
};

struct place place_of(const struct modules *modules, const struct mapping *mapping);
uint64_t place_address(const struct modules *modules, struct location location);
