// SPDX-License-Identifier: MIT
// Makes an unwound stack a node of the profile, and counts it if it is cut.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "collect/cuts.h"
#include "process/module.h"
#include "process/space.h"
#include "profile/store.h"
#include "sample/capture.h"
#include "unwind/unwinder.h"

struct stack_keeper { // zeroed before stack_keeper_init
    struct profile *profile;
    const struct mapping *kernel, *unknown, *truncated;
    uint32_t *locations; // of the current stack, leaf first
    struct cuts cuts;
};

// Profile and modules are borrowed.
void stack_keeper_init(struct stack_keeper *keeper, struct profile *profile,
                       struct modules *modules, size_t max_depth);
void stack_keeper_fini(struct stack_keeper *keeper);

// Returns the stack's node. Below its frames lies the system call that the thread is in, above them
// why the stack is cut.
uint32_t stack_keeper_keep(struct stack_keeper *keeper, struct space *space,
                           const struct capture *capture, const struct unwind_result *stack);

// Counts a cut stack by the module and the reason.
void stack_keeper_note_cut(struct stack_keeper *keeper, const struct space *space,
                           const struct unwind_result *stack);
