// SPDX-License-Identifier: MIT
// What is known of each process of a run. The number of processes that are remembered has a bound:
// a new one takes the place of one that has ended.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "profile/run.h"

struct process_facts {
    struct run_process *list; // the first process of the run keeps place 0
    size_t count, capacity;
    size_t next; // where the search for one that has ended begins
};

// Returns the number of the living process with this pid and adds it when it is new.
uint32_t facts_of(struct process_facts *facts, pid_t pid);
void facts_fini(struct process_facts *facts);
