// SPDX-License-Identifier: MIT
// Where stacks end in a process whose pages cannot be listed: /proc/PID/pagemap can be read by its
// owner and by root, but not by a process that may only trace. The lines of maps are used instead.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "process/regions.h"

struct stack_mappings { // zeroed: nothing was read yet
    struct regions regions;
    int64_t read_at, cost; // of the last reading, ns
};

void stack_mappings_fini(struct stack_mappings *mappings);

// Finds the private memory around a stack pointer of this thread. Returns false when there is none,
// or it is too early to read maps again.
bool stack_mappings_find(struct stack_mappings *mappings, pid_t pid, pid_t tid, uint64_t sp,
                         uint64_t *start, uint64_t *end);
