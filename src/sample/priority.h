// SPDX-License-Identifier: MIT
// Be on time: an ordinary process gets a busy machine's CPU when somebody yields, and would see the
// ends of bursts only.
#pragma once

#include <stdbool.h>

struct priority {
    bool realtime;    // SCHED_FIFO
    bool short_slice; // an ordinary task with a 100 us slice (kernel 6.12 on, no privilege)
};

// Gives the calling process the best that it is allowed to have.
struct priority priority_raise(void);

// For the thread that takes in what was seen, as long as that lasts: where many threads run it
// would seldom get a CPU. Processes that it starts meanwhile keep it. Returns the nice value from
// before, for priority_relax; nothing changes where it is not allowed.
int priority_hurry(void);
void priority_relax(int nice);
