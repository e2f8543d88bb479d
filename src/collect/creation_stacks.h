// SPDX-License-Identifier: MIT
// Makes stacks of the profile from what a breakpoint recorded. A place that starts threads again
// and again is unwound once: its stack is the same one if all return addresses are the same and lie
// at the same places above the stack pointer.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "collect/process_image.h"
#include "collect/stack_keeper.h"
#include "process/perf_events.h"

struct creation_stacks { // zeroed before creation_stacks_init
    struct stack_keeper keeper;
    struct capture *capture;
    uint32_t stack_bytes; // that each record has at most
    uint64_t cut, repeated; // stacks that do not reach their root; that were known
    struct known_stack *known;
    size_t count, capacity;
};

// stack_bytes is the size of the copies, which a record that has less ran out of stack for.
void creation_stacks_init(struct creation_stacks *stacks, struct profile *profile,
                          struct modules *modules, size_t max_depth, uint32_t stack_bytes);
void creation_stacks_fini(struct creation_stacks *stacks);

// Returns the node of the stack of a thread, 0: it cannot be told. `image` is that of its process.
uint32_t creation_stacks_node(struct creation_stacks *stacks, struct process_image *image,
                              const struct perf_record *record);
