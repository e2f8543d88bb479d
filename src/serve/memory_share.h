// SPDX-License-Identifier: MIT
// How much of the memory that it may have a process has.
#pragma once

#include <stdint.h>

#include "process/memory_group.h"

struct memory_share {
    double percent; // NAN: not known
    const char *of; // what it is a share of, for people
    uint64_t limit; // bytes; MEMORY_UNKNOWN
};

// rss, ram: bytes. What is resident counts, or of its own cgroup what that uses and cannot be
// dropped.
struct memory_share memory_share_of(const struct memory_group *group, uint64_t rss, uint64_t ram);

// Returns the bytes of memory that the machine has.
uint64_t memory_share_ram(void);
