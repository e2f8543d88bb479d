// SPDX-License-Identifier: MIT
// Makes the unwinder from the areas of a process: it reads code and tables from the images.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "process/areas.h"
#include "process/module.h"
#include "unwind/unwinder.h"

struct area_source { // where the unwinder reads; it must outlive the unwinder
    struct areas *areas;
    _Atomic uint32_t *reading; // becomes 1 + the number of the module that is read; may be NULL
    void *context;
    // Opens the image of a module that has none yet, for its `image`. NULL: they all have theirs.
    void (*open_image)(void *context, struct module *module);
    // Opens the separate debug file of a module; the module will own it. NULL: there is none.
    struct image *(*open_debug)(void *context, const struct module *module);
    // Copies code that is in no image as it is now. Returns how many bytes, at most `length`.
    size_t (*read_made)(void *context, uint64_t address, void *to, size_t length);
};

// max_depth is that of unwinder_new.
struct unwinder *area_unwinder_new(struct area_source *source, size_t max_depth);
