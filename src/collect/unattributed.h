// SPDX-License-Identifier: MIT
// CPU time that no sample stands for, by the program that used it.
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
    uint64_t ns; // of all
};

void unattributed_fini(struct unattributed *unattributed);

// comm: of the process that used it, raw bytes.
void unattributed_add(struct unattributed *unattributed, pid_t pid, const char *comm, uint64_t ns);

// The same of children that the process had and nobody met.
void unattributed_add_children(struct unattributed *unattributed, pid_t parent, const char *comm,
                               uint64_t ns);

// As stacks without samples: one frame [unattributed], in a thread of the program's name.
// wall: as running time too.
void unattributed_store(const struct unattributed *unattributed, struct modules *modules,
                        struct profile *profile, bool wall);
