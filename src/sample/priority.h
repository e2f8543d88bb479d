// SPDX-License-Identifier: MIT
// Priorities with which samplers are on time: an ordinary process gets a busy machine's CPU when
// somebody yields, and would see the ends of bursts only.
#pragma once

#include <sched.h>
#include <stdbool.h>

struct priority {
    bool realtime;    // SCHED_FIFO
    bool short_slice; // an ordinary task with a 100 us slice (kernel 6.12 on, no privilege)
};

// Gives the calling process the best that it is allowed to have.
struct priority priority_raise(void);

// For a thread that has little to do and is to come soon, but displaces nobody who is due.
void priority_prompt(void);

// Makes the calling thread as urgent as priority_raise does, or no more than priority_prompt does.
void priority_urgent(bool urgent);

// For the thread that takes in what was seen, when a moment later is too late: it gives way to
// samplers only. Nothing ends it if it computes for long, so it has to see to that itself. Where
// that is not allowed it is an ordinary thread with a short slice.
void priority_at_once(void);

// For the thread that takes in what was seen, as long as that lasts: where very many threads run it
// would seldom get a CPU. Processes that it starts meanwhile keep it. Returns the nice value from
// before, for priority_relax; nothing changes where it is not allowed or not needed.
int priority_hurry(void);
void priority_relax(int nice);

// If the machine has no idle CPU left, keeps the calling thread where it is, and so the processes
// and threads that it starts: spread over all CPUs they would take turns with the target's threads,
// a tick of the scheduler each time. If it shares its CPU already, they go to the others. *before:
// where it may run, for priority_spread.
void priority_gather(cpu_set_t *before);
void priority_spread(const cpu_set_t *before);
