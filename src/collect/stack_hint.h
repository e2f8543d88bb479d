// SPDX-License-Identifier: MIT
// What of a thread's stack the sampler is to copy: up to its root if that always lies at the same
// place, as with threads; else (coroutines) as many bytes as its stacks needed, and some more; and
// windows on what lies elsewhere. The less is known of a thread, the more.
#pragma once

#include <stdint.h>

#include "collect/stack_windows.h"
#include "unwind/unwinder.h"

struct stack_hint { // zeroed: nothing is known yet
    uint32_t bytes;
    uint32_t stacks; // seen since then
    uint32_t steady; // stacks in a row that had the root of the one before
    uint64_t root;   // address behind the highest word that the unwinder looked at, 0: not known
    uint64_t there, there_end; // a stretch that captures held: its pages are there
    struct stack_windows windows;
    uint32_t lacked; // captures that lacked what the next one will hold
};

// Now that the unwinder has seen this stack of a thread.
void stack_hint_learn(struct stack_hint *hint, const struct capture *capture,
                      const struct unwind_result *stack);

// The stretch around the stack pointer that may be copied, if no capture can tell.
void stack_hint_bound(struct stack_hint *hint, uint64_t start, uint64_t end);

void stack_hint_plan(const struct stack_hint *hint, struct stack_plan *plan);
