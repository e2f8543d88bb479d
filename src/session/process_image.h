// SPDX-License-Identifier: MIT
// What one process runs at present: which file lies where, and the unwinder that goes by it. The
// maps are read again when a stack seems to need that.
#pragma once

#include <stdint.h>

#include "session/stack_mappings.h"
#include "target/module.h"
#include "unwind/unwinder.h"

struct process_image { // zeroed: none
    struct space *space; // NULL: none
    struct unwinder *unwinder;
    struct stack_mappings mappings;
    int64_t loaded_at, refreshed_at; // when maps were read first and last, CLOCK_MONOTONIC ns
    int64_t refresh_cost;            // CPU time that the last reading again took, ns
};

// Replaces what was there.
void process_image_load(struct process_image *image, struct modules *modules, pid_t pid,
                        size_t max_depth);
void process_image_fini(struct process_image *image);

// The stack of a capture of this thread; valid until the next one.
struct unwind_result process_image_walk(struct process_image *image, pid_t tid,
                                        const struct capture *capture);
