// SPDX-License-Identifier: MIT
// How many bytes of a thread's stack the sampler is to copy: as many as its stacks needed, and some
// more. The less is known of a thread, the more.
#pragma once

#include <stdint.h>

#include "unwind/unwinder.h"

struct stack_hint { // zeroed: nothing is known yet
    uint32_t bytes;
    uint32_t stacks; // seen since then
};

// What to copy next time, in bytes, now that the unwinder has seen this stack.
uint32_t stack_hint_learn(struct stack_hint *hint, const struct unwind_result *stack);
