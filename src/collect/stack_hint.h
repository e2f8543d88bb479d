// SPDX-License-Identifier: MIT
// Learns what the sampler has to copy of a thread's stack: up to its root if that always lies at
// the same place, as with threads; else (coroutines) as many bytes as its stacks needed, and some
// more; and stack windows for what lies elsewhere. The less is known of a thread, the more is
// copied.
#pragma once

#include <stdint.h>

#include "collect/stack_windows.h"
#include "unwind/unwinder.h"

struct stack_hint { // zeroed: nothing is known yet
    uint32_t bytes;
    uint32_t stacks; // stacks seen so far
    uint32_t steady; // stacks in a row that had the same root
    uint64_t root;   // address behind the highest word that the unwinder read, 0: not known
    uint64_t there, there_end; // a stretch that captures held: its pages are present
    struct stack_windows windows;
    uint32_t lacked; // captures that lacked something that the next one will hold
};

// Learns from a stack of the thread that was unwound.
void stack_hint_learn(struct stack_hint *hint, const struct capture *capture,
                      const struct unwind_result *stack);

// Sets the stretch around the stack pointer that may be copied, if no capture can tell.
void stack_hint_bound(struct stack_hint *hint, uint64_t start, uint64_t end);

void stack_hint_plan(const struct stack_hint *hint, struct stack_plan *plan);
