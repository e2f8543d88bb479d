// SPDX-License-Identifier: MIT
// Which mapping lies at which address in one process, and what can be read there from the images.
// It is plain data: it does not matter which process collected it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/image.h"

struct mapping;
struct module;

struct area { // where a mapping lies in one process
    uint64_t start, end;
    const struct mapping *mapping;
    uint64_t device, inode, shift; // as in maps; shift: start minus file offset
    bool copied;               // not mapped from the file, but equal to its code
    uint64_t bias;             // load bias (address minus link-time address); needs an image
    uint64_t extent_start, extent_end; // of all segments of the module; empty without an image
    int64_t true_at; // CLOCK_MONOTONIC ns, the last time at which it was known to lie there
    int64_t since;   // at this time it had replaced another area; 0: it replaced none
    int64_t before;  // the last time at which that other area was known to be there
};

struct areas { // zeroed: none
    struct area *list; // sorted by start; owned
    size_t count, capacity;
    const struct area *last_read; // where areas_read found its last address
};

void areas_fini(struct areas *areas);

// Returns the area that holds the address, or NULL.
const struct area *areas_find(const struct areas *areas, uint64_t address);

// Returns an area of the module whose segments, code or data, hold the address, or NULL.
const struct area *areas_find_module(struct areas *areas, uint64_t address);

// Copies constant memory of the target (code, unwind tables) from the images, given its address in
// the target; returns false when some of it is not in an image. The target is not accessed.
bool areas_read(struct areas *areas, uint64_t address, void *to, size_t length);

struct unwind_sections { // addresses in the target and sizes; size 0: there is none
    uint64_t eh_frame_hdr, eh_frame_hdr_size;
    uint64_t eh_frame, eh_frame_size;
};

// Finds the unwind tables of the module that holds pc; returns false when it has none.
bool areas_unwind_sections(const struct areas *areas, uint64_t pc,
                           struct unwind_sections *sections);
