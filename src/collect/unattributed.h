// SPDX-License-Identifier: MIT
// Counts CPU time that no sample stands for, by the program that used it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/module.h"
#include "profile/store.h"

struct unattributed { // zeroed: none
    struct unattributed_row *rows;
    size_t count, capacity;
    uint64_t ns; // of all rows
};

void unattributed_fini(struct unattributed *unattributed);

// Adds CPU time of a process; comm is its name, raw bytes.
void unattributed_add(struct unattributed *unattributed, pid_t pid, const char *comm, uint64_t ns);

// Says that so much of what is added for that program is in the wall time of its threads already.
void unattributed_place(struct unattributed *unattributed, pid_t pid, const char *comm,
                        uint64_t ns);

// Adds CPU time of children of the process that were never seen.
void unattributed_add_children(struct unattributed *unattributed, pid_t parent, const char *comm,
                               uint64_t ns);

// Returns the stack of one frame, [unattributed].
uint32_t unattributed_stack(struct modules *modules, struct profile *profile);

// Adds them to the profile as stacks without samples: one frame [unattributed], in a thread of the
// program's name. wall: what was not placed counts as running time too.
void unattributed_store(const struct unattributed *unattributed, struct modules *modules,
                        struct profile *profile, bool wall);
