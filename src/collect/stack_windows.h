// SPDX-License-Identifier: MIT
// Where the stack of a thread goes on beyond what its captures hold: learnt from where its walks
// ended, told to whoever copies it next. A frame of megabytes whose callers stay lies at the same
// address each time; one whose callees do, as far above the stack pointer; what a signal handler
// interrupted, where the kernel's frame says.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sample/stack_capture.h"
#include "unwind/unwinder.h"

struct stack_windows { // zeroed: none
    uint64_t places[STACK_WINDOWS]; // as in struct stack_plan; 0: free
    uint32_t lengths[STACK_WINDOWS];
    uint32_t unused[STACK_WINDOWS]; // captures in a row of which no walk looked at it
    uint64_t missed, distance;      // last time: the address, and that above the stack pointer
};

// Whether the walk ended right behind the piece from the stack pointer up, of which no page was
// missing: more of that is wanted then, and no window.
bool stack_windows_is_behind(const struct capture *capture, const struct unwind_result *stack);

// Now that the capture has been unwound. True: the next one will hold what this one lacked, if it
// can be had.
bool stack_windows_learn(struct stack_windows *windows, const struct capture *capture,
                         const struct unwind_result *stack);

void stack_windows_plan(const struct stack_windows *windows, struct stack_plan *plan);
