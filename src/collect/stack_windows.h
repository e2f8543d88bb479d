// SPDX-License-Identifier: MIT
// Where the stack of a thread goes on beyond what its captures hold. It is learnt from where walks
// ended, and sent to the sampler for the next copy. A frame of megabytes whose callers stay lies at
// the same address each time; one whose callees stay lies at the same distance above the stack
// pointer; where the stack lies that a signal handler interrupted is in the kernel's frame.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sample/stack_capture.h"
#include "unwind/unwinder.h"

struct stack_windows { // zeroed: none
    uint64_t places[STACK_WINDOWS]; // as in struct stack_plan; 0: free
    uint32_t lengths[STACK_WINDOWS];
    uint32_t unused[STACK_WINDOWS]; // captures in a row of which no walk read the window
    // Where the last walk ended: the address, and its distance above the stack pointer.
    uint64_t missed, distance;
};

// Returns whether the walk ended right behind the piece from the stack pointer up, of which no page
// was missing: then more of that piece is wanted, and no window.
bool stack_windows_is_behind(const struct capture *capture, const struct unwind_result *stack);

// Learns from a capture that was unwound. Returns true when the next one will hold what this one
// lacked, if it can be had.
bool stack_windows_learn(struct stack_windows *windows, const struct capture *capture,
                         const struct unwind_result *stack);

void stack_windows_plan(const struct stack_windows *windows, struct stack_plan *plan);
