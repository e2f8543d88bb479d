// SPDX-License-Identifier: MIT
// How much of a thread's stack the sampler is to copy: up to its root if that always lies at the
// same place, as with threads; else (coroutines) as many bytes as its stacks needed, and some more.
// The less is known of a thread, the more.
#pragma once

#include <stdint.h>

#include "unwind/unwinder.h"

struct stack_hint { // zeroed: nothing is known yet
    uint32_t bytes;
    uint32_t stacks; // seen since then
    uint64_t root;   // address of the highest word that the unwinder looked at, 0: not known
    uint64_t steady_root; // the same if the stack before had it too, else 0
    uint32_t steady; // stacks in a row that had it
    uint32_t reach;  // how far below it a stack pointer may lie, to be believed to be of this stack
};

// Now that the unwinder has seen this stack of a thread whose stack pointer was sp.
void stack_hint_learn(struct stack_hint *hint, uint64_t sp, const struct unwind_result *stack);
