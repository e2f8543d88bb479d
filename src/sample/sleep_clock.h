// SPDX-License-Identifier: MIT
// Tells since when a thread sleeps. The kernel dates when it last ran by the clock of the CPU that
// it went to sleep on (se.exec_start of task/TID/sched); we learn what that clock shows now by
// running there for a moment. The clock stands still while the hypervisor or an interrupt has the
// CPU: what is found is never longer than the truth.
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#define SLEEP_CPUS 1024

struct sleep_clock {
    cpu_set_t home, allowed; // where we run, and where we may go
    struct sleep_cpu {
        bool asked, known;
        int64_t ahead; // CLOCK_MONOTONIC less the clock of the CPU, ns
    } cpus[SLEEP_CPUS];
};

// allowed: CPUs on which the caller may run for it; NULL: those that it runs on anyway.
void sleep_clock_init(struct sleep_clock *clock, const cpu_set_t *allowed);

// Returns since when a thread sleeps on that CPU whose task/TID/sched reads `sched`;
// CLOCK_MONOTONIC ns, 0: not known.
int64_t sleep_clock_since(struct sleep_clock *clock, int cpu, const char *sched);
