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
