// SPDX-License-Identifier: MIT
// What a server itself uses: all of its processes, those that have ended too.
#pragma once

#include <stdint.h>

struct own_use {
    uint64_t cpu_ns;    // never less than before
    uint64_t rss_bytes; // of those that live
    uint64_t processes;
};

// Reads it of the calling process and those that descend from it.
struct own_use own_use_read(void);
