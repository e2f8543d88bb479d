// SPDX-License-Identifier: MIT
// How much of a thread's stack the sampler is to copy: up to its root if that always lies at the
// same place, as with threads; else (coroutines) as many bytes as its stacks needed, and some more.
// The less is known of a thread, the more.
#pragma once

#include <stdint.h>

#include "sample/control.h"
#include "unwind/unwinder.h"

struct stack_hint { // zeroed: nothing is known yet
    uint32_t bytes;
    uint32_t stacks; // seen since then
    uint32_t steady; // stacks in a row that had the root of the one before
    uint64_t root;   // address of the highest word that the unwinder looked at, 0: not known
};

// Now that the unwinder has seen this stack of a thread whose stack pointer was sp.
void stack_hint_learn(struct stack_hint *hint, uint64_t sp, const struct unwind_result *stack);

// Tells the sampler, for the thread of that number.
void stack_hint_tell(const struct stack_hint *hint, struct control *control, uint32_t thread);

// Up to where to copy, 0: not known; and how far below it a stack pointer may lie to be believed to
// be of this stack.
uint64_t stack_hint_root(const struct stack_hint *hint);
uint32_t stack_hint_reach(const struct stack_hint *hint);
