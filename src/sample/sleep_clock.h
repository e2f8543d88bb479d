// SPDX-License-Identifier: MIT
// Since when a thread sleeps. The kernel tells when it last ran by the clock of the CPU that it
// went to sleep on (se.exec_start of task/TID/sched); what that clock shows now is learnt by
// running there for a moment. It stands still while the hypervisor or an interrupt has the CPU:
// what is found is never longer than the truth.
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

// allowed: CPUs that may be gone to; NULL: those that the caller runs on anyway.
void sleep_clock_init(struct sleep_clock *clock, const cpu_set_t *allowed);

// sched: the text of task/TID/sched, of a thread that sleeps on that CPU. CLOCK_MONOTONIC ns; 0:
// not known.
int64_t sleep_clock_since(struct sleep_clock *clock, int cpu, const char *sched);
