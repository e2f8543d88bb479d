// SPDX-License-Identifier: MIT
// Where in the memory of a process the system calls lie by which it starts threads.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/space.h"

#define THREAD_CALLS_MOST 4u // as many as a CPU can stop at

struct thread_calls {
    uint64_t list[THREAD_CALLS_MOST];
    size_t count;
};

// Looks through the code of all files that are mapped. A library that has the newer call never uses
// its older one, unless `filtered`: then a filter of system calls may refuse the newer one.
void thread_calls_find(struct space *space, bool filtered, struct thread_calls *calls);
