// SPDX-License-Identifier: MIT
// Makes the unwinder of what lies where in a process: it reads code and tables from the images.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "process/areas.h"
#include "unwind/unwinder.h"

struct area_source { // where the unwinder reads; it must outlive the unwinder
    struct areas *areas;
    _Atomic uint32_t *reading; // becomes 1 + the number of the module that is read; may be NULL
    void *context;
    // Copies code that is in no image as it is now. Returns how many bytes, at most `length`.
    size_t (*read_made)(void *context, uint64_t address, void *to, size_t length);
    // Opens the separate debug file of the module that holds pc; the module will own it. NULL:
    // there is none.
    struct image *(*open_debug)(void *context, uint64_t pc);
};

// max_depth: see unwinder_new.
struct unwinder *area_unwinder_new(struct area_source *source, size_t max_depth);
