// SPDX-License-Identifier: MIT
// What one process runs at present: which file is mapped at which address, and the unwinder that
// uses it. The maps are read again when a stack seems to need that, and when they are no longer
// true.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "collect/stack_mappings.h"
#include "process/module.h"
#include "process/space.h"
#include "unwind/walker.h"

struct process_image { // zeroed: none
    struct space *space; // NULL: none
    struct walked *walked;
    struct stack_mappings mappings;
    uint64_t number; // of the image that is meant (process/maps.h), 0: not known
    int64_t changed_at; // when a library was last found in the place of another one, 0: never
    int64_t loaded_at, refreshed_at; // when maps were read first and last, CLOCK_MONOTONIC ns
    int64_t refresh_cost;            // CPU time that reading them again took last, ns
};

// Replaces the image; the walker is borrowed. number is that of the image that is meant: the
// process may run another one by now, of which no stack may be made. tid is any thread that has
// memory.
void process_image_load(struct process_image *image, struct modules *modules, pid_t pid,
                        pid_t tid, uint64_t number, struct walker *walker);

// Has an image of which nothing is known be like that of another process: with the same number,
// they are copies of one.
void process_image_borrow(struct process_image *image, const struct process_image *same);

void process_image_fini(struct process_image *image);

// Reads the maps again. Returns false when the image is gone; what is known of it stays.
bool process_image_refresh(struct process_image *image, pid_t tid);

// Returns whether the leaf of the stack and, of a cut stack, the last caller lie in known code.
bool process_image_holds(const struct process_image *image, const struct unwind_result *stack);

// Returns whether the maps are still true of the stack's code: another library may lie in the place
// of one that was closed, and stacks reach their root in it, too.
bool process_image_is_true(struct process_image *image, const struct capture *capture,
                           const struct unwind_result *stack);

// Makes the stack of a capture of this thread; it is valid until the next call. Returns false when
// it cannot be found out which code was mapped when the capture was taken.
bool process_image_walk(struct process_image *image, pid_t tid, const struct capture *capture,
                        struct unwind_result *stack) MUST_CHECK;
