// SPDX-License-Identifier: MIT
// What one process runs at present: which file lies where, and the unwinder that goes by it. The
// maps are read again when a stack seems to need that, and when they are not true any more.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "collect/stack_mappings.h"
#include "process/module.h"
#include "unwind/walker.h"

struct process_image { // zeroed: none
    struct space *space; // NULL: none
    struct walked *walked;
    struct stack_mappings mappings;
    uint64_t number; // of the image that is meant (process/maps.h), 0: not known
    int64_t changed_at; // when another library was last met in the place of one, 0: never
    int64_t loaded_at, refreshed_at; // when maps were read first and last, CLOCK_MONOTONIC ns
    int64_t refresh_cost;            // CPU time that the last reading again took, ns
};

// Replaces what was there; the walker is borrowed. number: of the image that is meant; the process
// may run another one by now, of which no stack is to be made. tid: any thread that has memory.
void process_image_load(struct process_image *image, struct modules *modules, pid_t pid,
                        pid_t tid, uint64_t number, struct walker *walker);
void process_image_fini(struct process_image *image);

// Reads the maps again. False: the image is gone; what is known of it stays.
bool process_image_refresh(struct process_image *image, pid_t tid);

// Whether its leaf, and where it broke off the last caller, lie in code that is known.
bool process_image_holds(const struct process_image *image, const struct unwind_result *stack);

// Another library may lie in the place of one that was closed, and stacks end well in it, too.
bool process_image_is_true(struct process_image *image, const struct capture *capture,
                           const struct unwind_result *stack);

// The stack of a capture of this thread; valid until the next one. False when it cannot be told
// which code lay there when it was taken.
bool process_image_walk(struct process_image *image, pid_t tid, const struct capture *capture,
                        struct unwind_result *stack) MUST_CHECK;
