// SPDX-License-Identifier: MIT
// What is known of each process of a run. However many there are, only so many are remembered: a
// new one takes the place of one that has ended.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "profile/run.h"

struct process_facts {
    struct run_process *list; // the first one stays the first
    size_t count, capacity;
    size_t next; // where to look for one that has ended
};

// The number of the living process with this pid, made when it is new.
uint32_t facts_of(struct process_facts *facts, pid_t pid);

// Finds out which processes may not be looked at any more.
void facts_judge(struct process_facts *facts);
void facts_fini(struct process_facts *facts);
