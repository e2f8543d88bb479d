// SPDX-License-Identifier: MIT
// What a sampler that takes over from one that died must know of the processes: up to which reading
// of their CPU clocks the main process was told. This lies in memory that outlives samplers.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HANDOVER_MAX 256 // processes; of more, CPU time may be lost when a sampler dies

struct handover {
    struct told {
        _Atomic pid_t pid; // 0: none
        uint64_t cpu_ns;
    } told[HANDOVER_MAX];
};

// Notes that the main process was told of the process's CPU time up to cpu_ns.
void handover_note(struct handover *handover, pid_t pid, uint64_t cpu_ns);

// Returns false when nothing is known of the process.
bool handover_find(struct handover *handover, pid_t pid, uint64_t *cpu_ns);

// Forgets a process that has ended, as the main process was told.
void handover_forget(struct handover *handover, pid_t pid);
