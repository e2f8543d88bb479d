// SPDX-License-Identifier: MIT
// What becomes of one unwound stack: a node of the profile, and, if it broke off, one more cut.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "collect/cuts.h"
#include "process/module.h"
#include "profile/store.h"
#include "sample/capture.h"
#include "unwind/unwinder.h"

struct stack_keeper { // zeroed before stack_keeper_init
    struct profile *profile;
    const struct mapping *kernel, *unknown, *truncated;
    uint32_t *locations; // of the stack at hand, leaf first
    struct cuts cuts;
};

// Profile and modules are borrowed.
void stack_keeper_init(struct stack_keeper *keeper, struct profile *profile,
                       struct modules *modules, size_t max_depth);
void stack_keeper_fini(struct stack_keeper *keeper);

// The stack's node: below its frames the system call that the thread is in, above them why it does
// not reach its root.
uint32_t stack_keeper_keep(struct stack_keeper *keeper, struct space *space,
                           const struct capture *capture, const struct unwind_result *stack);

// Counts a stack that does not reach its root, by where and why it broke off.
void stack_keeper_note_cut(struct stack_keeper *keeper, const struct space *space,
                           const struct unwind_result *stack);
