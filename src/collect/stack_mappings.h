// SPDX-License-Identifier: MIT
// Where stacks end, of a process whose pages nobody shows us: /proc/PID/pagemap can be read by its
// owner and by root, and not by whoever may just trace. Then the lines of maps have to do.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "process/regions.h"

struct stack_mappings { // zeroed: nothing was read yet
    struct regions regions;
    int64_t read_at, cost; // of the last reading, ns
};

void stack_mappings_fini(struct stack_mappings *mappings);

// The private memory around a stack pointer of this thread; false when there is none, or it is too
// early to read maps again.
bool stack_mappings_find(struct stack_mappings *mappings, pid_t pid, pid_t tid, uint64_t sp,
                         uint64_t *start, uint64_t *end);
